//! Connectionist temporal classification. Graves, Fernández, Gomez & Schmidhuber 2006.
//!
//! A path names a symbol or a blank a step; with repeats merged and then blanks left out it spells a labelling. The loss
//! is −log of the probability of all paths that spell the target. With l = ␣ y₁ ␣ y₂ … y_U ␣ and p = softmax(z):
//!
//!   αₜ(s) = log pₜ[l_s] + log Σ exp αₜ₋₁(s'),   s' = s, s−1, and s−2 unless l_s is a blank or l_s = l_{s−2}
//!   βₜ(s) = log Σ exp(βₜ₊₁(s') + log pₜ₊₁[l_{s'}]),   s' = s, s+1, and s+2 likewise
//!   L = −log(exp α_T(2U) + exp α_T(2U−1))          ∂L/∂zₜ[k] = pₜ[k] − Σ_{s: l_s = k} exp(αₜ(s) + βₜ(s) + L)
//!
//! The blank is symbol 0. One sequence a call, on the calling thread, in f64 and in the order of the steps.

use elman_kernel::Real;

use super::log_sum_exp;
use crate::error::{EngineError, check};

/// The symbol that spells nothing.
pub const BLANK: u32 = 0;

/// The fewest steps that can spell a target: one a symbol, and a blank between equal neighbours.
pub fn shortest_input(target: &[u32]) -> usize {
    target.len() + target.windows(2).filter(|y| y[0] == y[1]).count()
}

/// L of one sequence, in nats: `logits` is z, [steps, symbols], the blank counted among the symbols (log-probabilities are
/// logits too); `target` are symbols without the blank, none of them or more.
///
/// # Errors
/// No steps, a slice that is no whole number of steps, a target that is no symbol or the blank, or one that needs more
/// steps ([`shortest_input`]): no path spells it.
pub fn ctc_loss<T: Real>(logits: &[T], symbols: usize, target: &[u32]) -> Result<f64, EngineError> {
    let lattice = Lattice::new(logits, symbols, target)?;
    Ok(lattice.loss(&lattice.alpha()))
}

/// L, and the gradient of `scale` times it by the logits, [steps, symbols], written to `into`.
///
/// # Errors
/// As [`ctc_loss`].
pub fn ctc_loss_and_gradient<T: Real>(
    logits: &[T],
    symbols: usize,
    target: &[u32],
    scale: f64,
    into: &mut [T],
) -> Result<f64, EngineError> {
    let lattice = Lattice::new(logits, symbols, target)?;
    check("d logits", into.len(), logits.len())?;
    let (alpha, beta) = (lattice.alpha(), lattice.beta());
    let loss = lattice.loss(&alpha);
    let mut d = vec![0.0; symbols];
    let places = lattice.labels.len();
    for (t, to) in into.chunks_exact_mut(symbols).enumerate() {
        d.iter_mut().zip(lattice.row(t)).for_each(|(d, log_p)| *d = log_p.exp());
        for (s, label) in lattice.labels.iter().enumerate() {
            d[*label] -= (alpha[t * places + s] + beta[t * places + s] + loss).exp();
        }
        to.iter_mut().zip(&d).for_each(|(to, d)| *to = T::from_f64(scale * d));
    }
    Ok(loss)
}

/// log p of each step: logits [steps, symbols] → [steps, symbols].
///
/// # Errors
/// No symbols, no steps, a slice that is no whole number of steps.
pub fn log_softmax<T: Real>(logits: &[T], symbols: usize) -> Result<Vec<f64>, EngineError> {
    for (what, n) in [("symbols", symbols), ("steps", logits.len())] {
        if n == 0 {
            return Err(EngineError::Zero { what });
        }
    }
    check("logits", logits.len(), logits.len().div_ceil(symbols).saturating_mul(symbols))?;
    let mut log_p = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(symbols) {
        let all = log_sum_exp(row.iter().map(|z| z.to_f64()));
        log_p.extend(row.iter().map(|z| z.to_f64() - all));
    }
    Ok(log_p)
}

/// The paths that spell a target: places s of l by steps.
struct Lattice {
    symbols: usize,
    /// l
    labels: Vec<usize>,
    /// log p, [steps, symbols].
    log_p: Vec<f64>,
}

