//! `elman cell`: one file a subcommand.

mod bench;
mod check;
mod explain;
mod grad;
mod list;
mod run;
mod show;

use crate::outcome::Outcome;
use clap::{Args, Subcommand};

/// The subcommands of `elman cell`.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The built-in cells: name, what it is, sizes of its parameters
    List(list::Arguments),
    /// A cell as text, as LaTeX, as a program, or its derived backward program
    Show(show::Arguments),
    /// States, parameters and errors of a cell
    Check(check::Arguments),
    /// What the engine makes of a cell: products, memory, threads, lower bound
    Explain(explain::Arguments),
    /// Every derivative of a cell against differences, in f64
    Grad(grad::Arguments),
    /// Run a cell over the tensors of a file
    Run(run::Arguments),
    /// Time a cell
    Bench(bench::Arguments),
}

impl Arguments {
    /// Runs the subcommand.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        match self.command {
            Command::List(arguments) => arguments.run(),
            Command::Show(arguments) => arguments.run(),
            Command::Check(arguments) => arguments.run(),
            Command::Explain(arguments) => arguments.run(),
            Command::Grad(arguments) => arguments.run(),
            Command::Run(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run(),
        }
    }
}
