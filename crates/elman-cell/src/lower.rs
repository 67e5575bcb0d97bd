//! From a checked cell to a program of primitives.
//!
//! Each expression becomes one node, equal expressions one and the same. Three things are not left as written:
//! - `W [h, x]` is `W₁ h + W₂ x` with W₁ and W₂ columns of W;
//! - the products and invariant vectors of one sum become one [`Op::Affine`], to which its other addends are added in
//!   the author's order; a minus sign before a product goes to its matrix. A sum that is named and read once, in a
//!   sum, is part of that sum (it keeps a node of its own for whoever asks for its value by name);
//! - functions are expanded (`functions.rs`), a · b + c is contracted (`contract.rs`).
//!
//! Works without recursion, on stacks of its own, so that no text overflows that of the machine.

mod functions;

use crate::arena::{Arena, depth_first, keep};
use crate::cell::{Cell, EquationId, ExprId, ExprKind, Shape};
use crate::contract::contract;
use crate::dim::Dim;
use crate::op::{Binary, Unary};
use crate::program::{Node, NodeId, Op, Program, Stratum, Term};

/// A named sum or concatenation longer than this is not taken apart by what reads it, which keeps programs linear in
/// their text.
const LONGEST_OPENED: usize = 64;

/// The program of a cell: its forward step in primitives.
pub fn lower(cell: &Cell) -> Program {
    let mut lowering = Lowering::new(cell);
    for &id in &cell.order {
        lowering.equation(id);
    }
    lowering.finish()
}

impl Program {
    /// The program of a cell: its forward step in primitives.
    pub fn new(cell: &Cell) -> Program {
        lower(cell)
    }
}

/// An expression on its way: sums and concatenations wait to see what reads them.
#[derive(Clone)]
enum Value {
    Node(NodeId),
    Sum(Vec<Addend>),
    Pieces(Vec<NodeId>),
}

#[derive(Clone, Copy)]
struct Addend {
    negative: bool,
    value: Addition,
}

#[derive(Clone, Copy)]
enum Addition {
    Node(NodeId),
    Product(Term),
}

enum Task {
    Open(ExprId),
    Close(ExprId),
}

struct Lowering<'a> {
    cell: &'a Cell,
    arena: Arena,
    /// Per equation: how often its value is read, by equations, as a state's new value, as the output.
    reads: Vec<u32>,
    /// Per equation already lowered: its value unforced, and its node.
    values: Vec<Option<(Value, NodeId)>>,
    stack: Vec<Value>,
}

