//! The power spectrum of real samples: a radix-2 Fourier transform (Cooley & Tukey 1965).
//!
//!   Pₖ = |Σₙ xₙ exp(−2πi nk/N)|²,   k = 0 … N/2
//!
//! Our own, in f64, because libraries choose their sums by the instruction set: these are the same bits everywhere.

use std::f64::consts::TAU;

/// A transform of a fixed size, with its tables and its work memory.
#[derive(Clone, Debug)]
pub(super) struct Spectrum {
    /// exp(−2πi k/N), k below N/2.
    turns: Vec<(f64, f64)>,
    /// The place of each sample: its bits backwards.
    places: Vec<usize>,
    work: Vec<(f64, f64)>,
}

impl Spectrum {
    /// For 2^`bits` samples.
    pub(super) fn new(bits: u32) -> Spectrum {
        let size = 1usize << bits;
        let turn = |k: usize| (TAU * k as f64 / size as f64).sin_cos();
        let turns = (0..size / 2).map(turn).map(|(sin, cos)| (cos, -sin)).collect();
        let place = |n: usize| if bits == 0 { 0 } else { n.reverse_bits() >> (usize::BITS - bits) };
        Spectrum { turns, places: (0..size).map(place).collect(), work: vec![(0.0, 0.0); size] }
    }

    /// Samples of a transform, N.
    pub(super) fn size(&self) -> usize {
        self.places.len()
    }

    /// P of `samples`, zeros after them up to N, into N/2 + 1 numbers.
    pub(super) fn power(&mut self, samples: &[f64], into: &mut [f64]) {
        for (n, place) in self.places.iter().enumerate() {
            self.work[*place] = (samples.get(n).copied().unwrap_or(0.0), 0.0);
        }
        let mut half = 1;
        while half < self.size() {
            let step = self.size() / (2 * half);
            for block in self.work.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                    let (cos, sin) = self.turns[k * step];
                    let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                    (*a, *b) = ((a.0 + turned.0, a.1 + turned.1), (a.0 - turned.0, a.1 - turned.1));
                }
            }
            half *= 2;
        }
        into.iter_mut().zip(&self.work).for_each(|(p, (re, im))| *p = re * re + im * im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elman_engine::Random;

    /// Ten stages of f64 sums of a thousand numbers below 1, squared: 1e-13 of 1000.
    const TOLERANCE: f64 = 1e-10;

    #[test]
    fn the_spectrum_is_the_sum_that_defines_it() {
        for bits in [0, 1, 2, 5, 9] {
            let mut spectrum = Spectrum::new(bits);
            let size = spectrum.size();
            let mut r = Random::new(3, u64::from(bits));
            // A transform of fewer samples than its size has zeros after them, whatever was there before.
            for count in [size, size.div_ceil(3)] {
                let x: Vec<f64> = (0..count).map(|_| 2.0 * r.uniform() - 1.0).collect();
                let mut found = vec![9.0; size / 2 + 1];
                spectrum.power(&x, &mut found);
                for (k, p) in found.iter().enumerate() {
                    let angle = |n: usize| -TAU * (n * k % size) as f64 / size as f64;
                    let re: f64 = x.iter().enumerate().map(|(n, x)| x * angle(n).cos()).sum();
                    let im: f64 = x.iter().enumerate().map(|(n, x)| x * angle(n).sin()).sum();
                    assert!((p - re * re - im * im).abs() < TOLERANCE, "{bits} {k}: {p}");
                }
            }
        }
    }
}
