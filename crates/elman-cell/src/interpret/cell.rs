//! What a checked cell means, straight from its expressions: the independent witness of lowering.
//!
//! Products are plain sums, functions are written from their definitions; nothing is shared with `lower.rs`.
//! Recursive: meant for checking, not for hostile text.

use crate::cell::{Attention, Cell, ExprId, ExprKind, Shape};
use crate::dim::{Dim, Sizes};
use crate::interpret::{Value, count, math};
use crate::op::{Function, Score, Unary};

/// The value of every equation at one step. `params` as the cell orders them, `memories`, `inputs` and `states` likewise.
pub fn step(
    cell: &Cell,
    sizes: Sizes,
    params: &[Value],
    memories: &[Value],
    inputs: &[Value],
    states: &[Value],
) -> Vec<Value> {
    let values = vec![Value::new(); cell.equations.len()];
    let mut meaning = Meaning { cell, sizes, params, memories, inputs, states, values };
    for &id in &cell.order {
        let equation = &cell.equations[id.index()];
        let mut value = meaning.of(equation.value);
        if let (Some(s), [number]) = (equation.state, &value[..]) {
            value = vec![*number; cell.states[s.index()].dim.at(sizes)];
        }
        meaning.values[id.index()] = value;
    }
    meaning.values
}

struct Meaning<'a> {
    cell: &'a Cell,
    sizes: Sizes,
    params: &'a [Value],
    memories: &'a [Value],
    inputs: &'a [Value],
    states: &'a [Value],
    values: Vec<Value>,
}

impl Meaning<'_> {
    fn of(&self, e: ExprId) -> Value {
        match &self.cell.exprs[e.index()].kind {
            ExprKind::Number(x) => vec![*x],
            ExprKind::Input(i) => self.inputs[i.index()].clone(),
            ExprKind::Previous(s) => self.states[s.index()].clone(),
            ExprKind::Value(q) => self.values[q.index()].clone(),
            ExprKind::Param(p) => self.params[p.index()].clone(),
            ExprKind::Neg(a) => self.of(*a).iter().map(|x| -x).collect(),
            ExprKind::Add(a, b) => zip(&self.of(*a), &self.of(*b), |x, y| x + y),
            ExprKind::Sub(a, b) => zip(&self.of(*a), &self.of(*b), |x, y| x - y),
            ExprKind::Mul(a, b) => zip(&self.of(*a), &self.of(*b), |x, y| x * y),
            ExprKind::Div(a, b) => zip(&self.of(*a), &self.of(*b), |x, y| x / y),
            ExprKind::Pow(a, p) => self.of(*a).iter().map(|x| x.powf(*p)).collect(),
            ExprKind::Product(m, v) => self.product(*m, *v),
            ExprKind::Transpose(m) => {
                let (rows, columns) = self.matrix(*m);
                let m = self.of(*m);
                (0..columns * rows).map(|i| m[i % rows * columns + i / rows]).collect()
            }
            ExprKind::Call(f, arguments) => {
                let values: Vec<_> = arguments.iter().map(|a| self.of(*a)).collect();
                call(*f, &values)
            }
            ExprKind::Concat(pieces) => pieces.iter().flat_map(|p| self.of(*p)).collect(),
            ExprKind::Attend { how, query, weight } => self.attend(*how, *query, *weight),
        }
    }

    fn attend(&self, how: Attention, query: ExprId, weight: Option<ExprId>) -> Value {
        let rows = |m: crate::cell::MemoryId| {
            let dim = self.cell.memories[m.index()].dim.at(self.sizes);
            self.memories[m.index()].chunks_exact(dim).collect::<Vec<_>>()
        };
        let (keys, values) = (rows(how.keys), rows(how.values));
        let spread = |v: Value| if v.len() == 1 { vec![v[0]; keys[0].len()] } else { v };
        let (q, u) = (spread(self.of(query)), weight.map(|w| spread(self.of(w))));
        let score = |k: &&[f64]| {
            let dot: f64 = q.iter().zip(*k).map(|(q, k)| q * k).sum();
            match (how.score, &u) {
                (Score::Additive, Some(u)) => u.iter().zip(&q).zip(*k).map(|((u, q), k)| u * (q + k).tanh()).sum(),
                (Score::Scaled, _) => dot / (q.len() as f64).sqrt(),
                _ => dot,
            }
        };
        let shares = call(Function::Softmax, &[keys.iter().map(score).collect()]);
        let unit = |j: usize| shares.iter().zip(&values).map(|(a, v)| a * v[j]).sum();
        (0..values[0].len()).map(unit).collect()
    }

    fn matrix(&self, m: ExprId) -> (usize, usize) {
        let at = |d: Dim| d.at(self.sizes);
        match self.cell.exprs[m.index()].shape {
            Shape::Matrix(rows, columns) => (at(rows), at(columns)),
            other => (1, count(other, self.sizes)),
        }
    }

    fn product(&self, m: ExprId, v: ExprId) -> Value {
        let (rows, columns) = self.matrix(m);
        let (m, v) = (self.of(m), self.of(v));
        (0..rows).map(|r| (0..columns).map(|c| m[r * columns + c] * v[c]).sum()).collect()
    }
}

