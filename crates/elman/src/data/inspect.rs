//! What a file is and what is wrong with it, before anything is trained: `elman data`.
//!
//! The key of a row is what a model is given: the text of a labelled table, the words of a sentence, the pixels of a
//! picture; of a table without texts the whole row. Rows of equal keys repeat; with unequal labels they contradict each
//! other; in two parts they make the test easier than the task.

mod look;

use super::error::DataError;
use super::sniff::Kind;
use serde::Serialize;
use std::collections::BTreeMap;

/// Places that are shown of those that were found.
const SHOWN: usize = 5;

/// What is to be looked at, and how.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The validation part.
    pub valid: Option<String>,
    /// The test part.
    pub test: Option<String>,
    /// The column of the texts, or several with commas between.
    pub text: Option<String>,
    /// The column of the labels.
    pub label: Option<String>,
    /// The encoding of all parts; UTF-8 if none.
    pub encoding: Option<String>,
}

/// What was understood of a file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inspection {
    /// The name of the file.
    pub file: String,
    /// What it is, in words.
    pub kind: String,
    /// `gzip` or `zstd`.
    pub packing: Option<&'static str>,
    /// The encoding of a text.
    pub encoding: Option<&'static str>,
    /// Rows, lines, sentences, pictures, series or arrays, by what they are called.
    pub count: usize,
    /// What is counted.
    pub counted: &'static str,
    /// Sizes, in words; for pictures, series, arrays and sound.
    pub shape: Option<String>,
    /// The columns of a table.
    pub columns: Vec<Column>,
    /// The column whose texts were measured.
    pub text: Option<String>,
    /// The column whose labels were counted.
    pub label: Option<String>,
    /// Lengths of the texts in words.
    pub words: Option<Spread>,
    /// Lengths of the texts in characters.
    pub characters: Option<Spread>,
    /// The different words.
    pub vocabulary: Option<Vocabulary>,
    /// Labels and tags with their numbers, the most frequent first.
    pub classes: Vec<Class>,
    /// Rows without a text.
    pub empty: Places,
    /// Rows whose key stood before.
    pub repeated: Places,
    /// Rows whose key stood before with another label.
    pub contradicting: Places,
    /// Rows that stand in another part too.
    pub shared: Vec<Shared>,
    /// What was decided unasked: right unless something else was meant.
    pub facts: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// `number`, `category` or `text`.
    pub kind: &'static str,
    /// Different values, where they are few and repeat.
    pub values: Option<usize>,
    /// Empty fields.
    pub missing: usize,
}

/// The spread of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The smallest.
    pub min: usize,
    /// Half are not larger.
    pub median: usize,
    /// 95 of 100 are not larger.
    pub most: usize,
    /// The largest.
    pub max: usize,
}

/// The different words, as white space parts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vocabulary {
    /// How many.
    pub words: usize,
    /// How many of them stand once.
    pub once: usize,
}

/// A label and how often it stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Class {
    /// The label or tag.
    pub label: String,
    /// How often.
    pub count: usize,
}

/// How many rows, and where the first of them are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Places {
    /// How many.
    pub count: usize,
    /// The lines (numbers, where there are no lines) of the first five, each with the line it is compared with (itself if
    /// with none).
    pub first: Vec<(u64, u64)>,
}

impl Places {
    fn add(&mut self, line: u64, with: u64) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push((line, with));
        }
    }
}

/// Rows of one part that stand in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// The part with the rows.
    pub file: String,
    /// The part where they stand too.
    pub with: String,
    /// The rows; the second line of each pair is that in `with`.
    pub rows: Places,
}

/// A row, as it is compared.
struct Seen {
    line: u64,
    key: Vec<u8>,
    label: Option<String>,
}

/// A file that was looked at.
struct Looked {
    kind: Kind,
    report: Inspection,
    rows: Vec<Seen>,
}

/// Looks at `file`, or at several with commas between, and at the parts that belong to it.
///
/// Errors: those of the reader of its form, parts of another form.
pub fn inspect<'a>(file: &'a str, asked: &'a Asked) -> Result<Vec<Inspection>, DataError> {
    let mut parts: Vec<Looked> = Vec::new();
    let each = |names: &'a str| -> Vec<&'a str> {
        let one = !names.contains(',') || std::path::Path::new(names).exists();
        if one { vec![names] } else { names.split(',').collect() }
    };
    let files = [Some(file), asked.valid.as_deref(), asked.test.as_deref()].into_iter().flatten().flat_map(each);
    for name in files {
        let mut looked = look::look(name, asked)?;
        if let Some(first) = parts.first()
            && std::mem::discriminant(&first.kind) != std::mem::discriminant(&looked.kind)
        {
            let (one, other, of) = (looked.kind.name(), first.kind.name(), &first.report.file);
            let what = format!("this is {one}, and {of} is {other}; parts need one form");
            return Err(DataError::file(name, what));
        }
        compare_rows(&mut looked);
        for other in &parts {
            let rows = shared(&looked.rows, &other.rows);
            looked.report.shared.push(Shared { file: name.into(), with: other.report.file.clone(), rows });
        }
        parts.push(looked);
    }
    Ok(parts.into_iter().map(|part| part.report).collect())
}

/// Where each key stands first.
fn places(rows: &[Seen]) -> BTreeMap<&[u8], &Seen> {
    let mut places = BTreeMap::new();
    for row in rows {
        places.entry(row.key.as_slice()).or_insert(row);
    }
    places
}

/// Rows of a part that repeat or contradict each other.
fn compare_rows(looked: &mut Looked) {
    let places = places(&looked.rows);
    for row in &looked.rows {
        let Some(first) = places.get(row.key.as_slice()).filter(|first| first.line != row.line) else { continue };
        looked.report.repeated.add(row.line, first.line);
        if first.label != row.label {
            looked.report.contradicting.add(row.line, first.line);
        }
    }
}

fn shared(rows: &[Seen], others: &[Seen]) -> Places {
    let (others, mut found) = (places(others), Places::default());
    for row in rows {
        if let Some(other) = others.get(row.key.as_slice()) {
            found.add(row.line, other.line);
        }
    }
    found
}

impl Spread {
    /// The spread of `numbers`, if there are any.
    pub fn of(mut numbers: Vec<usize>) -> Option<Spread> {
        numbers.sort_unstable();
        let (min, max) = (*numbers.first()?, *numbers.last()?);
        // The smallest number that a share of them does not exceed.
        let share = |percent: usize| numbers[(numbers.len() * percent).div_ceil(100).max(1) - 1];
        Some(Spread { min, median: share(50), most: share(95), max })
    }
}
