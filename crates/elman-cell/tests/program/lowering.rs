//! A program means what its cell means, and has the shape that the schedule counts on.

use crate::builder::*;
use crate::cells;
use elman_cell::cell::Span;
use elman_cell::cell::{Equation, EquationId, Expr, ExprId, ExprKind, Shape, StateId};
use elman_cell::interpret::{self, Point};
use elman_cell::op::{Binary, Function, Unary};
use elman_cell::program::{NodeId, Op, Program, Stratum};
use elman_cell::{Cell, Sizes, derive, lower};

/// Two orders of rounding in f64, over values of about 1.
const ROUNDING: f64 = 1e-12;

fn assert_close(a: &[f64], b: &[f64], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= ROUNDING * x.abs().max(y.abs()).max(1.0), "{what}: {a:?} against {b:?}");
    }
}

fn compare(cell: &Cell, sizes: Sizes, seed: u64) {
    let program = lower(cell);
    let point = Point::random(&program, sizes, 4, seed);
    let mut states = point.initial.clone();
    let run = interpret::run(&program, sizes, &point.params, &point.memories, &point.inputs, &point.initial);
    for (t, inputs) in point.inputs.iter().enumerate() {
        let values = interpret::cell::step(cell, sizes, &point.params, &point.memories, inputs, &states);
        for ((name, node), value) in program.named.iter().zip(&values) {
            assert_close(&run.nodes[t][node.index()], value, &format!("{}: {name} at step {t}", cell.name));
        }
        assert_close(&run.outputs[t], &values[cell.output.index()], &format!("{}: output at step {t}", cell.name));
        states = cell.states.iter().map(|s| values[s.next.index()].clone()).collect();
    }
    for ((state, a), b) in cell.states.iter().zip(&run.states).zip(&states) {
        assert_close(a, b, &format!("{}: {} at the end", cell.name, state.name));
    }
}

#[test]
fn programs_mean_what_their_cells_mean() {
    for (cell, sizes) in cells::all() {
        compare(&cell, sizes, 11);
        compare(&cell, sizes, 12);
    }
}

#[test]
fn sizes_of_one_unit_run_too() {
    for (cell, _) in cells::all() {
        compare(&cell, Sizes { input: 1, hidden: 1, output: 1 }, 13);
    }
}

fn count(program: &Program, test: impl Fn(&Op) -> bool) -> usize {
    program.nodes.iter().filter(|n| test(&n.op)).count()
}

fn affines(program: &Program) -> Vec<(bool, Vec<NodeId>)> {
    let affine = |op: &Op| match op {
        Op::Affine { bias, terms } => Some((bias.is_some(), terms.iter().map(|t| t.vector).collect())),
        _ => None,
    };
    program.nodes.iter().filter_map(|n| affine(&n.op)).collect()
}

#[test]
fn a_gate_is_one_affine_with_the_input_first() {
    for builder in [cells::lstm(), cells::lstm_concat()] {
        let program = lower(&builder.build());
        let affines = affines(&program);
        assert_eq!(affines.len(), 4);
        for (bias, vectors) in affines {
            assert!(bias);
            let ops: Vec<_> = vectors.iter().map(|v| &program.nodes[v.index()].op).collect();
            assert!(matches!(ops[..], [Op::Input(_), Op::State(_)]), "{ops:?}");
        }
        assert_eq!(count(&program, |op| matches!(op, Op::Fma(..))), 1, "f * c + i * g");
    }
}

#[test]
fn strata_of_a_minimal_gru_leave_no_product_in_the_loop() {
    let program = lower(&cells::min_gru().build());
    let strata = program.strata();
    for (node, stratum) in program.nodes.iter().zip(strata) {
        if let Op::Affine { .. } = node.op {
            assert_eq!(stratum, Stratum::PerStep);
        }
    }
}

#[test]
fn a_sum_that_is_read_once_is_part_of_its_reader() {
    let program = lower(&cells::named_sums().build());
    let node = |name: &str| program.named.iter().find(|n| n.0 == name).map(|n| n.1).expect("a name");
    let z = node("z");
    let Op::Unary(Unary::Sigmoid, sum) = program.nodes[z.index()].op else { panic!("z is a sigmoid") };
    let Op::Binary(Binary::Sub, affine, twice) = program.nodes[sum.index()].op else { panic!("of a difference") };
    assert_eq!(twice, node("twice"), "what is read twice keeps its node");
    assert!(matches!(&program.nodes[affine.index()].op, Op::Affine { bias: Some(_), terms } if terms.len() == 1));
    let readers = program.nodes.iter().filter(|n| n.op.operands().contains(&node("once"))).count();
    assert_eq!(readers, 0, "the named sum itself is only there to be asked for");
}

#[test]
fn equal_expressions_are_one_node() {
    let v = || wx("W") + u("U", h()) + b("b");
    let twice = cell("twice").eq("h'", tanh(v()) * sigmoid(v()) + tanh(v()) * x_like() + x_like() * tanh(v())).build();
    let program = lower(&twice);
    assert_eq!(count(&program, |op| matches!(op, Op::Affine { .. })), 2);
    assert_eq!(count(&program, |op| matches!(op, Op::Unary(Unary::Tanh, _))), 1);
    for (i, a) in program.nodes.iter().enumerate() {
        assert!(!program.nodes[..i].contains(a), "{a:?} twice");
    }
}

