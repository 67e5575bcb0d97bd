//! n-grams of a text as a sparse row of numbers.
//!
//!   tf-idf: (1 + ln tf) · (1 + ln((1 + texts) / (1 + df)))        binary: 1        either way the row then has length 1
//!
//! Text is lower-cased. A word is a run of letters and digits, or a run of other characters (":)" is one). Pairs of words
//! know the beginning and the end of the text; n-grams of characters know those of their word and do not leave it.

use ahash::AHashMap;
use serde::{Deserialize, Serialize};

/// What is counted in a text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// n-grams of words, from 1 to this; 0 for none.
    pub words: usize,
    /// n-grams of characters within words, from 2 to this; 0 for none.
    pub characters: usize,
    /// n-grams of characters together with where they stand, from 1 to this; 0 for none. For strings of equal length, of
    /// which each place has its meaning.
    pub positions: usize,
    /// How each is weighted.
    pub weights: Weights,
    /// Texts of the training part that an n-gram must be in.
    pub least: usize,
}

/// How an n-gram is weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// It is there or it is not.
    Binary,
    /// By its frequency in the text and its rarity among texts.
    TfIdf,
}

impl std::fmt::Display for Features {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let upto = |least: usize, most: usize, what: &str| match most {
            0 => None,
            most if most == least => Some(format!("{what} {most}-grams")),
            most => Some(format!("{what} {least}-{most}-grams")),
        };
        let parts =
            [upto(1, self.words, "word"), upto(2, self.characters, "character"), upto(1, self.positions, "placed")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let weights = if self.weights == Weights::Binary { "binary" } else { "tf-idf" };
        write!(f, "{}, {weights}", parts.join(" + "))
    }
}

impl Features {
    /// Calls `with` for each n-gram of `text`, once for each time it occurs.
    fn each(&self, text: &str, with: &mut dyn FnMut(&str)) {
        let text = text.to_lowercase();
        let mut key = String::new();
        if self.words > 0 || self.characters > 0 {
            let words = words(&text);
            self.each_of_words(&words, &mut key, with);
            for word in &words {
                self.each_of_characters(word, &mut key, with);
            }
        }
        if self.positions > 0 {
            let places: Vec<(usize, char)> = text.char_indices().collect();
            for n in 1..=self.positions {
                for (at, window) in places.windows(n).enumerate() {
                    let (from, (last, c)) = (window[0].0, window[n - 1]);
                    write_key(&mut key, &format!("p{at}"), &text[from..last + c.len_utf8()], with);
                }
            }
        }
    }

    fn each_of_words(&self, words: &[&str], key: &mut String, with: &mut dyn FnMut(&str)) {
        if self.words > 0 {
            words.iter().for_each(|w| write_key(key, "w", w, with));
        }
        let ends: Vec<&str> = std::iter::once("").chain(words.iter().copied()).chain([""]).collect();
        for n in 2..=self.words {
            ends.windows(n).for_each(|w| write_key(key, "w", &w.join(" "), with));
        }
    }

    fn each_of_characters(&self, word: &str, key: &mut String, with: &mut dyn FnMut(&str)) {
        if self.characters < 2 {
            return;
        }
        let padded = format!(" {word} ");
        let mut places: Vec<usize> = padded.char_indices().map(|(at, _)| at).collect();
        places.push(padded.len());
        for n in 2..=self.characters {
            places.windows(n + 1).for_each(|w| write_key(key, "c", &padded[w[0]..w[n]], with));
        }
    }
}

fn write_key(key: &mut String, kind: &str, ngram: &str, with: &mut dyn FnMut(&str)) {
    key.clear();
    key.push_str(kind);
    key.push(' ');
    key.push_str(ngram);
    with(key);
}

/// Runs of letters and digits, and runs of anything else but white space.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| (!c.is_whitespace()).then(|| c.is_alphanumeric() || c == '\'');
    let mut words = Vec::new();
    let (mut begin, mut now) = (0, None);
    for (at, c) in text.char_indices() {
        if kind(c) != now {
            if now.is_some() {
                words.push(&text[begin..at]);
            }
            (begin, now) = (at, kind(c));
        }
    }
    if now.is_some() {
        words.push(&text[begin..]);
    }
    words
}

/// Sparse rows, one a text.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Where each row begins, and where the last one ends.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns of row `row`, ascending, with their values.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.columns[range.clone()], &self.values[range])
    }
}

/// The n-grams of a training part, with their columns.
#[derive(Clone, Debug)]
pub struct Columns {
    features: Features,
    places: AHashMap<Box<str>, u32>,
    /// The weight of rarity of each.
    idf: Vec<f32>,
}

