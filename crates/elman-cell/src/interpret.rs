//! What programs mean: slow, obvious, in `f64`.
//!
//! A value is a `Vec<f64>`: one number for a scalar, the units of a vector, a matrix row after row, of a memory the rows
//! of the slots that its sequence has. Everything fast is
//! compared with this file, and it follows the rules of a program to the letter: affine chains and weight gradients are
//! chains of fused multiply-adds in their order, sums go over 16 lanes.
//!
//! [`run`] and [`gradients`] take whole sequences, [`cell`] gives the meaning of a checked cell without its program, and
//! [`check_gradient`] compares the derived program with differences.
//!
//! Trusts its caller for sizes: values must have the lengths that the program's shapes have at `sizes`.

mod attend;
pub mod cell;
mod check;
pub(crate) mod math;
mod sequence;

pub use check::{GradientCheck, Point, check_gradient};
pub use sequence::{Gradients, Run, SequenceGradients, gradients, run};

use crate::cell::{Attention, Shape};
use crate::dim::{Dim, Sizes};
use crate::program::{Backward, Node, NodeId, Op, Program, Term};

/// One number, the units of a vector, or a matrix row after row.
pub type Value = Vec<f64>;

/// The values of all nodes of a forward step.
pub fn forward(
    program: &Program,
    sizes: Sizes,
    params: &[Value],
    memories: &[Value],
    inputs: &[Value],
    states: &[Value],
) -> Vec<Value> {
    evaluate(&program.nodes, sizes, memories, |op| match *op {
        Op::Param(p) => params[p.index()].clone(),
        Op::Input(i) => inputs[i.index()].clone(),
        Op::State(s) => states[s.index()].clone(),
        _ => Value::new(),
    })
}

/// The values of all nodes of a backward step, from the memories, the forward values of the same step, the gradient by its
/// output and the gradients by the states after it.
pub fn backward(
    backward: &Backward,
    sizes: Sizes,
    memories: &[Value],
    forward: &[Value],
    d_output: &[f64],
    d_states: &[Value],
) -> Vec<Value> {
    evaluate(&backward.nodes, sizes, memories, |op| match *op {
        Op::Forward(n) => forward[n.index()].clone(),
        Op::OutputGradient => d_output.to_vec(),
        Op::StateGradient(s) => d_states[s.index()].clone(),
        _ => Value::new(),
    })
}

/// The gradients of parameters from the summed gradients of invariant nodes (by forward node; others empty). A
/// parameter without a gradient gets an empty value.
pub fn epilogue(backward: &Backward, sizes: Sizes, forward: &[Value], totals: &[Value]) -> Vec<Value> {
    let nodes = evaluate(&backward.epilogue, sizes, &[], |op| match *op {
        Op::Forward(n) => forward[n.index()].clone(),
        Op::Total(n) => totals[n.index()].clone(),
        _ => Value::new(),
    });
    backward.params.iter().map(|n| n.map_or_else(Value::new, |n| nodes[n.index()].clone())).collect()
}

/// The values of `nodes`, whose leaves are given by `leaf`.
pub fn evaluate(nodes: &[Node], sizes: Sizes, memories: &[Value], leaf: impl Fn(&Op) -> Value) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let value = match &node.op {
            op if op.attends() => attend(op, count(node.shape, sizes), memories, &values),
            _ => primitive(nodes, node, sizes, &values, &leaf),
        };
        values.push(value);
    }
    values
}

/// An attention, or its gradient.
fn attend(op: &Op, len: usize, memories: &[Value], values: &[Value]) -> Value {
    let get = |n: NodeId| &values[n.index()][..];
    match *op {
        Op::Attend { how, query, weight } => attention(how, get(query), weight.map(get), memories).value(len),
        Op::AttendGradient { how, query, weight, gradient } => {
            attention(how, get(query), weight.map(get), memories).gradient(get(gradient))
        }
        _ => Value::new(),
    }
}

/// What an attention reads.
fn attention<'a>(
    how: Attention,
    query: &'a [f64],
    weight: Option<&'a [f64]>,
    memories: &'a [Value],
) -> attend::Attend<'a> {
    let (keys, values) = (&memories[how.keys.index()], &memories[how.values.index()]);
    attend::Attend { score: how.score, query, weight, keys, values }
}

/// How many numbers a value of this shape has.
pub fn count(shape: Shape, sizes: Sizes) -> usize {
    match shape {
        Shape::Scalar => 1,
        Shape::Vector(d) => d.at(sizes),
        Shape::Matrix(rows, columns) => rows.at(sizes) * columns.at(sizes),
    }
}

