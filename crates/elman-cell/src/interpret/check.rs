//! Gradients against differences.
//!
//! The loss is a random linear function of all outputs and last states, L = Σ ⟨wₜ, yₜ⟩ + Σ ⟨u, s⟩. Entry by entry the
//! derived gradient is compared with the difference of fourth order
//!
//!   ( 8 L(x + ε) − 8 L(x − ε) − L(x + 2ε) + L(x − 2ε) ) / 12 ε
//!
//! and once more along one random direction through everything, the two sides of ⟨v, J u⟩ = ⟨Jᵀ v, u⟩.
//! ε goes from 1e-3 down to 1e-6, and the best agreement counts: a kink (of relu, of max) that a wide difference steps
//! over is not in a narrow one, while a wrong derivative agrees with none.

use crate::cell::Shape;
use crate::dim::Sizes;
use crate::interpret::{Gradients, Run, Value, count, gradients, run};
use crate::program::{Backward, Program};

/// At most this many entries of a parameter, an input or a state are compared, spread evenly.
const ENTRIES: usize = 48;
/// Widths of the differences.
const WIDTHS: [f64; 4] = [1e-3, 1e-4, 1e-5, 1e-6];
/// Agreement at which no narrower difference is tried.
const ENOUGH: f64 = 1e-9;
/// An entry smaller than this part of its tensor's largest is measured against that part.
const OF_TENSOR: f64 = 1e-3;
/// The same for the largest entry of all tensors: a gradient that is 0 but for rounding has nothing else to be compared with.
const OF_ALL: f64 = 1e-4;

/// Where a gradient is checked.
#[derive(Clone, Debug)]
pub struct Point {
    /// The sizes.
    pub sizes: Sizes,
    /// Per parameter.
    pub params: Vec<Value>,
    /// Per memory: its slots, one after another.
    pub memories: Vec<Value>,
    /// Per step, per input.
    pub inputs: Vec<Vec<Value>>,
    /// Per state.
    pub initial: Vec<Value>,
}

impl Point {
    /// A random point: matrices uniform in ±1.5/√columns, all else in ±1; memories of one slot more than steps.
    pub fn random(program: &Program, sizes: Sizes, steps: usize, seed: u64) -> Point {
        let mut random = Random(seed);
        let params = program.params.iter().map(|&shape| {
            let scale = if let Shape::Matrix(_, c) = shape { 1.5 / (c.at(sizes).max(1) as f64).sqrt() } else { 1.0 };
            random.values(count(shape, sizes), scale)
        });
        let params = params.collect();
        let inputs = (0..steps).map(|_| program.inputs.iter().map(|d| random.values(d.at(sizes), 1.0)).collect());
        let inputs = inputs.collect();
        let initial = program.states.iter().map(|d| random.values(d.at(sizes), 1.0)).collect();
        let memories = program.memories.iter().map(|d| random.values((steps + 1) * d.at(sizes), 1.0)).collect();
        Point { sizes, params, memories, inputs, initial }
    }

    /// Parameters, then inputs over all steps, then states, then memories, each as a list of entries.
    fn tensors(&mut self) -> Vec<Vec<&mut f64>> {
        let mut all: Vec<Vec<&mut f64>> = self.params.iter_mut().map(|p| p.iter_mut().collect()).collect();
        let first = all.len();
        for step in &mut self.inputs {
            all.resize_with(all.len().max(first + step.len()), Vec::new);
            step.iter_mut().zip(&mut all[first..]).for_each(|(x, entries)| entries.extend(x));
        }
        all.extend(self.initial.iter_mut().chain(&mut self.memories).map(|s| s.iter_mut().collect::<Vec<_>>()));
        all
    }
}

/// The worst relative errors found: |derived − difference| over the largest of |derived|, |difference|, 1e-3 of the
/// largest entry of the tensor, and 1e-4 of the largest entry of all tensors. Infinite where a number is not finite.
#[derive(Clone, Debug)]
pub struct GradientCheck {
    /// Per parameter.
    pub params: Vec<f64>,
    /// Per input.
    pub inputs: Vec<f64>,
    /// Per state: by its initial value.
    pub states: Vec<f64>,
    /// Per memory.
    pub memories: Vec<f64>,
    /// Along a random direction through all of them, over the larger side or 1e-3 of the gradient's norm.
    pub direction: f64,
}

impl GradientCheck {
    /// The worst of all.
    pub fn worst(&self) -> f64 {
        [&self.params, &self.inputs, &self.states, &self.memories]
            .into_iter()
            .flatten()
            .fold(self.direction, |m, &x| m.max(x))
    }
}

