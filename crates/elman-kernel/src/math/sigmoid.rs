//! σ(x) = 1 / (1 + e⁻ˣ), at most 2.5 ulp off, down to denormal results.
//!
//!   e = e^−|x| ≤ 1      σ(x) = 1 / (1 + e) for x ≥ 0,  e / (1 + e) for x < 0

use super::exp::exp_below;
use crate::simd::Simd;

/// σ(x)
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let e = exp_below(s, s.abs(x));
    s.div(s.select(s.gt(s.splat(0.0), x), e, one), s.add(one, e))
}
