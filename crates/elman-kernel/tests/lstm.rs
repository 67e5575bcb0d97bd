//! A code that resembles an LSTM, forward and backward-like, over ragged steps: all ways of running it give the same bits.

mod reference;

use elman_kernel::code::*;
use elman_kernel::{CodeError, Isa, Machine, MatrixShape, PackedMatrix, Precision, Real, Team};
use reference::*;

/// Steps of the longest sequence: few where Miri interprets them.
const LONGEST: usize = if cfg!(miri) { 4 } else { 23 };

/// Hoisted input product, steps with one merged product and the gates, a whole-row stage (a norm over h), a scan, gradients.
fn case<T: Real>(batch: usize, input: usize, hidden: usize) -> Case<T> {
    let mut random = Random(hidden as u64);
    let tokens = batch * LONGEST;
    let mut end = 0;
    let mut take = |n: usize| {
        end += n;
        end - n
    };
    let x = place(take(tokens * input), Rows::Token, input);
    let gates = take(tokens * 4 * hidden);
    let gate = |g: usize| place(gates + g * hidden, Rows::Token, 4 * hidden);
    let states = take((batch + tokens) * hidden);
    let (before, after) = (place(states, Rows::Before, hidden), place(states, Rows::After, hidden));
    let cells = take(2 * batch * hidden);
    let (c_old, c_new) =
        (place(cells, Rows::Parity { flip: 0 }, hidden), place(cells, Rows::Parity { flip: 1 }, hidden));
    let norm = take(tokens * 2);
    let scale = place(norm, Rows::Token, 2);
    let normed = place(take(tokens * hidden), Rows::Token, hidden);
    let carried = place(take(batch * hidden), Rows::Batch, hidden);
    let back = take((batch + tokens) * hidden);
    let gradients = take(4 * hidden * hidden + 4 * hidden);
    let weights = vec![
        Weights::random(MatrixShape { members: 4, units: hidden, segments: vec![input] }, &mut random),
        Weights::random(MatrixShape { members: 4, units: hidden, segments: vec![hidden] }, &mut random),
        Weights::random(MatrixShape { members: 1, units: hidden, segments: vec![hidden; 4] }, &mut random),
    ];
    let hoisted = Stage {
        products: vec![Product {
            before: None,
            matrix: 0,
            segments: vec![x],
            members: (0..4).map(|g| Member { init: Some(place(g * hidden, Rows::Fixed, 0)), out: gate(g) }).collect(),
        }],
        block: vec![],
        units: hidden,
        whole_rows: false,
    };
    let units = hidden;
    let un = |op, a, out| Instr::Unary { op, a: Operand::Units(a), out, units };
    let two = |op, a, b, out| Instr::Binary { op, a: Operand::Units(a), b: Operand::Units(b), out, units };
    let step = Stage {
        products: vec![Product {
            before: None,
            matrix: 1,
            segments: vec![before],
            members: (0..4).map(|g| Member { init: Some(gate(g)), out: scratch(g) }).collect(),
        }],
        block: vec![
            un(Unary::Sigmoid, scratch(0), scratch(0)),
            un(Unary::Sigmoid, scratch(1), scratch(1)),
            un(Unary::Tanh, scratch(2), scratch(2)),
            un(Unary::Sigmoid, scratch(3), gate(3)),
            two(Binary::Mul, scratch(0), scratch(2), scratch(4)),
            Instr::Fma {
                a: Operand::Units(scratch(1)),
                b: Operand::Units(c_old),
                c: Operand::Units(scratch(4)),
                out: c_new,
                units,
            },
            un(Unary::Tanh, c_new, scratch(5)),
            two(Binary::Mul, gate(3), scratch(5), after),
        ],
        units,
        whole_rows: false,
    };
    let whole = Stage {
        products: vec![],
        block: vec![
            two(Binary::Mul, after, after, scratch(0)),
            Instr::Sum { a: scratch(0), out: scale, units },
            Instr::Unary { op: Unary::Sqrt, a: Operand::PerRow(scale), out: scratch(1), units: 1 },
            Instr::Binary {
                op: Binary::Div,
                a: Operand::Units(after),
                b: Operand::PerRow(scratch(1)),
                out: normed,
                units,
            },
        ],
        units,
        whole_rows: true,
    };
    let scan = Stage {
        products: vec![],
        block: vec![Instr::Fma {
            a: Operand::Units(carried),
            b: Operand::Splat(0.9),
            c: Operand::Units(normed),
            out: carried,
            units,
        }],
        units,
        whole_rows: false,
    };
    let backward = Stage {
        products: vec![Product {
            before: None,
            matrix: 2,
            segments: (0..4).map(gate).collect(),
            members: vec![Member { init: Some(normed), out: scratch(0) }],
        }],
        block: vec![
            two(Binary::Add, scratch(0), place(back, Rows::After, hidden), scratch(1)),
            un(Unary::Tanh, scratch(1), place(back, Rows::Before, hidden)),
        ],
        units,
        whole_rows: false,
    };
    let steps = |order, stages, independent| Phase::Steps { order, stages, independent };
    let lefts =
        (0..4).map(|g| OuterRow { left: gate(g), rows: hidden, out: gradients + g * hidden * hidden, stride: hidden });
    let phases = vec![
        Phase::Bulk(vec![hoisted]),
        steps(Order::Ascending, vec![step, whole], false),
        steps(Order::Descending, vec![scan], true),
        steps(Order::Descending, vec![backward], false),
        Phase::Outer { right: before, columns: hidden, lefts: lefts.collect() },
        Phase::Total { value: gate(1), units: hidden, out: gradients + 4 * hidden * hidden },
    ];
    let memory = random.numbers(end);
    Case { phases, constants: random.numbers(4 * hidden), weights, memory }
}

