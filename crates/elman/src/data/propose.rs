//! The command that trains on a file: what `elman train FILE` answers.
//!
//! Tagged sentences are tagged, pictures and series classified, a table with a column of labels classified, a table of two
//! columns of texts translated, any other text is modelled. Parts are found by name: where the file's name says
//! `train`, one that says `valid`, `val` or `dev` and one that says `test` in its place.

use super::error::DataError;
use super::images::Images;
use super::labelled::{Columns, Labelled};
use super::pairs::{self, Pairs};
use super::series::SeriesSet;
use super::sniff::{Kind, sniff_in};
use super::table::{Form, Reading, Table};
use std::collections::HashSet;
use std::path::Path;

/// A command, and why it is the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What was seen in the file, one line.
    pub seen: String,
    /// What to type.
    pub command: String,
}

/// Looks at `file`.
///
/// Errors: those of [`sniff_in`] and of the reader, and a file that no command trains on, with the way out.
pub fn propose(file: &str, encoding: Option<&str>) -> Result<Proposal, DataError> {
    let kind = sniff_in(file, encoding)?;
    let (seen, task, flags) = match kind {
        Kind::Conllu => (String::new(), "tag", vec![]),
        Kind::Text => (String::new(), "lm", vec![]),
        Kind::Vectors => {
            let way = format!("give them beside examples: elman train classify --data EXAMPLES --vectors {file}");
            return Err(no_command(file, kind, &way));
        }
        Kind::Pictures => {
            Images::read(file, None)?;
            (String::new(), "classify", vec![])
        }
        Kind::Ts => {
            if SeriesSet::read(file)?.series.iter().all(|series| series.label.is_none()) {
                return Err(no_command(
                    file,
                    kind,
                    "its series have no labels: elman predict RUN --data FILE gives them some",
                ));
            }
            (String::new(), "classify", vec![])
        }
        Kind::Cifar => (String::new(), "classify", vec![]),
        Kind::Idx { dims: 3 | 4 } => pictures(file)?,
        Kind::Table(form) => table(file, encoding, form)?,
        Kind::Idx { .. } => return Err(no_command(file, kind, "name the file of the pictures")),
        Kind::Npy => {
            return Err(no_command(file, kind, "name its labels: elman train classify --data SERIES --labels LABELS"));
        }
        Kind::Npz => {
            SeriesSet::of_arrays(file, None)?;
            (String::new(), "classify", vec![])
        }
        Kind::Wav => {
            let way = "write a table of two columns, the WAV file and what it says, and name it: \
                       elman train label --ctc --data TABLE";
            return Err(no_command(file, kind, way));
        }
    };
    let mut command = format!("elman train {task} --data {}", quoted(file));
    let parts = [("valid", &["valid", "validation", "val", "dev"][..]), ("test", &["test"])];
    for (flag, names) in parts.iter().filter(|_| !flags.iter().any(|(flag, _)| *flag == "labels")) {
        if let Some(part) = beside(file, "train", names) {
            command += &format!(" --{flag} {}", quoted(&part));
        }
    }
    for (flag, value) in flags.iter().chain(&encoding.map(|name| ("encoding", name.to_string()))) {
        command += &format!(" --{flag} {}", quoted(value));
    }
    Ok(Proposal { seen: format!("{file} is {}{seen}", kind.name()), command })
}

/// What else was seen, the task, and flags with their values.
type Found = (String, &'static str, Vec<(&'static str, String)>);

fn pictures(file: &str) -> Result<Found, DataError> {
    let labels = [("images-idx3", "labels-idx1"), ("images-idx4", "labels-idx1"), ("images", "labels")];
    let labels = labels.iter().find_map(|(from, to)| beside(file, from, &[to]));
    let Some(labels) = labels else {
        let what = "these are pictures (idx), and no file of labels (…labels-idx1…) stands beside; name it: \
                    elman train classify --data PICTURES --labels LABELS";
        return Err(DataError::file(file, what));
    };
    Ok((format!(", with labels in {labels}"), "classify", vec![("labels", labels)]))
}

fn table(file: &str, encoding: Option<&str>, form: Form) -> Result<Found, DataError> {
    let reading = Reading { encoding: encoding.map(String::from), form: Some(form), header: None };
    let table = Table::read(file, &reading)?;
    let number = |field: &str| field.is_empty() || field.parse::<f64>().is_ok();
    let texts: Vec<usize> = (0..table.columns.len()).filter(|c| !table.fields(*c).all(number)).collect();
    let labelled = Labelled::of(&table, &Columns::default());
    let listed = format!(" of {} rows with the columns {}", table.rows.len(), table.listed());
    match labelled {
        Ok(found) if !texts.is_empty() && texts.iter().any(|c| table.columns[*c] == found.text) => {
            let classes = found.classes().len();
            let seen = format!("{listed}; `{}` holds texts, `{}` their {classes} labels", found.text, found.label);
            Ok((seen, "classify", vec![("text", found.text), ("label", found.label)]))
        }
        _ if texts.len() >= 2 => {
            let found = Pairs::of(&table, &pairs::Columns::default())?;
            let mut seen = format!("{listed}; `{}` and `{}` hold texts", found.source, found.target);
            let mut task = "translate";
            if repeats(&found) {
                seen += ", and the words of the second stand in the first";
                task = "translate --copy";
            }
            let (query, document) = (quoted(&found.source), quoted(&found.target));
            seen += &format!(
                "\nIf the second is to be found by the first: elman train rank --data {} --query {query} --document {document}",
                quoted(file)
            );
            Ok((seen, task, vec![("source", found.source), ("target", found.target)]))
        }
        _ => {
            let what = format!(
                "this is a table{listed}, and none of them holds texts with labels or texts in pairs, so no command trains \
                 on it as it is; write series of numbers as a .ts file"
            );
            Err(DataError::file(file, what))
        }
    }
}

/// Whether nine of ten words of the targets stand in their sources.
fn repeats(found: &Pairs) -> bool {
    let (mut words, mut known) = (0, 0);
    for pair in &found.pairs {
        let source: HashSet<&str> = pair.source.split(|c: char| !c.is_alphanumeric()).collect();
        let target = pair.target.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        target.for_each(|word| (words, known) = (words + 1, known + usize::from(source.contains(word))));
    }
    words > 0 && 10 * known >= 9 * words
}

fn no_command(file: &str, kind: Kind, way: &str) -> DataError {
    DataError::file(file, format!("this is {}, and no command trains on it alone; {way}", kind.name()))
}

/// A file in the same folder whose name has one of `others` in the place of `part`.
fn beside(file: &str, part: &str, others: &[&str]) -> Option<String> {
    let path = Path::new(file);
    let name = path.file_name()?.to_str()?;
    let found = others.iter().map(|other| path.with_file_name(name.replacen(part, other, 1)));
    let found = found.into_iter().find(|other| other != path && other.is_file())?;
    Some(found.to_string_lossy().into_owned())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-./+:@%=".contains(c));
    if plain { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
