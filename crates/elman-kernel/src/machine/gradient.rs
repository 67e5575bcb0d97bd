//! Gradients of parameters: sums over all tokens, one chain an element, steps in rising order and rows in order within.
//!
//! Tokens are taken a block at a time; the sums of a block go on from those of the block before, stored in between,
//! which is exact. Both operands of an outer product are packed, so that places of any kind and stride cost the same.

use super::compile::{OuterCode, Spot, kind};
use super::multiply::prefetch;
use super::run::{Worker, share};
use super::tile::Workspace;
use crate::code::LANES;
use crate::kernels::{Cut, Input, Segment, Strip};
use crate::real::Real;

/// Tokens a block.
const TOKENS: usize = 256;

/// Columns whose packed operand is used at once: with `TOKENS`, half of a second cache of 1 MiB.
const COLUMNS: usize = 512;

/// Rows of a left operand packed at once, so that each of its cache lines is fetched once.
const ROWS: usize = 96;

/// Tokens of a left operand packed at once: their lines stay in the first cache while the blocks take their parts.
const ABREAST: usize = 16;

/// Scratch that one thread needs for a result of this many columns.
pub(super) fn scratch(columns: usize) -> usize {
    TOKENS * (columns.min(COLUMNS).next_multiple_of(LANES) + ROWS)
}

/// Columns of a result up to which its operands are read where they lie: each is then read once or few times, and packing
/// would cost more than it saves.
const IN_PLACE: usize = 4 * LANES;

/// An operand of a product: packed, or in place.
#[derive(Clone, Copy)]
struct Factor<T> {
    at: *const T,
    /// From one k to the next in place; none where it is packed by blocks.
    step: Option<usize>,
}

impl<T> Factor<T> {
    /// A block of `width` from `first` on: where it begins, and the distance of its k.
    fn part(&self, first: usize, k: usize, width: usize) -> (*const T, usize) {
        match self.step {
            Some(step) => (self.at.wrapping_add(first), step),
            None => (self.at.wrapping_add(first * k), width),
        }
    }
}

/// A product's size.
#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    k: usize,
    columns: usize,
}

/// A rectangle of the results: rows of left operands and columns.
struct Part {
    rows: (usize, usize),
    columns: (usize, usize),
}

