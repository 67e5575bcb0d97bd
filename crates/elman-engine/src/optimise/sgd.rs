//! Stochastic gradient descent, with and without momentum.
//!
//!   g ← s g + λ θ,  s the step's scale
//!   θ ← θ − η g
//!   v ← μ v + g,  θ ← θ − η v              (Polyak 1964)
//!   v ← μ v + g,  θ ← θ − η (g + μ v)      (Nesterov 1983)

use elman_kernel::Real;

use super::{Step, multiply, multiply_add};

pub(super) fn step<T: Real>(p: &mut [T], g: &[T], s: Step) {
    let (rate, decay, scale) = (T::from_f64(-s.rate), T::from_f64(s.decay), T::from_f64(s.scale));
    for (p, g) in p.iter_mut().zip(g) {
        *p = multiply_add(rate, multiply_add(decay, *p, multiply(*g, scale)), *p);
    }
}

pub(super) fn momentum<T: Real>(p: &mut [T], g: &[T], v: &mut [T], s: Step, mu: f64, nesterov: bool) {
    let (rate, decay, mu) = (T::from_f64(-s.rate), T::from_f64(s.decay), T::from_f64(mu));
    let scale = T::from_f64(s.scale);
    for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
        let g = multiply_add(decay, *p, multiply(*g, scale));
        *v = multiply_add(mu, *v, g);
        let along = if nesterov { multiply_add(mu, *v, g) } else { *v };
        *p = multiply_add(rate, along, *p);
    }
}