impl<'a> Lowering<'a> {
    fn new(cell: &'a Cell) -> Lowering<'a> {
        let values = vec![None; cell.equations.len()];
        Lowering { cell, arena: Arena::default(), reads: reads(cell), values, stack: Vec::new() }
    }

    fn equation(&mut self, id: EquationId) {
        let value = self.expression(self.cell.equations[id.index()].value);
        let mut node = self.force(value.clone());
        if let Some(s) = self.cell.equations[id.index()].state {
            node = self.arena.spread(node, Shape::Vector(self.cell.states[s.index()].dim));
        }
        let opened = match value {
            Value::Sum(all) if self.reads[id.index()] == 1 && all.len() <= LONGEST_OPENED => Value::Sum(all),
            Value::Pieces(pieces) if pieces.len() <= LONGEST_OPENED => Value::Pieces(pieces),
            _ => Value::Node(node),
        };
        self.values[id.index()] = Some((opened, node));
    }

    fn expression(&mut self, root: ExprId) -> Value {
        let mut tasks = vec![Task::Open(root)];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Open(e) => {
                    tasks.push(Task::Close(e));
                    tasks.extend(operands(&self.cell.exprs[e.index()].kind).into_iter().rev().map(Task::Open));
                }
                Task::Close(e) => {
                    let value = self.close(e);
                    self.stack.push(value);
                }
            }
        }
        self.pop()
    }

    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or(Value::Sum(Vec::new()))
    }

    fn pop_node(&mut self) -> NodeId {
        let value = self.pop();
        self.force(value)
    }

    /// The value of an expression whose operands are on the stack.
    fn close(&mut self, e: ExprId) -> Value {
        let expr = &self.cell.exprs[e.index()];
        let matrix = matches!(expr.shape, Shape::Matrix(..));
        match expr.kind {
            ExprKind::Number(x) => Value::Node(self.arena.number(x)),
            // Leaves have their declared shapes: where an equation forces two dimensions to be equal, an expression may
            // be written in either.
            ExprKind::Input(i) => self.leaf(Op::Input(i), Shape::Vector(self.cell.inputs[i.index()].dim)),
            ExprKind::Previous(s) => self.leaf(Op::State(s), Shape::Vector(self.cell.states[s.index()].dim)),
            ExprKind::Param(p) if expr.shape == Shape::Scalar => self.leaf(Op::Param(p), Shape::Scalar),
            ExprKind::Param(p) => self.leaf(Op::Param(p), self.cell.params[p.index()].shape),
            ExprKind::Value(q) => match &self.values[q.index()] {
                Some((value, _)) => value.clone(),
                None => Value::Sum(Vec::new()),
            },
            ExprKind::Neg(_) if matrix => self.unary(Unary::Neg),
            ExprKind::Neg(_) => {
                let all = self.pop_addends();
                Value::Sum(all.into_iter().map(Addend::minus).collect())
            }
            ExprKind::Add(..) if matrix => self.binary(Binary::Add),
            ExprKind::Sub(..) if matrix => self.binary(Binary::Sub),
            ExprKind::Add(..) | ExprKind::Sub(..) => {
                let right = self.pop_addends();
                let mut all = self.pop_addends();
                let minus = matches!(expr.kind, ExprKind::Sub(..));
                all.extend(right.into_iter().map(|a| if minus { a.minus() } else { a }));
                Value::Sum(all)
            }
            ExprKind::Mul(..) => self.binary(Binary::Mul),
            ExprKind::Div(..) => self.binary(Binary::Div),
            ExprKind::Pow(_, p) => {
                let x = self.pop_node();
                Value::Node(functions::power(&mut self.arena, x, p))
            }
            ExprKind::Product(..) => {
                let vector = self.pop();
                let matrix = self.pop_node();
                self.product(matrix, vector)
            }
            ExprKind::Transpose(_) => {
                let matrix = self.pop_node();
                Value::Node(self.arena.transpose(matrix))
            }
            ExprKind::Call(f, ref arguments) => {
                let nodes = self.pop_nodes(arguments.len());
                Value::Node(functions::expand(&mut self.arena, f, &nodes))
            }
            ExprKind::Concat(ref pieces) => self.concat(pieces.len()),
            ExprKind::Attend { how, weight, .. } => {
                let keys = Shape::Vector(self.cell.memories[how.keys.index()].dim);
                let values = Shape::Vector(self.cell.memories[how.values.index()].dim);
                let weight = weight.map(|_| self.pop_node()).map(|n| self.arena.spread(n, keys));
                let query = self.pop_node();
                let query = self.arena.spread(query, keys);
                Value::Node(self.arena.push(Op::Attend { how, query, weight }, values))
            }
        }
    }

    fn leaf(&mut self, op: Op, shape: Shape) -> Value {
        Value::Node(self.arena.push(op, shape))
    }

    fn unary(&mut self, f: Unary) -> Value {
        let a = self.pop_node();
        Value::Node(self.arena.unary(f, a))
    }

    fn binary(&mut self, f: Binary) -> Value {
        let right = self.pop_node();
        let left = self.pop_node();
        Value::Node(self.arena.binary(f, left, right))
    }

    fn pop_nodes(&mut self, count: usize) -> Vec<NodeId> {
        let mut nodes: Vec<_> = (0..count).map(|_| self.pop_node()).collect();
        nodes.reverse();
        nodes
    }

    fn pop_addends(&mut self) -> Vec<Addend> {
        match self.pop() {
            Value::Sum(all) => all,
            value => vec![Addend { negative: false, value: Addition::Node(self.force(value)) }],
        }
    }

    /// Vectors one after another; a concatenation within one is opened.
    fn concat(&mut self, count: usize) -> Value {
        let at = self.stack.len().saturating_sub(count);
        let mut pieces = Vec::new();
        for value in self.stack.split_off(at) {
            match value {
                Value::Pieces(inner) => pieces.extend(inner),
                value => {
                    let node = self.force(value);
                    pieces.push(self.arena.spread(node, Shape::Vector(Dim::ONE)));
                }
            }
        }
        Value::Pieces(pieces)
    }

    /// matrix · vector, a term for each piece of a concatenation.
    fn product(&mut self, matrix: NodeId, vector: Value) -> Value {
        let pieces = match vector {
            Value::Pieces(pieces) => pieces,
            value => {
                let node = self.force(value);
                vec![self.arena.spread(node, Shape::Vector(Dim::ONE))]
            }
        };
        let alone = pieces.len() == 1;
        let mut start = Dim::ZERO;
        let mut addends = Vec::with_capacity(pieces.len());
        for vector in pieces {
            let units = self.arena.units(vector);
            let block = if alone { matrix } else { self.arena.columns(matrix, start, units) };
            start = start + units;
            let value = Addition::Product(Term { matrix: block, vector });
            addends.push(Addend { negative: false, value });
        }
        Value::Sum(addends)
    }

    /// The node of a value.
    fn force(&mut self, value: Value) -> NodeId {
        match value {
            Value::Node(n) => n,
            Value::Pieces(pieces) => self.arena.concat(pieces),
            Value::Sum(addends) => self.sum(&addends),
        }
    }

    /// One affine of what belongs into it, then the rest in the author's order.
    fn sum(&mut self, addends: &[Addend]) -> NodeId {
        let is_product = |a: &Addend| matches!(a.value, Addition::Product(_));
        let affine = addends.iter().any(is_product);
        let mut terms = Vec::new();
        let (mut bias, mut rest) = (None, Vec::new());
        for addend in addends {
            match addend.value {
                Addition::Product(t) => {
                    let matrix = if addend.negative { self.arena.neg(t.matrix) } else { t.matrix };
                    terms.push(Term { matrix, vector: t.vector });
                }
                Addition::Node(n) if affine && self.arena.stratum(n) == Stratum::Invariant => {
                    bias = Some(self.accumulate(bias, n, addend.negative));
                }
                Addition::Node(n) => rest.push((n, addend.negative)),
            }
        }
        let start = terms.first().map(|t| t.matrix).map(|first| {
            let rows = if let Shape::Matrix(rows, _) = self.arena.shape(first) { rows } else { Dim::ONE };
            let shape = Shape::Vector(rows);
            let bias = bias.map(|b| self.arena.spread(b, shape));
            self.arena.affine(bias, terms, shape)
        });
        let total = rest.into_iter().fold(start, |sum, (n, minus)| Some(self.accumulate(sum, n, minus)));
        total.unwrap_or_else(|| self.arena.number(0.0))
    }

    fn accumulate(&mut self, sum: Option<NodeId>, n: NodeId, negative: bool) -> NodeId {
        match (sum, negative) {
            (None, false) => n,
            (None, true) => self.arena.neg(n),
            (Some(s), false) => self.arena.add(s, n),
            (Some(s), true) => self.arena.binary(Binary::Sub, s, n),
        }
    }

    fn finish(mut self) -> Program {
        let cell = self.cell;
        let nodes: Vec<_> = self.values.iter().map(|v| v.as_ref().map_or(NodeId(0), |v| v.1)).collect();
        let next: Vec<_> = cell.states.iter().map(|s| nodes[s.next.index()]).collect();
        let output = self.arena.spread(nodes[cell.output.index()], Shape::Vector(Dim::ONE));
        let roots: Vec<_> = next.iter().copied().chain([output]).collect();
        let (contracted, place) = contract(&self.arena.nodes, &roots, &[]);
        let at = |n: &NodeId| place[n.index()];
        let order = order(&contracted, at(&output), next.iter().map(at).collect(), nodes.iter().map(at));
        let (kept, again) = keep(&contracted, order);
        let to = |n: NodeId| again[place[n.index()].index()];
        Program {
            nodes: kept,
            inputs: cell.inputs.iter().map(|i| i.dim).collect(),
            memories: cell.memories.iter().map(|m| m.dim).collect(),
            states: cell.states.iter().map(|s| s.dim).collect(),
            params: cell.params.iter().map(|p| p.shape).collect(),
            next: next.into_iter().map(to).collect(),
            output: to(output),
            named: cell.equations.iter().zip(nodes).map(|(e, n)| (e.name.clone(), to(n))).collect(),
        }
    }
}

