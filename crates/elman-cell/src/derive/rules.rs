//! The derivative of every elementwise primitive: one row each, and nowhere else.
//!
//! A row gives what flows to an argument, given the arguments, the value y and the gradient dy by it.
//! Where there is no derivative: |x|, sign and √x have 0 at 0; max and min give all to the chosen side, and of a tie to
//! the second, as their values do.

use crate::formula::{Formula, apply, select};
use crate::op::{Binary, Unary};

/// 1 / √(2π), the density of the normal distribution at 0.
const NORMAL_DENSITY: f64 = 0.398_942_280_401_432_7;

/// What flows to x of y = f(x); `None` where that is nothing.
pub(super) fn unary(f: Unary, x: &Formula, y: &Formula, dy: &Formula) -> Option<Formula> {
    Some(match f {
        Unary::Neg => -dy,
        Unary::Abs => dy * apply(Unary::Sign, x),
        Unary::Sign => return None,
        Unary::Sqrt => select(y, 0.5 * dy / y, 0.0),
        Unary::Exp => dy * y,
        Unary::Expm1 => dy + dy * y,
        Unary::Log => dy / x,
        Unary::Sin => dy * apply(Unary::Cos, x),
        Unary::Cos => -(dy * apply(Unary::Sin, x)),
        Unary::Tanh => dy * (1.0 - y * y),
        Unary::Sigmoid => dy * (y * (1.0 - y)),
        Unary::Softplus => dy * apply(Unary::Sigmoid, x),
        Unary::NormalCdf => dy * (NORMAL_DENSITY * apply(Unary::Exp, -0.5 * (x * x))),
    })
}

/// What flows to a and to b of y = f(a, b).
pub(super) fn binary(f: Binary, a: &Formula, b: &Formula, y: &Formula, dy: &Formula) -> [Formula; 2] {
    match f {
        Binary::Add => [dy.clone(), dy.clone()],
        Binary::Sub => [dy.clone(), -dy],
        Binary::Mul => [dy * b, dy * a],
        Binary::Div => [dy / b, -(dy / b * y)],
        Binary::Max => [select(a - b, dy, 0.0), select(a - b, 0.0, dy)],
        Binary::Min => [select(b - a, dy, 0.0), select(b - a, 0.0, dy)],
    }
}

/// What flows to x of y = x · x.
pub(super) fn square(x: &Formula, dy: &Formula) -> Formula {
    2.0 * dy * x
}
