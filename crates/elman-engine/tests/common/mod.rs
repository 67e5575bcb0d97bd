//! What the tests of the engine share: cells, random numbers, comparisons.
#![allow(dead_code)]

use std::sync::Arc;

use elman_cell::Cell;
use elman_engine::{
    Batch, Gradients, Memory, Merge, Network, Options, Outputs, Random, Real, Runner, Spec, Team, Weights,
};

/// Cells beyond the built-in ones, so that every construct of the language runs.
pub const WRITTEN: &[(&str, &str)] = &[
    ("antisymmetric", "h' = h + 0.1 * tanh((W - W^T) h - 0.5 * h + V x + b)"),
    (
        "layer-norm-lstm",
        "f = sigmoid(layer_norm(W_f x + U_f h) + b_f)\ni = sigmoid(layer_norm(W_i x + U_i h) + b_i)\n\
      g = tanh(layer_norm(W_g x + U_g h) + b_g)\nc' = f * c + i * g\nh' = sigmoid(W_o x + U_o h) * tanh(a * layer_norm(c') + d)",
    ),
    ("attention-like", "s = softmax(W x + U h + b)\nh' = tanh(s * (V x) + norm(h) * p)"),
    ("output", "h' = tanh(W x + U h + b)\ny = V h' + c"),
    ("own-size", "state m : 3\nm' = tanh(W_m x + U_m m + b_m)\nh' = tanh(W_h x + U_h h + P m' + b_h)"),
    ("concatenation", "r = sigmoid(W_r [h, x] + b_r)\nh' = tanh(W [r * h; x] + b)"),
    ("concatenated-values", "h' = tanh(W layer_norm([h, x]) + b)"),
    ("learned-scalar", "param a : 1\nh' = tanh(a * (W x) + exp(a) * h + b)"),
    ("learned-start", "learn h\nh' = tanh(W x + U h + b)"),
    ("used-twice", "z = sigmoid(W x + U h + b)\nh' = tanh(W x + U (z * h) + b)"),
    ("row-vectors", "h' = tanh(h W_1 + x W_2 + b)"),
    ("previous-output", "h' = tanh(W x + U h + b)\ny = V h"),
    ("shared-state-value", "c' = 0.5 * c + tanh(W x + U h + b)\nh' = c'"),
    ("linear", "h' = W x + U h"),
    ("two-inputs", "input c : 4\nh' = tanh(W x + V c + U h + b)"),
    (
        "functions",
        "u = W x + U h + b\nv = silu(u) + 0.3 * softplus(u) - gelu(u) + 0.1 * softsign(u) + elu(u) * sin(u)\n\
      w = v - cos(u) / (2 + abs(u)) + log(2 + u^2) + sqrt(1 + u * u) - mean(u) + sum(u) * 0.01\nh' = tanh(0.2 * w)",
    ),
    ("attends-twice", "memory m\na = attend(h, m)\nc = attend_scaled(W_q x + b_q, m)\nh' = tanh(W x + U a + V c + h)"),
    (
        "attends-behind",
        "memory k : 3\nmemory v : hidden\nh' = tanh(W x + U h + b)\na = attend(W_q h', k, v)\ny = tanh(V_h h' + V_a a)",
    ),
    ("attends-by-weights", "memory m\na = attend_additive(q, tanh(W_u h), m)\nh' = tanh(W x + U h + A a)"),
    ("products-in-a-row", "h' = tanh(A (B h) + W x + b)"),
    (
        "coupled",
        "f = sigmoid(W_f x + U_f h + V c + b_f)\nc' = f * c + (1 - f) * tanh(W_c x + U_c h + b_c)\nh' = sigmoid(W_o x + U_o h + V c' + b_o) * tanh(c')",
    ),
];

/// Slots of a memory: not a multiple of 4, which go side by side, nor of 16 lanes.
pub const SLOTS: usize = 21;

/// A random cell that attends: one to three memories, one to four attentions of any score, each by a query made of the
/// input, a state or what another attention gave, and sometimes one that no later step waits for.
pub fn attending(seed: u64) -> String {
    let mut random = Random::new(seed, 77);
    let mut below = |n: usize| (random.uniform() * n as f64) as usize;
    let memories = 1 + below(3);
    let mut text: String =
        (0..memories).map(|m| format!("memory m{m} : {}\n", ["1", "3", "hidden", "17"][below(4)])).collect();
    let mut vectors = vec!["x".to_string(), "h".to_string()];
    let count = 1 + below(4);
    for a in 0..count {
        text += &format!("a{a} = {}\n", attention(a, memories, &vectors, &mut below));
        vectors.push(format!("a{a}"));
    }
    let sums: String = (0..count).map(|a| format!(" + A_{a} a{a}")).collect();
    text += &format!("h' = tanh(W x + U h + b{sums})\n");
    if below(2) == 0 {
        text += &format!("y = tanh(V h' + B {})\n", attention(9, memories, &["h'".to_string()], &mut below));
    }
    text
}

