//! tanh x, at most 2.5 ulp off, x itself near 0.
//!
//!   y = |x|, at most 10      E = (e²ʸ − 1) / 2      tanh x = ± E / (E + 1)
//!   2y = n·ln 2 + 2r      E = 2ⁿ·(r + r²·2Q(2r)) + (2ⁿ − 1)/2,  Q as in `expm1`, whose error is relative also near 0
//! From |x| = 9.02 on the quotient is 1.

use super::exp::{BIAS, LN2, LN2_LOW, ROUND};
use super::expm1::Q;
use super::polynomial;
use crate::simd::{SIGN, Simd};

/// Up to here x differs from tanh x by less than half an ulp: x²/3 < 2⁻²⁵.
const IDENTITY: f32 = 0.000_244_140_63;

/// 2Q(2r)
const Q2: [f32; 5] = [2.0 * Q[0], 4.0 * Q[1], 8.0 * Q[2], 16.0 * Q[3], 32.0 * Q[4]];

/// tanh x
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let y = s.min(s.splat(10.0), s.abs(x));
    let shifted = s.fma(y, s.splat(2.0 * std::f32::consts::LOG2_E), s.splat(ROUND + BIAS));
    let n = s.sub(shifted, s.splat(ROUND + BIAS));
    let r = s.fnma(n, s.splat(LN2 / 2.0), y);
    let r = s.fnma(n, s.splat(LN2_LOW / 2.0), r);
    let p = s.fma(s.mul(r, r), polynomial(s, r, Q2), r);
    let power = s.number(s.left::<23>(s.bits(shifted)));
    let e = s.fma(power, p, s.fma(power, s.splat(0.5), s.splat(-0.5)));
    let t = s.div(e, s.add(e, s.splat(1.0)));
    let t = s.select(s.gt(y, s.splat(IDENTITY)), t, y);
    s.number(s.xor_i(s.bits(t), s.and_i(s.bits(x), s.splat_i(SIGN))))
}
