//! Texts with a label each, out of any table.
//!
//! The columns are named by the user, or found: the text is the column with the longest texts (of several words, where there
//! is one), the label one whose few distinct values repeat: a column called `label`, `class` and the like before
//! others, then the one with the fewest values. What was taken is told in [`Labelled::choices`].

use super::error::DataError;
use super::table::{Reading, Row, Table};
use std::collections::BTreeMap;

/// Names that a column of labels often has, in small letters; earlier ones are taken first.
const LABELS: [&str; 14] = [
    "label",
    "labels",
    "class",
    "category",
    "sentiment",
    "target",
    "stars",
    "rating",
    "tag",
    "type",
    "topic",
    "score",
    "y",
    "gold",
];
/// A column with more distinct values than this share of its rows (one in so many) is not taken for labels.
const REPEATS: usize = 4;
/// The most classes that are taken for labels unasked.
const CLASSES: usize = 1000;

/// A text and its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The line in the file, from 1.
    pub line: u64,
    /// The text.
    pub text: String,
    /// The label.
    pub label: String,
    /// What stands in the column beside, if one was named and the field is not empty.
    pub also: Option<String>,
}

/// Texts with a label each.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The name of the file.
    pub file: String,
    /// The column of the texts.
    pub text: String,
    /// The column of the labels.
    pub label: String,
    /// Columns that were found and not asked for, a sentence each.
    pub choices: Vec<String>,
    /// Rows that were left out, in a sentence.
    pub left_out: Option<String>,
    /// The rows whose text is not empty, in their order.
    pub examples: Vec<Example>,
}

/// The columns that a user names; nothing said means that they are found.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// The column of the texts, by name or number from 1; more than one with commas between, which are joined by ` | `.
    pub text: Option<String>,
    /// The column of the labels, by name or number from 1.
    pub label: Option<String>,
    /// A column of other labels beside them, by name or number from 1.
    pub also: Option<String>,
}

impl Labelled {
    /// Reads `file`, a table of any form, or standard input for `-`.
    ///
    /// Errors: those of [`Table::read`] and of [`Labelled::of`].
    pub fn read(file: &str, columns: &Columns, reading: &Reading) -> Result<Labelled, DataError> {
        Labelled::of(&Table::read(file, reading)?, columns)
    }

    /// The examples of a table. Rows with an empty text are left out, which is told.
    ///
    /// Errors: no such column, no column that could hold labels, a row without a label, no row with a text.
    pub fn of(table: &Table, columns: &Columns) -> Result<Labelled, DataError> {
        let mut choices = Vec::new();
        let label = columns.label.as_deref().map(|name| table.column(name)).transpose()?;
        let texts = match &columns.text {
            Some(names) => asked_texts(table, names)?,
            None => vec![found_text(table, label).ok_or_else(|| one_column(table))?],
        };
        let label = match label {
            Some(label) => label,
            None => found_label(table, texts[0], &mut choices)?,
        };
        let also = columns.also.as_deref().map(|name| table.column(name)).transpose()?;
        let name = |column: usize| table.columns[column].clone();
        if texts.contains(&label) {
            return Err(DataError::file(&table.file, format!("column `{}` cannot be text and label", name(label))));
        }
        if columns.text.is_none() && table.columns.len() > 2 {
            let found = name(texts[0]);
            choices.push(format!("{}: the text is column `{found}`; --text takes another", table.file));
        }
        let (examples, left_out) = examples(table, &texts, (label, also))?;
        let quoted = |name: String| if name.contains(',') { format!("\"{name}\"") } else { name };
        let text = texts.into_iter().map(|column| quoted(name(column))).collect::<Vec<_>>().join(",");
        Ok(Labelled { file: table.file.clone(), text, label: name(label), choices, left_out, examples })
    }

    /// All that was decided unasked.
    pub fn remarks(&self) -> Vec<String> {
        self.choices.iter().chain(&self.left_out).cloned().collect()
    }

    /// How often each label stands there, in the order of the labels (numbers by value).
    pub fn classes(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.examples.iter().for_each(|example| *counts.entry(&example.label).or_default() += 1);
        let mut classes: Vec<(String, usize)> = counts.into_iter().map(|(l, n)| (l.to_string(), n)).collect();
        if classes.iter().all(|(label, _)| label.parse::<f64>().is_ok_and(f64::is_finite)) {
            classes.sort_by(|a, b| a.0.parse::<f64>().unwrap_or(0.0).total_cmp(&b.0.parse().unwrap_or(0.0)));
        }
        classes
    }
}

/// The texts of a table, each with its line: of columns by name or number from 1 (several with commas between), or of the one
/// that is found.
///
/// Errors: no such column.
pub fn texts(table: &Table, columns: Option<&str>) -> Result<Vec<(u64, String)>, DataError> {
    let columns = match columns {
        Some(names) => asked_texts(table, names)?,
        None => vec![found_text(table, None).ok_or_else(|| one_column(table))?],
    };
    Ok(table.rows.iter().map(|row| (row.line, joined(row, &columns))).collect())
}

/// Several columns are one text.
fn joined(row: &Row, columns: &[usize]) -> String {
    columns.iter().map(|column| row.fields[*column].as_str()).collect::<Vec<_>>().join(" | ")
}

/// Names with commas between; one that has a comma stands in quotation marks.
pub fn column_names(names: &str) -> Vec<String> {
    let (mut all, mut name, mut quoted) = (vec![], String::new(), false);
    for c in names.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    all.push(name);
    all.iter().map(|name| name.trim().to_string()).collect()
}

