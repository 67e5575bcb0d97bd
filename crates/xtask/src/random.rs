//! Random numbers and a text from a seed. Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators.

use std::fmt::Write;

/// SplitMix64.
pub struct Random(u64);

impl Random {
    /// All numbers follow from the seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to less than 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 to less than `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }

    /// `lines` lines of made words; which one comes next depends on the one before.
    pub fn text(&mut self, lines: usize) -> String {
        const SYLLABLES: [&str; 12] = ["ka", "no", "ri", "tes", "mol", "un", "be", "жа", "лю", "o", "si", "per"];
        const WORDS: usize = 60;
        let words: Vec<String> =
            (0..WORDS).map(|_| (0..=self.below(3)).map(|_| SYLLABLES[self.below(SYLLABLES.len())]).collect()).collect();
        let mut text = String::new();
        let mut word = 0;
        for _ in 0..lines {
            for _ in 0..2 + self.below(9) {
                word = (7 * word + 3 + self.below(4)) % WORDS;
                // A `String` takes everything.
                let _ = write!(text, "{} ", words[word]);
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_follows_from_its_seed() {
        assert_eq!(Random::new(3).text(50), Random::new(3).text(50));
        assert_ne!(Random::new(3).text(50), Random::new(4).text(50));
        assert_eq!(Random::new(3).text(50).lines().count(), 50);
    }

    #[test]
    fn shares_and_places_stay_in_their_bounds() {
        let mut random = Random::new(1);
        let drawn: Vec<usize> = (0..1000).map(|_| random.below(7)).collect();
        assert!((0..7).all(|n| drawn.contains(&n)) && drawn.iter().all(|n| *n < 7));
        assert!((0..1000).map(|_| random.share()).all(|s| (0.0..1.0).contains(&s)));
    }
}
