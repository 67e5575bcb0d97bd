//! `elman cell show`

use crate::outcome::Outcome;
use clap::{Args, ValueEnum};
use elman::cell::{Cell, backward_text, derive, lower};

/// Arguments of `elman cell show`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman cell show gru --format backward")]
pub struct Arguments {
    /// A built-in cell or a .cell file
    cell: String,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The equations as plain text, which parses back
    Text,
    /// The equations as LaTeX, which parses back
    Latex,
    /// The primitives of a step
    Program,
    /// The derived backward step, in the author's names
    Backward,
}

impl Arguments {
    /// Prints the cell in one of its forms.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let cell = elman::cells::find(&self.cell)?;
        let text = match self.format {
            Format::Text => cell.to_text(),
            Format::Latex => cell.to_latex(),
            Format::Program => lower(&cell).to_string(),
            Format::Backward => backward(&cell),
        };
        Ok(Outcome::good(text.trim_end().to_string() + "\n"))
    }
}

fn backward(cell: &Cell) -> String {
    let program = lower(cell);
    backward_text(cell, &program, &derive(&program))
}
