//! Adam. Kingma & Ba 2015, arXiv:1412.6980, algorithm 1.
//!
//!   m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
//!   θ ← θ − η · m̂ / (√v̂ + ε)      m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
//!
//! Decoupled weight decay is θ ← θ − η λ θ, before the step. Loshchilov & Hutter 2019, arXiv:1711.05101 (AdamW).
//! Otherwise g ← g + λ θ. Gradients are multiplied with the step's scale first.

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::{Step, multiply, multiply_add};

#[derive(Clone, Copy)]
pub(super) struct Betas {
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub decoupled: bool,
}

pub(super) fn step<T: Real>(p: &mut [T], g: &[T], m: &mut [T], v: &mut [T], s: Step, b: Betas, t: u64) {
    let power = |beta: f64| 1.0 - beta.powf(t as f64);
    let rate = T::from_f64(-s.rate / power(b.beta1));
    let (scale, root) = (T::from_f64(s.scale), T::from_f64(1.0 / power(b.beta2).sqrt()));
    let (b1, b2) = (T::from_f64(b.beta1), T::from_f64(b.beta2));
    let (one1, one2) = (T::from_f64(1.0 - b.beta1), T::from_f64(1.0 - b.beta2));
    let epsilon = T::from_f64(b.epsilon);
    let coupled = T::from_f64(if b.decoupled { 0.0 } else { s.decay });
    let shrink = T::from_f64(if b.decoupled { -s.rate * s.decay } else { 0.0 });
    for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
        let g = multiply_add(coupled, *p, multiply(*g, scale));
        *p = multiply_add(shrink, *p, *p);
        *m = multiply_add(b1, *m, multiply(one1, g));
        *v = multiply_add(b2, *v, multiply(one2, multiply(g, g)));
        let below = multiply_add(root, v.sqrt(), epsilon);
        *p = multiply_add(rate, T::binary(Binary::Div, *m, below), *p);
    }
}
