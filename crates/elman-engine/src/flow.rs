//! Rows between the caller, the layers, and the sheets that layers hand to each other.
//!
//! A *map* gives, per token of a layer, the row of a sheet: `None` where they are the same. A sheet of the caller is
//! [steps · batch, width]; one between layers is [tokens, width], in forward order. A layer may hold some of the tokens only:
//! `tokens` says which.

use std::ops::Range;

use elman_kernel::Real;
use elman_kernel::code::{Binary, Place};

use crate::invariants::add;
use crate::layer::Layer;
use crate::network::Merge;
use crate::tokens::Packing;

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
    layer: &mut Layer<T>,
    i: usize,
    sheet: &[T],
    map: Option<&[usize]>,
    tokens: Range<usize>,
) {
    let (place, units) = (layer.plan.inputs[i], layer.input_units(i));
    for (own, token) in tokens.enumerate() {
        let row = map.map_or(token, |m| m[token]);
        layer.row_mut(place, own, units).copy_from_slice(&sheet[row * units..(row + 1) * units]);
    }
}

/// Copies a direction's columns of a sheet of gradients into the gradient of its output.
pub(crate) fn load_gradient<T: Real>(
    layer: &mut Layer<T>,
    units: usize,
    sheet: &[T],
    map: Option<&[usize]>,
    columns: Columns,
    tokens: Range<usize>,
) {
    let Some(place) = layer.plan.output_gradient else { return };
    for (own, token) in tokens.enumerate() {
        let row = map.map_or(token, |m| m[token]);
        let from = row * columns.width + columns.first;
        let to = layer.row_mut(place, own, units);
        to.copy_from_slice(&sheet[from..from + units]);
        if columns.half {
            to.iter_mut().for_each(|x| *x = half(*x));
        }
    }
}

/// Copies or adds a value of every token to a direction's columns of a sheet.
pub(crate) fn store<T: Real>(
    layer: &Layer<T>,
    place: Place,
    units: usize,
    sheet: &mut [T],
    map: Option<&[usize]>,
    columns: Columns,
    tokens: Range<usize>,
) {
    for (own, token) in tokens.enumerate() {
        let row = map.map_or(token, |m| m[token]);
        let at = row * columns.width + columns.first;
        let to = &mut sheet[at..at + units];
        let from = layer.row(place, layer.token_row(place, own), units);
        match (columns.adds, columns.half) {
            (false, false) => to.copy_from_slice(from),
            (true, false) => add_to(to, from),
            (false, true) => to.iter_mut().zip(from).for_each(|(t, f)| *t = half(*f)),
            (true, true) => to.iter_mut().zip(from).for_each(|(t, f)| *t = add(*t, half(*f))),
        }
    }
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
