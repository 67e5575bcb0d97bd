//! Every operation against differences in f64.

use std::sync::Arc;

use elman_cell::cell::Init;
use elman_kernel::Isa;

use super::*;
use crate::network::Spec;
use crate::random::Random;

mod copying;

/// Central differences at ±1e-5 of sums near 1 in f64.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

fn drawn(count: usize, stream: u64) -> Vec<f64> {
    let mut random = Random::new(11, stream);
    (0..count).map(|_| random.normal()).collect()
}

type Build<'a> = &'a dyn Fn(&mut Tape<f64>) -> Result<Var, EngineError>;

/// The value that `build` makes, weighted by fixed numbers, so that all of its elements count.
fn loss(store: &mut Store<f64>, build: Build) -> (f64, Vec<Vec<f64>>) {
    let mut tape = Tape::new(store, Mode::Train { seed: 1, clock: 3 });
    let y = build(&mut tape).unwrap();
    let weights = drawn(tape.value(y).len(), 99);
    let value = tape.value(y).iter().zip(&weights).map(|(y, w)| y * w).sum();
    let loss = tape.known_loss(value, vec![(y, weights)], vec![]);
    (value, tape.backward(loss).unwrap())
}

/// Gradients of all parameters of `blueprint` through `build`.
fn differences(blueprint: Blueprint, build: Build) {
    let mut store = Store::<f64>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    let (_, gradients) = loss(&mut store, build);
    let mut largest = 0f64;
    for k in 0..gradients.len() {
        for i in 0..gradients[k].len() {
            let mut at = |x: f64| {
                store.update(|w, _| w[k][i] += x);
                let value = loss(&mut store, build).0;
                store.update(|w, _| w[k][i] -= x);
                value
            };
            let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            let error = (difference - gradients[k][i]).abs() / difference.abs().max(1.0);
            let name = &store.parameters()[k].name;
            assert!(error < TOLERANCE, "{name}[{i}]: {difference} by differences, {}", gradients[k][i]);
            largest = largest.max(gradients[k][i].abs());
        }
    }
    assert!(largest > 1e-3, "gradients are zero");
}

/// Some values as parameters, so that gradients by values are gradients by parameters.
fn inputs(shapes: &[[usize; 2]]) -> (Blueprint, Vec<Parameter>) {
    let mut blueprint = Blueprint::new();
    let add = |(k, s): (usize, &[usize; 2])| blueprint.parameter(&format!("x{k}"), s, Init::Normal(1.0));
    let all = shapes.iter().enumerate().map(add).collect();
    (blueprint, all)
}

fn read(tape: &mut Tape<f64>, parameter: Parameter) -> Var {
    let rows: Vec<u32> = (0..tape.store.shape(parameter)[0] as u32).collect();
    tape.embed(parameter, &rows).unwrap()
}

#[test]
fn products() {
    let (mut blueprint, x) = inputs(&[[7, 5], [4, 5]]);
    let layer = blueprint.linear("linear", 5, 3);
    differences(blueprint, &|tape| {
        let (a, b) = (read(tape, x[0]), read(tape, x[1]));
        let y = tape.linear(a, layer)?;
        let unit = [tape.unit_length(a), tape.unit_length(b)];
        let alike = tape.similarity(unit[0], unit[1])?;
        tape.concat(&[y, alike])
    });
}

#[test]
fn more_rows_than_a_block() {
    let (mut blueprint, x) = inputs(&[[2, 2]]);
    let layer = blueprint.linear("linear", 2, 2);
    differences(blueprint, &|tape| {
        let x = read(tape, x[0]);
        let many = tape.rows(x, &[0, 1, 1].repeat(100))?;
        tape.linear(many, layer)
    });
}

#[test]
fn chosen_rows() {
    let (blueprint, x) = inputs(&[[5, 3]]);
    differences(blueprint, &|tape| {
        let a = tape.embed(x[0], &[4, NO_ROW, 0, 4])?;
        let b = tape.rows(a, &[3, 0, NO_ROW, 3])?;
        let c = tape.concat(&[a, b])?;
        let c = tape.transpose(c);
        tape.reshape(c, 4)
    });
}

