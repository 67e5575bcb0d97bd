//! The way back: gradients of states and inputs in the loop, those of parameters behind it.

use elman_cell::cell::Shape;
use elman_cell::program::{Contribution, NodeId, Op, Stratum};
use elman_cell::schedule::Schedule;
use elman_kernel::code::{Order, OuterRow, Phase, Place, Rows};

use super::memory::Memory;
use super::pass::{self, Carry, PassPlan};
use super::{Frame, NOWHERE, Plan, attend, params_below};
use crate::invariants::{Arena, Base, Nodes, units};

impl Plan {
    pub(super) fn add_backward(
        &mut self,
        schedule: &Schedule,
        nodes: Nodes,
        frame: Frame,
        forward: &PassPlan,
        memory: &mut Memory,
    ) {
        let sizes = nodes.sizes;
        let backward = &schedule.backward;
        let output_units = units(schedule.program.nodes[schedule.program.output.index()].shape, sizes);
        let dy = memory.rows(Rows::Token, frame.tokens, output_units);
        let reads = |n: Rows, p: Place| Place { rows: n, ..p };
        let carry: Vec<Place> =
            self.states.iter().map(|s| memory.rows(Rows::Parity { flip: 0 }, 2 * frame.batch, s.units)).collect();
        let carried = backward.states.iter().zip(&carry).zip(&self.states);
        let carried = carried.map(|((n, p), s)| Carry { node: *n, to: *p, units: s.units }).collect();
        let leaves = |op: &Op| match op {
            Op::OutputGradient => Some(dy),
            Op::StateGradient(s) => Some(reads(Rows::Parity { flip: 1 }, carry[s.index()])),
            Op::Forward(n) => Some(match schedule.program.nodes[n.index()].op {
                Op::Input(i) => self.inputs[i.index()],
                Op::State(s) => self.states[s.index()].before,
                _ => forward.place(*n),
            }),
            _ => None,
        };
        let mut delivered: Vec<NodeId> = backward.inputs.iter().flatten().copied().collect();
        let invariant = |n: &NodeId| schedule.backward_pass.strata[n.index()] == Stratum::Invariant;
        for c in &backward.contributions {
            let constants = matches!(c, Contribution::Memory { .. });
            delivered.extend(c.reads().iter().filter(|n| !(constants && invariant(n))));
        }
        for m in &mut self.memories {
            m.gradient = Some(Place { offset: memory.take(frame.batch * m.slots.place.stride), ..m.slots.place });
        }
        let memories = self.memories.clone();
        let pass = pass::plan(
            pass::PassTask {
                nodes,
                arena: Arena::Backward,
                pass: &schedule.backward_pass,
                frame,
                order: Order::Descending,
                leaves: &leaves,
                memories: &memories,
                carried,
                delivered: &delivered,
            },
            memory,
            &mut self.weights,
        );
        self.backward = pass.phases.clone();
        self.output_gradient = Some(dy);
        self.input_gradients = backward.inputs.iter().map(|n| n.map(|n| pass.place(n))).collect();
        self.state_gradients = carry;
        self.gradients = direct_gradients(schedule, nodes, memory);
        self.gradient = self.gradient_phases(schedule, nodes, frame, &pass, memory);
    }

