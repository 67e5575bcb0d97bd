//! Gradients of parameters: sums over all tokens, one chain an element, steps in rising order and rows in order within.
//!
//! Tokens are taken a block at a time; the sums of a block go on from those of the block before, stored in between,
//! which is exact. Both operands of an outer product are packed, so that places of any kind and stride cost the same.

use super::compile::{OuterCode, Spot, kind};
use super::run::{Worker, share};
use super::tile::Workspace;
use crate::code::LANES;
use crate::kernels::{Input, Segment, Strip};
use crate::real::Real;

/// Tokens a block.
const TOKENS: usize = 256;

/// Columns whose packed operand is used at once: with `TOKENS`, half of a second cache of 1 MiB.
const COLUMNS: usize = 512;

/// Scratch that one thread needs for a result of this many columns.
pub(super) fn scratch(rows: usize, columns: usize) -> usize {
    TOKENS * (columns.min(COLUMNS).next_multiple_of(LANES) + rows)
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
        let (index, threads) = (self.member.index, self.member.threads());
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
        let kernels = self.run.kernels;
        let (first, end) = part.columns;
        let panel = kernels.panel * LANES;
        let packed_right = workspace.scratch.as_mut_ptr();
        let k = tokens.1 - tokens.0;
        for at in (first..end).step_by(panel) {
            let n = panel.min(end - at);
            let target = packed_right.wrapping_add((at - first) * k);
            // Safety: the scratch holds all columns of the part; the operand's rows were checked.
            unsafe { self.gather(&outer.right, at, n, tokens, target, n.next_multiple_of(LANES)) };
        }
        let packed_left = packed_right.wrapping_add(TOKENS * COLUMNS.min(outer.columns).next_multiple_of(LANES));
        let mut before = 0;
        for (left, spot) in outer.lefts.iter().zip(&outer.left_spots) {
            let (low, high) =
                (part.rows.0.max(before) - before, part.rows.1.min(before + left.rows).max(before) - before);
            before += left.rows;
            let blocks = high.saturating_sub(low).div_ceil(kernels.rows);
            let mut row = low;
            for block in 0..blocks {
                let n = (high - row).div_ceil(blocks - block);
                // Safety: as above, for n rows of one left operand.
                unsafe { self.gather(spot, row, n, tokens, packed_left, n) };
                let out = self.run.memory.wrapping_add(left.out + row * left.stride);
                let segment = [Segment { a: packed_left.cast_const(), row: n, k }];
                for at in (first..end).step_by(panel) {
                    let width = panel.min(end - at).next_multiple_of(LANES);
                    let b = packed_right.wrapping_add((at - first) * k);
                    let strip = |s: usize| {
                        let column = (at + s * LANES).min(end);
                        let out = out.wrapping_add(column);
                        let lanes = LANES.min(end - column);
                        let b = b.wrapping_add(s * LANES);
                        Strip { b, init: out, init_row: left.stride, out, out_row: left.stride, lanes }
                    };
                    let strips = [strip(0), strip(1), strip(2), strip(3)];
                    // Safety: the results are checked and this thread's; the operands are packed.
                    unsafe { (kernels.packed)(n, width / LANES)(&segment, &strips[..width / LANES], width, 0) };
                }
                row += n;
            }
        }
    }

    /// Copies units `first .. first + n` of tokens to target[token][width], the rest of the width zero.
    ///
    /// Safety: the place was checked; the target holds a row of `width` for each token.
    unsafe fn gather(
        &self,
        spot: &Spot,
        first: usize,
        n: usize,
        tokens: (usize, usize),
        mut target: *mut T,
        width: usize,
    ) {
        self.rows(spot, tokens, |row, rows| {
            let mut source = self.run.memory.wrapping_add(spot.offset + row * spot.stride + first).cast_const();
            for _ in 0..rows {
                // Safety: the caller's promise.
                unsafe {
                    std::ptr::copy_nonoverlapping(source, target, n);
                    target.add(n).write_bytes(0, width - n);
                }
                source = source.wrapping_add(spot.stride);
                target = target.wrapping_add(width);
            }
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

    /// This thread's units of a sum over tokens.
    ///
    /// Safety: as [`Worker::phase`].
    pub(super) unsafe fn total(&self, value: &Spot, units: usize, out: usize) {
        let (first, end) = share(units, self.member.threads(), self.member.index, LANES);
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
