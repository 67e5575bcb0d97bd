//! eˣ − 1, at most 2 ulp off, x itself near 0.
//!
//!   x = n·ln 2 + r      p = r + r²·Q(r) ≈ eʳ − 1      eˣ − 1 = 2ⁿ·p + (2ⁿ − 1)

use super::exp::{BIAS, reduce};
use super::polynomial;
use crate::simd::Simd;

pub(super) const Q: [f32; 5] = [0.499_999_97, 0.166_665_43, 0.041_667_2, 0.008_366_520_5, 0.001_388_252_1];

/// eˣ − 1
#[inline(always)]
pub(crate) fn expm1<S: Simd>(s: S, x: S::F) -> S::F {
    // Below −18 the result is −1, above 89 infinity. NaN is the second argument, and stays.
    let clamped = s.min(s.splat(89.0), s.max(s.splat(-18.0), x));
    // Half of 2ⁿ, because 2¹²⁸ is no number; doubling is exact.
    let (half, r) = reduce(s, clamped, BIAS - 1.0);
    let half = s.number(half);
    let p = s.fma(s.mul(r, r), polynomial(s, r, Q), r);
    let y = s.fma(half, p, s.sub(half, s.splat(0.5)));
    let y = s.add(y, y);
    // Halving would lose denormals, and the sum the sign of zero.
    s.select(s.gt(s.abs(x), s.splat(f32::EPSILON / 4.0)), y, x)
}