/// The longest length, then falling.
fn ragged(batch: usize) -> Timeline {
    let active = (0..LONGEST).map(|t| (0..batch).filter(|b| LONGEST - (b * 5) % LONGEST > t).count().max(1));
    Timeline::from_active(batch, active.collect())
}

#[test]
fn every_way_of_running_gives_the_same_bits() {
    for (batch, input, hidden) in [(1, 3, 5), (2, 3, 17), (1, 3, 50), (2, 7, 37), (5, 16, 64), (13, 9, 70), (20, 5, 33)]
    {
        if too_large(batch * hidden * 40) {
            continue;
        }
        let mut timelines = vec![ragged(batch), Timeline::equal(4, batch), Timeline::equal(1, batch), ragged(batch)];
        timelines[2].start = 5;
        let what = format!("batch {batch}, input {input}, hidden {hidden}");
        case::<f32>(batch, input, hidden).check(&timelines, &what);
    }
}

/// Their tiles are taller: 21 rows of 64 units are more than a slot's numbers elsewhere.
#[test]
#[cfg_attr(miri, ignore)]
fn weights_beyond_the_second_cache() {
    case::<f32>(21, 5, 260).check(&[Timeline::equal(3, 21), Timeline::equal(2, 4)], "1 MiB of weights");
}

/// The input's product in the loop: the terms of two matrices are one chain.
fn joined<T: Real>(mut case: Case<T>) -> Case<T> {
    let Phase::Bulk(hoisted) = case.phases.remove(0) else { panic!("no bulk phase") };
    let input = &hoisted[0].products[0];
    let Phase::Steps { stages, .. } = &mut case.phases[0] else { panic!("no steps") };
    let product = &mut stages[0].products[0];
    product.before = Some(Factor { matrix: input.matrix, segments: input.segments.clone() });
    product.members.iter_mut().zip(&input.members).for_each(|(member, first)| member.init = first.init);
    case
}

#[test]
fn two_matrices_in_one_chain() {
    for (batch, input, hidden) in [(1, 3, 5), (2, 3, 17), (2, 7, 37), (5, 16, 64), (13, 9, 70), (21, 5, 260)] {
        if too_large(batch * hidden * 40) {
            continue;
        }
        let what = format!("joined, batch {batch}, input {input}, hidden {hidden}");
        let timelines = [ragged(batch), Timeline::equal(2, batch)];
        joined(case::<f32>(batch, input, hidden)).check(&timelines[usize::from(hidden > 100)..], &what);
    }
    joined(case::<f64>(3, 4, 21)).check(&[ragged(3)], "joined, f64");
}

/// They give the bits of the input's product by itself.
#[test]
fn two_matrices_are_one_after_the_other() {
    let (batch, input, hidden) = if cfg!(miri) { (2, 3, 17) } else { (5, 16, 37) };
    let run = |case: Case<f32>, precision: Precision| {
        let isa = Isa::detect();
        let packed: Vec<_> = case.weights.iter().map(|w| w.pack_in(isa, precision)).collect();
        let mut memory = case.memory.clone();
        let team = Team::new(1).unwrap();
        case.machine(isa).run(&ragged(batch), &case.constants, &packed, &mut memory, &team, Split::Rows).unwrap();
        let states = batch * LONGEST * (input + 4 * hidden);
        memory[states..states + (1 + LONGEST) * batch * hidden].to_vec()
    };
    for precision in [Precision::Full, Precision::Bf16, Precision::Int8] {
        let apart = run(case(batch, input, hidden), precision);
        let together = run(joined(case(batch, input, hidden)), precision);
        assert!(apart.iter().zip(&together).all(|(&a, &b)| bits(a) == bits(b)), "{precision:?}");
    }
}

