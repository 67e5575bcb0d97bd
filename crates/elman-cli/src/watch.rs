//! How training looks: a bar on a terminal, lines elsewhere; what Ctrl-C does; how it ends. All on standard error, but
//! for the last word.

use crate::outcome::Outcome;
use elman::run::Config;
use elman::run::config::{Kind, SYNTH};
use elman::synth::Level;
use elman::train::event::StepDone;
use elman::train::{Ended, Evaluation, Event, Material, Plan, Score};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(10);
/// Between two changes of the bar's words.
const WORDS: Duration = Duration::from_millis(200);

/// Shows training.
pub struct Watch {
    bar: Option<ProgressBar>,
    terminal: bool,
    /// A text is trained on, whose losses have a perplexity.
    text: bool,
    shown: Instant,
    /// Of the cell, as they are printed; shown before the first step.
    warnings: String,
}

impl Watch {
    /// Nothing is shown yet; `warnings` of the cell come first.
    pub fn new(warnings: String) -> Watch {
        let terminal = std::io::stderr().is_terminal();
        Watch { bar: None, terminal, text: true, shown: Instant::now(), warnings }
    }

    /// Shows what happened.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Begin(plan) => self.begin(plan),
            Event::Step(step) => self.step(step),
            Event::Evaluation(evaluation) => self.line(&evaluated(evaluation)),
            Event::Saved { .. } => {}
        }
    }

    /// Takes the bar away.
    pub fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The last word.
    pub fn ended(&self, ended: Ended, out: &Path) -> Outcome {
        let run = out.display();
        match ended {
            Ended::Finished { best, step } if self.text => Outcome::good(format!(
                "best: step {step}, valid loss {best:.4}, perplexity {:.2}\nnext: elman eval {run}   elman generate {run}\n",
                best.exp()
            )),
            Ended::Finished { best, step } => {
                Outcome::good(format!("best: step {step}, valid loss {best:.4}\nnext: elman eval {run}\n"))
            }
            Ended::Stopped { step } => {
                Outcome::interrupted(format!("stopped after step {step}, saved; to go on: elman resume {run}\n"))
            }
        }
    }

    fn begin(&mut self, plan: &Plan) {
        self.text = matches!(plan.material, Material::Text { .. });
        if !self.warnings.is_empty() {
            self.line(&self.warnings);
        }
        self.line(&begin(plan));
        if !self.terminal {
            return;
        }
        let bar = ProgressBar::new(plan.steps).with_position(plan.done);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent}%  {msg}") {
            bar.set_style(style);
        }
        self.bar = Some(bar);
    }

    fn step(&mut self, step: &StepDone) {
        let wait = if self.terminal { WORDS } else { LINE };
        if self.shown.elapsed() < wait {
            return;
        }
        self.shown = Instant::now();
        match &self.bar {
            Some(bar) => {
                bar.set_position(step.step);
                bar.set_message(words(step, self.text));
            }
            None => eprintln!("step {}  {}", step.step, words(step, self.text)),
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}

fn words(s: &StepDone, text: bool) -> String {
    let speed = s.tokens as f64 / s.seconds.max(1e-9);
    let left = s.left as f64 * s.seconds / (s.steps_here as f64).max(1.0);
    let (epoch, epochs, loss) = (s.epoch, s.epochs, s.loss);
    let perplexity = if text { format!(" (perplexity {:.1})", loss.exp()) } else { String::new() };
    format!("epoch {epoch}/{epochs}  loss {loss:.3}{perplexity}  {speed:.0} tokens/s  {} left", clock(left))
}

/// 1:02:03, or 2:03.
fn clock(seconds: f64) -> String {
    let s = seconds as u64;
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

fn begin(p: &Plan) -> String {
    let resumed = if p.done > 0 { format!(", {} of them done", p.done) } else { String::new() };
    let material = match &p.material {
        Material::Text { train_tokens, valid_tokens, valid_unknown } => {
            format!("{train_tokens} tokens to train on, {valid_tokens} to validate ({valid_unknown} unknown)")
        }
        Material::Made { task, batch, valid_examples, trivial } => {
            let trivial = match trivial {
                Level::Accuracy(share) => format!("accuracy {share:.3}"),
                Level::SquaredError(error) => format!("squared error {error:.3}"),
            };
            let known = format!("a model that ignores all but the present input reaches {trivial}");
            format!("{task}: {known}\n{batch} new examples a step, {valid_examples} to validate")
        }
    };
    format!(
        "{} x {} {}, vocabulary {}: {} parameters, about {:.0} MB of memory\n{material}; {} steps{resumed}",
        p.layers,
        p.hidden,
        p.cell,
        p.vocabulary,
        p.parameters,
        (p.bytes as f64 / 1e6).max(1.0),
        p.steps
    )
}

fn evaluated(e: &Evaluation) -> String {
    let quality = match &e.score {
        Score::Text(text) => {
            format!("perplexity {:.2}  bits/char {:.3}", text.perplexity(), text.bits_per_character())
        }
        Score::Symbols(right) => {
            format!("accuracy {:.4}  whole examples {:.4}", right.accuracy(), right.whole_accuracy())
        }
        Score::Numbers(right) => format!("squared error {:.5}", right.mean_loss()),
    };
    format!(
        "epoch {}  step {}  train loss {:.4}  valid loss {:.4}  {quality}  rate {}  {:.0} tokens/s{}",
        e.epoch,
        e.step,
        e.train_loss,
        e.valid_loss,
        rate(e.rate),
        e.tokens_per_second,
        if e.improved { "  best" } else { "" }
    )
}

/// Four significant digits without zeros at their end: 0.002, 1.5, 2.88e-5.
fn rate(rate: f64) -> String {
    let rounded = format!("{rate:.3e}").parse().unwrap_or(rate);
    if rounded == 0.0 || (1e-3..1e4).contains(&rounded) { rounded.to_string() } else { format!("{rounded:e}") }
}

/// A flag that Ctrl-C raises. A second Ctrl-C ends the program at once, with a word on the run that was being trained.
pub fn stop_on_interrupt(run: Option<&Path>) -> Result<&'static AtomicBool, elman::Error> {
    static STOP: AtomicBool = AtomicBool::new(false);
    let run = run.map(Path::to_path_buf);
    let handler = move || {
        if STOP.swap(true, Ordering::Relaxed) {
            if let Some(run) = &run {
                eprintln!("{}", at_once(run));
            }
            std::process::exit(crate::outcome::INTERRUPTED.into());
        }
    };
    ctrlc::set_handler(handler).map_err(|e| elman::Error::Refused(format!("Ctrl-C cannot be caught: {e}")))?;
    Ok(&STOP)
}

fn at_once(run: &Path) -> String {
    let (name, what) = (run.display(), "stopped at once, nothing more was saved");
    if run.exists() { format!("{what}; to go on from the last checkpoint: elman resume {name}") } else { what.into() }
}

/// `runs/TEXT-CELL`, or `runs/TASK-CELL` for made data; a transformer has its name in the cell's place.
pub fn default_folder(config: &Config) -> PathBuf {
    let stem = |name: &str| {
        let name = Path::new(name).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        name.split('.').next().unwrap_or_default().to_string()
    };
    let data = match config.data.train.strip_prefix(SYNTH) {
        Some(made) => made.split('?').next().unwrap_or_default().to_string(),
        None => stem(&config.data.train),
    };
    let layers = match config.model.kind {
        Kind::Recurrent => stem(&config.model.cell),
        Kind::Transformer => "transformer".into(),
    };
    Path::new("runs").join(format!("{data}-{layers}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_four_digits_at_most_whatever_its_size() {
        for (number, text) in [
            (0.0, "0"),
            (0.002, "0.002"),
            (1.5, "1.5"),
            (20.0, "20"),
            (0.123456, "0.1235"),
            (0.00099996, "0.001"),
            (2.88e-5, "2.88e-5"),
            (1.0 / 3e6, "3.333e-7"),
            (9999.96, "1e4"),
        ] {
            assert_eq!(rate(number), text);
        }
    }
}
