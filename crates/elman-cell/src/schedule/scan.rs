//! Whether every state is updated linearly, unit by unit, with coefficients that are free of the states.

use crate::op::{Binary, Unary};
use crate::program::{NodeId, Op, Program};

/// How a value depends on the states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Degree {
    /// Not at all.
    Free,
    /// a · state + b per unit, with a and b free.
    Linear,
    /// In any other way, or across units.
    Other,
}

use Degree::{Free, Linear, Other};

/// Whether all new states are at most linear in the old ones, unit by unit.
pub(super) fn is_linear(program: &Program) -> bool {
    let mut degrees: Vec<Degree> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let of = |n: &NodeId| degrees[n.index()];
        let degree = match &node.op {
            Op::State(_) => Linear,
            Op::Unary(Unary::Neg, a) => of(a),
            Op::Binary(Binary::Add | Binary::Sub, a, b) => of(a).max(of(b)),
            Op::Binary(Binary::Mul, a, b) => product(of(a), of(b)),
            Op::Binary(Binary::Div, a, b) if of(b) == Free => of(a),
            Op::Fma(a, b, c) => product(of(a), of(b)).max(of(c)),
            op if op.operands().iter().all(|n| of(n) == Free) => Free,
            _ => Other,
        };
        degrees.push(degree);
    }
    program.next.iter().all(|n| degrees[n.index()] != Other)
}

fn product(a: Degree, b: Degree) -> Degree {
    if a == Linear && b == Linear { Other } else { a.max(b) }
}
