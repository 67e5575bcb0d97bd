//! The product's inner kernel: MR rows times NP panels of NV registers, one chain of fused multiply-adds an element.
//!
//! Accumulators start from `init` and stay in registers over all segments. A row's operand is read element by element
//! and broadcast; weights come from the packed panels. Columns past `lanes` are neither read from `init` nor stored.
//! Panels of less than a strip, NV · WIDTH < 16, are for strips whose last columns are not real.

// Indices run over the registers of several arrays side by side.
#![allow(clippy::needless_range_loop)]

use super::{Cut, Segment, Strip};
use crate::code::LANES;
use crate::machine::{prefetch, prefetch_second};
use crate::simd::Lanes;

/// Rows from which on a kernel has time to ask for what the next one reads.
pub(crate) const AHEAD: usize = 4;

/// Accumulators up to which a turn takes four inner indices and not two: with more, the compiler runs out of 16 registers.
const FEW: usize = 10;

/// `ACROSS`: rows of the operand follow each other, and its k are a segment's `row` apart. `SEVERAL`: registers are so narrow
/// that the loop's own instructions take time beside one inner index; several go in one turn.
///
/// Safety: as [`super::Product`], for MR rows and NP · NV registers of strips.
#[inline(always)]
pub(super) unsafe fn product<
    S: Lanes,
    const MR: usize,
    const NP: usize,
    const NV: usize,
    const ACROSS: bool,
    const SEVERAL: bool,
>(
    s: S,
    segments: &[Segment<S::Elem>],
    strips: &[Strip<S::Elem>],
    cut: &Cut<S::Elem>,
) {
    let Cut { width, first, turn, later: [mut later, later_then], each } = *cut;
    let group = (NV / (LANES / S::WIDTH)).max(1);
    // Copied, so that the accumulators themselves are never indexed by a variable: they would live in memory.
    // Safety: the caller's promise.
    let mut acc = unsafe { start::<S, MR, NP, NV>(s, strips, first) };
    let mut b = [std::ptr::null(); NP];
    for p in 0..NP {
        b[p] = strips[p * group].b;
    }
    for (index, segment) in segments.iter().enumerate() {
        if index == turn {
            for p in 0..NP {
                b[p] = strips[p * group].then;
            }
            later = later_then;
        }
        let mut a = [segment.a; MR];
        for (i, a) in a.iter_mut().enumerate() {
            // Safety: the caller promises these rows.
            *a = unsafe { a.add(if ACROSS { i } else { (first + i) * segment.row }) };
        }
        // The rows of the next block, which often follow these, are asked for a little at a time.
        let (next, step) =
            (segment.a.wrapping_add((first + MR) * segment.row), (MR * segment.row).div_ceil(segment.k.max(1)));
        let mut k = 0;
        // Turns of the inner indices k + $n, while there are as many. A loop over $n would keep accumulators in memory.
        macro_rules! turns {
            ($($n:literal)*) => {
                const TURNS: usize = [$($n),*].len();
                while segment.k - k >= TURNS {
                    if AHEAD <= MR && !ACROSS {
                        prefetch(next.wrapping_add(k * step));
                        prefetch_second(later);
                        later = later.wrapping_add(TURNS * each);
                    }
                    $({
                        let mut w = [[s.splat64(0.0); NV]; NP];
                        for p in 0..NP {
                            for v in 0..NV {
                                // Safety: the caller promises the weights of every k.
                                w[p][v] = unsafe { s.load(b[p].add($n * width + v * S::WIDTH)) };
                            }
                        }
                        for i in 0..MR {
                            // Safety: the caller promises k elements of each row.
                            let x = s.splat(unsafe { *a[i].add(if ACROSS { (k + $n) * segment.row } else { k + $n }) });
                            for p in 0..NP {
                                for v in 0..NV {
                                    acc[i][p][v] = s.fma(x, w[p][v], acc[i][p][v]);
                                }
                            }
                        }
                    })*
                    for p in 0..NP {
                        b[p] = b[p].wrapping_add(TURNS * width);
                    }
                    k += TURNS;
                }
            };
        }
        if SEVERAL {
            if MR * NP * NV <= FEW {
                turns!(0 1 2 3);
            } else {
                turns!(0 1);
            }
        }
        turns!(0);
    }
    let sums = acc;
    // Safety: the caller's promise.
    unsafe { finish(s, strips, first, &sums) };
}

/// The accumulators' first values.
///
/// Safety: as [`product`].
#[inline(always)]
unsafe fn start<S: Lanes, const MR: usize, const NP: usize, const NV: usize>(
    s: S,
    strips: &[Strip<S::Elem>],
    first: usize,
) -> [[[S::F; NV]; NP]; MR] {
    let registers = (LANES / S::WIDTH).min(NV);
    let mut sums = [[[s.splat64(0.0); NV]; NP]; MR];
    for p in 0..NP {
        for v in 0..NV {
            let strip = &strips[p * (NV / registers) + v / registers];
            if strip.init.is_null() {
                continue;
            }
            for (i, row) in sums.iter_mut().enumerate() {
                let (at, n) = (v % registers * S::WIDTH, strip.lanes);
                // Safety: the caller promises `lanes` columns of each row.
                row[p][v] = unsafe { load(s, strip.init.add((first + i) * strip.init_row), at, n) };
            }
        }
    }
    sums
}

/// Stores the accumulators.
///
/// Safety: as [`product`].
#[inline(always)]
unsafe fn finish<S: Lanes, const MR: usize, const NP: usize, const NV: usize>(
    s: S,
    strips: &[Strip<S::Elem>],
    first: usize,
    sums: &[[[S::F; NV]; NP]; MR],
) {
    let registers = (LANES / S::WIDTH).min(NV);
    for p in 0..NP {
        for v in 0..NV {
            let strip = &strips[p * (NV / registers) + v / registers];
            for (i, row) in sums.iter().enumerate() {
                let (at, n) = (v % registers * S::WIDTH, strip.lanes);
                // Safety: the caller promises `lanes` columns of each row.
                unsafe { store(s, strip.out.add((first + i) * strip.out_row), at, n, row[p][v]) };
            }
        }
    }
}

/// Lanes `at ..` of `n` columns.
///
/// Safety: n columns at p are readable.
#[inline(always)]
unsafe fn load<S: Lanes>(s: S, p: *const S::Elem, at: usize, n: usize) -> S::F {
    // Safety: the caller's promise.
    unsafe {
        if n >= at + S::WIDTH {
            s.load(p.add(at))
        } else if n > at {
            s.load_part(p.add(at), n - at)
        } else {
            s.splat64(0.0)
        }
    }
}

/// Stores lanes `at ..` of `n` columns.
///
/// Safety: n columns at p are writable.
#[inline(always)]
unsafe fn store<S: Lanes>(s: S, p: *mut S::Elem, at: usize, n: usize, v: S::F) {
    // Safety: the caller's promise.
    unsafe {
        if n >= at + S::WIDTH {
            s.store(p.add(at), v);
        } else if n > at {
            s.store_part(p.add(at), n - at, v);
        }
    }
}
