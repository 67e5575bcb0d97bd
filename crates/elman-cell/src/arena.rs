//! Nodes under construction: equal ones are one, numbers are folded.
//!
//! The constructors know the identities that cost no rounding: x + 0, x · 1, x / 1, −(−x), x + (−y) = x − y,
//! (−x) · y = −(x · y), a division by a power of two. They never turn x · 0 into 0, which would hide a NaN.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use crate::cell::Shape;
use crate::dim::Dim;
use crate::interpret::math;
use crate::op::{Binary, Unary};
use crate::program::{Node, NodeId, Op, Stratum, Term};

/// A list of nodes that grows, each after what it reads.
#[derive(Default)]
pub(crate) struct Arena {
    pub nodes: Vec<Node>,
    strata: Vec<Stratum>,
    seen: HashMap<Key, NodeId>,
    forward: Vec<Stratum>,
}

/// A node as it is looked up: a + b and b + a are one, and numbers are told apart by their bits.
struct Key(Node);

impl Key {
    fn number_bits(&self) -> Option<u64> {
        if let Op::Number(x) = self.0.op { Some(x.to_bits()) } else { None }
    }
}

impl PartialEq for Key {
    fn eq(&self, o: &Key) -> bool {
        match (self.number_bits(), o.number_bits()) {
            (Some(a), Some(b)) => a == b,
            _ => self.0 == o.0,
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, h: &mut H) {
        self.0.shape.hash(h);
        std::mem::discriminant(&self.0.op).hash(h);
        self.number_bits().hash(h);
        self.0.op.operands().hash(h);
        match self.0.op {
            Op::Unary(u, _) => u.hash(h),
            Op::Binary(b, ..) => b.hash(h),
            Op::Forward(n) | Op::Total(n) => n.hash(h),
            Op::Param(p) => p.hash(h),
            _ => {}
        }
    }
}

impl Arena {
    /// An arena for nodes that may read `Forward` nodes of these strata.
    pub fn reading(forward: Vec<Stratum>) -> Arena {
        Arena { forward, ..Arena::default() }
    }

    /// The node with this operation and shape, made if there is none.
    pub fn push(&mut self, op: Op, shape: Shape) -> NodeId {
        let sorted = match op {
            Op::Binary(b @ (Binary::Add | Binary::Mul), l, r) => Op::Binary(b, l.min(r), l.max(r)),
            ref op => op.clone(),
        };
        let next = NodeId(self.nodes.len() as u32);
        let id = *self.seen.entry(Key(Node { op: sorted, shape })).or_insert(next);
        if id == next {
            self.strata.push(op.stratum(&self.strata, &self.forward));
            self.nodes.push(Node { op, shape });
        }
        id
    }

    pub fn op(&self, n: NodeId) -> &Op {
        &self.nodes[n.index()].op
    }

    pub fn shape(&self, n: NodeId) -> Shape {
        self.nodes[n.index()].shape
    }

    pub fn stratum(&self, n: NodeId) -> Stratum {
        self.strata[n.index()]
    }

    /// The number of units of a vector; 1 of a scalar.
    pub fn units(&self, n: NodeId) -> Dim {
        if let Shape::Vector(d) = self.shape(n) { d } else { Dim::ONE }
    }

    pub fn number(&mut self, x: f64) -> NodeId {
        self.push(Op::Number(x), Shape::Scalar)
    }

    pub fn as_number(&self, n: NodeId) -> Option<f64> {
        if let Op::Number(x) = *self.op(n) { Some(x) } else { None }
    }

    fn negated(&self, n: NodeId) -> Option<NodeId> {
        if let Op::Unary(Unary::Neg, a) = *self.op(n) { Some(a) } else { None }
    }

    pub fn length(&mut self, dim: Dim) -> NodeId {
        if dim == Dim::fixed(dim.fixed) {
            self.number(dim.fixed as f64)
        } else {
            self.push(Op::Length(dim), Shape::Scalar)
        }
    }

    pub fn unary(&mut self, f: Unary, a: NodeId) -> NodeId {
        if let Some(x) = self.as_number(a) {
            return self.number(math::unary(f, x));
        }
        match (f, self.op(a)) {
            (Unary::Neg, &Op::Unary(Unary::Neg, inner)) => inner,
            (Unary::Neg, &Op::Binary(Binary::Sub, l, r)) => self.push(Op::Binary(Binary::Sub, r, l), self.shape(a)),
            _ => self.push(Op::Unary(f, a), self.shape(a)),
        }
    }

