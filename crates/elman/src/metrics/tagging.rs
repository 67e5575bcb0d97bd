//! A tag for every word: accuracy over words, each tag's figures, words that training never showed.

use super::classification::{Classification, classification};
use super::{Estimate, MetricError, paired};
use serde::Serialize;
use std::collections::HashSet;

/// A sentence with its tags, as places in the list of names.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<'a> {
    /// The words.
    pub words: &'a [&'a str],
    /// The tags they have.
    pub wanted: &'a [usize],
    /// The tags they were given.
    pub given: &'a [usize],
}

/// All figures of a tagger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tagging {
    /// Sentences scored.
    pub sentences: usize,
    /// The share of them that is right from end to end.
    pub whole_sentences: Estimate,
    /// Words that are not in the training part.
    pub unseen_words: usize,
    /// The share of those that is right; none if there are no such words.
    pub unseen_accuracy: Option<Estimate>,
    /// Figures over words, whether seen or not: `words.accuracy` is the tagging accuracy.
    pub words: Classification,
}

/// Scores tagged sentences; a word counts as unseen if it, in this very spelling, is not among `seen`.
///
/// # Errors
/// A sentence whose words and tags do not pair up, no words at all, or a tag beyond the names.
pub fn tagging(sentences: &[Tagged], seen: &HashSet<&str>, names: &[String]) -> Result<Tagging, MetricError> {
    let (mut wanted, mut given) = (Vec::new(), Vec::new());
    let (mut whole, mut unseen, mut unseen_right) = (0, 0, 0);
    for s in sentences {
        if s.words.len() != s.wanted.len() || s.given.len() != s.wanted.len() {
            paired(s.given.len().min(s.words.len()), s.wanted.len().max(s.words.len()), "tags of a sentence")?;
        }
        whole += usize::from(s.wanted == s.given);
        for (word, (w, g)) in s.words.iter().zip(s.wanted.iter().zip(s.given)) {
            if !seen.contains(word) {
                unseen += 1;
                unseen_right += usize::from(w == g);
            }
        }
        wanted.extend_from_slice(s.wanted);
        given.extend_from_slice(s.given);
    }
    Ok(Tagging {
        sentences: sentences.len(),
        words: classification(&wanted, &given, names)?,
        whole_sentences: Estimate::share(whole, sentences.len()).ok_or(MetricError::Nothing { what: "sentences" })?,
        unseen_words: unseen,
        unseen_accuracy: Estimate::share(unseen_right, unseen),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_sentences_and_unseen_words_are_counted_apart() {
        let seen = HashSet::from(["the", "cat", "sat"]);
        let sentences = [
            Tagged { words: &["the", "cat", "purrs"], wanted: &[0, 1, 2], given: &[0, 1, 2] },
            Tagged { words: &["The", "cat"], wanted: &[0, 1], given: &[1, 1] },
        ];
        let names = ["D", "N", "V"].map(String::from);
        let t = tagging(&sentences, &seen, &names).unwrap();
        assert_eq!((t.words.examples, t.words.accuracy.value, t.sentences), (5, 0.8, 2));
        assert_eq!((t.whole_sentences.value, t.unseen_words, t.unseen_accuracy.unwrap().value), (0.5, 2, 0.5));
        let short = Tagged { words: &["a", "b"], wanted: &[0, 0], given: &[0] };
        assert!(tagging(&[short], &seen, &names).unwrap_err().to_string().starts_with("1 tags of a sentence"));
        assert!(tagging(&[], &seen, &names).is_err());
    }
}
