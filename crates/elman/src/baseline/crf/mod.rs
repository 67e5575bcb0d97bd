//! A tagger: a linear-chain conditional random field (`chain`) on what a word looks like and what stands beside it.
//!
//!   minimise  − Σ ln p(tags | words) + ‖w‖² / 2C        by L-BFGS; C is chosen on the validation part
//!
//! Features of a word: itself, in lower case, its first and last 1 to 4 letters, its shape (`Xx-d`), its neighbours in lower
//! case. Each is kept if it occurs twice in the training part; none shares its weight with another.

mod chain;

use super::BaselineError;
use super::lbfgs::{self, Settings, dot};
use ahash::AHashMap;
use chain::{Chain, Coded};

/// A hundredth of a percent of tags does not change beyond this.
const SETTINGS: Settings = Settings { memory: 5, steps: 120, tolerance: 1e-3 };
/// Occurrences that keep a feature.
const LEAST: u32 = 2;
/// Letters of the longest prefix and suffix.
const AFFIX: usize = 4;

/// What C is chosen from, unless told otherwise.
pub const STRENGTHS: [f64; 3] = [0.3, 1.0, 3.0];

/// A sentence with its tags.
#[derive(Clone, Copy, Debug)]
pub struct Sentence<'a> {
    /// The words.
    pub words: &'a [&'a str],
    /// As many tags.
    pub tags: &'a [&'a str],
}

/// The tagger that did best on the validation part.
#[derive(Clone, Debug)]
pub struct Tagger {
    tags: Vec<String>,
    features: AHashMap<Box<str>, u32>,
    weights: Vec<f64>,
    tried: Vec<Trial>,
    best: Trial,
}

/// What a strength came to on the validation part.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Trial {
    /// C: the greater, the weaker is the regularisation.
    pub strength: f64,
    /// The share of words that are right.
    pub accuracy: f64,
}

impl Tagger {
    /// Trains with each of `strengths` on `train` and keeps what does best on `valid`; of equal ones the smaller.
    ///
    /// # Errors
    /// A part without words, words and tags that do not pair up, no strength, or one that is not above 0.
    pub fn tune(train: &[Sentence], valid: &[Sentence], strengths: &[f64]) -> Result<Tagger, BaselineError> {
        check(train, "training")?;
        check(valid, "validation")?;
        let strengths = super::ascending(strengths)?;
        let mut tags: Vec<String> = train.iter().flat_map(|s| s.tags).map(|t| (*t).into()).collect();
        tags.sort_unstable();
        tags.dedup();
        let features = known(train);
        let weights = vec![0.0; features.len() * tags.len() + (tags.len() + 1) * tags.len()];
        let none = Trial { strength: 0.0, accuracy: -1.0 };
        let mut tagger = Tagger { tags, features, weights, tried: Vec::new(), best: none };
        let coded: Vec<Coded> = train.iter().map(|s| tagger.code(s)).collect();
        let mut kept = tagger.weights.clone();
        for strength in strengths {
            // Each goes on from the weaker one before it.
            fit(&mut tagger.weights, &coded, tagger.tags.len(), strength);
            let trial = Trial { strength, accuracy: tagger.accuracy(valid) };
            tagger.tried.push(trial);
            if trial.accuracy > tagger.best.accuracy {
                tagger.best = trial;
                kept.clone_from(&tagger.weights);
            }
        }
        tagger.weights = kept;
        Ok(tagger)
    }

    /// The tags of `words`.
    pub fn tag(&self, words: &[&str]) -> Vec<&str> {
        let chain = Chain { tags: self.tags.len(), weights: &self.weights };
        chain.best(&self.features_of(words)).into_iter().map(|t| self.tags[t].as_str()).collect()
    }

    /// What was chosen, and how it did on the validation part.
    pub fn best(&self) -> &Trial {
        &self.best
    }

    /// All that was tried.
    pub fn tried(&self) -> &[Trial] {
        &self.tried
    }

    fn accuracy(&self, part: &[Sentence]) -> f64 {
        let right = |s: &Sentence| self.tag(s.words).iter().zip(s.tags).filter(|(g, w)| g == w).count();
        let words: usize = part.iter().map(|s| s.words.len()).sum();
        part.iter().map(right).sum::<usize>() as f64 / words as f64
    }

    fn features_of(&self, words: &[&str]) -> Vec<Vec<u32>> {
        let mut all = vec![Vec::new(); words.len()];
        each(words, &mut |i, key| all[i].extend(self.features.get(key)));
        all
    }

    fn code(&self, s: &Sentence) -> Coded {
        let place = |t: &&str| self.tags.binary_search_by(|tag| tag.as_str().cmp(t)).ok();
        Coded { words: self.features_of(s.words), tags: s.tags.iter().filter_map(place).collect() }
    }
}

