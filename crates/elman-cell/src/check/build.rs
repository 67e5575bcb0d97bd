//! The checked cell, put together from what the passes found.

use std::collections::HashMap;

use super::advice::slot;
use super::attend;
use super::declared;
use super::names::{Meanings, Reads};
use super::rank::{Rank, Ranks};
use super::shape::{Forced, Shapes, Want};
use crate::cell::*;
use crate::diag::Report;
use crate::dim::Dim;
use crate::functions;
use crate::name::{Name, Symbol};
use crate::syntax::tree::{Callee, NodeId, NodeKind, Operator, Tree};

/// What the passes found.
pub(super) struct Checked<'a, 's> {
    pub source: &'s str,
    pub tree: &'a Tree,
    pub meanings: &'a Meanings,
    pub ranks: &'a Ranks,
    pub folded: &'a HashMap<NodeId, f64>,
    pub order: &'a [usize],
    pub output: usize,
    pub inputs: Vec<Dim>,
    pub states: Vec<Dim>,
    pub shapes: Shapes,
    pub forced: Vec<Forced>,
}

/// The parts of the cell that grow while it is built.
#[derive(Default)]
struct Building {
    exprs: Vec<Expr>,
    built: HashMap<NodeId, ExprId>,
    params: Vec<Param>,
    param_ids: HashMap<Symbol, ParamId>,
    /// Per equation: its state.
    state_ids: HashMap<usize, StateId>,
}

impl Checked<'_, '_> {
    /// The cell; nothing where something was wrong.
    pub fn cell(mut self, name: &str, report: &mut Report) -> Option<Cell> {
        let mut building = Building::default();
        let mut states = self.list_states(&mut building);
        self.list_params(&mut building, report)?;
        declared::apply(self.tree, &mut building.params, &mut states, report);
        if report.errors() > 0 {
            return None;
        }
        let mut equations = Vec::new();
        for (e, equation) in self.tree.equations.iter().enumerate() {
            let value = self.equation(e, &mut building)?;
            let latex = Name::from_file(self.tree.names.file(equation.name)).latex_at(None);
            equations.push(Equation {
                name: self.tree.names.file(equation.name).to_string(),
                latex,
                state: building.state_ids.get(&e).copied(),
                value,
                span: equation.span,
                line: report.line(equation.span.start),
            });
        }
        Some(Cell {
            name: name.to_string(),
            doc: self.tree.doc.clone(),
            source: self.source.to_string(),
            inputs: self.list_inputs(),
            memories: self.list_memories(report)?,
            states,
            params: building.params,
            equations,
            order: self.order.iter().map(|&e| EquationId(e as u32)).collect(),
            exprs: building.exprs,
            output: EquationId(self.output as u32),
            requirements: self.requirements(),
            diagnostics: Vec::new(),
        })
    }

    fn list_inputs(&self) -> Vec<Input> {
        let mut names = vec!["x"];
        names.extend(self.tree.declarations.inputs.iter().map(|i| self.tree.names.file(i.name)).filter(|n| *n != "x"));
        names.iter().zip(&self.inputs).map(|(name, &dim)| Input { name: name.to_string(), dim }).collect()
    }

    fn list_memories(&mut self, report: &mut Report) -> Option<Vec<Memory>> {
        let mut list = Vec::new();
        for (declared, length) in self.tree.declarations.memories.iter().zip(self.shapes.memories.clone()) {
            let name = self.tree.names.file(declared.name).to_string();
            let Some(dim) = self.shapes.solver.dim(&length) else {
                let message = format!("the dimension of `{name}` overflows");
                let hint = "concatenations of concatenations double each time";
                report.error("E208", declared.span, message).hint(hint);
                return None;
            };
            list.push(Memory { name, dim });
        }
        Some(list)
    }

