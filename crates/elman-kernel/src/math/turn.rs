//! Angles for sin and cos: x = q·π/2 + r, |r| ≤ π/4.
//!
//! Up to 30,000 by Cody and Waite's reduction (1980) with π/2 in three parts; beyond, where a product would lose the
//! fraction, lane by lane with 96 bits of 2/π chosen by the exponent (Payne and Hanek 1983).

use super::polynomial;
use crate::simd::Simd;

const HALF_PI: [f32; 3] = [1.570_796_4, -4.371_139e-8, -1.715_124_5e-15];

/// The largest angle reduced by multiplication.
const NEAR: f32 = 30_000.0;

/// 2/π, 32 bits a word: bit 1 after the point first.
const TWO_OVER_PI: [u32; 8] =
    [0xa2f9_836e, 0x4e44_1529, 0xfc27_57d1, 0xf534_ddc0, 0xdb62_9599, 0x3c43_9041, 0xfe51_63ab, 0xdebb_c561];

const SIN: [f32; 4] = [-0.166_666_67, 0.008_333_329, -0.000_198_393_09, 2.718_084e-6];
const COS: [f32; 3] = [0.041_666_646, -0.001_388_731_3, 2.443_278_4e-5];

/// sin(y + q·π/2) for y = |x|, up to where lanes are rare: (result, which lanes are too large).
#[inline(always)]
pub(super) fn sin_turned<S: Simd>(s: S, y: S::F, q: i32) -> (S::F, S::Mask) {
    let shifted = s.fma(y, s.splat(std::f32::consts::FRAC_2_PI), s.splat(super::exp::ROUND));
    let n = s.sub(shifted, s.splat(super::exp::ROUND));
    let r = s.fnma(n, s.splat(HALF_PI[0]), y);
    let r = s.fnma(n, s.splat(HALF_PI[1]), r);
    let r = s.fnma(n, s.splat(HALF_PI[2]), r);
    (quadrant(s, s.add_i(s.bits(shifted), s.splat_i(q)), r), s.gt(y, s.splat(NEAR)))
}

/// sin(r + q·π/2): sin r, cos r, −sin r, −cos r by the low bits of q.
#[inline(always)]
fn quadrant<S: Simd>(s: S, q: S::I, r: S::F) -> S::F {
    let square = s.mul(r, r);
    let sine = s.fma(s.mul(square, r), polynomial(s, square, SIN), r);
    let cosine = s.fma(square, s.splat(-0.5), s.splat(1.0));
    let cosine = s.fma(s.mul(square, square), polynomial(s, square, COS), cosine);
    // A quadrant's low bit, moved to the exponent's place, is 2 or 0.
    let odd = s.gt(s.number(s.left::<30>(s.and_i(q, s.splat_i(1)))), s.splat(1.0));
    let y = s.select(odd, cosine, sine);
    s.number(s.xor_i(s.bits(y), s.left::<30>(s.and_i(q, s.splat_i(2)))))
}

/// sin(y + q·π/2) for y over [`NEAR`]; NaN for infinity.
pub(super) fn sin_far(y: f32, q: i32) -> f32 {
    if !y.is_finite() {
        return f32::NAN;
    }
    let exponent = (y.to_bits() >> 23) as i32 - 150;
    let mantissa = y.to_bits() & 0x007f_ffff | 0x0080_0000;
    // Bits of 2/π that give whole turns (multiples of 4) are left out: the first bit is number max(1, exponent − 1).
    let first = (exponent - 1).max(1);
    let product = u128::from(mantissa) * window(first as usize - 1);
    let fraction_bits = (95 + first - exponent) as u32;
    let fraction = product & ((1 << fraction_bits) - 1);
    let mut whole = (product >> fraction_bits) as i32 & 3;
    let mut part = fraction as f64 / (1u128 << fraction_bits) as f64;
    if part > 0.5 {
        part -= 1.0;
        whole += 1;
    }
    quadrant(crate::simd::scalar::One, whole + q, (part * std::f64::consts::FRAC_PI_2) as f32)
}

/// 96 bits of 2/π from bit `skip` on.
fn window(skip: usize) -> u128 {
    let word = |k: usize| u128::from(TWO_OVER_PI[skip / 32 + k]);
    let four = word(0) << 96 | word(1) << 64 | word(2) << 32 | word(3);
    four << (skip % 32) >> 32
}