/// The columns of a matrix; the units of anything else.
fn columns(shape: Shape, sizes: Sizes) -> usize {
    if let Shape::Matrix(_, columns) = shape { columns.at(sizes) } else { count(shape, sizes) }
}

fn primitive(nodes: &[Node], node: &Node, sizes: Sizes, values: &[Value], leaf: &impl Fn(&Op) -> Value) -> Value {
    let get = |n: crate::program::NodeId| &values[n.index()];
    let shape = |n: crate::program::NodeId| nodes[n.index()].shape;
    let len = count(node.shape, sizes);
    let at = |d: Dim| d.at(sizes);
    match &node.op {
        Op::Number(x) => vec![*x],
        Op::Length(d) => vec![at(*d) as f64],
        Op::Outer { left, right } => get(*left).iter().flat_map(|l| get(*right).iter().map(move |r| l * r)).collect(),
        Op::Transpose(m) => transpose(get(*m), columns(shape(*m), sizes)),
        Op::Columns { matrix, start } => {
            let (all, len) = (columns(shape(*matrix), sizes), columns(node.shape, sizes));
            get(*matrix).chunks(all).flat_map(|row| row[at(*start)..at(*start) + len].to_vec()).collect()
        }
        Op::PlaceColumns { matrix, start } => {
            let (all, len) = (columns(node.shape, sizes), columns(shape(*matrix), sizes));
            get(*matrix).chunks(len).flat_map(|row| place(row, at(*start), all)).collect()
        }
        Op::Affine { bias, terms } => affine(bias.map(get), terms, values, len),
        Op::Unary(f, a) => get(*a).iter().map(|&x| math::unary(*f, x)).collect(),
        Op::Binary(f, a, b) => (0..len).map(|i| math::binary(*f, unit(get(*a), i), unit(get(*b), i))).collect(),
        Op::Fma(a, b, c) => (0..len).map(|i| unit(get(*a), i).mul_add(unit(get(*b), i), unit(get(*c), i))).collect(),
        Op::Select { condition, positive, otherwise } => {
            let pick = |i| if unit(get(*condition), i) > 0.0 { get(*positive) } else { get(*otherwise) };
            (0..len).map(|i| unit(pick(i), i)).collect()
        }
        Op::Broadcast(a) => vec![get(*a)[0]; len],
        Op::Sum(v) => vec![lane_sum(get(*v))],
        Op::Largest(v) => vec![get(*v).iter().fold(f64::NEG_INFINITY, |m, &x| if x > m || x.is_nan() { x } else { m })],
        Op::Concat(pieces) => pieces.iter().flat_map(|p| get(*p).clone()).collect(),
        Op::Slice { vector, start } => get(*vector)[at(*start)..at(*start) + len].to_vec(),
        Op::PlaceSlice { vector, start } => place(get(*vector), at(*start), len),
        leaf_op => leaf(leaf_op),
    }
}

/// Unit i, of a scalar its only number.
fn unit(v: &[f64], i: usize) -> f64 {
    if v.len() == 1 { v[0] } else { v[i] }
}

/// `piece` among zeros.
fn place(piece: &[f64], start: usize, len: usize) -> Value {
    let mut all = vec![0.0; len];
    all[start..start + piece.len()].copy_from_slice(piece);
    all
}

fn transpose(matrix: &[f64], columns: usize) -> Value {
    (0..columns).flat_map(|c| matrix.iter().skip(c).step_by(columns.max(1)).copied()).collect()
}

/// Per row one chain of fused multiply-adds: from the bias or 0, over the terms, over their columns.
fn affine(bias: Option<&Value>, terms: &[Term], values: &[Value], rows: usize) -> Value {
    let element = |row: usize| {
        let start = bias.map_or(0.0, |b| b[row]);
        terms.iter().fold(start, |sum, term| {
            let vector = &values[term.vector.index()];
            let weights = &values[term.matrix.index()][row * vector.len()..][..vector.len()];
            weights.iter().zip(vector).fold(sum, |sum, (&w, &v)| w.mul_add(v, sum))
        })
    };
    (0..rows).map(element).collect()
}

/// 16 lanes, each in order, then a tree.
fn lane_sum(v: &[f64]) -> f64 {
    let mut lanes = [0.0; 16];
    for (i, x) in v.iter().enumerate() {
        lanes[i % 16] += x;
    }
    tree(lanes)
}

fn tree(mut lanes: [f64; 16]) -> f64 {
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
    }
    lanes[0]
}