fn x_like() -> E {
    wx("X")
}

#[test]
fn signs_go_to_matrices_and_numbers_to_the_bias() {
    let program = lower(&cell("signs").eq("h'", 1.0 - (wx("W") - u("U", h())) - b("b")).build());
    let [(bias, terms)] = &affines(&program)[..] else { panic!("one affine") };
    assert!(*bias && terms.len() == 2);
    assert_eq!(program.next[0].index(), program.nodes.len() - 1, "nothing is left beside the affine");
    let strata = program.strata();
    let negated = program.nodes.iter().zip(&strata).filter(|(n, _)| matches!(n.op, Op::Unary(Unary::Neg, _)));
    assert!(negated.clone().count() == 1 && negated.clone().all(|(_, s)| *s == Stratum::Invariant));
}

#[test]
fn numbers_fold() {
    let folded = cell("fold")
        .eq("h'", (2.0 * num(3.0) - f(Function::Exp, num(0.0))) * (h() / num(4.0)) + 0.0 * num(2.0))
        .build();
    let program = lower(&folded);
    assert_eq!(count(&program, |op| matches!(op, Op::Number(x) if *x == 5.0)), 1);
    assert_eq!(count(&program, |op| matches!(op, Op::Binary(Binary::Div, ..))), 0);
    assert_eq!(program.nodes.len(), 5, "h, 5, a quarter, two products: {program:?}");
}

#[test]
fn a_long_sum_and_a_long_chain_of_names_are_no_trouble() {
    let mut cell = cell("long").eq("h'", h()).build();
    let push = |cell: &mut Cell, kind| {
        cell.exprs.push(Expr { kind, shape: Shape::Vector(H), span: Span::default() });
        ExprId(cell.exprs.len() as u32 - 1)
    };
    for _ in 0..100_000 {
        let state = push(&mut cell, ExprKind::Previous(StateId(0)));
        let sum = ExprKind::Add(cell.equations[0].value, state);
        cell.equations[0].value = push(&mut cell, sum);
    }
    assert_eq!(lower(&cell).nodes.len(), 100_001);
    // h' = a₀, a₀ = a₁ + h, a₁ = a₂ + h, …, each read once, standing before what it reads.
    let mut chain = cell.clone();
    chain.equations[0].value = push(&mut chain, ExprKind::Value(EquationId(1)));
    for i in 1..20_000u32 {
        let next = push(&mut chain, ExprKind::Value(EquationId(i + 1)));
        let state = push(&mut chain, ExprKind::Previous(StateId(0)));
        let value = push(&mut chain, ExprKind::Add(next, state));
        chain.equations.push(Equation { name: format!("a{i}"), state: None, value, ..chain.equations[0].clone() });
    }
    let value = push(&mut chain, ExprKind::Previous(StateId(0)));
    chain.equations.push(Equation { state: None, value, ..chain.equations[0].clone() });
    chain.order = (0..=20_000).rev().map(EquationId).collect();
    assert!(lower(&chain).nodes.len() < 100_000);
}

#[test]
fn the_order_of_equations_changes_no_bit() {
    for builder in [cells::lstm(), cells::gru(), cells::layer_norm_lstm(), cells::mut3(), cells::simple()] {
        let (cell, turned) = (builder.build(), builder.reversed().build());
        let (program, other) = (lower(&cell), lower(&turned));
        let point = Point::random(&program, SIZES, 3, 5);
        let place = |name: &str| turned.params.iter().position(|p| p.name == name).expect("the same parameter");
        let mut params = vec![vec![]; cell.params.len()];
        for (param, value) in cell.params.iter().zip(&point.params) {
            params[place(&param.name)] = value.clone();
        }
        let state = |name: &str| cell.states.iter().position(|s| s.name == name).expect("the same state");
        let initial: Vec<_> = turned.states.iter().map(|s| point.initial[state(&s.name)].clone()).collect();
        let a = interpret::run(&program, SIZES, &point.params, &point.memories, &point.inputs, &point.initial);
        let b = interpret::run(&other, SIZES, &params, &point.memories, &point.inputs, &initial);
        assert_eq!(a.outputs, b.outputs, "{}", cell.name);
        let gradients = |program: &Program, params: &[Vec<f64>], run: &interpret::Run| {
            let (dy, ds) = (vec![run.outputs.clone()], vec![run.states.clone()]);
            interpret::gradients(program, &derive(program), SIZES, params, std::slice::from_ref(run), &dy, &ds)
        };
        let (da, db) = (gradients(&program, &point.params, &a), gradients(&other, &params, &b));
        assert_eq!(da.sequences[0].inputs, db.sequences[0].inputs, "{}", cell.name);
        for (param, gradient) in cell.params.iter().zip(&da.params) {
            assert_eq!(gradient, &db.params[place(&param.name)], "{}: {}", cell.name, param.name);
        }
    }
}
