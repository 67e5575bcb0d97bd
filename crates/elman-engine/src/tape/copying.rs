//! A softmax over a vocabulary mixed with copying from a source. See et al. 2017, arXiv:1704.04368.
//!
//!   p(y) = g softmax(z)_y + (1 − g) a(y),    a(y) = Σ of the weights w_j of source tokens that are y,    g = sigmoid(s)
//!   L = −(1 − ε) ln p(y) − ε mean_k ln softmax(z)_k
//!   r = g softmax(z)_y / p(y):   ∂L/∂z = softmax(z) ((1 − ε) r + ε) − (1 − ε) r 1{k = y} − ε / classes
//!   ∂L/∂s = (1 − ε) (g − r)      ∂L/∂w_j = −(1 − ε) (1 − g) / p(y) where token j is y
//!
//! Label smoothing, ε, is the softmax's alone: a word that is copied may be sure, and the gate is not smoothed. Sums are of
//! logarithms, so that neither part of a mixture is lost where the other is small.

use std::collections::HashMap;

use elman_kernel::code::{Binary, Unary};
use elman_kernel::{Isa, Real, map};

use super::losses::NO_TARGET;
use super::{Tape, Var, mul};
use crate::error::{EngineError, check};

/// The steepest slope by a weight: 1 / p(y) where p(y) is next to nothing.
const STEEPEST: f64 = 1e30;

/// The parts of a mixture, a row each.
#[derive(Clone, Copy, Debug)]
pub struct Mixture<'s> {
    /// z, [rows, classes].
    pub logits: Var,
    /// s, [rows, 1].
    pub gate: Var,
    /// w, [rows, at least the steps of a source].
    pub weights: Var,
    /// The tokens of all sources, which are classes.
    pub sources: &'s [&'s [u32]],
    /// The source of each row.
    pub of: &'s [u32],
}

