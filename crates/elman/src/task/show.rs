//! What a task shows of an evaluation, alike on a terminal, in JSON and on the page of the run.
//!
//! ```text
//! Figures { values, shown: intervals, baselines, a measure of each example, sections } ─▶ text, details, report.html
//! ```
//!
//! A task fills [`Shown`] and writes no page. Bins of length are cut at the longest training example, so that each lies
//! within what was trained or beyond it; that length is kept in `lengths.json` of the run.

use super::{Figures, Settings};
use crate::error::Error;
use crate::metrics::by_length::{Bin, Bins, by_length};
use crate::metrics::{Estimate, chrf::chrf};
use crate::report::{Report, Section, best_of, curves_of, last_of};
use crate::run::Folder;
use crate::run::folder::METRICS;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write;

const LENGTHS: &str = "lengths.json";
/// Bins of lengths up to the longest training example, at most.
const WITHIN: usize = 5;
/// And of longer ones.
const BEYOND: usize = 3;

/// What belongs to the values of an evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Values with their 95% intervals, by name.
    pub intervals: Vec<(&'static str, Estimate)>,
    /// The same values of what needs no network.
    pub baselines: Vec<Beside>,
    /// A measure that is shown against length.
    pub against: Option<Against>,
    /// Tables, confusions, alignments, samples, from top to bottom.
    pub sections: Vec<Section>,
    /// Where the page is, or why it could not be written; a line.
    pub page: String,
}

/// What a baseline reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// What it is, in a few words.
    pub name: String,
    /// Its figures, by the names of [`Figures::values`].
    pub values: Vec<(String, f64)>,
}

/// A measure of examples of some lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// What is measured.
    pub metric: &'static str,
    /// The length of each example, in [`Lengths::unit`].
    pub lengths: Vec<usize>,
    /// How several examples are measured.
    pub measure: Measure,
}

/// How several examples are measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// Of each example what counts, and what it is a share of; Σ of the first by Σ of the second.
    Shares(Vec<[f64; 2]>),
    /// chrF of each text given and wanted.
    Chrf(Vec<[String; 2]>),
}

impl Against {
    /// The share of examples, or of what is in them.
    pub fn shares(metric: &'static str, lengths: Vec<usize>, shares: impl Iterator<Item = [f64; 2]>) -> Against {
        Against { metric, lengths, measure: Measure::Shares(shares.collect()) }
    }

    /// chrF, which short texts have too; BLEU of texts without 4-grams is 0 by its definition.
    pub fn chrf<'t>(lengths: Vec<usize>, given_and_wanted: impl Iterator<Item = (&'t str, &'t str)>) -> Against {
        let pair = |(given, wanted): (&str, &str)| [given.to_string(), wanted.to_string()];
        Against { metric: "chrF", lengths, measure: Measure::Chrf(given_and_wanted.map(pair).collect()) }
    }

    fn bins(&self, longest: usize) -> Result<Vec<Bin>, Error> {
        let bins = Bins::Parted { edge: longest, within: WITHIN, beyond: BEYOND };
        let found = by_length(&self.lengths, &bins, |members| match &self.measure {
            Measure::Shares(all) => {
                let sum = |k: usize| members.iter().filter_map(|i| all.get(*i)).map(|share| share[k]).sum::<f64>();
                Ok(sum(0) / sum(1))
            }
            Measure::Chrf(all) => {
                let side = |k: usize| members.iter().filter_map(|i| Some(all.get(*i)?[k].as_str())).collect::<Vec<_>>();
                Ok(chrf(&side(0), &side(1))?.score)
            }
        });
        Ok(found?)
    }
}

/// What a length counts, and the longest training example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths {
    /// `words`
    pub unit: String,
    /// In training.
    pub longest: usize,
}

impl Lengths {
    /// Of all training examples.
    pub fn of(unit: &str, train: impl Iterator<Item = usize>) -> Lengths {
        Lengths { unit: unit.into(), longest: train.max().unwrap_or(0) }
    }

    /// Those that a run keeps, if it keeps any.
    pub(super) fn kept(folder: &Folder) -> Option<Lengths> {
        serde_json::from_str(&std::fs::read_to_string(folder.join(LENGTHS)).ok()?).ok()
    }

    /// Writes them into a run.
    pub(super) fn write(&self, folder: &Folder) -> Result<(), Error> {
        folder.write(LENGTHS, (json!(self).to_string() + "\n").into_bytes())
    }
}

