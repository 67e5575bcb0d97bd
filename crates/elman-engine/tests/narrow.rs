//! Weights in bf16 and int8: one arithmetic each, and near the full precision.

mod common;

use common::{Data, SLOTS, all_cells, network};
use elman_engine::{
    Batch, EngineError, Isa, Memory, Model, Network, Options, Outputs, Precision, Runner, Stream, Team, Weights,
};

const HIDDEN: usize = 37;
const INPUT: usize = 19;
const STEPS: usize = 11;
const NARROW: [Precision; 2] = [Precision::Bf16, Precision::Int8];

fn run(n: &Network, d: &Data<f32>, batch: usize, lengths: Option<&[usize]>, options: Options) -> Outputs<f32> {
    let inputs = d.inputs.iter().map(Vec::as_slice).collect();
    let given =
        Batch { steps: STEPS, batch, inputs, lengths, mask: None, initial: Some(&d.initial), memories: d.memories() };
    Runner::new(n, &d.weights, options).unwrap().forward(&given).unwrap()
}

fn same(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}");
    let differ = a.iter().zip(b).filter(|(x, y)| x.to_bits() != y.to_bits()).count();
    assert_eq!(differ, 0, "{what}: {differ} of {} numbers differ", a.len());
}

#[test]
fn threads_and_instruction_sets_give_the_same_bits() {
    for (name, cell) in all_cells() {
        let n = network(&cell, 2, true, INPUT, HIDDEN);
        for precision in NARROW {
            for batch in [1, 5] {
                let d = Data::<f32>::draw(&n, STEPS, batch);
                let lengths: Vec<usize> = (0..batch).map(|b| 1 + (b * 7 + 4) % STEPS).collect();
                let options = Options::new().with_precision(precision);
                let plain = run(&n, &d, batch, Some(&lengths), options.clone().with_isa(Isa::Portable));
                for isa in Isa::available() {
                    for threads in [1, 2] {
                        let options = options.clone().with_isa(isa).with_threads(threads);
                        let o = run(&n, &d, batch, Some(&lengths), options);
                        let what = format!("{name}, {precision:?}, batch {batch}, {isa}, {threads} threads");
                        same(&what, &plain.y, &o.y);
                        plain.states.iter().zip(&o.states).for_each(|(a, b)| same(&what, a, b));
                    }
                }
            }
        }
    }
}

#[test]
fn a_sequence_has_the_same_bits_in_any_batch_and_streamed() {
    for (name, cell) in all_cells() {
        let n = network(&cell, 2, false, INPUT, HIDDEN);
        // From 16 sequences on the loop takes over products of inputs.
        for (precision, batch) in NARROW.into_iter().zip([17, 16]).chain(NARROW.into_iter().zip([7, 7])) {
            let d = Data::<f32>::draw(&n, STEPS, batch);
            let options = Options::new().with_precision(precision);
            let whole = run(&n, &d, batch, None, options);
            let model = Model::new_in(&n, &d.weights, Isa::detect(), precision).unwrap();
            let width = n.output_size();
            for sequence in [0, 6] {
                let mut stream = Stream::on(&model, 1, Team::sharing_all(1).unwrap()).unwrap();
                let own = |s: &Vec<f32>| s[sequence * s.len() / batch..][..s.len() / batch].to_vec();
                stream.set_states(&d.initial.iter().map(own).collect::<Vec<_>>()).unwrap();
                let dims: Vec<usize> = n.memories().iter().map(|m| m.count()).collect();
                let slots = |(m, dim): (&Vec<f32>, &usize)| {
                    let slot = |s| m[(s * batch + sequence) * dim..][..*dim].to_vec();
                    (0..SLOTS).flat_map(slot).collect()
                };
                let memories: Vec<Vec<f32>> = d.memories.iter().zip(&dims).map(slots).collect();
                let lengths = Some(&d.slots[sequence..=sequence]);
                let memories: Vec<_> = memories.iter().map(|values| Memory { slots: SLOTS, values, lengths }).collect();
                stream.set_memories(&memories).unwrap();
                let mut y = vec![0.0; width];
                for t in 0..STEPS {
                    let row = t * batch + sequence;
                    let part = |x: &'_ Vec<f32>| {
                        let units = x.len() / (STEPS * batch);
                        row * units..(row + 1) * units
                    };
                    let x: Vec<&[f32]> = d.inputs.iter().map(|x| &x[part(x)]).collect();
                    stream.step(&x, &mut y).unwrap();
                    same(&format!("{name}, {precision:?}, step {t}"), &whole.y[row * width..][..width], &y);
                }
            }
        }
    }
}

