//! How a table is written, found in its text. The file's name counts only where the text leaves room for doubt.

use super::{Row, delimited, json_lines, label_lines};
use std::collections::BTreeMap;
use std::path::Path;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// CSV, TSV and their like.
    Delimited {
        /// What stands between fields: `,` `;` `|` or a tab.
        delimiter: u8,
        /// A double quote around a field takes its delimiters and line ends into it.
        quotes: bool,
    },
    /// A JSON object a line.
    JsonLines,
    /// A label, a space and a text a line.
    LabelLines,
}

/// Lines that are looked at.
const LOOKED_AT: usize = 1000;

impl Form {
    /// Comma-separated values, with quotes.
    pub const CSV: Form = Form::Delimited { delimiter: b',', quotes: true };
    /// Tab-separated values; a quote is part of the text.
    pub const TSV: Form = Form::Delimited { delimiter: b'\t', quotes: false };

    /// The form of `text`, if it is a table. `file` is its name.
    pub fn of(file: &str, text: &str) -> Option<Form> {
        let end = ending(file);
        let first = text.lines().find(|line| !line.trim().is_empty())?;
        if json_lines::is_object(first) || first.trim_start().starts_with('{') && end.starts_with("json") {
            return Some(Form::JsonLines);
        }
        let (head, whole) = head(text);
        let labels = label_lines::seen(text);
        for delimiter in [b'\t', b';', b'|', b','] {
            let quotes = delimiter != b'\t' || quotes_parts(head);
            let Ok(mut rows) = delimited::rows("", head, delimiter, quotes) else { continue };
            if !whole {
                // The last row may go on beyond what is looked at.
                rows.pop();
            }
            if even(&rows) && (is_table_name(&end) || is_plainly_table(&rows, delimiter, labels)) {
                return Some(Form::Delimited { delimiter, quotes });
            }
        }
        if labels {
            return Some(Form::LabelLines);
        }
        uneven(&end, first, head)
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Form::Delimited { delimiter: b'\t', .. } => "TSV",
            Form::Delimited { delimiter: b',', .. } => "CSV",
            Form::Delimited { delimiter: b';', .. } => "CSV, parted by semicolons",
            Form::Delimited { .. } => "CSV, parted by bars",
            Form::JsonLines => "JSON lines",
            Form::LabelLines => "lines of a label and a text",
        }
    }
}

/// The end of the name, in small letters: `csv` of `a.csv.gz`.
pub(in crate::data) fn ending(file: &str) -> String {
    let name = Path::new(file).file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').map_or(String::new(), |(_, end)| end.to_string())
}

fn is_table_name(end: &str) -> bool {
    ["csv", "tsv", "tab", "psv"].contains(&end)
}

/// The first lines, and whether they are all.
fn head(text: &str) -> (&str, bool) {
    match text.match_indices('\n').nth(LOOKED_AT) {
        Some((at, _)) => (&text[..=at], false),
        None => (text, true),
    }
}

/// All rows have as many fields, two or more; a header may have one fewer.
fn even(rows: &[Row]) -> bool {
    let Some((first, rest)) = rows.split_first() else { return false };
    let width = rest.first().unwrap_or(first).fields.len();
    width >= 2
        && rest.iter().all(|row| row.fields.len() == width)
        && (first.fields.len() == width || first.fields.len() + 1 == width && width > 2 && delimited::has_header(rows))
}

/// Whether even rows are a table although the name does not say so. Lines of a text may all hold one comma.
fn is_plainly_table(rows: &[Row], delimiter: u8, labels: bool) -> bool {
    let width = rows.first().map_or(0, |row| row.fields.len());
    delimiter == b'\t' || !labels && rows.len() >= 2 && (width >= 3 || delimited::has_header(rows))
}

/// A table that is damaged: most of its rows are even, or its name says that it is one.
fn uneven(end: &str, first: &str, head: &str) -> Option<Form> {
    let lines = head.lines().filter(|line| !line.trim().is_empty()).count();
    for delimiter in [b'\t', b';', b'|', b','] {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for line in head.lines().filter(|line| !line.trim().is_empty()) {
            *counts.entry(line.bytes().filter(|b| *b == delimiter).count()).or_default() += 1;
        }
        let (parts, most) = counts.into_iter().max_by_key(|(_, lines)| *lines)?;
        let enough = if delimiter == b'\t' { 1 } else { 2 };
        if parts >= enough && most * 10 >= lines * 9 && lines >= 3 {
            return Some(Form::Delimited { delimiter, quotes: delimiter != b'\t' });
        }
    }
    let delimiter = match end {
        "tsv" | "tab" => b'\t',
        "csv" | "psv" => *[b'\t', b';', b'|', b','].iter().max_by_key(|d| first.bytes().filter(|b| b == *d).count())?,
        _ => return None,
    };
    Some(Form::Delimited { delimiter, quotes: delimiter != b'\t' })
}

/// Whether quotes mean something in a text parted by tabs: every field that begins with one also ends with one, those
/// inside are doubled, and there is one inside or a tab or a line's end. Else a quote is part of the text, as in most TSV files.
fn quotes_parts(text: &str) -> bool {
    if !text.contains('"') {
        return false;
    }
    let fields = || text.lines().flat_map(|line| line.split('\t')).map(str::trim);
    let mut doubled = false;
    for field in fields().filter(|field| field.starts_with('"')) {
        let Some(inside) = field[1..].strip_suffix('"') else { return quotes_mend(text) };
        if inside.replace("\"\"", "").contains('"') {
            return false;
        }
        doubled |= inside.contains("\"\"");
    }
    doubled
}

/// Whether rows that are uneven without quotes are even with them.
fn quotes_mend(text: &str) -> bool {
    let even = |quotes| delimited::rows("", text, b'\t', quotes).is_ok_and(|rows| even(&rows));
    even(true) && !even(false)
}