impl Columns {
    /// The n-grams of `texts` that are in enough of them; columns in the order in which they are met.
    pub fn of<'t>(features: Features, texts: impl IntoIterator<Item = &'t str>) -> Columns {
        // Of each n-gram: its column, the texts it is in, the last of those.
        let mut met: AHashMap<Box<str>, [u32; 3]> = AHashMap::new();
        let mut count = 0;
        for text in texts {
            count += 1;
            features.each(text, &mut |key| match met.get_mut(key) {
                Some([_, frequency, last]) => {
                    *frequency += u32::from(*last != count);
                    *last = count;
                }
                None => {
                    let place = met.len() as u32;
                    met.insert(key.into(), [place, 1, count]);
                }
            });
        }
        let mut kept: Vec<(Box<str>, [u32; 3])> =
            met.into_iter().filter(|(_, [_, frequency, _])| *frequency as usize >= features.least).collect();
        kept.sort_unstable_by_key(|(_, [place, ..])| *place);
        let rarity = |frequency: u32| 1.0 + ((1.0 + f64::from(count)) / (1.0 + f64::from(frequency))).ln();
        let idf = kept.iter().map(|(_, [_, frequency, _])| rarity(*frequency) as f32).collect();
        let places = kept.into_iter().enumerate().map(|(place, (key, _))| (key, place as u32)).collect();
        Columns { features, places, idf }
    }

    /// What is counted, and the n-grams with their weights of rarity in the order of their columns.
    pub fn parts(&self) -> (Features, Vec<&str>, &[f32]) {
        let mut ngrams = vec![""; self.idf.len()];
        self.places.iter().for_each(|(ngram, place)| ngrams[*place as usize] = ngram);
        (self.features, ngrams, &self.idf)
    }

    /// The same columns from their parts; `None` where those do not belong together.
    pub fn of_parts(features: Features, ngrams: Vec<String>, idf: Vec<f32>) -> Option<Columns> {
        let count = ngrams.len();
        let places: AHashMap<Box<str>, u32> = ngrams.into_iter().map(String::into_boxed_str).zip(0..).collect();
        (places.len() == count && idf.len() == count).then_some(Columns { features, places, idf })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.idf.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.idf.is_empty()
    }

    /// The row of each text; what is not among the columns does not count.
    pub fn rows<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Rows {
        let mut rows = Rows { starts: vec![0], ..Rows::default() };
        let mut found: Vec<u32> = Vec::new();
        for text in texts {
            found.clear();
            self.features.each(text, &mut |key| found.extend(self.places.get(key)));
            found.sort_unstable();
            let begin = rows.values.len();
            for same in found.chunk_by(|a, b| a == b) {
                rows.columns.push(same[0]);
                rows.values.push(match self.features.weights {
                    Weights::Binary => 1.0,
                    Weights::TfIdf => (1.0 + (same.len() as f32).ln()) * self.idf[same[0] as usize],
                });
            }
            let row = &mut rows.values[begin..];
            let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            row.iter_mut().for_each(|v| *v /= length);
            rows.starts.push(rows.values.len());
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Features = Features { words: 2, characters: 3, positions: 2, weights: Weights::Binary, least: 1 };

    fn keys(features: Features, text: &str) -> Vec<String> {
        let mut keys = Vec::new();
        features.each(text, &mut |key| keys.push(key.into()));
        keys
    }

    #[test]
    fn ngrams_of_a_text() {
        assert_eq!(words("it's 5, \u{1F44D}да :)"), ["it's", "5", ",", "\u{1F44D}", "да", ":)"]);
        let w = keys(Features { characters: 0, positions: 0, ..ALL }, "The cat");
        assert_eq!(w, ["w the", "w cat", "w  the", "w the cat", "w cat "]);
        let c = keys(Features { words: 0, positions: 0, ..ALL }, "дa");
        assert_eq!(c, ["c  д", "c дa", "c a ", "c  дa", "c дa "]);
        let p = keys(Features { words: 0, characters: 0, ..ALL }, "ACG");
        assert_eq!(p, ["p0 a", "p1 c", "p2 g", "p0 ac", "p1 cg"]);
    }

    #[test]
    fn rows_have_length_one_and_rare_words_weigh_more() {
        let features = Features { characters: 0, positions: 0, words: 1, weights: Weights::TfIdf, least: 1 };
        let columns = Columns::of(features, ["a b", "a c c", "a"]);
        assert_eq!(columns.len(), 3);
        let rows = columns.rows(["a b new", "", "c a c"]);
        let (at, values) = rows.row(0);
        let rarity = |df: f32| 1.0 + (4.0 / (1.0 + df)).ln();
        assert_eq!(at, [0, 1]);
        assert!((values[1] / values[0] - rarity(1.0) / rarity(3.0)).abs() < 1e-6);
        assert!((values.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(rows.row(1).0, [0u32; 0]);
        let (at, values) = rows.row(2);
        assert_eq!(at, [0, 2]);
        assert!((values[1] / values[0] - (1.0 + 2f32.ln()) * rarity(1.0) / rarity(3.0)).abs() < 1e-6);
        assert_eq!(Columns::of(Features { least: 2, ..features }, ["a b", "a c c", "a"]).len(), 1);
    }
}
