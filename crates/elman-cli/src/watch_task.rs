//! How training a task with examples looks: a bar on a terminal, lines elsewhere.

use crate::outcome::Outcome;
use elman::task::{Ended, Evaluation, Event};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(10);
/// Between two changes of the bar's words.
const WORDS: Duration = Duration::from_millis(200);

/// Shows training.
pub struct WatchTask {
    bar: Option<ProgressBar>,
    terminal: bool,
    shown: Instant,
    warnings: String,
}

impl WatchTask {
    /// Nothing is shown yet; `warnings` of the cell come first.
    pub fn new(warnings: String) -> WatchTask {
        WatchTask { bar: None, terminal: std::io::stderr().is_terminal(), shown: Instant::now(), warnings }
    }

    /// Shows what happened.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Begin { words, steps, done } => {
                eprint!("{}", std::mem::take(&mut self.warnings));
                let resumed = if *done > 0 { format!(", {done} of them done") } else { String::new() };
                eprintln!("{words}{resumed}");
                if self.terminal {
                    let bar = ProgressBar::new(*steps).with_position(*done);
                    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent}%  {msg}") {
                        bar.set_style(style);
                    }
                    self.bar = Some(bar);
                }
            }
            Event::Step(s) => {
                let wait = if self.terminal { WORDS } else { LINE };
                if self.shown.elapsed() < wait {
                    return;
                }
                self.shown = Instant::now();
                let left = (s.left as f64 * s.seconds) as u64;
                let left = format!("{}:{:02} left", left / 60, left % 60);
                let words = format!("epoch {}/{}  loss {:.4}  {left}", s.epoch, s.epochs, s.loss);
                match &self.bar {
                    Some(bar) => {
                        bar.set_position(s.step);
                        bar.set_message(words);
                    }
                    None => eprintln!("step {}  {words}", s.step),
                }
            }
            Event::Evaluation(evaluation) => {
                let line = line(evaluation);
                match &self.bar {
                    Some(bar) => bar.println(line),
                    None => eprintln!("{line}"),
                }
            }
        }
    }

    /// Takes the bar away.
    pub fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The last word.
    pub fn ended(ended: Ended, out: &Path) -> Outcome {
        let name = out.display();
        match ended {
            Ended::Finished { best, scored, step } => {
                Outcome::good(format!("best on the validation part: {scored} {best:.4} at step {step}: {name}\n"))
            }
            Ended::Stopped { step } => {
                Outcome::interrupted(format!("stopped after step {step}; to go on: elman resume {name}\n"))
            }
        }
    }
}

fn line(e: &Evaluation) -> String {
    let figures: Vec<String> = e.values.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
    let best = if e.improved { "  best" } else { "" };
    let figures = figures.join("  ");
    format!(
        "epoch {}  step {}  train loss {:.4}  valid {figures}  {:.0} s{best}",
        e.epoch, e.step, e.train_loss, e.seconds
    )
}