fn check(part: &[Sentence], name: &'static str) -> Result<(), BaselineError> {
    if part.iter().all(|s| s.words.is_empty()) {
        return Err(BaselineError::Empty { part: name });
    }
    match part.iter().position(|s| s.words.len() != s.tags.len()) {
        None => Ok(()),
        Some(k) => Err(BaselineError::Unpaired {
            part: name,
            sentence: k + 1,
            words: part[k].words.len(),
            tags: part[k].tags.len(),
        }),
    }
}

/// The features that occur often enough, numbered in the order in which they are met.
fn known(train: &[Sentence]) -> AHashMap<Box<str>, u32> {
    let mut met: AHashMap<Box<str>, [u32; 2]> = AHashMap::new();
    for s in train {
        each(s.words, &mut |_, key| match met.get_mut(key) {
            Some([_, count]) => *count = count.saturating_add(1),
            None => {
                let place = met.len() as u32;
                met.insert(key.into(), [place, 1]);
            }
        });
    }
    let mut kept: Vec<(Box<str>, [u32; 2])> = met.into_iter().filter(|(_, [_, count])| *count >= LEAST).collect();
    kept.sort_unstable_by_key(|(_, [place, _])| *place);
    kept.into_iter().enumerate().map(|(place, (key, _))| (key, place as u32)).collect()
}

/// Calls `with` with each feature of each word.
fn each(words: &[&str], with: &mut dyn FnMut(usize, &str)) {
    let lower: Vec<String> = words.iter().map(|w| w.to_lowercase()).collect();
    let beside = |i: usize| lower.get(i).map_or("", String::as_str);
    for (i, word) in words.iter().enumerate() {
        with(i, &format!("w {word}"));
        with(i, &format!("l {}", lower[i]));
        with(i, &format!("h {}", shape(word)));
        with(i, &format!("b {}", i.checked_sub(1).map_or("", beside)));
        with(i, &format!("a {}", beside(i + 1)));
        let letters: Vec<char> = lower[i].chars().collect();
        for n in 1..=AFFIX.min(letters.len()) {
            with(i, &format!("p {}", letters[..n].iter().collect::<String>()));
            with(i, &format!("s {}", letters[letters.len() - n..].iter().collect::<String>()));
        }
    }
}

/// `McDonald-7` → `XxXx-d`: kinds of letters, runs of one kind once.
fn shape(word: &str) -> String {
    let kind = |c: char| match c {
        c if c.is_uppercase() => 'X',
        c if c.is_alphabetic() => 'x',
        c if c.is_numeric() => 'd',
        c => c,
    };
    let mut kinds: Vec<char> = word.chars().map(kind).collect();
    kinds.dedup();
    kinds.into_iter().collect()
}

fn fit(weights: &mut [f64], coded: &[Coded], tags: usize, strength: f64) {
    let objective = |weights: &[f64], gradient: &mut [f64]| {
        gradient.iter_mut().zip(weights).for_each(|(g, w)| *g = w / strength);
        let chain = Chain { tags, weights };
        let m = chain.exponentials();
        let losses: f64 = coded.iter().map(|s| chain.loss(s, &m, gradient)).sum();
        losses + dot(weights, weights) / (2.0 * strength)
    };
    let mut at_zero = vec![0.0; weights.len()];
    objective(&vec![0.0; weights.len()], &mut at_zero);
    let scale = dot(&at_zero, &at_zero).sqrt();
    drop(at_zero);
    lbfgs::minimise(weights, SETTINGS, scale, objective);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_language_is_learned() {
        let sentences: [(&[&str], &[&str]); 4] = [
            (&["the", "dog", "runs"], &["D", "N", "V"]),
            (&["the", "runs", "end"], &["D", "N", "V"]),
            (&["dogs", "end"], &["N", "V"]),
            (&["the", "dogs", "end"], &["D", "N", "V"]),
        ];
        let all: Vec<Sentence> = sentences.iter().map(|(words, tags)| Sentence { words, tags }).collect();
        let tagger = Tagger::tune(&all, &all[..2], &[1.0, 30.0]).unwrap();
        assert_eq!(tagger.tag(&["the", "dog", "end"]), ["D", "N", "V"]);
        // The same word, told apart by what stands before it.
        assert_eq!(tagger.tag(&["the", "runs", "end"])[1], "N");
        assert_eq!(tagger.tag(&["the", "dog", "runs"])[2], "V");
        assert_eq!(tagger.tried().len(), 2);
        let wrong = [Sentence { words: &["a", "b"], tags: &["D"] }];
        let error = Tagger::tune(&wrong, &all, &STRENGTHS).unwrap_err().to_string();
        assert_eq!(error, "sentence 1 of the training part has 2 words and 1 tags");
        assert!(Tagger::tune(&[], &all, &STRENGTHS).is_err() && Tagger::tune(&all, &all, &[]).is_err());
    }

    #[test]
    fn shapes_keep_what_tells_kinds_apart() {
        assert_eq!(["McDonald-77", "и", "3,5", "ЕС"].map(shape), ["XxXx-d", "x", "d,d", "X"]);
    }
}
