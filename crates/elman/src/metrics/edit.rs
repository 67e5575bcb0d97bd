//! Edit distance (Levenshtein 1966: insertions, deletions, replacements), error rates and exact match.
//!
//!   rate = edits / symbols wanted, both summed over the corpus; it can pass 1

use super::tokenize::split;
use super::{Estimate, MetricError, paired};
use serde::Serialize;

/// An error rate and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ErrorRate {
    /// Edits for each symbol that is wanted.
    pub rate: f64,
    /// Edits from what is given to what is wanted.
    pub edits: usize,
    /// Characters, words or labels that are wanted.
    pub wanted: usize,
}

/// The fewest insertions, deletions and replacements that make `b` of `a`. Time |a| · |b|, memory |b|.
pub fn edit_distance<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

/// The error rate of sequences of labels of any kind.
///
/// # Errors
/// Different numbers of sequences, none, or not one symbol wanted.
pub fn error_rate<T: PartialEq, S: AsRef<[T]>>(given: &[S], wanted: &[S]) -> Result<ErrorRate, MetricError> {
    paired(given.len(), wanted.len(), "sequences")?;
    let edits = given.iter().zip(wanted).map(|(g, w)| edit_distance(g.as_ref(), w.as_ref())).sum();
    let wanted = wanted.iter().map(|w| w.as_ref().len()).sum();
    match wanted {
        0 => Err(MetricError::Nothing { what: "symbols" }),
        _ => Ok(ErrorRate { rate: edits as f64 / wanted as f64, edits, wanted }),
    }
}

/// Edits of characters (Unicode scalar values) for each character wanted.
///
/// # Errors
/// As [`error_rate`].
pub fn character_error_rate<S: AsRef<str>>(given: &[S], wanted: &[S]) -> Result<ErrorRate, MetricError> {
    let of = |texts: &[S]| texts.iter().map(|t| t.as_ref().chars().collect()).collect::<Vec<Vec<char>>>();
    error_rate(&of(given), &of(wanted))
}

/// Edits of words (between white space) for each word wanted.
///
/// # Errors
/// As [`error_rate`].
pub fn word_error_rate<S: AsRef<str>>(given: &[S], wanted: &[S]) -> Result<ErrorRate, MetricError> {
    fn of<S: AsRef<str>>(texts: &[S]) -> Vec<Vec<&str>> {
        texts.iter().map(|t| split(t.as_ref()).collect()).collect()
    }
    error_rate(&of(given), &of(wanted))
}

/// The share of those that are equal from end to end.
///
/// # Errors
/// Different numbers of texts or sequences, or none.
pub fn exact_match<T: PartialEq>(given: &[T], wanted: &[T]) -> Result<Estimate, MetricError> {
    paired(given.len(), wanted.len(), "examples")?;
    let equal = given.iter().zip(wanted).filter(|(g, w)| g == w).count();
    Estimate::share(equal, given.len()).ok_or(MetricError::Nothing { what: "examples" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The recursion of the definition.
    fn slowly(a: &[u8], b: &[u8]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a @ ..], [y, b @ ..]) if x == y => slowly(a, b),
            ([_, a1 @ ..], [_, b1 @ ..]) => 1 + slowly(a1, b).min(slowly(a, b1)).min(slowly(a1, b1)),
        }
    }

    proptest! {
        #[test]
        fn distance_is_that_of_the_definition(a in "[a-c]{0,6}", b in "[a-c]{0,6}") {
            prop_assert_eq!(edit_distance(a.as_bytes(), b.as_bytes()), slowly(a.as_bytes(), b.as_bytes()));
        }
    }

    #[test]
    fn rates_are_of_the_corpus_not_means_of_texts() {
        let (given, wanted) = (["kitten", "a"], ["sitting", "Я я"]);
        let c = character_error_rate(&given, &wanted).unwrap();
        assert_eq!((c.edits, c.wanted, c.rate), (6, 10, 0.6));
        let w = word_error_rate(&given, &wanted).unwrap();
        assert_eq!((w.edits, w.wanted, w.rate), (3, 3, 1.0));
        assert_eq!(exact_match(&given, &["kitten", "b"]).unwrap().value, 0.5);
        assert!(character_error_rate(&["a"], &[""]).is_err());
        assert_eq!(edit_distance(&[1, 2, 3, 4], &[2, 3, 4, 4]), 2);
    }
}
