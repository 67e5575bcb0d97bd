//! What is measured of translations, and how it is shown.

use super::data::Example;
use crate::error::Error;
use crate::metrics::{Estimate, bleu, chrf, rouge, tokenize::Tokens};
use crate::report::{Sample, Section};
use crate::task::settings::{Model, Search};
use crate::task::{Against, Figures, Shown};
use serde_json::json;
use std::fmt::Write;

/// Pairs that are shown on a terminal.
const FEW: usize = 5;
/// And on the page.
const SAMPLES: usize = 20;

/// So many of `all` examples, evenly.
fn chosen(count: usize, all: usize) -> impl Iterator<Item = usize> {
    let count = count.min(all);
    (0..count).map(move |k| k * all / count)
}

/// All figures of `given`, which `examples` wanted otherwise or the same.
///
/// # Errors
/// No example.
pub fn figures(
    examples: &[Example],
    given: &[String],
    loss: f64,
    model: &Model,
    search: Search,
) -> Result<Figures, Error> {
    let wanted: Vec<&str> = examples.iter().map(|e| e.to.as_str()).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let bleu = bleu::bleu(&given, &wanted, Tokens::V13a)?;
    let chrf = chrf::chrf(&given, &wanted)?;
    let same = given.iter().zip(&wanted).filter(|(g, w)| g == w).count();
    let exact = Estimate::share(same, given.len());
    let mut text = format!("{}\n{}\n", bleu.signature, chrf.signature);
    for i in chosen(FEW, given.len()) {
        let _ = writeln!(text, "\nsource  {}\nwanted  {}\ngiven   {}", examples[i].from, wanted[i], given[i]);
    }
    let rouge = rouge::rouge(&given, &wanted, rouge::Words::AllScripts)?;
    let mut values = vec![
        ("bleu".to_string(), bleu.score),
        ("chrf".to_string(), chrf.score),
        ("exact".to_string(), exact.map_or(0.0, |e| e.value)),
        ("loss".to_string(), loss),
    ];
    if model.copy {
        let all = [("rouge_1", rouge.rouge1), ("rouge_2", rouge.rouge2), ("rouge_l", rouge.rouge_l)];
        values.extend(all.map(|(name, overlap)| (name.to_string(), overlap.f1)));
    }
    let mut intervals = vec![
        ("bleu", bleu::bleu_estimate(&given, &wanted, Tokens::V13a)?),
        ("chrf", chrf::chrf_estimate(&given, &wanted)?),
    ];
    intervals.extend(exact.map(|e| ("exact", e)));
    let sample = |i: usize| Sample { wanted: Some(wanted[i].into()), ..Sample::of(&examples[i].from, given[i]) };
    let samples = chosen(SAMPLES, given.len()).map(sample).collect();
    let lengths = examples.iter().map(|e| words(&e.from)).collect();
    let shown = Shown {
        intervals,
        against: Some(Against::chrf(lengths, given.iter().copied().zip(wanted.iter().copied()))),
        sections: vec![Section::samples("Samples", ["source", "wanted", "given"], samples)],
        ..Shown::default()
    };
    let samples: Vec<_> = chosen(FEW, given.len())
        .map(|i| json!({ "source": examples[i].from, "wanted": wanted[i], "given": given[i] }))
        .collect();
    // Of texts without four words BLEU is 0 by its definition, however good they are.
    let four = examples.iter().any(|e| words(&e.to) >= 4);
    let (score, scored) = if four { (bleu.score, "bleu") } else { (chrf.score, "chrf") };
    let details = json!({ "pairs": given.len(), "bleu": bleu, "chrf": chrf, "exact": exact, "loss": loss, "rouge": rouge,
        "search": search, "samples": samples });
    Ok(Figures { score, scored, values, text, details, shown, ..Figures::default() })
}

/// Words of a source.
pub fn words(text: &str) -> usize {
    text.split_whitespace().count()
}
