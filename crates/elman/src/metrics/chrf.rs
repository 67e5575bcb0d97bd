//! chrF: character n-grams, recall weighing twice. Popović 2015, as sacreBLEU computes it by default.
//!
//!   chrF = 100 · (1 + β²) P R / (β² P + R)       β = 2; P, R: means over orders 1..6 of the corpus's precision and recall
//!
//! White space does not count. Orders longer than all texts given, or than all references, do not count (`eff:yes`). Of
//! several references the one with the best chrF of its text counts.

use super::bleu::references;
use super::tokenize::is_space;
use super::{Estimate, MetricError, paired};
use serde::Serialize;
use std::collections::HashMap;

/// The longest n-gram.
const ORDERS: usize = 6;
/// How much recall weighs: β.
const BETA: f64 = 2.0;

/// chrF and how it was computed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chrf {
    /// 0 to 100.
    pub score: f64,
    /// What was computed, in sacreBLEU's form; `version` names this program in place of sacreBLEU's.
    pub signature: String,
}

/// chrF of `given` against one reference each.
///
/// # Errors
/// Different numbers of texts, or none.
pub fn chrf<S: AsRef<str>>(given: &[S], wanted: &[S]) -> Result<Chrf, MetricError> {
    let wanted: Vec<[&str; 1]> = wanted.iter().map(|w| [w.as_ref()]).collect();
    chrf_many(given, &wanted)
}

/// chrF of `given` against one or several references each.
///
/// # Errors
/// Different numbers of texts, none, or a text without reference.
pub fn chrf_many<S: AsRef<str>, W: AsRef<[R]>, R: AsRef<str>>(given: &[S], wanted: &[W]) -> Result<Chrf, MetricError> {
    paired(given.len(), wanted.len(), "texts")?;
    let mut counts = [Count::default(); ORDERS];
    for (i, (given, references)) in given.iter().zip(wanted).enumerate() {
        let best = best(given.as_ref(), references.as_ref());
        let best = best.ok_or(MetricError::Lacks { example: i + 1, what: "reference" })?;
        join(&mut counts, &best);
    }
    let (references, version) = (references(wanted), super::VERSION);
    let signature = format!("nrefs:{references}|case:mixed|eff:yes|nc:{ORDERS}|nw:0|space:no|version:{version}");
    Ok(Chrf { score: f_score(&counts), signature })
}

/// chrF of `given` against one reference each, with the interval of texts drawn again and again.
///
/// # Errors
/// As [`chrf`].
pub fn chrf_estimate<S: AsRef<str>>(given: &[S], wanted: &[S]) -> Result<Estimate, MetricError> {
    paired(given.len(), wanted.len(), "texts")?;
    let all: Vec<_> =
        given.iter().zip(wanted).map(|(given, wanted)| compare(given.as_ref(), wanted.as_ref())).collect();
    Ok(Estimate::bootstrap(all.len(), |drawn| {
        let mut sum = [Count::default(); ORDERS];
        drawn.iter().for_each(|i| join(&mut sum, &all[*i as usize]));
        f_score(&sum)
    }))
}

/// The n-grams of one order.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    given: usize,
    wanted: usize,
    matches: usize,
}

fn join(sums: &mut [Count; ORDERS], counts: &[Count; ORDERS]) {
    for (sum, one) in sums.iter_mut().zip(counts) {
        sum.given += one.given;
        sum.wanted += one.wanted;
        sum.matches += one.matches;
    }
}

/// The counts against the best of the references, the first of equal ones.
fn best<R: AsRef<str>>(given: &str, references: &[R]) -> Option<[Count; ORDERS]> {
    let mut best = None;
    for reference in references {
        let counts = compare(given, reference.as_ref());
        let score = f_score(&counts);
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, counts));
        }
    }
    best.map(|(_, counts)| counts)
}

fn compare(given: &str, wanted: &str) -> [Count; ORDERS] {
    let [given, wanted] = [given, wanted].map(|t| t.chars().filter(|c| !is_space(*c)).collect::<Vec<char>>());
    std::array::from_fn(|o| {
        let theirs = ngrams(&wanted, o + 1);
        let windows = |text: &[char]| text.len().saturating_sub(o);
        let hit = |(ngram, count): (&[char], usize)| count.min(theirs.get(ngram).copied().unwrap_or(0));
        Count {
            // Without any reference n-gram of this order nothing given counts against it.
            given: if theirs.is_empty() { 0 } else { windows(&given) },
            wanted: windows(&wanted),
            matches: ngrams(&given, o + 1).into_iter().map(hit).sum(),
        }
    })
}

fn ngrams(text: &[char], order: usize) -> HashMap<&[char], usize> {
    let mut counts = HashMap::new();
    text.windows(order).for_each(|ngram| *counts.entry(ngram).or_insert(0) += 1);
    counts
}

fn f_score(counts: &[Count; ORDERS]) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for count in counts.iter().filter(|c| c.given > 0 && c.wanted > 0) {
        precision += count.matches as f64 / count.given as f64;
        recall += count.matches as f64 / count.wanted as f64;
        orders += 1.0;
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / orders, recall / orders);
    100.0 * (1.0 + BETA * BETA) * precision * recall / (BETA * BETA * precision + recall)
}
