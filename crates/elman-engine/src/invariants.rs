//! Values that depend on parameters alone, computed when weights change: `W − Wᵀ`, `exp(a)`, `b_1 + b_2`.
//!
//! A matrix that is a parameter, its transpose, its columns, or any mix of these is a *view*: it is read in place.
//! Everything else is computed densely here, a number at a time, with the kernel's own functions.

use std::collections::HashMap;
use std::rc::Rc;

use elman_cell::Sizes;
use elman_cell::cell::{ParamId, Shape};
use elman_cell::op::Binary;
use elman_cell::program::{Node, NodeId, Op};
use elman_kernel::Real;

use crate::convert::{binary, unary};

/// Which list of nodes an id counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arena {
    Forward,
    Backward,
}

/// What a view looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Param(ParamId),
    /// A dense value, by its place in the plan's list.
    Dense(usize),
}

/// Element (row, column) is at `offset + row · row_stride + column · column_stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MatrixView {
    pub base: Base,
    pub offset: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

/// Rows and columns of a shape; a vector is one column, a scalar one number.
pub(crate) fn extent(shape: Shape, sizes: Sizes) -> (usize, usize) {
    match shape {
        Shape::Scalar => (1, 1),
        Shape::Vector(d) => (d.at(sizes), 1),
        Shape::Matrix(r, c) => (r.at(sizes), c.at(sizes)),
    }
}

/// The nodes of both programs of a cell.
#[derive(Clone, Copy)]
pub(crate) struct Nodes<'a> {
    pub forward: &'a [Node],
    pub backward: &'a [Node],
    pub sizes: Sizes,
}

impl<'a> Nodes<'a> {
    /// The node, looking through `Forward` leaves of the backward arena.
    pub fn resolve(&self, arena: Arena, id: NodeId) -> (Arena, NodeId, &'a Node) {
        match arena {
            Arena::Forward => (arena, id, &self.forward[id.index()]),
            Arena::Backward => match self.backward[id.index()].op {
                Op::Forward(n) => self.resolve(Arena::Forward, n),
                _ => (arena, id, &self.backward[id.index()]),
            },
        }
    }

    /// The matrix as a view; `dense` gives the place of one that has to be computed.
    pub fn view(&self, arena: Arena, id: NodeId, dense: &mut impl FnMut(Arena, NodeId) -> usize) -> MatrixView {
        let (arena, id, node) = self.resolve(arena, id);
        match node.op {
            Op::Param(p) => {
                let (_, columns) = extent(node.shape, self.sizes);
                MatrixView { base: Base::Param(p), offset: 0, row_stride: columns, column_stride: 1 }
            }
            Op::Transpose(m) => {
                let v = self.view(arena, m, dense);
                MatrixView { row_stride: v.column_stride, column_stride: v.row_stride, ..v }
            }
            Op::Columns { matrix, start } => {
                let v = self.view(arena, matrix, dense);
                MatrixView { offset: v.offset + start.at(self.sizes) * v.column_stride, ..v }
            }
            _ => {
                let (_, columns) = extent(node.shape, self.sizes);
                MatrixView { base: Base::Dense(dense(arena, id)), offset: 0, row_stride: columns, column_stride: 1 }
            }
        }
    }
}

/// Computes dense values of an arena, each once.
pub(crate) struct Evaluator<'a, T, F> {
    pub nodes: &'a [Node],
    pub sizes: Sizes,
    /// The value of a leaf.
    pub leaf: F,
    pub done: HashMap<NodeId, Rc<Vec<T>>>,
}

impl<'a, T: Real, F: FnMut(&Op) -> Rc<Vec<T>>> Evaluator<'a, T, F> {
    pub fn new(nodes: &'a [Node], sizes: Sizes, leaf: F) -> Self {
        Evaluator { nodes, sizes, leaf, done: HashMap::new() }
    }

    /// Row-major, of the node's shape.
    pub fn value(&mut self, id: NodeId) -> Rc<Vec<T>> {
        if let Some(v) = self.done.get(&id) {
            return v.clone();
        }
        let node = &self.nodes[id.index()];
        let value = match &node.op {
            Op::Number(x) => Rc::new(vec![T::from_f64(*x)]),
            Op::Length(d) => Rc::new(vec![T::from_f64(d.at(self.sizes) as f64)]),
            op if op.is_leaf() => (self.leaf)(op),
            op => Rc::new(self.compute(op, node.shape)),
        };
        self.done.insert(id, value.clone());
        value
    }

