//! Figures of a classifier as tables for a person.

use crate::metrics::MetricError;
use crate::metrics::by_length::{Bin, Bins, by_length as in_bins};
use crate::metrics::classification::Classification;
use crate::report::{Report, Section};
use crate::task::Figures;
use serde_json::Value;
use std::fmt::Write;

/// Bins of length.
const BINS: usize = 5;
/// Classes beyond which the confusion matrix is too wide to print; it stands in the JSON.
const WIDEST: usize = 20;

/// The accuracy of examples of like lengths.
pub fn by_length(lengths: &[usize], wanted: &[usize], given: &[usize]) -> Result<Vec<Bin>, MetricError> {
    in_bins(lengths, &Bins::Even(BINS), |examples| {
        let right = examples.iter().filter(|i| wanted[**i] == given[**i]).count();
        Ok(right as f64 / examples.len().max(1) as f64)
    })
}

/// Intervals, classes, confusion, lengths.
pub fn text(found: &Classification, bins: &[Bin]) -> String {
    let mut text = String::new();
    let (a, f) = (found.accuracy, found.macro_f1);
    let _ = writeln!(
        text,
        "\n{} examples; 95% intervals: accuracy {:.4} to {:.4}, macro F1 {:.4} to {:.4}",
        found.examples, a.low, a.high, f.low, f.high
    );
    let longest = found.classes.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).clamp(5, 30);
    let _ = writeln!(text, "\n{:<longest$}  precision  recall      F1  examples", "class");
    for c in &found.classes {
        let name: String = c.name.chars().take(longest).collect();
        let _ = writeln!(
            text,
            "{name:<longest$}  {:>9.4}  {:>6.4}  {:>6.4}  {:>8}",
            c.precision, c.recall, c.f1, c.support
        );
    }
    if found.classes.len() <= WIDEST {
        let names: Vec<String> = found.classes.iter().map(|c| c.name.chars().take(longest).collect()).collect();
        let cell = |name: &String| name.chars().count().max(5);
        let head: Vec<String> = names.iter().map(|n| format!("{n:>0$}", cell(n))).collect();
        let _ = writeln!(text, "\n{:<longest$}  {}", "wanted \\ given", head.join("  "), longest = longest.max(14));
        for (name, row) in names.iter().zip(&found.confusion) {
            let row: Vec<String> = row.iter().zip(&names).map(|(n, name)| format!("{n:>0$}", cell(name))).collect();
            let _ = writeln!(text, "{name:<longest$}  {}", row.join("  "), longest = longest.max(14));
        }
    }
    if bins.len() > 1 {
        let _ = writeln!(text, "\nsteps        examples  accuracy");
        for bin in bins {
            let steps = format!("{} to {}", bin.shortest, bin.longest);
            let _ = writeln!(text, "{steps:<11}  {:>8}  {:>8.4}", bin.examples, bin.value);
        }
    }
    text
}

/// The page of a run: figures on the validation part, classes, confusion, accuracy against length.
pub fn page(files: &str, words: &str, figures: &Figures) -> Report {
    let d = &figures.details;
    let list = |name: &str| d[name].as_array().cloned().unwrap_or_default();
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    let share = |v: &Value| format!("{:.4}", number(v));
    let whole = |v: &Value| v.as_u64().unwrap_or(0) as usize;
    let name = |c: &Value| c["name"].as_str().unwrap_or_default().to_string();
    let mut rows: Vec<Vec<String>> =
        figures.values.iter().map(|(name, value)| vec![name.clone(), format!("{value:.4}"), String::new()]).collect();
    for row in &mut rows {
        let e = &d[row[0].as_str()];
        if e["low"].is_number() {
            row[2] = format!("{} to {}", share(&e["low"]), share(&e["high"]));
        }
    }
    let heads = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let class = |c: &Value| {
        vec![name(c), share(&c["precision"]), share(&c["recall"]), share(&c["f1"]), whole(&c["support"]).to_string()]
    };
    let classes = list("classes");
    let counts =
        list("confusion").iter().map(|row| row.as_array().into_iter().flatten().map(whole).collect()).collect();
    let bin = |b: &Value| Bin {
        shortest: whole(&b["shortest"]),
        longest: whole(&b["longest"]),
        examples: whole(&b["examples"]),
        value: 100.0 * number(&b["value"]),
    };
    let bins: Vec<Bin> = list("accuracy_by_length").iter().map(bin).collect();
    let mut sections = vec![
        Section::Text { title: "Data".into(), paragraphs: vec![files.into(), words.into()] },
        Section::Table { title: "Validation part".into(), head: heads(&["figure", "value", "95% interval"]), rows },
        Section::Table {
            title: "Classes".into(),
            head: heads(&["class", "precision", "recall", "F1", "examples"]),
            rows: classes.iter().map(class).collect(),
        },
        Section::Confusion { title: "Confusion".into(), names: classes.iter().map(name).collect(), counts },
    ];
    if bins.len() > 1 {
        let (metric, unit) = ("accuracy, %".into(), "steps".into());
        sections.push(Section::ByLength { title: "Accuracy against length".into(), metric, unit, bins });
    }
    Report { title: format!("classify: {files}"), sections }
}