    fn list_states(&self, building: &mut Building) -> Vec<State> {
        let mut states = Vec::new();
        for (e, equation) in self.tree.equations.iter().enumerate().filter(|(e, _)| self.meanings.is_state[*e]) {
            building.state_ids.insert(e, StateId(states.len() as u32));
            let name = self.tree.names.file(equation.name).to_string();
            states.push(State { name, dim: self.states[e], next: EquationId(e as u32), initial: None });
        }
        states
    }

    /// Parameters in the order in which the text first names them, in an equation or a declaration.
    fn list_params(&mut self, building: &mut Building, report: &mut Report) -> Option<()> {
        let mut named: Vec<(Span, Symbol)> = self.tree.declarations.params.iter().map(|p| (p.span, p.name)).collect();
        for id in self.meanings.live.iter().flatten() {
            if let Some(Reads::Param(symbol)) = self.meanings.reads.get(id) {
                named.push((self.tree.node(*id).span, *symbol));
            }
        }
        named.sort_by_key(|(span, _)| span.start);
        for (span, symbol) in named {
            add_param(self.tree, &mut self.shapes, symbol, span, building, report)?;
        }
        Some(())
    }

    fn requirements(&self) -> Vec<Requirement> {
        let mut list: Vec<Requirement> = Vec::new();
        for force in &self.forced {
            let known = |r: &Requirement| {
                (r.left, r.right) == (force.left, force.right) || (r.right, r.left) == (force.left, force.right)
            };
            if !list.iter().any(known) {
                let equation = EquationId(force.equation as u32);
                list.push(Requirement {
                    left: force.left,
                    right: force.right,
                    equation,
                    span: force.span,
                    labels: force.labels.clone(),
                });
            }
        }
        list
    }

    /// Builds the nodes of an equation that are left after folding.
    fn equation(&mut self, e: usize, building: &mut Building) -> Option<ExprId> {
        let root = self.tree.equations[e].root;
        let mut needed = vec![root];
        let mut work = vec![root];
        while let Some(id) = work.pop() {
            if !self.folded.contains_key(&id) {
                self.tree.node(id).kind.children(|child| {
                    needed.push(child);
                    work.push(child);
                });
            }
        }
        needed.sort_unstable();
        for id in needed {
            let built = self.node(e, id, building)?;
            if let Some(built) = built {
                building.built.insert(id, built);
            }
        }
        building.built.get(&root).copied()
    }

    fn shape(&mut self, id: NodeId) -> Option<Shape> {
        let want = self.shapes.nodes.get(&id).cloned();
        let solver = &mut self.shapes.solver;
        Some(match (self.ranks.nodes[id.index()], want) {
            (Rank::Vector, Some(Want::Vector(d))) => Shape::Vector(solver.dim(&d)?),
            (Rank::Matrix, Some(Want::Matrix(r, c))) => Shape::Matrix(solver.dim(&r)?, solver.dim(&c)?),
            _ => Shape::Scalar,
        })
    }

