//! The derived backward step: reverse mode over a program, once for the step, once for what is invariant.
//!
//! First the nodes that depend on inputs or states are walked backwards. What flows to a state or an input is kept; what
//! flows to an invariant node becomes a [`Contribution`]. Then the invariant nodes are walked backwards the same way,
//! from the contributions' totals to the parameters: that is the epilogue, run once and not at every step.
//!
//! The transposed products that reach one vector are one affine, terms in the order of the forward nodes they come from.
//! What else reaches it is added elementwise, first what needs no gradient of a later step, then in forward order.
//! A scalar that flows to every unit of a vector alike stays a scalar as long as it can.

mod rules;

use crate::arena::{Arena, keep, live};
use crate::cell::{Attention, Shape};
use crate::contract::contract;
use crate::dim::Dim;
use crate::formula::{Formula, select};
use crate::op::Binary;
use crate::program::{Backward, Contribution, NodeId, Op, Program, Stratum, Term};

/// So many scalar factors are taken out of a sum over units.
const MOST_SCALARS: usize = 8;

/// The backward step of a program.
pub fn derive(program: &Program) -> Backward {
    let strata = program.strata();
    let mut step = Reverse::new(program, &strata, |s| s != Stratum::Invariant);
    step.seed_step();
    step.walk();
    let mut end = Reverse::new(program, &strata, |s| s == Stratum::Invariant);
    let contributions = step.contributions();
    end.seed_totals(&contributions);
    end.walk();
    assemble(&strata, step, contributions, end)
}

impl Backward {
    /// The backward step of a program.
    pub fn new(program: &Program) -> Backward {
        derive(program)
    }
}

/// What flows to a node, each with the forward node it comes from (none: from later steps or the loss).
#[derive(Clone, Default)]
struct Incoming {
    terms: Vec<(NodeId, Term)>,
    values: Vec<(Option<NodeId>, NodeId)>,
}

struct Reverse<'a> {
    program: &'a Program,
    arena: Arena,
    /// The forward nodes that this walk goes through.
    inside: Vec<bool>,
    /// The forward nodes that depend on a parameter, an input or a state.
    varies: Vec<bool>,
    incoming: Vec<Incoming>,
    outers: Vec<(NodeId, Contribution)>,
    memories: Vec<(NodeId, Contribution)>,
    states: Vec<Option<NodeId>>,
    inputs: Vec<Option<NodeId>>,
    params: Vec<Option<NodeId>>,
    by_node: Vec<Option<NodeId>>,
}

