//! Cells written as Rust expressions, so that these tests need no parser: `%` is the matrix product.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use elman_cell::cell::{
    Cell, Equation, EquationId, Expr, ExprId, ExprKind, Init, Input, InputId, Param, ParamId, Shape, Span, State,
    StateId,
};
use elman_cell::op::Function;
use elman_cell::{Dim, Sizes};

pub const H: Dim = Dim::HIDDEN;
pub const I: Dim = Dim::INPUT;
pub const O: Dim = Dim::OUTPUT;
/// Odd and unequal.
pub const SIZES: Sizes = Sizes { input: 3, hidden: 5, output: 7 };
/// For cells that force input = hidden.
pub const SQUARE: Sizes = Sizes { input: 5, hidden: 5, output: 7 };

/// An expression by names.
#[derive(Clone, Debug)]
pub enum E {
    Number(f64),
    Input(&'static str),
    Previous(&'static str),
    Value(&'static str),
    Param(String, Shape, Shape),
    Neg(Box<E>),
    Two(fn(ExprId, ExprId) -> ExprKind, Box<E>, Box<E>),
    Pow(Box<E>, f64),
    Transpose(Box<E>),
    Call(Function, Vec<E>),
    Concat(Vec<E>),
}

pub fn x() -> E {
    E::Input("x")
}
pub fn prev(state: &'static str) -> E {
    E::Previous(state)
}
pub fn h() -> E {
    prev("h")
}
pub fn val(name: &'static str) -> E {
    E::Value(name)
}
pub fn mat(name: &str, rows: Dim, columns: Dim) -> E {
    E::Param(name.into(), Shape::Matrix(rows, columns), Shape::Matrix(rows, columns))
}
pub fn vector(name: &str, dim: Dim) -> E {
    E::Param(name.into(), Shape::Vector(dim), Shape::Vector(dim))
}
/// A weight vector of `hidden`.
pub fn b(name: &str) -> E {
    vector(name, H)
}
pub fn scalar(name: &str) -> E {
    E::Param(name.into(), Shape::Vector(Dim::ONE), Shape::Scalar)
}
/// A matrix hidden × input times x.
pub fn wx(name: &str) -> E {
    mat(name, H, I) % x()
}
/// A matrix hidden × hidden times `v`.
pub fn u(name: &str, v: E) -> E {
    mat(name, H, H) % v
}
pub fn num(x: f64) -> E {
    E::Number(x)
}
pub fn t(m: E) -> E {
    E::Transpose(Box::new(m))
}
pub fn pow(v: E, p: f64) -> E {
    E::Pow(Box::new(v), p)
}
pub fn f(function: Function, v: E) -> E {
    E::Call(function, vec![v])
}
pub fn f2(function: Function, a: E, b: E) -> E {
    E::Call(function, vec![a, b])
}
pub fn sigmoid(v: E) -> E {
    f(Function::Sigmoid, v)
}
pub fn tanh(v: E) -> E {
    f(Function::Tanh, v)
}
pub fn cat(pieces: impl IntoIterator<Item = E>) -> E {
    E::Concat(pieces.into_iter().collect())
}

impl From<f64> for E {
    fn from(x: f64) -> E {
        E::Number(x)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $kind:path) => {
        impl<R: Into<E>> $trait<R> for E {
            type Output = E;
            fn $method(self, r: R) -> E {
                E::Two($kind, Box::new(self), Box::new(r.into()))
            }
        }
        impl $trait<E> for f64 {
            type Output = E;
            fn $method(self, r: E) -> E {
                E::Two($kind, Box::new(E::Number(self)), Box::new(r))
            }
        }
    };
}
operator!(Add, add, ExprKind::Add);
operator!(Sub, sub, ExprKind::Sub);
operator!(Mul, mul, ExprKind::Mul);
operator!(Div, div, ExprKind::Div);
operator!(Rem, rem, ExprKind::Product);

impl Neg for E {
    type Output = E;
    fn neg(self) -> E {
        E::Neg(Box::new(self))
    }
}

/// Equations by name; `h'` updates the state `h`.
#[derive(Clone)]
pub struct Builder {
    name: String,
    equations: Vec<(&'static str, E)>,
    inputs: Vec<(&'static str, Dim)>,
    dims: Vec<(&'static str, Dim)>,
    inits: Vec<(&'static str, Init)>,
    learned: Vec<&'static str>,
    shared: Vec<&'static str>,
    output: Option<&'static str>,
}

pub fn cell(name: &str) -> Builder {
    Builder {
        name: name.into(),
        equations: vec![],
        inputs: vec![("x", I)],
        dims: vec![],
        inits: vec![],
        learned: vec![],
        shared: vec![],
        output: None,
    }
}

impl Builder {
    pub fn eq(mut self, name: &'static str, value: E) -> Builder {
        self.equations.push((name, value));
        self
    }
    pub fn reversed(mut self) -> Builder {
        self.equations.reverse();
        self
    }
    pub fn replace(mut self, name: &'static str, value: E) -> Builder {
        self.equations.iter_mut().filter(|e| e.0 == name).for_each(|e| e.1 = value.clone());
        self
    }
    pub fn input(mut self, name: &'static str, dim: Dim) -> Builder {
        self.inputs.push((name, dim));
        self
    }
    pub fn dim(mut self, state: &'static str, dim: Dim) -> Builder {
        self.dims.insert(0, (state, dim));
        self
    }
    pub fn init(mut self, param: &'static str, init: Init) -> Builder {
        self.inits.push((param, init));
        self
    }
    pub fn learn(mut self, state: &'static str) -> Builder {
        self.learned.push(state);
        self
    }
    pub fn share(mut self, param: &'static str) -> Builder {
        self.shared.push(param);
        self
    }
    pub fn output(mut self, name: &'static str) -> Builder {
        self.output = Some(name);
        self
    }

    pub fn build(&self) -> Cell {
        let mut making = Making { builder: self, cell: empty(&self.name), shapes: vec![] };
        making.declare();
        making.equations();
        making.cell
    }
}

fn empty(name: &str) -> Cell {
    Cell {
        name: name.into(),
        doc: String::new(),
        source: String::new(),
        inputs: vec![],
        memories: vec![],
        states: vec![],
        params: vec![],
        equations: vec![],
        order: vec![],
        exprs: vec![],
        output: EquationId(0),
        requirements: vec![],
        diagnostics: vec![],
    }
}

fn state_of(name: &'static str) -> Option<&'static str> {
    name.strip_suffix('\'')
}

struct Making<'a> {
    builder: &'a Builder,
    cell: Cell,
    /// Per equation, its shape once lowered.
    shapes: Vec<Option<Shape>>,
}

impl Making<'_> {
    fn declare(&mut self) {
        let b = self.builder;
        self.cell.inputs = b.inputs.iter().map(|(n, dim)| Input { name: n.to_string(), dim: *dim }).collect();
        for (i, (name, _)) in b.equations.iter().enumerate() {
            let Some(state) = state_of(name) else { continue };
            let dim = b.dims.iter().find(|d| d.0 == state).map_or(H, |d| d.1);
            let next = EquationId(i as u32);
            self.cell.states.push(State { name: state.into(), dim, next, initial: None });
        }
        self.shapes = vec![None; b.equations.len()];
    }

    fn equations(&mut self) {
        let b = self.builder;
        let mut values = vec![ExprId(0); b.equations.len()];
        // An equation is made once all it reads have been: rounds until nothing is left.
        while self.cell.order.len() < b.equations.len() {
            let before = self.cell.order.len();
            for (i, (_, e)) in b.equations.iter().enumerate() {
                if self.shapes[i].is_none() && self.ready(e) {
                    values[i] = self.expr(e);
                    self.shapes[i] = Some(self.shape(values[i]));
                    self.cell.order.push(EquationId(i as u32));
                }
            }
            assert!(self.cell.order.len() > before, "a cycle in {}", self.cell.name);
        }
        for (i, (name, _)) in b.equations.iter().enumerate() {
            let state = state_of(name).map(|s| self.state(s));
            let name = state_of(name).unwrap_or(name).to_string();
            let (value, span) = (values[i], Span::default());
            self.cell.equations.push(Equation { latex: name.clone(), name, state, value, span, line: i + 1 });
        }
        let output = b.output.unwrap_or(if self.find("h").is_some() { "h" } else { "y" });
        let output = if self.find("y").is_some() && b.output.is_none() { "y" } else { output };
        self.cell.output = self.find(output).expect("an output");
        for state in &b.learned {
            let id = self.state(state);
            let shape = Shape::Vector(self.cell.states[id.index()].dim);
            let initial = self.param(&format!("{state}_0"), shape);
            self.cell.states[id.index()].initial = Some(initial);
        }
    }

    fn find(&self, name: &str) -> Option<EquationId> {
        let at = self.builder.equations.iter().position(|(n, _)| state_of(n).unwrap_or(n) == name)?;
        Some(EquationId(at as u32))
    }

    fn state(&self, name: &str) -> StateId {
        StateId(self.cell.states.iter().position(|s| s.name == name).expect("a state") as u32)
    }

    fn ready(&self, e: &E) -> bool {
        match e {
            E::Value(name) => self.shapes[self.find(name).expect("an equation").index()].is_some(),
            E::Neg(a) | E::Pow(a, _) | E::Transpose(a) => self.ready(a),
            E::Two(_, a, b) => self.ready(a) && self.ready(b),
            E::Call(_, all) | E::Concat(all) => all.iter().all(|a| self.ready(a)),
            _ => true,
        }
    }

    fn shape(&self, e: ExprId) -> Shape {
        self.cell.exprs[e.index()].shape
    }

    fn param(&mut self, name: &str, shape: Shape) -> ParamId {
        if let Some(at) = self.cell.params.iter().position(|p| p.name == name) {
            assert_eq!(self.cell.params[at].shape, shape, "{name}");
            return ParamId(at as u32);
        }
        let init = self.builder.inits.iter().find(|i| i.0 == name).map(|i| i.1);
        let shared = self.builder.shared.contains(&name);
        let (name, latex, span) = (name.to_string(), name.to_string(), Span::default());
        self.cell.params.push(Param { name, latex, shape, init, shared, span });
        ParamId(self.cell.params.len() as u32 - 1)
    }

    fn expr(&mut self, e: &E) -> ExprId {
        let (kind, shape) = match e {
            E::Number(x) => (ExprKind::Number(*x), Shape::Scalar),
            E::Input(name) => {
                let at = self.cell.inputs.iter().position(|i| i.name == *name).expect("an input");
                (ExprKind::Input(InputId(at as u32)), Shape::Vector(self.cell.inputs[at].dim))
            }
            E::Previous(name) => {
                let id = self.state(name);
                (ExprKind::Previous(id), Shape::Vector(self.cell.states[id.index()].dim))
            }
            E::Value(name) => {
                let id = self.find(name).expect("an equation");
                (ExprKind::Value(id), self.shapes[id.index()].expect("made before"))
            }
            E::Param(name, declared, shape) => (ExprKind::Param(self.param(name, *declared)), *shape),
            E::Neg(a) => {
                let a = self.expr(a);
                (ExprKind::Neg(a), self.shape(a))
            }
            E::Pow(a, p) => {
                let a = self.expr(a);
                (ExprKind::Pow(a, *p), self.shape(a))
            }
            E::Transpose(a) => {
                let a = self.expr(a);
                let Shape::Matrix(rows, columns) = self.shape(a) else { panic!("a transpose of no matrix") };
                (ExprKind::Transpose(a), Shape::Matrix(columns, rows))
            }
            E::Two(kind, a, b) => {
                let (a, b) = (self.expr(a), self.expr(b));
                let kind = kind(a, b);
                let shape = match (&kind, self.shape(a), self.shape(b)) {
                    (ExprKind::Product(..), Shape::Matrix(rows, _), Shape::Vector(_)) => Shape::Vector(rows),
                    (ExprKind::Product(..), a, b) => panic!("{a:?} % {b:?}"),
                    (_, Shape::Scalar, other) => other,
                    (_, first, _) => first,
                };
                (kind, shape)
            }
            E::Call(function, all) => {
                let ids: Vec<_> = all.iter().map(|a| self.expr(a)).collect();
                let scalar = matches!(function, Function::Sum | Function::Mean | Function::Norm);
                let shape = if scalar { Shape::Scalar } else { self.shape(ids[0]) };
                (ExprKind::Call(*function, ids), shape)
            }
            E::Concat(all) => {
                let ids: Vec<_> = all.iter().map(|a| self.expr(a)).collect();
                let dim = ids.iter().fold(Dim::ZERO, |d, &i| match self.shape(i) {
                    Shape::Vector(v) => d + v,
                    _ => d + Dim::ONE,
                });
                (ExprKind::Concat(ids), Shape::Vector(dim))
            }
        };
        self.cell.exprs.push(Expr { kind, shape, span: Span::default() });
        ExprId(self.cell.exprs.len() as u32 - 1)
    }
}
