//! JSON lines: an object a line. Its keys are the columns, in the order in which they first appear.
//!
//! A text is taken as it is; a number, `true` and `false` as they are written; `null` and a missing key are empty; a list or
//! an object stays JSON.

use super::{Form, Row, Table};
use crate::data::error::{DataError, shown};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Reads a whole table.
pub(super) fn read(file: &str, text: &str) -> Result<Table, DataError> {
    let (mut columns, mut places, mut rows) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (line, written) in (1..).zip(text.lines()).filter(|(_, written)| !written.trim().is_empty()) {
        let Object(pairs) = serde_json::from_str(written).map_err(|fault| bad(file, line, written, &fault))?;
        let mut fields = vec![None; columns.len()];
        for (key, value) in pairs {
            let place = *places.entry(key.clone()).or_insert_with(|| {
                columns.push(key.clone());
                columns.len() - 1
            });
            fields.resize(columns.len().max(fields.len()), None);
            if fields[place].replace(as_text(value)).is_some() {
                return Err(DataError::field(
                    file,
                    line,
                    &shown(&key),
                    "the key stands twice in the object; remove one",
                ));
            }
        }
        rows.push(Row { line, fields: fields.into_iter().map(Option::unwrap_or_default).collect() });
    }
    // A key that appears late is empty in the rows before.
    rows.iter_mut().for_each(|row| row.fields.resize(columns.len(), String::new()));
    if columns.is_empty() {
        return Err(DataError::file(file, "the objects have no keys; give at least one, such as {\"text\": \"…\"}"));
    }
    Ok(Table { file: file.into(), form: Form::JsonLines, named: true, columns, rows })
}

/// Whether `line` is an object.
pub(super) fn is_object(line: &str) -> bool {
    line.trim_start().starts_with('{') && serde_json::from_str::<Object>(line).is_ok()
}

fn as_text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_string(),
        other => other.to_string(),
    }
}

fn bad(file: &str, line: u64, written: &str, fault: &serde_json::Error) -> DataError {
    let what = match written.trim_start().as_bytes().first() {
        Some(b'[') => {
            "a list begins here, and JSON lines have one object a line; `jq -c '.[]'` makes them of a list".into()
        }
        Some(b'{') if fault.is_eof() => {
            "the object does not end in its line; write one object a line (`jq -c .` does), or the file was cut off"
                .into()
        }
        Some(b'{') => {
            // The library's own words end with a place that counts from the line alone.
            let (words, column) = (fault.to_string(), fault.column());
            let words = words.split(" at line ").next().unwrap_or_default().to_string();
            format!("this is no JSON at character {column}: {words}; write one object a line")
        }
        _ => format!("`{}` is no JSON object; write one object a line, such as {{\"text\": \"…\"}}", shown(written)),
    };
    DataError::line(file, line, what)
}

/// An object's keys and values in their order, a key as often as it stands there.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        from.deserialize_map(Pairs)
    }
}
