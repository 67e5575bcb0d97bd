//! Stochastic gradient descent, with and without momentum.
//!
//!   g ← g + λ θ
//!   θ ← θ − η g
//!   v ← μ v + g,  θ ← θ − η v              (Polyak 1964)
//!   v ← μ v + g,  θ ← θ − η (g + μ v)      (Nesterov 1983)

use elman_kernel::Real;

use super::Step;

pub(super) fn step<T: Real>(p: &mut [T], g: &[T], s: Step) {
    let (rate, decay) = (T::from_f64(-s.rate), T::from_f64(s.decay));
    for (p, g) in p.iter_mut().zip(g) {
        *p = rate.mul_add(decay.mul_add(*p, *g), *p);
    }
}

pub(super) fn momentum<T: Real>(p: &mut [T], g: &[T], v: &mut [T], s: Step, mu: f64, nesterov: bool) {
    let (rate, decay, mu) = (T::from_f64(-s.rate), T::from_f64(s.decay), T::from_f64(mu));
    for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
        let g = decay.mul_add(*p, *g);
        *v = mu.mul_add(*v, g);
        let along = if nesterov { mu.mul_add(*v, g) } else { *v };
        *p = rate.mul_add(along, *p);
    }
}