#[test]
fn weighted_bags() {
    let (blueprint, x) = inputs(&[[5, 3]]);
    let bags = vec![vec![(4, 0.5), (0, -1.5), (4, 2.0)], vec![], vec![(2, 0.7)]];
    differences(blueprint, &|tape| {
        let y = tape.bags(x[0], bags.clone())?;
        Ok(tape.tanh(y))
    });
}

#[test]
fn elementwise() {
    let (blueprint, x) = inputs(&[[3, 4], [3, 4]]);
    differences(blueprint, &|tape| {
        let (a, b) = (read(tape, x[0]), read(tape, x[1]));
        let (t, s, g, r) = (tape.tanh(a), tape.sigmoid(b), tape.gelu(a), tape.relu(b));
        let product = tape.multiply(t, s)?;
        let sum = tape.add(product, g)?;
        let scaled = tape.scale(r, -0.7);
        let dropped = tape.dropout(sum, 0.3);
        let rows = tape.drop_rows(dropped, 0.2);
        tape.concat(&[rows, scaled])
    });
}

#[test]
fn norms_and_pools() {
    let (mut blueprint, x) = inputs(&[[8, 3]]);
    let gain = blueprint.parameter("gain", &[3], Init::Normal(1.0));
    let bias = blueprint.parameter("bias", &[3], Init::Normal(1.0));
    let layout = Layout::new(vec![4, 2]);
    differences(blueprint, &|tape| {
        let x = read(tape, x[0]);
        let y = tape.layer_norm(x, gain, bias)?;
        let mean = tape.pool(y, &layout, Pool::Mean)?;
        let max = tape.pool(y, &layout, Pool::Max)?;
        tape.concat(&[mean, max])
    });
}

#[test]
fn attentions() {
    let (blueprint, x) = inputs(&[[6, 4], [8, 4], [8, 6]]);
    let (queries, memory) = (Layout::new(vec![3, 2]), Layout::new(vec![2, 4]));
    for causal in [false, true] {
        differences(blueprint.clone(), &|tape| {
            let (q, k, v) = (read(tape, x[0]), read(tape, x[1]), read(tape, x[2]));
            Ok(tape.attention((q, &queries), (k, v, &memory), 2, 0.6, causal)?.mixed)
        });
    }
}

#[test]
fn attentions_that_add_and_that_go_onward() {
    let (mut blueprint, x) = inputs(&[[6, 4], [8, 4], [8, 6]]);
    let vector = blueprint.parameter("vector", &[4], Init::Normal(1.0));
    let bias = blueprint.parameter("bias", &[1], Init::Constant(-0.7));
    let (queries, memory) = (Layout::new(vec![3, 2]), Layout::new(vec![2, 4]));
    differences(blueprint, &|tape| {
        let (q, k, v) = (read(tape, x[0]), read(tape, x[1]), read(tape, x[2]));
        let mixed = tape.additive_attention((q, &queries), (k, v, &memory), vector)?.mixed;
        let weights = tape.onward((q, &queries), (k, &memory), bias, &[0, 1, 1, 3, 0, 0], 0.6)?;
        tape.concat(&[mixed, weights])
    });
}

