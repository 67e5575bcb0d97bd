//! Elementwise functions, each written once over [`Simd`], so that every instruction set gives the same bits.
//!
//! Each is a fixed sequence of correctly rounded operations. NaN gives NaN (its sign and payload are not promised),
//! infinities give their limits, denormals are neither flushed nor lost. Coefficients were fitted for this crate:
//! minimax of the relative error, by iteratively reweighted least squares (Lawson 1961), then rounded to f32. Errors are in
//! ulp over all f32, and `exhaustive` measures them.

pub(crate) mod cos;
mod double;
pub(crate) mod exp;
pub(crate) mod expm1;
pub(crate) mod log;
pub(crate) mod normal_cdf;
pub(crate) mod sigmoid;
pub(crate) mod sin;
pub(crate) mod softplus;
pub(crate) mod tanh;
mod turn;

pub(crate) use double::double;

use crate::code::Unary;
use crate::simd::Simd;

/// The f32 function of [`Unary`] whose number is `OP`.
#[inline(always)]
pub(crate) fn single<const OP: u8, S: Simd>(s: S, x: S::F) -> S::F {
    const COPY: u8 = Unary::Copy as u8;
    const NEG: u8 = Unary::Neg as u8;
    const ABS: u8 = Unary::Abs as u8;
    const SIGN: u8 = Unary::Sign as u8;
    const SQRT: u8 = Unary::Sqrt as u8;
    const EXP: u8 = Unary::Exp as u8;
    const EXPM1: u8 = Unary::Expm1 as u8;
    const LOG: u8 = Unary::Log as u8;
    const SIN: u8 = Unary::Sin as u8;
    const COS: u8 = Unary::Cos as u8;
    const TANH: u8 = Unary::Tanh as u8;
    const SIGMOID: u8 = Unary::Sigmoid as u8;
    const SOFTPLUS: u8 = Unary::Softplus as u8;
    const NORMAL_CDF: u8 = Unary::NormalCdf as u8;
    match OP {
        COPY => x,
        NEG => s.neg(x),
        ABS => s.abs(x),
        SIGN => sign(s, x),
        SQRT => s.sqrt(x),
        EXP => exp::exp(s, x),
        EXPM1 => expm1::expm1(s, x),
        LOG => log::log(s, x),
        SIN => sin::sin(s, x),
        COS => cos::cos(s, x),
        TANH => tanh::tanh(s, x),
        SIGMOID => sigmoid::sigmoid(s, x),
        SOFTPLUS => softplus::softplus(s, x),
        NORMAL_CDF => normal_cdf::normal_cdf(s, x),
        _ => unreachable!("no such function"),
    }
}

/// x > 0 ? 1 : x < 0 ? −1 : x
#[inline(always)]
fn sign<S: Simd>(s: S, x: S::F) -> S::F {
    let zero = s.splat(0.0);
    let x = s.select(s.gt(x, zero), s.splat(1.0), x);
    s.select(s.gt(zero, x), s.splat(-1.0), x)
}

/// c₀ + c₁x + c₂x² + … by Horner's rule, one fused operation a coefficient.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::F, c: [f32; N]) -> S::F {
    let mut sum = s.splat(c[N - 1]);
    for k in (0..N - 1).rev() {
        sum = s.fma(sum, x, s.splat(c[k]));
    }
    sum
}
