//! Several registers side by side, so that the chains of their operations hide each other's latency.
//!
//! A long function fills the processor's window of instructions with one chain; interleaved, the window holds N of them.

use super::{Lanes, Simd};

/// N registers of S.
#[derive(Clone, Copy)]
pub(crate) struct Several<S, const N: usize>(pub S);

/// [f(0), f(1), …]
#[inline(always)]
fn each<V: Copy, const N: usize>(f: impl Fn(usize) -> V) -> [V; N] {
    let mut values = [f(0); N];
    for (i, value) in values.iter_mut().enumerate().skip(1) {
        *value = f(i);
    }
    values
}

impl<S: Lanes, const N: usize> Lanes for Several<S, N> {
    type Elem = S::Elem;
    type F = [S::F; N];
    type Mask = [S::Mask; N];
    const WIDTH: usize = N * S::WIDTH;

    #[inline(always)]
    unsafe fn load(self, p: *const S::Elem) -> Self::F {
        // Safety: the caller's promise.
        each(|i| unsafe { self.0.load(p.add(i * S::WIDTH)) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut S::Elem, v: Self::F) {
        for (i, v) in v.into_iter().enumerate() {
            // Safety: the caller's promise.
            unsafe { self.0.store(p.add(i * S::WIDTH), v) }
        }
    }
    #[inline(always)]
    unsafe fn load_part(self, p: *const S::Elem, n: usize) -> Self::F {
        each(|i| match n.saturating_sub(i * S::WIDTH) {
            0 => self.0.splat64(0.0),
            // Safety: the caller's promise.
            left => unsafe { self.0.load_part(p.add(i * S::WIDTH), left.min(S::WIDTH)) },
        })
    }
    #[inline(always)]
    unsafe fn store_part(self, p: *mut S::Elem, n: usize, v: Self::F) {
        for (i, v) in v.into_iter().enumerate() {
            if n > i * S::WIDTH {
                // Safety: the caller's promise.
                unsafe { self.0.store_part(p.add(i * S::WIDTH), (n - i * S::WIDTH).min(S::WIDTH), v) }
            }
        }
    }
    #[inline(always)]
    fn splat(self, x: S::Elem) -> Self::F {
        each(|_| self.0.splat(x))
    }
    #[inline(always)]
    fn splat64(self, x: f64) -> Self::F {
        each(|_| self.0.splat64(x))
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.add(a[i], b[i]))
    }
    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.sub(a[i], b[i]))
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.mul(a[i], b[i]))
    }
    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.div(a[i], b[i]))
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.max(a[i], b[i]))
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.min(a[i], b[i]))
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F) -> Self::F {
        each(|i| self.0.sqrt(a[i]))
    }
    #[inline(always)]
    fn abs(self, a: Self::F) -> Self::F {
        each(|i| self.0.abs(a[i]))
    }
    #[inline(always)]
    fn neg(self, a: Self::F) -> Self::F {
        each(|i| self.0.neg(a[i]))
    }
    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        each(|i| self.0.fma(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn fnma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        each(|i| self.0.fnma(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn gt(self, a: Self::F, b: Self::F) -> Self::Mask {
        each(|i| self.0.gt(a[i], b[i]))
    }
    #[inline(always)]
    fn select(self, mask: Self::Mask, a: Self::F, b: Self::F) -> Self::F {
        each(|i| self.0.select(mask[i], a[i], b[i]))
    }
    #[inline(always)]
    fn unary<const OP: u8>(self, x: Self::F) -> Self::F {
        S::unary_several::<OP, N>(self, x)
    }
    #[inline(always)]
    fn unary_several<const OP: u8, const M: usize>(s: Several<Self, M>, x: [Self::F; M]) -> [Self::F; M] {
        each(|i| s.0.unary::<OP>(x[i]))
    }
}

impl<S: Simd, const N: usize> Simd for Several<S, N> {
    type I = [S::I; N];

    #[inline(always)]
    fn splat_i(self, x: i32) -> Self::I {
        each(|_| self.0.splat_i(x))
    }
    #[inline(always)]
    fn bits(self, a: Self::F) -> Self::I {
        each(|i| self.0.bits(a[i]))
    }
    #[inline(always)]
    fn number(self, a: Self::I) -> Self::F {
        each(|i| self.0.number(a[i]))
    }
    #[inline(always)]
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I {
        each(|i| self.0.add_i(a[i], b[i]))
    }
    #[inline(always)]
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I {
        each(|i| self.0.sub_i(a[i], b[i]))
    }
    #[inline(always)]
    fn and_i(self, a: Self::I, b: Self::I) -> Self::I {
        each(|i| self.0.and_i(a[i], b[i]))
    }
    #[inline(always)]
    fn xor_i(self, a: Self::I, b: Self::I) -> Self::I {
        each(|i| self.0.xor_i(a[i], b[i]))
    }
    #[inline(always)]
    fn left<const K: u32>(self, a: Self::I) -> Self::I {
        each(|i| self.0.left::<K>(a[i]))
    }
    #[inline(always)]
    fn right<const K: u32>(self, a: Self::I) -> Self::I {
        each(|i| self.0.right::<K>(a[i]))
    }
    #[inline(always)]
    fn any(self, mask: Self::Mask) -> bool {
        mask.into_iter().any(|mask| self.0.any(mask))
    }
    #[inline(always)]
    fn rare(self, mask: Self::Mask, x: Self::F, v: Self::F, f: fn(f32) -> f32) -> Self::F {
        each(|i| self.0.rare(mask[i], x[i], v[i], f))
    }
}
