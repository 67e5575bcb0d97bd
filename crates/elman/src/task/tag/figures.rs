//! What is shown of a tagger.

use crate::metrics::tagging::{Tagged, Tagging};
use crate::report::{Sample, Section};
use crate::task::{Against, Shown};
use std::fmt::Write;

/// Wrong sentences on the page.
const SHOWN: usize = 10;

/// Tags, confusions, wrong sentences, and the accuracy against length.
pub fn shown(found: &Tagging, sentences: &[Tagged<'_>], names: &[String]) -> Shown {
    let mut intervals = vec![("accuracy", found.words.accuracy), ("whole_sentences", found.whole_sentences)];
    intervals.extend(found.unseen_accuracy.map(|e| ("unseen_words", e)));
    let right = sentences.iter().map(|s| {
        let right = s.wanted.iter().zip(s.given).filter(|(wanted, given)| wanted == given).count();
        [right as f64, s.wanted.len() as f64]
    });
    let lengths = sentences.iter().map(|s| s.words.len()).collect();
    Shown {
        intervals,
        against: Some(Against::shares("accuracy", lengths, right)),
        sections: vec![
            Section::classes("Tags", "tag", &found.words),
            Section::confused("Most confused tags", &found.words),
            wrong(sentences, names),
        ],
        ..Shown::default()
    }
}

/// Sentences with a wrong tag, and the words that have it.
fn wrong(sentences: &[Tagged<'_>], names: &[String]) -> Section {
    let wrong = sentences.iter().filter(|s| s.wanted != s.given);
    let sample = |s: &Tagged<'_>| {
        let differ = (0..s.words.len()).filter(|i| s.wanted[*i] != s.given[*i]);
        let tagged = |tags: &[usize]| {
            let one = |i: usize| format!("{}/{}", s.words[i], names[tags[i]]);
            differ.clone().map(one).collect::<Vec<_>>().join(" ")
        };
        Sample { wanted: Some(tagged(s.wanted)), ..Sample::of(s.words.join(" "), tagged(s.given)) }
    };
    Section::samples("Wrong sentences", ["sentence", "wanted", "given"], wrong.take(SHOWN).map(sample).collect())
}

/// The figures of each tag, the commonest first.
pub fn table(found: &Tagging) -> String {
    let mut text = "\ntag                   words   precision  recall  F1\n".to_string();
    let mut tags: Vec<_> = found.words.classes.iter().filter(|c| c.support > 0).collect();
    tags.sort_by_key(|c| std::cmp::Reverse(c.support));
    for c in tags {
        let _ = writeln!(text, "{:<20}{:>7}      {:.4}  {:.4}  {:.4}", c.name, c.support, c.precision, c.recall, c.f1);
    }
    let _ = writeln!(text, "\n{} words of {} are not in the training part", found.unseen_words, found.words.examples);
    text
}