/// f unit by unit; a single number goes with every unit.
fn zip(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Value {
    match (a.len(), b.len()) {
        (1, _) => b.iter().map(|y| f(a[0], *y)).collect(),
        (_, 1) => a.iter().map(|x| f(*x, b[0])).collect(),
        _ => a.iter().zip(b).map(|(x, y)| f(*x, *y)).collect(),
    }
}

fn call(f: Function, arguments: &[Value]) -> Value {
    let v = &arguments[0];
    let n = v.len() as f64;
    let total = |f: &dyn Fn(f64) -> f64| v.iter().map(|x| f(*x)).sum::<f64>();
    match f {
        Function::Max => zip(v, &arguments[1], |x, y| if x > y { x } else { y }),
        Function::Min => zip(v, &arguments[1], |x, y| if x < y { x } else { y }),
        Function::Sum => vec![total(&|x| x)],
        Function::Mean => vec![total(&|x| x) / n],
        Function::Norm => vec![total(&|x| x * x).sqrt()],
        Function::Softmax => {
            let largest = v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum = total(&|x| (x - largest).exp());
            v.iter().map(|x| (x - largest).exp() / sum).collect()
        }
        Function::LayerNorm => {
            let mean = total(&|x| x) / n;
            let variance = total(&|x| (x - mean) * (x - mean)) / n;
            v.iter().map(|x| (x - mean) / (variance + 1e-5).sqrt()).collect()
        }
        Function::RmsNorm => {
            let square = total(&|x| x * x) / n;
            v.iter().map(|x| x / (square + 1e-5).sqrt()).collect()
        }
        elementwise => v.iter().map(|x| of_one(elementwise, *x)).collect(),
    }
}

/// An elementwise function of one argument.
fn of_one(f: Function, x: f64) -> f64 {
    let elu = |alpha: f64| if x > 0.0 { x } else { alpha * x.exp_m1() };
    match f {
        Function::Sigmoid => math::sigmoid(x),
        Function::Tanh => x.tanh(),
        Function::Relu => x.max(0.0),
        Function::LeakyRelu if x > 0.0 => x,
        Function::LeakyRelu => 0.01 * x,
        Function::Elu => elu(1.0),
        Function::Selu => 1.050_700_987_355_480_5 * elu(1.673_263_242_354_377_2),
        Function::Gelu => x * math::normal_cdf(x),
        Function::Silu => x / (1.0 + (-x).exp()),
        Function::Softplus => math::unary(Unary::Softplus, x),
        Function::Softsign => x / (1.0 + x.abs()),
        Function::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
        Function::HardTanh => x.clamp(-1.0, 1.0),
        Function::Sin => x.sin(),
        Function::Cos => x.cos(),
        Function::Exp => x.exp(),
        Function::Log => x.ln(),
        Function::Sqrt => x.sqrt(),
        Function::Abs => x.abs(),
        Function::Sign => math::unary(Unary::Sign, x),
        _ => x,
    }
}