/// What is kept from step to step leads into the memory, the constants and the matrices of one run.
#[test]
fn a_later_run_may_have_others() {
    let (isa, team) = (Isa::detect(), Team::new(1).unwrap());
    for batch in [1, 2] {
        let case = case::<f32>(batch, 3, 17);
        let packed: Vec<_> = case.weights.iter().map(|w| w.pack(isa)).collect();
        let run = |machine: &mut Machine<f32>, constants: &[f32], packed: &[PackedMatrix<f32>]| {
            let mut memory = case.memory.clone();
            machine.run(&Timeline::equal(3, batch), constants, packed, &mut memory, &team, Split::Rows).unwrap();
            memory
        };
        let wanted = run(&mut case.machine(isa), &case.constants, &packed);
        let mut machine = case.machine(isa);
        let zeros: Vec<_> = case.weights.iter().map(|w| PackedMatrix::zero(isa, &w.shape).unwrap()).collect();
        let constants = vec![0.5; case.constants.len()];
        for _ in 0..2 {
            run(&mut machine, &constants, &zeros);
            let found = run(&mut machine, &case.constants, &packed);
            assert!(wanted.iter().zip(&found).all(|(&a, &b)| bits(a) == bits(b)), "batch {batch}");
        }
    }
}

#[test]
fn two_matrices_are_in_one_precision() {
    let (isa, case) = (Isa::Portable, joined(case::<f32>(2, 3, 5)));
    let mut packed: Vec<_> = case.weights.iter().map(|w| w.pack(isa)).collect();
    packed[0] = case.weights[0].pack_in(isa, Precision::Bf16);
    let (team, mut memory) = (Team::new(1).unwrap(), case.memory.clone());
    let refused = case.machine(isa).run(&ragged(2), &case.constants, &packed, &mut memory, &team, Split::Rows);
    assert!(matches!(refused, Err(CodeError::Matrix { index: 0 })), "{refused:?}");
}

#[test]
fn f64() {
    case::<f64>(3, 4, 21).check(&[ragged(3)], "f64");
}

/// A batch gives each sequence what it would get alone.
#[test]
#[cfg_attr(miri, ignore)]
fn row_by_row_is_the_batch() {
    let (batch, input, hidden) = (7, 5, 37);
    let whole = case::<f32>(batch, input, hidden);
    let alone = case::<f32>(1, input, hidden);
    let isa = Isa::detect();
    let team = Team::new(1).unwrap();
    let run = |case: &Case<f32>, timeline: &Timeline, memory: &mut [f32]| {
        let packed: Vec<_> = whole.weights.iter().map(|w| w.pack(isa)).collect();
        case.machine(isa).run(timeline, &whole.constants, &packed, memory, &team, Split::Rows).unwrap();
    };
    let timeline = Timeline::equal(LONGEST, batch);
    let mut together = whole.memory.clone();
    run(&whole, &timeline, &mut together);
    for b in 0..batch {
        let mut memory = alone.memory.clone();
        let mut copy =
            |to: usize, from: usize, n: usize| memory[to..to + n].copy_from_slice(&whole.memory[from..from + n]);
        let (tokens, rows) = (batch * LONGEST, batch + batch * LONGEST);
        for t in 0..LONGEST {
            copy(t * input, (t * batch + b) * input, input);
        }
        let alone_states = LONGEST * (input + 4 * hidden);
        let states = tokens * (input + 4 * hidden);
        copy(alone_states, states + b * hidden, hidden);
        copy(alone_states + (1 + LONGEST) * hidden, states + (rows + b) * hidden, hidden);
        run(&alone, &Timeline::equal(LONGEST, 1), &mut memory);
        for t in 0..LONGEST {
            let one = &memory[alone_states + (1 + t) * hidden..][..hidden];
            let many = &together[states + (batch + t * batch + b) * hidden..][..hidden];
            assert!(one.iter().zip(many).all(|(&x, &y)| bits(x) == bits(y)), "sequence {b}, step {t}");
        }
    }
}