/// Compares the derived gradients of a program with differences, at a point; `seed` draws the loss and the direction.
pub fn check_gradient(program: &Program, derived: &Backward, point: &Point, seed: u64) -> GradientCheck {
    let mut random = Random(seed);
    let loss = Loss::random(program, point, &mut random);
    let derived = loss.gradient(program, derived, point);
    let largest_of_all = derived.iter().flatten().fold(0.0, |m: f64, x| m.max(x.abs()));
    let mut worst = Vec::new();
    for (tensor, gradient) in derived.iter().enumerate() {
        let largest = gradient.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let floor = (OF_TENSOR * largest).max(OF_ALL * largest_of_all);
        let stride = gradient.len().div_ceil(ENTRIES).max(1);
        let errors = gradient.iter().enumerate().step_by(stride).map(|(entry, &derived)| {
            best(derived, floor, |width| {
                loss.difference(program, point, width, |p, by| *p.tensors()[tensor][entry] += by)
            })
        });
        worst.push(errors.fold(0.0, f64::max));
    }
    let memories = worst.split_off(program.params.len() + program.inputs.len() + program.states.len());
    let states = worst.split_off(program.params.len() + program.inputs.len());
    let inputs = worst.split_off(program.params.len());
    let direction = loss.direction(program, point, &derived, &mut random);
    GradientCheck { params: worst, inputs, states, memories, direction }
}

/// The smallest relative error over the widths.
fn best(derived: f64, floor: f64, difference: impl Fn(f64) -> f64) -> f64 {
    let mut best = f64::INFINITY;
    for width in WIDTHS {
        let difference = difference(width);
        let error = (derived - difference).abs();
        let relative = if error == 0.0 { 0.0 } else { error / derived.abs().max(difference.abs()).max(floor) };
        best = best.min(if relative.is_nan() { f64::INFINITY } else { relative });
        if best < ENOUGH {
            break;
        }
    }
    best
}

/// L = Σ ⟨wₜ, yₜ⟩ + Σ ⟨u, s⟩.
struct Loss {
    outputs: Vec<Value>,
    states: Vec<Value>,
}

impl Loss {
    fn random(program: &Program, point: &Point, random: &mut Random) -> Loss {
        let units = count(program.nodes[program.output.index()].shape, point.sizes);
        let outputs = point.inputs.iter().map(|_| random.values(units, 1.0)).collect();
        let states = point.initial.iter().map(|s| random.values(s.len(), 1.0)).collect();
        Loss { outputs, states }
    }

    fn value(&self, run: &Run) -> f64 {
        let dot =
            |a: &[Value], b: &[Value]| -> f64 { a.iter().flatten().zip(b.iter().flatten()).map(|(x, y)| x * y).sum() };
        dot(&self.outputs, &run.outputs) + dot(&self.states, &run.states)
    }

    /// The derived gradient, in the order of [`Point::tensors`].
    fn gradient(&self, program: &Program, derived: &Backward, point: &Point) -> Vec<Value> {
        let run = run(program, point.sizes, &point.params, &point.memories, &point.inputs, &point.initial);
        let (dy, ds) = (vec![self.outputs.clone()], vec![self.states.clone()]);
        let Gradients { params, mut sequences } =
            gradients(program, derived, point.sizes, &point.params, &[run], &dy, &ds);
        let mut all = params;
        if let Some(sequence) = sequences.pop() {
            let by_input = |i: usize| sequence.inputs.iter().flat_map(move |step| step[i].clone()).collect();
            all.extend((0..program.inputs.len()).map(by_input));
            all.extend(sequence.initial.clone());
            all.extend(sequence.memories.clone());
        }
        all
    }

    /// The difference of the loss when `shift` moves a point by a number.
    fn difference(&self, program: &Program, at: &Point, width: f64, shift: impl Fn(&mut Point, f64)) -> f64 {
        let loss = |by: f64| {
            let mut moved = at.clone();
            shift(&mut moved, by);
            self.value(&run(program, moved.sizes, &moved.params, &moved.memories, &moved.inputs, &moved.initial))
        };
        let near = loss(width) - loss(-width);
        let far = loss(2.0 * width) - loss(-2.0 * width);
        (8.0 * near - far) / (12.0 * width)
    }

    /// ⟨v, J u⟩ against ⟨Jᵀ v, u⟩ for a random u of length 1 in every entry's mean.
    fn direction(&self, program: &Program, point: &Point, derived: &[Value], random: &mut Random) -> f64 {
        let u: Vec<Value> = derived.iter().map(|t| random.values(t.len(), 1.0)).collect();
        let along: f64 = derived.iter().flatten().zip(u.iter().flatten()).map(|(g, u)| g * u).sum();
        let norm = derived.iter().flatten().map(|g| g * g).sum::<f64>().sqrt();
        best(along, OF_TENSOR * norm, |width| {
            self.difference(program, point, width, |p, by| {
                let entries = p.tensors().into_iter().flatten();
                entries.zip(u.iter().flatten()).for_each(|(entry, u)| *entry += by * u);
            })
        })
    }
}

/// splitmix64 (Steele et al. 2014): enough for test points.
struct Random(u64);

impl Random {
    /// Numbers uniform in ±`scale`.
    fn values(&mut self, count: usize, scale: f64) -> Value {
        (0..count).map(|_| scale * (2.0 * self.unit() - 1.0)).collect()
    }

    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
