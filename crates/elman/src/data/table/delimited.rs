//! CSV and TSV: RFC 4180 with any one-byte delimiter; where quotes mean nothing, the fields are what stands between tabs.
//!
//! Whether the first line names the columns is found out ([`has_header`]). A header that lacks exactly one name beside rows
//! that all agree is that of a table whose first column holds row numbers or names; the column is called `row`.

use super::{Form, Row, Table, numbers};
use crate::data::error::{DataError, shown};
use std::io::Read;

/// Stands behind the last row: a source hands out no NUL, so only an unclosed quote keeps it from being a row of its own.
const END: &[u8] = b"\n\0\n";
/// Names that people give to columns, in small letters.
const NAMES: [&str; 40] = [
    "label",
    "labels",
    "class",
    "category",
    "text",
    "sentence",
    "review",
    "comment",
    "message",
    "body",
    "content",
    "title",
    "question",
    "answer",
    "query",
    "document",
    "source",
    "target",
    "src",
    "tgt",
    "input",
    "output",
    "en",
    "ru",
    "de",
    "fr",
    "id",
    "index",
    "name",
    "date",
    "time",
    "timestamp",
    "value",
    "score",
    "stars",
    "rating",
    "sentiment",
    "tag",
    "y",
    "summary",
];

/// Reads a whole table.
pub(super) fn read(
    file: &str,
    text: &str,
    delimiter: u8,
    quotes: bool,
    header: Option<bool>,
) -> Result<Table, DataError> {
    let mut rows = rows(file, text, delimiter, quotes)?;
    let named = header.unwrap_or_else(|| has_header(&rows));
    let mut columns = match named && !rows.is_empty() {
        true => rows.remove(0).fields,
        false => numbers(rows.first().map_or(0, |row| row.fields.len())),
    };
    if named && rows.iter().all(|row| row.fields.len() == columns.len() + 1) && !rows.is_empty() {
        columns.insert(0, "row".into());
    }
    check_names(file, &columns)?;
    if let Some(odd) = rows.iter().find(|row| row.fields.len() != columns.len()) {
        return Err(ragged(file, odd, columns.len(), named, delimiter));
    }
    Ok(Table { file: file.into(), form: Form::Delimited { delimiter, quotes }, named, columns, rows })
}

/// The rows as they stand, of any lengths. Blank lines are no rows.
pub(super) fn rows(file: &str, text: &str, delimiter: u8, quotes: bool) -> Result<Vec<Row>, DataError> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).trim(csv::Trim::All).delimiter(delimiter).quoting(quotes);
    let mut reader = builder.from_reader(text.as_bytes().chain(END));
    let (mut rows, mut record, mut lines) = (Vec::new(), csv::StringRecord::new(), Lines { text, byte: 0, line: 1 });
    let fault = |e: csv::Error| DataError::file(file, format!("the table cannot be read: {e}"));
    while reader.read_record(&mut record).map_err(fault)? {
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        if record.len() == 1 && &record[0] == "\0" {
            break;
        }
        if record.iter().any(|field| field.contains('\0')) {
            let before: usize = record.iter().take(record.len() - 1).map(|field| field.matches('\n').count()).sum();
            let what = "a quote opens a field here and is never closed; close it, or double it (`\"\"`) where it is part \
                        of the text";
            return Err(DataError::line(file, line + before as u64, what));
        }
        if record.len() > 1 || record.iter().any(|field| !field.is_empty()) {
            rows.push(Row { line, fields: record.iter().map(String::from).collect() });
        }
    }
    Ok(rows)
}

/// Turns places in a text, in rising order, into numbers of lines.
struct Lines<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first character at or after `byte` that is no line's end.
    fn at(&mut self, byte: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let to = usize::try_from(byte).map_or(bytes.len(), |byte| byte.min(bytes.len()));
        while self.byte < to || matches!(bytes.get(self.byte), Some(b'\n' | b'\r')) {
            self.line += u64::from(bytes[self.byte] == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

/// Whether the first row names the columns.
///
/// It does if its fields are distinct names, no numbers, none of which stands in its own column again, and if they look
/// unlike the column below: known names ([`NAMES`]), or words above numbers or above texts thrice as long.
pub(super) fn has_header(rows: &[Row]) -> bool {
    const LOOKED_AT: usize = 1000;
    let Some((first, rest)) = rows.split_first() else { return false };
    let names = &first.fields;
    let distinct = names.iter().enumerate().all(|(i, name)| !names[..i].contains(name));
    // The name above row numbers may be missing.
    let like_names =
        names.iter().skip(1).chain(names.first().filter(|name| !name.is_empty())).all(|name| is_name(name));
    let known = |name: &String| NAMES.contains(&name.to_lowercase().as_str());
    // A known name that stands twice is a header with a fault in it.
    if !like_names || !distinct && !names.iter().any(known) {
        return false;
    }
    let rest = &rest[..rest.len().min(LOOKED_AT)];
    let shift = usize::from(!rest.is_empty() && rest.iter().all(|row| row.fields.len() == names.len() + 1));
    let below =
        |column: usize| rest.iter().filter_map(move |row| row.fields.get(column + shift)).filter(|f| !f.is_empty());
    if names.iter().enumerate().any(|(column, name)| below(column).any(|field| field == name)) {
        return false;
    }
    names.iter().enumerate().any(|(column, name)| {
        let count = below(column).count();
        let numbers = below(column).filter(|field| field.parse::<f64>().is_ok()).count();
        let letters: usize = below(column).map(|field| field.chars().count()).sum();
        known(name) || count > 0 && (numbers * 10 >= count * 9 || letters > 3 * count * name.chars().count().max(5))
    })
}

/// Whether a field could name a column: a few words, no number, no end of a sentence.
fn is_name(field: &str) -> bool {
    let sentence = field.ends_with(['.', '!', '?', ',', ';']) || field.contains(". ");
    !field.is_empty()
        && !sentence
        && field.parse::<f64>().is_err()
        && field.chars().count() <= 40
        && field.split_whitespace().count() <= 4
        && field.chars().any(char::is_alphabetic)
}

fn check_names(file: &str, columns: &[String]) -> Result<(), DataError> {
    for (i, name) in columns.iter().enumerate() {
        if let Some(first) = columns[..i].iter().position(|other| other == name) {
            let what = format!("columns {} and {} are both named `{}`; rename one", first + 1, i + 1, shown(name));
            return Err(DataError::line(file, 1, what));
        }
    }
    Ok(())
}

fn ragged(file: &str, row: &Row, wanted: usize, named: bool, delimiter: u8) -> DataError {
    let found = row.fields.len();
    let fields = if found == 1 { "field" } else { "fields" };
    let whose = if named { "the header" } else { "the first row" };
    let way = match delimiter {
        b'\t' => "a tab may stand inside a text, or be missing".to_string(),
        d => format!("put a text that holds `{}` in double quotes", char::from(d)),
    };
    DataError::line(file, row.line, format!("the row has {found} {fields} and {whose} has {wanted}; {way}"))
}
