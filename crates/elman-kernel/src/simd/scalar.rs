//! One lane, in plain Rust: the portable kernels, the scalar functions, and the reference in tests.

use super::several::Several;
use super::{Lanes, Simd};
use crate::math;

/// One lane of f32.
#[derive(Clone, Copy)]
pub(crate) struct One;

/// One lane of f64.
#[derive(Clone, Copy)]
pub(crate) struct Double;

macro_rules! lanes {
    ($token:ty, $t:ty, $unary:path) => {
        impl Lanes for $token {
            type Elem = $t;
            type F = $t;
            type Mask = bool;
            const WIDTH: usize = 1;

            #[inline(always)]
            fn splat(self, x: $t) -> $t {
                x
            }
            #[inline(always)]
            fn splat64(self, x: f64) -> $t {
                x as $t
            }
            #[inline(always)]
            unsafe fn load(self, p: *const $t) -> $t {
                // Safety: the caller's promise.
                unsafe { p.read() }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t, v: $t) {
                // Safety: the caller's promise.
                unsafe { p.write(v) }
            }
            #[inline(always)]
            unsafe fn load_part(self, p: *const $t, _: usize) -> $t {
                // Safety: the caller's promise.
                unsafe { p.read() }
            }
            #[inline(always)]
            unsafe fn store_part(self, p: *mut $t, _: usize, v: $t) {
                // Safety: the caller's promise.
                unsafe { p.write(v) }
            }
            #[inline(always)]
            fn add(self, a: $t, b: $t) -> $t {
                a + b
            }
            #[inline(always)]
            fn sub(self, a: $t, b: $t) -> $t {
                a - b
            }
            #[inline(always)]
            fn mul(self, a: $t, b: $t) -> $t {
                a * b
            }
            #[inline(always)]
            fn div(self, a: $t, b: $t) -> $t {
                a / b
            }
            #[inline(always)]
            fn sqrt(self, a: $t) -> $t {
                a.sqrt()
            }
            #[inline(always)]
            fn fma(self, a: $t, b: $t, c: $t) -> $t {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn fnma(self, a: $t, b: $t, c: $t) -> $t {
                (-a).mul_add(b, c)
            }
            #[inline(always)]
            fn max(self, a: $t, b: $t) -> $t {
                if a > b { a } else { b }
            }
            #[inline(always)]
            fn min(self, a: $t, b: $t) -> $t {
                if a < b { a } else { b }
            }
            #[inline(always)]
            fn abs(self, a: $t) -> $t {
                a.abs()
            }
            #[inline(always)]
            fn neg(self, a: $t) -> $t {
                -a
            }
            #[inline(always)]
            fn gt(self, a: $t, b: $t) -> bool {
                a > b
            }
            #[inline(always)]
            fn select(self, mask: bool, a: $t, b: $t) -> $t {
                if mask { a } else { b }
            }
            #[inline(always)]
            fn unary<const OP: u8>(self, x: $t) -> $t {
                $unary(self, x)
            }
            #[inline(always)]
            fn unary_several<const OP: u8, const N: usize>(s: Several<Self, N>, x: [$t; N]) -> [$t; N] {
                x.map(|x| s.0.unary::<OP>(x))
            }
        }
    };
}

lanes!(One, f32, math::single::<OP, One>);
lanes!(Double, f64, math::double::<OP>);

impl Simd for One {
    type I = i32;

    #[inline(always)]
    fn splat_i(self, x: i32) -> i32 {
        x
    }
    #[inline(always)]
    fn bits(self, a: f32) -> i32 {
        a.to_bits() as i32
    }
    #[inline(always)]
    fn number(self, a: i32) -> f32 {
        f32::from_bits(a as u32)
    }
    #[inline(always)]
    fn add_i(self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }
    #[inline(always)]
    fn sub_i(self, a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }
    #[inline(always)]
    fn and_i(self, a: i32, b: i32) -> i32 {
        a & b
    }
    #[inline(always)]
    fn xor_i(self, a: i32, b: i32) -> i32 {
        a ^ b
    }
    #[inline(always)]
    fn left<const N: u32>(self, a: i32) -> i32 {
        a << N
    }
    #[inline(always)]
    fn right<const N: u32>(self, a: i32) -> i32 {
        a >> N
    }
    #[inline(always)]
    fn any(self, mask: bool) -> bool {
        mask
    }
    #[inline(always)]
    fn rare(self, mask: bool, x: f32, v: f32, f: fn(f32) -> f32) -> f32 {
        if mask { f(x) } else { v }
    }
}
