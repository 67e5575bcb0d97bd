//! How much memory running takes, in numbers (4 bytes each in `f32`), said before anything is taken.
//!
//! Counted is what grows with sizes: weights, packings, plans, sheets, scratch memory, and what goes in and comes out. Some
//! tens of kilobytes a layer are not.

use elman_kernel::code::{LANES, Phase};
use elman_kernel::{Isa, Machine};

use crate::explain::Workload;
use crate::invariants::extent;
use crate::network::Network;
use crate::plan::{Frame, MatrixPlan, Mode, Plan};
use crate::runner::{segment_steps, segment_tokens};
use crate::tokens::even;

/// The packing of a batch, per token: two indices of 8 bytes.
const INDICES: usize = 4;

/// A forward run over a batch of equal lengths: the caller's weights, inputs and outputs, and the runner.
pub fn forward(network: &Network, work: Workload) -> usize {
    let cells = work.steps.saturating_mul(work.batch);
    let given: usize = network.inputs().iter().map(|t| t.count()).sum();
    parameters(network)
        .saturating_add(memories(network, work))
        .saturating_add(cells.saturating_mul(given + network.output_size()))
        .saturating_add(runner(network, work, Mode::Whole))
}

/// Forward and backward over a batch of equal lengths: the caller's weights, inputs, outputs and all gradients, and the
/// runner. The output's memory is taken to be used again for a gradient by the input.
pub fn training(network: &Network, work: Workload) -> usize {
    let cells = work.steps.saturating_mul(work.batch);
    let given: usize = network.inputs().iter().map(|t| t.count()).sum();
    let output = network.output_size();
    let first = network.inputs().first().map_or(0, |t| t.count());
    (2 * (parameters(network) + memories(network, work)))
        .saturating_add(cells.saturating_mul(2 * given - first + first.max(output) + output))
        .saturating_add(training_runner(network, work))
}

/// A runner that was made for gradients, over a batch of equal lengths.
pub fn training_runner(network: &Network, work: Workload) -> usize {
    runner(network, work, if work.recompute { Mode::TrainParts } else { Mode::Train })
}

/// The caller's memories.
fn memories(network: &Network, work: Workload) -> usize {
    let dims: usize = network.memories().iter().map(|t| t.count()).sum();
    work.slots.saturating_mul(work.batch).saturating_mul(dims)
}

fn parameters(network: &Network) -> usize {
    network.parameters().iter().map(|t| t.count()).sum()
}

fn runner(network: &Network, work: Workload, mode: Mode) -> usize {
    let (spec, tokens) = (network.spec(), work.steps.saturating_mul(work.batch));
    let (directions, parts) = (spec.directions(), mode == Mode::TrainParts);
    let held = match mode {
        Mode::TrainParts => work.batch.saturating_mul(segment_steps(work.steps)),
        Mode::Train => tokens,
        Mode::Whole | Mode::Stream => {
            let bytes = (0..spec.layers).map(|l| 4 * token_numbers(network, l)).max().unwrap_or(0);
            even(tokens, segment_tokens(bytes, work.threads)).div_ceil(work.batch.max(1)).saturating_mul(work.batch)
        }
    };
    let states: usize = network.states().iter().map(|t| t.count()).sum();
    // The states where segments start.
    let starts = if parts { work.batch * states * work.steps.div_ceil(segment_steps(work.steps).max(1)) } else { 0 };
    let frame = Frame { batch: work.batch, tokens: held, slots: work.slots, mode, weight_bytes: size_of::<f32>() };
    let own = |layer| layer_memory(network, layer, frame, work.threads);
    let layers: usize = (0..spec.layers).map(own).fold(0, usize::saturating_add);
    layers
        .saturating_mul(directions)
        .saturating_add(starts)
        .saturating_add(tokens.saturating_mul(sheets(network, mode) + INDICES))
}

/// Numbers of work memory that a token of a layer takes without gradients.
fn token_numbers(network: &Network, layer: usize) -> usize {
    let frame = |tokens| Frame { batch: 1, tokens, slots: 1, mode: Mode::Whole, weight_bytes: size_of::<f32>() };
    Plan::numbers_a_token(frame, network.schedule(), network.sizes(layer), &[])
}

/// Numbers a token of what layers hand to each other.
fn sheets(network: &Network, mode: Mode) -> usize {
    let widths: Vec<usize> = (0..network.spec().layers).map(|l| network.layer_output(l)).collect();
    let between = &widths[..widths.len().saturating_sub(1)];
    let widest = between.iter().max().copied().unwrap_or(0);
    match mode {
        Mode::TrainParts => between.iter().sum::<usize>() + widest * between.len().min(2),
        _ => widest * between.len().min(2),
    }
}

fn layer_memory(network: &Network, layer: usize, frame: Frame, threads: usize) -> usize {
    let plan = Plan::new(network.schedule(), network.sizes(layer), frame, &[]);
    let packed = |m: &MatrixPlan| m.units.next_multiple_of(LANES) * m.members.len() * m.segments.iter().sum::<usize>();
    let packed: usize = plan.weights.matrices.iter().map(packed).sum();
    let scratch = |code: &Vec<Phase>| {
        let shapes = plan.weights.matrices.iter().map(MatrixPlan::shape).collect();
        let machine = Machine::<f32>::new(Isa::detect(), code.clone(), plan.memory, plan.weights.memory, shapes);
        machine.map_or(0, |m| m.scratch())
    };
    let scratch: usize = [&plan.forward, &plan.backward, &plan.gradient].map(scratch).iter().sum();
    // Values that are evaluated behind the backward run, all held at once.
    let nodes = &network.schedule().backward.epilogue;
    let area = |shape| {
        let (rows, columns) = extent(shape, network.sizes(layer));
        rows * columns
    };
    let behind = plan.epilogue(network.schedule());
    let behind: usize = behind.iter().map(|n| area(nodes[n.index()].shape)).sum();
    let mut read = plan.read_params(network.schedule());
    read.sort_unstable();
    read.dedup();
    let kept: usize = read.iter().map(|p| area(network.schedule().program.params[*p])).sum();
    plan.memory.saturating_add(plan.weights.memory + packed + kept + behind + scratch * threads)
}
