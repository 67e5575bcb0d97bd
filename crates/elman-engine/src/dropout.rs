//! Dropout masks. Srivastava et al. 2014; one mask a sequence is Gal & Ghahramani 2016, arXiv:1512.05287.
//!
//!   mᵢ = 1 / (1 − p) with probability 1 − p, else 0
//!
//! A mask is a pure function of its key: which seed, what for, which layer, which step of the data and which sequence.
//! So masks do not depend on threads, on the batch that a sequence is in, or on a resume.

use elman_kernel::Real;

use crate::random::Random;

/// What a mask is for. The numbers are part of the random scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Purpose {
    /// Units of the network's input.
    Input = 1,
    /// Units between layers.
    Between = 2,
    /// Units of the last layer's output.
    Output = 3,
    /// Elements of recurrent weights (DropConnect).
    Recurrent = 4,
    /// Whole rows of an embedding.
    Embedding = 5,
    /// Units of a state that keep their old value.
    Zoneout = 6,
    /// The order of data.
    Order = 7,
    /// Drawing from a distribution.
    Sampling = 8,
}

/// Names one mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaskKey {
    /// The run's seed.
    pub seed: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// Which layer, or parameter.
    pub layer: u64,
    /// Which step of the data (or of training, for masks of weights).
    pub step: u64,
    /// Which sequence of the batch.
    pub sequence: u64,
}

impl MaskKey {
    /// The random numbers of this key.
    pub fn random(self) -> Random {
        let parts = [self.purpose as u64, self.layer, self.step, self.sequence];
        Random::new(self.seed, parts.into_iter().fold(0, |mix, p| spread(mix ^ p)))
    }

    /// Writes a mask: `drop` is the probability of 0.
    pub fn fill<T: Real>(self, drop: f64, mask: &mut [T]) {
        let keep = T::from_f64(1.0 / (1.0 - drop));
        let limit = (drop * 4_294_967_296.0) as u64;
        let mut random = self.random();
        mask.iter_mut().for_each(|m| *m = if u64::from(random.bits()) < limit { T::ZERO } else { keep });
    }
}

/// A bijection of 64 bits in which every input bit moves half of the output bits: the finaliser of splitmix64 (Steele,
/// Lea & Flood 2014).
fn spread(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: MaskKey = MaskKey { seed: 3, purpose: Purpose::Between, layer: 1, step: 12, sequence: 5 };

    #[test]
    fn a_mask_is_a_function_of_its_key_alone() {
        let fill = |key: MaskKey| {
            let mut m = vec![0f32; 500];
            key.fill(0.3, &mut m);
            m
        };
        assert_eq!(fill(KEY), fill(KEY));
        let others = [
            MaskKey { seed: 4, ..KEY },
            MaskKey { purpose: Purpose::Output, ..KEY },
            MaskKey { layer: 2, ..KEY },
            MaskKey { step: 13, ..KEY },
            MaskKey { sequence: 6, ..KEY },
        ];
        assert!(others.iter().all(|k| fill(*k) != fill(KEY)));
    }

    #[test]
    fn a_mask_drops_its_share_and_keeps_the_mean() {
        let mut m = vec![0f64; 100_000];
        KEY.fill(0.35, &mut m);
        let dropped = m.iter().filter(|x| **x == 0.0).count() as f64 / m.len() as f64;
        let mean = m.iter().sum::<f64>() / m.len() as f64;
        assert!((dropped - 0.35).abs() < 0.01 && (mean - 1.0).abs() < 0.02);
    }
}
