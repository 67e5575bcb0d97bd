//! The wide part: what a word looks like and what stands beside it, straight to the tags, beside the network that reads the sentence.
//!
//! A word has features of its own form, its form in small letters, its first and last 1 to 4 letters, its shape (`Xx-d`), and its
//! neighbours in small letters. They are hashed into the rows of a table (Cheng et al. 2016, arXiv:1606.07792); a word's rows are
//! summed and divided by the root of their number. Rows start at 0: what no training sentence holds says nothing.

use crate::task::hash::{BEGIN, hash, spread};

/// Letters of the longest beginning and end.
const AFFIX: usize = 4;

/// For each word of a sentence, the rows of its features in a table of `rows`.
pub fn rows_of(words: &[&str], rows: usize) -> Vec<Vec<u32>> {
    let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
    let row = |kind: &str, text: &str| (spread(hash(hash(BEGIN, kind), text)) % rows.max(1) as u64) as u32;
    let beside = |i: Option<usize>| i.and_then(|i| lower.get(i)).map_or("", String::as_str);
    let of = |i: usize| {
        let mut all = vec![row("word ", words[i]), row("small ", &lower[i]), row("shape ", &shape(words[i]))];
        all.extend([row("before ", beside(i.checked_sub(1))), row("after ", beside(Some(i + 1)))]);
        let letters: Vec<char> = lower[i].chars().collect();
        for n in 1..=AFFIX.min(letters.len()) {
            let text = |letters: &[char]| letters.iter().collect::<String>();
            all.extend([row("first ", &text(&letters[..n])), row("last ", &text(&letters[letters.len() - n..]))]);
        }
        all
    };
    (0..words.len()).map(of).collect()
}

/// `McDonald-7` → `XxXx-d`; marks of one kind once, and any mark that is no hyphen, point or comma as `*`.
fn shape(word: &str) -> String {
    let kind = |c: char| match c {
        c if c.is_uppercase() => 'X',
        c if c.is_alphabetic() => 'x',
        c if c.is_numeric() => 'd',
        '-' | '.' | ',' => c,
        _ => '*',
    };
    let mut kinds: Vec<char> = word.chars().map(kind).collect();
    kinds.dedup();
    kinds.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{rows_of, shape};

    #[test]
    fn shapes_keep_what_tells_kinds_apart() {
        assert_eq!(["McDonald-77", "и", "3,5", "``", "\"!"].map(shape), ["XxXx-d", "x", "d,d", "*", "*"]);
    }

    #[test]
    fn a_word_has_its_form_its_ends_and_its_neighbours() {
        let rows = rows_of(&["The", "cats", "sat", "cats"], 1 << 30);
        // Form, small letters, shape, two neighbours, and two of each length up to 4.
        assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [5 + 6, 5 + 8, 5 + 6, 5 + 8]);
        let differ = |a: &[u32], b: &[u32]| a.iter().zip(b).filter(|(a, b)| a != b).count();
        assert_eq!(differ(&rows[1], &rows[3]), 2);
        assert!(rows_of(&["one"], 7)[0].iter().all(|row| *row < 7) && rows_of(&[], 7).is_empty());
    }
}
