//! sin x, at most 2 ulp off for every f32, −0 at −0; infinities give NaN.
//!
//!   |x| = q·π/2 + r      ± sin r or cos r by q, polynomials of degree 9 and 8

use super::turn::{sin_far, sin_turned};
use crate::simd::{SIGN, Simd};

/// sin x
#[inline(always)]
pub(crate) fn sin<S: Simd>(s: S, x: S::F) -> S::F {
    let y = s.abs(x);
    let (value, far) = sin_turned(s, y, 0);
    let value = if s.any(far) { s.rare(far, y, value, |y| sin_far(y, 0)) } else { value };
    s.number(s.xor_i(s.bits(value), s.and_i(s.bits(x), s.splat_i(SIGN))))
}