/// ln(1 + eˣ)
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// ln(eᵃ + eᵇ)
fn log_sum(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

/// z less its largest, and ln Σ eᶻ of that; `e` becomes eᶻ.
fn shifted<T: Real>(isa: Isa, z: &[T], shifted: &mut [T], e: &mut [T]) -> f64 {
    let largest = z.iter().fold(z[0], |m, z| T::binary(Binary::Max, *z, m));
    shifted.iter_mut().zip(z).for_each(|(to, z)| *to = T::binary(Binary::Sub, *z, largest));
    map(isa, Unary::Exp, shifted, e);
    e.iter().map(|e| e.to_f64()).sum::<f64>().ln()
}

impl<T: Real> Tape<'_, T> {
    fn check(&self, mixture: &Mixture) -> Result<(), EngineError> {
        let (rows, classes) = (self.count(mixture.logits), self.width(mixture.logits));
        check("numbers of the gate", self.value(mixture.gate).len(), rows)?;
        check("rows of the weights", self.count(mixture.weights), rows)?;
        check("sources of the rows", mixture.of.len(), rows)?;
        let steps = self.width(mixture.weights);
        let refuse = |message: String| Err(EngineError::Unsupported(message));
        if let Some(of) = mixture.of.iter().find(|of| **of as usize >= mixture.sources.len()) {
            return refuse(format!("source {of} is none of {} sources", mixture.sources.len()));
        }
        for source in mixture.sources {
            if source.len() > steps {
                return refuse(format!("a source of {} tokens has {steps} weights", source.len()));
            }
            if let Some(token) = source.iter().find(|token| **token as usize >= classes) {
                return refuse(format!("token {token} of a source is none of {classes} classes"));
            }
        }
        Ok(())
    }

    /// Row `row` of the parts: its logits, s, weights, and the tokens of its source.
    fn parts<'v>(&'v self, mixture: &Mixture<'v>, row: usize) -> (&'v [T], f64, &'v [T], &'v [u32]) {
        let (classes, steps) = (self.width(mixture.logits), self.width(mixture.weights));
        let source = mixture.sources[mixture.of[row] as usize];
        let weights = &self.value(mixture.weights)[row * steps..][..source.len()];
        (
            &self.value(mixture.logits)[row * classes..][..classes],
            self.value(mixture.gate)[row].to_f64(),
            weights,
            source,
        )
    }

    /// scale · Σ over rows of −ln p(target), in nats, smoothed as above. [`NO_TARGET`] is not scored.
    ///
    /// # Errors
    /// A target or a token that is no class, parts that do not belong together.
    pub fn copying_loss(
        &mut self,
        mixture: &Mixture,
        targets: &[u32],
        smoothing: f64,
        scale: f64,
    ) -> Result<Var, EngineError> {
        self.check(mixture)?;
        check("targets", targets.len(), self.count(mixture.logits))?;
        let (classes, steps, isa) = (self.width(mixture.logits), self.width(mixture.weights), self.store.isa());
        let (kept, spread) = (1.0 - smoothing, smoothing / classes as f64);
        let zeros = |var: Var| vec![T::ZERO; self.value(var).len()];
        let (mut dz, mut ds, mut dw) = (zeros(mixture.logits), zeros(mixture.gate), zeros(mixture.weights));
        let (mut loss, mut low) = (0.0, vec![T::ZERO; classes]);
        for (row, target) in targets.iter().enumerate().filter(|(_, target)| **target != NO_TARGET) {
            let y = *target as usize;
            if y >= classes {
                return Err(EngineError::Unsupported(format!("target {target} is none of {classes} classes")));
            }
            let (z, s, weights, source) = self.parts(mixture, row);
            let d = &mut dz[row * classes..][..classes];
            let log_sum_z = shifted(isa, z, &mut low, d);
            let copied = weights.iter().zip(source).filter(|(_, token)| *token == target);
            let copied: f64 = copied.map(|(w, _)| w.to_f64()).sum();
            let written = low[y].to_f64() - log_sum_z - softplus(-s);
            let p = log_sum(written, copied.ln() - softplus(s));
            let sum_low: f64 = if spread > 0.0 { low.iter().map(|z| z.to_f64()).sum() } else { 0.0 };
            loss += smoothing * log_sum_z - spread * sum_low - kept * p;

            let r = (written - p).exp();
            let share = T::from_f64(scale * (kept * r + smoothing) / log_sum_z.exp());
            let less = T::from_f64(scale * spread);
            d.iter_mut().for_each(|e| *e = T::binary(Binary::Sub, mul(*e, share), less));
            d[y] = T::binary(Binary::Sub, d[y], T::from_f64(scale * kept * r));
            ds[row] = T::from_f64(scale * kept * ((-softplus(-s)).exp() - r));
            let slope = T::from_f64(-scale * kept * (-softplus(s) - p).exp().min(STEEPEST));
            let own = dw[row * steps..].iter_mut().zip(source).filter(|(_, token)| *token == target);
            own.for_each(|(d, _)| *d = slope);
        }
        let sources = vec![(mixture.logits, dz), (mixture.gate, ds), (mixture.weights, dw)];
        Ok(self.known_loss(scale * loss, sources, vec![]))
    }

    /// ln p of every class, [rows, classes].
    ///
    /// # Errors
    /// As [`Tape::copying_loss`].
    pub fn copying_log_probabilities(&self, mixture: &Mixture) -> Result<Vec<T>, EngineError> {
        self.check(mixture)?;
        let (classes, isa) = (self.width(mixture.logits), self.store.isa());
        let (mut all, mut e) = (vec![T::ZERO; self.value(mixture.logits).len()], vec![T::ZERO; classes]);
        for (row, to) in all.chunks_exact_mut(classes).enumerate() {
            let (z, s, weights, source) = self.parts(mixture, row);
            let less = shifted(isa, z, to, &mut e) + softplus(-s);
            let mut copied: HashMap<u32, f64> = HashMap::new();
            weights.iter().zip(source).for_each(|(w, token)| *copied.entry(*token).or_default() += w.to_f64());
            let mixed: Vec<(usize, f64)> = copied
                .into_iter()
                .map(|(k, a)| (k as usize, log_sum(to[k as usize].to_f64() - less, a.ln() - softplus(s))))
                .collect();
            to.iter_mut().for_each(|z| *z = T::from_f64(z.to_f64() - less));
            mixed.into_iter().for_each(|(k, p)| to[k] = T::from_f64(p));
        }
        Ok(all)
    }
}
