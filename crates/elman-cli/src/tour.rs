//! `elman` without a command, or `elman tour`. Progress goes to standard error, what came out to standard output.

use crate::outcome::Outcome;
use crate::values::{Machine, size};
use crate::watch;
use clap::Args;
use elman::tour::{ABOUT, Learned, News, Report, Tour};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::Path;

/// Lines for each cell, where there is no terminal.
const LINES: u64 = 4;
/// Steps between two changes of a bar.
const CHANGE: u64 = 20;

/// Arguments of `elman tour`.
#[derive(Args, Default)]
#[command(after_help = "Example:\n  elman tour --steps 100")]
pub struct Arguments {
    /// Steps of training, for each cell [default: enough for the cells with gates]
    #[arg(long, value_name = "N", value_parser = size)]
    steps: Option<usize>,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    /// Trains the cells, and tells what came out.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let usual = Tour::default();
        let tour = Tour { steps: self.steps.map_or(usual.steps, |n| n as u64), ..usual };
        give(&tour, &self.machine)
    }
}

fn give(tour: &Tour, machine: &Machine) -> Result<Outcome, elman::Error> {
    let (isa, threads) = (machine.isa()?, machine.threads());
    let stop = watch::stop_on_interrupt(None)?;
    eprintln!(
        "A tour: recurrent networks learn a task from examples that Elman makes up. It takes about half a minute.\n"
    );
    eprintln!("{ABOUT}\n");
    let bars = Bars::new(tour);
    let report = elman::tour::run(tour, isa, threads, &|news| bars.show(tour, news), stop)?;
    bars.clear();
    match report {
        Some(report) => Ok(Outcome::good(tell(tour, &report, &program()))),
        None => Ok(Outcome::interrupted("")),
    }
}

/// A bar for each cell on a terminal, lines elsewhere.
struct Bars {
    all: MultiProgress,
    bars: Option<Vec<ProgressBar>>,
}

impl Bars {
    fn new(tour: &Tour) -> Bars {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("  {prefix:5} {bar:40} {percent:>3}%  {msg}").ok();
        let bar = |cell: &String| {
            let bar = all.add(ProgressBar::new(tour.steps).with_prefix(cell.clone()));
            bar.set_style(style.clone().unwrap_or_else(ProgressStyle::default_bar));
            bar.tick();
            bar
        };
        let bars = std::io::stderr().is_terminal().then(|| tour.cells.iter().map(bar).collect());
        Bars { all, bars }
    }

    fn show(&self, tour: &Tour, news: News) {
        let News { cell, step, loss } = news;
        match &self.bars {
            Some(bars) if step % CHANGE == 0 || step == tour.steps => {
                bars[cell].set_position(step);
                bars[cell].set_message(format!("loss {loss:.3}"));
            }
            None if step * LINES / tour.steps > (step - 1) * LINES / tour.steps => {
                eprintln!("  {:5} {:>3}%  loss {loss:.3}", tour.cells[cell], 100 * step / tour.steps);
            }
            _ => {}
        }
    }

    fn clear(&self) {
        // A terminal that has gone away needs no clearing.
        let _ = self.all.clear();
    }
}

fn tell(tour: &Tour, report: &Report, program: &str) -> String {
    [table(tour, report), example(report), next(tour, program)].join("\n")
}

fn table(tour: &Tour, report: &Report) -> String {
    let mut text = format!(
        "After {} steps of {} examples, asked {} new ones:\n\n  cell   right answers   parameters   letters a second, in training\n",
        thousands(tour.steps),
        tour.batch,
        thousands(tour.questions)
    );
    for Learned { cell, accuracy, parameters, speed, .. } in &report.learned {
        let (right, parameters) = (format!("{:.1}%", 100.0 * accuracy), thousands(*parameters as u64));
        text += &format!("  {cell:5}  {right:>13}   {parameters:>10}   {:>10}\n", thousands(*speed as u64));
    }
    text + &format!(
        "\n  Whoever forgets all but the last letter is right in {:.1}%, whoever guesses blindly among all symbols in {:.1}%.\n  \
         tanh rewrites its whole state at every step, and what it read fades; the gates of the others let it stay.\n",
        100.0 * report.trivial,
        100.0 * report.chance
    )
}

fn example(report: &Report) -> String {
    let shown = &report.shown;
    let said = |l: &Learned| {
        let answer = &l.answers[shown.index];
        format!("{} says {answer} ({})", l.cell, if *answer == shown.answer { "right" } else { "wrong" })
    };
    let said: Vec<String> = report.learned.iter().map(said).collect();
    format!("One of the new examples:\n\n  {}\n  {}\n  {}.\n", shown.question, shown.words, said.join(", "))
}

/// Commands that work where the user stands.
fn next(tour: &Tour, program: &str) -> String {
    let text = if Path::new("README.md").is_file() { "README.md" } else { "YOUR.txt" };
    let (task, hidden) = (&tour.task, tour.hidden);
    format!(
        "What to type next:\n\n  \
         {program} cell show mut1          # the equations of a cell are all there is to it; write your own\n  \
         {program} cell grad mut1          # its derived gradient, checked\n  \
         {program} train lm --data {text} --unit char --hidden 64 --epochs 2    # a model of a text\n  \
         {program} train lm --data 'synth:{task}' --cell gru --hidden {hidden} --rate 0.01 --epochs 8    # this task again\n  \
         {program} --help\n"
    )
}

/// How the user calls this program.
fn program() -> String {
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some() {
        return "cargo run --release --".into();
    }
    let called = std::env::args().next().unwrap_or_default();
    if called.contains(std::path::MAIN_SEPARATOR) && !called.contains(' ') { called } else { "elman".into() }
}

/// 12,345
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn digits_are_parted_by_threes() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
