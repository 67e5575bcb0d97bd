//! One direction of time as phases of code.

use std::collections::HashMap;

use elman_cell::program::{Node, NodeId, Op, Stratum};
use elman_cell::schedule::{Pass, Stage};
use elman_kernel::code::{self, Instr, Operand, Order, Phase, Place, Rows};

use super::emit::Block;
use super::homes::{Home, STEP, Uses, home, phases};
use super::weights::MatrixPlan;
use super::{Frame, Memory, MemoryPlan, NOWHERE, WeightPlan};
use crate::invariants::{Arena, Nodes, units};

/// A value that the next step reads as its state.
pub(crate) struct Carry {
    /// What it is; `None` is zero.
    pub node: Option<NodeId>,
    pub to: Place,
    pub units: usize,
}

/// What there is to plan.
pub(crate) struct PassTask<'a> {
    pub nodes: Nodes<'a>,
    pub arena: Arena,
    pub pass: &'a Pass,
    pub frame: Frame,
    pub order: Order,
    /// The place of a leaf that is no parameter.
    pub leaves: &'a dyn Fn(&Op) -> Option<Place>,
    pub memories: &'a [MemoryPlan],
    pub carried: Vec<Carry>,
    /// Nodes that must have a row per token in the end.
    pub delivered: &'a [NodeId],
}

impl<'a> PassTask<'a> {
    pub fn list(&self) -> &'a [Node] {
        match self.arena {
            Arena::Forward => self.nodes.forward,
            Arena::Backward => self.nodes.backward,
        }
    }

    pub fn units(&self, n: NodeId) -> usize {
        units(self.list()[n.index()].shape, self.nodes.sizes)
    }

    pub fn invariant(&self, n: NodeId) -> bool {
        self.pass.strata[n.index()] == Stratum::Invariant
    }
}

/// Phases, and where delivered nodes are.
pub(crate) struct PassPlan {
    pub phases: Vec<Phase>,
    places: HashMap<NodeId, Place>,
}

impl PassPlan {
    /// The place of a delivered node. Every node asked for was in the task's `delivered`.
    pub fn place(&self, n: NodeId) -> Place {
        self.places.get(&n).copied().unwrap_or(NOWHERE)
    }
}

pub(super) struct Writer<'a, 'b> {
    pub task: PassTask<'a>,
    pub uses: Uses,
    pub homes: Vec<Option<Home>>,
    /// Leaves of the loop copied to a row per token.
    pub copies: HashMap<NodeId, Place>,
    partials: HashMap<NodeId, Place>,
    pub weights: &'b mut WeightPlan,
}

pub(crate) fn plan(task: PassTask, memory: &mut Memory, weights: &mut WeightPlan) -> PassPlan {
    let uses = Uses::of(&task);
    let count = task.list().len();
    let mut w =
        Writer { task, uses, homes: vec![None; count], copies: HashMap::new(), partials: HashMap::new(), weights };
    w.assign_homes(memory);
    w.assign_partials(memory);
    w.assign_copies(memory);
    let [before, step, after] = phases(w.task.pass);
    let mut out = vec![];
    let before: Vec<_> = before.iter().map(|s| w.stage(0, s)).collect();
    if !before.is_empty() {
        out.push(Phase::Bulk(before));
    }
    let steps = w.steps(step);
    if !steps.is_empty() {
        let independent = w.task.pass.independent && steps.iter().all(|s| !s.whole_rows && s.units == steps[0].units);
        out.push(Phase::Steps { order: w.task.order, stages: steps, independent });
    }
    let after: Vec<_> = after.iter().map(|s| w.stage(2, s)).collect();
    if !after.is_empty() {
        out.push(Phase::Bulk(after));
    }
    let places = w.task.delivered.iter().filter_map(|n| Some((*n, w.token_place(*n)?))).collect();
    PassPlan { phases: out, places }
}

impl Writer<'_, '_> {
    fn assign_homes(&mut self, memory: &mut Memory) {
        for i in 0..self.homes.len() {
            let id = NodeId(i as u32);
            if self.uses.made[i].is_some() {
                let made_in_step = matches!(self.uses.made[i], Some((STEP, _)));
                let carry = self.task.carried.iter().find(|c| c.node == Some(id)).map(|c| c.to);
                self.homes[i] = Some(home(&self.task, &self.uses, id, carry.filter(|_| made_in_step), memory));
            }
        }
    }

