//! Files of made examples, for a first try of a task before there is data of one's own: `elman make`.
//!
//! Example k of a seed is the same whatever the count; nothing is drawn from anybody's texts.

mod dialogue;
mod marked;
mod questions;

use elman_engine::Random;

/// What can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Conversations of ten turns, a turn a line, an empty line after each: who remembers what was said?
    Dialogue,
    /// A text with marked parts, a tab, and the marked parts alone: what a summary is made of.
    Marked,
    /// A question, a tab, and the sentence that answers it.
    Questions,
}

/// Lines of `count` examples; `length` is the number of words of a text, where there is one.
pub fn make(kind: Kind, count: u64, length: usize, seed: u64, mut line: impl FnMut(&str) -> bool) {
    for example in 0..count {
        let mut random = Random::new(seed, example);
        let text = match kind {
            Kind::Dialogue => dialogue::conversation(&mut random),
            Kind::Marked => marked::pair(&mut random, length),
            Kind::Questions => questions::pair(&mut random),
        };
        if !line(&text) {
            return;
        }
    }
}

/// One of several.
fn one<'a>(random: &mut Random, of: &[&'a str]) -> &'a str {
    of[below(random, of.len())]
}

/// A number below `n`.
fn below(random: &mut Random, n: usize) -> usize {
    ((random.uniform() * n as f64) as usize).min(n - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: Kind, count: u64, seed: u64) -> Vec<String> {
        let mut all = vec![];
        make(kind, count, 12, seed, |line| {
            all.push(line.to_string());
            true
        });
        all
    }

    #[test]
    fn examples_follow_from_seed_and_number_alone() {
        for kind in [Kind::Dialogue, Kind::Marked, Kind::Questions] {
            assert_eq!(made(kind, 5, 3), made(kind, 9, 3)[..5]);
            assert_ne!(made(kind, 5, 3), made(kind, 5, 4));
        }
    }

    #[test]
    fn a_summary_is_the_marked_words_in_order() {
        for pair in made(Kind::Marked, 50, 1) {
            let (text, summary) = pair.split_once('\t').unwrap();
            let mut open = false;
            let mut marked = vec![];
            for word in text.split(' ') {
                match word {
                    "<" => open = true,
                    ">" => open = false,
                    word if open => marked.push(word),
                    _ => {}
                }
            }
            assert_eq!(marked.join(" "), summary);
            assert!(!summary.is_empty());
        }
    }

    #[test]
    fn replies_repeat_what_was_said_last() {
        for conversation in made(Kind::Dialogue, 50, 1) {
            let lines: Vec<&str> = conversation.lines().collect();
            assert_eq!(lines.len(), 20);
            let mut told = std::collections::BTreeMap::new();
            for turn in lines.chunks(2) {
                let words: Vec<&str> = turn[0].split(' ').collect();
                match words[..] {
                    ["my", thing, "is", colour] => {
                        told.insert(thing, colour);
                        assert_eq!(turn[1], format!("your {thing} is {colour}"));
                    }
                    ["what", "colour", "is", "my", thing, "?"] => match told.get(thing) {
                        Some(colour) => assert_eq!(turn[1], format!("your {thing} is {colour}")),
                        None => assert_eq!(turn[1], "you did not say"),
                    },
                    _ => panic!("{words:?}"),
                }
            }
        }
    }
}
