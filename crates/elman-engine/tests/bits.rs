//! The bit rule: a number is one chain, whatever the batch, the threads, the instruction set, streamed or whole.

mod common;

use std::sync::Arc;

use common::{Data, SLOTS, all_cells, attending, cell, network, run};
use elman_cell::Cell;
use elman_engine::{Batch, Gradients, Isa, Model, Network, Options, Outputs, Runner, Stream, Team};

const HIDDEN: usize = 37;
const INPUT: usize = 19;
const STEPS: usize = 23;

fn lengths(batch: usize) -> Vec<usize> {
    (0..batch).map(|b| 1 + (b * 7 + 11) % STEPS).collect()
}

fn networks(cell: &Arc<Cell>) -> Vec<Network> {
    vec![network(cell, 1, false, INPUT, HIDDEN), network(cell, 2, true, INPUT, HIDDEN)]
}

fn same(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}");
    let differ = a.iter().zip(b).filter(|(x, y)| x.to_bits() != y.to_bits()).count();
    assert_eq!(differ, 0, "{what}: {differ} of {} numbers differ", a.len());
}

fn same_all(what: &str, a: &[Vec<f32>], b: &[Vec<f32>]) {
    a.iter().zip(b).enumerate().for_each(|(i, (x, y))| same(&format!("{what}[{i}]"), x, y));
}

#[test]
fn threads_and_instruction_sets_give_the_same_bits() {
    let random = (0..8).map(|seed| (format!("random {seed}"), cell("random", &attending(seed))));
    for (name, cell) in all_cells().into_iter().chain(random) {
        for n in networks(&cell) {
            for batch in [1, 3, 17] {
                let d = Data::<f32>::draw(&n, STEPS, batch);
                let lengths = lengths(batch);
                let (out, g) = run(&n, &d, STEPS, batch, Some(&lengths), Options::new().with_isa(Isa::Portable));
                for isa in Isa::available() {
                    for threads in [1, 2] {
                        let what = format!("{name}, batch {batch}, {isa}, {threads} threads");
                        let options = Options::new().with_isa(isa).with_threads(threads);
                        let (o, h) = run(&n, &d, STEPS, batch, Some(&lengths), options);
                        same(&format!("{what}: y"), &out.y, &o.y);
                        same_all(&format!("{what}: states"), &out.states, &o.states);
                        same_all(&format!("{what}: d parameters"), &g.parameters, &h.parameters);
                        same_all(&format!("{what}: d inputs"), &g.inputs, &h.inputs);
                        same_all(&format!("{what}: d initial"), &g.initial, &h.initial);
                        same_all(&format!("{what}: d memories"), &g.memories, &h.memories);
                    }
                }
            }
        }
    }
}

/// Weights of more than 2 MiB, whose units threads share however many sequences there are; from 32 sequences on with those of
/// the input.
#[test]
fn weights_beyond_a_second_cache_give_the_same_bits_on_two_threads() {
    for name in ["lstm", "gru", "mut1", "layer-norm-lstm"] {
        let n = network(&cell(name, elman_cell::builtin::source(name).unwrap()), 1, false, INPUT, 580);
        for batch in [9, 33] {
            let d = Data::<f32>::draw(&n, STEPS, batch);
            let lengths = lengths(batch);
            let [(out, g), (o, h)] =
                [1, 2].map(|threads| run(&n, &d, STEPS, batch, Some(&lengths), Options::new().with_threads(threads)));
            let what = format!("{name}, batch {batch}");
            same(&format!("{what}: y"), &out.y, &o.y);
            same_all(&format!("{what}: states"), &out.states, &o.states);
            same_all(&format!("{what}: d parameters"), &g.parameters, &h.parameters);
            same_all(&format!("{what}: d inputs"), &g.inputs, &h.inputs);
        }
    }
}

/// The rows of sequence b of a [steps, batch, dim] tensor.
fn of_sequence(v: &[f32], steps: usize, batch: usize, b: usize) -> Vec<f32> {
    let dim = v.len() / (steps * batch);
    (0..steps).flat_map(|t| v[(t * batch + b) * dim..(t * batch + b + 1) * dim].to_vec()).collect()
}

#[test]
fn a_sequence_has_the_same_bits_in_any_batch() {
    for (name, cell) in all_cells() {
        for n in networks(&cell) {
            for batch in [3, 17] {
                let d = Data::<f32>::draw(&n, STEPS, batch);
                let lengths = lengths(batch);
                let (out, g) = run(&n, &d, STEPS, batch, Some(&lengths), Options::new());
                for b in [0, batch / 2, batch - 1] {
                    let alone = |v: &[Vec<f32>]| -> Vec<Vec<f32>> {
                        v.iter().map(|s| s[b * s.len() / batch..(b + 1) * s.len() / batch].to_vec()).collect()
                    };
                    let one = Data {
                        weights: d.weights.clone(),
                        inputs: d.inputs.iter().map(|x| of_sequence(x, STEPS, batch, b)).collect(),
                        initial: alone(&d.initial),
                        memories: d.memories.iter().map(|m| of_sequence(m, SLOTS, batch, b)).collect(),
                        slots: vec![d.slots[b]],
                        dy: of_sequence(&d.dy, STEPS, batch, b),
                        d_states: alone(&d.d_states),
                    };
                    let (o, h) = run(&n, &one, STEPS, 1, Some(&lengths[b..=b]), Options::new());
                    let what = format!("{name}, sequence {b} of {batch}");
                    same(&format!("{what}: y"), &of_sequence(&out.y, STEPS, batch, b), &o.y);
                    same_all(&format!("{what}: states"), &alone(&out.states), &o.states);
                    let d_inputs: Vec<_> = g.inputs.iter().map(|x| of_sequence(x, STEPS, batch, b)).collect();
                    same_all(&format!("{what}: d inputs"), &d_inputs, &h.inputs);
                    same_all(&format!("{what}: d initial"), &alone(&g.initial), &h.initial);
                    let d_memories: Vec<_> = g.memories.iter().map(|m| of_sequence(m, SLOTS, batch, b)).collect();
                    same_all(&format!("{what}: d memories"), &d_memories, &h.memories);
                }
            }
        }
    }
}