    /// The products over all steps that give the gradients of parameters.
    fn gradient_phases(
        &mut self,
        schedule: &Schedule,
        nodes: Nodes,
        frame: Frame,
        pass: &PassPlan,
        memory: &mut Memory,
    ) -> Vec<Phase> {
        let mut phases: Vec<Phase> = vec![];
        for c in &schedule.backward.contributions {
            match *c {
                Contribution::Outer { target, left, right } => {
                    let (out, row_stride, column_stride) = self.target(schedule, nodes, target, memory);
                    let width = |n: NodeId| units(schedule.backward.nodes[n.index()].shape, nodes.sizes);
                    // Rows of the result have unit stride along `right`; of a transposed target, along `left`.
                    let swap = column_stride != 1 && row_stride == 1;
                    let (left, right, stride) =
                        if swap { (right, left, column_stride) } else { (left, right, row_stride) };
                    let row = OuterRow { left: pass.place(left), rows: width(left), out, stride };
                    push_outer(&mut phases, pass.place(right), width(right), row);
                }
                Contribution::Value { target, value } => {
                    let (out, ..) = self.target(schedule, nodes, target, memory);
                    let units = units(schedule.backward.nodes[value.index()].shape, nodes.sizes);
                    phases.push(Phase::Total { value: pass.place(value), units, out });
                }
                Contribution::Memory { how, query, weight, gradient } => {
                    let mut at = |n: NodeId| match schedule.backward_pass.strata[n.index()] {
                        Stratum::Invariant => self.weights.constant(nodes, Arena::Backward, n),
                        _ => pass.place(n),
                    };
                    let (vectors, gradient) = ((at(query), weight.map(&mut at)), at(gradient));
                    let [d_keys, d_values] =
                        [how.keys, how.values].map(|m| self.memories[m.index()].gradient.unwrap_or(NOWHERE));
                    let attend = attend(how, vectors, &self.memories, frame);
                    phases.push(Phase::Memory { attend, gradient, d_keys, d_values });
                }
            }
        }
        phases
    }

    /// Where contributions to a node's gradient are added: offset, row stride, column stride.
    fn target(
        &mut self,
        schedule: &Schedule,
        nodes: Nodes,
        target: NodeId,
        memory: &mut Memory,
    ) -> (usize, usize, usize) {
        let view = nodes.view(Arena::Forward, target, &mut |_, _| 0);
        if let Base::Param(p) = view.base
            && let Some(at) = self.gradients[p.index()]
        {
            return (at + view.offset, view.row_stride, view.column_stride);
        }
        let (rows, columns) = crate::invariants::extent(schedule.program.nodes[target.index()].shape, nodes.sizes);
        let known = self.totals.iter().find(|t| t.0 == target).map(|t| t.1);
        let at = known.unwrap_or_else(|| {
            let at = memory.take(rows * columns);
            self.totals.push((target, at, rows, columns));
            at
        });
        (at, columns, 1)
    }
}

/// Outer products with the same right operand, next to each other, share its packing.
fn push_outer(phases: &mut Vec<Phase>, to: Place, width: usize, row: OuterRow) {
    let same = |p: &&mut Phase| matches!(p, Phase::Outer { right, columns, .. } if *right == to && *columns == width);
    if let Some(Phase::Outer { lefts, .. }) = phases.iter_mut().find(same)
        && lefts.iter().all(|l| !overlaps(l, &row, width))
    {
        lefts.push(row);
        return;
    }
    phases.push(Phase::Outer { right: to, columns: width, lefts: vec![row] });
}

/// The results may share elements (a weight used twice): then they stay apart.
fn overlaps(a: &OuterRow, b: &OuterRow, columns: usize) -> bool {
    let end = |r: &OuterRow| r.out + (r.rows - 1) * r.stride + columns;
    a.out < end(b) && b.out < end(a)
}

/// Room for the gradient of each parameter whose uses are all views of it; others go through the epilogue.
fn direct_gradients(schedule: &Schedule, nodes: Nodes, memory: &mut Memory) -> Vec<Option<usize>> {
    let mut direct = vec![true; schedule.program.params.len()];
    for c in &schedule.backward.contributions {
        let Some(target) = c.target() else { continue };
        let view = nodes.view(Arena::Forward, target, &mut |_, _| 0);
        if !matches!(view.base, Base::Param(_)) {
            for p in params_below(schedule, target) {
                direct[p] = false;
            }
        }
    }
    let room = |(p, shape): (usize, &Shape)| {
        let (rows, columns) = crate::invariants::extent(*shape, nodes.sizes);
        direct[p].then(|| memory.take(rows * columns))
    };
    schedule.program.params.iter().enumerate().map(room).collect()
}
