//! Settings as TOML, with messages for people.

use std::io;
use std::path::Path;

use elman_cell::nearest::nearest;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;
use crate::whole_file::shown;

/// The text of a file of settings.
///
/// # Errors
/// A file that cannot be read, or is no text.
pub fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|e| {
        let why = match e.kind() {
            io::ErrorKind::NotFound => "there is no such file; check the path".into(),
            io::ErrorKind::IsADirectory => "this is a folder; give a TOML file, such as the config.toml in it".into(),
            io::ErrorKind::InvalidData => "this is no text; give a TOML file, such as the config.toml of a run".into(),
            _ => e.to_string(),
        };
        Error::Refused(format!("{}: {why}", shown(path)))
    })
}

/// What a text says; `file` is the name used in messages.
///
/// # Errors
/// What is no TOML, unknown keys with the nearest one, values of other types; each with its line.
pub fn parse<S: DeserializeOwned + Default + Serialize>(text: &str, file: &str) -> Result<S, Error> {
    let message = |e: &toml::de::Error| explain(e.message(), &toml::Table::try_from(S::default()).unwrap_or_default());
    toml::from_str(text).map_err(|e| Error::Refused(format!("{file}{}: {}", line(text, &e), message(&e))))
}

/// Settings as a text.
///
/// # Errors
/// Numbers that TOML cannot hold.
pub fn print<S: Serialize>(settings: &S) -> Result<String, Error> {
    toml::to_string(settings).map_err(|e| Error::Refused(format!("the settings cannot be written: {e}")))
}

/// A file by its whole path, if it is there.
pub fn make_whole(file: &mut String) {
    if let Ok(whole) = std::fs::canonicalize(&*file)
        && let Some(whole) = whole.to_str()
    {
        *file = whole.into();
    }
}

fn line(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map(|s| s.start.min(text.len()));
    at.map_or(String::new(), |at| format!(":{}", text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1))
}

/// The names of types, in words.
fn in_words(message: String) -> String {
    let words = [
        ("usize", "a whole number"),
        ("u64", "a whole number"),
        ("f64", "a number"),
        ("a sequence", "a list in brackets, such as [\"FILE\"]"),
    ];
    words.iter().fold(message, |m, (name, words)| m.replace(&format!("expected {name}"), &format!("expected {words}")))
}

/// "unknown field `a`, expected one of `b`, `c`" gets the table of `all` that has it, or the nearest of them; an unknown variant is
/// a value.
fn explain(message: &str, all: &toml::Table) -> String {
    let message = message.trim().replace('\n', " ");
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let what = match () {
        () if message.starts_with("unknown field") => "key",
        () if message.starts_with("unknown variant") => "value",
        () => return in_words(message),
    };
    let Some((found, known)) = names.split_first() else { return message };
    let elsewhere = all.iter().find(|(_, table)| table.as_table().is_some_and(|table| table.contains_key(*found)));
    if let Some((table, _)) = elsewhere.filter(|_| what == "key") {
        return format!("there is no key `{found}` here: it is one of [{table}]");
    }
    match nearest(found, known.iter().copied()) {
        Some(near) => format!("there is no {what} `{found}`, did you mean `{near}`?"),
        None => format!("there is no {what} `{found}`; there are {}", known.join(", ")),
    }
}
