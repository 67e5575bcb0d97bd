//! How a command ends: text on standard output, an error on standard error, an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

/// The exit code after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// What a command prints, and whether all was well.
pub struct Outcome {
    /// For standard output.
    pub text: String,
    /// For standard error.
    pub remarks: String,
    /// Exit code 0, else 1.
    pub good: bool,
    /// Exit code 130.
    pub interrupted: bool,
}

impl Outcome {
    /// All was well.
    pub fn good(text: impl Into<String>) -> Outcome {
        Outcome { text: text.into(), remarks: String::new(), good: true, interrupted: false }
    }

    /// Stopped by Ctrl-C, with all saved.
    pub fn interrupted(remarks: impl Into<String>) -> Outcome {
        Outcome { text: String::new(), remarks: remarks.into(), good: false, interrupted: true }
    }

    /// A value as one line of JSON.
    pub fn json(value: &impl serde::Serialize) -> Result<Outcome, elman::Error> {
        let text = serde_json::to_string(value).map_err(|e| elman::Error::Refused(format!("JSON: {e}")))?;
        Ok(Outcome::good(text + "\n"))
    }

    /// The same, with an exit code.
    pub fn with_good(self, good: bool) -> Outcome {
        Outcome { good, ..self }
    }

    /// The same, with something for standard error.
    pub fn with_remarks(self, remarks: impl Into<String>) -> Outcome {
        Outcome { remarks: remarks.into(), ..self }
    }
}

/// Prints what there is to print. A reader that has gone away is no error.
pub fn finish(result: Result<Outcome, elman::Error>) -> ExitCode {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => Outcome { text: String::new(), remarks: message(&error), good: false, interrupted: false },
    };
    let written = print(io::stdout(), &outcome.text);
    // Nothing can be said where standard error does not listen.
    let _ = print(io::stderr(), &outcome.remarks);
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = print(io::stderr(), &format!("error: standard output: {error}\n"));
            ExitCode::FAILURE
        }
        _ if outcome.interrupted => ExitCode::from(INTERRUPTED),
        _ if outcome.good => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn print(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

/// One line, unless it is the diagnostics of a cell.
fn message(error: &elman::Error) -> String {
    let text = error.to_string();
    let text = text.trim_end();
    if text.starts_with("error[") { format!("{text}\n") } else { format!("error: {text}\n") }
}
