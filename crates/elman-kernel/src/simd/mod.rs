//! The few vector operations that kernels and math functions are written in.
//!
//! A value of a type that implements [`Lanes`] is a token: it exists only where the CPU has the instructions, so that
//! the operations on registers are safe. Every operation is rounded once, to nearest even; none is approximate.
//! `max` and `min` give their second argument where either is NaN or both are zero, on every instruction set.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod scalar;
pub(crate) mod several;

use several::Several;

/// Registers of f32 or f64 lanes.
pub(crate) trait Lanes: Copy + 'static {
    /// f32 or f64.
    type Elem: Copy + 'static;
    /// A register.
    type F: Copy;
    /// One truth value a lane.
    type Mask: Copy;
    /// Lanes of a register: divides 16.
    const WIDTH: usize;

    /// All lanes x.
    fn splat(self, x: Self::Elem) -> Self::F;
    /// All lanes the number nearest to x.
    fn splat64(self, x: f64) -> Self::F;
    /// Safety: `WIDTH` elements at p are readable.
    unsafe fn load(self, p: *const Self::Elem) -> Self::F;
    /// Safety: `WIDTH` elements at p are writable.
    unsafe fn store(self, p: *mut Self::Elem, v: Self::F);
    /// The first n lanes (0 < n ≤ `WIDTH`), zero elsewhere. Safety: n elements at p are readable.
    unsafe fn load_part(self, p: *const Self::Elem, n: usize) -> Self::F;
    /// The first n lanes (0 < n ≤ `WIDTH`). Safety: n elements at p are writable.
    unsafe fn store_part(self, p: *mut Self::Elem, n: usize, v: Self::F);

    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    fn sqrt(self, a: Self::F) -> Self::F;
    /// a · b + c
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// c − a · b
    fn fnma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// a > b ? a : b
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// a < b ? a : b
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    fn abs(self, a: Self::F) -> Self::F;
    fn neg(self, a: Self::F) -> Self::F;
    /// a > b
    fn gt(self, a: Self::F, b: Self::F) -> Self::Mask;
    /// mask ? a : b
    fn select(self, mask: Self::Mask, a: Self::F, b: Self::F) -> Self::F;
    /// The function of [`crate::code::Unary`] whose number is `OP`.
    fn unary<const OP: u8>(self, x: Self::F) -> Self::F;
    /// The same of several registers at once.
    fn unary_several<const OP: u8, const N: usize>(s: Several<Self, N>, x: [Self::F; N]) -> [Self::F; N];
}

/// f32 registers that can also be seen as 32-bit integers: what the math functions need.
pub(crate) trait Simd: Lanes<Elem = f32> {
    /// A register of integers.
    type I: Copy;

    fn splat_i(self, x: i32) -> Self::I;
    /// The same bits as integers.
    fn bits(self, a: Self::F) -> Self::I;
    /// The same bits as numbers.
    fn number(self, a: Self::I) -> Self::F;
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn and_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn xor_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// Shifts zeros in from the right.
    fn left<const N: u32>(self, a: Self::I) -> Self::I;
    /// Shifts copies of the sign in from the left.
    fn right<const N: u32>(self, a: Self::I) -> Self::I;
    /// Whether the mask holds in any lane.
    fn any(self, mask: Self::Mask) -> bool;
    /// mask ? f(x) : v, one lane at a time, for arguments too rare to be fast.
    fn rare(self, mask: Self::Mask, x: Self::F, v: Self::F, f: fn(f32) -> f32) -> Self::F;
}

/// The bit pattern of −0.
pub(crate) const SIGN: i32 = i32::MIN;
