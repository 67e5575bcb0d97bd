//! AVX-512F: 16 lanes.

use std::arch::x86_64::*;

use super::several::Several;
use super::{Lanes, Simd};
use crate::math;

/// The ability to run these instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Safety: the CPU has the instructions that [`crate::Isa::is_available`] asks for.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Avx512 {
        Avx512(())
    }
}

/// Methods of one expression over intrinsics.
macro_rules! methods {
    ($($name:ident $(<const $n:ident>)? ($($a:ident: $t:ty),*) -> $r:ty = $e:expr;)*) => {
        $(
            #[inline(always)]
            fn $name $(<const $n: u32>)? (self, $($a: $t),*) -> $r {
                // Safety: the token proves that the CPU has the instruction.
                unsafe { $e }
            }
        )*
    };
}

/// Loads and stores of one expression over intrinsics.
macro_rules! moves {
    ($($name:ident ($($a:ident: $t:ty),*) -> $r:ty = $e:expr;)*) => {
        $(
            #[inline(always)]
            unsafe fn $name(self, $($a: $t),*) -> $r {
                // Safety: the caller promises the memory, the token the instruction.
                unsafe { $e }
            }
        )*
    };
}

impl Lanes for Avx512 {
    type Elem = f32;
    type F = __m512;
    type Mask = __mmask16;
    const WIDTH: usize = 16;

    moves! {
        load(p: *const f32) -> __m512 = _mm512_loadu_ps(p);
        store(p: *mut f32, v: __m512) -> () = _mm512_storeu_ps(p, v);
        load_part(p: *const f32, n: usize) -> __m512 = _mm512_maskz_loadu_ps(lanes(n), p);
        store_part(p: *mut f32, n: usize, v: __m512) -> () = _mm512_mask_storeu_ps(p, lanes(n), v);
    }
    methods! {
        splat(x: f32) -> __m512 = _mm512_set1_ps(x);
        splat64(x: f64) -> __m512 = _mm512_set1_ps(x as f32);
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        sqrt(a: __m512) -> __m512 = _mm512_sqrt_ps(a);
        fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fnma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
        abs(a: __m512) -> __m512 = _mm512_abs_ps(a);
        neg(a: __m512) -> __m512 =
            _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(super::SIGN)));
        gt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b);
        select(mask: __mmask16, a: __m512, b: __m512) -> __m512 = _mm512_mask_blend_ps(mask, b, a);
    }

    #[inline(always)]
    fn unary<const OP: u8>(self, x: __m512) -> __m512 {
        math::single::<OP, Avx512>(self, x)
    }
    #[inline(always)]
    fn unary_several<const OP: u8, const N: usize>(s: Several<Self, N>, x: [__m512; N]) -> [__m512; N] {
        math::single::<OP, Several<Self, N>>(s, x)
    }
}

impl Simd for Avx512 {
    type I = __m512i;

    methods! {
        splat_i(x: i32) -> __m512i = _mm512_set1_epi32(x);
        bits(a: __m512) -> __m512i = _mm512_castps_si512(a);
        number(a: __m512i) -> __m512 = _mm512_castsi512_ps(a);
        add_i(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        sub_i(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi32(a, b);
        and_i(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        xor_i(a: __m512i, b: __m512i) -> __m512i = _mm512_xor_si512(a, b);
        left<const N>(a: __m512i) -> __m512i = _mm512_slli_epi32::<N>(a);
        right<const N>(a: __m512i) -> __m512i = _mm512_srai_epi32::<N>(a);
    }
    #[inline(always)]
    fn any(self, mask: __mmask16) -> bool {
        mask != 0
    }
    #[inline(always)]
    fn rare(self, mask: __mmask16, x: __m512, v: __m512, f: fn(f32) -> f32) -> __m512 {
        let (mut xs, mut vs) = ([0f32; 16], [0f32; 16]);
        // Safety: both arrays hold 16 numbers.
        unsafe {
            self.store(xs.as_mut_ptr(), x);
            self.store(vs.as_mut_ptr(), v);
        }
        for (lane, (x, v)) in xs.iter().zip(&mut vs).enumerate() {
            if mask >> lane & 1 == 1 {
                *v = f(*x);
            }
        }
        // Safety: the array holds 16 numbers.
        unsafe { self.load(vs.as_ptr()) }
    }
}

/// The first n lanes.
#[inline(always)]
fn lanes(n: usize) -> __mmask16 {
    (0xffff_u32 >> (16 - n as u32)) as __mmask16
}
