//! The functions in f64: the standard library's where it has them.

use crate::code::Unary;
use crate::kernels::UNARY;
use crate::simd::scalar::Double;

/// The f64 function of [`Unary`] whose number is `OP`.
#[inline(always)]
pub(crate) fn double<const OP: u8>(_: Double, x: f64) -> f64 {
    let Some(op) = UNARY.get(OP as usize) else { return f64::NAN };
    match op {
        Unary::Copy => x,
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign if x > 0.0 => 1.0,
        Unary::Sign if x < 0.0 => -1.0,
        Unary::Sign => x,
        Unary::Sqrt => x.sqrt(),
        Unary::Exp => x.exp(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => sigmoid(x),
        Unary::Softplus => (if x < 0.0 { 0.0 } else { x }) + (-x.abs()).exp().ln_1p(),
        Unary::NormalCdf => normal_cdf(x),
    }
}

fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// Φ(x), relative error below 1e-14 in the lower tail.
fn normal_cdf(x: f64) -> f64 {
    let y = x.abs();
    if y < 1.5 {
        0.5 + x.signum() * centre(y)
    } else if x > 0.0 {
        1.0 - tail(y)
    } else {
        tail(y)
    }
}

/// Φ(y) − ½ for 0 ≤ y < 1.5: e^(−y²/2)/√(2π) · Σ y^(2k+1) / (1·3·5·…·(2k+1)), all terms positive (Abramowitz and Stegun 26.2.11).
fn centre(y: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (y, y, 1.0);
    while term > sum * 1e-18 {
        odd += 2.0;
        term *= y * y / odd;
        sum += term;
    }
    density(y) * sum
}

/// Φ(−y) for y ≥ 1.5: the continued fraction of Mills's ratio (Abramowitz and Stegun 26.2.14), from its 200th term backwards.
fn tail(y: f64) -> f64 {
    if y.is_nan() {
        return y;
    }
    let fraction = (1..200).rev().fold(y, |below, k| y + f64::from(k) / below);
    density(y) / fraction
}

/// e^(−y²/2)/√(2π), y² exact to twice the digits.
fn density(y: f64) -> f64 {
    let square = y * y;
    let low = if square.is_finite() { y.mul_add(y, -square) } else { 0.0 };
    (-0.5 * square).exp() * (1.0 - 0.5 * low) * 0.398_942_280_401_432_7
}
