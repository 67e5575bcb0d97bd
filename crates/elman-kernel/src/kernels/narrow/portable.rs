//! The arithmetic of narrow weights in plain Rust, and over any registers of f32.

use super::{Dots, ROW_HEAD};
use crate::narrow::{FAR, FAR_SMALLEST, INT8_HEAD, Scale, magnitude, to_bf16};
use crate::simd::scalar::One;
use crate::simd::several::Several;
use crate::simd::{Lanes, SIGN, Simd};

/// bf16 where no instruction multiplies pairs: the two fused multiply-adds of `vdpbf16ps`, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Pairs<S>(pub S);

impl<S: Simd> Pairs<S> {
    /// a · b + c of numbers that are zero or normal; zero where that is below the smallest normal number.
    #[inline(always)]
    fn fma(self, a: S::F, b: S::F, c: S::F) -> S::F {
        let s = self.0;
        let sum = s.fma(a, b, c);
        // Not above the smallest normal number.
        let small = s.gt(s.splat(f32::from_bits(f32::MIN_POSITIVE.to_bits() + 1)), s.abs(sum));
        if !s.any(small) {
            return sum;
        }
        // Rounded as a number below the normal ones, it may have become normal: 2³² times as large it does not.
        let far = s.fma(s.mul(a, s.splat(FAR)), b, s.mul(c, s.splat(FAR)));
        let sign = s.number(s.and_i(s.bits(sum), s.splat_i(SIGN)));
        let flushed = s.select(s.gt(s.splat(FAR_SMALLEST), s.abs(far)), sign, sum);
        s.select(small, flushed, sum)
    }
}

impl<S: Simd> Dots for Pairs<S> {
    type S = S;
    type Sum = S::F;
    type Weights = [S::F; 2];
    type Operand = [S::F; 2];
    type Head = ();
    const GROUP: usize = 2;
    const HEAD: usize = 0;

    #[inline(always)]
    fn lanes(self) -> S {
        self.0
    }
    #[inline(always)]
    fn start(self, before: S::F) -> S::F {
        let s = self.0;
        let sign = s.number(s.and_i(s.bits(before), s.splat_i(SIGN)));
        s.select(s.gt(s.splat(f32::MIN_POSITIVE), s.abs(before)), sign, before)
    }
    #[inline(always)]
    unsafe fn weights(self, p: *const u32) -> [S::F; 2] {
        let s = self.0;
        // Safety: the caller's promise.
        let pairs = s.bits(unsafe { s.load(p.cast()) });
        [s.number(s.and_i(pairs, s.splat_i(!0xffff))), s.number(s.left::<16>(pairs))]
    }
    #[inline(always)]
    unsafe fn operand(self, p: *const u32) -> [S::F; 2] {
        // Safety: the caller's promise.
        unsafe { [self.0.splat(p.cast::<f32>().read()), self.0.splat(p.add(1).cast::<f32>().read())] }
    }
    #[inline(always)]
    fn dot(self, sum: S::F, x: [S::F; 2], w: [S::F; 2]) -> S::F {
        self.fma(x[1], w[1], self.fma(x[0], w[0], sum))
    }
    #[inline(always)]
    unsafe fn head(self, _: *const u32, _: usize) {}
    #[inline(always)]
    fn finish(self, sum: S::F, _: S::F, (): (), _: f32) -> S::F {
        sum
    }
}

/// int8 in whole numbers of 32 bits.
#[derive(Clone, Copy)]
pub(super) struct Fours;

impl Dots for Fours {
    type S = Several<One, 16>;
    type Sum = [i32; 16];
    type Weights = [[i8; 4]; 16];
    type Operand = [u8; 4];
    type Head = ([f32; 16], [i32; 16]);
    const GROUP: usize = 1;
    const HEAD: usize = INT8_HEAD;