impl<'a> Reverse<'a> {
    fn new(program: &'a Program, strata: &[Stratum], inside: impl Fn(Stratum) -> bool) -> Reverse<'a> {
        let mut varies: Vec<bool> = Vec::with_capacity(program.nodes.len());
        for node in &program.nodes {
            let leaf = matches!(node.op, Op::Param(_) | Op::Input(_) | Op::State(_));
            varies.push(leaf || node.op.attends() || node.op.operands().iter().any(|n| varies[n.index()]));
        }
        Reverse {
            program,
            arena: Arena::reading(strata.to_vec()),
            inside: strata.iter().map(|&s| inside(s)).collect(),
            varies,
            incoming: vec![Incoming::default(); program.nodes.len()],
            outers: Vec::new(),
            memories: Vec::new(),
            states: vec![None; program.states.len()],
            inputs: vec![None; program.inputs.len()],
            params: vec![None; program.params.len()],
            by_node: vec![None; program.nodes.len()],
        }
    }

    fn shape(&self, n: NodeId) -> Shape {
        self.program.nodes[n.index()].shape
    }

    /// What a step starts from: the gradients by the output and by the states after the step.
    fn seed_step(&mut self) {
        let output = self.program.output;
        let gradient = self.arena.push(Op::OutputGradient, self.shape(output));
        self.receive(None, output, gradient);
        for (s, &next) in self.program.next.iter().enumerate() {
            let op = Op::StateGradient(crate::cell::StateId(s as u32));
            let gradient = self.arena.push(op, self.shape(next));
            self.receive(None, next, gradient);
        }
    }

    /// What the epilogue starts from: the summed contributions.
    fn seed_totals(&mut self, contributions: &[Contribution]) {
        for contribution in contributions {
            let Some(target) = contribution.target() else { continue };
            let total = self.arena.push(Op::Total(target), self.shape(target));
            if self.incoming[target.index()].values.iter().all(|&(_, v)| v != total) {
                self.receive(None, target, total);
            }
        }
    }

    fn receive(&mut self, from: Option<NodeId>, to: NodeId, gradient: NodeId) {
        if self.varies[to.index()] {
            self.incoming[to.index()].values.push((from, gradient));
        }
    }

    fn walk(&mut self) {
        for i in (0..self.program.nodes.len()).rev().filter(|&i| self.inside[i]).collect::<Vec<_>>() {
            let n = NodeId(i as u32);
            if let Some(gradient) = self.collect(n) {
                self.by_node[i] = Some(gradient);
                self.pass_on(n, gradient);
            }
        }
    }

    /// The sum of what flows to a node; `None` where nothing does.
    fn collect(&mut self, n: NodeId) -> Option<NodeId> {
        let Incoming { mut terms, mut values } = std::mem::take(&mut self.incoming[n.index()]);
        terms.sort_by_key(|&(from, _)| from);
        values.sort_by_key(|&(from, _)| from);
        let mut all = Vec::new();
        if !terms.is_empty() {
            let terms = terms.into_iter().map(|(_, t)| t).collect();
            all.push(self.arena.affine(None, terms, self.shape(n)));
        }
        all.extend(values.into_iter().map(|(_, v)| v));
        all.sort_by_key(|&v| self.arena.stratum(v) == Stratum::Recurrent);
        all.into_iter().reduce(|sum, v| self.add(sum, v))
    }

    /// a + b, where g · p − g · q is g · (p − q).
    fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let sum = self.arena.add(a, b);
        let Op::Binary(Binary::Sub, l, r) = *self.arena.op(sum) else { return sum };
        let (&Op::Binary(Binary::Mul, g, p), &Op::Binary(Binary::Mul, k, q)) = (self.arena.op(l), self.arena.op(r))
        else {
            return sum;
        };
        let common = [(g, p, k, q), (g, p, q, k), (p, g, k, q), (p, g, q, k)].into_iter().find(|c| c.0 == c.2);
        let Some((g, p, _, q)) = common else { return sum };
        let difference = self.arena.binary(Binary::Sub, p, q);
        self.arena.mul(g, difference)
    }

    /// The value a forward node had; numbers are written out.
    fn forward(&mut self, n: NodeId) -> NodeId {
        match self.program.nodes[n.index()].op {
            Op::Number(x) => self.arena.number(x),
            Op::Length(d) => self.arena.length(d),
            _ => self.arena.push(Op::Forward(n), self.shape(n)),
        }
    }

    /// The transpose of a forward matrix.
    fn transposed(&mut self, matrix: NodeId) -> NodeId {
        if let Op::Transpose(inner) = self.program.nodes[matrix.index()].op {
            return self.forward(inner);
        }
        let matrix = self.forward(matrix);
        self.arena.transpose(matrix)
    }

    /// From a node's gradient to its operands'.
    fn pass_on(&mut self, n: NodeId, dy: NodeId) {
        let program = self.program;
        let node = &program.nodes[n.index()];
        match node.op {
            Op::State(s) => self.states[s.index()] = Some(self.arena.spread(dy, node.shape)),
            Op::Input(i) => self.inputs[i.index()] = Some(self.arena.spread(dy, node.shape)),
            Op::Param(p) => self.params[p.index()] = Some(self.arena.spread(dy, node.shape)),
            Op::Affine { bias, ref terms } => {
                let dy = self.arena.spread(dy, node.shape);
                if let Some(bias) = bias {
                    self.receive(Some(n), bias, dy);
                }
                terms.iter().for_each(|&term| self.through_product(n, term, dy));
            }
            Op::Transpose(m) => {
                let gradient = self.arena.transpose(dy);
                self.receive(Some(n), m, gradient);
            }
            Op::Columns { matrix, start } => {
                let gradient = self.arena.push(Op::PlaceColumns { matrix: dy, start }, self.shape(matrix));
                self.receive(Some(n), matrix, gradient);
            }
            Op::PlaceColumns { matrix, start } => {
                let gradient = self.arena.push(Op::Columns { matrix: dy, start }, self.shape(matrix));
                self.receive(Some(n), matrix, gradient);
            }
            Op::Slice { vector, start } => {
                let dy = self.arena.spread(dy, node.shape);
                let gradient = self.arena.push(Op::PlaceSlice { vector: dy, start }, self.shape(vector));
                self.receive(Some(n), vector, gradient);
            }
            Op::Sum(v) => self.receive(Some(n), v, dy),
            Op::Broadcast(v) => {
                let gradient = self.reduced(dy, node.shape, Shape::Scalar);
                self.receive(Some(n), v, gradient);
            }
            Op::Concat(ref pieces) => self.through_concat(n, pieces, dy),
            Op::Attend { how, query, weight } => self.through_attention(n, (how, query, weight), dy),
            _ => self.through_units(n, dy),
        }
    }

