//! The `elman` program: arguments in, exit code out.
//!
//! 0 is success, 1 an error (one line on standard error, or diagnostics of a cell), 2 a command line that cannot be read,
//! 130 Ctrl-C.

mod cell;
mod chat;
mod data;
mod eval;
mod generate;
mod make;
mod outcome;
mod predict;
mod resume;
mod tour;
mod train;
mod values;
mod watch;
mod watch_task;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use elman::task::settings::TaskName;
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
    /// Answer new lines, pictures or series as they come
    Predict(predict::Arguments),
    /// Write text with a trained model
    Generate(generate::Arguments),
    /// Talk with a language model of conversations
    Chat(chat::Arguments),
    /// Make examples to try a task with
    Make(make::Arguments),
    /// See what is in a file of data, and what is wrong with it
    Data(data::Arguments),
    /// Look at, check, run and time recurrent cells
    Cell(cell::Arguments),
}

fn main() -> ExitCode {
    if let Some((file, encoding)) = data::named_alone() {
        return outcome::finish(data::proposal(&file, encoding.as_deref()));
    }
    let words = train::with_task(std::env::args_os().collect());
    let arguments = Arguments::try_parse_from(words).unwrap_or_else(|error| with_data_flag(error).exit());
    outcome::finish(match arguments.command {
        Some(Command::Train(arguments)) => arguments.run(),
        Some(Command::Resume(arguments)) => arguments.run(),
        Some(Command::Eval(arguments)) => arguments.run(),
        Some(Command::Predict(arguments)) => arguments.run(),
        Some(Command::Generate(arguments)) => arguments.run(),
        Some(Command::Chat(arguments)) => arguments.run(),
        Some(Command::Make(arguments)) => arguments.run(),
        Some(Command::Data(arguments)) => arguments.run(),
        Some(Command::Cell(arguments)) => arguments.run(),
        Some(Command::Tour(arguments)) => arguments.run(),
        None => tour::Arguments::default().run(),
    })
}

/// Where `elman train` is given a file or made data without its flag, a hint at the flag.
fn with_data_flag(mut error: clap::Error) -> clap::Error {
    let named = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand].into_iter().find_map(|kind| error.get(kind));
    let Some(ContextValue::String(place)) = named else { return error };
    let word = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value,
        _ => place,
    };
    let is_data = !place.starts_with('-') && word.contains(['.', '/', ':']);
    if is_data && std::env::args_os().nth(1).is_some_and(|command| command == "train") {
        let task = std::env::args().nth(2).filter(|word| TaskName::ALL.iter().any(|task| task.name() == word));
        let tip = match task {
            None if word.contains(':') => format!("made data is named by --data: elman train lm --data '{word}'"),
            Some(task) => format!("a file is named by --data: elman train {task} --data '{word}'"),
            None => format!(
                "a file is named by --data: elman train lm --data '{word}' for a text; `elman train {word}` alone tells which \
                 task is for it"
            ),
        };
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
