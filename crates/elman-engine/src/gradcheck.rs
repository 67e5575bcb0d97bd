//! Gradients of a whole network against differences, in `f64`.
//!
//! The loss is a random linear function of all outputs and final states, L = ⟨w, y⟩ + ⟨u, s⟩. Entry by entry, the
//! engine's gradient is compared with the difference of fourth order
//!
//!   ( 8 L(x + ε) − 8 L(x − ε) − L(x + 2ε) + L(x − 2ε) ) / 12 ε
//!
//! ε goes from 1e-3 to 1e-6 and the best agreement counts: a kink (of relu, of max) that a wide difference steps over
//! is not in a narrow one, while a wrong derivative agrees with none.
//!
//! The error is |derived − difference| over the largest of |derived|, |difference|, 1e-3 of the largest entry of the
//! tensor's gradient and 1e-4 of the largest of all: an entry that is zero but for rounding has nothing else to be
//! measured by.

use crate::batch::{Batch, Memory, Outputs};
use crate::error::EngineError;
use crate::network::Network;
use crate::random::Random;
use crate::runner::{Options, Runner};
use crate::weights::Weights;

/// What the relative errors are divided by, in words.
pub const DENOMINATOR: &str =
    "max(|derived|, |difference|, 1e-3 of the tensor's largest gradient entry, 1e-4 of the largest of all)";

const OF_TENSOR: f64 = 1e-3;
const OF_ALL: f64 = 1e-4;
const WIDTHS: [f64; 4] = [1e-3, 1e-4, 1e-5, 1e-6];
const ENOUGH: f64 = 1e-9;

/// Where, and how much, to check.
#[derive(Clone, Debug)]
pub struct GradientPoint {
    /// Steps of the longest sequence.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Their lengths; all `steps` if absent.
    pub lengths: Option<Vec<usize>>,
    /// Draws weights, inputs, states and loss.
    pub seed: u64,
    /// At most this many entries of a tensor are compared, spread evenly.
    pub entries: usize,
}

/// The worst relative error of one tensor's gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorError {
    /// Its name in files; of an initial state, the state's.
    pub name: String,
    /// The worst relative error; infinite where a number is not finite.
    pub error: f64,
    /// Entries compared.
    pub entries: usize,
}

/// Per parameter, input and initial state.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientReport {
    /// In the order of [`Network::parameters`].
    pub parameters: Vec<TensorError>,
    /// In the order of [`Network::inputs`].
    pub inputs: Vec<TensorError>,
    /// In the order of [`Network::states`].
    pub states: Vec<TensorError>,
    /// In the order of [`Network::memories`].
    pub memories: Vec<TensorError>,
}

impl GradientReport {
    /// The worst of all.
    pub fn worst(&self) -> f64 {
        let all = self.parameters.iter().chain(&self.inputs).chain(&self.states).chain(&self.memories);
        all.fold(0.0, |m, t| m.max(t.error))
    }
}

/// Weights, then inputs, then memories, then initial states, as one list of tensors.
struct Point {
    tensors: Vec<Vec<f64>>,
    parameters: usize,
    inputs: usize,
    memories: usize,
}

impl Point {
    /// Tensors ahead of the states.
    fn ahead(&self) -> usize {
        self.parameters + self.inputs + self.memories
    }
}

struct Check<'a> {
    network: &'a Network,
    at: &'a GradientPoint,
    runner: Runner<f64>,
    loss_y: Vec<f64>,
    loss_states: Vec<Vec<f64>>,
}

/// Checks every gradient of a network.
///
/// # Errors
/// As [`Runner::new`] and [`Runner::forward`].
pub fn check_gradients(network: &Network, at: &GradientPoint) -> Result<GradientReport, EngineError> {
    let mut random = Random::new(at.seed, 0);
    let mut point = random_point(network, at, &mut random);
    let mut draw = |n: usize| (0..n).map(|_| 2.0 * random.uniform() - 1.0).collect::<Vec<f64>>();
    let loss_y = draw(at.steps * at.batch * network.output_size());
    let loss_states = network.states().iter().map(|t| draw(at.batch * t.count())).collect();
    let weights = Weights(point.tensors[..point.parameters].to_vec());
    let runner = Runner::new(network, &weights, Options::new().with_backward())?;
    let mut check = Check { network, at, runner, loss_y, loss_states };
    let mut derived = check.derived(&point)?;
    if check.learned() {
        derived.truncate(point.ahead());
    }
    let of_all = OF_ALL * largest(derived.iter().flatten());
    let mut errors = vec![];
    for (tensor, gradient) in derived.iter().enumerate() {
        let floor = (OF_TENSOR * largest(gradient)).max(of_all);
        let stride = gradient.len().div_ceil(at.entries.max(1)).max(1);
        let mut worst: (f64, usize) = (0.0, 0);
        for entry in (0..gradient.len()).step_by(stride) {
            worst = (worst.0.max(check.entry(&mut point, tensor, entry, gradient[entry], floor)?), worst.1 + 1);
        }
        errors.push(worst);
    }
    let ahead = network.parameters().iter().chain(network.inputs()).chain(network.memories());
    let names = ahead.chain(network.states());
    let mut all: Vec<TensorError> =
        names.zip(errors).map(|(t, (error, entries))| TensorError { name: t.name.clone(), error, entries }).collect();
    let states = all.split_off(point.ahead());
    let memories = all.split_off(point.parameters + point.inputs);
    let inputs = all.split_off(point.parameters);
    Ok(GradientReport { parameters: all, inputs, states, memories })
}

