//! Losses: one number, the scaled sum over rows.

use elman_kernel::code::{Binary, Unary};
use elman_kernel::{Real, map};

use super::{Back, Operation, Parameter, Tape, Var, mul};
use crate::error::{EngineError, check};
use crate::loss::HeadGradients;

/// A target that is not scored.
pub const NO_TARGET: u32 = u32::MAX;

/// A loss whose gradient was computed with it.
struct Known<T> {
    sources: Vec<(Var, Vec<T>)>,
    parameters: Vec<(Parameter, Vec<T>)>,
}

impl<T: Real> Operation<T> for Known<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let scaled = |mut g: Vec<T>| {
            if d[0] != T::ONE {
                g.iter_mut().for_each(|g| *g = mul(*g, d[0]));
            }
            g
        };
        for (var, g) in std::mem::take(&mut self.sources) {
            back.add(var, scaled(g));
        }
        for (parameter, g) in std::mem::take(&mut self.parameters) {
            super::add(back.parameter(parameter), &scaled(g));
        }
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// A loss with its gradients by values and by parameters, known already: for losses that compute both at once.
    pub fn known_loss(&mut self, loss: f64, sources: Vec<(Var, Vec<T>)>, parameters: Vec<(Parameter, Vec<T>)>) -> Var {
        self.record(vec![T::from_f64(loss)], 1, Known { sources, parameters })
    }

    /// scale · Σ over rows of the cross-entropy of softmax(logits) and the target, in nats; a share `smoothing` of each
    /// target is spread over all classes (Szegedy et al. 2016, arXiv:1512.00567). [`NO_TARGET`] is not scored.
    ///
    /// # Errors
    /// A target that is no class.
    pub fn cross_entropy(
        &mut self,
        logits: Var,
        targets: &[u32],
        smoothing: f64,
        scale: f64,
    ) -> Result<Var, EngineError> {
        check("targets", targets.len(), self.count(logits))?;
        let classes = self.width(logits);
        let spread = smoothing / classes as f64;
        let isa = self.store.isa();
        let mut loss = 0.0;
        let mut shifted = vec![T::ZERO; classes];
        let mut d = self.value(logits).to_vec();
        for (row, target) in d.chunks_exact_mut(classes).zip(targets) {
            if *target == NO_TARGET {
                row.fill(T::ZERO);
                continue;
            }
            let target = *target as usize;
            if target >= classes {
                return Err(EngineError::Unsupported(format!("target {target} is none of {classes} classes")));
            }
            let largest = row.iter().fold(row[0], |m, z| T::binary(Binary::Max, *z, m));
            shifted.iter_mut().zip(&*row).for_each(|(to, z)| *to = T::binary(Binary::Sub, *z, largest));
            // Both sums are chains in the order of the classes.
            let sum_shifted: f64 = if spread > 0.0 { shifted.iter().map(|z| z.to_f64()).sum() } else { 0.0 };
            let wanted = shifted[target].to_f64();
            map(isa, Unary::Exp, &shifted, row);
            let sum: f64 = row.iter().map(|e| e.to_f64()).sum();
            loss += sum.ln() - (1.0 - smoothing) * wanted - spread * sum_shifted;
            let (share, less) = (T::from_f64(scale / sum), T::from_f64(scale * spread));
            row.iter_mut().for_each(|e| *e = T::binary(Binary::Sub, mul(*e, share), less));
            row[target] = T::binary(Binary::Sub, row[target], T::from_f64(scale * (1.0 - smoothing)));
        }
        Ok(self.known_loss(scale * loss, vec![(logits, d)], vec![]))
    }

    /// The same for a large vocabulary without writing down the logits: softmax(W h + b), W [vocabulary, units].
    ///
    /// # Errors
    /// A target outside the vocabulary.
    pub fn softmax_loss(
        &mut self,
        h: Var,
        weight: Parameter,
        bias: Parameter,
        targets: &[u32],
        scale: f64,
    ) -> Result<Var, EngineError> {
        check("targets", targets.len(), self.count(h))?;
        let zeros = |n: usize| vec![T::ZERO; n];
        let (mut dw, mut db) = (zeros(self.store.weight(weight).len()), zeros(self.store.weight(bias).len()));
        let mut dh = zeros(self.value(h).len());
        let into = HeadGradients { h: &mut dh, weight: &mut dw, bias: &mut db };
        let (head, team) = self.store.head(weight, bias)?;
        let losses = head.losses_and_gradients(&self.nodes[h.0].value, targets, scale, into, team)?;
        let loss = scale * losses.iter().sum::<f64>();
        Ok(self.known_loss(loss, vec![(h, dh)], vec![(weight, dw), (bias, db)]))
    }

    /// a + b + …, of values of one shape.
    ///
    /// # Errors
    /// No value, different shapes.
    pub fn total(&mut self, losses: &[Var]) -> Result<Var, EngineError> {
        let [first, rest @ ..] = losses else {
            return Err(EngineError::Zero { what: "losses" });
        };
        rest.iter().try_fold(*first, |sum, loss| self.add(sum, *loss))
    }
}
