//! Narrow weights with the instructions for them: `vdpbf16ps`, `vpdpbusd`, and what AVX2 has instead.

use std::arch::asm;
use std::arch::x86_64::*;

use super::portable::Pairs;
use super::{Dots, Groups, ROW_HEAD, Sums, chain};
use crate::code::LANES;
use crate::narrow::{INT8_HEAD, Scale};
use crate::simd::Lanes;
use crate::simd::avx2::Avx2;
use crate::simd::avx512::Avx512;
use crate::simd::several::Several;

/// bf16 with AVX512-BF16.
#[derive(Clone, Copy)]
pub(super) struct Bf16(Avx512);

impl Bf16 {
    /// Safety: the CPU has AVX-512F and AVX512-BF16.
    #[inline(always)]
    pub(super) unsafe fn new() -> Bf16 {
        // Safety: the caller's promise.
        Bf16(unsafe { Avx512::new() })
    }
}

/// The same bits, as pairs.
#[inline(always)]
fn pairs(groups: __m512i) -> __m512bh {
    // Safety: both are 512 bits without a meaning of their own.
    unsafe { std::mem::transmute(groups) }
}

impl Dots for Bf16 {
    type S = Avx512;
    type Sum = __m512;
    type Weights = __m512i;
    type Operand = __m512i;
    type Head = ();
    const GROUP: usize = 1;
    const HEAD: usize = 0;

    #[inline(always)]
    fn lanes(self) -> Avx512 {
        self.0
    }
    #[inline(always)]
    fn start(self, before: __m512) -> __m512 {
        before
    }
    #[inline(always)]
    unsafe fn weights(self, p: *const u32) -> __m512i {
        // Safety: the caller promises the memory, the token the instruction.
        unsafe { _mm512_loadu_si512(p.cast()) }
    }
    #[inline(always)]
    unsafe fn operand(self, p: *const u32) -> __m512i {
        // Safety: the caller promises the memory, the token the instruction.
        unsafe { _mm512_set1_epi32(p.read() as i32) }
    }
    #[inline(always)]
    fn dot(self, sum: __m512, x: __m512i, w: __m512i) -> __m512 {
        // Safety: the token proves that the CPU has the instruction.
        unsafe { _mm512_dpbf16_ps(sum, pairs(x), pairs(w)) }
    }
    #[inline(always)]
    unsafe fn head(self, _: *const u32, _: usize) {}
    #[inline(always)]
    fn finish(self, sum: __m512, _: __m512, (): (), _: f32) -> __m512 {
        sum
    }
}

/// bf16 with AVX2: multiply-adds as they come, and then a look at the flags of the processor, which say whether any
/// number was below the smallest normal one. Where one was, the chain is run again with [`Pairs`], which looks at each.
#[derive(Clone, Copy)]
pub(super) struct Flagged(Pairs<Several<Avx2, 2>>);

impl Flagged {
    /// Safety: the CPU has AVX2 and FMA.
    #[inline(always)]
    pub(super) unsafe fn new() -> Flagged {
        // Safety: the caller's promise.
        Flagged(Pairs(Several(unsafe { Avx2::new() })))
    }

    /// All sums, [`held`]. A loop, not closures: those would not be compiled for AVX.
    #[inline(always)]
    fn all_held<const MR: usize, const NP: usize, const NV: usize>(
        self,
        mut sums: Sums<Flagged, MR, NP, NV>,
    ) -> Sums<Flagged, MR, NP, NV> {
        for sum in sums.as_flattened_mut().as_flattened_mut() {
            // Safety: the token proves that the CPU has AVX.
            *sum = unsafe { [held(sum[0]), held(sum[1])] };
        }
        sums
    }
}

/// Flags of MXCSR: an argument was below the smallest normal number; a result was, and inexact.
const SMALL: u32 = 1 << 1 | 1 << 4;

