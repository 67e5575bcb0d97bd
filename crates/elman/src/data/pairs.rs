//! Pairs of texts, a source and its target: two columns of a table, or two files aligned line by line.
//!
//! Where nobody names the columns: two columns are source and target as they stand; of more, the two with the longest
//! texts. A pair of which a side is empty is left out, which is told in [`Pairs::remarks`].

use super::error::DataError;
use super::labelled::{left_out_remark, longest};
use super::table::{Reading, Table};
use crate::text::Source;

/// A source and its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The line in the file (in both, if there are two), from 1.
    pub line: u64,
    /// What is given.
    pub source: String,
    /// What is wanted.
    pub target: String,
}

/// Pairs of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// The name of the file, or both names with a space between them.
    pub file: String,
    /// The column of the sources, or their file.
    pub source: String,
    /// The column of the targets, or their file.
    pub target: String,
    /// What was decided unasked, a sentence each.
    pub remarks: Vec<String>,
    /// The pairs of which no side is empty, in their order.
    pub pairs: Vec<Pair>,
}

/// The columns that a user names; nothing said means that they are found.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// The column of the sources, by name or number from 1.
    pub source: Option<String>,
    /// The column of the targets, by name or number from 1.
    pub target: Option<String>,
}

impl Pairs {
    /// Reads a table of any form, or standard input for `-`.
    ///
    /// Errors: those of [`Table::read`] and of [`Pairs::of`].
    pub fn read(file: &str, columns: &Columns, reading: &Reading) -> Result<Pairs, DataError> {
        Pairs::of(&Table::read(file, reading)?, columns)
    }

    /// The pairs of a table.
    ///
    /// Errors: no such column, a table of one column, no pair of which both sides have a text.
    pub fn of(table: &Table, columns: &Columns) -> Result<Pairs, DataError> {
        let asked = |name: &Option<String>| name.as_deref().map(|name| table.column(name)).transpose();
        let (source, target) = (asked(&columns.source)?, asked(&columns.target)?);
        if table.columns.len() < 2 {
            let what = format!("the table has one column, `{}`, and pairs need two", table.columns[0]);
            return Err(DataError::file(&table.file, what));
        }
        let (source, target) = found(table, source, target);
        let name = |column: usize| table.columns[column].clone();
        if source == target {
            return Err(DataError::file(&table.file, format!("column `{}` cannot be both sides", name(source))));
        }
        let mut pairs = Pairs {
            file: table.file.clone(),
            source: name(source),
            target: name(target),
            remarks: Vec::new(),
            pairs: Vec::new(),
        };
        if table.columns.len() > 2 && (columns.source.is_none() || columns.target.is_none()) {
            let (from, to) = (&pairs.source, &pairs.target);
            let what =
                format!("{}: the source is column `{from}`, the target `{to}`; --source and --target take others", {
                    &table.file
                });
            pairs.remarks.push(what);
        }
        pairs.fill(table.rows.iter().map(|row| (row.line, row.fields[source].clone(), row.fields[target].clone())))?;
        Ok(pairs)
    }

    /// Reads two files in which line n of one belongs to line n of the other. One of them may be standard input (`-`).
    ///
    /// Errors: those of [`Source`], files of unequal numbers of lines, no pair of which both sides have a text.
    pub fn read_aligned(source: &str, target: &str, encoding: Option<&str>) -> Result<Pairs, DataError> {
        if source == "-" && target == "-" {
            return Err(DataError::file("-", "only one of two files can come from standard input"));
        }
        let (from, to) = (lines(source, encoding)?, lines(target, encoding)?);
        if from.len() != to.len() {
            let what = format!(
                "{source} has {} lines and {target} has {}; line n of one must be the other's line n, so the files need the \
                 same number",
                from.len(),
                to.len()
            );
            return Err(DataError::file(&format!("{source} {target}"), what));
        }
        let mut pairs = Pairs {
            file: format!("{source} {target}"),
            source: source.into(),
            target: target.into(),
            remarks: Vec::new(),
            pairs: Vec::new(),
        };
        pairs.fill((1..).zip(from).zip(to).map(|((line, from), to)| (line, from, to)))?;
        Ok(pairs)
    }

    /// Takes what has two sides.
    fn fill(&mut self, all: impl Iterator<Item = (u64, String, String)>) -> Result<(), DataError> {
        let mut left_out = Vec::new();
        for (line, source, target) in all {
            if source.is_empty() || target.is_empty() {
                left_out.push(line);
            } else {
                self.pairs.push(Pair { line, source, target });
            }
        }
        if self.pairs.is_empty() {
            let what = format!("no pair has a text on both sides, `{}` and `{}`", self.source, self.target);
            return Err(DataError::file(&self.file, what));
        }
        self.remarks.extend(left_out_remark(&self.file, &left_out, "a side is empty"));
        Ok(())
    }
}

/// Source and target, of which none, one or both were asked for.
fn found(table: &Table, source: Option<usize>, target: Option<usize>) -> (usize, usize) {
    let other = |taken: usize| longest(table, &[taken]).unwrap_or(taken);
    match (source, target) {
        (Some(source), Some(target)) => (source, target),
        (Some(source), None) => (source, other(source)),
        (None, Some(target)) => (other(target), target),
        (None, None) => {
            let first = longest(table, &[]).unwrap_or(0);
            let second = other(first);
            (first.min(second), first.max(second))
        }
    }
}

/// The lines of a file, without white space around them.
pub(crate) fn lines(file: &str, encoding: Option<&str>) -> Result<Vec<String>, DataError> {
    let text = Source::open(file, encoding)?.read_all()?;
    Ok(text.lines().map(|line| line.trim().to_string()).collect())
}