    fn through_product(&mut self, n: NodeId, term: Term, dy: NodeId) {
        if self.varies[term.matrix.index()] {
            let vector = self.forward(term.vector);
            if self.inside[term.matrix.index()] {
                let gradient = Op::Outer { left: dy, right: vector };
                let gradient = self.arena.push(gradient, self.shape(term.matrix));
                self.receive(Some(n), term.matrix, gradient);
            } else {
                let outer = Contribution::Outer { target: term.matrix, left: dy, right: vector };
                self.outers.push((n, outer));
            }
        }
        if self.varies[term.vector.index()] {
            let matrix = self.transposed(term.matrix);
            self.incoming[term.vector.index()].terms.push((n, Term { matrix, vector: dy }));
        }
    }

    fn through_concat(&mut self, n: NodeId, pieces: &[NodeId], dy: NodeId) {
        let mut start = Dim::ZERO;
        for &piece in pieces {
            let shape = self.shape(piece);
            let whole = self.arena.shape(dy) == Shape::Scalar;
            let part = if whole { dy } else { self.arena.push(Op::Slice { vector: dy, start }, shape) };
            self.receive(Some(n), piece, part);
            if let Shape::Vector(units) = shape {
                start = start + units;
            }
        }
    }

    /// To a query, to a weight, and to the memories.
    fn through_attention(&mut self, n: NodeId, attend: (Attention, NodeId, Option<NodeId>), dy: NodeId) {
        let (how, from, by) = attend;
        let gradient = self.arena.spread(dy, self.shape(n));
        let (query, weight) = (self.forward(from), by.map(|w| self.forward(w)));
        self.memories.push((n, Contribution::Memory { how, query, weight, gradient }));
        let units = self.arena.units(query);
        let op = Op::AttendGradient { how, query, weight, gradient };
        let Some(by) = by else {
            let whole = self.arena.push(op, Shape::Vector(units));
            return self.receive(Some(n), from, whole);
        };
        let whole = self.arena.push(op, Shape::Vector(units + units));
        for (to, start) in [(from, Dim::ZERO), (by, units)] {
            let part = self.arena.push(Op::Slice { vector: whole, start }, Shape::Vector(units));
            self.receive(Some(n), to, part);
        }
    }

    /// Through an elementwise primitive, by its row.
    fn through_units(&mut self, n: NodeId, dy: NodeId) {
        let node = &self.program.nodes[n.index()];
        let operands = node.op.operands();
        let arguments: Vec<_> = operands.iter().map(|&a| Formula::Node(self.forward(a))).collect();
        let y = Formula::Node(self.forward(n));
        let dy = Formula::Node(dy);
        let flows: Vec<Option<Formula>> = match (&node.op, &arguments[..]) {
            (Op::Unary(f, _), [x]) => vec![rules::unary(*f, x, &y, &dy)],
            (Op::Binary(Binary::Mul, a, b), [x, _]) if a == b => vec![Some(rules::square(x, &dy))],
            (Op::Binary(f, ..), [a, b]) => rules::binary(*f, a, b, &y, &dy).map(Some).to_vec(),
            (Op::Fma(..), [a, b, _]) => {
                let [da, db] = rules::binary(Binary::Mul, a, b, &y, &dy);
                vec![Some(da), Some(db), Some(dy)]
            }
            (Op::Select { .. }, [condition, ..]) => {
                vec![None, Some(select(condition, &dy, 0.0)), Some(select(condition, 0.0, &dy))]
            }
            _ => Vec::new(),
        };
        for (operand, flow) in operands.into_iter().zip(flows) {
            if let Some(flow) = flow.filter(|_| self.varies[operand.index()]) {
                let gradient = self.arena.build(&flow);
                let gradient = self.reduced(gradient, node.shape, self.shape(operand));
                self.receive(Some(n), operand, gradient);
            }
        }
    }

