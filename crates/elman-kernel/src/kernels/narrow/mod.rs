//! Products with narrow weights: rows of operands converted to groups, and the inner kernel over groups.
//!
//! The arithmetic is that of `crate::narrow`; `portable.rs` says it in plain Rust, `x86.rs` in instructions. What a group
//! and a sum are is a type that implements [`Dots`]; loops and tiles are the same for all.

// Indices run over the registers of several arrays side by side.
#![allow(clippy::needless_range_loop)]

mod portable;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use tables::narrow;

use super::{Choose, Cut, Product, Segment, Strip};
use crate::code::LANES;
use crate::simd::{Lanes, Simd};

/// Numbers of 32 bits before the groups of a converted row: the first is its scale, in int8. A cache line.
pub(crate) const ROW_HEAD: usize = 16;

/// (rows, inner indices, row 0, from one row to the next, converted row 0, from one converted row to the next).
///
/// Safety: all rows are readable, and the converted rows, of [`Narrow::row_length`], writable.
pub(crate) type Convert<T> = unsafe fn(usize, usize, *const T, usize, *mut u32, usize);

/// The functions of one precision on one instruction set. Panels are those of the full precision there.
pub(crate) struct Narrow<T: 'static> {
    /// Most rows of a product at once.
    pub rows: usize,
    /// Panels at once for 1, 2 and 3 rows.
    pub spread: [usize; 3],
    /// Numbers of 32 bits that a group of a converted row is.
    pub group: usize,
    /// Products of rows with panels. Segments are converted rows.
    pub product: Choose<T, u32>,
    /// Rows to converted rows.
    pub convert: Convert<T>,
}

impl<T> Narrow<T> {
    /// Numbers of 32 bits from one converted row to the next: registers may be stored whole.
    pub(crate) fn row_length(&self, groups: usize) -> usize {
        ROW_HEAD + (groups * self.group).next_multiple_of(LANES)
    }
}

/// Sums of products of groups for 16 columns.
pub(crate) trait Dots: Copy {
    /// 16 lanes of f32.
    type S: Simd;
    /// What is added up.
    type Sum: Copy;
    /// A group of each column.
    type Weights: Copy;
    /// A group of the operand, for all columns.
    type Operand: Copy;
    /// Numbers of 32 bits that a group of the operand is.
    const GROUP: usize;
    /// Rows of a packed segment before its groups.
    const HEAD: usize;

    /// What stands before the groups of a packed segment, for 16 columns.
    type Head: Copy;

    fn lanes(self) -> Self::S;
    /// The sum at first, where the columns' values are `before`.
    fn start(self, before: <Self::S as Lanes>::F) -> Self::Sum;
    /// Safety: 16 groups at p are readable.
    unsafe fn weights(self, p: *const u32) -> Self::Weights;
    /// Safety: the group at p is readable.
    unsafe fn operand(self, p: *const u32) -> Self::Operand;
    /// sum + x · w
    fn dot(self, sum: Self::Sum, x: Self::Operand, w: Self::Weights) -> Self::Sum;
    /// The sums after all groups.
    ///
    /// Safety: the groups of each operand and of the NV strips of each panel are readable.
    #[inline(always)]
    unsafe fn chain<const MR: usize, const NP: usize, const NV: usize>(
        self,
        sums: Sums<Self, MR, NP, NV>,
        groups: Groups<MR, NP>,
    ) -> Sums<Self, MR, NP, NV> {
        // Safety: the caller's promise.
        unsafe { chain(self, sums, groups) }
    }
    /// Safety: `HEAD` rows of 16 columns at p, `width` apart, are readable.
    unsafe fn head(self, p: *const u32, width: usize) -> Self::Head;
    /// The columns' values after the segment: `before` as in `start`, `step` the scale of the operand's row.
    fn finish(
        self,
        sum: Self::Sum,
        before: <Self::S as Lanes>::F,
        head: Self::Head,
        step: f32,
    ) -> <Self::S as Lanes>::F;
}

/// The sums of MR rows with NP panels of NV strips.
pub(crate) type Sums<D, const MR: usize, const NP: usize, const NV: usize> = [[[<D as Dots>::Sum; NV]; NP]; MR];

/// Groups of a segment, and where the first is.
#[derive(Clone, Copy)]
pub(crate) struct Groups<const MR: usize, const NP: usize> {
    pub count: usize,
    /// Of each row of the operand.
    pub operands: [*const u32; MR],
    /// Of each panel of weights.
    pub panels: [*const u32; NP],
    /// From one group of a panel to the next.
    pub width: usize,
}

