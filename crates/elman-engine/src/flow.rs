//! Rows between the caller, the layers, and the sheets that layers hand to each other.
//!
//! A *map* gives, per token of a layer, the row of a sheet: `None` where they are the same. A sheet of the caller is
//! [steps · batch, width]; one between layers is [tokens, width], in forward order. A layer may hold some of the tokens only:
//! `tokens` says which.

use std::ops::Range;

use elman_kernel::code::{Binary, Place};
use elman_kernel::{Real, Team};

use crate::invariants::add;
use crate::layer::Layer;
use crate::network::Merge;
use crate::tokens::Packing;

/// Numbers of an array from which on threads share its rows.
const SHARED: usize = 16 << 10;

/// Parts that each thread has of such an array: one that is free sooner takes more.
const PARTS: usize = 2;

/// Which columns of a sheet belong to a direction, and how it is added to what is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    first: usize,
    width: usize,
    adds: bool,
    half: bool,
}

impl Columns {
    /// Where a direction's output goes.
    pub fn of(merge: Merge, direction: usize, directions: usize, units: usize) -> Columns {
        match merge {
            Merge::Concat => Columns { first: direction * units, width: directions * units, adds: false, half: false },
            _ => Columns { half: merge == Merge::Mean && directions > 1, ..Columns::sum(direction, units) },
        }
    }

    /// All directions in the same columns, one added to the other.
    pub fn sum(direction: usize, units: usize) -> Columns {
        Columns { first: 0, width: units, adds: direction > 0, half: false }
    }
}

/// Tokens as the caller's rows.
pub(crate) fn caller(packing: &Packing, direction: usize) -> Option<&[usize]> {
    if direction == 1 { Some(&packing.caller_reversed) } else { packing.caller.as_deref() }
}

/// Tokens as those of the forward direction.
pub(crate) fn tokens(packing: &Packing, direction: usize) -> Option<&[usize]> {
    (direction == 1).then_some(packing.reversed.as_slice())
}

/// Makes a sheet `len` long; zeros it where not every row will be written.
pub(crate) fn reset<T: Real>(sheet: &mut Vec<T>, len: usize, zero: bool) {
    if zero {
        sheet.clear();
    }
    sheet.resize(len, T::ZERO);
}

/// Zeros the rows of a sheet of the caller that hold no token.
pub(crate) fn clear_padding<T: Real>(sheet: &mut [T], width: usize, packing: &Packing) {
    packing.padding.iter().for_each(|row| sheet[row * width..(row + 1) * width].fill(T::ZERO));
}

/// Copies a sheet into input i.
pub(crate) fn load_input<T: Real>(
    team: &Team,
    layer: &mut Layer<T>,
    i: usize,
    sheet: &[T],
    map: Option<&[usize]>,
    tokens: Range<usize>,
) {
    let (place, units) = (layer.plan.inputs[i], layer.input_units(i));
    each_row(team, layer.rows_mut(place, tokens.len(), units), (place.stride, units), |own, to| {
        let row = row_of(map, tokens.start + own);
        to.copy_from_slice(&sheet[row * units..(row + 1) * units]);
    });
}

/// Copies a direction's columns of a sheet of gradients into the gradient of its output.
pub(crate) fn load_gradient<T: Real>(
    team: &Team,
    layer: &mut Layer<T>,
    units: usize,
    sheet: &[T],
    map: Option<&[usize]>,
    columns: Columns,
    tokens: Range<usize>,
) {
    let Some(place) = layer.plan.output_gradient else { return };
    each_row(team, layer.rows_mut(place, tokens.len(), units), (place.stride, units), |own, to| {
        let from = row_of(map, tokens.start + own) * columns.width + columns.first;
        to.copy_from_slice(&sheet[from..from + units]);
        if columns.half {
            to.iter_mut().for_each(|x| *x = half(*x));
        }
    });
}

/// Copies or adds a value of every token to a direction's columns of a sheet.
pub(crate) fn store<T: Real>(
    team: &Team,
    layer: &Layer<T>,
    place: Place,
    units: usize,
    sheet: &mut [T],
    map: Option<&[usize]>,
    columns: Columns,
    tokens: Range<usize>,
) {
    let values = layer.rows(place, tokens.len(), units);
    let one = |own: usize, to: &mut [T]| {
        let from = &values[own * place.stride..][..units];
        match (columns.adds, columns.half) {
            (false, false) => to.copy_from_slice(from),
            (true, false) => add_to(to, from),
            (false, true) => to.iter_mut().zip(from).for_each(|(t, f)| *t = half(*f)),
            (true, true) => to.iter_mut().zip(from).for_each(|(t, f)| *t = add(*t, half(*f))),
        }
    };
    let first = |row: usize| row * columns.width + columns.first;
    if map.is_some() {
        // The rows of a part would lie among those of the others.
        for (own, token) in tokens.enumerate() {
            one(own, &mut sheet[first(row_of(map, token))..][..units]);
        }
    } else if let Some(last) = tokens.clone().last() {
        each_row(team, &mut sheet[first(tokens.start)..first(last) + units], (columns.width, units), one);
    }
}

fn row_of(map: Option<&[usize]>, token: usize) -> usize {
    map.map_or(token, |map| map[token])
}

/// Calls `work` with the number of each row of an array and its `units` numbers; the last row ends with them.
fn each_row<T: Real>(
    team: &Team,
    rows: &mut [T],
    (stride, units): (usize, usize),
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    each_part(team, rows, stride, |first, rows| {
        rows.chunks_mut(stride).enumerate().for_each(|(own, row)| work(first + own, &mut row[..units]));
    });
}

/// Calls `work` with parts of an array, and the number of the first row of each; rows are `stride` apart.
fn each_part<T: Real>(team: &Team, rows: &mut [T], stride: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if team.threads() == 1 || (rows.len() < SHARED && !team.shares_all()) {
        return work(0, rows);
    }
    let part = rows.len().div_ceil(stride).div_ceil(PARTS * team.threads()).max(1);
    let parts = rows.chunks_mut(part * stride).enumerate().map(|(p, rows)| (p * part, rows));
    team.each(parts.collect(), |(first, rows)| work(first, rows));
}

/// Copies an array, or adds it to what is there.
pub(crate) fn collect<T: Real>(team: &Team, to: &mut [T], from: &[T], adds: bool) {
    each_part(team, to, 1, |first, to| {
        let from = &from[first..][..to.len()];
        if adds { add_to(to, from) } else { to.copy_from_slice(from) }
    });
}

/// One row a sequence, [batch, units], in the caller's order.
pub(crate) fn read_rows<T: Real>(
    layer: &Layer<T>,
    place: Place,
    units: usize,
    packing: &Packing,
    at: impl Fn(usize) -> usize,
    out: &mut Vec<T>,
) {
    reset(out, packing.batch * units, false);
    for row in 0..packing.batch {
        let to = packing.order[row] * units;
        out[to..to + units].copy_from_slice(layer.row(place, at(row), units));
    }
}

pub(crate) fn add_to<T: Real>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t = add(*t, *f));
}

fn half<T: Real>(x: T) -> T {
    T::binary(Binary::Mul, x, T::from_f64(0.5))
}
