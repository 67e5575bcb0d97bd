//! `elman eval`

use crate::outcome::Outcome;
use crate::values::{Machine, WeightType, size};
use crate::watch;
use clap::{Args, ValueEnum};
use elman::evaluate::{Chosen, Evaluated, Figures, Found, MadeFigures, evaluate};
use elman::model::Trained;
use std::path::PathBuf;

/// Arguments of `elman eval`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman eval runs/readme --data README.md --json")]
pub struct Arguments {
    /// The run's folder
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// A text, `-` for standard input, or `synth:…` for a run on made data [default: the run's own test part]
    #[arg(long, value_name = "FILE", conflicts_with = "part")]
    data: Option<String>,
    /// A part of the run's own data
    #[arg(long, value_name = "PART", default_value = "test")]
    part: PartName,
    /// Columns that are scored side by side; with 1 no state is cut
    #[arg(long, value_name = "N", value_parser = size, default_value = "1")]
    batch: usize,
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
        let chosen = match (self.data, self.part) {
            (Some(file), _) => Chosen::File(file),
            (None, PartName::Valid) => Chosen::Valid,
            (None, PartName::Test) => Chosen::Test,
        };
        let mut trained = Trained::load_in(&self.run, machine, self.weights.precision())?;
        let figures = evaluate(&mut trained, &chosen, self.batch, watch::stop_on_interrupt(None)?)?;
        if self.json { Outcome::json(&figures) } else { Ok(Outcome::good(table(&figures))) }
    }
}

impl Arguments {
    /// Measures a run of a task with examples.
    fn task(self, machine: elman::train::Machine) -> Result<Outcome, elman::Error> {
        let part = match self.part {
            PartName::Valid => elman::task::Part::Valid,
            PartName::Test => elman::task::Part::Test,
        };
        let stop = watch::stop_on_interrupt(None)?;
        let figures = elman::task::evaluate(&self.run, self.data.as_deref(), part, machine, stop)?;
        if self.json {
            return Outcome::json(&figures);
        }
        let lines = figures.values.iter().map(|(name, value)| format!("{name:<20}{value:.4}\n"));
        Ok(Outcome::good(lines.collect::<String>() + &figures.text))
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