#[test]
fn narrow_outputs_are_near_those_of_full_precision_and_not_the_same() {
    // Of states between −1 and 1, with weights of ordinary size.
    for (precision, near) in [(Precision::Bf16, 0.02), (Precision::Int8, 0.04)] {
        for name in ["lstm", "gru", "mut1", "elman"] {
            let Some(source) = elman_cell::builtin::source(name) else { continue };
            let n = network(&common::cell(name, source), 2, false, INPUT, HIDDEN);
            let d = Data { weights: Weights::init(&n, 3), ..Data::<f32>::draw(&n, STEPS, 4) };
            let full = run(&n, &d, 4, None, Options::new());
            let narrow = run(&n, &d, 4, None, Options::new().with_precision(precision));
            let off = full.y.iter().zip(&narrow.y).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off > 0.0 && off < near, "{name} {precision:?}: {off}");
        }
    }
}

#[test]
fn weights_that_change_are_packed_narrow_again() {
    let n = network(&common::cell("gru", elman_cell::builtin::source("gru").unwrap()), 1, false, INPUT, HIDDEN);
    let (d, other) = (Data::<f32>::draw(&n, STEPS, 2), Weights::<f32>::init(&n, 9));
    let inputs: Vec<&[f32]> = d.inputs.iter().map(Vec::as_slice).collect();
    let batch =
        Batch { steps: STEPS, batch: 2, inputs, lengths: None, mask: None, initial: None, memories: d.memories() };
    let options = Options::new().with_precision(Precision::Int8);
    let mut runner = Runner::new(&n, &d.weights, options.clone()).unwrap();
    let first = runner.forward(&batch).unwrap();
    runner.set_weights(&other).unwrap();
    let second = runner.forward(&batch).unwrap();
    same("set", &Runner::new(&n, &other, options).unwrap().forward(&batch).unwrap().y, &second.y);
    assert_ne!(first.y, second.y);
}

#[test]
fn gradients_and_f64_are_refused() {
    let n = network(&common::cell("gru", elman_cell::builtin::source("gru").unwrap()), 1, false, INPUT, HIDDEN);
    let options = Options::new().with_precision(Precision::Bf16);
    let with_gradients = Runner::new(&n, &Weights::<f32>::init(&n, 1), options.clone().with_backward());
    assert!(matches!(with_gradients, Err(EngineError::Unsupported(message)) if message.contains("train in f32")));
    assert!(Runner::new(&n, &Weights::<f64>::init(&n, 1), options).is_err());
}

/// Long enough for several segments, of even and uneven lengths; runs with gradients are never cut.
#[test]
fn segments_of_a_long_run_give_the_bits_of_the_whole() {
    const BATCH: usize = 12;
    let lengths: Vec<usize> = (0..BATCH).map(|b| 1 + b * 299 / (BATCH - 1)).rev().collect();
    for (name, bidirectional) in [("lstm", false), ("gru", true), ("min-gru", true), ("scrn", false), ("qrnn", false)] {
        let cell = common::cell(name, elman_cell::builtin::source(name).unwrap());
        let n = network(&cell, 2, bidirectional, INPUT, 70);
        let names = n.traceable();
        let traced = Options::new().with_trace(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for steps in [300, 301] {
            let d = Data::<f32>::draw(&n, steps, BATCH);
            let inputs: Vec<&[f32]> = d.inputs.iter().map(Vec::as_slice).collect();
            let mask: Vec<bool> = (0..steps * BATCH).map(|k| k % 7 != 2).collect();
            let given = |initial, lengths, mask| Batch {
                steps,
                batch: BATCH,
                inputs: inputs.clone(),
                lengths,
                mask,
                initial,
                memories: d.memories(),
            };
            let own = Some(d.initial.as_slice());
            for batch in [
                given(None, None, None),
                given(own, None, None),
                given(own, Some(&lengths), None),
                given(None, Some(&lengths), Some(&mask)),
            ] {
                let mut cut = Runner::new(&n, &d.weights, traced.clone().with_threads(2)).unwrap();
                let mut whole = Runner::new(&n, &d.weights, traced.clone().with_backward()).unwrap();
                let wanted = whole.forward(&batch).unwrap();
                for _ in 0..2 {
                    let found = cut.forward(&batch).unwrap();
                    same(&format!("{name} {steps}"), &wanted.y, &found.y);
                    wanted.states.iter().zip(&found.states).for_each(|(a, b)| same(name, a, b));
                    assert_eq!(wanted.traces, found.traces);
                }
            }
        }
    }
}
