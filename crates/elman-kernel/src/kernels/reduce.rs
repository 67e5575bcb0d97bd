//! Reductions: over the units of a row by 16 virtual lanes, whatever the register's width; over rows by one chain a unit.

use super::Input;
use crate::code::LANES;
use crate::simd::Lanes;

/// One step of a reduction, in a register and alone.
pub(super) trait Fold {
    /// Where a lane starts.
    const START: f64;
    /// The next value of a lane.
    fn step<S: Lanes>(s: S, lane: S::F, x: S::F) -> S::F;
}

/// lane + x
pub(super) struct Sum;

/// x > lane or x is NaN ? x : lane, and a lane that is NaN stays
pub(super) struct Largest;

impl Fold for Sum {
    const START: f64 = 0.0;
    #[inline(always)]
    fn step<S: Lanes>(s: S, lane: S::F, x: S::F) -> S::F {
        s.add(lane, x)
    }
}

impl Fold for Largest {
    const START: f64 = f64::NEG_INFINITY;
    #[inline(always)]
    fn step<S: Lanes>(s: S, lane: S::F, x: S::F) -> S::F {
        // max gives its second argument where either is NaN: between them the two keep both sides' NaN, and are equal
        // otherwise, so that their sum is NaN for NaN alone.
        let keeps_lane = s.max(x, lane);
        let sum = s.add(keeps_lane, s.max(lane, x));
        s.select(s.gt(sum, s.splat64(f64::NEG_INFINITY)), keeps_lane, sum)
    }
}

/// One number a row: the 16 lanes fold units l, l + 16, …, then each other as a tree.
///
/// Safety: as [`super::Reduce`].
#[inline(always)]
pub(super) unsafe fn fold<S: Lanes, F: Fold>(
    s: S,
    rows: usize,
    units: usize,
    input: Input<S::Elem>,
    out: *mut S::Elem,
    out_row: usize,
) {
    let full = units - units % LANES;
    let registers = LANES / S::WIDTH;
    for row in 0..rows {
        // Safety: the caller promises this row.
        let x = unsafe { input.at.add(row * input.row) };
        let mut lanes = [s.splat64(F::START); LANES];
        for u in (0..full).step_by(LANES) {
            for (r, lane) in lanes[..registers].iter_mut().enumerate() {
                // Safety: u + 16 ≤ units.
                *lane = F::step(s, *lane, unsafe { s.load(x.add(u + r * S::WIDTH)) });
            }
        }
        let rest = units - full;
        for (r, lane) in lanes[..registers].iter_mut().enumerate() {
            let at = r * S::WIDTH;
            if rest > at {
                // Safety: the units that are left.
                *lane = unsafe { partial::<S, F>(s, *lane, x.add(full + at), (rest - at).min(S::WIDTH)) };
            }
        }
        // Safety: the caller promises this row of the result.
        unsafe { tree::<S, F>(s, &lanes[..registers], out.add(row * out_row)) };
    }
}

/// A step of the first n lanes; the others stay.
///
/// Safety: n elements at x are readable.
#[inline(always)]
unsafe fn partial<S: Lanes, F: Fold>(s: S, lane: S::F, x: *const S::Elem, n: usize) -> S::F {
    let mut values = [std::mem::MaybeUninit::<S::Elem>::uninit(); LANES];
    let values = values.as_mut_ptr().cast::<S::Elem>();
    // Safety: the array holds a register; n elements of x are readable.
    unsafe {
        s.store(values, s.splat64(F::START));
        s.store_part(values, n, s.load_part(x, n));
        F::step(s, lane, s.load(values))
    }
}

/// Folds lanes l and l + 8, l + 4, l + 2, l + 1, and stores what is left.
///
/// Safety: `out` is writable.
#[inline(always)]
unsafe fn tree<S: Lanes, F: Fold>(s: S, lanes: &[S::F], out: *mut S::Elem) {
    let mut values = [std::mem::MaybeUninit::<S::Elem>::uninit(); LANES];
    let values = values.as_mut_ptr().cast::<S::Elem>();
    // Safety: the array holds 16 elements, all of them stored first.
    unsafe {
        for (r, &lane) in lanes.iter().enumerate() {
            s.store(values.add(r * S::WIDTH), lane);
        }
        for half in [8, 4, 2, 1] {
            for l in 0..half {
                let low = s.load_part(values.add(l), 1);
                let high = s.load_part(values.add(l + half), 1);
                s.store_part(values.add(l), 1, F::step(s, low, high));
            }
        }
        s.store_part(out, 1, s.load_part(values, 1));
    }
}

/// Registers of units at once: enough chains to hide the latency of an addition.
const ABREAST: usize = 8;

/// out(u) += Σ over rows of input(row, u), in order.
///
/// Safety: as [`super::Reduce`].
#[inline(always)]
pub(super) unsafe fn total<S: Lanes>(
    s: S,
    rows: usize,
    units: usize,
    input: Input<S::Elem>,
    out: *mut S::Elem,
    _: usize,
) {
    let mut u = 0;
    while u + ABREAST * S::WIDTH <= units {
        let mut acc = [s.splat64(0.0); ABREAST];
        for (i, acc) in acc.iter_mut().enumerate() {
            // Safety: u + ABREAST · WIDTH ≤ units.
            *acc = unsafe { s.load(out.add(u + i * S::WIDTH)) };
        }
        for row in 0..rows {
            // Safety: the caller promises this row.
            let x = unsafe { input.at.add(row * input.row + u) };
            for (i, acc) in acc.iter_mut().enumerate() {
                // Safety: as above.
                *acc = s.add(*acc, unsafe { s.load(x.add(i * S::WIDTH)) });
            }
        }
        for (i, acc) in acc.iter().enumerate() {
            // Safety: as above.
            unsafe { s.store(out.add(u + i * S::WIDTH), *acc) };
        }
        u += ABREAST * S::WIDTH;
    }
    while u < units {
        let n = S::WIDTH.min(units - u);
        // Safety: n units are left.
        let mut acc = unsafe { s.load_part(out.add(u), n) };
        for row in 0..rows {
            // Safety: the caller promises this row.
            acc = s.add(acc, unsafe { s.load_part(input.at.add(row * input.row + u), n) });
        }
        // Safety: n units are left.
        unsafe { s.store_part(out.add(u), n, acc) };
        u += n;
    }
}
