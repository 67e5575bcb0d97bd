//! ROUGE-1, ROUGE-2 and ROUGE-L of single texts, averaged over texts. Lin 2004, as Google's `rouge_score` without stemmer.
//!
//!   ROUGE-N: common n-grams; ROUGE-L: the longest common subsequence of words
//!   precision = common / given        recall = common / wanted        F1 = 2 P R / (P + R)
//!
//! Words are lower-cased runs of letters and digits. `rouge_score` knows those of ASCII alone and sees nothing of a Russian
//! text; [`Words::AllScripts`] does the same for all scripts.

use super::{MetricError, paired};
use serde::Serialize;
use std::collections::HashMap;

/// What a word is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Words {
    /// a to z and 0 to 9, as in `rouge_score`: for figures that are to be compared.
    #[default]
    Ascii,
    /// Letters and digits of all scripts.
    AllScripts,
}

/// Means over texts, each from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rouge {
    /// Of single words.
    pub rouge1: Overlap,
    /// Of pairs of words.
    pub rouge2: Overlap,
    /// Of the longest common subsequence.
    pub rouge_l: Overlap,
    /// What counts as a word.
    pub words: Words,
}

/// How much two texts have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Overlap {
    /// Of what is given, the share that is common.
    pub precision: f64,
    /// Of what is wanted, the share that is common.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// ROUGE of `given` against one reference each.
///
/// # Errors
/// Different numbers of texts, or none.
pub fn rouge<S: AsRef<str>>(given: &[S], wanted: &[S], words: Words) -> Result<Rouge, MetricError> {
    paired(given.len(), wanted.len(), "texts")?;
    let mut sum = Rouge { words, ..Rouge::default() };
    for (given, wanted) in given.iter().zip(wanted) {
        let (given, wanted) = (words.of(given.as_ref()), words.of(wanted.as_ref()));
        sum.rouge1.add(ngram_overlap(&given, &wanted, 1));
        sum.rouge2.add(ngram_overlap(&given, &wanted, 2));
        sum.rouge_l.add(Overlap::of(common_subsequence(&given, &wanted), given.len(), wanted.len()));
    }
    for overlap in [&mut sum.rouge1, &mut sum.rouge2, &mut sum.rouge_l] {
        let texts = given.len() as f64;
        *overlap =
            Overlap { precision: overlap.precision / texts, recall: overlap.recall / texts, f1: overlap.f1 / texts };
    }
    Ok(sum)
}

impl Words {
    fn of(self, text: &str) -> Vec<String> {
        let part = |c: char| match self {
            Words::Ascii => c.is_ascii_lowercase() || c.is_ascii_digit(),
            Words::AllScripts => c.is_alphanumeric(),
        };
        text.to_lowercase().split(|c| !part(c)).filter(|w| !w.is_empty()).map(String::from).collect()
    }
}

impl Overlap {
    fn of(common: usize, given: usize, wanted: usize) -> Overlap {
        let precision = common as f64 / given.max(1) as f64;
        let recall = common as f64 / wanted.max(1) as f64;
        let f1 = if common == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        Overlap { precision, recall, f1 }
    }

    fn add(&mut self, other: Overlap) {
        self.precision += other.precision;
        self.recall += other.recall;
        self.f1 += other.f1;
    }
}

fn ngram_overlap(given: &[String], wanted: &[String], order: usize) -> Overlap {
    let mut left: HashMap<&[String], usize> = HashMap::new();
    wanted.windows(order).for_each(|ngram| *left.entry(ngram).or_insert(0) += 1);
    let mut common = 0;
    for ngram in given.windows(order) {
        if let Some(count) = left.get_mut(ngram).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    let ngrams = |text: &[String]| (text.len() + 1).saturating_sub(order);
    Overlap::of(common, ngrams(given), ngrams(wanted))
}

/// The length of the longest common subsequence.
fn common_subsequence(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_all_scripts_are_seen_if_asked_for() {
        let (given, wanted) = (["Кошка спит дома"], ["кошка, спит"]);
        assert_eq!(rouge(&given, &wanted, Words::Ascii).unwrap().rouge1.f1, 0.0);
        let r = rouge(&given, &wanted, Words::AllScripts).unwrap();
        assert_eq!((r.rouge1.recall, r.rouge1.precision, r.rouge2.precision), (1.0, 2.0 / 3.0, 0.5));
        assert_eq!(r.rouge_l.f1, 0.8);
    }
}
