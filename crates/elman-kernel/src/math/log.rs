//! ln x, at most 1 ulp off; negative arguments give NaN, 0 gives −∞.
//!
//!   x = 2ⁿ·(1 + f),  1 + f in [√½, √2)      ln x = n·ln 2 + f − f²/2 + f³·R(f),  R of degree 7
//! The split is that of Moshier's Cephes library (1989).

use super::exp::{LN2, LN2_LOW};
use super::polynomial;
use crate::simd::Simd;

const R: [f32; 8] =
    [0.333_333_3, -0.250_008_23, 0.200_012_28, -0.166_233_36, 0.142_017_19, -0.131_603_66, 0.127_619_68, -0.076_344_91];

/// ln x
#[inline(always)]
pub(crate) fn log<S: Simd>(s: S, x: S::F) -> S::F {
    let small = s.gt(s.splat(f32::MIN_POSITIVE), x);
    let normal = s.select(small, s.mul(x, s.splat(8_388_608.0)), x);
    // Bits from those of √½ on: the exponent counts how often 2 fits.
    let root = s.splat_i(std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32);
    let bits = s.sub_i(s.bits(normal), root);
    let n = s.right::<23>(bits);
    let f = s.sub(s.number(s.add_i(s.and_i(bits, s.splat_i(0x007f_ffff)), root)), s.splat(1.0));
    let n = integer(s, n);
    let n = s.select(small, s.sub(n, s.splat(23.0)), n);
    let square = s.mul(f, f);
    let tail = s.mul(s.mul(square, f), polynomial(s, f, R));
    let tail = s.fma(n, s.splat(LN2_LOW), tail);
    let y = s.add(f, s.fnma(square, s.splat(0.5), tail));
    let y = s.fma(n, s.splat(LN2), y);
    special(s, x, y)
}

/// n as a number, |n| < 2²².
#[inline(always)]
fn integer<S: Simd>(s: S, n: S::I) -> S::F {
    let round = super::exp::ROUND;
    s.sub(s.number(s.add_i(n, s.splat_i(round.to_bits() as i32))), s.splat(round))
}

/// −∞ at 0, NaN below, ∞ and NaN as they are.
#[inline(always)]
fn special<S: Simd>(s: S, x: S::F, y: S::F) -> S::F {
    let zero = s.splat(0.0);
    let at_most_zero = s.select(s.gt(zero, x), s.splat(f32::NAN), s.splat(f32::NEG_INFINITY));
    let y = s.select(s.gt(x, zero), y, at_most_zero);
    s.select(s.gt(s.splat(f32::INFINITY), x), y, x)
}