fn attention(name: usize, memories: usize, vectors: &[String], below: &mut impl FnMut(usize) -> usize) -> String {
    let mut vector = |matrix: &str| format!("{matrix}_{name} {}", vectors[below(vectors.len())]);
    let (query, weight) = (vector("Q"), vector("T"));
    let query = [format!("{query} + q_{name}"), query, format!("q_{name}")][below(3)].clone();
    let (keys, values) = (below(memories), below(memories));
    let memories = [format!("m{keys}"), format!("m{keys}, m{values}")][below(2)].clone();
    match below(4) {
        0 => format!("attend({query}, {memories})"),
        1 => format!("attend_scaled({query}, {memories})"),
        2 => format!("attend_additive({query}, u_{name}, {memories})"),
        _ => format!("attend_additive({query}, tanh({weight}), {memories})"),
    }
}

/// All built-in cells and the written ones.
pub fn all_cells() -> Vec<(String, Arc<Cell>)> {
    let built_in = elman_cell::builtin::names().iter().filter_map(|n| Some((*n, elman_cell::builtin::source(n)?)));
    built_in.chain(WRITTEN.iter().copied()).map(|(n, s)| (n.to_string(), cell(n, s))).collect()
}

pub fn cell(name: &str, source: &str) -> Arc<Cell> {
    match elman_cell::parse(name, source) {
        Ok(c) => Arc::new(c),
        Err(d) => panic!("{}", d.render(name, source)),
    }
}

/// Whether the equations allow an input of another size than the state.
pub fn free_input(cell: &Cell) -> bool {
    cell.requirements.is_empty()
}

/// A network of the cell, at sizes that its equations allow.
pub fn network(cell: &Arc<Cell>, layers: usize, bidirectional: bool, input: usize, hidden: usize) -> Network {
    let merge = if free_input(cell) { Merge::Concat } else { Merge::Sum };
    let input = if free_input(cell) { input } else { hidden };
    let layers = if cell.inputs.len() > 1 { 1 } else { layers };
    let spec = Spec { layers, bidirectional, merge, ..Spec::new(cell.clone(), input, hidden) };
    Network::new(spec).unwrap()
}

pub fn random<T: Real>(count: usize, stream: u64) -> Vec<T> {
    let mut r = Random::new(11, stream);
    (0..count).map(|_| T::from_f64(2.0 * r.uniform() - 1.0)).collect()
}

/// Everything that a run needs, drawn once.
pub struct Data<T> {
    pub weights: Weights<T>,
    pub inputs: Vec<Vec<T>>,
    pub initial: Vec<Vec<T>>,
    /// [slots, batch, dim] each.
    pub memories: Vec<Vec<T>>,
    pub slots: Vec<usize>,
    pub dy: Vec<T>,
    pub d_states: Vec<Vec<T>>,
}

impl<T: Real> Data<T> {
    pub fn draw(n: &Network, steps: usize, batch: usize) -> Data<T> {
        let mut k = 0;
        let mut next = |count: usize| {
            k += 1;
            random(count, k)
        };
        Data {
            weights: Weights(n.parameters().iter().map(|t| next(t.count())).collect()),
            inputs: n.inputs().iter().map(|t| next(steps * batch * t.count())).collect(),
            initial: n.states().iter().map(|t| next(batch * t.count())).collect(),
            memories: n.memories().iter().map(|t| next(SLOTS * batch * t.count())).collect(),
            slots: (0..batch).map(|b| SLOTS - (b * 5) % SLOTS).collect(),
            dy: next(steps * batch * n.output_size()),
            d_states: n.states().iter().map(|t| next(batch * t.count())).collect(),
        }
    }
}

impl<T> Data<T> {
    pub fn memories(&self) -> Vec<Memory<'_, T>> {
        self.memories.iter().map(|values| Memory { slots: SLOTS, values, lengths: Some(&self.slots) }).collect()
    }
}

/// Forward and backward.
pub fn run<T: Real>(
    n: &Network,
    d: &Data<T>,
    steps: usize,
    batch: usize,
    lengths: Option<&[usize]>,
    options: Options,
) -> (Outputs<T>, Gradients<T>) {
    // However small the work: what a thread does is what is tested.
    let team = Team::sharing_all(options.threads).unwrap();
    let mut runner = Runner::new(n, &d.weights, options.with_backward()).unwrap();
    let inputs = d.inputs.iter().map(Vec::as_slice).collect();
    let given = Batch { steps, batch, inputs, lengths, mask: None, initial: Some(&d.initial), memories: d.memories() };
    let (mut out, mut g) = (Outputs::default(), Gradients::default());
    runner.forward_on(&team, &given, &mut out).unwrap();
    runner.backward_on(&team, Some(&given), &d.dy, Some(&d.d_states), &mut g).unwrap();
    (out, g)
}