    fn compute(&mut self, op: &Op, shape: Shape) -> Vec<T> {
        let (rows, columns) = extent(shape, self.sizes);
        let count = rows * columns;
        let one = |v: &[T], i: usize| if v.len() == 1 { v[0] } else { v[i] };
        match op {
            Op::Transpose(m) => {
                let v = self.value(*m);
                (0..count).map(|i| v[(i % columns) * rows + i / columns]).collect()
            }
            Op::Columns { matrix, start } => {
                let (v, wide, at) = (self.value(*matrix), self.columns(*matrix), start.at(self.sizes));
                (0..count).map(|i| v[i / columns * wide + at + i % columns]).collect()
            }
            Op::PlaceColumns { matrix, start } => {
                let (v, narrow, at) = (self.value(*matrix), self.columns(*matrix), start.at(self.sizes));
                let pick = |i: usize| {
                    (i % columns).checked_sub(at).filter(|c| *c < narrow).map(|c| v[i / columns * narrow + c])
                };
                (0..count).map(|i| pick(i).unwrap_or(T::ZERO)).collect()
            }
            Op::Outer { left, right } => {
                let (l, r) = (self.value(*left), self.value(*right));
                let product = |i: usize| T::binary(elman_kernel::code::Binary::Mul, l[i / columns], r[i % columns]);
                (0..count).map(product).collect()
            }
            Op::Broadcast(a) => vec![self.value(*a)[0]; count],
            Op::Affine { bias, terms } => {
                let mut sum = bias.map_or_else(|| vec![T::ZERO; count], |b| self.value(b).to_vec());
                for term in terms {
                    let (m, v) = (self.value(term.matrix), self.value(term.vector));
                    for (i, s) in sum.iter_mut().enumerate() {
                        for (j, x) in v.iter().enumerate() {
                            *s = m[i * v.len() + j].mul_add(*x, *s);
                        }
                    }
                }
                sum
            }
            Op::Unary(u, a) => {
                let a = self.value(*a);
                (0..count).map(|i| T::unary(unary(*u), one(&a, i))).collect()
            }
            Op::Binary(b, x, y) => {
                let (x, y) = (self.value(*x), self.value(*y));
                (0..count).map(|i| T::binary(binary(*b), one(&x, i), one(&y, i))).collect()
            }
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.value(*a), self.value(*b), self.value(*c));
                (0..count).map(|i| one(&a, i).mul_add(one(&b, i), one(&c, i))).collect()
            }
            Op::Select { condition, positive, otherwise } => {
                let (k, p, o) = (self.value(*condition), self.value(*positive), self.value(*otherwise));
                (0..count).map(|i| if one(&k, i) > T::ZERO { one(&p, i) } else { one(&o, i) }).collect()
            }
            Op::Sum(a) => vec![sum_in_lanes(&self.value(*a))],
            Op::Largest(a) => {
                let a = self.value(*a);
                vec![a.iter().skip(1).fold(a[0], |m, x| T::binary(elman_kernel::code::Binary::Max, m, *x))]
            }
            Op::Concat(parts) => parts.iter().flat_map(|p| self.value(*p).to_vec()).collect(),
            Op::Slice { vector, start } => {
                let (v, at) = (self.value(*vector), start.at(self.sizes));
                v[at..at + count].to_vec()
            }
            Op::PlaceSlice { vector, start } => {
                let (v, at) = (self.value(*vector), start.at(self.sizes));
                let mut out = vec![T::ZERO; count];
                out[at..at + v.len()].copy_from_slice(&v);
                out
            }
            // Leaves were answered in `value`.
            _ => vec![T::ZERO; count],
        }
    }

    fn columns(&self, id: NodeId) -> usize {
        extent(self.nodes[id.index()].shape, self.sizes).1
    }
}

/// The order of the kernel's `Sum`.
fn sum_in_lanes<T: Real>(v: &[T]) -> T {
    let mut lanes = [T::ZERO; 16];
    for (i, x) in v.iter().enumerate() {
        lanes[i % 16] = T::binary(elman_kernel::code::Binary::Add, lanes[i % 16], *x);
    }
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            lanes[l] = T::binary(elman_kernel::code::Binary::Add, lanes[l], lanes[l + half]);
        }
    }
    lanes[0]
}

/// The length of a vector or scalar.
pub(crate) fn units(shape: Shape, sizes: Sizes) -> usize {
    extent(shape, sizes).0
}

/// Whether a shape is a vector; scalars broadcast.
pub(crate) fn is_scalar(shape: Shape) -> bool {
    shape == Shape::Scalar
}

/// The sum of two, for folding.
pub(crate) fn add<T: Real>(a: T, b: T) -> T {
    T::binary(binary(Binary::Add), a, b)
}
