//! `elman cell check`

use crate::outcome::Outcome;
use crate::values::size;
use clap::Args;
use elman::cell_check::{self, Given, Report};
use std::fmt::Write;

/// Arguments of `elman cell check`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman cell check lstm --input 3 --hidden 5 --json")]
pub struct Arguments {
    /// A built-in cell or a .cell file
    cell: String,
    /// Units of the input
    #[arg(long, value_name = "I", value_parser = size, help_heading = "Sizes")]
    input: Option<usize>,
    /// Units of a state
    #[arg(long, value_name = "H", value_parser = size, help_heading = "Sizes")]
    hidden: Option<usize>,
    /// Units that nothing else fixes [default: as hidden]
    #[arg(long, value_name = "O", value_parser = size, help_heading = "Sizes")]
    output: Option<usize>,
    /// Print JSON, also when the cell is wrong
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Reports on the cell; not good where it has errors.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let given = Given { input: self.input, hidden: self.hidden, output: self.output };
        let checked = cell_check::check(&self.cell, given);
        let outcome = match self.json {
            true => Outcome::json(&checked.report)?,
            false => Outcome::good(table(&checked.report)).with_remarks(checked.rendered),
        };
        Ok(outcome.with_good(checked.good))
    }
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    let Some(output) = &report.output else { return text };
    for memory in &report.memories {
        let _ = writeln!(text, "memory     {} [slots, {}]", memory.name, memory.dim);
    }
    for state in &report.states {
        let _ = writeln!(text, "state      {} [{}]", state.name, state.dim);
    }
    for parameter in &report.parameters {
        let shape: Vec<String> = parameter.shape.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "parameter  {} [{}]", parameter.name, shape.join(", "));
    }
    let _ = writeln!(text, "output     {} [{}]", output.name, output.dim);
    if report.scan {
        let _ = writeln!(text, "scan       yes: no product is left in the time loop");
    }
    text
}
