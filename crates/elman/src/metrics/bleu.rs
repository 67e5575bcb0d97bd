//! BLEU of a corpus. Papineni et al. 2002, as sacreBLEU computes it by default (Post 2018, arXiv:1804.08771).
//!
//!   BLEU = 100 · BP · exp( ¼ Σₙ ln pₙ )        pₙ = matched n-grams / given n-grams, n = 1..4, of the whole corpus
//!   BP = 1 if given ≥ wanted tokens, else exp(1 − wanted / given)
//!
//! An order without a match counts as 1 / 2ᵏ of one match, k being the number of such orders so far (`smooth:exp`). Of
//! several references the most matches and the nearest length count. Case is kept. The orders are always four (`eff:no`).

use super::tokenize::{Tokens, split};
use super::{Estimate, MetricError, paired};
use serde::Serialize;
use std::collections::HashMap;

/// The longest n-gram.
const ORDERS: usize = 4;

/// BLEU and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bleu {
    /// 0 to 100.
    pub score: f64,
    /// Of 1-grams to 4-grams, in percent, smoothed.
    pub precisions: [f64; ORDERS],
    /// 1, or less where too little was given.
    pub brevity_penalty: f64,
    /// Tokens given.
    pub given_tokens: usize,
    /// Tokens of the references nearest in length.
    pub wanted_tokens: usize,
    /// n-grams that match.
    pub matches: [usize; ORDERS],
    /// n-grams given.
    pub totals: [usize; ORDERS],
    /// What was computed, in sacreBLEU's form; `version` names this program in place of sacreBLEU's.
    pub signature: String,
}

/// BLEU of `given` against one reference each.
///
/// # Errors
/// Different numbers of texts, or none.
pub fn bleu<S: AsRef<str>>(given: &[S], wanted: &[S], tokens: Tokens) -> Result<Bleu, MetricError> {
    let wanted: Vec<[&str; 1]> = wanted.iter().map(|w| [w.as_ref()]).collect();
    bleu_many(given, &wanted, tokens)
}

/// BLEU of `given` against one or several references each.
///
/// # Errors
/// Different numbers of texts, none, or a text without reference.
pub fn bleu_many<S: AsRef<str>, W: AsRef<[R]>, R: AsRef<str>>(
    given: &[S],
    wanted: &[W],
    tokens: Tokens,
) -> Result<Bleu, MetricError> {
    paired(given.len(), wanted.len(), "texts")?;
    let mut counts = Counts::default();
    for (i, (given, references)) in given.iter().zip(wanted).enumerate() {
        if references.as_ref().is_empty() {
            return Err(MetricError::Lacks { example: i + 1, what: "reference" });
        }
        let spread: Vec<String> = references.as_ref().iter().map(|r| tokens.spread(r.as_ref())).collect();
        counts.add(&tokens.spread(given.as_ref()), &spread);
    }
    let signature = signature(&references(wanted), tokens);
    Ok(counts.score(signature))
}

/// BLEU of `given` against one reference each, with the interval of texts drawn again and again (Koehn 2004).
///
/// # Errors
/// As [`bleu`].
pub fn bleu_estimate<S: AsRef<str>>(given: &[S], wanted: &[S], tokens: Tokens) -> Result<Estimate, MetricError> {
    paired(given.len(), wanted.len(), "texts")?;
    let one = |(given, wanted): (&S, &S)| {
        let mut counts = Counts::default();
        counts.add(&tokens.spread(given.as_ref()), &[tokens.spread(wanted.as_ref())]);
        counts
    };
    let all: Vec<Counts> = given.iter().zip(wanted).map(one).collect();
    Ok(Estimate::bootstrap(all.len(), |drawn| {
        let mut sum = Counts::default();
        drawn.iter().for_each(|i| sum.join(&all[*i as usize]));
        sum.score(String::new()).score
    }))
}