impl<T: Real> Worker<'_, T> {
    /// This thread's part of an outer product's results.
    ///
    /// Safety: as [`Worker::phase`].
    pub(super) unsafe fn outer(&self, outer: &OuterCode, workspace: &mut Workspace<T>) {
        let (index, threads) = (self.member.index, self.threads);
        let all: usize = outer.lefts.iter().map(|left| left.rows).sum();
        let whole = Part { rows: (0, all), columns: (0, outer.columns) };
        let part = if all >= 2 * threads * self.run.kernels.rows {
            Part { rows: share(all, threads, index, self.run.kernels.rows), ..whole }
        } else {
            Part { columns: share(outer.columns, threads, index, LANES), ..whole }
        };
        let wide = COLUMNS / (LANES * self.run.kernels.panel) * (LANES * self.run.kernels.panel);
        for first in (part.columns.0..part.columns.1).step_by(wide) {
            let columns = (first, part.columns.1.min(first + wide));
            for token in (0..self.calendar.tokens).step_by(TOKENS) {
                let tokens = (token, self.calendar.tokens.min(token + TOKENS));
                // Safety: these results are this thread's.
                unsafe { self.outer_block(outer, workspace, tokens, &Part { rows: part.rows, columns }) };
            }
        }
    }

    /// One block of tokens.
    ///
    /// Safety: as [`Worker::phase`]; the results are this thread's.
    unsafe fn outer_block(&self, outer: &OuterCode, workspace: &mut Workspace<T>, tokens: (usize, usize), part: &Part) {
        let (first, end) = part.columns;
        let packed = workspace.scratch.first;
        let left = packed.wrapping_add(TOKENS * outer.columns.min(COLUMNS).next_multiple_of(LANES));
        let in_place = outer.columns <= IN_PLACE && outer.columns.is_multiple_of(LANES);
        let right = match self.contiguous(&outer.right, tokens.0).filter(|_| in_place) {
            Some(at) => Factor { at: at.wrapping_add(first), step: Some(outer.right.stride) },
            None => {
                // Safety: the scratch holds all columns of the part; the operand's rows were checked.
                unsafe { self.pack_right(&outer.right, part.columns, tokens, packed) };
                Factor { at: packed.cast_const(), step: None }
            }
        };
        let mut before = 0;
        for (operand, spot) in outer.lefts.iter().zip(&outer.left_spots) {
            let low = part.rows.0.max(before) - before;
            let high = part.rows.1.min(before + operand.rows).max(before + low) - before;
            before += operand.rows;
            let out = |row: usize| self.run.memory.wrapping_add(operand.out + row * operand.stride + first);
            let size = |rows: usize| Size { rows, k: tokens.1 - tokens.0, columns: end - first };
            if let Some(at) = self.contiguous(spot, tokens.0).filter(|_| in_place && low < high) {
                let left = Factor { at: at.wrapping_add(low), step: Some(spot.stride) };
                // Safety: both operands' rows were checked, and follow each other.
                unsafe { self.multiply(left, right, size(high - low), out(low), operand.stride) };
                continue;
            }
            for row in (low..high).step_by(ROWS) {
                let rows = ROWS.min(high - row);
                // Safety: as above, for these rows of one left operand.
                unsafe {
                    self.pack_left(spot, row, rows, tokens, left);
                    let left = Factor { at: left.cast_const(), step: None };
                    self.multiply(left, right, size(rows), out(row), operand.stride);
                }
            }
        }
    }

    /// The row of a token, if those of the next tokens follow it.
    fn contiguous(&self, spot: &Spot, token: usize) -> Option<*const T> {
        let row = match spot.kind {
            kind::TOKEN => token,
            kind::AFTER => token + self.calendar.timeline.batch,
            _ => return None,
        };
        Some(self.run.memory.wrapping_add(spot.offset + row * spot.stride).cast_const())
    }

    /// out[rows × columns] += left · right.
    ///
    /// Safety: the results are checked and this thread's; the factors are readable for all rows, k and strips.
    unsafe fn multiply(&self, left: Factor<T>, right: Factor<T>, size: Size, out: *mut T, stride: usize) {
        let kernels = self.run.kernels;
        let Size { rows, k, columns } = size;
        let panel = kernels.panel * LANES;
        for column in (0..columns).step_by(panel) {
            let strips = panel.min(columns - column).div_ceil(LANES);
            let (b, width) = right.part(column, k, strips * LANES);
            for (row, n) in blocks(rows, kernels.rows) {
                let (a, step) = left.part(row, k, n);
                let segment = [Segment { a, row: step, k }];
                let strip = |s: usize| {
                    let at = (column + s * LANES).min(columns);
                    let out = out.wrapping_add(row * stride + at);
                    let (b, lanes) = (b.wrapping_add(s * LANES), LANES.min(columns - at));
                    Strip { b, then: std::ptr::null(), init: out, init_row: stride, out, out_row: stride, lanes }
                };
                let all = [strip(0), strip(1), strip(2), strip(3)];
                let ahead = (row + n).min(rows - 1);
                for i in ahead..rows.min(ahead + kernels.rows) {
                    for s in 0..strips {
                        prefetch(out.wrapping_add(i * stride + column + s * LANES));
                    }
                }
                // Safety: the caller's promise, for n rows and these strips.
                unsafe { (kernels.across)(n, strips)(&segment, &all[..strips], &Cut::new(width, 0)) };
            }
        }
    }

    /// Columns of the right operand to panels: [panel][token][strips · 16], zero past the last column.
    ///
    /// Safety: the place was checked; the target holds all tokens and columns.
    unsafe fn pack_right(&self, spot: &Spot, (first, end): (usize, usize), tokens: (usize, usize), target: *mut T) {
        let k = tokens.1 - tokens.0;
        let panel = self.run.kernels.panel * LANES;
        let mut token = 0;
        self.rows(spot, tokens, |row, rows| {
            let mut source = self.run.memory.wrapping_add(spot.offset + row * spot.stride + first).cast_const();
            for _ in 0..rows {
                for column in (0..end - first).step_by(panel) {
                    let n = panel.min(end - first - column);
                    let width = n.next_multiple_of(LANES);
                    // Safety: the caller's promise.
                    unsafe {
                        let target = target.add(column * k + token * width);
                        std::ptr::copy_nonoverlapping(source.add(column), target, n);
                        target.add(n).write_bytes(0, width - n);
                    }
                }
                source = source.wrapping_add(spot.stride);
                token += 1;
            }
        });
    }

    /// Rows of the left operand to blocks: [block][token][rows of the block].
    ///
    /// Safety: the place was checked; the target holds all tokens and rows.
    unsafe fn pack_left(&self, spot: &Spot, first: usize, n: usize, tokens: (usize, usize), target: *mut T) {
        let k = tokens.1 - tokens.0;
        let mut token = 0;
        self.rows(spot, tokens, |row, rows| {
            for begin in (0..rows).step_by(ABREAST) {
                let rows = ABREAST.min(rows - begin);
                let source =
                    self.run.memory.wrapping_add(spot.offset + (row + begin) * spot.stride + first).cast_const();
                for (at, n) in blocks(n, self.run.kernels.rows) {
                    let target = target.wrapping_add(at * k + (token + begin) * n);
                    let source = source.wrapping_add(at);
                    // Safety: the caller's promise.
                    unsafe {
                        match n {
                            1 => interleave::<T, 1>(source, spot.stride, rows, target),
                            2 => interleave::<T, 2>(source, spot.stride, rows, target),
                            3 => interleave::<T, 3>(source, spot.stride, rows, target),
                            4 => interleave::<T, 4>(source, spot.stride, rows, target),
                            5 => interleave::<T, 5>(source, spot.stride, rows, target),
                            _ => interleave::<T, 6>(source, spot.stride, rows, target),
                        }
                    }
                }
            }
            token += rows;
        });
    }

    /// Calls `f` with the first row of a place and the number of rows that follow each other, for tokens in order.
    fn rows(&self, spot: &Spot, tokens: (usize, usize), mut f: impl FnMut(usize, usize)) {
        let (first, end) = tokens;
        match spot.kind {
            kind::AFTER => f(first + self.calendar.timeline.batch, end - first),
            kind::BEFORE => {
                for run in &self.calendar.runs {
                    let (low, high) = (run.first.max(first), run.end.min(end));
                    if low < high {
                        f(low + run.before, high - low);
                    }
                }
            }
            _ => f(first, end - first),
        }
    }

    /// This thread's columns of exponentials.
    ///
    /// Safety: as [`Worker::phase`].
    pub(super) unsafe fn exponentials(&self, value: &Spot, units: usize, largest: usize, sum: usize) {
        let (first, end) = share(units, self.threads, self.member.index, LANES);
        if first < end {
            let at = |offset: usize| self.run.memory.wrapping_add(offset + first);
            let (tokens, kernel) = (self.calendar.tokens, self.run.kernels.exponentials);
            // Safety: the caller's promise; these units are this thread's.
            unsafe { kernel(tokens, end - first, at(value.offset), value.stride, at(largest), at(sum)) };
        }
    }

    /// This thread's units of a sum over tokens.
    ///
    /// Safety: as [`Worker::phase`].
    pub(super) unsafe fn total(&self, value: &Spot, units: usize, out: usize) {
        let (first, end) = share(units, self.threads, self.member.index, LANES);
        if first == end {
            return;
        }
        self.rows(value, (0, self.calendar.tokens), |row, rows| {
            let at = self.run.memory.wrapping_add(value.offset + row * value.stride + first).cast_const();
            let out = self.run.memory.wrapping_add(out + first);
            // Safety: the caller's promise; these units are this thread's.
            unsafe { (self.run.kernels.total)(rows, end - first, Input { at, row: value.stride }, out, 0) };
        });
    }
}

/// Near-equal blocks of at most `most` of n rows: (first, rows).
fn blocks(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(most);
    let at = move |i: usize| n * i / count;
    (0..count).map(move |i| (at(i), at(i + 1) - at(i)))
}

/// target[row][0 .. N] = source[row · stride ..]
///
/// Safety: N elements of every row are readable, and N · rows elements of the target writable.
unsafe fn interleave<T: Copy, const N: usize>(source: *const T, stride: usize, rows: usize, target: *mut T) {
    for row in 0..rows {
        // Safety: the caller's promise.
        unsafe {
            let values = source.add(row * stride).cast::<[T; N]>().read_unaligned();
            target.add(row * N).cast::<[T; N]>().write_unaligned(values);
        }
    }
}
