//! Lines of a label, a space and a text, as `1 a fine film` (Stanford's sentiment files as they are passed on),
//! `HUM:desc Who was Galileo ?` (TREC) or `__label__good nice` (fastText).

use super::{Form, Row, Table};
use crate::data::error::{DataError, shown};
use std::collections::BTreeMap;

/// What fastText puts before a label.
const FASTTEXT: &str = "__label__";

/// Reads a whole table.
pub(super) fn read(file: &str, text: &str) -> Result<Table, DataError> {
    let lines = || (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let fine = lines().all(|(_, line)| coarse(line.split_whitespace().next().unwrap_or_default()).is_some());
    let mut rows = Vec::new();
    for (line, written) in lines() {
        let Some((label, text)) = parted(written) else {
            let what = format!("`{}` is one word; a line is a label, a space and a text", shown(written.trim()));
            return Err(DataError::line(file, line, what));
        };
        let fields = match coarse(label).filter(|_| fine) {
            Some(coarse) => vec![coarse.to_string(), label.to_string(), text.to_string()],
            None => vec![label.strip_prefix(FASTTEXT).unwrap_or(label).to_string(), text.to_string()],
        };
        rows.push(Row { line, fields });
    }
    let columns: &[&str] = if fine { &["label", "fine", "text"] } else { &["label", "text"] };
    let columns = columns.iter().map(ToString::to_string).collect();
    Ok(Table { file: file.into(), form: Form::LabelLines, named: true, columns, rows })
}

/// Whether the lines begin with labels: fastText's, coarse and fine ones, whole numbers, or a few words that repeat.
pub(super) fn seen(text: &str) -> bool {
    const LOOKED_AT: usize = 2000;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()).take(LOOKED_AT) {
        let Some((label, _)) = parted(line) else { return false };
        *counts.entry(label).or_default() += 1;
        lines += 1;
    }
    let labels: Vec<&str> = counts.keys().copied().collect();
    let marked = labels.iter().all(|l| l.starts_with(FASTTEXT)) || labels.iter().all(|l| coarse(l).is_some());
    let numbers = labels.iter().all(|label| label.parse::<i64>().is_ok());
    let word = |label: &&str| label.chars().all(|c| c.is_alphanumeric() || "_-+".contains(c));
    marked
        || labels.len() >= 2 && numbers && lines >= 2 * labels.len()
        || labels.len() >= 2 && labels.iter().all(word) && lines >= 20 * labels.len()
}

/// The first word and the rest.
fn parted(line: &str) -> Option<(&str, &str)> {
    let (label, text) = line.trim().split_once(char::is_whitespace)?;
    Some((label, text.trim()))
}

/// `COARSE` of `COARSE:fine`.
fn coarse(label: &str) -> Option<&str> {
    let (coarse, fine) = label.split_once(':')?;
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphabetic() || c == '_');
    (word(coarse) && word(fine)).then_some(coarse)
}
