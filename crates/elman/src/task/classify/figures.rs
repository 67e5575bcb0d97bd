//! What is shown of a classifier.

use crate::metrics::classification::Classification;
use crate::report::{Sample, Section};
use std::fmt::Write;

/// Classes beyond which the confusion matrix is too wide to show; it stands in the JSON.
const WIDEST: usize = 20;
/// Samples that are shown.
const SAMPLES: usize = 10;

/// An answer that was wrong.
pub struct Wrong<'a> {
    /// What was read.
    pub text: &'a str,
    /// What it is.
    pub wanted: &'a str,
    /// What was said.
    pub given: &'a str,
    /// The probability of that.
    pub probability: f64,
}

/// Classes and confusion, for a terminal.
pub fn text(found: &Classification) -> String {
    let mut text = format!("\n{} examples", found.examples);
    if let Some(most) = found.classes.iter().max_by_key(|c| c.support) {
        let share = most.support as f64 / found.examples.max(1) as f64;
        let name: String = most.name.chars().take(30).collect();
        let _ = write!(text, "; the label `{name}` alone would be right in {share:.4}");
    }
    text += "\n";
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
    text
}

/// Classes, confusion, and the answers that were wrong with the least doubt.
pub fn sections(found: &Classification, mut wrong: Vec<Wrong<'_>>) -> Vec<Section> {
    let mut sections = vec![Section::classes("Classes", "class", found), Section::confused("Most confused", found)];
    if found.classes.len() <= WIDEST {
        let names = found.classes.iter().map(|c| c.name.clone()).collect();
        sections.push(Section::Confusion { title: "Confusion".into(), names, counts: found.confusion.clone() });
    }
    wrong.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let sample = |w: &Wrong<'_>| Sample {
        wanted: Some(w.wanted.into()),
        ..Sample::of(w.text, format!("{} ({:.2})", w.given, w.probability))
    };
    if !wrong.is_empty() {
        let samples = wrong.iter().take(SAMPLES).map(sample).collect();
        sections.push(Section::samples("Wrong with the least doubt", ["text", "wanted", "given"], samples));
    }
    sections
}
