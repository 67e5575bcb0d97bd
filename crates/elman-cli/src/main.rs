//! The `elman` program: arguments in, exit code out.
//!
//! 0 is success, 1 an error (one line on standard error, or diagnostics of a cell), 2 wrong usage, 130 Ctrl-C.

mod cell;
mod eval;
mod generate;
mod outcome;
mod predict;
mod resume;
mod tour;
mod train;
mod values;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Recurrent networks from equations: write a cell as a paper prints it; Elman checks, differentiates and runs it.
///
/// Without a command, a tour of half a minute trains four cells and shows them side by side.
#[derive(Parser)]
#[command(name = "elman", version, after_help = "Example:\n  elman cell list\n  elman cell show mut1 --format latex")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Train four cells on one task and see them side by side; what `elman` alone does
    Tour(tour::Arguments),
    /// Train a model on a text or on made data
    Train(Box<train::Arguments>),
    /// Go on with a run that was stopped
    Resume(resume::Arguments),
    /// Measure a trained model
    Eval(eval::Arguments),
    /// Score lines as they come
    Predict(predict::Arguments),
    /// Write text with a trained model
    Generate(generate::Arguments),
    /// Look at, check, run and time recurrent cells
    Cell(cell::Arguments),
}

fn main() -> ExitCode {
    outcome::finish(match Arguments::parse().command {
        Some(Command::Train(arguments)) => arguments.run(),
        Some(Command::Resume(arguments)) => arguments.run(),
        Some(Command::Eval(arguments)) => arguments.run(),
        Some(Command::Predict(arguments)) => arguments.run(),
        Some(Command::Generate(arguments)) => arguments.run(),
        Some(Command::Cell(arguments)) => arguments.run(),
        Some(Command::Tour(arguments)) => arguments.run(),
        None => tour::Arguments::default().run(),
    })
}