/// [`Dots::chain`], dot by dot.
///
/// Safety: as there.
#[inline(always)]
unsafe fn chain<D: Dots, const MR: usize, const NP: usize, const NV: usize>(
    d: D,
    mut sums: Sums<D, MR, NP, NV>,
    groups: Groups<MR, NP>,
) -> Sums<D, MR, NP, NV> {
    let Groups { count, operands, mut panels, width } = groups;
    for k in 0..count {
        // Safety: the caller promises the weights of every group.
        let mut w = [[unsafe { d.weights(panels[0]) }; NV]; NP];
        for p in 0..NP {
            for v in 0..NV {
                // Safety: as above.
                w[p][v] = unsafe { d.weights(panels[p].add(v * LANES)) };
            }
            panels[p] = panels[p].wrapping_add(width);
        }
        for i in 0..MR {
            // Safety: the caller promises the groups of each row.
            let x = unsafe { d.operand(operands[i].add(k * D::GROUP)) };
            for p in 0..NP {
                for v in 0..NV {
                    sums[i][p][v] = d.dot(sums[i][p][v], x, w[p][v]);
                }
            }
        }
    }
    sums
}

/// MR rows times NP panels of NV strips: segment by segment, each going on from what the one before it stored.
///
/// Safety: as [`Product`], for converted rows.
#[inline(always)]
unsafe fn product<D: Dots, const MR: usize, const NP: usize, const NV: usize>(
    d: D,
    segments: &[Segment<u32>],
    strips: &[Strip<f32, u32>],
    cut: &Cut<u32>,
) {
    let Cut { width, first, turn, .. } = *cut;
    let mut b = [std::ptr::null(); NP];
    for p in 0..NP {
        b[p] = strips[p * NV].b;
    }
    for (index, segment) in segments.iter().enumerate() {
        if index == turn {
            for p in 0..NP {
                b[p] = strips[p * NV].then;
            }
        }
        let zero = d.lanes().splat64(0.0);
        let heads = b;
        let mut sums = [[[d.start(zero); NV]; NP]; MR];
        for p in 0..NP {
            for v in 0..NV {
                // Safety: the caller promises the rows of the strip.
                let before = unsafe { before::<_, MR>(d.lanes(), &strips[p * NV + v], index, first) };
                for i in 0..MR {
                    sums[i][p][v] = d.start(before[i]);
                }
            }
            b[p] = b[p].wrapping_add(D::HEAD * width);
        }
        let mut a = [segment.a; MR];
        for i in 0..MR {
            a[i] = segment.a.wrapping_add((first + i) * segment.row + ROW_HEAD);
        }
        // Safety: the caller promises the groups of weights and of each row.
        let done = unsafe { d.chain(sums, Groups { count: segment.k, operands: a, panels: b, width }) };
        b = b.map(|b| b.wrapping_add(segment.k * width));
        let mut steps = [0f32; MR];
        for i in 0..MR {
            // Safety: the caller promises the head of each converted row.
            steps[i] = unsafe { a[i].sub(ROW_HEAD).cast::<f32>().read() };
        }
        for p in 0..NP {
            for v in 0..NV {
                let strip = &strips[p * NV + v];
                let mut values = [zero; MR];
                // Safety: the caller promises the rows of the strip, and the head of the packed segment.
                unsafe {
                    let head = d.head(heads[p].wrapping_add(v * LANES), width);
                    let before = before::<_, MR>(d.lanes(), strip, index, first);
                    for i in 0..MR {
                        values[i] = d.finish(done[i][p][v], before[i], head, steps[i]);
                    }
                    keep(d.lanes(), strip, first, &values);
                }
            }
        }
    }
}

/// What rows go on from: the initial value, or what the segment before stored.
///
/// Safety: as [`product`].
#[inline(always)]
unsafe fn before<S: Lanes<Elem = f32>, const MR: usize>(
    s: S,
    strip: &Strip<f32, u32>,
    segment: usize,
    first: usize,
) -> [S::F; MR] {
    let (at, row) = if segment == 0 { (strip.init, strip.init_row) } else { (strip.out.cast_const(), strip.out_row) };
    let mut values = [s.splat64(0.0); MR];
    if at.is_null() {
        return values;
    }
    for (i, value) in values.iter_mut().enumerate() {
        let at = at.wrapping_add((first + i) * row);
        // Safety: the caller's promise.
        *value = unsafe { if strip.lanes == LANES { s.load(at) } else { s.load_part(at, strip.lanes) } };
    }
    values
}

/// Stores rows.
///
/// Safety: as [`product`].
#[inline(always)]
unsafe fn keep<S: Lanes<Elem = f32>, const MR: usize>(
    s: S,
    strip: &Strip<f32, u32>,
    first: usize,
    values: &[S::F; MR],
) {
    if strip.lanes == LANES {
        for (i, value) in values.iter().enumerate() {
            // Safety: the caller's promise.
            unsafe { s.store(strip.out.add((first + i) * strip.out_row), *value) };
        }
    } else {
        for (i, value) in values.iter().enumerate() {
            // Safety: the caller's promise.
            unsafe { s.store_part(strip.out.add((first + i) * strip.out_row), strip.lanes, *value) };
        }
    }
}
