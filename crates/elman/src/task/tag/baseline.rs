//! What a tagger reaches without a network: a linear-chain CRF over features of the words. Lafferty, McCallum & Pereira 2001;
//! the features are of the kind of Ratnaparkhi 1996.
//!
//!   zₜ[y] = Σ_{f at t} w_f[y]       θ ← θ − η g / √(Σ g²),  g = ∂L/∂θ + λ θ       (AdaGrad: Duchi, Hazan & Singer 2011)
//!
//! Features of a place: the word, its small letters, its first 1 to 3 and last 1 to 4 letters, its shape, the two words on
//! either side and the pairs with the nearest. Those that occur once are left out. λ and the number of epochs are chosen on
//! the validation part, as a network's settings are.

use crate::error::Error;
use crate::task::batches::shuffle;
use elman_engine::dropout::{MaskKey, Purpose};
use elman_engine::loss::{Crf, CrfGradients};
use std::collections::HashMap;

/// Words and their tags.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged<'a> {
    /// The words.
    pub words: Vec<&'a str>,
    /// A tag each, below the number of tags.
    pub tags: Vec<u32>,
}

/// Values of λ that are tried.
const DECAYS: [f64; 3] = [0.0, 3e-5, 3e-4];
/// Most epochs; it stops two after the best.
const EPOCHS: u64 = 12;
const PATIENCE: u64 = 2;
/// η
const RATE: f64 = 0.1;
/// Keeps the first steps finite.
const EPSILON: f64 = 1e-8;

/// A trained baseline.
#[derive(Clone, Debug)]
pub struct Baseline {
    tags: usize,
    features: HashMap<String, u32>,
    /// w, [features, tags].
    weights: Vec<f32>,
    transitions: Vec<f32>,
    start: Vec<f32>,
    end: Vec<f32>,
}

/// Σ g² of each number.
struct Squares {
    weights: Vec<f32>,
    transitions: Vec<f32>,
    start: Vec<f32>,
    end: Vec<f32>,
}

impl Baseline {
    /// Trains with each λ and keeps the best on `valid`.
    ///
    /// # Errors
    /// No tags, no sentences, tags that there are not.
    pub fn tuned(train: &[Tagged], valid: &[Tagged], tags: usize, seed: u64) -> Result<Baseline, Error> {
        if train.is_empty() {
            return Err(Error::Refused("the baseline has no sentences to learn from".into()));
        }
        let features = known(train);
        let encoded: Vec<Vec<Vec<u32>>> = train.iter().map(|s| encode(&features, &s.words)).collect();
        let mut best: Option<(f64, Baseline)> = None;
        for decay in DECAYS {
            let mut model = Baseline::new(features.clone(), tags);
            let mut squares = model.squares();
            let mut reached = (0.0, 0);
            for epoch in 0..EPOCHS {
                model.epoch(
                    train,
                    &encoded,
                    &mut squares,
                    decay,
                    MaskKey { seed, purpose: Purpose::Order, layer: 0, step: epoch, sequence: 0 },
                )?;
                let accuracy = model.accuracy(valid)?;
                if accuracy > reached.0 {
                    reached = (accuracy, epoch);
                }
                if best.as_ref().is_none_or(|b| accuracy > b.0) {
                    best = Some((accuracy, model.clone()));
                }
                if epoch >= reached.1 + PATIENCE {
                    break;
                }
            }
        }
        Ok(best.map_or_else(|| Baseline::new(features, tags), |b| b.1))
    }

    fn new(features: HashMap<String, u32>, tags: usize) -> Baseline {
        let weights = vec![0.0; features.len() * tags];
        Baseline {
            tags,
            features,
            weights,
            transitions: vec![0.0; tags * tags],
            start: vec![0.0; tags],
            end: vec![0.0; tags],
        }
    }

    fn squares(&self) -> Squares {
        let zeros = |of: &Vec<f32>| vec![0.0; of.len()];
        Squares {
            weights: zeros(&self.weights),
            transitions: zeros(&self.transitions),
            start: zeros(&self.start),
            end: zeros(&self.end),
        }
    }

    /// The tags of a sentence.
    ///
    /// # Errors
    /// No words.
    pub fn tag(&self, words: &[&str]) -> Result<Vec<u32>, Error> {
        let crf = Crf::new(&self.transitions, &self.start, &self.end)?;
        Ok(crf.best(&self.emissions(&encode(&self.features, words)))?.0)
    }

    /// The share of words that get their tag.
    ///
    /// # Errors
    /// A sentence without words.
    pub fn accuracy(&self, sentences: &[Tagged]) -> Result<f64, Error> {
        let (mut right, mut all) = (0, 0);
        for s in sentences {
            let given = self.tag(&s.words)?;
            right += given.iter().zip(&s.tags).filter(|(g, w)| g == w).count();
            all += given.len();
        }
        Ok(right as f64 / all.max(1) as f64)
    }

    fn emissions(&self, places: &[Vec<u32>]) -> Vec<f32> {
        let mut z = vec![0.0; places.len() * self.tags];
        for (features, z) in places.iter().zip(z.chunks_exact_mut(self.tags)) {
            for f in features {
                let w = &self.weights[*f as usize * self.tags..][..self.tags];
                z.iter_mut().zip(w).for_each(|(z, w)| *z += w);
            }
        }
        z
    }

