//! The engine against the meaning: every cell, in f64, with the slow interpreter of its program.

mod common;

use common::{Data, SLOTS, all_cells, attending, cell, network, run};
use elman_cell::interpret;
use elman_engine::{Network, Options};

/// Products are the same chains; elementwise functions of f64 are the same; only recomputation could differ.
const TOLERANCE: f64 = 1e-12;

fn close(what: &str, found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
        assert!((f - w).abs() <= TOLERANCE * (1.0 + w.abs()), "{what}[{i}]: found {f}, wanted {w}");
    }
}

fn rows(v: &[f64], steps: usize, batch: usize, b: usize) -> Vec<Vec<f64>> {
    let dim = v.len() / (steps * batch);
    (0..steps).map(|t| v[(t * batch + b) * dim..(t * batch + b + 1) * dim].to_vec()).collect()
}

fn compare(name: &str, n: &Network, lengths: &[usize], steps: usize) {
    let batch = lengths.len();
    let d = Data::<f64>::draw(n, steps, batch);
    let (out, g) = run(n, &d, steps, batch, Some(lengths), Options::new());
    let program = &n.schedule().program;
    let derived = elman_cell::derive(program);
    let (sizes, params) = (n.sizes(0), &d.weights.0);
    let (mut runs, mut dys, mut dss) = (vec![], vec![], vec![]);
    let state_rows = |v: &[Vec<f64>], b: usize| -> Vec<Vec<f64>> {
        v.iter().map(|s| s[b * s.len() / batch..(b + 1) * s.len() / batch].to_vec()).collect()
    };
    for (b, &length) in lengths.iter().enumerate() {
        let per_input: Vec<_> = d.inputs.iter().map(|x| rows(x, steps, batch, b)).collect();
        let inputs: Vec<Vec<Vec<f64>>> =
            (0..length).map(|t| per_input.iter().map(|x| x[t].clone()).collect()).collect();
        let own = |m: &Vec<f64>| rows(m, SLOTS, batch, b)[..d.slots[b]].concat();
        let memories: Vec<_> = d.memories.iter().map(own).collect();
        let r = interpret::run(program, sizes, params, &memories, &inputs, &state_rows(&d.initial, b));
        let found = rows(&out.y, steps, batch, b);
        for (t, found) in found.iter().enumerate() {
            let zero = vec![0.0; n.output_size()];
            let wanted = if t < length { &r.outputs[t] } else { &zero };
            close(&format!("{name}: y of sequence {b} at step {t}"), found, wanted);
        }
        for (s, (f, w)) in state_rows(&out.states, b).iter().zip(&r.states).enumerate() {
            close(&format!("{name}: state {s} of sequence {b}"), f, w);
        }
        runs.push(r);
        dys.push(rows(&d.dy, steps, batch, b)[..length].to_vec());
        dss.push(state_rows(&d.d_states, b));
    }
    let wanted = interpret::gradients(program, &derived, sizes, params, &runs, &dys, &dss);
    for (t, (f, w)) in n.parameters().iter().zip(g.parameters.iter().zip(&wanted.params)) {
        close(&format!("{name}: d.{}", t.name), f, w);
    }
    for (b, w) in wanted.sequences.iter().enumerate() {
        for (i, x) in g.inputs.iter().enumerate() {
            let found = rows(x, steps, batch, b);
            for (t, found) in found[..lengths[b]].iter().enumerate() {
                close(&format!("{name}: d of input {i}, sequence {b}, step {t}"), found, &w.inputs[t][i]);
            }
            assert!(found[lengths[b]..].iter().flatten().all(|v| *v == 0.0), "{name}: padding has a gradient");
        }
        for (s, (f, w)) in state_rows(&g.initial, b).iter().zip(&w.initial).enumerate() {
            close(&format!("{name}: d of initial state {s}, sequence {b}"), f, w);
        }
        for (m, (f, w)) in g.memories.iter().zip(&w.memories).enumerate() {
            let (found, length) = (rows(f, SLOTS, batch, b), d.slots[b]);
            close(&format!("{name}: d of memory {m}, sequence {b}"), &found[..length].concat(), w);
            assert!(found[length..].iter().flatten().all(|v| *v == 0.0), "{name}: padding of memory has a gradient");
        }
    }
}

#[test]
fn every_cell_runs_as_its_program_means() {
    for (name, cell) in all_cells() {
        let n = network(&cell, 1, false, 4, 5);
        compare(&name, &n, &[6, 6, 6], 6);
        compare(&name, &n, &[3, 6, 1, 5], 7);
    }
}

#[test]
fn wide_cells_run_as_their_program_means() {
    for (name, cell) in all_cells() {
        let n = network(&cell, 1, false, 19, 37);
        compare(&name, &n, &[4, 2, 5], 5);
    }
}

#[test]
fn random_cells_that_attend_run_as_their_program_means() {
    for seed in 0..60 {
        let text = attending(seed);
        let n = network(&cell("random", &text), 1, false, 4, 5);
        compare(&text, &n, &[3, 6, 1, 5], 7);
    }
}

#[test]
fn a_masked_sequence_is_the_sequence_without_those_steps() {
    use elman_engine::{Batch, Runner};
    for (name, cell) in all_cells() {
        let n = network(&cell, 2, true, 4, 5);
        let (steps, batch) = (7, 3);
        let d = Data::<f64>::draw(&n, steps, batch);
        let mask: Vec<bool> = (0..steps * batch).map(|i| (i * 5 + i / 4) % 3 != 0).collect();
        let mut runner = Runner::new(&n, &d.weights, Options::new().with_backward()).unwrap();
        let inputs: Vec<&[f64]> = d.inputs.iter().map(Vec::as_slice).collect();
        let (initial, memories) = (Some(d.initial.as_slice()), d.memories());
        let masked = Batch { steps, batch, inputs, lengths: None, mask: Some(&mask), initial, memories };
        let out = runner.forward(&masked).unwrap();
        let g = runner.backward(&d.dy, Some(&d.d_states)).unwrap();
        for b in 0..batch {
            let valid: Vec<usize> = (0..steps).filter(|t| mask[t * batch + b]).collect();
            let pick = |v: &[f64]| -> Vec<f64> {
                let all = rows(v, steps, batch, b);
                valid.iter().flat_map(|t| all[*t].clone()).collect()
            };
            let own = |v: &[Vec<f64>]| -> Vec<Vec<f64>> {
                v.iter().map(|s| s[b * s.len() / batch..(b + 1) * s.len() / batch].to_vec()).collect()
            };
            let short = Data {
                weights: d.weights.clone(),
                inputs: d.inputs.iter().map(|x| pick(x)).collect(),
                initial: own(&d.initial),
                memories: d.memories.iter().map(|m| rows(m, SLOTS, batch, b).concat()).collect(),
                slots: vec![d.slots[b]],
                dy: pick(&d.dy),
                d_states: own(&d.d_states),
            };
            let (o, h) = run(&n, &short, valid.len(), 1, None, Options::new());
            assert_eq!(pick(&out.y), o.y, "{name}");
            assert_eq!(own(&out.states), o.states, "{name}");
            assert_eq!(g.inputs.iter().map(|x| pick(x)).collect::<Vec<_>>(), h.inputs, "{name}");
            assert_eq!(own(&g.initial), h.initial, "{name}");
            let d_memories: Vec<_> = g.memories.iter().map(|m| rows(m, SLOTS, batch, b).concat()).collect();
            assert_eq!(d_memories, h.memories, "{name}");
        }
    }
}
