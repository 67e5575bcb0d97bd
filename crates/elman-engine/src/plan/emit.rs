//! One stage: its products, and its block as instructions, with scratch slots given out by lifetime.

use std::collections::HashMap;

use elman_cell::cell::Shape;
use elman_cell::program::{NodeId, Op};
use elman_cell::schedule::{Product, Stage};
use elman_kernel::code::{self, Instr, Operand, Place, Rows};

use super::NOWHERE;
use super::homes::Home;
use super::pass::{Writer, copy};
use crate::convert::{binary, unary};

pub(super) struct Block<'w, 'a, 'b> {
    writer: &'w mut Writer<'a, 'b>,
    phase: usize,
    code: Vec<Instr>,
    slots: HashMap<NodeId, usize>,
    free: Vec<usize>,
    taken: usize,
    /// The last node of the block that reads a node.
    last: HashMap<NodeId, NodeId>,
}

impl<'w, 'a, 'b> Block<'w, 'a, 'b> {
    pub fn new(writer: &'w mut Writer<'a, 'b>, phase: usize, stage: &Stage) -> Self {
        let mut last = HashMap::new();
        for n in &stage.block {
            for o in writer.task.list()[n.index()].op.operands() {
                last.insert(o, *n);
            }
        }
        Block { writer, phase, code: vec![], slots: HashMap::new(), free: vec![], taken: 0, last }
    }

    pub fn finish(self) -> Vec<Instr> {
        self.code
    }

    /// A merged product.
    pub fn product(&mut self, product: &Product) -> code::Product {
        let matrix = self.writer.matrix(product);
        let mut segments = vec![];
        for v in &product.vectors {
            segments.push(match self.operand(*v) {
                Operand::Units(p) | Operand::PerRow(p) => p,
                Operand::Splat(_) => NOWHERE,
            });
        }
        let mut members = vec![];
        for m in &product.members {
            let init = self.writer.init(m.node, m.from);
            let out = match self.writer.partial(self.phase, m.node) {
                Some(place) => place,
                None => self.out(m.node),
            };
            members.push(code::Member { init, out });
        }
        code::Product { before: None, matrix, segments, members }
    }

    /// The instructions of an elementwise node.
    pub fn node(&mut self, n: NodeId) {
        let op = self.writer.task.list()[n.index()].op.clone();
        let units = self.writer.task.units(n);
        let at = |d: elman_cell::Dim, s: &Self| d.at(s.writer.task.nodes.sizes);
        match &op {
            Op::Unary(u, a) => {
                let a = self.operand(*a);
                let out = self.out_over(&op, n);
                self.code.push(Instr::Unary { op: unary(*u), a, out, units });
            }
            Op::Broadcast(a) => {
                let a = self.operand(*a);
                let out = self.out(n);
                self.code.push(copy(a, out, units));
                self.release(&op, n);
            }
            Op::Binary(b, x, y) => {
                let (a, b2) = (self.operand(*x), self.operand(*y));
                let out = self.out_over(&op, n);
                self.code.push(Instr::Binary { op: binary(*b), a, b: b2, out, units });
            }
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.operand(*a), self.operand(*b), self.operand(*c));
                let out = self.out_over(&op, n);
                self.code.push(Instr::Fma { a, b, c, out, units });
            }
            Op::Select { condition, positive, otherwise } => {
                let k = self.operand(*condition);
                let (p, o) = (self.operand(*positive), self.operand(*otherwise));
                let out = self.out_over(&op, n);
                self.code.push(Instr::Select { condition: k, positive: p, otherwise: o, out, units });
            }
            Op::Sum(a) | Op::Largest(a) => {
                let (a, width) = (self.read_place(*a), self.writer.task.units(*a));
                // The result must not lie over the row that is being summed.
                let out = self.out(n);
                self.release(&op, n);
                self.code.push(match op {
                    Op::Sum(_) => Instr::Sum { a, out, units: width },
                    _ => Instr::Largest { a, out, units: width },
                });
            }
            Op::Concat(parts) => {
                let out = self.out(n);
                let mut start = 0;
                for p in parts {
                    let width = self.writer.task.units(*p);
                    let a = self.operand(*p);
                    self.code.push(copy(a, Place { offset: out.offset + start, ..out }, width));
                    start += width;
                }
                self.release(&op, n);
            }
            Op::Slice { vector, start } => {
                let from = self.read_place(*vector);
                let from = Place { offset: from.offset + at(*start, self), ..from };
                let out = self.out(n);
                self.code.push(copy(Operand::Units(from), out, units));
            }
            Op::PlaceSlice { vector, start } => {
                let (a, width) = (self.operand(*vector), self.writer.task.units(*vector));
                let out = self.out(n);
                let part = Place { offset: out.offset + at(*start, self), ..out };
                self.code.push(copy(Operand::Splat(0.0), out, units));
                self.code.push(copy(a, part, width));
                self.release(&op, n);
            }
            Op::Attend { how, query, weight } | Op::AttendGradient { how, query, weight, .. } => {
                let vectors = (self.read_place(*query), weight.map(|w| self.read_place(w)));
                let attend = super::attend(*how, vectors, self.writer.task.memories, self.writer.task.frame);
                let gradient = match &op {
                    Op::AttendGradient { gradient, .. } => Some(self.read_place(*gradient)),
                    _ => None,
                };
                // The result must not lie over what is read by all its units.
                let out = self.out(n);
                self.release(&op, n);
                self.code.push(match gradient {
                    Some(gradient) => Instr::AttendGradient { attend, gradient, out },
                    None => Instr::Attend { attend, out },
                });
            }
            // Leaves, invariants and products are not in blocks.
            _ => {}
        }
    }

    fn operand(&mut self, n: NodeId) -> Operand {
        let place = self.place(n);
        self.writer.operand_at(n, place)
    }

    fn read_place(&mut self, n: NodeId) -> Place {
        match self.operand(n) {
            Operand::Units(p) | Operand::PerRow(p) => p,
            Operand::Splat(_) => NOWHERE,
        }
    }

    fn place(&self, n: NodeId) -> Option<Place> {
        match self.slots.get(&n) {
            Some(slot) => Some(scratch(*slot)),
            None => self.writer.place(self.phase, n),
        }
    }

    fn out(&mut self, n: NodeId) -> Place {
        if let Some(Home::At(place)) = self.writer.homes[n.index()] {
            return place;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.taken += 1;
            self.taken - 1
        });
        self.slots.insert(n, slot);
        scratch(slot)
    }

    /// The result of an elementwise operation. It may take the place of an operand of its own shape that is read for
    /// the last time; never of a scalar, which every unit still reads.
    fn out_over(&mut self, op: &Op, n: NodeId) -> Place {
        let shape = self.writer.task.list()[n.index()].shape;
        self.release_where(op, n, |s| s == shape);
        let out = self.out(n);
        self.release_where(op, n, |s| s != shape);
        out
    }

    /// Frees the slots that node `n` reads for the last time.
    fn release(&mut self, op: &Op, n: NodeId) {
        self.release_where(op, n, |_| true);
    }

    fn release_where(&mut self, op: &Op, n: NodeId, which: impl Fn(Shape) -> bool) {
        let mut operands = op.operands();
        operands.sort();
        operands.dedup();
        for o in operands.into_iter().filter(|o| which(self.writer.task.list()[o.index()].shape)) {
            if self.last.get(&o) == Some(&n)
                && let Some(slot) = self.slots.get(&o)
            {
                self.free.push(*slot);
            }
        }
    }
}

fn scratch(slot: usize) -> Place {
    Place { offset: slot, rows: Rows::Scratch, stride: 0 }
}