impl Figures {
    /// Tells intervals and the measure against length in text, details and sections.
    pub(super) fn told(mut self, lengths: &Lengths) -> Result<Figures, Error> {
        let mut text = String::new();
        if !self.shown.intervals.is_empty() {
            let one = |(name, e): &(&str, Estimate)| format!("{name} {:.4} to {:.4}", e.low, e.high);
            let all: Vec<String> = self.shown.intervals.iter().map(one).collect();
            text = format!("\n95% intervals: {}\n", all.join(", "));
            let all = self.shown.intervals.iter().map(|(name, e)| (name.to_string(), json!(e))).collect();
            self.detail("intervals", Value::Object(all));
        }
        text += &self.text;
        if let Some(against) = self.shown.against.take() {
            let bins = against.bins(lengths.longest)?;
            let Lengths { unit, longest } = lengths;
            if bins.len() > 1 || bins.iter().any(|b| b.shortest > *longest) {
                text += &table(against.metric, &bins, lengths);
                self.detail("by_length", details(against.metric, &bins, lengths));
                let title = format!("{} against length", against.metric);
                let (metric, unit, trained) = (against.metric.into(), unit.clone(), Some(*longest));
                self.shown.sections.insert(0, Section::ByLength { title, metric, unit, trained, bins });
            }
        }
        self.text = text;
        Ok(self)
    }

    fn detail(&mut self, name: &str, value: Value) {
        if let Some(details) = self.details.as_object_mut() {
            details.insert(name.into(), value);
        }
    }
}

fn table(metric: &str, bins: &[Bin], lengths: &Lengths) -> String {
    let Lengths { unit, longest } = lengths;
    let width = unit.chars().count().max(11) + 2;
    let mut text = format!("\n{unit:<width$}examples  {metric:>9}\n");
    for bin in bins {
        let range = format!("{} to {}", bin.shortest, bin.longest);
        let value = if bin.value.is_finite() { format!("{:.4}", bin.value) } else { "–".into() };
        let beyond = if bin.shortest > *longest { "  longer than in training" } else { "" };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{range:<width$}{:>8}  {value:>w$}{beyond}",
            bin.examples,
            w = metric.chars().count().max(9)
        );
    }
    let _ = writeln!(text, "the longest training example has {longest} {unit}");
    text
}

fn details(metric: &str, bins: &[Bin], lengths: &Lengths) -> Value {
    let bin = |b: &Bin| {
        let mut row = json!(b);
        row["beyond_training"] = (b.shortest > lengths.longest).into();
        row
    };
    let bins: Vec<Value> = bins.iter().map(bin).collect();
    json!({ "metric": metric, "unit": lengths.unit, "longest_in_training": lengths.longest, "bins": bins })
}

/// Writes a page of a run, `file` in its folder: what it is, its curves, and the figures of a part, which `of` names.
pub(super) fn write(
    folder: &Folder,
    file: &str,
    settings: &Settings,
    words: &str,
    of: &str,
    figures: &Figures,
) -> Result<(), Error> {
    let metrics = std::fs::read_to_string(folder.join(METRICS)).unwrap_or_default();
    folder.write(file, page(settings, words, &metrics, of, figures).to_html().into_bytes())
}

fn page(settings: &Settings, words: &str, metrics: &str, of: &str, figures: &Figures) -> Report {
    let files: Vec<String> = settings.data.train.iter().map(|file| last_of(file)).collect();
    let paragraphs = words.lines().filter(|line| !line.is_empty()).map(String::from).collect();
    let mut sections = vec![Section::Text { title: "Data".into(), paragraphs }, run(settings)];
    sections.extend(curves_of(metrics).into_iter().map(Section::Curves));
    sections.push(values(metrics, of, figures));
    sections.extend(figures.shown.sections.iter().cloned());
    Report { title: format!("{}: {}", settings.task.name(), files.join(", ")), sections }
}

fn run(settings: &Settings) -> Section {
    let (m, t) = (&settings.model, &settings.train);
    let row = |name: &str, value: String| vec![name.to_string(), value];
    let rows = vec![
        row("cell", last_of(&m.cell)),
        row("layers", m.layers.to_string()),
        row("units", m.hidden.to_string()),
        row("examples a step", t.batch.to_string()),
        row("epochs", t.epochs.to_string()),
        row("rate", settings.optimiser.rate().to_string()),
        row("seed", settings.seed.to_string()),
        row("program", format!("elman {}", settings.program)),
    ];
    Section::table("Run", &["setting", "value"], rows)
}

