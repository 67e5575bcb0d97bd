//! cos x, at most 2 ulp off for every f32; infinities give NaN.
//!
//!   cos x = sin(|x| + π/2), the quarter turn added to the quadrant

use super::turn::{sin_far, sin_turned};
use crate::simd::Simd;

/// cos x
#[inline(always)]
pub(crate) fn cos<S: Simd>(s: S, x: S::F) -> S::F {
    let y = s.abs(x);
    let (value, far) = sin_turned(s, y, 1);
    if s.any(far) { s.rare(far, y, value, |y| sin_far(y, 1)) } else { value }
}
