//! Options of a task: whole numbers with a default and a range, read from `key=value&key=value`.

use super::Row;
use super::error::SynthError;
use elman_cell::nearest::nearest;

/// An option.
#[derive(Debug, PartialEq)]
pub struct Choice {
    /// What users type.
    pub key: &'static str,
    /// The value unless told otherwise.
    pub default: u64,
    /// The smallest value.
    pub least: u64,
    /// The largest value.
    pub most: u64,
    /// One line for lists.
    pub about: &'static str,
}

/// The option of every task.
pub(super) const SEED: Choice =
    Choice { key: "seed", default: 1, least: 0, most: u64::MAX, about: "another seed is another set of examples" };

/// The values that were given.
#[derive(Debug, Default)]
pub struct Values(Vec<(&'static str, u64)>);

impl Values {
    /// Reads `rest`, what stands after `?`.
    pub(super) fn parse(row: &'static Row, rest: Option<&str>) -> Result<Values, SynthError> {
        let mut values = Values::default();
        for part in rest.into_iter().flat_map(|r| r.split('&')) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| SynthError::Shape { task: row.name, part: part.into() })?;
            let choice = find(row, key)?;
            if values.0.iter().any(|(known, _)| *known == choice.key) {
                return Err(SynthError::Twice { task: row.name, key: choice.key });
            }
            let number = value.parse().ok().filter(|n| (choice.least..=choice.most).contains(n));
            let Choice { key, least, most, .. } = *choice;
            let bad = || SynthError::Value { task: row.name, key, value: value.into(), least, most };
            values.0.push((key, number.ok_or_else(bad)?));
        }
        Ok(values)
    }

    /// The value of `choice`, or its default.
    pub(super) fn of(&self, choice: &Choice) -> u64 {
        self.0.iter().find(|(key, _)| *key == choice.key).map_or(choice.default, |(_, value)| *value)
    }

    /// The value of `choice` as a length.
    pub(super) fn size(&self, choice: &Choice) -> usize {
        self.of(choice) as usize
    }

    /// The name of `row` with the value of every option.
    pub(super) fn spelled(&self, row: &Row) -> String {
        let all: Vec<String> = choices(row).map(|c| format!("{}={}", c.key, self.of(c))).collect();
        format!("{}?{}", row.name, all.join("&"))
    }
}

fn choices(row: &Row) -> impl Iterator<Item = &Choice> {
    row.choices.iter().chain([&SEED])
}

fn find<'a>(row: &'a Row, key: &str) -> Result<&'a Choice, SynthError> {
    choices(row).find(|c| c.key == key).ok_or_else(|| {
        let keys: Vec<&str> = choices(row).map(|c| c.key).collect();
        let nearest = nearest(key, choices(row).map(|c| c.key));
        SynthError::Key { task: row.name, key: key.into(), nearest, keys: keys.join(", ") }
    })
}