#[test]
fn onward_goes_to_the_first_that_suits_however_far() {
    let mut blueprint = Blueprint::new();
    let bias = blueprint.parameter("bias", &[1], Init::Constant(-20.0));
    let mut store = Store::<f64>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    let steps = 500;
    // Steps 40, 300 and 420 suit.
    let keys = (0..steps).map(|j| if [40, 300, 420].contains(&j) { 40.0 } else { 0.0 }).collect();
    let from = [0, 40, 41, 421];
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let (q, k) = (tape.given(vec![1.0; 4], 1).unwrap(), tape.given(keys, 1).unwrap());
    let (queries, memory) = (Layout::new(vec![4]), Layout::new(vec![steps]));
    let weights = tape.onward((q, &queries), (k, &memory), bias, &from, 1.0).unwrap();
    for (row, place) in tape.value(weights).chunks_exact(steps).zip([40, 40, 300, 40]) {
        assert!(row[place] > 0.999 && (row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{}", row[place]);
    }
    assert!(tape.onward((q, &queries), (k, &memory), bias, &[0, 1, 2, 500], 1.0).is_err());
}

#[test]
fn recurrent_layers() {
    let cell = elman_cell::parse("lstm", elman_cell::builtin::source("lstm").unwrap()).unwrap();
    let (mut blueprint, x) = inputs(&[[8, 3], [2, 4], [2, 4]]);
    let spec = Spec { bidirectional: true, ..Spec::new(Arc::new(cell.clone()), 3, 4) };
    let encoder = blueprint.recurrent("encoder", spec).unwrap();
    let decoder = blueprint.recurrent("decoder", Spec::new(Arc::new(cell), 8, 4)).unwrap();
    let layout = Layout::new(vec![4, 2]);
    differences(blueprint, &|tape| {
        let x0 = read(tape, x[0]);
        let up = tape.recurrent(encoder, x0, &layout, &[])?;
        let start = [read(tape, x[1]), read(tape, x[2])];
        let again = tape.recurrent(decoder, up.y, &layout, &start)?;
        // The same layer twice, from the other's last states.
        let once_more = tape.recurrent(decoder, up.y, &layout, &again.states)?;
        tape.concat(&[once_more.states[0], once_more.states[1], up.states[0]])
    });
}

#[test]
fn layers_that_attend() {
    let cell = elman_cell::parse("a", elman_cell::builtin::source("lstm-attention").unwrap()).unwrap();
    let (mut blueprint, x) = inputs(&[[6, 3], [8, 5]]);
    let layer = blueprint.recurrent("decoder", Spec::new(Arc::new(cell), 3, 5)).unwrap();
    let (layout, memory) = (Layout::new(vec![3, 2]), Layout::new(vec![2, 4]));
    differences(blueprint, &|tape| {
        let (x, m) = (read(tape, x[0]), read(tape, x[1]));
        let run = tape.attending(layer, x, &layout, &[], &[(m, &memory)])?;
        tape.concat(&[run.y])
    });
}

#[test]
fn losses() {
    let (mut blueprint, x) = inputs(&[[4, 5]]);
    let head = blueprint.linear("head", 5, 3);
    differences(blueprint, &|tape| {
        let x = read(tape, x[0]);
        let logits = tape.linear(x, head)?;
        let few = tape.cross_entropy(logits, &[0, 2, NO_TARGET, 1], 0.1, 0.3)?;
        let large = tape.softmax_loss(x, head.weight, head.bias.unwrap(), &[1, 1, 0, 2], 0.5)?;
        tape.total(&[few, large, few])
    });
}

#[test]
fn losses_of_sequences() {
    let layout = Layout::new(vec![4, 1, 3]);
    let (mut blueprint, x) = inputs(&[[12, 3]]);
    let chain = blueprint.chain("chain", 3);
    let tags = layout.fill(NO_TARGET, |t, b| ((t * t + b) % 3) as u32);
    let labels = [vec![1, 1], vec![2], vec![]];
    differences(blueprint, &|tape| {
        let x = read(tape, x[0]);
        let tags = tape.crf(x, &layout, chain, &tags, 0.3)?;
        let labels = tape.ctc(x, &layout, &labels, 0.7)?;
        tape.total(&[tags, labels, tags])
    });
}

#[test]
fn a_batch_of_sequences_is_its_sequences() {
    let (mut blueprint, x) = inputs(&[[8, 3]]);
    let chain = blueprint.chain("chain", 3);
    let mut store = Store::<f64>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    store.update(|w, _| w[1].iter_mut().enumerate().for_each(|(i, w)| *w = 0.3 * i as f64));
    let layout = Layout::new(vec![4, 2]);
    let tags = layout.fill(NO_TARGET, |t, b| ((t + b) % 3) as u32);
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let all = read(&mut tape, x[0]);
    let both = tape.crf(all, &layout, chain, &tags, 1.0).unwrap();
    let labels = tape.ctc(all, &layout, &[vec![1, 2], vec![2]], 1.0).unwrap();
    let mut sums = [0.0; 2];
    for (b, label) in [(0, vec![1, 2]), (1, vec![2])] {
        let rows: Vec<u32> = layout.of(b).map(|row| row as u32).collect();
        let own = tape.rows(all, &rows).unwrap();
        let target: Vec<u32> = rows.iter().map(|row| tags[*row as usize]).collect();
        let alone = Layout::new(vec![rows.len()]);
        let losses = [tape.crf(own, &alone, chain, &target, 1.0), tape.ctc(own, &alone, &[label], 1.0)];
        losses.into_iter().zip(&mut sums).for_each(|(loss, sum)| *sum += tape.value(loss.unwrap())[0]);
    }
    assert_eq!([tape.value(both)[0], tape.value(labels)[0]], sums);
    assert!(tape.crf(all, &layout, chain, &tags[1..], 1.0).is_err());
    assert!(tape.ctc(all, &layout, &[vec![1]], 1.0).is_err());
}

#[test]
fn a_computation_that_was_put_aside_goes_back_from_its_midst_to_what_was_given() {
    let mut blueprint = Blueprint::new();
    let layer = blueprint.linear("linear", 3, 4);
    let mut store = Store::<f64>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    let (x, dy) = (drawn(6, 1), drawn(8, 2));
    let run = |tape: &mut Tape<f64>, x: &[f64]| {
        let given = tape.given(x.to_vec(), 3).unwrap();
        let y = tape.linear(given, layer).unwrap();
        (given, tape.tanh(y))
    };
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let (given, y) = run(&mut tape, &x);
    let written = tape.put_aside();
    let mut gradients = store.no_gradients();
    let tape = Tape::go_on(&mut store, written).unwrap();
    let dx = tape.backward_from((y, dy.clone()), given, &mut gradients).unwrap();
    for i in 0..x.len() {
        let mut at = |by: f64| {
            let mut x = x.clone();
            x[i] += by;
            let mut tape = Tape::new(&mut store, Mode::Infer);
            let (_, y) = run(&mut tape, &x);
            tape.value(y).iter().zip(&dy).map(|(y, d)| y * d).sum::<f64>()
        };
        let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        assert!((difference - dx[i]).abs() < TOLERANCE, "x[{i}]: {difference} {}", dx[i]);
    }
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let (_, y) = run(&mut tape, &x);
    let loss = tape.known_loss(0.0, vec![(y, dy)], vec![]);
    assert_eq!(tape.backward(loss).unwrap(), gradients);
    let written = Tape::new(&mut store, Mode::Infer).put_aside();
    store.update(|w, _| w[0][0] += 1.0);
    assert!(Tape::go_on(&mut store, written).is_err());
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut blueprint, x) = inputs(&[[4, 5]]);
    let layer = blueprint.linear("linear", 4, 2);
    let mut store = Store::<f64>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let x = read(&mut tape, x[0]);
    assert!(tape.linear(x, layer).is_err());
    assert!(tape.rows(x, &[4]).is_err());
    assert!(tape.pool(x, &Layout::new(vec![2, 3]), Pool::Mean).is_err());
    assert!(tape.cross_entropy(x, &[5, 0, 0, 0], 0.0, 1.0).is_err());
    assert!(tape.bags(layer.weight, vec![vec![(2, 1.0)]]).is_err());
    assert!(tape.backward(x).is_err());
}

#[test]
fn the_same_bits_on_two_threads() {
    let run = |threads| {
        let cell = elman_cell::parse("gru", elman_cell::builtin::source("gru").unwrap()).unwrap();
        let mut blueprint = Blueprint::new();
        let table = blueprint.parameter("table", &[50, 24], Init::Normal(1.0));
        let layer = blueprint.recurrent("layer", Spec::new(Arc::new(cell), 24, 33)).unwrap();
        let head = blueprint.linear("head", 33, 50);
        let mut store = Store::<f32>::new(blueprint, 5, Isa::detect(), threads).unwrap();
        let layout = Layout::new((1..40).collect());
        let ids = layout.fill(NO_ROW, |t, b| ((t * 7 + b) % 50) as u32);
        let mut tape = Tape::new(&mut store, Mode::Train { seed: 2, clock: 0 });
        let x = tape.embed(table, &ids).unwrap();
        let x = tape.dropout(x, 0.2);
        let h = tape.recurrent(layer, x, &layout, &[]).unwrap().y;
        let logits = tape.linear(h, head).unwrap();
        let targets = layout.fill(NO_TARGET, |t, b| ((t * 3 + b) % 50) as u32);
        let loss = tape.cross_entropy(logits, &targets, 0.0, 0.01).unwrap();
        tape.backward(loss).unwrap()
    };
    let bits = |g: Vec<Vec<f32>>| g.into_iter().flatten().map(f32::to_bits).collect::<Vec<_>>();
    assert_eq!(bits(run(1)), bits(run(2)));
}
