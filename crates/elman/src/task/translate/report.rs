//! What is measured of translations, and how it is shown.

use super::data::Example;
use crate::error::Error;
use crate::metrics::by_length::{Bins, by_length};
use crate::metrics::{Estimate, bleu, chrf, tokenize::Tokens};
use crate::task::Figures;
use crate::task::settings::Search;
use serde_json::json;
use std::fmt::Write;

/// Rows of the table by length.
const BINS: usize = 5;
/// Pairs that are shown.
const SAMPLES: usize = 5;

/// All figures of `given`, which `examples` wanted otherwise or the same.
///
/// # Errors
/// No example.
pub fn figures(examples: &[Example], given: &[String], loss: f64, search: Search) -> Result<Figures, Error> {
    let wanted: Vec<&str> = examples.iter().map(|e| e.to.as_str()).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let bleu = bleu::bleu(&given, &wanted, Tokens::V13a)?;
    let chrf = chrf::chrf(&given, &wanted)?;
    let same = given.iter().zip(&wanted).filter(|(g, w)| g == w).count();
    let exact = Estimate::share(same, given.len());
    let words: Vec<usize> = examples.iter().map(|e| e.from.split_whitespace().count()).collect();
    let bins = by_length(&words, &Bins::Even(BINS), |members| {
        let pick = |all: &[&str]| members.iter().map(|i| all[*i].to_string()).collect::<Vec<_>>();
        Ok(bleu::bleu(&pick(&given), &pick(&wanted), Tokens::V13a)?.score)
    })?;
    let samples: Vec<usize> =
        (0..SAMPLES.min(given.len())).map(|k| k * given.len() / SAMPLES.min(given.len())).collect();
    let mut text = format!("{}\n{}\n\nsource words  pairs   BLEU\n", bleu.signature, chrf.signature);
    for b in &bins {
        let range = format!("{}-{}", b.shortest, b.longest);
        let _ = writeln!(text, "{range:<12}  {:<6}  {:.2}", b.examples, b.value);
    }
    for i in &samples {
        let _ = writeln!(text, "\nsource  {}\nwanted  {}\ngiven   {}", examples[*i].from, wanted[*i], given[*i]);
    }
    let share = exact.map_or(0.0, |e| e.value);
    let values = vec![
        ("bleu".to_string(), bleu.score),
        ("chrf".to_string(), chrf.score),
        ("exact".to_string(), share),
        ("loss".to_string(), loss),
    ];
    let shown: Vec<_> = samples
        .iter()
        .map(|i| json!({ "source": examples[*i].from, "wanted": wanted[*i], "given": given[*i] }))
        .collect();
    let score = bleu.score;
    let details = json!({ "pairs": given.len(), "bleu": bleu, "chrf": chrf, "exact": exact, "loss": loss,
        "by_source_words": bins, "search": search, "samples": shown });
    Ok(Figures { score, values, text, details })
}
