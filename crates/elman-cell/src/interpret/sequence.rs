//! Whole sequences: the forward step at every step in turn, and backpropagation through time over what it kept.

use crate::dim::Sizes;
use crate::interpret::{Value, backward, count, epilogue, forward};
use crate::program::{Backward, Contribution, Program};

/// A sequence that was run: what its backward pass needs, and what came out.
#[derive(Clone, Debug)]
pub struct Run {
    /// Per memory, what it was run with.
    pub memories: Vec<Value>,
    /// Per step the values of all nodes of the program.
    pub nodes: Vec<Vec<Value>>,
    /// Per step the output.
    pub outputs: Vec<Value>,
    /// The states after the last step.
    pub states: Vec<Value>,
}

/// Runs a program over one sequence. `memories`: per memory, the slots that the sequence has, at least one; `inputs`: per
/// step, per input; `initial`: per state.
pub fn run(
    program: &Program,
    sizes: Sizes,
    params: &[Value],
    memories: &[Value],
    inputs: &[Vec<Value>],
    initial: &[Value],
) -> Run {
    let memories = memories.to_vec();
    let mut run = Run { memories, nodes: Vec::new(), outputs: Vec::new(), states: initial.to_vec() };
    for x in inputs {
        let values = forward(program, sizes, params, &run.memories, x, &run.states);
        run.outputs.push(values[program.output.index()].clone());
        run.states = program.next.iter().map(|n| values[n.index()].clone()).collect();
        run.nodes.push(values);
    }
    run
}

/// The gradients of a batch.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// Per parameter (zeros where no equation uses it).
    pub params: Vec<Value>,
    /// Per sequence.
    pub sequences: Vec<SequenceGradients>,
}

/// The gradients that belong to one sequence.
#[derive(Clone, Debug)]
pub struct SequenceGradients {
    /// Per step, per input.
    pub inputs: Vec<Vec<Value>>,
    /// Per state: by its initial value.
    pub initial: Vec<Value>,
    /// Per memory.
    pub memories: Vec<Value>,
}

/// The gradients of a batch of sequences that were run with the same parameters.
///
/// `d_outputs`: per sequence, per step, the gradient by the output; `d_states`: per sequence, per state, the gradient by
/// its last value. Parameter gradients are chains over steps, and within a step over sequences in their order.
pub fn gradients(
    program: &Program,
    derived: &Backward,
    sizes: Sizes,
    params: &[Value],
    runs: &[Run],
    d_outputs: &[Vec<Value>],
    d_states: &[Vec<Value>],
) -> Gradients {
    let mut sequences = Vec::new();
    let mut steps = Vec::new();
    for ((run, dy), ds) in runs.iter().zip(d_outputs).zip(d_states) {
        let (mut sequence, values) = through_time(program, derived, sizes, run, dy, ds);
        for contribution in &derived.contributions {
            values.iter().for_each(|nodes| add_to_memories(contribution, nodes, &run.memories, &mut sequence.memories));
        }
        sequences.push(sequence);
        steps.push(values);
    }
    let totals = totals(program, derived, sizes, &steps);
    let zeros = |dims: &[crate::Dim]| -> Vec<Value> { dims.iter().map(|d| vec![0.0; d.at(sizes)]).collect() };
    let (memories, inputs) = (zeros(&program.memories), zeros(&program.inputs));
    let invariant = forward(program, sizes, params, &memories, &inputs, &zeros(&program.states));
    let mut by_params = epilogue(derived, sizes, &invariant, &totals);
    for (value, shape) in by_params.iter_mut().zip(&program.params) {
        value.resize(count(*shape, sizes), 0.0);
    }
    Gradients { params: by_params, sequences }
}

/// One sequence from its last step to its first: its own gradients, and per step the values of all backward nodes.
fn through_time(
    program: &Program,
    derived: &Backward,
    sizes: Sizes,
    run: &Run,
    d_outputs: &[Value],
    d_last: &[Value],
) -> (SequenceGradients, Vec<Vec<Value>>) {
    let mut d_states = d_last.to_vec();
    let (mut inputs, mut steps) = (Vec::new(), Vec::new());
    for (values, dy) in run.nodes.iter().zip(d_outputs).rev() {
        let nodes = backward(derived, sizes, &run.memories, values, dy, &d_states);
        let take = |n: &Option<crate::program::NodeId>, len: usize| {
            n.map_or_else(|| vec![0.0; len], |n| nodes[n.index()].clone())
        };
        d_states = derived.states.iter().zip(&program.states).map(|(n, d)| take(n, d.at(sizes))).collect();
        inputs.push(derived.inputs.iter().zip(&program.inputs).map(|(n, d)| take(n, d.at(sizes))).collect());
        steps.push(nodes);
    }
    inputs.reverse();
    steps.reverse();
    let memories = run.memories.iter().map(|m| vec![0.0; m.len()]).collect();
    (SequenceGradients { inputs, initial: d_states, memories }, steps)
}

/// The contributions of all steps and sequences, summed per invariant node of the forward program.
fn totals(program: &Program, derived: &Backward, sizes: Sizes, steps: &[Vec<Vec<Value>>]) -> Vec<Value> {
    let mut totals = vec![Value::new(); program.nodes.len()];
    let longest = steps.iter().map(Vec::len).max().unwrap_or(0);
    for contribution in &derived.contributions {
        let Some(target) = contribution.target() else { continue };
        let shape = program.nodes[target.index()].shape;
        let mut total = std::mem::take(&mut totals[target.index()]);
        total.resize(count(shape, sizes), 0.0);
        for t in 0..longest {
            for sequence in steps.iter().filter(|s| s.len() > t) {
                contribute(contribution, &sequence[t], &mut total);
            }
        }
        totals[target.index()] = total;
    }
    totals
}

/// What a step adds to the gradients of memories.
fn add_to_memories(contribution: &Contribution, nodes: &[Value], memories: &[Value], gradients: &mut [Value]) {
    let Contribution::Memory { how, query, weight, gradient } = *contribution else { return };
    let (keys, values) = (how.keys.index(), how.values.index());
    let [query, gradient] = [query, gradient].map(|n| &nodes[n.index()]);
    let attention = super::attention(how, query, weight.map(|n| &nodes[n.index()][..]), memories);
    let mut d_keys = std::mem::take(&mut gradients[keys]);
    let d_values = if keys == values { None } else { Some(&mut gradients[values][..]) };
    attention.add_to_memories(gradient, &mut d_keys, d_values);
    gradients[keys] = d_keys;
}

fn contribute(contribution: &Contribution, nodes: &[Value], total: &mut [f64]) {
    match *contribution {
        Contribution::Value { value, .. } => {
            total.iter_mut().zip(&nodes[value.index()]).for_each(|(sum, x)| *sum += x);
        }
        Contribution::Outer { left, right, .. } => {
            let right = &nodes[right.index()];
            for (row, l) in total.chunks_mut(right.len().max(1)).zip(&nodes[left.index()]) {
                row.iter_mut().zip(right).for_each(|(sum, r)| *sum = l.mul_add(*r, *sum));
            }
        }
        Contribution::Memory { .. } => {}
    }
}
