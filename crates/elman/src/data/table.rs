//! A table of texts: rows of as many fields as there are columns, whatever form it had in the file.
//!
//! | form | a line |
//! |---|---|
//! | CSV, TSV | fields parted by `,` `;` `|` or a tab; the first line may name the columns |
//! | JSON lines | an object; its keys are the columns |
//! | label lines | a label, a space, a text: columns `label`, `text` |
//! | coarse and fine | `COARSE:fine text`: columns `label` (COARSE), `fine` (`COARSE:fine`), `text` |
//!
//! The form is found in the text, not in the file's name, unless [`Reading`] says it. White space around a field is not part
//! of it. Does not hold numbers: what a field means is asked by whoever uses the column.

mod delimited;
mod form;
mod json_lines;
mod label_lines;

use super::error::DataError;
use crate::text::Source;
use elman_cell::nearest::nearest;
pub use form::Form;
pub(super) use form::ending;

/// A table of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The name of the file.
    pub file: String,
    /// How it was written.
    pub form: Form,
    /// The file names its columns; else they are called `1`, `2` …
    pub named: bool,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a field for each column.
    pub rows: Vec<Row>,
}

/// A row of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line in the file where it begins, from 1.
    pub line: u64,
    /// A field for each column, without white space around it.
    pub fields: Vec<String>,
}

/// How a table is to be read; nothing said means that it is found out.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The encoding, such as `windows-1251`; UTF-8 if none.
    pub encoding: Option<String>,
    /// Whether the first line names the columns.
    pub header: Option<bool>,
    /// How the table is written.
    pub form: Option<Form>,
}

impl Table {
    /// Reads `file`, or standard input for `-`.
    ///
    /// Errors: those of [`Source`], a text in which no table is found, rows of unequal length, an unclosed quote, JSON that
    /// is none, a table without rows.
    pub fn read(file: &str, reading: &Reading) -> Result<Table, DataError> {
        let source = Source::open(file, reading.encoding.as_deref())?;
        let name = source.file().to_string();
        Table::of(&name, &source.read_all()?, reading)
    }

    /// The same with a text that was read; `file` is the name used in messages, and its end (`.csv`) is looked at where the
    /// text leaves room for doubt.
    pub fn of(file: &str, text: &str, reading: &Reading) -> Result<Table, DataError> {
        let Some(form) = reading.form.or_else(|| Form::of(file, text)) else {
            return Err(DataError::file(
                file,
                "no table is seen in it: its lines have no common number of tabs, commas or semicolons, are no JSON \
                 objects, and do not begin with a label; give a CSV, TSV or JSON lines file, or lines of a label, a space \
                 and a text",
            ));
        };
        let table = match form {
            Form::Delimited { delimiter, quotes } => delimited::read(file, text, delimiter, quotes, reading.header)?,
            Form::JsonLines => json_lines::read(file, text)?,
            Form::LabelLines => label_lines::read(file, text)?,
        };
        if table.rows.is_empty() {
            return Err(DataError::file(file, "the table has a header and no rows; give one with at least one row"));
        }
        Ok(table)
    }

    /// The place of a column, from 0: by its name, by its number from 1, or by its name in other letters.
    ///
    /// Errors: no such column, with the nearest name and all there are.
    pub fn column(&self, asked: &str) -> Result<usize, DataError> {
        let by = |same: &dyn Fn(&String) -> bool| self.columns.iter().position(same);
        let number = || asked.parse::<usize>().ok().filter(|n| (1..=self.columns.len()).contains(n)).map(|n| n - 1);
        let other_letters = || by(&|name| name.to_lowercase() == asked.to_lowercase());
        by(&|name| name == asked).or_else(number).or_else(other_letters).ok_or_else(|| self.no_column(asked))
    }

    /// The fields of a column.
    pub fn fields(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        self.rows.iter().filter_map(move |row| row.fields.get(column)).map(String::as_str)
    }

    fn no_column(&self, asked: &str) -> DataError {
        let small: Vec<String> = self.columns.iter().map(|name| name.to_lowercase()).collect();
        let meant = nearest(&asked.to_lowercase(), small.iter().map(String::as_str));
        let meant = meant.and_then(|name| small.iter().position(|other| other == name));
        let meant = meant.map_or(String::new(), |at| format!(", did you mean `{}`?", self.columns[at]));
        let what = match self.named {
            true => format!("there is no column `{asked}`{meant}; the columns are {}", self.listed()),
            false => {
                format!("there is no column `{asked}`: the table does not name its {} columns; give a number from 1", {
                    self.columns.len()
                })
            }
        };
        DataError::file(&self.file, what)
    }

    /// The names of the columns, in one line.
    pub(super) fn listed(&self) -> String {
        const MOST: usize = 12;
        let mut names: Vec<String> = self.columns.iter().take(MOST).map(|name| format!("`{name}`")).collect();
        if self.columns.len() > MOST {
            names.push(format!("{} more", self.columns.len() - MOST));
        }
        names.join(", ")
    }
}

/// The names of columns that have none: `1`, `2` …
fn numbers(count: usize) -> Vec<String> {
    (1..=count).map(|n| n.to_string()).collect()
}
