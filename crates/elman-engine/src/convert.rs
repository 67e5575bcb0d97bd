//! The primitives of the cell room in the words of the kernel room.

use elman_cell::op;
use elman_kernel::code;

pub(crate) fn unary(u: op::Unary) -> code::Unary {
    match u {
        op::Unary::Neg => code::Unary::Neg,
        op::Unary::Abs => code::Unary::Abs,
        op::Unary::Sign => code::Unary::Sign,
        op::Unary::Sqrt => code::Unary::Sqrt,
        op::Unary::Exp => code::Unary::Exp,
        op::Unary::Expm1 => code::Unary::Expm1,
        op::Unary::Log => code::Unary::Log,
        op::Unary::Sin => code::Unary::Sin,
        op::Unary::Cos => code::Unary::Cos,
        op::Unary::Tanh => code::Unary::Tanh,
        op::Unary::Sigmoid => code::Unary::Sigmoid,
        op::Unary::Softplus => code::Unary::Softplus,
        op::Unary::NormalCdf => code::Unary::NormalCdf,
    }
}

pub(crate) fn score(s: op::Score) -> code::Score {
    match s {
        op::Score::Dot => code::Score::Dot,
        op::Score::Scaled => code::Score::Scaled,
        op::Score::Additive => code::Score::Additive,
    }
}

pub(crate) fn binary(b: op::Binary) -> code::Binary {
    match b {
        op::Binary::Add => code::Binary::Add,
        op::Binary::Sub => code::Binary::Sub,
        op::Binary::Mul => code::Binary::Mul,
        op::Binary::Div => code::Binary::Div,
        op::Binary::Max => code::Binary::Max,
        op::Binary::Min => code::Binary::Min,
    }
}