    /// A pass over the sentences, each a step.
    fn epoch(
        &mut self,
        train: &[Tagged],
        encoded: &[Vec<Vec<u32>>],
        squares: &mut Squares,
        decay: f64,
        key: MaskKey,
    ) -> Result<(), Error> {
        let mut order: Vec<usize> = (0..train.len()).collect();
        shuffle(&mut order, &mut key.random());
        let decay = decay as f32;
        for i in order {
            let crf = Crf::new(&self.transitions, &self.start, &self.end)?;
            let z = self.emissions(&encoded[i]);
            let mut d = vec![0.0; z.len()];
            let mut scores = [self.transitions.len(), self.tags, self.tags].map(|n| vec![0.0; n]);
            let [transitions, start, end] = scores.each_mut();
            let into = CrfGradients { emissions: &mut d, transitions, start, end };
            crf.loss_and_gradients(&z, &train[i].tags, 1.0, into)?;
            for (features, d) in encoded[i].iter().zip(d.chunks_exact(self.tags)) {
                for f in features {
                    let at = *f as usize * self.tags..(*f as usize + 1) * self.tags;
                    step(&mut self.weights[at.clone()], d, &mut squares.weights[at], decay);
                }
            }
            step(&mut self.transitions, &scores[0], &mut squares.transitions, decay);
            step(&mut self.start, &scores[1], &mut squares.start, decay);
            step(&mut self.end, &scores[2], &mut squares.end, decay);
        }
        Ok(())
    }
}

fn step(weights: &mut [f32], d: &[f32], squares: &mut [f32], decay: f32) {
    for ((w, d), s) in weights.iter_mut().zip(d).zip(squares) {
        let g = d + decay * *w;
        *s += g * g;
        *w -= RATE as f32 * g / (s.sqrt() + EPSILON as f32);
    }
}

/// The features that occur twice or more, in the order in which they first do.
fn known(train: &[Tagged]) -> HashMap<String, u32> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut known = HashMap::new();
    for s in train {
        for place in 0..s.words.len() {
            features(&s.words, place, |f| {
                let count = counts.entry(f.to_string()).or_default();
                *count += 1;
                if *count == 2 {
                    let id = known.len() as u32;
                    known.insert(f.to_string(), id);
                }
            });
        }
    }
    known
}

/// The known features of each place.
fn encode(known: &HashMap<String, u32>, words: &[&str]) -> Vec<Vec<u32>> {
    let place = |t: usize| {
        let mut found = vec![];
        features(words, t, |f| found.extend(known.get(f)));
        found
    };
    (0..words.len()).map(place).collect()
}

/// Tells each feature of a place.
fn features(words: &[&str], place: usize, mut tell: impl FnMut(&str)) {
    let small = |offset: isize| match place.checked_add_signed(offset).and_then(|p| words.get(p)) {
        Some(word) => word.to_lowercase(),
        // No word: the sentence begins or ends here.
        None => "\n".into(),
    };
    let (word, own) = (words[place], small(0));
    let around = [-2, -1, 1, 2].map(|offset| (offset, small(offset)));
    tell("bias");
    tell(&format!("word {word}"));
    tell(&format!("small {own}"));
    tell(&format!("shape {}", shape(word)));
    let letters: Vec<char> = own.chars().collect();
    for n in 1..=4.min(letters.len()) {
        tell(&format!("last {}", letters[letters.len() - n..].iter().collect::<String>()));
        if n <= 3 {
            tell(&format!("first {}", letters[..n].iter().collect::<String>()));
        }
    }
    for (offset, near) in &around {
        tell(&format!("{offset} {near}"));
    }
    tell(&format!("-1 0 {} {own}", around[1].1));
    tell(&format!("0 1 {own} {}", around[2].1));
}

/// The kinds of a word's characters, runs as one: `Xx`, `d.d`.
fn shape(word: &str) -> String {
    let kind = |c: char| match c {
        c if c.is_uppercase() => 'X',
        c if c.is_alphabetic() => 'x',
        c if c.is_numeric() => 'd',
        c => c,
    };
    let mut shape: Vec<char> = word.chars().map(kind).collect();
    shape.dedup();
    shape.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A verb after `to`, a noun after `the`; words in `-ly` are adverbs whether or not they were seen.
    #[test]
    fn it_learns_neighbours_and_endings() {
        let sentences = [
            ("to walk quickly", [0, 1, 2]),
            ("the walk slowly", [3, 4, 2]),
            ("to run slowly", [0, 1, 2]),
            ("the run quickly", [3, 4, 2]),
        ];
        let tagged: Vec<Tagged> =
            sentences.iter().map(|(s, t)| Tagged { words: s.split(' ').collect(), tags: t.to_vec() }).collect();
        let train = [&tagged[..], &tagged[..]].concat();
        let model = Baseline::tuned(&train, &tagged, 5, 1).unwrap();
        assert_eq!(model.accuracy(&tagged).unwrap(), 1.0);
        assert_eq!(model.tag(&["the", "run", "sadly"]).unwrap(), [3, 4, 2]);
        let again = Baseline::tuned(&train, &tagged, 5, 1).unwrap();
        assert_eq!((model.weights, model.transitions), (again.weights, again.transitions));
        assert!(Baseline::tuned(&[], &tagged, 5, 1).is_err());
    }

    #[test]
    fn shapes_are_kinds_of_characters() {
        assert_eq!(["Word", "NATO", "3.14", "can't", "ёлка-2"].map(shape), ["Xx", "X", "d.d", "x'x", "x-d"]);
    }
}
