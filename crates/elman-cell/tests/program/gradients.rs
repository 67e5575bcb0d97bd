//! Every derived gradient against differences.

use crate::builder::*;
use crate::cells;
use elman_cell::interpret::{self, Point, check_gradient};
use elman_cell::op::Function;
use elman_cell::program::{Contribution, Op};
use elman_cell::{Cell, Sizes, derive, lower};

/// What differences of fourth order in f64 reach with room to spare; see `GradientCheck` for the denominator.
const TOLERANCE: f64 = 1e-6;

fn check(cell: &Cell, sizes: Sizes, steps: usize, seed: u64) {
    let program = lower(cell);
    let derived = derive(&program);
    let point = Point::random(&program, sizes, steps, seed);
    let result = check_gradient(&program, &derived, &point, seed + 1);
    assert!(result.worst() <= TOLERANCE, "{} at {sizes:?}: {result:?}\n{derived:?}", cell.name);
}

#[test]
fn derived_gradients_match_differences() {
    for (cell, sizes) in cells::all() {
        check(&cell, sizes, 4, 21);
    }
}

#[test]
fn they_match_at_one_unit_and_one_step() {
    for (cell, _) in cells::all() {
        check(&cell, Sizes { input: 1, hidden: 1, output: 1 }, 3, 31);
        check(&cell, Sizes { input: 17, hidden: 17, output: 19 }, 1, 32);
    }
}

#[test]
fn a_wrong_derivative_is_seen() {
    let program = lower(&cells::gru().build());
    let mut derived = derive(&program);
    let at = derived.nodes.iter().position(|n| n.op == Op::Number(1.0)).expect("1 − y²");
    derived.nodes[at].op = Op::Number(1.001);
    let point = Point::random(&program, SIZES, 3, 1);
    assert!(check_gradient(&program, &derived, &point, 2).worst() > 1e-5);
}

#[test]
fn a_batch_is_the_sum_of_its_sequences() {
    let program = lower(&cells::peephole().build());
    let derived = derive(&program);
    let points: Vec<_> = [5, 3, 1].iter().map(|&steps| Point::random(&program, SIZES, steps, steps as u64)).collect();
    let params = &points[0].params;
    let run = |p: &Point| interpret::run(&program, SIZES, params, &p.memories, &p.inputs, &p.initial);
    let runs: Vec<_> = points.iter().map(run).collect();
    let dy: Vec<_> = runs.iter().map(|r| r.outputs.clone()).collect();
    let ds: Vec<_> = runs.iter().map(|r| r.states.clone()).collect();
    let gradients = |i: std::ops::Range<usize>| {
        interpret::gradients(&program, &derived, SIZES, params, &runs[i.clone()], &dy[i.clone()], &ds[i])
    };
    let whole = gradients(0..3);
    let parts = [gradients(0..1), gradients(1..2), gradients(2..3)];
    for (p, all) in whole.params.iter().enumerate() {
        for (k, value) in all.iter().enumerate() {
            let sum: f64 = parts.iter().map(|part| part.params[p][k]).sum();
            assert!((sum - value).abs() <= 1e-12 * sum.abs().max(1.0));
        }
    }
    assert_eq!(whole.sequences[1].initial, parts[1].sequences[0].initial, "a sequence does not feel its neighbours");
}

#[test]
fn the_gradient_of_a_state_is_one_affine() {
    let derived = derive(&lower(&cells::lstm().build()));
    let dh = derived.states.iter().flatten().map(|n| &derived.nodes[n.index()].op);
    let affines: Vec<_> = dh.filter(|op| matches!(op, Op::Affine { terms, .. } if terms.len() == 4)).collect();
    assert_eq!(affines.len(), 1, "four transposed gates reach h");
    let outers = derived.contributions.iter().filter(|c| matches!(c, Contribution::Outer { .. })).count();
    assert_eq!((outers, derived.contributions.len()), (8, 12), "eight matrices, four biases");
}

#[test]
fn nothing_is_kept_that_nothing_needs() {
    for (cell, _) in cells::all() {
        let derived = derive(&lower(&cell));
        let mut read: Vec<_> = derived.nodes.iter().flat_map(|n| n.op.operands()).collect();
        read.extend(derived.states.iter().chain(&derived.inputs).flatten());
        for c in &derived.contributions {
            read.extend(c.reads());
        }
        for i in 0..derived.nodes.len() {
            assert!(read.iter().any(|n| n.index() == i), "{}: {:?}", cell.name, derived.nodes[i]);
        }
    }
}

#[test]
fn what_flows_nowhere_is_none() {
    let cell = cell("cut")
        .eq("h'", f(Function::Sign, h()) + tanh(u("W", f(Function::Sign, h()))))
        .eq("idle", wx("Idle"))
        .build();
    let derived = derive(&lower(&cell));
    assert!(derived.states[0].is_none() && derived.inputs[0].is_none());
    assert_eq!(derived.params.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
}