    pub fn neg(&mut self, a: NodeId) -> NodeId {
        self.unary(Unary::Neg, a)
    }

    pub fn binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> NodeId {
        if let (Some(x), Some(y)) = (self.as_number(a), self.as_number(b)) {
            return self.number(math::binary(f, x, y));
        }
        self.simplified(f, a, b).unwrap_or_else(|| {
            let shape = broadcast(self.shape(a), self.shape(b));
            self.push(Op::Binary(f, a, b), shape)
        })
    }

    /// The identities that cost no rounding.
    fn simplified(&mut self, f: Binary, a: NodeId, b: NodeId) -> Option<NodeId> {
        let (x, y) = (self.as_number(a), self.as_number(b));
        let (minus_a, minus_b) = (self.negated(a), self.negated(b));
        match f {
            Binary::Add if x == Some(0.0) => Some(b),
            Binary::Add | Binary::Sub if y == Some(0.0) => Some(a),
            Binary::Sub if x == Some(0.0) => Some(self.neg(b)),
            Binary::Add if minus_b.is_some() => minus_b.map(|n| self.binary(Binary::Sub, a, n)),
            Binary::Add => minus_a.map(|n| self.binary(Binary::Sub, b, n)),
            Binary::Sub => minus_b.map(|n| self.binary(Binary::Add, a, n)),
            Binary::Mul if x == Some(1.0) => Some(b),
            Binary::Mul | Binary::Div if y == Some(1.0) => Some(a),
            Binary::Mul if x == Some(-1.0) => Some(self.neg(b)),
            Binary::Mul if y == Some(-1.0) => Some(self.neg(a)),
            Binary::Div if y.is_some_and(exact_reciprocal) => {
                let r = self.number(1.0 / y?);
                Some(self.mul(a, r))
            }
            Binary::Mul | Binary::Div => self.sign_outside(f, a, b, minus_a, minus_b),
            Binary::Max | Binary::Min => None,
        }
    }

    /// (−a) · b = −(a · b), or (−c) · b where a is a number; the same for division.
    fn sign_outside(
        &mut self,
        f: Binary,
        a: NodeId,
        b: NodeId,
        minus_a: Option<NodeId>,
        minus_b: Option<NodeId>,
    ) -> Option<NodeId> {
        let product = match (minus_a, minus_b) {
            (None, None) => return None,
            (Some(a), Some(b)) => return Some(self.binary(f, a, b)),
            (Some(inner), None) if self.as_number(b).is_some() => {
                let c = self.neg(b);
                return Some(self.binary(f, inner, c));
            }
            (None, Some(inner)) if self.as_number(a).is_some() => {
                let c = self.neg(a);
                return Some(self.binary(f, c, inner));
            }
            (Some(a), None) => self.binary(f, a, b),
            (None, Some(b)) => self.binary(f, a, b),
        };
        Some(self.neg(product))
    }

    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Add, a, b)
    }

    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(Binary::Mul, a, b)
    }

    pub fn select(&mut self, condition: NodeId, positive: NodeId, otherwise: NodeId) -> NodeId {
        let shape = broadcast(self.shape(condition), broadcast(self.shape(positive), self.shape(otherwise)));
        self.push(Op::Select { condition, positive, otherwise }, shape)
    }

    /// a · b + c.
    pub fn fma(&mut self, a: NodeId, b: NodeId, c: NodeId) -> NodeId {
        let shape = broadcast(self.shape(a), broadcast(self.shape(b), self.shape(c)));
        self.push(Op::Fma(a, b, c), shape)
    }

    /// The sum of a vector's units; of a scalar itself.
    pub fn sum(&mut self, v: NodeId) -> NodeId {
        if self.shape(v) == Shape::Scalar { v } else { self.push(Op::Sum(v), Shape::Scalar) }
    }

    /// The largest of a vector's units; of a scalar itself.
    pub fn largest(&mut self, v: NodeId) -> NodeId {
        if self.shape(v) == Shape::Scalar { v } else { self.push(Op::Largest(v), Shape::Scalar) }
    }

    /// A scalar as a vector of `shape`; anything else as it is.
    pub fn spread(&mut self, n: NodeId, shape: Shape) -> NodeId {
        match (self.shape(n), shape) {
            (Shape::Scalar, Shape::Vector(_)) => self.push(Op::Broadcast(n), shape),
            _ => n,
        }
    }

    pub fn transpose(&mut self, matrix: NodeId) -> NodeId {
        match (self.op(matrix), self.shape(matrix)) {
            (&Op::Transpose(inner), _) => inner,
            (_, Shape::Matrix(rows, columns)) => self.push(Op::Transpose(matrix), Shape::Matrix(columns, rows)),
            _ => matrix,
        }
    }

    /// `len` columns of a matrix from `start` on.
    pub fn columns(&mut self, matrix: NodeId, start: Dim, len: Dim) -> NodeId {
        match self.shape(matrix) {
            Shape::Matrix(_, all) if all == len => matrix,
            Shape::Matrix(rows, _) => self.push(Op::Columns { matrix, start }, Shape::Matrix(rows, len)),
            _ => matrix,
        }
    }

    /// bias + Σ terms, those whose vector needs no state before the others, otherwise in the order given.
    pub fn affine(&mut self, bias: Option<NodeId>, mut terms: Vec<Term>, shape: Shape) -> NodeId {
        terms.sort_by_key(|t| self.stratum(t.vector) == Stratum::Recurrent);
        self.push(Op::Affine { bias, terms }, shape)
    }

    pub fn concat(&mut self, pieces: Vec<NodeId>) -> NodeId {
        let dim = pieces.iter().fold(Dim::ZERO, |d, &p| d + self.units(p));
        let pieces: Vec<_> = pieces.into_iter().map(|p| self.spread(p, Shape::Vector(Dim::ONE))).collect();
        if let [one] = pieces[..] { one } else { self.push(Op::Concat(pieces), Shape::Vector(dim)) }
    }
}

