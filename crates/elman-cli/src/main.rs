//! The `elman` program: arguments in, exit code out.
//!
//! 0 is success, 1 an error (one line on standard error, or diagnostics of a cell), 2 wrong usage, 130 Ctrl-C.

mod cell;
mod eval;
mod generate;
mod outcome;
mod predict;
mod resume;
mod train;
mod values;
mod watch;

use clap::{CommandFactory, Parser, Subcommand};
use outcome::Outcome;
use std::process::ExitCode;

/// Recurrent networks from equations: write a cell as a paper prints it; Elman checks, differentiates and runs it.
#[derive(Parser)]
#[command(name = "elman", version, after_help = "Example:\n  elman cell list\n  elman cell show mut1 --format latex")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Train a model on a text
    Train(Box<train::Arguments>),
    /// Go on with a run that was stopped
    Resume(resume::Arguments),
    /// Measure a trained model on a text
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
        None => Ok(Outcome::good(Arguments::command().render_help().to_string())),
    })
}