    /// An affine chain that is paused between phases keeps its partial sum, a row per token.
    fn assign_partials(&mut self, memory: &mut Memory) {
        for product in self.task.pass.step.iter().flat_map(|s| &s.products) {
            for m in product.members.iter().filter(|m| m.from > 0) {
                let place = memory.rows(Rows::Token, self.task.frame.tokens, self.task.units(m.node));
                self.partials.insert(m.node, place);
            }
        }
    }

    /// Values of the loop that are not computed, but needed at every step: states that alternate, carried gradients,
    /// constants.
    fn assign_copies(&mut self, memory: &mut Memory) {
        for (i, node) in self.task.list().iter().enumerate() {
            let id = NodeId(i as u32);
            let delivered = self.task.delivered.contains(&id);
            let loop_only = match (self.task.leaves)(&node.op) {
                _ if self.task.invariant(id) => delivered,
                // The product over all steps finds the rows of `Before` by itself; the caller does not.
                Some(Place { rows: Rows::Before, .. }) => delivered && self.task.arena == Arena::Forward,
                Some(place) => matches!(place.rows, Rows::Parity { .. }),
                None => false,
            };
            if loop_only && (delivered || self.uses.per_token(id, false)) {
                let place = memory.rows(Rows::Token, self.task.frame.tokens, self.task.units(id));
                self.copies.insert(id, place);
            }
        }
    }

    /// The row-per-token place of a node.
    fn token_place(&self, n: NodeId) -> Option<Place> {
        if let Some(p) = self.copies.get(&n) {
            return Some(*p);
        }
        match self.homes[n.index()] {
            Some(Home::At(p)) => Some(p),
            _ => (self.task.leaves)(&self.task.list()[n.index()].op),
        }
    }

    /// The place of a node that does not live in scratch, as phase `p` sees it.
    pub fn place(&self, p: usize, n: NodeId) -> Option<Place> {
        if p != STEP
            && let Some(copy) = self.copies.get(&n)
        {
            return Some(*copy);
        }
        match self.homes[n.index()] {
            Some(Home::At(place)) => Some(place),
            Some(Home::Scratch) => None,
            None => (self.task.leaves)(&self.task.list()[n.index()].op),
        }
    }

    fn steps(&mut self, stages: &[Stage]) -> Vec<code::Stage> {
        let mut out: Vec<_> = stages.iter().map(|s| self.stage(STEP, s)).collect();
        let mut first = vec![];
        let mut copies: Vec<_> = self.copies.iter().map(|(n, p)| (*n, *p)).collect();
        copies.sort_by_key(|c| c.0);
        for (n, place) in copies {
            first.push(copy(self.operand(n), place, self.task.units(n)));
        }
        let mut last = vec![];
        for c in &self.task.carried {
            let home = c.node.map(|n| (n, self.homes[n.index()]));
            match home {
                Some((_, Some(Home::At(p)))) if p == c.to => {}
                Some((n, _)) => last.push((Some(n), c.to, c.units)),
                None => last.push((None, c.to, c.units)),
            }
        }
        let last: Vec<Instr> = last
            .into_iter()
            .map(|(n, to, units)| copy(n.map_or(Operand::Splat(0.0), |n| self.operand(n)), to, units))
            .collect();
        if out.is_empty() && !(first.is_empty() && last.is_empty()) {
            out.push(code::Stage { products: vec![], block: vec![], units: 0, whole_rows: false });
        }
        if let Some(stage) = out.first_mut() {
            stage.block.splice(0..0, first);
        }
        if let Some(stage) = out.last_mut() {
            stage.block.extend(last);
        }
        out.iter_mut().for_each(settle);
        out
    }

    /// A leaf, constant or addressed value as an operand of the loop.
    fn operand(&mut self, n: NodeId) -> Operand {
        let place = self.place(STEP, n);
        self.operand_at(n, place)
    }