#[test]
fn streamed_gives_the_bits_of_the_whole() {
    for (name, cell) in all_cells() {
        let n = network(&cell, 2, false, INPUT, HIDDEN);
        for (batch, threads) in [(1, 1), (3, 2), (17, 1)] {
            let d = Data::<f32>::draw(&n, STEPS, batch);
            let mut runner = Runner::new(&n, &d.weights, Options::new()).unwrap();
            let inputs = d.inputs.iter().map(Vec::as_slice).collect();
            let initial = Some(d.initial.as_slice());
            let memories = d.memories();
            let given = Batch { steps: STEPS, batch, inputs, lengths: None, mask: None, initial, memories };
            let whole = runner.forward(&given).unwrap();
            let mut stream = Stream::on(
                &Model::new(&n, &d.weights, Isa::detect()).unwrap(),
                batch,
                Team::sharing_all(threads).unwrap(),
            )
            .unwrap();
            stream.set_states(&d.initial).unwrap();
            stream.set_memories(&d.memories()).unwrap();
            let mut y = vec![0.0; batch * n.output_size()];
            for t in 0..STEPS {
                let x: Vec<&[f32]> =
                    d.inputs.iter().map(|x| &x[t * x.len() / STEPS..(t + 1) * x.len() / STEPS]).collect();
                stream.step(&x, &mut y).unwrap();
                same(&format!("{name}, batch {batch}, step {t}"), &whole.y[t * y.len()..(t + 1) * y.len()], &y);
            }
            same_all(&format!("{name}, batch {batch}: states"), &whole.states, &stream.states());
        }
    }
}

#[test]
fn a_runner_and_what_it_gives_are_used_again_for_other_shapes() {
    for (name, cell) in all_cells() {
        let n = network(&cell, 2, true, INPUT, HIDDEN);
        let big = Data::<f32>::draw(&n, STEPS, 5);
        let mut runner = Runner::new(&n, &big.weights, Options::new().with_backward()).unwrap();
        let (mut out, mut g) = (Outputs::default(), Gradients::default());
        for (steps, batch, equal) in
            [(STEPS, 5, true), (STEPS, 5, false), (3, 2, false), (STEPS, 5, true), (9, 5, false)]
        {
            let d = Data { weights: big.weights.clone(), ..Data::<f32>::draw(&n, steps, batch) };
            let lengths: Vec<usize> = (0..batch).map(|b| if equal { steps } else { 1 + (3 * b + 1) % steps }).collect();
            let inputs = d.inputs.iter().map(Vec::as_slice).collect();
            let (lengths, initial) = (Some(lengths.as_slice()), Some(d.initial.as_slice()));
            let memories = d.memories();
            let given = Batch { steps, batch, inputs, lengths, mask: None, initial, memories };
            runner.forward_into(&given, &mut out).unwrap();
            runner.backward_into(&d.dy, Some(&d.d_states), &mut g).unwrap();
            let (fresh, h) = run(&n, &d, steps, batch, lengths, Options::new());
            same(&format!("{name}: y"), &fresh.y, &out.y);
            same_all(&format!("{name}: d inputs"), &h.inputs, &g.inputs);
            same_all(&format!("{name}: d parameters"), &h.parameters, &g.parameters);
            same_all(&format!("{name}: d memories"), &h.memories, &g.memories);
        }
    }
}

/// Lengths that end in every segment, at its first step and at its last.
#[test]
fn recomputing_changes_no_bit() {
    for (name, cell) in all_cells() {
        for n in networks(&cell) {
            for (batch, threads) in [(1, 1), (5, 2), (17, 1)] {
                let d = Data::<f32>::draw(&n, STEPS, batch);
                for lengths in [None, Some(lengths(batch))] {
                    let what = format!("{name}, batch {batch}, lengths {lengths:?}");
                    let options = Options::new().with_threads(threads);
                    let (out, g) = run(&n, &d, STEPS, batch, lengths.as_deref(), options.clone());
                    let (o, h) = run(&n, &d, STEPS, batch, lengths.as_deref(), options.with_recompute());
                    same(&format!("{what}: y"), &out.y, &o.y);
                    same_all(&format!("{what}: states"), &out.states, &o.states);
                    same_all(&format!("{what}: d parameters"), &g.parameters, &h.parameters);
                    same_all(&format!("{what}: d inputs"), &g.inputs, &h.inputs);
                    same_all(&format!("{what}: d initial"), &g.initial, &h.initial);
                    same_all(&format!("{what}: d memories"), &g.memories, &h.memories);
                }
            }
        }
    }
}