    /// An expression for a node; none for a product that only a larger product holds.
    fn node(&mut self, e: usize, id: NodeId, building: &mut Building) -> Option<Option<ExprId>> {
        let node = self.tree.node(id);
        if let Some(&value) = self.folded.get(&id) {
            return Some(Some(building.push(ExprKind::Number(value), Shape::Scalar, node.span)));
        }
        let shape = self.shape(id)?;
        if let Some(Reads::Memory(_)) = self.meanings.reads.get(&id) {
            return Some(None);
        }
        let of = |id: &NodeId| building.built.get(id).copied();
        let kind = match &node.kind {
            NodeKind::Wrong => return None,
            NodeKind::Number(v) => ExprKind::Number(*v),
            NodeKind::Name(..) => self.name(id, building)?,
            NodeKind::Neg(a) => ExprKind::Neg(of(a)?),
            NodeKind::Power(a, p) => ExprKind::Pow(of(a)?, *p),
            NodeKind::Transpose(a) => match building.exprs[of(a)?.index()].kind {
                ExprKind::Transpose(inner) => return Some(Some(inner)),
                _ => ExprKind::Transpose(of(a)?),
            },
            NodeKind::Binary(operator, a, b) => {
                let (a, b) = (of(a)?, of(b)?);
                match operator {
                    Operator::Add => ExprKind::Add(a, b),
                    Operator::Sub => ExprKind::Sub(a, b),
                    Operator::Mul => ExprKind::Mul(a, b),
                    Operator::Div => ExprKind::Div(a, b),
                }
            }
            NodeKind::Concat(list) => ExprKind::Concat(list.iter().map(of).collect::<Option<_>>()?),
            NodeKind::Call(Callee::Known(f), list) if functions::score(*f).is_some() => {
                let (keys, values) = attend::memories(self.tree, self.meanings, id)?;
                let how = Attention {
                    score: functions::score(*f)?,
                    keys: MemoryId(keys as u32),
                    values: MemoryId(values as u32),
                };
                let weight = if functions::vectors(how.score) == 2 { Some(of(&list[1])?) } else { None };
                ExprKind::Attend { how, query: of(&list[0])?, weight }
            }
            NodeKind::Call(callee, list) => {
                let function = match callee {
                    Callee::Known(function) => *function,
                    Callee::Slot { sigmoid, .. } => slot(self.tree, self.meanings, Some(self.output), e, *sigmoid),
                };
                ExprKind::Call(function, list.iter().map(of).collect::<Option<_>>()?)
            }
            NodeKind::Product(list) => {
                let rank = |id: &NodeId| self.ranks.nodes[id.index()];
                let matrices = list.iter().filter(|a| rank(a) == Rank::Matrix).count();
                if matrices >= 2 && !list.iter().any(|a| rank(a) == Rank::Vector) {
                    return Some(None);
                }
                return self.product(id, list, building).map(Some);
            }
        };
        Some(Some(building.push(kind, shape, node.span)))
    }

    fn name(&self, id: NodeId, building: &Building) -> Option<ExprKind> {
        Some(match self.meanings.reads.get(&id)? {
            Reads::Number(v) => ExprKind::Number(*v),
            Reads::Input(i) => ExprKind::Input(InputId(*i as u32)),
            Reads::Value(e) => ExprKind::Value(EquationId(*e as u32)),
            Reads::Previous(e) => ExprKind::Previous(*building.state_ids.get(e)?),
            Reads::Param(symbol) => ExprKind::Param(*building.param_ids.get(symbol)?),
            Reads::Wrong | Reads::Memory(_) => return None,
        })
    }

    /// `W U v` is W · (U · v); `v W U` is Uᵀ · (Wᵀ · v); numbers scale the result.
    fn product(&self, id: NodeId, list: &[NodeId], building: &mut Building) -> Option<ExprId> {
        let span = self.tree.node(id).span;
        let mut factors = Vec::new();
        self.flatten(list, &mut factors);
        let rank = |id: &NodeId| self.ranks.nodes[id.index()];
        let built = |id: &NodeId, building: &Building| building.built.get(id).copied();
        let Some(place) = factors.iter().position(|f| rank(f) == Rank::Vector) else {
            return self.scaled(&factors, None, span, building);
        };
        let mut value = built(&factors[place], building)?;
        let matrices = |list: &[NodeId]| list.iter().copied().filter(|f| rank(f) == Rank::Matrix).collect::<Vec<_>>();
        for factor in matrices(&factors[..place]).into_iter().rev() {
            let matrix = built(&factor, building)?;
            value = building.apply(matrix, value)?;
        }
        for factor in matrices(&factors[place + 1..]) {
            let matrix = built(&factor, building)?;
            let matrix = building.transposed(matrix)?;
            value = building.apply(matrix, value)?;
        }
        let rest: Vec<NodeId> = factors.iter().copied().filter(|f| rank(f) == Rank::Scalar).collect();
        if matrices(&factors).is_empty() {
            return self.scaled(&factors, None, span, building);
        }
        self.scaled(&rest, Some(value), span, building)
    }