/// The control and status word of the processor's multiply-adds.
#[inline(always)]
fn mxcsr() -> u32 {
    let mut word = 0u32;
    // Safety: writes to a variable of ours.
    unsafe { asm!("stmxcsr [{0}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
    word
}

/// Takes down the flags of `SMALL`.
#[inline(always)]
fn take_down() {
    let word = mxcsr();
    if word & SMALL != 0 {
        let word = word & !SMALL;
        // Safety: only flags change, as assembly may.
        unsafe { asm!("ldmxcsr [{0}]", in(reg) &raw const word, options(nostack, readonly)) };
    }
}

/// Whether a flag of `SMALL` is up.
#[inline(always)]
fn is_up() -> bool {
    mxcsr() & SMALL != 0
}

/// The same numbers, at this place among the readings of flags: arithmetic on what is returned comes after those before
/// this, arithmetic that made the argument comes before those after it.
#[inline]
#[target_feature(enable = "avx")]
fn held(mut numbers: __m256) -> __m256 {
    // Safety: does nothing; but assembly keeps its order, and the compiler does not know that it does nothing.
    unsafe { asm!("/* {0} */", inout(ymm_reg) numbers, options(nomem, nostack, preserves_flags)) };
    numbers
}

impl Dots for Flagged {
    type S = Several<Avx2, 2>;
    type Sum = [__m256; 2];
    type Weights = [[__m256; 2]; 2];
    type Operand = [[__m256; 2]; 2];
    type Head = ();
    const GROUP: usize = 2;
    const HEAD: usize = 0;

    #[inline(always)]
    fn lanes(self) -> Several<Avx2, 2> {
        self.0.lanes()
    }
    #[inline(always)]
    fn start(self, before: [__m256; 2]) -> [__m256; 2] {
        self.0.start(before)
    }
    #[inline(always)]
    unsafe fn weights(self, p: *const u32) -> [[__m256; 2]; 2] {
        // Safety: the caller's promise.
        unsafe { self.0.weights(p) }
    }
    #[inline(always)]
    unsafe fn operand(self, p: *const u32) -> [[__m256; 2]; 2] {
        // Safety: the caller's promise.
        unsafe { self.0.operand(p) }
    }
    #[inline(always)]
    fn dot(self, sum: [__m256; 2], x: [[__m256; 2]; 2], w: [[__m256; 2]; 2]) -> [__m256; 2] {
        let s = self.lanes();
        s.fma(x[1], w[1], s.fma(x[0], w[0], sum))
    }
    #[inline(always)]
    unsafe fn chain<const MR: usize, const NP: usize, const NV: usize>(
        self,
        sums: Sums<Self, MR, NP, NV>,
        groups: Groups<MR, NP>,
    ) -> Sums<Self, MR, NP, NV> {
        take_down();
        // Safety: the caller's promise.
        let mut done = self.all_held(unsafe { chain(self, self.all_held(sums), groups) });
        if is_up() {
            // Safety: the caller's promise.
            return unsafe { chain(self.0, sums, groups) };
        }
        // The last numbers have been nobody's arguments.
        for sum in done.as_flattened_mut().as_flattened_mut() {
            *sum = self.start(*sum);
        }
        done
    }
    #[inline(always)]
    unsafe fn head(self, _: *const u32, _: usize) {}
    #[inline(always)]
    fn finish(self, sum: [__m256; 2], _: [__m256; 2], (): (), _: f32) -> [__m256; 2] {
        sum
    }
}

/// int8 with AVX512-VNNI.
#[derive(Clone, Copy)]
pub(super) struct Vnni(Avx512);

impl Vnni {
    /// Safety: the CPU has AVX-512F and AVX512-VNNI.
    #[inline(always)]
    pub(super) unsafe fn new() -> Vnni {
        // Safety: the caller's promise.
        Vnni(unsafe { Avx512::new() })
    }
}

impl Dots for Vnni {
    type S = Avx512;
    type Sum = __m512i;
    type Weights = __m512i;
    type Operand = __m512i;
    type Head = (__m512, __m512i);
    const GROUP: usize = 1;
    const HEAD: usize = INT8_HEAD;

    #[inline(always)]
    fn lanes(self) -> Avx512 {
        self.0
    }
    #[inline(always)]
    fn start(self, _: __m512) -> __m512i {
        // Safety: the token proves that the CPU has the instruction.
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    unsafe fn weights(self, p: *const u32) -> __m512i {
        // Safety: the caller promises the memory, the token the instruction.
        unsafe { _mm512_loadu_si512(p.cast()) }
    }
    #[inline(always)]
    unsafe fn operand(self, p: *const u32) -> __m512i {
        // Safety: the caller promises the memory, the token the instruction.
        unsafe { _mm512_set1_epi32(p.read() as i32) }
    }
    #[inline(always)]
    fn dot(self, sum: __m512i, x: __m512i, w: __m512i) -> __m512i {
        // Safety: the token proves that the CPU has the instruction.
        unsafe { _mm512_dpbusd_epi32(sum, x, w) }
    }
    #[inline(always)]
    unsafe fn head(self, p: *const u32, width: usize) -> (__m512, __m512i) {
        // Safety: the caller promises the memory, the token the instructions.
        unsafe { (_mm512_loadu_ps(p.cast()), _mm512_loadu_si512(p.add(width).cast())) }
    }
    #[inline(always)]
    fn finish(self, sum: __m512i, before: __m512, head: (__m512, __m512i), step: f32) -> __m512 {
        let s = self.0;
        // Safety: the token proves that the CPU has the instructions.
        let whole = unsafe { _mm512_cvtepi32_ps(_mm512_add_epi32(sum, head.1)) };
        s.fma(whole, s.mul(head.0, s.splat(step)), before)
    }
}

/// int8 with AVX2: magnitudes of weights times operands with the weights' signs, which two by two stay below 2¹⁵; those
/// pairs are added in 32 bits. Operands are not shifted.
#[derive(Clone, Copy)]
pub(super) struct Signed(Several<Avx2, 2>);

impl Signed {
    /// Safety: the CPU has AVX2 and FMA.
    #[inline(always)]
    pub(super) unsafe fn new() -> Signed {
        // Safety: the caller's promise.
        Signed(Several(unsafe { Avx2::new() }))
    }
}

impl Dots for Signed {
    type S = Several<Avx2, 2>;
    type Sum = [__m256i; 2];
    /// Magnitudes, and the weights themselves.
    type Weights = [[__m256i; 2]; 2];
    type Operand = __m256i;
    type Head = [__m256; 2];
    const GROUP: usize = 1;
    const HEAD: usize = INT8_HEAD;

    #[inline(always)]
    fn lanes(self) -> Several<Avx2, 2> {
        self.0
    }
    #[inline(always)]
    fn start(self, _: [__m256; 2]) -> [__m256i; 2] {
        // Safety: the token proves that the CPU has the instruction.
        [unsafe { _mm256_setzero_si256() }; 2]
    }
    #[inline(always)]
    unsafe fn weights(self, p: *const u32) -> [[__m256i; 2]; 2] {
        // Safety: the caller promises the memory, the token the instructions.
        let eight = |i: usize| unsafe { _mm256_loadu_si256(p.add(8 * i).cast()) };
        let w = [eight(0), eight(1)];
        // Safety: the token proves that the CPU has the instruction.
        [w.map(|w| unsafe { _mm256_abs_epi8(w) }), w]
    }
    #[inline(always)]
    unsafe fn operand(self, p: *const u32) -> __m256i {
        // Safety: the caller promises the memory, the token the instruction.
        unsafe { _mm256_set1_epi32(p.read() as i32) }
    }
    #[inline(always)]
    fn dot(self, mut sum: [__m256i; 2], x: __m256i, [magnitudes, w]: [[__m256i; 2]; 2]) -> [__m256i; 2] {
        for i in 0..2 {
            // Safety: the token proves that the CPU has the instructions.
            sum[i] = unsafe {
                let pairs = _mm256_maddubs_epi16(magnitudes[i], _mm256_sign_epi8(x, w[i]));
                _mm256_add_epi32(sum[i], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
            };
        }
        sum
    }
    #[inline(always)]
    unsafe fn head(self, p: *const u32, _: usize) -> [__m256; 2] {
        // Safety: the caller promises the memory.
        unsafe { self.0.load(p.cast()) }
    }
    #[inline(always)]
    fn finish(self, sum: [__m256i; 2], before: [__m256; 2], scales: [__m256; 2], step: f32) -> [__m256; 2] {
        let s = self.0;
        // Safety: the token proves that the CPU has the instruction.
        let whole = sum.map(|sum| unsafe { _mm256_cvtepi32_ps(sum) });
        s.fma(whole, s.mul(scales, s.splat(step)), before)
    }
}

/// 16 numbers from `at`, zero from k on.
///
/// Safety: k > at, and k numbers at x are readable; the CPU has AVX-512F.
#[inline(always)]
unsafe fn sixteen(s: Avx512, x: *const f32, at: usize, k: usize) -> __m512 {
    // Safety: the caller's promise.
    unsafe { if k - at >= LANES { s.load(x.add(at)) } else { s.load_part(x.add(at), k - at) } }
}

/// Rows to pairs of bf16.
///
/// Safety: as [`super::Convert`]; the CPU has AVX-512F, AVX-512VL and AVX512-BF16.
#[target_feature(enable = "avx512f,avx512vl,avx512bf16,avx2,fma")]
pub(super) unsafe fn to_pairs(rows: usize, k: usize, from: *const f32, stride: usize, to: *mut u32, length: usize) {
    // Safety: the caller's promise; converted rows hold whole registers of groups.
    unsafe {
        let s = Avx512::new();
        for row in 0..rows {
            let (x, groups) = (from.add(row * stride), to.add(row * length + ROW_HEAD));
            for at in (0..k).step_by(LANES) {
                let rounded: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(sixteen(s, x, at, k)));
                _mm256_storeu_si256(groups.add(at / 2).cast(), _mm256_rol_epi32::<16>(rounded));
            }
        }
    }
}

/// Rows to scales and fours of whole numbers.
///
/// Safety: as [`super::Convert`]; the CPU has AVX-512F.
#[target_feature(enable = "avx512f,avx2,fma")]
pub(super) unsafe fn to_fours(rows: usize, k: usize, from: *const f32, stride: usize, to: *mut u32, length: usize) {
    // Safety: the caller's promise; converted rows hold whole registers of groups.
    unsafe {
        let s = Avx512::new();
        let shift = _mm512_set1_epi32(128);
        for row in 0..rows {
            let (x, out) = (from.add(row * stride), to.add(row * length));
            let mut largest = _mm512_setzero_si512();
            for at in (0..k).step_by(LANES) {
                largest = _mm512_max_epu32(largest, _mm512_castps_si512(s.abs(sixteen(s, x, at, k))));
            }
            let scale = Scale::of(_mm512_reduce_max_epu32(largest));
            out.cast::<f32>().write(scale.step);
            let inverse = s.splat(scale.inverse);
            for at in (0..k).step_by(LANES) {
                // Rounds to nearest even, as the scalar does.
                let whole = _mm512_cvtps_epi32(s.mul(sixteen(s, x, at, k), inverse));
                let bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(whole, shift));
                _mm_storeu_si128(out.add(ROW_HEAD + at / 4).cast(), bytes);
            }
        }
    }
}
