//! How much a network and a linear model count where they answer together: the two weights of log-linear pooling (Genest and
//! Zidek 1986, Combining probability distributions; Wolpert 1992, Stacked generalization), halfway between equal ones and those
//! that suit the validation part best. New texts differ from old ones more than parts of one file do, and there equal weights often
//! do better than fitted ones (Smith and Wallis 2009, A simple explanation of the forecast combination puzzle).

use crate::baseline::ngrams::softmax;

/// Where the weights start from, and what few examples leave them near.
pub(super) const EQUAL: f32 = 0.5;

/// Rounds through both weights; some ten are enough.
const ROUNDS: usize = 100;

/// What one model says of some examples, [examples, labels], as numbers before a softmax.
pub(super) type Said<'s> = &'s [f32];

/// The weights of what is `said` where `wanted` is right.
pub(super) fn weights(said: [Said; 2], wanted: &[u32]) -> [f32; 2] {
    fitted(said, wanted).map(|w| (0.5 * (f64::from(EQUAL) + w)) as f32)
}

/// The weights w ≥ 0 of the least −Σ log softmax(w₀ · first + w₁ · second) at `wanted` + ½ Σ (w − ½)²: Newton's step for each
/// weight in turn.
fn fitted(said: [Said; 2], wanted: &[u32]) -> [f64; 2] {
    let labels = said[0].len() / wanted.len().max(1);
    let mut w = [f64::from(EQUAL); 2];
    for _ in 0..ROUNDS {
        let before = w;
        for k in 0..2 {
            let (mut slope, mut bend) = (w[k] - f64::from(EQUAL), 1.0);
            for (e, wanted) in wanted.iter().enumerate() {
                let rows = said.map(|s| &s[e * labels..][..labels]);
                let p = pooled(rows, w);
                let mean: f64 = p.iter().zip(rows[k]).map(|(p, z)| p * f64::from(*z)).sum();
                let square: f64 = p.iter().zip(rows[k]).map(|(p, z)| p * f64::from(*z).powi(2)).sum();
                slope += mean - f64::from(rows[k][*wanted as usize]);
                bend += (square - mean * mean).max(0.0);
            }
            // Far from the least value a whole step could go past it.
            w[k] = (w[k] - (slope / bend).clamp(-0.5, 0.5)).max(0.0);
        }
        if before.iter().zip(w).all(|(a, b)| (a - b).abs() < 1e-9) {
            break;
        }
    }
    w
}

/// What both say together.
fn pooled(rows: [Said; 2], w: [f64; 2]) -> Vec<f64> {
    let sum = |(a, b): (&f32, &f32)| w[0] * f64::from(*a) + w[1] * f64::from(*b);
    let mut p: Vec<f64> = rows[0].iter().zip(rows[1]).map(sum).collect();
    softmax(&mut p);
    p
}

#[cfg(test)]
mod tests {
    use super::{Said, fitted, pooled, weights};

    fn cost(said: [Said; 2], wanted: &[u32], w: [f64; 2]) -> f64 {
        let labels = said[0].len() / wanted.len();
        let loss =
            |(e, label): (usize, &u32)| -pooled(said.map(|s| &s[e * labels..][..labels]), w)[*label as usize].ln();
        let near: f64 = w.iter().map(|w| (w - 0.5).powi(2) / 2.0).sum();
        wanted.iter().enumerate().map(loss).sum::<f64>() + near
    }

    #[test]
    fn no_other_weights_do_better() {
        let mut random = elman_engine::Random::new(7, 0);
        let wanted: Vec<u32> = (0..200).map(|i| i % 3).collect();
        // The first knows little, the second more.
        let mut of = |sure: f64| -> Vec<f32> {
            let one = |label: &u32| (0..3).map(|c| if c == *label { sure } else { 0.0 }).collect::<Vec<f64>>();
            wanted.iter().flat_map(one).map(|x| (x + 2.0 * random.uniform()) as f32).collect()
        };
        let (first, second) = (of(0.2), of(1.0));
        let said = [&first[..], &second[..]];
        let w = fitted(said, &wanted);
        assert!(w[1] > 2.0 * w[0], "{w:?}");
        let least = cost(said, &wanted, w);
        for by in [[0.02, 0.0], [-0.02, 0.0], [0.0, 0.02], [0.0, -0.02], [0.02, -0.02]] {
            assert!(cost(said, &wanted, [w[0] + by[0], w[1] + by[1]]) > least, "{w:?} {by:?}");
        }
    }

    #[test]
    fn what_misleads_counts_nothing_and_certainty_stays_finite() {
        let wanted = [0, 1, 0, 1, 0, 1];
        let sure = |z: f32| wanted.iter().flat_map(|w| if *w == 0 { [z, 0.0] } else { [0.0, z] }).collect::<Vec<f32>>();
        let w = fitted([&sure(-1.0), &sure(1.0)], &wanted);
        assert!(w[0] == 0.0 && (1.4..1.6).contains(&w[1]), "{w:?}");
        let half = weights([&sure(-1.0), &sure(1.0)], &wanted);
        assert!(half == [0.25, (0.5 * (0.5 + w[1])) as f32], "{half:?}");
        let w = weights([&sure(0.0), &sure(700.0)], &wanted);
        assert!(w == [0.5, 0.5], "{w:?}");
        assert_eq!(weights([&[], &[]], &[]), [0.5, 0.5]);
    }
}
