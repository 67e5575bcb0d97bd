//! The schedule of known cells: what leaves the loop, what merges, what is kept.

use crate::builder::Builder;
use crate::cells;
use elman_cell::schedule::{Schedule, Stage};
use elman_cell::{derive, lower};

fn schedule(b: Builder) -> Schedule {
    let program = lower(&b.build());
    let derived = derive(&program);
    Schedule::new(&program, &derived, &[])
}

/// Per stage: per product, (operands, members); and the operations of its block.
fn shape(stages: &[Stage]) -> Vec<(Vec<(usize, usize)>, usize)> {
    let one = |s: &Stage| (s.products.iter().map(|p| (p.vectors.len(), p.members.len())).collect(), s.block.len());
    stages.iter().map(one).collect()
}

#[test]
fn lstm_has_one_product_a_step_and_one_ahead() {
    let s = schedule(cells::lstm());
    assert_eq!(shape(&s.forward_pass.before), [(vec![(1, 4)], 0)]);
    assert_eq!(shape(&s.forward_pass.step), [(vec![(1, 4)], 8)]);
    assert!(s.forward_pass.after.is_empty());
    // f, i, the candidate, o, tanh(C): the products f * C and i * candidate are not kept.
    assert_eq!((s.saved.len(), s.recomputed.len()), (5, 0));
    // One product a step over four operands, and the gradient by the input behind the loop.
    assert_eq!(shape(&s.backward_pass.step)[1], (vec![(4, 1)], 0));
    assert_eq!(shape(&s.backward_pass.after), [(vec![(4, 1)], 0)]);
}

#[test]
fn gru_merges_its_gates_and_computes_one_minus_z_again() {
    let s = schedule(cells::gru());
    assert_eq!(shape(&s.forward_pass.before), [(vec![(1, 3)], 0)]);
    assert_eq!(shape(&s.forward_pass.step), [(vec![(1, 2)], 5), (vec![(1, 1)], 2)]);
    assert_eq!(s.recomputed.len(), 1);
}

#[test]
fn mut1_computes_its_gate_of_the_input_ahead() {
    let s = schedule(cells::mut1());
    assert_eq!(shape(&s.forward_pass.before), [(vec![(1, 2)], 2)]);
    assert_eq!(shape(&s.forward_pass.step), [(vec![(1, 1)], 2), (vec![(1, 1)], 5)]);
}

#[test]
fn min_gru_is_a_scan() {
    let s = schedule(cells::min_gru());
    assert!(s.forward_pass.independent && s.backward_pass.independent);
    assert!(shape(&s.forward_pass.step).iter().all(|(products, _)| products.is_empty()));
}
