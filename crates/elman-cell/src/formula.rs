//! Formulas over nodes, written as formulas: `&dy * (1.0 - &y * &y)`.
//!
//! The tables of functions (`lower/functions.rs`) and of derivatives (`derive/rules.rs`) are rows of these.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::arena::Arena;
use crate::dim::Dim;
use crate::op::{Binary, Unary};
use crate::program::NodeId;

/// An expression that is not yet in an arena.
#[derive(Clone, Debug)]
pub(crate) enum Formula {
    Node(NodeId),
    Number(f64),
    Length(Dim),
    Unary(Unary, Box<Formula>),
    Binary(Binary, Box<Formula>, Box<Formula>),
    Select(Box<[Formula; 3]>),
    Sum(Box<Formula>),
    Largest(Box<Formula>),
}

impl Arena {
    /// The node of a formula.
    pub fn build(&mut self, f: &Formula) -> NodeId {
        match f {
            Formula::Node(n) => *n,
            Formula::Number(x) => self.number(*x),
            Formula::Length(d) => self.length(*d),
            Formula::Unary(u, a) => {
                let a = self.build(a);
                self.unary(*u, a)
            }
            Formula::Binary(b, l, r) => {
                let (l, r) = (self.build(l), self.build(r));
                self.binary(*b, l, r)
            }
            Formula::Select(parts) => {
                let [c, p, o] = [&parts[0], &parts[1], &parts[2]].map(|part| self.build(part));
                self.select(c, p, o)
            }
            Formula::Sum(a) => {
                let a = self.build(a);
                self.sum(a)
            }
            Formula::Largest(a) => {
                let a = self.build(a);
                self.largest(a)
            }
        }
    }
}

/// f(a), elementwise.
pub(crate) fn apply(f: Unary, a: impl Into<Formula>) -> Formula {
    Formula::Unary(f, Box::new(a.into()))
}

/// The larger of two.
pub(crate) fn max(a: impl Into<Formula>, b: impl Into<Formula>) -> Formula {
    Formula::Binary(Binary::Max, Box::new(a.into()), Box::new(b.into()))
}

/// The smaller of two.
pub(crate) fn min(a: impl Into<Formula>, b: impl Into<Formula>) -> Formula {
    Formula::Binary(Binary::Min, Box::new(a.into()), Box::new(b.into()))
}

/// `positive` where `condition` > 0, else `otherwise`.
pub(crate) fn select(
    condition: impl Into<Formula>,
    positive: impl Into<Formula>,
    otherwise: impl Into<Formula>,
) -> Formula {
    Formula::Select(Box::new([condition.into(), positive.into(), otherwise.into()]))
}

/// The sum over units.
pub(crate) fn sum(a: impl Into<Formula>) -> Formula {
    Formula::Sum(Box::new(a.into()))
}

/// The largest unit.
pub(crate) fn largest(a: impl Into<Formula>) -> Formula {
    Formula::Largest(Box::new(a.into()))
}

impl From<NodeId> for Formula {
    fn from(n: NodeId) -> Formula {
        Formula::Node(n)
    }
}

impl From<f64> for Formula {
    fn from(x: f64) -> Formula {
        Formula::Number(x)
    }
}

impl From<&Formula> for Formula {
    fn from(f: &Formula) -> Formula {
        f.clone()
    }
}

impl Neg for &Formula {
    type Output = Formula;
    fn neg(self) -> Formula {
        apply(Unary::Neg, self)
    }
}

impl Neg for Formula {
    type Output = Formula;
    fn neg(self) -> Formula {
        apply(Unary::Neg, self)
    }
}

/// `a ⊕ b` for a formula, a reference to one or a number on either side.
macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<R: Into<Formula>> $trait<R> for Formula {
            type Output = Formula;
            fn $method(self, r: R) -> Formula {
                Formula::Binary(Binary::$trait, Box::new(self), Box::new(r.into()))
            }
        }
        impl<R: Into<Formula>> $trait<R> for &Formula {
            type Output = Formula;
            fn $method(self, r: R) -> Formula {
                self.clone().$method(r)
            }
        }
        impl $trait<Formula> for f64 {
            type Output = Formula;
            fn $method(self, r: Formula) -> Formula {
                Formula::Number(self).$method(r)
            }
        }
        impl $trait<&Formula> for f64 {
            type Output = Formula;
            fn $method(self, r: &Formula) -> Formula {
                Formula::Number(self).$method(r)
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);