impl Lattice {
    fn new<T: Real>(logits: &[T], symbols: usize, target: &[u32]) -> Result<Lattice, EngineError> {
        let log_p = log_softmax(logits, symbols)?;
        if let Some(y) = target.iter().find(|y| **y == BLANK || **y as usize >= symbols) {
            let message = format!("target {y}: symbols run from 1 to {}, and {BLANK} is the blank", symbols - 1);
            return Err(EngineError::Unsupported(message));
        }
        let (steps, least) = (log_p.len() / symbols, shortest_input(target));
        if steps < least {
            let symbols = target.len();
            let message = format!("a target of {symbols} symbols needs {least} steps, and the input has {steps}");
            return Err(EngineError::Unsupported(format!("{message}; leave it out, or shorten the input less")));
        }
        let blank = BLANK as usize;
        let labels = std::iter::once(blank).chain(target.iter().flat_map(|y| [*y as usize, blank])).collect();
        Ok(Lattice { symbols, labels, log_p })
    }

    /// log p of step `t`.
    fn row(&self, t: usize) -> &[f64] {
        &self.log_p[t * self.symbols..(t + 1) * self.symbols]
    }

    /// Whether a path may go from place `s` − 2 to `s`.
    fn skips(&self, s: usize) -> bool {
        s >= 2 && self.labels[s] != BLANK as usize && self.labels[s] != self.labels[s - 2]
    }

    /// [steps, places]
    fn alpha(&self) -> Vec<f64> {
        let places = self.labels.len();
        let mut alpha = vec![f64::NEG_INFINITY; self.log_p.len() / self.symbols * places];
        (0..places.min(2)).for_each(|s| alpha[s] = self.row(0)[self.labels[s]]);
        for t in 1..alpha.len() / places {
            let (before, now) = alpha[(t - 1) * places..].split_at_mut(places);
            for s in 0..places {
                let first = if self.skips(s) { s - 2 } else { s.saturating_sub(1) };
                now[s] = self.row(t)[self.labels[s]] + log_sum_exp(before[first..=s].iter().copied());
            }
        }
        alpha
    }

    /// [steps, places]
    fn beta(&self) -> Vec<f64> {
        let places = self.labels.len();
        let mut beta = vec![f64::NEG_INFINITY; self.log_p.len() / self.symbols * places];
        let ends = beta.len() - places.min(2);
        beta[ends..].fill(0.0);
        for t in (1..beta.len() / places).rev() {
            let (now, after) = beta[(t - 1) * places..].split_at_mut(places);
            for (s, now) in now.iter_mut().enumerate() {
                let last = if s + 2 < places && self.skips(s + 2) { s + 2 } else { (s + 1).min(places - 1) };
                *now = log_sum_exp((s..=last).map(|next| after[next] + self.row(t)[self.labels[next]]));
            }
        }
        beta
    }