impl Addend {
    fn minus(self) -> Addend {
        Addend { negative: !self.negative, ..self }
    }
}

/// The nodes in an order that does not depend on that of the equations: depth first from the output, then from the
/// states' new values in the order in which states are met, then what is only named.
fn order(nodes: &[Node], output: NodeId, next: Vec<NodeId>, named: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let (mut seen, mut order, mut done) = (vec![false; nodes.len()], Vec::new(), 0);
    depth_first(nodes, output, &mut seen, &mut order);
    while done < order.len() {
        if let Op::State(s) = nodes[order[done].index()].op {
            depth_first(nodes, next[s.index()], &mut seen, &mut order);
        }
        done += 1;
    }
    next.into_iter().chain(named).for_each(|n| depth_first(nodes, n, &mut seen, &mut order));
    order
}

/// The operands of an expression, in the author's order.
pub(crate) fn operands(kind: &ExprKind) -> Vec<ExprId> {
    match kind {
        ExprKind::Number(_) | ExprKind::Input(_) | ExprKind::Previous(_) | ExprKind::Value(_) | ExprKind::Param(_) => {
            Vec::new()
        }
        ExprKind::Neg(a) | ExprKind::Pow(a, _) | ExprKind::Transpose(a) => vec![*a],
        ExprKind::Add(a, b)
        | ExprKind::Sub(a, b)
        | ExprKind::Mul(a, b)
        | ExprKind::Div(a, b)
        | ExprKind::Product(a, b) => vec![*a, *b],
        ExprKind::Call(_, all) | ExprKind::Concat(all) => all.clone(),
        ExprKind::Attend { query, weight, .. } => [*query].into_iter().chain(*weight).collect(),
    }
}

/// How often each equation's value is read by what the cell gives.
fn reads(cell: &Cell) -> Vec<u32> {
    let mut reads = vec![0; cell.equations.len()];
    for id in cell.states.iter().map(|s| s.next).chain([cell.output]) {
        reads[id.index()] += 1;
    }
    for &id in cell.order.iter().rev() {
        if reads[id.index()] == 0 {
            continue;
        }
        let mut open = vec![cell.equations[id.index()].value];
        while let Some(e) = open.pop() {
            let kind = &cell.exprs[e.index()].kind;
            if let ExprKind::Value(q) = kind {
                reads[q.index()] += 1;
            }
            open.extend(operands(kind));
        }
    }
    reads
}
