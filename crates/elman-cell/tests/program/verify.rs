//! The checker of schedules passes what the scheduler makes, and sees every way of breaking it.

use crate::builder::*;
use crate::cells;
use elman_cell::program::{Backward, NodeId, Op, Program};
use elman_cell::schedule::{Schedule, Stage};
use elman_cell::verify::{Fault, Phase, verify};
use elman_cell::{derive, lower};

fn make(b: &Builder) -> (Program, Backward, Schedule) {
    let program = lower(&b.build());
    let derived = derive(&program);
    let schedule = Schedule::new(&program, &derived, &[]);
    (program, derived, schedule)
}

#[test]
fn schedules_compute_their_programs() {
    for (cell, _) in cells::all() {
        let program = lower(&cell);
        let derived = derive(&program);
        for traced in [vec![], program.named.iter().map(|n| n.1).collect::<Vec<_>>()] {
            let schedule = Schedule::new(&program, &derived, &traced);
            assert_eq!(verify(&program, &derived, &schedule, &traced), Ok(()), "{}\n{program}\n{derived}", cell.name);
        }
    }
}

/// The fault that a broken schedule of a cell shows.
fn fault(b: Builder, break_it: impl Fn(&mut Schedule)) -> Fault {
    let (program, derived, mut schedule) = make(&b);
    assert_eq!(verify(&program, &derived, &schedule, &[]), Ok(()));
    break_it(&mut schedule);
    verify(&program, &derived, &schedule, &[]).expect_err("a fault")
}

#[test]
fn stages_and_blocks_have_an_order() {
    let swapped = fault(cells::gru(), |s| s.forward_pass.step.swap(0, 1));
    assert!(matches!(swapped, Fault::TooEarly { pass: "forward", phase: Phase::Step, .. }), "{swapped}");
    let reversed = fault(cells::lstm(), |s| s.forward_pass.step[0].block.reverse());
    assert!(matches!(reversed, Fault::TooEarly { .. }), "{reversed}");
    let dropped = fault(cells::lstm(), |s| {
        let _ = s.backward_pass.step[0].block.pop();
    });
    assert!(matches!(dropped, Fault::TooEarly { pass: "backward", .. } | Fault::Unfinished { .. }), "{dropped}");
    let again = fault(cells::lstm(), |s| {
        let block = &mut s.forward_pass.step[0].block;
        block.push(block[0]);
    });
    assert!(matches!(again, Fault::Twice { .. }), "{again}");
}

#[test]
fn what_needs_a_state_stays_in_the_loop() {
    let hoisted = fault(cells::lstm(), |s| {
        let step = std::mem::take(&mut s.forward_pass.step);
        s.forward_pass.before.extend(step);
    });
    assert!(matches!(hoisted, Fault::TooEarly { phase: Phase::Before, .. }), "{hoisted}");
    let late = fault(cells::lstm(), |s| {
        let step = std::mem::take(&mut s.forward_pass.step);
        s.forward_pass.after.extend(step);
    });
    assert!(matches!(late, Fault::Unfinished { pass: "forward", .. }), "{late}");
    let gone = fault(cells::simple(), |s| s.forward_pass.after.clear());
    assert!(matches!(gone, Fault::Unfinished { pass: "forward", .. }), "{gone}");
}

#[test]
fn affine_chains_are_gone_through_once_and_in_order() {
    let from_start = fault(cells::lstm(), |s| s.forward_pass.step[0].products[0].members[0].from = 0);
    assert!(matches!(from_start, Fault::BrokenChain { phase: Phase::Step, .. }), "{from_start}");
    let skipped = fault(cells::lstm(), |s| s.forward_pass.before[0].products.clear());
    assert!(matches!(skipped, Fault::BrokenChain { phase: Phase::Step, .. }), "{skipped}");
    let turned = fault(cells::lstm(), |s| {
        let stages = s.backward_pass.step.iter_mut().chain(&mut s.backward_pass.after);
        stages.flat_map(|s: &mut Stage| &mut s.products).for_each(|p| p.vectors.reverse());
    });
    assert!(matches!(turned, Fault::BrokenChain { pass: "backward", .. }), "{turned}");
}

#[test]
fn values_for_the_backward_pass_are_kept_or_computed_again() {
    let lost = fault(cells::lstm(), |s| {
        let _ = s.saved.remove(1);
    });
    assert!(matches!(lost, Fault::NotSaved(_)), "{lost}");
    let idle = fault(cells::gru(), |s| s.saved.push(s.recomputed[0]));
    assert!(matches!(idle, Fault::SavedForNothing(_)), "{idle}");
}

#[test]
fn a_changed_backward_program_is_seen() {
    let other = fault(cells::gru(), |s| {
        let one = s.backward.nodes.iter_mut().find(|n| n.op == Op::Number(1.0)).expect("1 − z");
        one.op = Op::Number(2.0);
    });
    assert!(matches!(other, Fault::OtherBackward(_)), "{other}");
    let lost = fault(cells::gru(), |s| {
        let _ = s.backward.contributions.pop();
    });
    assert!(matches!(lost, Fault::OtherBackward(_)), "{lost}");
    let swapped = fault(cells::lstm(), |s| s.backward.states.swap(0, 1));
    assert!(matches!(swapped, Fault::OtherBackward(_)), "{swapped}");
    let program = fault(cells::gru(), |s| s.program.output = NodeId(0));
    assert_eq!(program, Fault::OtherProgram);
}

#[test]
fn independence_is_not_taken_on_trust() {
    let claimed = fault(cells::lstm(), |s| s.forward_pass.independent = true);
    assert_eq!(claimed, Fault::NotIndependent("forward"));
    let claimed = fault(cell("mean").eq("h'", h() - f(elman_cell::op::Function::Mean, h()) + wx("W")), |s| {
        s.forward_pass.independent = true;
    });
    assert_eq!(claimed, Fault::NotIndependent("forward"));
}