    fn loss(&self, alpha: &[f64]) -> f64 {
        -log_sum_exp(alpha[alpha.len() - self.labels.len().min(2)..].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Sums of some thousand f64 probabilities.
    const EXACT: f64 = 1e-12;
    /// Differences at ±1e-5 of a loss near 10: truncation 1e-10, rounding 1e-10.
    const DIFFERENCE: f64 = 1e-8;
    const SCALE: f64 = 0.7;

    struct Case {
        steps: usize,
        symbols: usize,
        target: Vec<u32>,
    }

    fn cases() -> Vec<Case> {
        let case = |steps, symbols, target: &[u32]| Case { steps, symbols, target: target.into() };
        vec![
            case(6, 3, &[1, 2]),
            case(7, 3, &[1, 1, 2]),
            case(5, 4, &[3, 3, 3]),
            case(4, 4, &[2, 1, 3, 2]),
            case(6, 3, &[]),
            case(1, 3, &[2]),
            case(5, 2, &[1]),
            case(1, 1, &[]),
        ]
    }

    fn logits(case: &Case) -> Vec<f64> {
        let mut r = Random::new(case.steps as u64, case.target.len() as u64);
        (0..case.steps * case.symbols).map(|_| 6.0 * r.uniform() - 3.0).collect()
    }

    /// Repeats merged, then blanks left out.
    fn spelled(path: &[usize]) -> Vec<u32> {
        let kept = |t: &usize| path[*t] != 0 && (*t == 0 || path[*t] != path[*t - 1]);
        (0..path.len()).filter(kept).map(|t| path[t] as u32).collect()
    }

    #[test]
    fn all_alignments_one_by_one() {
        for (n, case) in cases().iter().enumerate() {
            let z = logits(case);
            let rows: Vec<&[f64]> = z.chunks(case.symbols).collect();
            let path = |n: usize| -> Vec<usize> {
                (0..case.steps).map(|t| n / case.symbols.pow(t as u32) % case.symbols).collect()
            };
            let share = |t: usize, k: usize| rows[t][k].exp() / rows[t].iter().map(|z| z.exp()).sum::<f64>();
            let all = (0..case.symbols.pow(case.steps as u32)).map(path).filter(|path| spelled(path) == case.target);
            let p: f64 = all.map(|path| (0..case.steps).map(|t| share(t, path[t])).product::<f64>()).sum();
            let loss = ctc_loss(&z, case.symbols, &case.target).unwrap();
            assert!((loss + p.ln()).abs() < EXACT, "{n}: {loss} {}", -p.ln());
            let log_p = log_softmax(&z, case.symbols).unwrap();
            assert!((ctc_loss(&log_p, case.symbols, &case.target).unwrap() - loss).abs() < EXACT, "{n}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        for (n, case) in cases().iter().enumerate() {
            let mut z = logits(case);
            let mut d = vec![9.0; z.len()];
            let loss = ctc_loss_and_gradient(&z, case.symbols, &case.target, SCALE, &mut d).unwrap();
            assert_eq!(loss, ctc_loss(&z, case.symbols, &case.target).unwrap());
            for i in 0..z.len() {
                let x = z[i];
                let [up, down] = [1e-5, -1e-5].map(|e| {
                    z[i] = x + e;
                    ctc_loss(&z, case.symbols, &case.target).unwrap()
                });
                z[i] = x;
                let difference = SCALE * (up - down) / 2e-5;
                assert!((difference - d[i]).abs() < DIFFERENCE, "{n}.{i}: {difference} {}", d[i]);
            }
        }
    }

    #[test]
    fn the_shortest_input_is_just_enough() {
        for (target, least) in [(vec![], 0), (vec![1], 1), (vec![1, 1], 3), (vec![2, 2, 2, 1, 1], 8)] {
            assert_eq!(shortest_input(&target), least);
            let steps = least.max(1);
            assert!(ctc_loss(&vec![0.0; steps * 3], 3, &target).unwrap().is_finite());
            if least > 1 {
                assert!(ctc_loss(&vec![0.0; (least - 1) * 3], 3, &target).is_err());
            }
        }
    }

    #[test]
    fn large_logits_stay_finite() {
        let z = [1e4f32, -1e4, 0.0, -1e4, 1e4, 0.0, 1e4, 0.0, 0.0];
        let mut d = [0f32; 9];
        assert_eq!(ctc_loss_and_gradient(&z, 3, &[1], 1.0, &mut d).unwrap(), 0.0);
        assert!((ctc_loss_and_gradient(&z, 3, &[2], 1.0, &mut d).unwrap() - 1e4).abs() < 1e-9);
        assert!(d.iter().all(|d| d.is_finite()));
    }

    #[test]
    fn what_cannot_be_spelled_is_refused() {
        assert!(ctc_loss(&[0f32; 6], 3, &[0]).is_err());
        assert!(ctc_loss(&[0f32; 6], 3, &[3]).is_err());
        assert!(ctc_loss(&[0f32; 7], 3, &[1]).is_err());
        assert!(ctc_loss::<f32>(&[], 3, &[]).is_err());
        assert!(ctc_loss(&[0f32; 6], 0, &[]).is_err());
        assert!(ctc_loss_and_gradient(&[0f32; 6], 3, &[1], 1.0, &mut [0.0; 5]).is_err());
    }
}
