//! Texts with marked parts: find them and repeat them.

use super::below;
use elman_engine::Random;

/// Syllables that words are made of.
const SYLLABLES: [&str; 16] =
    ["ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "vu", "wa", "ze", "bo", "da", "fi", "gu", "he"];
/// Most words of a part.
const PART: usize = 3;

fn word(random: &mut Random) -> String {
    (0..2 + below(random, 2)).map(|_| SYLLABLES[below(random, SYLLABLES.len())]).collect()
}

/// A text of `length` words with one to three parts between `<` and `>`, a tab, and the parts.
pub fn pair(random: &mut Random, length: usize) -> String {
    let length = length.max(PART);
    let mut words: Vec<String> = (0..length).map(|_| word(random)).collect();
    let mut summary: Vec<String> = vec![];
    let parts = (1 + below(random, 3)).min(length / PART);
    // Each part lies in its own stretch of the text.
    let stretch = length / parts;
    for part in 0..parts {
        let size = 1 + below(random, PART.min(stretch));
        let first = part * stretch + below(random, stretch - size + 1);
        summary.extend_from_slice(&words[first..first + size]);
        words[first].insert_str(0, "< ");
        words[first + size - 1].push_str(" >");
    }
    format!("{}\t{}", words.join(" "), summary.join(" "))
}
