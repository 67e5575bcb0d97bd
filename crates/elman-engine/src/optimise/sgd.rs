//! Stochastic gradient descent, with and without momentum.
//!
//!   g ← g + λ θ
//!   θ ← θ − η g
//!   v ← μ v + g,  θ ← θ − η v              (Polyak 1964)
//!   v ← μ v + g,  θ ← θ − η (g + μ v)      (Nesterov 1983)

use elman_kernel::Real;

use super::{Step, multiply_add};

pub(super) fn step<T: Real>(p: &mut [T], g: &[T], s: Step) {
    let (rate, decay) = (T::from_f64(-s.rate), T::from_f64(s.decay));
    for (p, g) in p.iter_mut().zip(g) {
        *p = multiply_add(rate, multiply_add(decay, *p, *g), *p);
    }
}

pub(super) fn momentum<T: Real>(p: &mut [T], g: &[T], v: &mut [T], s: Step, mu: f64, nesterov: bool) {
    let (rate, decay, mu) = (T::from_f64(-s.rate), T::from_f64(s.decay), T::from_f64(mu));
    for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
        let g = multiply_add(decay, *p, *g);
        *v = multiply_add(mu, *v, g);
        let along = if nesterov { multiply_add(mu, *v, g) } else { *v };
        *p = multiply_add(rate, along, *p);
    }
}
