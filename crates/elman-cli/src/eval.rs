//! `elman eval`

use crate::outcome::Outcome;
use crate::values::{Machine, WeightType, range, size};
use crate::watch;
use clap::{Args, ValueEnum};
use elman::engine::Precision;
use elman::evaluate::{Chosen, Evaluated, Figures, Found, MadeFigures, evaluate};
use elman::model::Trained;
use elman::task::TestFile;
use std::path::PathBuf;

/// Arguments of `elman eval`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman eval runs/readme --data README.md --json\n\nThe figures also stand in report.html of the run's folder, with curves, intervals and samples. `--data` takes what the task was trained on, also with longer examples: the figures are shown against length, and what is longer than in training is marked."
)]
pub struct Arguments {
    /// The run's folder
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// A text, `-` for standard input, or `synth:…` for a run on made data [default: the run's own test part]
    #[arg(long, value_name = "FILE", conflicts_with = "part")]
    data: Option<String>,
    /// What stands beside --data, as while training: labels of pictures, targets, documents or captions
    #[arg(
        long,
        value_name = "FILE",
        requires = "data",
        visible_aliases = ["target-data", "documents", "captions"]
    )]
    labels: Option<String>,
    /// Of a labeller of strings: pictures of a string, such as 9-16 [default: as in training]
    #[arg(long, value_name = "MIN-MAX", requires = "data", value_parser = range)]
    string_length: Option<[usize; 2]>,
    /// A part of the run's own data
    #[arg(long, value_name = "PART", default_value = "test")]
    part: PartName,
    /// Of a language model: columns that are scored side by side; with 1 no state is cut [default: 1]
    #[arg(long, value_name = "N", value_parser = size)]
    batch: Option<usize>,
    #[command(flatten)]
    weights: WeightType,
    #[command(flatten)]
    machine: Machine,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PartName {
    /// For choosing settings
    Valid,
    /// For the last word
    Test,
}

impl Arguments {
    /// Scores the text.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        if elman::task::is_one(&self.run) {
            return self.task(machine);
        }
        if self.labels.is_some() || self.string_length.is_some() {
            let message = "--labels and --string-length are of tasks with examples, and this is a language model";
            return Err(elman::Error::Refused(format!("{}: {message}: leave them out", self.run.display())));
        }
        let file = elman::report::page_of(self.data.as_deref());
        let chosen = match (self.data, self.part) {
            (Some(file), _) => Chosen::File(file),
            (None, PartName::Valid) => Chosen::Valid,
            (None, PartName::Test) => Chosen::Test,
        };
        let mut trained = Trained::load_in(&self.run, machine, self.weights.precision())?;
        let figures = evaluate(&mut trained, &chosen, self.batch.unwrap_or(1), watch::stop_on_interrupt(None)?)?;
        // Figures are figures, even of a run that cannot be written to.
        let page = match elman::train::page::show(&self.run, &mut trained, &figures, &file) {
            Ok(()) => format!("on one page: {}\n", self.run.join(&file).display()),
            Err(e) => format!("the page of the run could not be written: {e}\n"),
        };
        let outcome = if self.json { Outcome::json(&figures)? } else { Outcome::good(table(&figures)) };
        Ok(outcome.with_remarks(page))
    }
}

impl Arguments {
    /// Measures a run of a task with examples.
    fn task(self, machine: elman::train::Machine) -> Result<Outcome, elman::Error> {
        let part = match self.part {
            PartName::Valid => elman::task::Part::Valid,
            PartName::Test => elman::task::Part::Test,
        };
        let unheeded = [("batch", self.batch.is_some()), ("dtype", self.weights.precision() != Precision::Full)];
        if let Some((flag, _)) = unheeded.iter().find(|(_, given)| *given) {
            let message =
                format!("--{flag} is of language models, and this is a run of a task with examples: leave it out");
            return Err(elman::Error::Refused(format!("{}: {message}", self.run.display())));
        }
        let stop = watch::stop_on_interrupt(None)?;
        if self.data.is_none() && elman::task::lacks_baseline(&self.run) {
            eprintln!("the baseline to beat is trained first, once for this run");
        }
        let (beside, string_length) = (self.labels, self.string_length);
        let file = self.data.map(|file| TestFile { file, beside, string_length });
        let figures = elman::task::evaluate(&self.run, file.as_ref(), part, machine, stop)?;
        let lines = figures.values.iter().map(|(name, value)| format!("{name:<20}{value:.4}\n"));
        let outcome = match self.json {
            true => Outcome::json(&figures)?,
            false => Outcome::good(lines.collect::<String>() + &figures.text),
        };
        Ok(outcome.with_remarks(figures.shown.page))
    }
}

fn table(evaluated: &Evaluated) -> String {
    match evaluated {
        Evaluated::Text(figures) => table_of_text(figures),
        Evaluated::Made(figures) => table_of_made(figures),
    }
}

fn table_of_made(f: &MadeFigures) -> String {
    let MadeFigures { data, part, examples, scored, found } = f;
    let head = |what: &str| {
        format!("made data           {data}, {part}\nexamples            {examples}\nscored {what:<13}{scored}\n")
    };
    match found {
        Found::Symbols { loss, accuracy, whole_accuracy, trivial_accuracy, .. } => format!(
            "{}nats per symbol     {loss:.4}\naccuracy            {accuracy:.4} (trivial {trivial_accuracy:.4})\n\
             whole examples      {whole_accuracy:.4}\n",
            head("symbols")
        ),
        Found::Numbers { squared_error, trivial_squared_error } => {
            let figures = format!("squared error       {squared_error:.5} (trivial {trivial_squared_error:.5})\n");
            head("numbers") + &figures
        }
    }
}

fn table_of_text(f: &Figures) -> String {
    format!(
        "text                {}\ntokens              {} ({} unknown)\ncharacters          {}\nnats per token      {:.4}\n\
         perplexity          {:.2}\nbits per token      {:.4}\nbits per character  {:.4}\n",
        f.text, f.tokens, f.unknown, f.characters, f.loss, f.perplexity, f.bits_per_token, f.bits_per_character
    )
}
