//! Φ(x), the normal distribution function (1 + erf(x/√2)) / 2, at most 5 ulp off, in the tail as well.
//!
//!   y = |x|      Φ(−y) = e^(−y²/2) · G(y)      G(y) = P((y−4)/(y+4)) / (y+4),  P of degree 9      Φ(y) = 1 − Φ(−y)
//! The variable (y−k)/(y+k) is Shepherd and Laframboise's (1981). y² is kept to 48 bits, or the tail would lose six of them.

use super::exp::exp_below;
use super::polynomial;
use crate::simd::Simd;

const P: [f32; 10] = [
    0.755_285_14,
    -0.607_896_57,
    0.387_136_9,
    -0.186_523_48,
    0.060_403_764,
    -0.007_525_003,
    -0.003_512_078,
    0.001_569_588,
    0.000_178_371_1,
    -0.000_132_433_24,
];

/// Φ(x)
#[inline(always)]
pub(crate) fn normal_cdf<S: Simd>(s: S, x: S::F) -> S::F {
    // From 14.2 on the tail is 0.
    let y = s.min(s.splat(14.6), s.abs(x));
    let beside = s.add(y, s.splat(4.0));
    let w = s.div(s.splat(1.0), beside);
    let above = s.sub(y, s.splat(4.0));
    let t = s.mul(above, w);
    let t = s.fma(s.fnma(t, beside, above), w, t);
    let g = s.mul(polynomial(s, t, P), w);
    let square = s.mul(y, y);
    let low = s.fma(y, y, s.neg(square));
    let half = s.splat(0.5);
    let g = s.fnma(g, s.mul(low, half), g);
    let tail = s.mul(exp_below(s, s.mul(square, half)), g);
    s.select(s.gt(x, s.splat(0.0)), s.sub(s.splat(1.0), tail), tail)
}