fn largest<'a>(v: impl IntoIterator<Item = &'a f64>) -> f64 {
    v.into_iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// Matrices uniform in ±1.5/√columns, everything else in ±1: off the kinks, and away from saturation.
fn random_point(network: &Network, at: &GradientPoint, random: &mut Random) -> Point {
    let mut draw = |n: usize, scale: f64| (0..n).map(|_| scale * (2.0 * random.uniform() - 1.0)).collect::<Vec<f64>>();
    let mut tensors = vec![];
    for t in network.parameters() {
        let scale = t.shape.get(1).map_or(1.0, |c| 1.5 / (*c as f64).sqrt());
        tensors.push(draw(t.count(), scale));
    }
    for t in network.inputs() {
        tensors.push(draw(at.steps * at.batch * t.count(), 1.0));
    }
    for t in network.memories() {
        tensors.push(draw(slots(at) * at.batch * t.count(), 1.0));
    }
    for t in network.states() {
        tensors.push(draw(at.batch * t.count(), 1.0));
    }
    let (parameters, inputs) = (network.parameters().len(), network.inputs().len());
    Point { tensors, parameters, inputs, memories: network.memories().len() }
}

/// Slots of a memory: one more than steps, so that the two are told apart.
fn slots(at: &GradientPoint) -> usize {
    at.steps + 1
}

/// Memories are ragged: sequence b has b slots fewer than there are, at least one.
fn memory_lengths(at: &GradientPoint) -> Vec<usize> {
    (0..at.batch).map(|b| slots(at).saturating_sub(b).max(1)).collect()
}

impl Check<'_> {
    fn run(&mut self, point: &Point) -> Result<Outputs<f64>, EngineError> {
        self.runner.set_weights(&Weights(point.tensors[..point.parameters].to_vec()))?;
        let given = &point.tensors[point.parameters..];
        let (inputs, rest) = given.split_at(point.inputs);
        let (memories, states) = rest.split_at(point.memories);
        let (slots, lengths) = (slots(self.at), memory_lengths(self.at));
        let memories = memories.iter().map(|values| Memory { slots, values, lengths: Some(&lengths) });
        self.runner.forward(&Batch {
            steps: self.at.steps,
            batch: self.at.batch,
            inputs: inputs.iter().map(Vec::as_slice).collect(),
            lengths: self.at.lengths.as_deref(),
            mask: None,
            // A learned initial state is checked as the parameter it is.
            initial: (!self.learned()).then_some(states),
            memories: memories.collect(),
        })
    }

    fn learned(&self) -> bool {
        self.network.spec().cell.states.iter().any(|s| s.initial.is_some())
    }

    fn loss(&mut self, point: &Point) -> Result<f64, EngineError> {
        let out = self.run(point)?;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let states: f64 = out.states.iter().zip(&self.loss_states).map(|(s, u)| dot(s, u)).sum();
        Ok(dot(&out.y, &self.loss_y) + states)
    }

    fn derived(&mut self, point: &Point) -> Result<Vec<Vec<f64>>, EngineError> {
        self.run(point)?;
        let g = self.runner.backward(&self.loss_y, Some(&self.loss_states))?;
        debug_assert_eq!(g.parameters.len(), self.network.parameters().len());
        Ok(g.parameters.into_iter().chain(g.inputs).chain(g.memories).chain(g.initial).collect())
    }

    /// The relative error of one entry.
    fn entry(
        &mut self,
        p: &mut Point,
        tensor: usize,
        entry: usize,
        derived: f64,
        floor: f64,
    ) -> Result<f64, EngineError> {
        let value = p.tensors[tensor][entry];
        let mut best = f64::INFINITY;
        for width in WIDTHS {
            let mut at = |by: f64| {
                p.tensors[tensor][entry] = value + by;
                self.loss(p)
            };
            let (near, far) = (at(width)? - at(-width)?, at(2.0 * width)? - at(-2.0 * width)?);
            p.tensors[tensor][entry] = value;
            let difference = (8.0 * near - far) / (12.0 * width);
            let error = (derived - difference).abs();
            let relative = if error == 0.0 { 0.0 } else { error / derived.abs().max(difference.abs()).max(floor) };
            best = best.min(if relative.is_nan() { f64::INFINITY } else { relative });
            if best < ENOUGH {
                break;
            }
        }
        Ok(best)
    }
}
