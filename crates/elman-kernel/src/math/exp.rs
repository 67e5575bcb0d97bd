//! eˣ, at most 1 ulp off.
//!
//!   x = n·ln 2 + r,  n integer, |r| ≤ ln 2 / 2      eˣ = 2ⁿ · (1 + r + r²·Q(r)),  Q of degree 4
//! The reduction is Cody and Waite's (1980), with fused operations. 2ⁿ is applied in two halves, so that results in the
//! denormal range are rounded once and too large ones become infinity.

use super::polynomial;
use crate::simd::Simd;

/// ln 2 = `LN2` + `LN2_LOW` to 48 bits.
pub(super) const LN2: f32 = std::f32::consts::LN_2;
/// The rest of ln 2.
pub(super) const LN2_LOW: f32 = -1.904_654_2e-9;

const Q: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_717, 0.001_381_459_9];

/// 1.5 · 2²³: adding it rounds to an integer, which then stands in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// (n, r) of x, |x| < 2²¹.
#[inline(always)]
pub(super) fn reduce<S: Simd>(s: S, x: S::F) -> (S::I, S::F) {
    let shifted = s.fma(x, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND));
    let n = s.sub(shifted, s.splat(ROUND));
    let r = s.fnma(n, s.splat(LN2), x);
    let r = s.fnma(n, s.splat(LN2_LOW), r);
    (s.sub_i(s.bits(shifted), s.splat_i(ROUND.to_bits() as i32)), r)
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
pub(super) fn power<S: Simd>(s: S, n: S::I) -> S::F {
    s.number(s.left::<23>(s.add_i(n, s.splat_i(127))))
}

/// eˣ
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    // Beyond these the result is 0 or infinity. NaN is the second argument, and stays.
    let x = s.min(s.splat(89.0), s.max(s.splat(-104.0), x));
    let (n, r) = reduce(s, x);
    let q = polynomial(s, r, Q);
    let p = s.add(s.fma(s.mul(r, r), q, r), s.splat(1.0));
    let half = s.right::<1>(n);
    s.mul(s.mul(p, power(s, half)), power(s, s.sub_i(n, half)))
}
