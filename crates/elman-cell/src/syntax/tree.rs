//! The syntax of a cell: equations and declarations as they are written, before names mean anything.
//!
//! Each node stands after its children in `Tree::nodes`.

use std::collections::HashSet;

use super::token::{Kind, Token};
use crate::cell::{Init, Span};
use crate::dim::Dim;
use crate::name::{Names, Symbol};
use crate::op::Function;

crate::cell::id!(/// A node of the syntax.
    NodeId);

/// Operations between a node and its deepest leaf.
pub(crate) const HIGHEST: u16 = 200;
/// Brackets within brackets.
pub(crate) const DEEPEST: usize = 100;
/// Nodes of a text.
pub(crate) const MOST: usize = 25_000;

/// How a name was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// `h`
    Plain,
    /// `h'`
    Prime,
    /// `h_t`
    Now,
    /// `h_{t-1}`
    Previous,
    /// `h_{t+1}`
    Next,
    /// Another time, which was reported.
    Unreadable,
}

/// The operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Callee {
    /// A function by its name.
    Known(Function),
    /// An activation slot: `σ_h(…)` (`sigmoid` is set) or `f_h(…)`.
    Slot { name: Symbol, sigmoid: bool },
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NodeKind {
    Number(f64),
    Name(Symbol, Time),
    Neg(NodeId),
    Binary(Operator, NodeId, NodeId),
    /// Factors side by side or with a dot between them.
    Product(Vec<NodeId>),
    Power(NodeId, f64),
    Transpose(NodeId),
    Call(Callee, Vec<NodeId>),
    Concat(Vec<NodeId>),
    /// What was reported already.
    Wrong,
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub span: Span,
    pub height: u16,
}

/// `name = value`.
#[derive(Clone, Debug)]
pub(crate) struct Equation {
    pub name: Symbol,
    pub time: Time,
    pub name_span: Span,
    pub span: Span,
    pub root: NodeId,
}

/// A declared name: the name, where it stands, and what is said of it.
#[derive(Clone, Debug)]
pub(crate) struct Declared<T> {
    pub name: Symbol,
    pub span: Span,
    pub value: T,
}

/// The declared shape of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DeclaredShape {
    Scalar,
    Vector(Dim),
    Matrix(Dim, Dim),
}

/// All declarations of a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declarations {
    pub inputs: Vec<Declared<Dim>>,
    pub states: Vec<Declared<Option<Dim>>>,
    pub memories: Vec<Declared<Option<Dim>>>,
    pub params: Vec<Declared<DeclaredShape>>,
    pub shares: Vec<Declared<()>>,
    pub inits: Vec<Declared<Init>>,
    pub learns: Vec<Declared<()>>,
    pub outputs: Vec<Declared<()>>,
    pub consts: Vec<Declared<f64>>,
    pub functions: Vec<Declared<Function>>,
}

/// The syntax of a text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub names: Names,
    pub nodes: Vec<Node>,
    pub equations: Vec<Equation>,
    pub declarations: Declarations,
    pub doc: String,
    /// Whether something could not be read, so that what follows from its absence is not reported.
    pub partial: bool,
    /// First names of left sides that could not be read: an equation was meant for them.
    pub unread: HashSet<String>,
    /// Whether time stands above names: `x^t`.
    pub time_above: bool,
}

impl Tree {
    /// Takes note of a statement without a left side that could be read.
    pub fn note_unread(&mut self, tokens: &[Token]) {
        self.partial = true;
        let name = tokens.iter().take(4).find(|t| matches!(t.kind, Kind::Word | Kind::Roman | Kind::Letter));
        self.unread.extend(name.map(|t| crate::name::spell(t.text)));
    }

    /// Whether an equation was meant for a name, and could not be read.
    pub fn is_unread(&self, symbol: Symbol) -> bool {
        let base = self.names.file(symbol).split(['_', '^']).next().unwrap_or("");
        !self.unread.is_empty() && self.unread.contains(base)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }
}

impl NodeKind {
    /// Calls `f` with each child.
    pub fn children(&self, mut f: impl FnMut(NodeId)) {
        match self {
            NodeKind::Number(_) | NodeKind::Name(..) | NodeKind::Wrong => {}
            NodeKind::Neg(a) | NodeKind::Power(a, _) | NodeKind::Transpose(a) => f(*a),
            NodeKind::Binary(_, a, b) => {
                f(*a);
                f(*b);
            }
            NodeKind::Product(list) | NodeKind::Call(_, list) | NodeKind::Concat(list) => {
                list.iter().copied().for_each(f)
            }
        }
    }
}
