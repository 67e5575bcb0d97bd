//! Products at odd sizes against one chain of scalar operations an element, bit for bit.

mod reference;

use elman_kernel::code::*;
use elman_kernel::{MatrixShape, Real};
use reference::*;

/// Member 0 starts from a bias, 1 from nothing, 2 from a partial sum in place, and so on; gaps around all rows.
fn case<T: Real>(rows: usize, units: usize, members: usize, segments: &[usize], steps: bool) -> Case<T> {
    let mut random = Random((rows * 131 + units * 17 + members) as u64);
    let kind = if steps { Rows::Batch } else { Rows::Token };
    let weights = vec![Weights::random(MatrixShape { members, units, segments: segments.to_vec() }, &mut random)];
    let mut end = 3;
    let mut place_of = |width: usize, gap: usize| {
        let at = place(end, kind, width + gap);
        end += rows * (width + gap);
        at
    };
    let operands: Vec<_> = segments.iter().enumerate().map(|(i, &k)| place_of(k, i)).collect();
    let members: Vec<_> = (0..members)
        .map(|m| {
            let out = place_of(units, m % 3);
            let init = match m % 3 {
                0 => Some(place(m + 1, Rows::Fixed, 0)),
                1 => None,
                _ => Some(out),
            };
            Member { init, out }
        })
        .collect();
    let stage = Stage {
        products: vec![Product { before: None, matrix: 0, segments: operands, members }],
        block: vec![],
        units,
        whole_rows: false,
    };
    let phase = if steps {
        Phase::Steps { order: Order::Ascending, stages: vec![stage], independent: false }
    } else {
        Phase::Bulk(vec![stage])
    };
    let constants = random.numbers(units + 8);
    let memory = random.numbers(end);
    Case { phases: vec![phase], constants, weights, memory }
}

const ROWS: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 13, 20, 33];
const UNITS: [usize; 8] = [1, 5, 16, 17, 37, 64, 70, 130];

#[test]
fn every_shape_f32() {
    for (i, &rows) in ROWS.iter().enumerate() {
        for (j, &units) in UNITS.iter().enumerate() {
            let members = 1 + (i + j) % 5;
            let segments: &[usize] = [&[7][..], &[1, 13], &[5, 1, 9]][(i + 2 * j) % 3];
            if too_large(rows * members * units.next_multiple_of(LANES)) {
                continue;
            }
            let what = format!("{rows} rows, {units} units, {members} members, {segments:?}");
            case::<f32>(rows, units, members, segments, false).check(&[Timeline::equal(1, rows)], &what);
            case::<f32>(rows, units, members, segments, true).check(&[Timeline::equal(1, rows)], &what);
        }
    }
}

#[test]
fn f64() {
    for (rows, units, members) in [(1, 37, 3), (5, 17, 2), (13, 64, 1)] {
        case::<f64>(rows, units, members, &[3, 11], true).check(&[Timeline::equal(1, rows)], "f64");
    }
}

#[test]
#[cfg_attr(miri, ignore)]
fn many_tokens() {
    let tokens = 23 * 11;
    case::<f32>(tokens, 70, 3, &[19], false).check(&[Timeline::equal(23, 11)], "tokens");
}
