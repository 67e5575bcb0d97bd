//! What the rows gave, by seed, in a file of the repository; README's table is made of it.

use super::rows::{Figure, ROWS, Row};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The file, from the repository's root.
pub(super) const FILE: &str = "docs/tasks/figures.json";
/// What the table stands between.
const MARKS: [&str; 2] = ["<!-- tasks, by cargo xtask tasks text -->\n", "<!-- /tasks -->"];

/// Figures of all rows by their names.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Record {
    rows: BTreeMap<String, Measured>,
}

/// Figures of a row, in the unit of README.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    /// What followed `elman train`, with `DATA` for the folder of the data.
    pub train: String,
    /// The figure of each seed, or of each share of all examples.
    pub figures: BTreeMap<usize, f64>,
    /// Minutes of training.
    pub minutes: BTreeMap<usize, f64>,
    /// Of each baseline, the figure beside each of them.
    pub beside: BTreeMap<String, BTreeMap<usize, f64>>,
}

impl Record {
    /// Reads it from the repository.
    ///
    /// # Errors
    /// A file that is not there, or is none.
    pub fn read(root: &Path) -> Result<Record, String> {
        let path = root.join(FILE);
        let json = std::fs::read_to_string(&path).map_err(|e| format!("{FILE}: {e}"))?;
        serde_json::from_str(&json).map_err(|e| format!("{FILE}: {e}"))
    }

    /// Writes it there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, root: &Path) -> Result<(), String> {
        let json = serde_json::to_string_pretty(self).map_err(|e| format!("{FILE}: {e}"))?;
        std::fs::write(root.join(FILE), json + "\n").map_err(|e| format!("{FILE}: {e}"))
    }

    /// What it has of a row.
    pub fn of(&self, row: &Row) -> Option<&Measured> {
        self.rows.get(row.name)
    }

    /// Takes what was measured; figures of other seeds stay if their settings are the same.
    pub fn put(&mut self, row: &Row, new: Measured) {
        let old = self.rows.entry(row.name.into()).or_default();
        if old.train != new.train {
            *old = Measured { train: new.train, ..Measured::default() };
        }
        old.figures.extend(new.figures);
        old.minutes.extend(new.minutes);
        for (name, figures) in new.beside {
            old.beside.entry(name).or_default().extend(figures);
        }
    }

    /// The table in Markdown.
    pub fn table(&self) -> String {
        let lines = ROWS.iter().filter_map(|row| Some(line(row, self.of(row)?)));
        let head = "| task, on its test part | this | to beat | |\n|---|---|---|---|\n";
        head.to_string() + &lines.map(|line| line + "\n").collect::<String>()
    }

    /// `text` with the table between its marks.
    ///
    /// # Errors
    /// No marks.
    pub fn put_into(&self, text: &str) -> Result<String, String> {
        let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| Some((before, rest.split_once(MARKS[1])?.1)));
        let (before, after) = parts.ok_or_else(|| format!("no lines {} and {}", MARKS[0].trim(), MARKS[1]))?;
        Ok(format!("{before}{}\n{}\n{}{after}", MARKS[0], self.table(), MARKS[1]))
    }
}

