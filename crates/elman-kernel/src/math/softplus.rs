//! ln(1 + eˣ), at most 3 ulp off.
//!
//!   e = e^−|x| ≤ 1      w = 2e / (2 + e)      ln(1 + e) = 2·artanh(w/2) = w + w³·A(w²)      softplus x = max(x, 0) + ln(1 + e)

use super::exp::exp_below;
use super::polynomial;
use crate::simd::Simd;

const A: [f32; 5] =
    [0.666_666_75 / 8.0, 0.399_988_86 / 32.0, 0.286_166_28 / 128.0, 0.214_303_8 / 512.0, 0.242_910_37 / 2048.0];

/// ln(1 + eˣ)
#[inline(always)]
pub(crate) fn softplus<S: Simd>(s: S, x: S::F) -> S::F {
    let e = exp_below(s, s.abs(x));
    let w = s.div(s.add(e, e), s.add(e, s.splat(2.0)));
    let square = s.mul(w, w);
    let l = s.fma(s.mul(square, w), polynomial(s, square, A), w);
    s.add(s.max(s.splat(0.0), x), l)
}
