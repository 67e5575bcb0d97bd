//! Cells that attend, as a caller meets them: what is wrong with memories is said, and a stream keeps its states while
//! what it attends to changes.

mod common;

use common::{Data, SLOTS, cell, network, random};
use elman_engine::gradcheck::{GradientPoint, check_gradients};
use elman_engine::{Batch, EngineError, Isa, Memory, Model, Network, Options, Runner, Spec, Stream};

const STEPS: usize = 5;
const BATCH: usize = 3;
/// As `elman cell grad`: what differences of fourth order in f64 reach with room to spare.
const TOLERANCE: f64 = 1e-6;

fn two_memories() -> Network {
    let text = "memory k : 3\nmemory v\nh' = tanh(W x + U h + A attend(W_q h, k, v) + b)";
    network(&cell("two", text), 1, false, 4, 5)
}

fn told(change: impl Fn(&mut Vec<Memory<'_, f32>>)) -> EngineError {
    let n = two_memories();
    let d = Data::<f32>::draw(&n, STEPS, BATCH);
    let mut memories = d.memories();
    change(&mut memories);
    let inputs = d.inputs.iter().map(Vec::as_slice).collect();
    let batch = Batch { steps: STEPS, batch: BATCH, inputs, lengths: None, mask: None, initial: None, memories };
    let error = Runner::new(&n, &d.weights, Options::new()).unwrap().forward(&batch).unwrap_err();
    let model = Model::new(&n, &d.weights, Isa::detect()).unwrap();
    let mut stream = Stream::new(&model, BATCH, 1).unwrap();
    assert_eq!(stream.set_memories(&batch.memories).unwrap_err(), error, "a stream says the same");
    error
}

#[test]
fn wrong_memories_are_refused() {
    assert!(matches!(told(|m| m.truncate(1)), EngineError::Length { found: 1, wanted: 2, .. }));
    assert!(matches!(told(|m| m[1].values = &[1.0]), EngineError::Length { what, found: 1, .. } if what == "v"));
    assert!(matches!(told(|m| m[0].slots += 1), EngineError::Length { what, .. } if what == "k"));
    assert!(matches!(told(|m| m[0].slots = usize::MAX), EngineError::Overflow { .. }));
    assert!(matches!(told(|m| m[0].lengths = Some(&[1, 2])), EngineError::Length { what, .. } if what == "k.lengths"));
    for bad in [0, SLOTS + 1] {
        let lengths = [1, bad, 1];
        // Leaked, so that a closure over any lifetime can give it: a test.
        let lengths: &'static [usize] = Box::leak(Box::new(lengths));
        let error = told(|m| m[0].lengths = Some(lengths));
        assert!(matches!(error, EngineError::MemoryLength { index: 1, found, .. } if found == bad), "{error}");
    }
    let error = told(|m| m[1].lengths = None);
    assert!(matches!(error, EngineError::Slots { index: 1, .. }), "{error}");
    assert!(error.to_string().contains("`k` and 21 of `v`"), "{error}");
}

#[test]
fn a_stream_attends_to_what_it_was_given_last() {
    let n = two_memories();
    let d = Data::<f32>::draw(&n, STEPS, 1);
    let model = Model::new(&n, &d.weights, Isa::detect()).unwrap();
    let mut stream = Stream::new(&model, 1, 1).unwrap();
    let (x, mut y) = (random::<f32>(4, 9), vec![0.0; 5]);
    assert!(matches!(stream.step(&[&x], &mut y), Err(EngineError::Order(message)) if message.contains("set_memories")));
    let (k, v) = (random::<f32>(7 * 3, 1), random::<f32>(7 * 5, 2));
    let memories =
        |slots: usize| [(&k, 3), (&v, 5)].map(|(m, dim)| Memory { slots, values: &m[..slots * dim], lengths: None });
    stream.set_memories(&memories(7)).unwrap();
    stream.step(&[&x], &mut y).unwrap();
    let states = stream.states();
    stream.set_memories(&memories(2)).unwrap();
    assert_eq!(stream.states(), states, "other slots, the same states");
    stream.step(&[&x], &mut y).unwrap();
    let mut fresh = Stream::new(&model, 1, 1).unwrap();
    fresh.set_memories(&memories(2)).unwrap();
    fresh.set_states(&states).unwrap();
    let mut wanted = y.clone();
    fresh.step(&[&x], &mut wanted).unwrap();
    assert_eq!(y, wanted);
    stream.reset();
    stream.step(&[&x], &mut y).unwrap();
    assert_ne!(y, wanted);
}

#[test]
fn memories_of_other_slots_follow_each_other_in_one_runner() {
    let n = two_memories();
    let d = Data::<f32>::draw(&n, STEPS, BATCH);
    let mut runner = Runner::new(&n, &d.weights, Options::new().with_backward()).unwrap();
    let inputs: Vec<&[f32]> = d.inputs.iter().map(Vec::as_slice).collect();
    for slots in [9, 2, SLOTS, 9] {
        let values = [random::<f32>(slots * BATCH * 3, 3), random::<f32>(slots * BATCH * 5, 4)];
        let memories: Vec<_> = values.iter().map(|values| Memory { slots, values, lengths: None }).collect();
        let batch = Batch { memories, inputs: inputs.clone(), ..Batch::new(STEPS, BATCH, inputs[0]) };
        let out = runner.forward(&batch).unwrap();
        let gradients = runner.backward(&d.dy, None).unwrap();
        let mut fresh = Runner::new(&n, &d.weights, Options::new().with_backward()).unwrap();
        assert_eq!(fresh.forward(&batch).unwrap(), out);
        assert_eq!(fresh.backward(&d.dy, None).unwrap(), gradients);
        assert_eq!(gradients.memories.iter().map(Vec::len).collect::<Vec<_>>(), [slots * BATCH * 3, slots * BATCH * 5]);
    }
}

#[test]
fn gradients_agree_with_differences_through_layers_and_directions() {
    let text = "memory m : 3\na = attend_additive(W_q h, u, m)\nh' = tanh(W x + U h + A a + b)";
    let spec = Spec { layers: 2, bidirectional: true, ..Spec::new(cell("additive", text), 4, 5) };
    let n = Network::new(spec).unwrap();
    let point = GradientPoint { steps: 4, batch: 3, lengths: Some(vec![4, 1, 3]), seed: 3, entries: 40 };
    let report = check_gradients(&n, &point).unwrap();
    assert_eq!(report.memories.len(), 1);
    assert!(report.memories[0].error > 0.0 && report.worst() <= TOLERANCE, "{report:?}");
}

#[test]
fn a_memory_as_long_as_the_input_is_for_one_layer() {
    let cell = cell("input", "memory m : input\nh' = tanh(W x + U h + A attend(W_q h, m))");
    assert!(Network::new(Spec::new(cell.clone(), 4, 5)).is_ok());
    let error = Network::new(Spec { layers: 2, ..Spec::new(cell, 4, 5) }).unwrap_err();
    assert!(error.to_string().contains("memory `m` have 4 units in the first layer and 5 in layer 1"), "{error}");
}
