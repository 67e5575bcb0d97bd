//! A linear layer and squared error, as one primitive.
//!
//!   y = W h + b      L = Σₖ (yₖ − tₖ)²
//!   ∂L/∂y = 2 (y − t)      ∂L/∂h = Wᵀ ∂L/∂y      ∂L/∂W = ∂L/∂y ⊗ h      ∂L/∂b = ∂L/∂y
//!
//! For a few outputs: each product is one plain chain, in the order of the index, on the calling thread.

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::{HeadGradients, TokenLosses};
use crate::error::{EngineError, check};
use crate::optimise::multiply_add;

/// Weights of a linear output layer.
pub struct LinearHead<T: Real> {
    outputs: usize,
    units: usize,
    weight: Vec<T>,
    bias: Vec<T>,
}

impl<T: Real> LinearHead<T> {
    /// For `h` of `units`; weights are zero until [`LinearHead::set_weights`].
    ///
    /// # Errors
    /// Sizes of 0 or too large for memory addresses.
    pub fn new(outputs: usize, units: usize) -> Result<LinearHead<T>, EngineError> {
        for (what, n) in [("outputs", outputs), ("units", units)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        let count = outputs.checked_mul(units).filter(|n| *n < isize::MAX as usize / 64);
        let count = count.ok_or_else(|| EngineError::Overflow { what: "output layer".into() })?;
        Ok(LinearHead { outputs, units, weight: vec![T::ZERO; count], bias: vec![T::ZERO; outputs] })
    }

    /// Takes W, [outputs, units], and b, `[outputs]`.
    ///
    /// # Errors
    /// Slices of other lengths.
    pub fn set_weights(&mut self, weight: &[T], bias: &[T]) -> Result<(), EngineError> {
        check("output weight", weight.len(), self.weight.len())?;
        check("output bias", bias.len(), self.outputs)?;
        self.weight.copy_from_slice(weight);
        self.bias.copy_from_slice(bias);
        Ok(())
    }

    /// y of each token: [tokens, units] → [tokens, outputs].
    ///
    /// # Errors
    /// A slice that is no whole number of tokens.
    pub fn outputs(&self, h: &[T]) -> Result<Vec<T>, EngineError> {
        let tokens = h.len() / self.units;
        check("h", h.len(), tokens * self.units)?;
        let mut y = Vec::with_capacity(tokens * self.outputs);
        for h in h.chunks_exact(self.units) {
            for (row, b) in self.weight.chunks_exact(self.units).zip(&self.bias) {
                y.push(row.iter().zip(h).fold(*b, |sum, (w, x)| multiply_add(*w, *x, sum)));
            }
        }
        Ok(y)
    }

    /// The squared error of each token, summed over its outputs; `targets` is [tokens, outputs].
    ///
    /// # Errors
    /// Slices of other lengths.
    pub fn losses(&self, h: &[T], targets: &[T]) -> Result<TokenLosses, EngineError> {
        let error = self.errors(h, targets)?;
        Ok(error.chunks_exact(self.outputs).map(|e| e.iter().map(|x| x.to_f64() * x.to_f64()).sum()).collect())
    }

    /// The squared error of each token, and the gradients of `scale` times their sum, written to `into`.
    ///
    /// # Errors
    /// As [`LinearHead::losses`].
    pub fn losses_and_gradients(
        &self,
        h: &[T],
        targets: &[T],
        scale: f64,
        into: HeadGradients<'_, T>,
    ) -> Result<TokenLosses, EngineError> {
        check("dh", into.h.len(), h.len())?;
        check("d output weight", into.weight.len(), self.weight.len())?;
        check("d output bias", into.bias.len(), self.outputs)?;
        let errors = self.errors(h, targets)?;
        [&mut *into.h, &mut *into.weight, &mut *into.bias].into_iter().for_each(|d| d.fill(T::ZERO));
        let rows = h.chunks_exact(self.units).zip(into.h.chunks_exact_mut(self.units));
        for ((h, dh), error) in rows.zip(errors.chunks_exact(self.outputs)) {
            for (k, e) in error.iter().enumerate() {
                let dy = T::binary(Binary::Mul, T::from_f64(2.0 * scale), *e);
                let at = k * self.units..(k + 1) * self.units;
                add_product(dh, dy, &self.weight[at.clone()]);
                add_product(&mut into.weight[at], dy, h);
                into.bias[k] = T::binary(Binary::Add, into.bias[k], dy);
            }
        }
        self.losses(h, targets)
    }

    /// y − t.
    fn errors(&self, h: &[T], targets: &[T]) -> Result<Vec<T>, EngineError> {
        let mut y = self.outputs(h)?;
        check("targets", targets.len(), y.len())?;
        y.iter_mut().zip(targets).for_each(|(y, t)| *y = T::binary(Binary::Sub, *y, *t));
        Ok(y)
    }
}

/// to ← to + a · row
fn add_product<T: Real>(to: &mut [T], a: T, row: &[T]) {
    to.iter_mut().zip(row).for_each(|(to, x)| *to = multiply_add(a, *x, *to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const TOKENS: usize = 7;
    const OUTPUTS: usize = 3;
    const UNITS: usize = 5;
    const SCALE: f64 = 0.7;
    /// Differences of f64 sums at ±1e-5: truncation 1e-10, rounding 1e-11 of a loss near 30.
    const TOLERANCE: f64 = 1e-8;

    struct Case {
        h: Vec<f64>,
        w: Vec<f64>,
        b: Vec<f64>,
        targets: Vec<f64>,
    }

    fn case() -> Case {
        let draw = |n: usize, stream| {
            let mut r = Random::new(5, stream);
            (0..n).map(|_| 2.0 * r.uniform() - 1.0).collect::<Vec<f64>>()
        };
        let (h, w) = (draw(TOKENS * UNITS, 1), draw(OUTPUTS * UNITS, 2));
        Case { h, w, b: draw(OUTPUTS, 3), targets: draw(TOKENS * OUTPUTS, 4) }
    }

    fn loss(c: &Case) -> f64 {
        let y = |t: usize, k: usize| c.b[k] + (0..UNITS).map(|u| c.w[k * UNITS + u] * c.h[t * UNITS + u]).sum::<f64>();
        let one = |i: usize| (y(i / OUTPUTS, i % OUTPUTS) - c.targets[i]).powi(2);
        SCALE * (0..TOKENS * OUTPUTS).map(one).sum::<f64>()
    }

    #[test]
    fn losses_and_gradients_are_right() {
        let mut c = case();
        let mut head = LinearHead::new(OUTPUTS, UNITS).unwrap();
        head.set_weights(&c.w, &c.b).unwrap();
        let (mut dh, mut dw, mut db) = (vec![9.0; c.h.len()], vec![0.0; c.w.len()], vec![0.0; c.b.len()]);
        let into = HeadGradients { h: &mut dh, weight: &mut dw, bias: &mut db };
        let losses = head.losses_and_gradients(&c.h, &c.targets, SCALE, into).unwrap();
        assert!((SCALE * losses.iter().sum::<f64>() - loss(&c)).abs() < 1e-12);
        macro_rules! compare {
            ($field:ident, $gradient:expr) => {
                for i in 0..c.$field.len() {
                    let x = c.$field[i];
                    c.$field[i] = x + 1e-5;
                    let up = loss(&c);
                    c.$field[i] = x - 1e-5;
                    let difference = (up - loss(&c)) / 2e-5;
                    c.$field[i] = x;
                    assert!((difference - $gradient[i]).abs() < TOLERANCE, "{i}: {difference} {}", $gradient[i]);
                }
            };
        }
        compare!(h, dh);
        compare!(w, dw);
        compare!(b, db);
    }

    #[test]
    fn other_lengths_are_refused() {
        let head = LinearHead::<f32>::new(OUTPUTS, UNITS).unwrap();
        assert!(head.losses(&[0.0; UNITS + 1], &[0.0; OUTPUTS]).is_err());
        assert!(head.losses(&[0.0; UNITS], &[0.0; OUTPUTS + 1]).is_err());
        assert!(LinearHead::<f32>::new(0, 1).is_err());
    }
}