/// A row of the table.
pub(super) fn line(row: &Row, measured: &Measured) -> String {
    let Row { what, figure, in_print, .. } = row;
    let all: Vec<f64> = measured.figures.values().copied().collect();
    let own = mean(&all);
    let beside = measured
        .beside
        .iter()
        .map(|(name, figures)| (name.as_str(), mean(&figures.values().copied().collect::<Vec<_>>())));
    let beside: Vec<(&str, f64)> = beside.chain(*in_print).collect();
    // As they are written: figures that read alike are equal.
    let read = |value: f64| if figure.least { -1.0 } else { 1.0 } * figure.number(value).trim_end_matches('%').parse::<f64>().unwrap_or(value);
    let better = beside.iter().all(|(_, other)| read(own) > read(*other));
    let worse = |other: f64| read(own) < read(other);
    let deviation = if all.len() > 1 { format!(" ± {:.*}", figure.digits, deviation(&all)) } else { String::new() };
    let bold = |text: String, so: bool| if so { format!("**{text}**") } else { text };
    let own = bold(figure.written(own), better) + &deviation;
    let to_beat: Vec<String> =
        beside.iter().map(|(name, other)| bold(format!("{name} {}", figure.number(*other)), worse(*other))).collect();
    let to_beat = if to_beat.is_empty() { "–".into() } else { to_beat.join(", ") };
    let (count, minutes) = (all.len(), &measured.minutes);
    let seeds = match (row.folds(), count) {
        (Some(_), _) => format!("{count} shares"),
        (None, 1) => "1 seed".into(),
        (None, _) => format!("{count} seeds"),
    };
    let settings = if row.settings.is_empty() { "defaults".into() } else { format!("`{}`", row.settings) };
    let minutes = match mean(&minutes.values().copied().collect::<Vec<_>>()) {
        m if m.is_nan() => String::new(),
        m if m < 1.5 => ", a minute each".into(),
        m => format!(", {m:.0} minutes each"),
    };
    format!("| {what} | {own} | {to_beat} | {seeds}, {settings}{minutes} |")
}

impl Figure {
    /// With its name and unit.
    fn written(&self, value: f64) -> String {
        format!("{}{}", self.before, self.number(value))
    }

    fn number(&self, value: f64) -> String {
        format!("{value:.*}{}", self.digits, self.after)
    }
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len() as f64
}

/// The standard deviation of a sample.
fn deviation(all: &[f64]) -> f64 {
    let mean = mean(all);
    (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (all.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::root;
    use super::{Measured, Record, line};
    use crate::tasks::rows::ROWS;
    use std::collections::BTreeMap;

    #[test]
    fn readme_has_the_table_of_the_record() {
        let record = Record::read(&root()).unwrap();
        let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
        assert!(
            record.put_into(&readme).unwrap() == readme,
            "README.md has another table: `cargo xtask tasks text --recorded`"
        );
        for (name, measured) in &record.rows {
            let row = ROWS.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row {name}"));
            assert_eq!(measured.train, row.train("DATA"), "{name} was measured with other settings");
        }
    }

    #[test]
    fn a_line_says_which_is_better_and_by_how_many_seeds() {
        let row = ROWS.iter().find(|row| row.name == "sst2").unwrap();
        let of =
            |figures: &[f64]| figures.iter().copied().enumerate().map(|(k, x)| (k + 1, x)).collect::<BTreeMap<_, _>>();
        let beside = BTreeMap::from([("linear n-grams".to_string(), of(&[81.0, 81.0]))]);
        let minutes = of(&[2.0, 3.0]);
        let measured = |figures| Measured {
            train: row.train("DATA"),
            figures: of(figures),
            minutes: minutes.clone(),
            beside: beside.clone(),
        };
        assert_eq!(
            line(row, &measured(&[82.0, 83.0])),
            "| SST-2, `classify` | **82.5%** ± 0.7 | linear n-grams 81.0% | 2 seeds, `--dropout 0.5 --dropout-words 0.1 --epochs 5 --members 3`, 2 minutes each |"
        );
        assert!(
            line(row, &measured(&[80.9]))
                .starts_with("| SST-2, `classify` | 80.9% | **linear n-grams 81.0%** | 1 seed,")
        );
        assert!(line(row, &measured(&[81.04])).starts_with("| SST-2, `classify` | 81.0% | linear n-grams 81.0% |"));
    }

    #[test]
    fn figures_of_other_settings_go() {
        let row = &ROWS[0];
        let mut record = Record::default();
        let measured = |settings: &str, seed| Measured {
            train: settings.into(),
            figures: BTreeMap::from([(seed, 1.0)]),
            ..Measured::default()
        };
        record.put(row, measured("a", 1));
        record.put(row, measured("a", 2));
        assert_eq!(record.of(row).unwrap().figures.len(), 2);
        record.put(row, measured("b", 3));
        assert_eq!(record.of(row).unwrap(), &measured("b", 3));
    }
}