    /// The factors of a product and of products of matrices inside it.
    fn flatten(&self, list: &[NodeId], factors: &mut Vec<NodeId>) {
        for &factor in list {
            match &self.tree.node(factor).kind {
                NodeKind::Product(inner) if self.ranks.nodes[factor.index()] == Rank::Matrix => {
                    self.flatten(inner, factors)
                }
                _ => factors.push(factor),
            }
        }
    }

    /// Factors multiplied from left to right, and `last` at the end.
    fn scaled(&self, factors: &[NodeId], last: Option<ExprId>, span: Span, building: &mut Building) -> Option<ExprId> {
        let mut product: Option<ExprId> = None;
        let list: Option<Vec<ExprId>> = factors.iter().map(|f| building.built.get(f).copied()).collect();
        for factor in list?.into_iter().chain(last) {
            product = Some(match product {
                None => factor,
                Some(before) => {
                    let (left, right) = (&building.exprs[before.index()], &building.exprs[factor.index()]);
                    if let (ExprKind::Number(a), ExprKind::Number(b)) = (&left.kind, &right.kind) {
                        let kind = ExprKind::Number(a * b);
                        product = Some(building.push(kind, Shape::Scalar, span));
                        continue;
                    }
                    let (a, b) = (left.shape, right.shape);
                    let shape = if a == Shape::Scalar { b } else { a };
                    building.push(ExprKind::Mul(before, factor), shape, span)
                }
            });
        }
        product
    }
}

/// Adds a parameter once.
fn add_param(
    tree: &Tree,
    shapes: &mut Shapes,
    symbol: Symbol,
    span: Span,
    building: &mut Building,
    report: &mut Report,
) -> Option<()> {
    if building.param_ids.contains_key(&symbol) {
        return Some(());
    }
    let dim = |length: &super::solve::Length, shapes: &mut Shapes, report: &mut Report| {
        let dim = shapes.solver.dim(length);
        if dim.is_none() {
            let message = format!("the dimension of `{}` overflows", tree.names.file(symbol));
            report.error("E208", span, message).hint("concatenations of concatenations double each time");
        }
        dim
    };
    let shape = match shapes.params.get(&symbol).cloned() {
        Some(Want::Vector(d)) => Shape::Vector(dim(&d, shapes, report)?),
        Some(Want::Matrix(r, c)) => Shape::Matrix(dim(&r, shapes, report)?, dim(&c, shapes, report)?),
        _ => Shape::Vector(Dim::ONE),
    };
    building.param_ids.insert(symbol, ParamId(building.params.len() as u32));
    let name = tree.names.file(symbol).to_string();
    let latex = Name::from_file(&name).latex_at(None);
    building.params.push(Param { name, latex, shape, init: None, shared: false, span });
    Some(())
}

impl Building {
    fn push(&mut self, kind: ExprKind, shape: Shape, span: Span) -> ExprId {
        self.exprs.push(Expr { kind, shape, span });
        ExprId(self.exprs.len() as u32 - 1)
    }

    fn apply(&mut self, matrix: ExprId, vector: ExprId) -> Option<ExprId> {
        let (m, v) = (&self.exprs[matrix.index()], &self.exprs[vector.index()]);
        let Shape::Matrix(rows, _) = m.shape else { return None };
        let span = Span { start: m.span.start.min(v.span.start), end: m.span.end.max(v.span.end) };
        Some(self.push(ExprKind::Product(matrix, vector), Shape::Vector(rows), span))
    }

    fn transposed(&mut self, matrix: ExprId) -> Option<ExprId> {
        let expr = self.exprs[matrix.index()].clone();
        match (expr.kind, expr.shape) {
            (ExprKind::Transpose(inner), _) => Some(inner),
            (_, Shape::Matrix(rows, columns)) => {
                Some(self.push(ExprKind::Transpose(matrix), Shape::Matrix(columns, rows), expr.span))
            }
            _ => None,
        }
    }
}
