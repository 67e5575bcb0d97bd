//! Attention: from text to gradients.

use crate::builder::{SIZES, SQUARE};
use elman_cell::cell::ExprKind;
use elman_cell::interpret::{self, Point, check_gradient};
use elman_cell::program::Contribution;
use elman_cell::schedule::Schedule;
use elman_cell::verify::{Fault, verify};
use elman_cell::{Cell, Dim, backward_text, canonical, derive, lower};

/// As for the other cells: what differences of fourth order reach with room to spare.
const TOLERANCE: f64 = 1e-6;

/// All that is attended with: one memory and two, weights and values as weights of additive scores, an attention that no
/// later step waits for, one of the input alone, two of one memory.
const TEXTS: [&str; 8] = [
    "memory m\nh' = tanh(W x + U h + A attend(W_q h, m) + b)",
    "memory k\nmemory v : 3\nh' = tanh(W x + U h + A attend(W_q h, k, v) + b)",
    "memory m\nh' = tanh(W x + U h + A attend_scaled(W_q h + b_q, m) + b)",
    "memory m\nh' = tanh(W x + U h + A attend_additive(W_q h, u, m) + b)",
    "memory k\nmemory v : input\nh' = tanh(W x + U h + A attend_additive(W_q h, tanh(V x), k, v) + b)",
    "memory m\nh' = tanh(W x + U h + b)\na = attend(W_q h', m)\ny = tanh(V_h h' + V_a a)",
    "memory m\na = attend(W_q x, m)\nh' = tanh(W a + U h + b)",
    "memory m\na = attend(q, m)\nc = attend_scaled(h, m)\nh' = tanh(W x + U a + V c + h)",
];

fn parse(text: &str) -> Cell {
    elman_cell::parse("cell", text).unwrap_or_else(|d| panic!("{}", d.render("cell", text)))
}

#[test]
fn derived_gradients_match_differences() {
    for text in TEXTS {
        for (sizes, steps) in [(SIZES, 4), (SQUARE, 1)] {
            let program = lower(&parse(text));
            let derived = derive(&program);
            let point = Point::random(&program, sizes, steps, 5);
            let check = check_gradient(&program, &derived, &point, 6);
            assert_eq!(check.memories.len(), program.memories.len());
            assert!(check.worst() <= TOLERANCE, "{text}\n{check:?}\n{derived}");
        }
    }
}

#[test]
fn lowered_attention_means_what_is_written() {
    for text in TEXTS {
        let cell = parse(text);
        let program = lower(&cell);
        let point = Point::random(&program, SIZES, 3, 7);
        let run = interpret::run(&program, SIZES, &point.params, &point.memories, &point.inputs, &point.initial);
        let mut states = point.initial.clone();
        for (x, nodes) in point.inputs.iter().zip(&run.nodes) {
            let values = interpret::cell::step(&cell, SIZES, &point.params, &point.memories, x, &states);
            for ((name, node), wanted) in program.named.iter().zip(&values) {
                for (a, b) in nodes[node.index()].iter().zip(wanted) {
                    assert!((a - b).abs() < 1e-12, "{text}: {name}");
                }
            }
            states = program.next.iter().map(|n| nodes[n.index()].clone()).collect();
        }
    }
}

#[test]
fn a_dropped_memory_gradient_is_seen() {
    let program = lower(&parse(TEXTS[1]));
    let mut derived = derive(&program);
    derived.contributions.retain(|c| !matches!(c, Contribution::Memory { .. }));
    let point = Point::random(&program, SIZES, 3, 1);
    let check = check_gradient(&program, &derived, &point, 2);
    assert!(check.memories.iter().all(|&e| e > 0.5), "{check:?}");
}

