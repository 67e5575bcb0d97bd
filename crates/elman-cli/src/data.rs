//! `elman data`, and what `elman train FILE` answers.

use crate::outcome::Outcome;
use clap::Args;
use elman::data::inspect::{Asked, Inspection, Places, Spread, inspect};
use std::fmt::Write;
use std::path::Path;

/// Classes that are shown.
const CLASSES: usize = 20;

/// Arguments of `elman data`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman data README.md\n\nWhat is read: CSV, TSV, JSON lines, lines of a label and a text, CoNLL-U, idx, CIFAR-10, folders of PNG, .npy, .npz, WAV, .ts and plain texts; plain, gzip or zstd."
)]
pub struct Arguments {
    /// The file, or a folder of pictures; several with commas between
    #[arg(value_name = "FILE")]
    file: String,
    /// The validation part: which of its rows stand in FILE too
    #[arg(long, value_name = "FILE")]
    valid: Option<String>,
    /// The test part: which of its rows stand in the others too
    #[arg(long, value_name = "FILE")]
    test: Option<String>,
    /// The column of the texts, by name or number, or several with commas between [default: the one with the longest texts]
    #[arg(long, value_name = "COLUMN")]
    text: Option<String>,
    /// The column of the labels, by name or number [default: the one whose few values repeat]
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The encoding of the texts [default: utf-8]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Print JSON: a list with an object for each part
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Shows what was understood.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let asked =
            Asked { valid: self.valid, test: self.test, text: self.text, label: self.label, encoding: self.encoding };
        let parts = inspect(&self.file, &asked)?;
        if self.json {
            return Outcome::json(&parts);
        }
        Ok(Outcome::good(parts.iter().map(shown).collect::<Vec<_>>().join("\n")))
    }
}

/// The file of `elman train FILE [--encoding NAME]` and its encoding, if the command line is that and there is such a file, or
/// what can be nothing else than one.
pub fn named_alone() -> Option<(String, Option<String>)> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (file, encoding) = match &words[..] {
        [train, file] if train == "train" => (file, None),
        [train, file, flag, name] if train == "train" && flag == "--encoding" => (file, Some(name.clone())),
        [train, flag, name, file] if train == "train" && flag == "--encoding" => (file, Some(name.clone())),
        _ => return None,
    };
    let named =
        Path::new(file).exists() || (file.contains(['.', '/']) && !file.starts_with('-') && !file.contains(':'));
    named.then(|| (file.clone(), encoding))
}

/// What was seen in a file, and the command that trains on it.
pub fn proposal(file: &str, encoding: Option<&str>) -> Result<Outcome, elman::Error> {
    let found = elman::data::propose::propose(file, encoding)?;
    Ok(Outcome::good(format!("{}\nWhat to type next:\n  {}\n", found.seen, found.command)))
}

/// A part as a few lines.
fn shown(part: &Inspection) -> String {
    let mut text = String::new();
    let packed = part.packing.map_or(String::new(), |form| format!(", {form}"));
    let encoding = part.encoding.map_or(String::new(), |name| format!(", {name}"));
    let shape = part.shape.as_deref().map_or(String::new(), |shape| format!(", {shape}"));
    // Writing to a String does not fail.
    let _ = writeln!(text, "{}: {}{packed}{encoding}, {} {}{shape}", part.file, part.kind, part.count, part.counted);
    let width = part.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0).max(6);
    if !part.columns.is_empty() {
        let _ = writeln!(text, "\n  {:width$}  {:8}  {:>6}  {:>7}", "column", "type", "values", "missing");
    }
    for column in &part.columns {
        let values = column.values.map_or("-".into(), |n| n.to_string());
        let _ = writeln!(text, "  {:width$}  {:8}  {values:>6}  {:>7}", column.name, column.kind, column.missing);
    }
    let lengths = [("words", part.words), ("characters", part.characters)];
    if part.words.is_some() {
        let of = part.text.as_deref().map_or("length".into(), |name| format!("`{name}`"));
        let _ = writeln!(text, "\n  {of:12}  {:>6}  {:>6}  {:>6}  {:>6}", "min", "median", "95%", "max");
    }
    for (what, Spread { min, median, most, max }) in lengths.iter().filter_map(|(what, s)| Some((what, (*s)?))) {
        let _ = writeln!(text, "  {what:12}  {min:>6}  {median:>6}  {most:>6}  {max:>6}");
    }
    if let Some(found) = part.vocabulary {
        let _ = writeln!(text, "  {} different words, {} of them stand once", found.words, found.once);
    }
    classes(&mut text, part);
    if !part.facts.is_empty() {
        let _ = writeln!(text, "\n  {}", part.facts.join("\n  "));
    }
    wrong(&mut text, part);
    text
}

fn classes(text: &mut String, part: &Inspection) {
    let all: usize = part.classes.iter().map(|class| class.count).sum();
    if all > 0 {
        let of = part.label.as_deref().map_or(String::new(), |name| format!(" in `{name}`"));
        let _ = writeln!(text, "\n  {} classes{of}", part.classes.len());
    }
    for class in part.classes.iter().take(CLASSES) {
        let share = 100.0 * class.count as f64 / all as f64;
        let _ = writeln!(text, "  {:>8}  {share:>5.1}%  {}", class.count, class.label);
    }
    if part.classes.len() > CLASSES {
        let _ = writeln!(text, "  and {} more", part.classes.len() - CLASSES);
    }
}

/// What may be wrong, or that nothing was found.
fn wrong(text: &mut String, part: &Inspection) {
    let mut lines: Vec<String> = vec![];
    let mut tell = |found: &Places, what: &str| {
        let pair =
            |(line, with): &(u64, u64)| if line == with { line.to_string() } else { format!("{line} and {with}") };
        let first: Vec<String> = found.first.iter().map(pair).collect();
        let more = if found.count > first.len() { " …" } else { "" };
        if found.count > 0 {
            lines.push(format!("{} {what}: {}{more}", found.count, first.join(", ")));
        }
    };
    tell(&part.empty, "empty");
    tell(&part.repeated, "repeat an earlier one (its line, and that of the first)");
    tell(&part.contradicting, "repeat an earlier one with another label (its line, and that of the first)");
    for shared in &part.shared {
        tell(&shared.rows, &format!("stand in {} too (here and there)", shared.with));
    }
    if !lines.is_empty() {
        let _ = writeln!(text, "\n  to look at (rows by their line)");
    }
    for line in lines {
        let _ = writeln!(text, "  - {line}");
    }
}