/// The columns of the texts by name: one, or several with commas between.
fn asked_texts(table: &Table, names: &str) -> Result<Vec<usize>, DataError> {
    match table.column(names) {
        Err(_) if names.contains([',', '"']) => column_names(names).iter().map(|name| table.column(name)).collect(),
        one => Ok(vec![one?]),
    }
}

/// The column of the texts, where it is not named: not one that is named as labels are and holds some.
fn found_text(table: &Table, label: Option<usize>) -> Option<usize> {
    let like_labels = |column: &usize| {
        LABELS.contains(&table.columns[*column].to_lowercase().as_str()) && few_values(table, *column).is_some()
    };
    let taken = match label {
        Some(label) => vec![label],
        None => (0..table.columns.len()).filter(like_labels).collect(),
    };
    longest(table, &taken).or_else(|| longest(table, &[]))
}

/// The column with the longest texts, those of several words before others; `taken` ones are not asked.
pub(super) fn longest(table: &Table, taken: &[usize]) -> Option<usize> {
    let columns = (0..table.columns.len()).filter(|column| !taken.contains(column));
    // Of equal ones the first.
    columns.rev().max_by_key(|column| length(table, *column))
}

/// Whether the texts of a column have several words (on average more than 1.5), and the sum of their characters.
fn length(table: &Table, column: usize) -> (bool, usize) {
    let words: usize = table.fields(column).map(|field| field.split_whitespace().count()).sum();
    let characters = table.fields(column).map(|field| field.chars().count()).sum();
    (2 * words > 3 * table.rows.len(), characters)
}

/// The distinct values of a column, if there are few and they repeat.
pub(super) fn few_values(table: &Table, column: usize) -> Option<usize> {
    let mut values = std::collections::BTreeSet::new();
    for field in table.fields(column).filter(|field| !field.is_empty()) {
        values.insert(field);
        if values.len() > CLASSES {
            return None;
        }
    }
    let repeats =
        values.len() * REPEATS <= table.rows.len() || values.len() * 2 <= table.rows.len() && values.len() <= 3;
    (values.len() >= 2 && repeats).then_some(values.len())
}

fn found_label(table: &Table, text: usize, choices: &mut Vec<String>) -> Result<usize, DataError> {
    let known = |column: usize| {
        let name = table.columns[column].to_lowercase();
        LABELS.iter().position(|label| *label == name).unwrap_or(LABELS.len())
    };
    let others = (0..table.columns.len()).filter(|column| *column != text);
    let mut found: Vec<(usize, usize, usize)> =
        others.filter_map(|column| Some((known(column), few_values(table, column)?, column))).collect();
    found.sort_unstable();
    let Some((_, values, label)) = found.first().copied() else { return Err(no_label(table, text)) };
    let name = &table.columns[label];
    if table.columns.len() > 2 || !table.named {
        let mut remark = format!("{}: the label is column `{name}` with {values} values", table.file);
        if let Some((_, values, other)) = found.get(1) {
            remark += &format!("; --label {} would take `{0}` with {values}", table.columns[*other]);
        }
        choices.push(remark);
    }
    Ok(label)
}

fn one_column(table: &Table) -> DataError {
    let what = format!("the table has one column, `{}`, and a text and its label need two", table.columns[0]);
    DataError::file(&table.file, what)
}

fn no_label(table: &Table, text: usize) -> DataError {
    if table.columns.len() < 2 {
        return one_column(table);
    }
    let what = format!(
        "no column beside the text `{}` has a few values that repeat; name the labels with --label; the columns are {}",
        table.columns[text],
        table.listed()
    );
    DataError::file(&table.file, what)
}

/// The examples, and a sentence on the rows that are none.
fn examples(
    table: &Table,
    texts: &[usize],
    (label, also): (usize, Option<usize>),
) -> Result<(Vec<Example>, Option<String>), DataError> {
    let (mut examples, mut left_out) = (Vec::with_capacity(table.rows.len()), Vec::new());
    for row in &table.rows {
        let class = &row.fields[label];
        if texts.iter().all(|text| row.fields[*text].is_empty()) {
            left_out.push(row.line);
        } else if class.is_empty() {
            let what = "the label is missing; give it one, or remove the row";
            return Err(DataError::field(&table.file, row.line, &table.columns[label], what));
        } else {
            let text = joined(row, texts);
            let also = also.map(|column| row.fields[column].clone()).filter(|label| !label.is_empty());
            examples.push(Example { line: row.line, text, label: class.clone(), also });
        }
    }
    if examples.is_empty() {
        let what = format!("all texts in column `{}` are empty; name another with --text", table.columns[texts[0]]);
        return Err(DataError::file(&table.file, what));
    }
    let left_out = left_out_remark(&table.file, &left_out, "their text is empty");
    Ok((examples, left_out))
}

/// What to say about rows that were left out.
pub(super) fn left_out_remark(file: &str, lines: &[u64], why: &str) -> Option<String> {
    const SHOWN: usize = 5;
    let first: Vec<String> = lines.iter().take(SHOWN).map(u64::to_string).collect();
    let more = if lines.len() > SHOWN { " …" } else { "" };
    let (rows, places) = if lines.len() == 1 { ("row is", "line") } else { ("rows are", "lines") };
    let what = format!("{file}: {} {rows} left out, {why} ({places} {}{more})", lines.len(), first.join(", "));
    (!lines.is_empty()).then_some(what)
}
