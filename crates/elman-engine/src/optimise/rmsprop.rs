//! RMSProp. Tieleman & Hinton 2012, lecture 6.5 of "Neural networks for machine learning".
//!
//!   v ← ρ v + (1 − ρ) g²
//!   θ ← θ − η g / (√v + ε)                      m ← μ m + g / (√v + ε),  θ ← θ − η m
//!
//! where g ← s g + λ θ, s the step's scale.

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::{Step, multiply, multiply_add};

/// g / (√v + ε), after v has moved.
fn scaled<T: Real>(g: T, v: &mut T, rho: T, one: T, epsilon: T) -> T {
    let square = T::binary(Binary::Mul, g, g);
    *v = multiply_add(rho, *v, T::binary(Binary::Mul, one, square));
    let below = T::binary(Binary::Add, v.sqrt(), epsilon);
    T::binary(Binary::Div, g, below)
}

pub(super) fn step<T: Real>(p: &mut [T], g: &[T], v: &mut [T], s: Step, rho: f64, epsilon: f64) {
    let (rate, decay) = (T::from_f64(-s.rate), T::from_f64(s.decay));
    let scale = T::from_f64(s.scale);
    let (one, rho, epsilon) = (T::from_f64(1.0 - rho), T::from_f64(rho), T::from_f64(epsilon));
    for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
        let g = scaled(multiply_add(decay, *p, multiply(*g, scale)), v, rho, one, epsilon);
        *p = multiply_add(rate, g, *p);
    }
}

pub(super) fn momentum<T: Real>(
    p: &mut [T],
    g: &[T],
    v: &mut [T],
    m: &mut [T],
    s: Step,
    rho: f64,
    epsilon: f64,
    mu: f64,
) {
    let (rate, decay, mu) = (T::from_f64(-s.rate), T::from_f64(s.decay), T::from_f64(mu));
    let scale = T::from_f64(s.scale);
    let (one, rho, epsilon) = (T::from_f64(1.0 - rho), T::from_f64(rho), T::from_f64(epsilon));
    for (((p, g), v), m) in p.iter_mut().zip(g).zip(v).zip(m) {
        let g = scaled(multiply_add(decay, *p, multiply(*g, scale)), v, rho, one, epsilon);
        *m = multiply_add(mu, *m, g);
        *p = multiply_add(rate, *m, *p);
    }
}
