//! What the functions of the language are made of: one row each.
//!
//! softmax: the largest unit is taken away first, so that no power overflows. layer_norm: Ba et al. 2016,
//! arXiv:1607.06450. rms_norm: Zhang & Sennrich 2019, arXiv:1910.07467. elu: Clevert et al. 2016, arXiv:1511.07289.
//! selu: Klambauer et al. 2017, arXiv:1706.02515. gelu: Hendrycks & Gimpel 2016, arXiv:1606.08415, the exact form.

use crate::arena::Arena;
use crate::formula::{Formula, apply, largest, max, min, select, sum};
use crate::op::{Function, Unary};
use crate::program::NodeId;

/// Added to a variance before its root, as in the papers' code.
const EPSILON: f64 = 1e-5;
/// The slope of leaky_relu below 0.
const LEAK: f64 = 0.01;
/// The two constants of selu (Klambauer et al. 2017, equation 14).
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// The node of `f` at `arguments`.
pub(super) fn expand(arena: &mut Arena, f: Function, arguments: &[NodeId]) -> NodeId {
    let Some(&first) = arguments.first() else { return arena.number(0.0) };
    let units = arena.units(first);
    let x = &Formula::Node(first);
    let second = Formula::Node(arguments.get(1).copied().unwrap_or(first));
    let n = Formula::Length(units);
    let mean = |v: Formula| sum(v) * (1.0 / &n);
    let formula = match f {
        // An attention is an expression of its own, never a call.
        Function::Identity | Function::Attend | Function::AttendScaled | Function::AttendAdditive => x.clone(),
        Function::Sigmoid => apply(Unary::Sigmoid, x),
        Function::Tanh => apply(Unary::Tanh, x),
        Function::Relu => max(x, 0.0),
        Function::LeakyRelu => select(x, x, LEAK * x),
        Function::Elu => elu(x, 1.0),
        Function::Selu => SELU_SCALE * elu(x, SELU_ALPHA),
        Function::Gelu => x * apply(Unary::NormalCdf, x),
        Function::Silu => x * apply(Unary::Sigmoid, x),
        Function::Softplus => apply(Unary::Softplus, x),
        Function::Softsign => x / (1.0 + apply(Unary::Abs, x)),
        Function::HardSigmoid => min(max(x / 6.0 + 0.5, 0.0), 1.0),
        Function::HardTanh => min(max(x, -1.0), 1.0),
        Function::Sin => apply(Unary::Sin, x),
        Function::Cos => apply(Unary::Cos, x),
        Function::Exp => apply(Unary::Exp, x),
        Function::Log => apply(Unary::Log, x),
        Function::Sqrt => apply(Unary::Sqrt, x),
        Function::Abs => apply(Unary::Abs, x),
        Function::Sign => apply(Unary::Sign, x),
        Function::Max => max(x, second),
        Function::Min => min(x, second),
        Function::Softmax => {
            let e = apply(Unary::Exp, x - largest(x));
            &e / sum(&e)
        }
        Function::LayerNorm => {
            let centred = x - mean(x.clone());
            let variance = mean(&centred * &centred);
            centred * inverse_root(variance)
        }
        Function::RmsNorm => x * inverse_root(mean(x * x)),
        Function::Sum => sum(x),
        Function::Mean => mean(x.clone()),
        Function::Norm => apply(Unary::Sqrt, sum(x * x)),
    };
    arena.build(&formula)
}

/// x above 0, α(eˣ − 1) below; the power is never taken of a positive number, whose infinity would spoil the gradient.
fn elu(x: &Formula, alpha: f64) -> Formula {
    select(x, x, alpha * apply(Unary::Expm1, min(x, 0.0)))
}

fn inverse_root(variance: Formula) -> Formula {
    1.0 / apply(Unary::Sqrt, variance + EPSILON)
}

/// x to the power of a number: whole powers by repeated squaring, ½ by the root, others as exp(p · log x).
pub(super) fn power(arena: &mut Arena, x: NodeId, p: f64) -> NodeId {
    if let Some(value) = arena.as_number(x) {
        return arena.number(value.powf(p));
    }
    let magnitude = p.abs();
    let node = if magnitude == 0.5 {
        arena.unary(Unary::Sqrt, x)
    } else if magnitude.fract() == 0.0 && magnitude <= f64::from(u32::MAX) {
        whole_power(arena, x, magnitude as u32)
    } else {
        let formula = apply(Unary::Exp, p * apply(Unary::Log, x));
        return arena.build(&formula);
    };
    if p < 0.0 { arena.build(&(1.0 / Formula::Node(node))) } else { node }
}

fn whole_power(arena: &mut Arena, x: NodeId, mut p: u32) -> NodeId {
    let shape = arena.shape(x);
    let (mut square, mut product) = (x, arena.number(1.0));
    while p > 0 {
        if p & 1 == 1 {
            product = arena.mul(product, square);
        }
        p >>= 1;
        if p > 0 {
            square = arena.mul(square, square);
        }
    }
    arena.spread(product, shape)
}
