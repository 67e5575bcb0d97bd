//! Layer normalisation. Ba, Kiros & Hinton 2016, arXiv:1607.06450.
//!
//!   y = g ⊙ (x − mean) / √(variance + ε) + b, over the units of each row
//!   ∂L/∂x = (e − mean(e) − n mean(e ⊙ n)) / √(variance + ε), with n the normalised row and e = g ⊙ ∂L/∂y

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::{Back, Operation, Parameter, Tape, Var, mul};
use crate::error::{EngineError, check};

const EPSILON: f64 = 1e-5;

struct Norm<T> {
    x: Var,
    gain: Parameter,
    bias: Parameter,
    normal: Vec<T>,
    /// 1 / √(variance + ε), one a row.
    scales: Vec<f64>,
}

impl<T: Real> Operation<T> for Norm<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = back.width(self.x);
        let gain = back.store.weight(self.gain).to_vec();
        let mut dx = vec![T::ZERO; d.len()];
        let rows = d.chunks_exact(width).zip(self.normal.chunks_exact(width)).zip(&self.scales);
        for (((d, n), scale), to) in rows.zip(dx.chunks_exact_mut(width)) {
            let e: Vec<f64> = d.iter().zip(&gain).map(|(d, g)| d.to_f64() * g.to_f64()).collect();
            let mean = e.iter().sum::<f64>() / width as f64;
            let along = e.iter().zip(n).map(|(e, n)| e * n.to_f64()).sum::<f64>() / width as f64;
            for ((to, e), n) in to.iter_mut().zip(&e).zip(n) {
                *to = T::from_f64(scale * (e - mean - n.to_f64() * along));
            }
        }
        back.add(self.x, dx);
        for (d, n) in d.chunks_exact(width).zip(self.normal.chunks_exact(width)) {
            let to = back.parameter(self.gain).iter_mut();
            to.zip(d.iter().zip(n)).for_each(|(to, (d, n))| *to = T::binary(Binary::Add, *to, mul(*d, *n)));
            super::add(back.parameter(self.bias), d);
        }
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// Each row with mean 0 and variance 1, then scaled by a gain and shifted by a bias, both `[width]`.
    ///
    /// # Errors
    /// A gain or bias of another length.
    pub fn layer_norm(&mut self, x: Var, gain: Parameter, bias: Parameter) -> Result<Var, EngineError> {
        let width = self.width(x);
        for p in [gain, bias] {
            check("gain and bias of a layer norm", self.store.weight(p).len(), width)?;
        }
        let mut normal = Vec::with_capacity(self.value(x).len());
        let mut scales = vec![];
        for row in self.value(x).chunks_exact(width) {
            let mean = row.iter().map(|x| x.to_f64()).sum::<f64>() / width as f64;
            let variance = row.iter().map(|x| (x.to_f64() - mean).powi(2)).sum::<f64>() / width as f64;
            let scale = 1.0 / (variance + EPSILON).sqrt();
            normal.extend(row.iter().map(|x| T::from_f64((x.to_f64() - mean) * scale)));
            scales.push(scale);
        }
        let (g, b) = (self.store.weight(gain), self.store.weight(bias));
        let mut value = Vec::with_capacity(normal.len());
        for row in normal.chunks_exact(width) {
            value.extend(row.iter().zip(g).zip(b).map(|((n, g), b)| T::binary(Binary::Add, mul(*n, *g), *b)));
        }
        Ok(self.record(value, width, Norm { x, gain, bias, normal, scales }))
    }
}