    /// What flows to an operand of shape `to`, from what flows to each unit of a result of shape `from`: the sum where the
    /// operand is a scalar that was broadcast.
    fn reduced(&mut self, gradient: NodeId, from: Shape, to: Shape) -> NodeId {
        match (to, from, self.arena.shape(gradient)) {
            (Shape::Scalar, Shape::Vector(units), Shape::Scalar) => {
                let units = self.arena.length(units);
                self.arena.mul(gradient, units)
            }
            (Shape::Scalar, _, _) => self.sum(gradient),
            _ => gradient,
        }
    }

    /// Σ v, where Σ s · v with a scalar s is s · Σ v.
    fn sum(&mut self, v: NodeId) -> NodeId {
        let (mut vector, mut scalars) = (v, Vec::new());
        while let (Op::Binary(Binary::Mul, a, b), true) = (self.arena.op(vector), scalars.len() < MOST_SCALARS) {
            let (scalar, rest) = match (self.arena.shape(*a), self.arena.shape(*b)) {
                (Shape::Scalar, _) => (*a, *b),
                (_, Shape::Scalar) => (*b, *a),
                _ => break,
            };
            scalars.push(scalar);
            vector = rest;
        }
        let sum = self.arena.sum(vector);
        scalars.into_iter().rev().fold(sum, |sum, s| self.arena.mul(s, sum))
    }

    /// What a step adds to the gradients of invariant nodes: matrices, then vectors and scalars, each in the order of the
    /// forward nodes that read them; then to those of memories.
    fn contributions(&mut self) -> Vec<Contribution> {
        self.outers.sort_by_key(|&(from, _)| from);
        let mut all: Vec<_> = self.outers.iter().map(|&(_, c)| c).collect();
        let mut values = Vec::new();
        for i in (0..self.program.nodes.len()).filter(|&i| !self.inside[i]).collect::<Vec<_>>() {
            let target = NodeId(i as u32);
            let Incoming { terms, values: elementwise } = &self.incoming[i];
            let first = terms.iter().map(|t| Some(t.0)).chain(elementwise.iter().map(|v| v.0)).min();
            if let Some(value) = self.collect(target) {
                let value = self.arena.spread(value, self.shape(target));
                values.push((first, Contribution::Value { target, value }));
            }
        }
        values.sort_by_key(|&(first, _)| first);
        all.extend(values.into_iter().map(|(_, c)| c));
        self.memories.sort_by_key(|&(from, _)| from);
        all.extend(self.memories.iter().map(|&(_, c)| c));
        all
    }
}

/// Contraction, then only what is needed.
fn assemble(strata: &[Stratum], step: Reverse, mut contributions: Vec<Contribution>, end: Reverse) -> Backward {
    let Reverse { mut states, mut inputs, mut by_node, arena, .. } = step;
    let wanted = states.iter().chain(&inputs).flatten().copied();
    let roots: Vec<_> = wanted.chain(contributions.iter().flat_map(Contribution::reads)).collect();
    let (contracted, place) = contract(&arena.nodes, &roots, strata);
    let alive = live(&contracted, roots.iter().map(|n| place[n.index()]));
    let (nodes, again) = keep(&contracted, alive.iter().copied());
    let at = |n: NodeId| again[place[n.index()].index()];
    let to = |n: &mut NodeId| *n = at(*n);
    states.iter_mut().chain(&mut inputs).flatten().for_each(to);
    contributions.iter_mut().for_each(|c| *c = c.map(at));
    by_node.iter_mut().for_each(|n| *n = n.filter(|n| alive.binary_search(&place[n.index()]).is_ok()));
    by_node.iter_mut().flatten().for_each(to);
    let mut params = end.params;
    let alive = live(&end.arena.nodes, params.iter().flatten().copied());
    let (epilogue, place) = keep(&end.arena.nodes, alive);
    params.iter_mut().flatten().for_each(|n| *n = place[n.index()]);
    Backward { nodes, states, inputs, contributions, epilogue, params, by_node }
}
