//! The `elman` program: arguments in, exit code out.
//!
//! 0 is success, 1 an error (one line on standard error, or diagnostics of a cell), 2 wrong usage.

mod cell;
mod outcome;
mod values;

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
    /// Look at, check, run and time recurrent cells
    Cell(cell::Arguments),
}

fn main() -> ExitCode {
    outcome::finish(match Arguments::parse().command {
        Some(Command::Cell(arguments)) => arguments.run(),
        None => Ok(Outcome::good(Arguments::command().render_help().to_string())),
    })
}
