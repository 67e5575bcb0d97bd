//! What kinds of things a word may name, by WordNet: its senses are sorted into 45 files, such as noun.person, noun.location and
//! verb.motion (Fellbaum 1998; "supersenses" in Ciaramita and Johnson 2003).
//!
//!   numbers of a word: for each file Σ (count + ½) of its senses there / Σ (count + ½) of all its senses
//!
//! with the counts of senses in the texts that WordNet's authors marked. A word that WordNet does not have is looked for as the
//! word that it may be a form of.

use std::collections::HashMap;
use std::io::BufRead;

/// WordNet's files of senses.
pub const KINDS: usize = 45;

/// Endings of nouns and verbs, and what stands there in the word that WordNet has.
const ENDINGS: [(&str, &str); 14] = [
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("es", "e"),
    ("es", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
];

/// Words with their weight in each file.
pub struct Senses {
    words: HashMap<String, [f32; KINDS]>,
}

impl Senses {
    /// Reads `index.sense`: `word%type:file:…`, the sense's place, its number, its count, a sense a line.
    pub fn read(file: impl BufRead) -> Result<Senses, String> {
        let mut words: HashMap<String, [f32; KINDS]> = HashMap::new();
        for (at, line) in file.split(b'\n').enumerate() {
            let line = line.map_err(|e| e.to_string())?;
            let line = String::from_utf8_lossy(&line);
            let (word, kind, count) = sense(&line).ok_or_else(|| format!("line {}: no sense: {line}", at + 1))?;
            words.entry(word.to_string()).or_insert([0.0; KINDS])[kind] += count + 0.5;
        }
        for weights in words.values_mut() {
            let sum: f32 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= sum);
        }
        Ok(Senses { words })
    }

    /// The numbers of a word in small letters; zeros of one that WordNet does not know.
    pub fn of(&self, word: &str) -> [f32; KINDS] {
        let stem = |(ending, instead): &(&str, &str)| {
            let front = word.strip_suffix(ending).filter(|front| front.len() > 1)?;
            self.words.get(&format!("{front}{instead}"))
        };
        self.words.get(word).or_else(|| ENDINGS.iter().find_map(stem)).copied().unwrap_or([0.0; KINDS])
    }
}

/// The word, the file and the count of a line.
fn sense(line: &str) -> Option<(&str, usize, f32)> {
    let (key, rest) = line.trim_end().split_once(' ')?;
    let (word, key) = key.split_once('%')?;
    let kind = key.split(':').nth(1)?.parse().ok().filter(|kind| *kind < KINDS)?;
    Some((word, kind, rest.split(' ').nth(2)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Senses;

    #[test]
    fn senses_weigh_by_their_counts_and_forms_are_those_of_the_word() {
        let index = "actor%1:18:00:: 09784701 1 14\nactor%1:18:01:: 09786620 2 0\nbank%1:14:00:: 08437235 2 3\n\
                     bank%1:17:01:: 09236472 1 0\nfly%2:38:00:: 01944262 1 1\n";
        let senses = Senses::read(index.as_bytes()).unwrap();
        assert_eq!(senses.of("actor")[18], 1.0);
        let bank = senses.of("banks");
        assert_eq!((bank[14], bank[17]), (0.875, 0.125));
        assert_eq!(senses.of("flies")[38], 1.0);
        assert_eq!(senses.of("flying"), senses.of("fly"));
        assert!(senses.of("serfdom").iter().all(|x| *x == 0.0));
        let wrong = Senses::read("actor%1:45:00:: 09784701 1 14\n".as_bytes()).err().unwrap();
        assert_eq!(wrong, "line 1: no sense: actor%1:45:00:: 09784701 1 14");
    }
}
