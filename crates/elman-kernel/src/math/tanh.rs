//! tanh x, at most 2.5 ulp off, x itself near 0.
//!
//!   y = |x| below 10      E = e²ʸ − 1 (as in `expm1`, which is exact near 0)      tanh x = ± E / (E + 2)
//! From |x| = 9.02 on the quotient is 1.

use super::exp::{power, reduce};
use super::expm1::near_zero;
use crate::simd::{SIGN, Simd};

/// Up to here x differs from tanh x by less than half an ulp: x²/3 < 2⁻²⁵.
const IDENTITY: f32 = 0.000_244_140_63;

/// tanh x
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let y = s.min(s.splat(10.0), s.abs(x));
    let (n, r) = reduce(s, s.add(y, y));
    let two = power(s, n);
    let e = s.fma(two, near_zero(s, r), s.sub(two, s.splat(1.0)));
    let t = s.div(e, s.add(e, s.splat(2.0)));
    let t = s.select(s.gt(y, s.splat(IDENTITY)), t, y);
    s.number(s.xor_i(s.bits(t), s.and_i(s.bits(x), s.splat_i(SIGN))))
}
