//! Exponentials of columns and their sums: a softmax over rows, short of its division.

use super::reduce::{Fold, Largest};
use crate::code::Unary;
use crate::simd::Lanes;
use crate::simd::several::Several;

/// Rows whose sum is one chain.
const ROWS: usize = 256;

/// Registers side by side.
const ABREAST: usize = 4;

/// Safety: as [`super::Exponentials`].
#[inline(always)]
pub(super) unsafe fn exponentials<S: Lanes>(
    s: S,
    rows: usize,
    units: usize,
    at: *mut S::Elem,
    stride: usize,
    largest: *mut S::Elem,
    sum: *mut S::Elem,
) {
    let wide = Several::<S, ABREAST>(s);
    let mut u = 0;
    while u < units {
        // Safety: the caller's promise, for units u .. u + LANES, or as many as the wide registers hold.
        unsafe {
            if u + ABREAST * S::WIDTH <= units {
                columns(wide, rows, at.add(u), stride, largest.add(u), sum.add(u));
                u += ABREAST * S::WIDTH;
            } else {
                columns(s, rows, at.add(u), stride, largest.add(u), sum.add(u));
                u += S::WIDTH;
            }
        }
    }
}

/// One register of columns.
///
/// Safety: as [`super::Exponentials`].
#[inline(always)]
unsafe fn columns<S: Lanes>(
    s: S,
    rows: usize,
    at: *mut S::Elem,
    stride: usize,
    largest: *mut S::Elem,
    sum: *mut S::Elem,
) {
    const EXP: u8 = Unary::Exp as u8;
    let mut most = s.splat64(Largest::START);
    for row in 0..rows {
        // Safety: the caller promises this row.
        most = Largest::step(s, most, unsafe { s.load(at.add(row * stride)) });
    }
    let mut total = s.splat64(0.0);
    for first in (0..rows).step_by(ROWS) {
        let mut part = s.splat64(0.0);
        for row in first..rows.min(first + ROWS) {
            // Safety: the caller promises this row.
            unsafe {
                let x = at.add(row * stride);
                let e = s.unary::<EXP>(s.sub(s.load(x), most));
                s.store(x, e);
                part = s.add(part, e);
            }
        }
        total = s.add(total, part);
    }
    // Safety: the caller promises these units.
    unsafe {
        s.store(largest, most);
        s.store(sum, total);
    }
}