/// The shape of an elementwise result: that of the first side that is no scalar.
pub(crate) fn broadcast(a: Shape, b: Shape) -> Shape {
    if a == Shape::Scalar { b } else { a }
}

/// Whether x / y and x · (1 / y) are one number: y is a power of two.
fn exact_reciprocal(y: f64) -> bool {
    y.is_normal() && (1.0 / y).is_normal() && y.to_bits() & ((1 << 52) - 1) == 0
}

/// Which nodes `roots` depend on.
pub(crate) fn reachable(nodes: &[Node], roots: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
    let mut live = vec![false; nodes.len()];
    for r in roots {
        live[r.index()] = true;
    }
    for i in (0..nodes.len()).rev() {
        if live[i] {
            nodes[i].op.operands().iter().for_each(|n| live[n.index()] = true);
        }
    }
    live
}

/// Adds to `order` what `root` depends on and itself, each after its operands, where it is not `seen`.
pub(crate) fn depth_first(nodes: &[Node], root: NodeId, seen: &mut [bool], order: &mut Vec<NodeId>) {
    let mut open = vec![(root, false)];
    while let Some((n, operands_done)) = open.pop() {
        if operands_done {
            order.push(n);
        } else if !std::mem::replace(&mut seen[n.index()], true) {
            open.push((n, true));
            open.extend(nodes[n.index()].op.operands().into_iter().rev().map(|o| (o, false)));
        }
    }
}

/// The nodes of `order` alone, renumbered, and where each went (another one: anywhere).
pub(crate) fn keep(nodes: &[Node], order: impl IntoIterator<Item = NodeId>) -> (Vec<Node>, Vec<NodeId>) {
    let mut place = vec![NodeId(0); nodes.len()];
    let mut kept = Vec::new();
    for n in order {
        let node = &nodes[n.index()];
        place[n.index()] = NodeId(kept.len() as u32);
        kept.push(Node { op: node.op.map(|n| place[n.index()]), shape: node.shape });
    }
    (kept, place)
}

/// What `roots` depend on, in the order in which it stands.
pub(crate) fn live(nodes: &[Node], roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
    let live = reachable(nodes, roots);
    (0..nodes.len()).filter(|&i| live[i]).map(|i| NodeId(i as u32)).collect()
}
