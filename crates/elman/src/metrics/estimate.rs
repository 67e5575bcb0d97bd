//! A figure with its 95% interval.
//!
//! For shares, Wilson 1927: ( p + z²/2n ± z √(p(1−p)/n + z²/4n²) ) / (1 + z²/n); unlike p ± z √(p(1−p)/n) it stays within
//! [0, 1] and says something at p = 0 and 1. For all else the percentile bootstrap over examples (Efron 1979), with a seed
//! that never changes. Both take examples to be independent; words of one sentence are not quite.

use elman_engine::Random;
use serde::Serialize;

/// The 97.5% quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// "bootstra"
const SEED: u64 = u64::from_be_bytes(*b"bootstra");
/// Resamples of a bootstrap: the 2.5% quantile stands on 25 of them.
const RESAMPLES: usize = 1000;
/// The fewest resamples that still have a 2.5% quantile within them.
const FEWEST: usize = 200;
/// Draws in all; beyond it there are fewer resamples, as the interval of so many examples is narrow anyhow.
const DRAWS: usize = 20_000_000;

/// A figure and the interval that holds it with 95% confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    /// The share `right / all` with Wilson's interval; `None` of nothing.
    pub fn share(right: usize, all: usize) -> Option<Estimate> {
        if all == 0 {
            return None;
        }
        let n = all as f64;
        let p = right as f64 / n;
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + Z * Z / n;
        let (low, high) = ((middle - half) / whole, (middle + half) / whole);
        // Rounding may leave an end a bit beyond the figure.
        Some(Estimate { value: p, low: low.clamp(0.0, p), high: high.clamp(p, 1.0) })
    }

    /// `figure` of the examples 0 to `examples`, and of as many drawn from them again and again.
    ///
    /// `figure` gets the indices of the examples to count.
    pub fn bootstrap(examples: usize, mut figure: impl FnMut(&[u32]) -> f64) -> Estimate {
        let all: Vec<u32> = (0..examples as u32).collect();
        let value = figure(&all);
        let resamples = (DRAWS / examples.max(1)).clamp(FEWEST, RESAMPLES);
        let mut drawn = all;
        let mut figures: Vec<f64> = (0..resamples as u64)
            .map(|k| {
                let mut random = Random::new(SEED, k);
                drawn.fill_with(|| ((u64::from(random.bits()) * examples as u64) >> 32) as u32);
                figure(&drawn)
            })
            .collect();
        figures.sort_by(f64::total_cmp);
        let at = |q: f64| figures[(q * (resamples - 1) as f64).round() as usize];
        Estimate { value, low: at(0.025), high: at(0.975) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_published_interval() {
        // Newcombe 1998, table I, method 3: 81 of 263, and 0 of 20.
        let e = Estimate::share(81, 263).unwrap();
        assert!((e.low - 0.2553).abs() < 5e-5 && (e.high - 0.3662).abs() < 5e-5, "{e:?}");
        let e = Estimate::share(0, 20).unwrap();
        assert!(e.low == 0.0 && (e.high - 0.1611).abs() < 5e-5, "{e:?}");
        assert_eq!(Estimate::share(0, 0), None);
        assert_eq!(Estimate::share(7, 7).unwrap().high, 1.0);
    }

    #[test]
    fn bootstrap_of_a_share_is_near_its_normal_interval_and_never_changes() {
        let right = |drawn: &[u32]| drawn.iter().filter(|i| **i % 10 < 7).count() as f64 / drawn.len() as f64;
        let e = Estimate::bootstrap(1000, right);
        let half = Z * (0.7f64 * 0.3 / 1000.0).sqrt();
        assert_eq!(e.value, 0.7);
        assert!((e.low - (0.7 - half)).abs() < 0.005 && (e.high - (0.7 + half)).abs() < 0.005, "{e:?}");
        assert_eq!(e, Estimate::bootstrap(1000, right));
    }
}
