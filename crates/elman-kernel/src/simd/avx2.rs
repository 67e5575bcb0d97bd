//! AVX2 with FMA: 8 lanes.

use std::arch::x86_64::*;

use super::several::Several;
use super::{Lanes, Simd};
use crate::math;

/// The ability to run these instructions.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Safety: the CPU has the instructions that [`crate::Isa::is_available`] asks for.
    #[inline(always)]
    pub(crate) unsafe fn new() -> Avx2 {
        Avx2(())
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

impl Lanes for Avx2 {
    type Elem = f32;
    type F = __m256;
    type Mask = __m256;
    const WIDTH: usize = 8;

    moves! {
        load(p: *const f32) -> __m256 = _mm256_loadu_ps(p);
        store(p: *mut f32, v: __m256) -> () = _mm256_storeu_ps(p, v);
        load_part(p: *const f32, n: usize) -> __m256 = _mm256_maskload_ps(p, lanes(n));
        store_part(p: *mut f32, n: usize, v: __m256) -> () = _mm256_maskstore_ps(p, lanes(n), v);
    }
    methods! {
        splat(x: f32) -> __m256 = _mm256_set1_ps(x);
        splat64(x: f64) -> __m256 = _mm256_set1_ps(x as f32);
        add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        sqrt(a: __m256) -> __m256 = _mm256_sqrt_ps(a);
        fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fnma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b);
        abs(a: __m256) -> __m256 = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        neg(a: __m256) -> __m256 = _mm256_xor_ps(_mm256_set1_ps(-0.0), a);
        gt(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_GT_OQ>(a, b);
        select(mask: __m256, a: __m256, b: __m256) -> __m256 = _mm256_blendv_ps(b, a, mask);
    }

    #[inline(always)]
    fn unary<const OP: u8>(self, x: __m256) -> __m256 {
        math::single::<OP, Avx2>(self, x)
    }
    #[inline(always)]
    fn unary_several<const OP: u8, const N: usize>(s: Several<Self, N>, x: [__m256; N]) -> [__m256; N] {
        math::single::<OP, Several<Self, N>>(s, x)
    }
}

impl Simd for Avx2 {
    type I = __m256i;

    methods! {
        splat_i(x: i32) -> __m256i = _mm256_set1_epi32(x);
        bits(a: __m256) -> __m256i = _mm256_castps_si256(a);
        number(a: __m256i) -> __m256 = _mm256_castsi256_ps(a);
        add_i(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
        sub_i(a: __m256i, b: __m256i) -> __m256i = _mm256_sub_epi32(a, b);
        and_i(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        xor_i(a: __m256i, b: __m256i) -> __m256i = _mm256_xor_si256(a, b);
        any(mask: __m256) -> bool = _mm256_movemask_ps(mask) != 0;
    }
    #[inline(always)]
    fn left<const N: u32>(self, a: __m256i) -> __m256i {
        // Safety: the token proves that the CPU has the instruction.
        unsafe { _mm256_sll_epi32(a, _mm_cvtsi32_si128(N as i32)) }
    }
    #[inline(always)]
    fn right<const N: u32>(self, a: __m256i) -> __m256i {
        // Safety: the token proves that the CPU has the instruction.
        unsafe { _mm256_sra_epi32(a, _mm_cvtsi32_si128(N as i32)) }
    }
    #[inline(always)]
    fn rare(self, mask: __m256, x: __m256, v: __m256, f: fn(f32) -> f32) -> __m256 {
        let (mut xs, mut vs) = ([0f32; 8], [0f32; 8]);
        // Safety: both arrays hold 8 numbers; the token proves that the CPU has the instructions.
        let mask = unsafe {
            self.store(xs.as_mut_ptr(), x);
            self.store(vs.as_mut_ptr(), v);
            _mm256_movemask_ps(mask)
        };
        for (lane, (x, v)) in xs.iter().zip(&mut vs).enumerate() {
            if mask >> lane & 1 == 1 {
                *v = f(*x);
            }
        }
        // Safety: the array holds 8 numbers.
        unsafe { self.load(vs.as_ptr()) }
    }
}

/// All ones in the first n lanes.
#[inline(always)]
fn lanes(n: usize) -> __m256i {
    const ONES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // Safety: n is at most 8, so that 8 numbers from 8 − n on lie in the array.
    unsafe { _mm256_loadu_si256(ONES.as_ptr().add(8 - n.min(8)).cast()) }
}
