//! The wide part: n-grams of a text, straight to the labels, beside the network that reads it in order.
//!
//! n-grams of 1 to 3 words and of 2 to 5 characters within a word are hashed into the rows of a table (Joulin et al. 2016,
//! arXiv:1607.01759); the text's rows, each once, are summed and divided by the root of their number, so that a long text
//! counts no more than a short one. Rows start at 0: what no training text holds says nothing.

use std::collections::BTreeSet;

/// Words of the longest n-gram.
const WORDS: usize = 3;
/// Characters of the longest n-gram.
const CHARACTERS: usize = 5;

/// The rows of a text's n-grams in a table of `rows`, ascending, each once. `words` are as the model reads them.
pub fn rows_of(words: &[String], rows: usize) -> Vec<u32> {
    let mut found = BTreeSet::new();
    let mut add = |key: u64| found.insert((spread(key) % rows.max(1) as u64) as u32);
    for at in 0..words.len() {
        let mut key = hash(BEGIN, "w");
        for word in words[at..].iter().take(WORDS) {
            key = hash(hash(key, " "), word);
            add(key);
        }
    }
    for (at, word) in words.iter().enumerate() {
        // The beginning and the end of the text are words of their own, in pairs.
        if at == 0 {
            add(hash(hash(BEGIN, "first "), word));
        }
        if at + 1 == words.len() {
            add(hash(hash(BEGIN, "last "), word));
        }
        let padded: Vec<char> = format!("<{word}>").chars().collect();
        for n in 2..=CHARACTERS {
            for window in padded.windows(n) {
                let text: String = window.iter().collect();
                add(hash(hash(BEGIN, "c "), &text));
            }
        }
    }
    found.into_iter().collect()
}

/// The same of a string in which each place has its meaning: n-grams of 1 to 3 letters, each with where it stands.
pub fn rows_of_places(letters: &[String], rows: usize) -> Vec<u32> {
    let mut found = BTreeSet::new();
    for at in 0..letters.len() {
        let mut key = hash(hash(BEGIN, "p"), &at.to_string());
        for letter in letters[at..].iter().take(WORDS) {
            key = hash(hash(key, " "), letter);
            found.insert((spread(key) % rows.max(1) as u64) as u32);
        }
    }
    found.into_iter().collect()
}

/// FNV-1a, 64 bits: its offset and its prime.
const BEGIN: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

fn hash(key: u64, text: &str) -> u64 {
    text.bytes().fold(key, |key, byte| (key ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Moves all bits into the low ones (the finaliser of MurmurHash3).
fn spread(key: u64) -> u64 {
    let key = (key ^ (key >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let key = (key ^ (key >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    key ^ (key >> 33)
}

#[cfg(test)]
mod tests {
    use super::{rows_of, rows_of_places};

    fn rows(text: &str) -> Vec<u32> {
        rows_of(&text.split(' ').map(str::to_string).collect::<Vec<_>>(), 1 << 30)
    }

    #[test]
    fn order_counts_and_repeats_do_not() {
        // Words 1 + 1, a pair, first and last; characters of `<a>` and `<b>`: 2 pairs and 1 of three each.
        assert_eq!(rows("a b").len(), 5 + 6);
        assert_ne!(rows("a b"), rows("b a"));
        assert_eq!(rows("a a a a"), rows("a a a a a"));
        assert!(rows_of(&["word".to_string()], 7).iter().all(|row| *row < 7));
        assert!(rows_of(&[], 7).is_empty());
        // Three at the first place, two at the next, one at the last: repeats count, each where it stands.
        let letters = ["a", "a", "a"].map(str::to_string);
        assert_eq!(rows_of_places(&letters, 1 << 30).len(), 6);
    }
}