/// The figures with their intervals, and beside them those of baselines and of the best evaluation while training.
fn values(metrics: &str, of: &str, figures: &Figures) -> Section {
    let mut head = vec!["figure", "value", "95% interval"];
    head.extend(figures.shown.baselines.iter().map(|b| b.name.as_str()));
    let best = best_of(metrics).filter(|row| of != VALIDATION && row["valid"].is_object());
    head.extend(best.is_some().then_some("validation part, best"));
    let share = |value: f64| format!("{value:.4}");
    let row = |(name, value): &(String, f64)| {
        let interval = figures.shown.intervals.iter().find(|(n, _)| n == name);
        let interval = interval.map_or(String::new(), |(_, e)| format!("{:.4} to {:.4}", e.low, e.high));
        let mut row = vec![name.replace('_', " "), share(*value), interval];
        for baseline in &figures.shown.baselines {
            let found = baseline.values.iter().find(|(n, _)| n == name);
            row.push(found.map_or(String::new(), |(_, value)| share(*value)));
        }
        row.extend(best.as_ref().map(|best| best["valid"][name].as_f64().map_or(String::new(), share)));
        row
    };
    Section::table(&format!("Figures of the {of}"), &head, figures.values.iter().map(row).collect())
}

/// What the validation part is called on the page.
pub(super) const VALIDATION: &str = "validation part";

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let interval = Estimate { value: 0.5, low: 0.4, high: 0.6 };
        let shares = (0..9).map(|i| [f64::from(u8::from(i < 6)), 1.0]);
        Figures {
            score: 0.5,
            scored: "accuracy",
            given: vec![],
            values: vec![("accuracy".into(), 0.5), ("loss".into(), 2.0)],
            text: "a table\n".into(),
            details: json!({}),
            shown: Shown {
                intervals: vec![("accuracy", interval)],
                baselines: vec![Beside { name: "a <b>guess</b>".into(), values: vec![("accuracy".into(), 0.25)] }],
                against: Some(Against::shares("accuracy", (1..10).collect(), shares)),
                sections: vec![Section::table("Mine", &["a"], vec![])],
                page: String::new(),
            },
        }
    }

    #[test]
    fn bins_are_cut_where_training_ended() {
        let lengths = Lengths::of("words", [3, 6, 2].into_iter());
        let told = figures().told(&lengths).unwrap();
        let bins = told.details["by_length"]["bins"].as_array().unwrap();
        let rows: Vec<_> = bins.iter().map(|b| (b["longest"].as_u64(), b["value"].as_f64())).collect();
        let (one, none) = (Some(1.0), Some(0.0));
        assert_eq!(
            rows,
            [(Some(2), one), (Some(4), one), (Some(6), one), (Some(7), none), (Some(8), none), (Some(9), none)]
        );
        let beyond = bins.iter().map(|b| b["beyond_training"] == true);
        assert_eq!(beyond.collect::<Vec<_>>(), [false, false, false, true, true, true]);
        assert_eq!(told.text.matches("longer than in training").count(), 3);
        assert!(told.text.contains("has 6 words") && told.text.contains("accuracy 0.4000 to 0.6000"), "{}", told.text);
        assert!(matches!(told.shown.sections[0], Section::ByLength { trained: Some(6), .. }));
    }

    #[test]
    fn one_length_is_no_table_unless_it_is_new() {
        let one = |longest| {
            let mut figures = figures();
            figures.shown.against = Some(Against::shares("accuracy", vec![7; 3], [[1.0, 2.0]; 3].into_iter()));
            figures.told(&Lengths { unit: "steps".into(), longest }).unwrap().details
        };
        assert!(one(7)["by_length"].is_null());
        assert_eq!(one(6)["by_length"]["bins"][0]["value"], 0.5);
    }

    #[test]
    fn the_page_has_figures_beside_each_other_and_no_markup_of_others() {
        let mut settings = Settings::default();
        settings.data.train = vec!["/some/where/<script>x.tsv".into()];
        let metrics = "{\"step\":1,\"improved\":true,\"train_loss\":1,\"valid\":{\"accuracy\":0.75}}\n\
                       {\"step\":2,\"improved\":false,\"train_loss\":1,\"valid\":{\"accuracy\":0.5}}\n";
        let lengths = Lengths { unit: "words".into(), longest: 6 };
        let told = figures().told(&lengths).unwrap();
        let html = page(&settings, "two\nlines & <i>", metrics, "file <i>x</i>", &told).to_html();
        for part in ["0.5000", "0.4000 to 0.6000", "0.2500", "0.7500", "Mine", "accuracy against length", "<polyline"] {
            assert!(html.contains(part), "{part}");
        }
        for part in ["<script", "<i>", "<b>", "/some/where"] {
            assert!(!html.contains(part), "{part}");
        }
        assert!(!page(&settings, "", metrics, VALIDATION, &told).to_html().contains("0.7500"));
    }
}
