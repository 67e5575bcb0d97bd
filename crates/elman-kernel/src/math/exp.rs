//! eˣ, at most 1 ulp off.
//!
//!   x = n·ln 2 + r,  n integer, |r| ≤ ln 2 / 2      eˣ = 2ⁿ · (1 + r + r²·Q(r)),  Q of degree 4
//! The reduction is Cody and Waite's (1980), with fused operations. 2ⁿ is applied in two factors, so that results in the
//! denormal range are rounded once and too large ones become infinity.

use super::polynomial;
use crate::simd::Simd;

/// ln 2 = `LN2` + `LN2_LOW` to 48 bits.
pub(super) const LN2: f32 = std::f32::consts::LN_2;
/// The rest of ln 2.
pub(super) const LN2_LOW: f32 = -1.904_654_2e-9;

const Q: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_717, 0.001_381_459_9];

/// Q(−q)
const Q_BELOW: [f32; 5] = [Q[0], -Q[1], Q[2], -Q[3], Q[4]];

/// 1.5 · 2²³: adding it rounds to an integer, which then stands in the low bits.
pub(super) const ROUND: f32 = 12_582_912.0;

/// The bits of 2ᵏ are (k + `BIAS`) shifted by 23.
pub(super) const BIAS: f32 = 127.0;

const TWO_64: f32 = 18_446_744_073_709_551_616.0;

/// The bits of 2^(n + bias − `BIAS`), and r; x = n·ln 2 + r, |x| < 2²¹.
#[inline(always)]
pub(super) fn reduce<S: Simd>(s: S, x: S::F, bias: f32) -> (S::I, S::F) {
    let shifted = s.fma(x, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND + bias));
    let n = s.sub(shifted, s.splat(ROUND + bias));
    let r = s.fnma(n, s.splat(LN2), x);
    let r = s.fnma(n, s.splat(LN2_LOW), r);
    (s.left::<23>(s.bits(shifted)), r)
}

/// eˣ
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    // Beyond these the result is 0 or infinity. NaN is the second argument, and stays.
    let x = s.min(s.splat(89.0), s.max(s.splat(-104.0), x));
    let (power, r) = reduce(s, x, 2.0 * BIAS);
    let p = s.add(s.fma(s.mul(r, r), polynomial(s, r, Q), r), s.splat(1.0));
    let last = s.select(s.gt(x, s.splat(0.0)), s.splat(TWO_64), s.splat(1.0 / TWO_64));
    let first = s.number(s.sub_i(power, s.bits(last)));
    s.mul(s.mul(p, first), last)
}

/// e⁻ʸ for y ≥ 0: the same value as `exp(−y)`, with less to decide.
#[inline(always)]
pub(super) fn exp_below<S: Simd>(s: S, y: S::F) -> S::F {
    let y = s.min(s.splat(104.0), y);
    let shifted = s.fnma(y, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND + BIAS + 64.0));
    let n = s.sub(shifted, s.splat(ROUND + BIAS + 64.0));
    // q = −r
    let q = s.fma(n, s.splat(LN2), y);
    let q = s.fma(n, s.splat(LN2_LOW), q);
    let p = s.sub(s.splat(1.0), s.fnma(s.mul(q, q), polynomial(s, q, Q_BELOW), q));
    let first = s.number(s.left::<23>(s.bits(shifted)));
    s.mul(s.mul(p, first), s.splat(1.0 / TWO_64))
}
