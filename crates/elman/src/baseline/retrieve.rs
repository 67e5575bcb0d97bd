//! What is found without a network: texts as weighted counts of words, or of runs of characters, compared by their angle.
//!
//!   weight(t, text) = (1 + ln n(t, text)) · ln((1 + N) / (1 + N(t)))       Salton & Buckley 1988, over N documents
//!
//! For words and for n-grams of 2 to 5 characters within words, in small letters. There is nothing to tune but the length of
//! the runs, which is chosen on the validation part by whoever calls.

use crate::task::words::split;
use std::collections::{BTreeMap, HashMap};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Words.
    Words,
    /// Runs of 2 up to so many characters, with the ends of words as characters.
    Runs(usize),
}

/// Documents by their terms.
pub struct Index {
    terms: Terms,
    /// Where a term occurs, and its share there.
    places: HashMap<String, Vec<(usize, f64)>>,
    documents: usize,
}

impl Terms {
    /// Each term of a text and how often it stands there, in a fixed order.
    fn counts(self, text: &str) -> BTreeMap<String, f64> {
        let mut counts = BTreeMap::new();
        for word in split(&text.to_lowercase()) {
            match self {
                Terms::Words => *counts.entry(word.to_string()).or_insert(0.0) += 1.0,
                Terms::Runs(longest) => {
                    let letters: Vec<char> = [' '].into_iter().chain(word.chars()).chain([' ']).collect();
                    for length in 2..=longest {
                        letters
                            .windows(length)
                            .for_each(|run| *counts.entry(run.iter().collect()).or_insert(0.0) += 1.0);
                    }
                }
            }
        }
        counts
    }
}

impl Index {
    /// Of all documents.
    pub fn new(documents: &[String], terms: Terms) -> Index {
        let counts: Vec<BTreeMap<String, f64>> = documents.iter().map(|d| terms.counts(d)).collect();
        let mut places: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
        for (d, counts) in counts.iter().enumerate() {
            counts.iter().for_each(|(t, n)| places.entry(t.clone()).or_default().push((d, 1.0 + n.ln())));
        }
        let rarity = |places: &[(usize, f64)]| rarity(documents.len(), places.len());
        for (d, counts) in counts.iter().enumerate() {
            let weight = |(t, n): (&String, &f64)| (1.0 + n.ln()) * rarity(&places[t]);
            let length = counts.iter().map(weight).map(|w| w * w).sum::<f64>().sqrt();
            for t in counts.keys() {
                let all = places.get_mut(t).into_iter().flatten();
                all.filter(|(place, _)| *place == d).for_each(|(_, share)| *share /= length.max(1e-12));
            }
        }
        Index { terms, places, documents: documents.len() }
    }

    /// How alike each document is to a query; equal to others but for a factor that is the query’s.
    pub fn scores(&self, query: &str) -> Vec<f64> {
        let mut scores = vec![0.0; self.documents];
        for (t, n) in self.terms.counts(query) {
            let Some(places) = self.places.get(&t) else { continue };
            // Once for the query's weight, once for the document's.
            let weight = (1.0 + n.ln()) * rarity(self.documents, places.len()).powi(2);
            places.iter().for_each(|(d, share)| scores[*d] += weight * share);
        }
        scores
    }
}

fn rarity(documents: usize, with: usize) -> f64 {
    ((1.0 + documents as f64) / (1.0 + with as f64)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(scores: &[f64]) -> usize {
        scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |b| b.0)
    }

    #[test]
    fn rare_words_count_and_common_ones_do_not() {
        let documents = ["the cat sat", "the dog the dog", "the zebra"].map(String::from);
        let words = Index::new(&documents, Terms::Words);
        assert_eq!(largest(&words.scores("The ZEBRA the the")), 2);
        assert_eq!(words.scores("zebras"), [0.0; 3]);
        assert_eq!(largest(&Index::new(&documents, Terms::Runs(4)).scores("zebras")), 2);
    }

    #[test]
    fn scores_are_cosines_but_for_the_querys_length() {
        let documents = ["a b", "a c c", "d"].map(String::from);
        let index = Index::new(&documents, Terms::Words);
        let (a, b, c) = ((4f64 / 3.0).ln(), 2f64.ln(), (1.0 + 2f64.ln()) * 2f64.ln());
        let wanted = [(a * a + b * b) / a.hypot(b), a * a / a.hypot(c), 0.0];
        for (score, wanted) in index.scores("a b").iter().zip(wanted) {
            assert!((score - wanted).abs() < 1e-12, "{score} {wanted}");
        }
    }
}