#[test]
fn schedules_attend_in_the_loop() {
    for text in TEXTS {
        let program = lower(&parse(text));
        let derived = derive(&program);
        for traced in [vec![], program.named.iter().map(|n| n.1).collect::<Vec<_>>()] {
            let mut schedule = Schedule::new(&program, &derived, &traced);
            assert_eq!(verify(&program, &derived, &schedule, &traced), Ok(()), "{text}\n{program}\n{derived}");
            assert!(!schedule.is_scan() && !schedule.forward_pass.independent);
            let attends = |stages: &[elman_cell::schedule::Stage]| {
                stages.iter().flat_map(|s| &s.block).any(|n| program.nodes[n.index()].op.attends())
            };
            assert!(attends(&schedule.forward_pass.step), "{text}");
            assert!(!attends(&schedule.forward_pass.before) && !attends(&schedule.forward_pass.after), "{text}");
            schedule.backward.contributions.retain(|c| !matches!(c, Contribution::Memory { .. }));
            let fault = verify(&program, &derived, &schedule, &traced);
            assert!(matches!(fault, Err(Fault::OtherBackward(_))), "{fault:?}");
        }
    }
}

#[test]
fn dimensions_are_inferred_declared_or_output() {
    let dims = |text: &str| parse(text).memories.iter().map(|m| m.dim).collect::<Vec<_>>();
    assert_eq!(dims("memory m\nh' = tanh(W x + U h + attend(h, m))"), [Dim::HIDDEN]);
    assert_eq!(dims("memory m\nh' = tanh(W x + U h + A attend(x, m))"), [Dim::INPUT]);
    assert_eq!(dims("memory m : 2 * hidden\nh' = tanh(W x + U h + A attend(W_q h, m))"), [Dim::HIDDEN + Dim::HIDDEN]);
    assert_eq!(dims("memory m\nh' = tanh(W x + U h + A attend(W_q h, m))"), [Dim::OUTPUT]);
    assert_eq!(dims("memory k\nmemory v\nh' = tanh(W x + U h + attend(x, k, v))"), [Dim::INPUT, Dim::HIDDEN]);
}

#[test]
fn printed_cells_read_back() {
    for text in TEXTS {
        let cell = parse(text);
        for printed in [cell.to_text(), cell.to_latex()] {
            let read = elman_cell::parse("cell", &printed).unwrap_or_else(|d| panic!("{}", d.render("cell", &printed)));
            assert!(read.same_as(&cell), "{printed}");
            assert_eq!(canonical(&read), canonical(&cell));
        }
    }
    let latex = parse(TEXTS[4]).to_latex();
    assert!(latex.contains("\\operatorname{attend\\_additive}("), "{latex}");
}

#[test]
fn a_name_and_a_spelling_are_one_cell_another_memory_is_not() {
    let of = |text: &str| canonical(&parse(text));
    let cell = of("memory m\na = attend(W h, m)\nh' = tanh(U x + V a)");
    assert_eq!(cell, of("memory rows\n$$s_t = \\tanh(P x_t + Q \\operatorname{attend}(R s_{t-1}, \\mathrm{rows}))$$"));
    assert_eq!(cell, of("memory m\nh' = tanh(U x + V attend(W h, m, m))"));
    assert_ne!(cell, of("memory m\nh' = tanh(U x + V attend_scaled(W h, m))"));
    assert_ne!(cell, of("memory m\nmemory n\nh' = tanh(U x + V attend(W h, m, n))"));
    assert_ne!(cell, of("memory m : 7\nh' = tanh(U x + V attend(W h, m))"));
}

#[test]
fn the_backward_step_names_memories() {
    let cell = parse(TEXTS[1]);
    let program = lower(&cell);
    let text = backward_text(&cell, &program, &derive(&program));
    assert!(text.contains("attend_gradient(") && text.contains("dk, dv += attend_memory("), "{text}");
    assert!(program.to_string().contains("attend("), "{program}");
}

#[test]
fn equal_rows_share_the_attention_whatever_their_number() {
    let cell = parse("memory m\nh' = attend(h, m) + 0 * x\nstate h : input");
    let program = lower(&cell);
    let attended = cell.exprs.iter().any(|e| matches!(e.kind, ExprKind::Attend { weight: None, .. }));
    assert!(attended);
    let row = vec![0.5, -1.0, 2.0];
    for slots in [1, 2, 7, 40] {
        let memory = row.repeat(slots);
        let sizes = elman_cell::Sizes { input: 3, hidden: 3, output: 3 };
        let run = interpret::run(&program, sizes, &[], &[memory], &[vec![vec![0.0; 3]]], &[vec![1.0; 3]]);
        assert!(run.outputs[0].iter().zip(&row).all(|(a, b)| (a - b).abs() < 1e-14), "{:?}", run.outputs);
    }
}
