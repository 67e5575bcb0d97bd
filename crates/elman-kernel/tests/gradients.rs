//! Outer products and totals over tokens, bit for bit.

mod reference;

use elman_kernel::Real;
use elman_kernel::code::*;
use reference::*;

fn case<T: Real>(timeline: &Timeline, right: Rows, columns: usize, lefts: &[(Rows, usize)]) -> Case<T> {
    let mut random = Random(columns as u64 + 7);
    let rows = timeline.batch + timeline.tokens();
    let mut end = 5;
    let mut take = |n: usize| {
        end += n;
        end - n
    };
    let right = place(take(rows * (columns + 3)), right, columns + 3);
    let lefts: Vec<_> = lefts
        .iter()
        .map(|&(kind, width)| OuterRow {
            left: place(take(rows * (width + 1)), kind, width + 1),
            rows: width,
            out: take(width * (columns + 2)),
            stride: columns + 2,
        })
        .collect();
    let total = Phase::Total { value: right, units: columns, out: take(columns) };
    let scalar = Phase::Total { value: lefts[0].left, units: 1, out: take(1) };
    let memory = random.numbers(end + 4);
    Case {
        phases: vec![Phase::Outer { right, columns, lefts }, total, scalar],
        constants: vec![],
        weights: vec![],
        memory,
    }
}

const KINDS: [Rows; 3] = [Rows::Token, Rows::Before, Rows::After];

#[test]
fn odd_shapes() {
    let ragged = Timeline::from_active(9, vec![8, 8, 5, 5, 2, 1, 1]);
    for (i, columns) in [1, 5, 16, 33, 64, 70, 130, 200].into_iter().enumerate() {
        for timeline in [&ragged, &Timeline::equal(3, 4), &Timeline::equal(1, 1)] {
            let lefts = [(KINDS[(i + 1) % 3], 1), (KINDS[i % 3], 13), (KINDS[(i + 2) % 3], 6)];
            let what = format!("{columns} columns");
            case::<f32>(timeline, KINDS[i % 3], columns, &lefts).check(std::slice::from_ref(timeline), &what);
        }
    }
}

#[test]
fn more_than_one_block() {
    let timeline = Timeline::from_active(31, [vec![31; 8], vec![20; 10], vec![3; 40]].concat());
    case::<f32>(&timeline, Rows::Before, 70, &[(Rows::Token, 40)])
        .check(std::slice::from_ref(&timeline), "blocks of tokens");
    case::<f32>(&timeline, Rows::Token, 600, &[(Rows::After, 7)])
        .check(std::slice::from_ref(&timeline), "blocks of columns");
}

#[test]
fn f64() {
    let timeline = Timeline::from_active(3, vec![3, 2, 2]);
    case::<f64>(&timeline, Rows::After, 37, &[(Rows::Before, 5)]).check(std::slice::from_ref(&timeline), "f64");
}

fn exponentials<T: Real>(timeline: &Timeline, units: usize) -> Case<T> {
    let (stride, mut random) = (units + 3, Random(units as u64));
    let end = 2 + timeline.tokens() * stride;
    let value = place(2, Rows::Token, stride);
    let phases = vec![Phase::Exponentials { value, units, largest: end, sum: end + units }];
    Case { phases, constants: vec![], weights: vec![], memory: random.numbers(end + 2 * units + 1) }
}

#[test]
fn exponentials_of_columns() {
    for units in [16, 32, 48, 64, 80, 144] {
        for steps in [1, 5, 100] {
            let timeline = Timeline::equal(steps, 7);
            let what = format!("{units} units, {} tokens", timeline.tokens());
            exponentials::<f32>(&timeline, units).check(std::slice::from_ref(&timeline), &what);
        }
    }
    let timeline = Timeline::from_active(3, vec![3, 2, 2]);
    exponentials::<f64>(&timeline, 16).check(std::slice::from_ref(&timeline), "f64");
}

#[test]
fn operands_in_place() {
    let timeline = Timeline::from_active(31, [vec![31; 8], vec![20; 10]].concat());
    for columns in [16, 48, 64] {
        let lefts = [(Rows::Token, 40), (Rows::Before, 9), (Rows::After, 1)];
        case::<f32>(&timeline, Rows::Token, columns, &lefts).check(std::slice::from_ref(&timeline), "in place");
    }
}