    /// `place` is where the value is, unless it is a number or a constant.
    pub fn operand_at(&mut self, n: NodeId, place: Option<Place>) -> Operand {
        let (_, _, node) = self.task.nodes.resolve(self.task.arena, n);
        match node.op {
            Op::Number(x) => return Operand::Splat(x),
            Op::Length(d) => return Operand::Splat(d.at(self.task.nodes.sizes) as f64),
            _ => {}
        }
        let place = if self.task.invariant(n) {
            self.weights.constant(self.task.nodes, self.task.arena, n)
        } else {
            place.unwrap_or(NOWHERE)
        };
        if crate::invariants::is_scalar(node.shape) { Operand::PerRow(place) } else { Operand::Units(place) }
    }

    fn stage(&mut self, p: usize, stage: &Stage) -> code::Stage {
        let mut block = Block::new(self, p, stage);
        let products = stage.products.iter().map(|product| block.product(product)).collect();
        stage.block.iter().for_each(|n| block.node(*n));
        let mut out = code::Stage { products, block: block.finish(), units: 0, whole_rows: false };
        settle_units(&mut out, &self.weights.matrices);
        out
    }

    /// A product's member starts from its partial sum, or its bias.
    pub fn init(&mut self, node: NodeId, from: usize) -> Option<Place> {
        if from > 0 {
            return self.partials.get(&node).copied();
        }
        let Op::Affine { bias, .. } = self.task.list()[node.index()].op else { return None };
        bias.map(|b| self.weights.constant(self.task.nodes, self.task.arena, b))
    }

    /// Where a paused chain is left; `None` where the member finishes its node.
    pub fn partial(&self, p: usize, node: NodeId) -> Option<Place> {
        self.partials.get(&node).copied().filter(|_| p != STEP)
    }

    /// Notes the packed matrix of a product; its index.
    pub fn matrix(&mut self, product: &elman_cell::schedule::Product) -> usize {
        let list = self.task.list();
        let (nodes, arena) = (self.task.nodes, self.task.arena);
        let mut members = vec![];
        for m in &product.members {
            let Op::Affine { terms, .. } = &list[m.node.index()].op else { continue };
            let terms = &terms[m.from..m.from + product.vectors.len()];
            members.push(terms.iter().map(|t| self.weights.view(nodes, arena, t.matrix)).collect());
        }
        let units = self.task.units(product.members[0].node);
        let segments = product.vectors.iter().map(|v| self.task.units(*v)).collect();
        self.weights.matrices.push(MatrixPlan { units, segments, members });
        self.weights.matrices.len() - 1
    }
}

pub(super) fn copy(a: Operand, out: Place, units: usize) -> Instr {
    Instr::Unary { op: code::Unary::Copy, a, out, units }
}

/// The widths in a block.
fn width(i: &Instr) -> (usize, bool) {
    match *i {
        Instr::Unary { units, .. }
        | Instr::Binary { units, .. }
        | Instr::Fma { units, .. }
        | Instr::Select { units, .. } => (units, false),
        Instr::Sum { units, .. } | Instr::Largest { units, .. } => (units, true),
        Instr::Attend { ref attend, .. } => (attend.keys.units.max(attend.values.units), true),
        Instr::AttendGradient { ref attend, .. } => (attend.gradient_units().max(attend.values.units), true),
    }
}

/// A stage whose widths are all one can be cut along its units.
fn settle_units(stage: &mut code::Stage, matrices: &[MatrixPlan]) {
    let of_products = stage.products.iter().map(|p| (matrices[p.matrix].units, false));
    let widths: Vec<(usize, bool)> = of_products.chain(stage.block.iter().map(width)).collect();
    stage.units = widths.iter().map(|w| w.0).max().unwrap_or(0);
    stage.whole_rows = widths.iter().any(|w| w.1 || w.0 != stage.units);
}

/// The same after copies were added.
fn settle(stage: &mut code::Stage) {
    let widest = stage.block.iter().map(|i| width(i).0).max().unwrap_or(0).max(stage.units);
    let even = stage.block.iter().all(|i| width(i) == (widest, false));
    stage.whole_rows = stage.whole_rows || !even || (stage.units != 0 && stage.units != widest);
    stage.units = widest;
}