/// How many references there are: a number, or `var`.
pub(super) fn references<W: AsRef<[R]>, R: AsRef<str>>(wanted: &[W]) -> String {
    let first = wanted.first().map_or(0, |w| w.as_ref().len());
    match wanted.iter().all(|w| w.as_ref().len() == first) {
        true => first.to_string(),
        false => "var".into(),
    }
}

fn signature(references: &str, tokens: Tokens) -> String {
    let (tokens, version) = (tokens.name(), super::VERSION);
    format!("nrefs:{references}|case:mixed|eff:no|tok:{tokens}|smooth:exp|version:{version}")
}

/// Sums over the corpus.
#[derive(Default)]
struct Counts {
    given: usize,
    wanted: usize,
    matches: [usize; ORDERS],
    totals: [usize; ORDERS],
}

impl Counts {
    fn add(&mut self, given: &str, references: &[String]) {
        let given: Vec<&str> = split(given).collect();
        let references: Vec<Vec<&str>> = references.iter().map(|r| split(r).collect()).collect();
        let far = |length: usize| (length.abs_diff(given.len()), length);
        self.given += given.len();
        self.wanted += references.iter().map(Vec::len).min_by_key(|l| far(*l)).unwrap_or(0);
        for order in 1..=ORDERS {
            self.totals[order - 1] += (given.len() + 1).saturating_sub(order);
            let most = most_of(&references, order);
            for (ngram, count) in ngrams(&given, order) {
                self.matches[order - 1] += count.min(most.get(ngram).copied().unwrap_or(0));
            }
        }
    }

    fn join(&mut self, other: &Counts) {
        self.given += other.given;
        self.wanted += other.wanted;
        for order in 0..ORDERS {
            self.matches[order] += other.matches[order];
            self.totals[order] += other.totals[order];
        }
    }

    fn score(self, signature: String) -> Bleu {
        let brevity_penalty = match (self.given, self.wanted) {
            (given, wanted) if given >= wanted => 1.0,
            (0, _) => 0.0,
            (given, wanted) => (1.0 - wanted as f64 / given as f64).exp(),
        };
        let precisions = self.precisions();
        let whole = precisions.iter().all(|p| *p > 0.0);
        let logarithms: f64 = precisions.iter().map(|p| p.ln()).sum();
        Bleu {
            score: if whole { brevity_penalty * (logarithms / ORDERS as f64).exp() } else { 0.0 },
            precisions,
            brevity_penalty,
            given_tokens: self.given,
            wanted_tokens: self.wanted,
            matches: self.matches,
            totals: self.totals,
            signature,
        }
    }

    /// Percent; all 0 if nothing matches at all, and from the first order on of which none was given.
    fn precisions(&self) -> [f64; ORDERS] {
        let mut precisions = [0.0; ORDERS];
        if self.matches == [0; ORDERS] {
            return precisions;
        }
        let mut halved = 1.0;
        for (p, (matches, total)) in precisions.iter_mut().zip(self.matches.into_iter().zip(self.totals)) {
            *p = match (matches, total) {
                (_, 0) => break,
                (0, total) => {
                    halved *= 2.0;
                    100.0 / (halved * total as f64)
                }
                (matches, total) => 100.0 * matches as f64 / total as f64,
            };
        }
        precisions
    }
}

fn ngrams<'a, 't>(tokens: &'a [&'t str], order: usize) -> HashMap<&'a [&'t str], usize> {
    let mut counts = HashMap::new();
    tokens.windows(order).for_each(|ngram| *counts.entry(ngram).or_insert(0) += 1);
    counts
}

/// How often an n-gram occurs in the reference that has it most often.
fn most_of<'a, 't>(references: &'a [Vec<&'t str>], order: usize) -> HashMap<&'a [&'t str], usize> {
    let mut most = HashMap::new();
    for (ngram, count) in references.iter().flat_map(|r| ngrams(r, order)) {
        let known = most.entry(ngram).or_insert(0);
        *known = count.max(*known);
    }
    most
}