    #[inline(always)]
    fn lanes(self) -> Several<One, 16> {
        Several(One)
    }
    #[inline(always)]
    fn start(self, _: [f32; 16]) -> [i32; 16] {
        [0; 16]
    }
    #[inline(always)]
    unsafe fn weights(self, p: *const u32) -> [[i8; 4]; 16] {
        // Safety: the caller's promise.
        unsafe { p.cast::<[[i8; 4]; 16]>().read() }
    }
    #[inline(always)]
    unsafe fn operand(self, p: *const u32) -> [u8; 4] {
        // Safety: the caller's promise.
        unsafe { p.cast::<[u8; 4]>().read() }
    }
    #[inline(always)]
    fn dot(self, mut sum: [i32; 16], x: [u8; 4], w: [[i8; 4]; 16]) -> [i32; 16] {
        for (sum, w) in sum.iter_mut().zip(w) {
            for (x, w) in x.iter().zip(w) {
                *sum = sum.wrapping_add(i32::from(*x) * i32::from(w));
            }
        }
        sum
    }
    #[inline(always)]
    unsafe fn head(self, p: *const u32, width: usize) -> ([f32; 16], [i32; 16]) {
        // Safety: the caller's promise.
        unsafe { (p.cast::<[f32; 16]>().read(), p.add(width).cast::<[i32; 16]>().read()) }
    }
    #[inline(always)]
    fn finish(self, sum: [i32; 16], before: [f32; 16], head: ([f32; 16], [i32; 16]), step: f32) -> [f32; 16] {
        let s = self.lanes();
        let mut whole = [0f32; 16];
        for (whole, (sum, start)) in whole.iter_mut().zip(sum.into_iter().zip(head.1)) {
            *whole = sum.wrapping_add(start) as f32;
        }
        s.fma(whole, s.mul(head.0, s.splat(step)), before)
    }
}

/// Rows to the f32 of their nearest bf16, an even number of them.
///
/// Safety: as [`super::Convert`].
#[inline(always)]
pub(super) unsafe fn to_bf16s(rows: usize, k: usize, from: *const f32, stride: usize, to: *mut u32, length: usize) {
    for row in 0..rows {
        // Safety: the caller's promise.
        let (x, numbers) = unsafe { slices(row, k, k.next_multiple_of(2), from, stride, to, length) };
        let numbers = &mut numbers[ROW_HEAD..];
        numbers[k..].fill(0);
        for (number, x) in numbers.iter_mut().zip(x) {
            *number = u32::from(to_bf16(*x)) << 16;
        }
    }
}

/// Rows to scales and fours of whole numbers, each with `ADDED`.
///
/// Safety: as [`super::Convert`].
#[inline(always)]
pub(super) unsafe fn to_fours<const ADDED: i32>(
    rows: usize,
    k: usize,
    from: *const f32,
    stride: usize,
    to: *mut u32,
    length: usize,
) {
    for row in 0..rows {
        // Safety: the caller's promise.
        let (x, groups) = unsafe { slices(row, k, k.div_ceil(4), from, stride, to, length) };
        let scale = Scale::of(x.iter().fold(0, |largest, x| largest.max(magnitude(*x))));
        groups[0] = scale.step.to_bits();
        let byte = |x: f32| (scale.whole(x) + ADDED) as u8;
        let groups = &mut groups[ROW_HEAD..];
        for (group, x) in groups.iter_mut().zip(x.chunks_exact(4)) {
            *group = u32::from_le_bytes([byte(x[0]), byte(x[1]), byte(x[2]), byte(x[3])]);
        }
        let rest = x.chunks_exact(4).remainder();
        if let (false, Some(group)) = (rest.is_empty(), groups.last_mut()) {
            *group = u32::from_le_bytes(std::array::from_fn(|i| rest.get(i).map_or(0, |x| byte(*x))));
        }
    }
}

/// A row, and the converted row up to its last number.
///
/// Safety: as [`super::Convert`]; the converted row holds the numbers.
#[inline(always)]
unsafe fn slices<'a>(
    row: usize,
    k: usize,
    numbers: usize,
    from: *const f32,
    stride: usize,
    to: *mut u32,
    length: usize,
) -> (&'a [f32], &'a mut [u32]) {
    // Safety: the caller's promise.
    unsafe {
        let x = std::slice::from_raw_parts(from.add(row * stride), k);
        (x, std::slice::from_raw_parts_mut(to.add(row * length), ROW_HEAD + numbers))
    }
}
