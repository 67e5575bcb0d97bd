//! A tile's product as calls of a kernel, each of which asks for what the next ones read.

use std::ops::Range;

use crate::code::LANES;
use crate::kernels::{AHEAD, Choose, Cut, HALF, Segment, Strip};
use crate::pack::PackedMatrix;
use crate::real::Real;

/// Bytes of weights that the second cache holds.
pub(super) const SECOND_CACHE: usize = 1 << 20;

/// Asks for a cache line.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    ask::<false, T>(at);
}

/// Asks for a cache line, in the second cache.
#[inline(always)]
pub(crate) fn prefetch_second<T>(at: *const T) {
    ask::<true, T>(at);
}

#[inline(always)]
fn ask<const SECOND: bool, T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // Safety: a prefetch touches no memory, whatever its address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        if SECOND { _mm_prefetch::<_MM_HINT_T1>(at.cast()) } else { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for what the results of some rows start from, and, `far`, for the results.
fn fetch<T, B>(strips: &[Strip<T, B>], rows: Range<usize>, far: bool) {
    for strip in strips {
        if strip.init_row != 0 {
            rows.clone().for_each(|row| prefetch(strip.init.wrapping_add(row * strip.init_row)));
        } else if far {
            rows.clone().for_each(|row| prefetch(strip.out.wrapping_add(row * strip.out_row).cast_const()));
        }
    }
}

/// Rows and strips that one call of a kernel takes.
pub(super) struct Block {
    pub row: usize,
    pub rows: usize,
    pub panels: usize,
    /// Strips of each panel.
    pub in_panel: usize,
    pub strips: Range<usize>,
    /// Packed elements from one k to the next.
    pub width: usize,
    /// The last of its strips.
    last: bool,
}

/// Cuts `rows` rows and `strips` strips, the first of which is number `first` of the matrix, into calls of a kernel. `most`
/// rows go at once, and few rows take several panels at once.
pub(super) fn blocks<T: Real>(
    packed: &PackedMatrix<T>,
    (most, spread): (usize, &[usize; 3]),
    (first, strips): (usize, usize),
    rows: usize,
    mut each: impl FnMut(Block),
) {
    let blocks = rows.div_ceil(most);
    let spread = if blocks == 1 { spread.get(rows - 1).copied().unwrap_or(1) } else { 1 };
    let mut s = 0;
    while s < strips {
        let (_, width) = packed.strip(first + s);
        let left = strips - s;
        let panel = packed.panel();
        let in_panel = (width / LANES - ((first + s) & (panel - 1))).min(left);
        let panels = match spread {
            _ if in_panel < panel || left < 2 * panel => 1,
            spread if left >= spread * panel => spread,
            _ => spread.min(2),
        };
        let taken = panels * in_panel;
        let mut row = 0;
        for block in 0..blocks {
            let n = (rows - row).div_ceil(blocks - block);
            each(Block { row, rows: n, panels, in_panel, strips: s..s + taken, width, last: block + 1 == blocks });
            row += n;
        }
        s += taken;
    }
}

/// Products of `rows` rows with strips. `far`: what they read was not used of late, and is asked for one block of rows ahead.
/// Weights beyond the second cache are asked for a panel ahead.
///
/// Safety: as [`crate::kernels::Product`], for all rows.
pub(super) unsafe fn multiply<T: Real, B>(
    packed: &PackedMatrix<T>,
    blocking: (usize, &[usize; 3]),
    (whole, half): (Choose<T, B>, Choose<T, B>),
    (segments, turn): (&[Segment<B>], usize),
    strips: &[Strip<T, B>],
    first: usize,
    (rows, far): (usize, bool),
) {
    let inner = |segments: &[Segment<B>]| segments.iter().map(|segment| segment.k).sum::<usize>();
    let (before, after) = segments.split_at(turn.min(segments.len()));
    let inner = [inner(before), inner(after)];
    let beyond = size_of::<B>() * packed.strips() * LANES * (inner[0] + inner[1]) > SECOND_CACHE;
    blocks(packed, blocking, (first, strips.len()), rows, |block| {
        let Block { row, rows: n, panels, in_panel, strips: Range { start, end }, width, last } = block;
        if n >= AHEAD {
            let (next, first) = if last { (end, 0) } else { (start, row + n) };
            fetch(&strips[next..strips.len().min(next + (end - start))], first..rows.min(first + n), far);
        }
        let (mut later, mut each) = ([segments[0].a; 2], 0);
        if beyond {
            // The panels that come next, a share of them with each block of rows.
            let next = |weights: *const B, inner: usize| {
                let length = panels * width * inner;
                weights.wrapping_add(length + length / rows * row)
            };
            later = [next(strips[start].b, inner[0]), next(strips[start].then, inner[1])];
            each = (panels * width * n / rows).min(LANES);
        }
        let cut = Cut { width, first: row, turn, later, each };
        let choose = if strips[start].lanes <= HALF { half } else { whole };
        // Safety: the caller's promise, for rows row .. row + n and these strips.
        unsafe { choose(n, panels, in_panel)(segments, &strips[start..end], &cut) };
    });
}
