//! Dimensions of all values, by unification from the top of each equation down.
//!
//! The value of a state's equation has the state's dimension; `+`, `*` and functions pass it on to both sides; a
//! product asks its matrix for that many rows and its vector for as many units as the matrix has columns. Equations are
//! taken in the reverse of the order in which they are computed, so that a gate's dimension is known from its use when
//! its own equation is read, and a clash is found at the leaf that causes it (`x_t` in MUT1's `tanh(x_t)`).

use std::collections::HashMap;

use super::names::{Meanings, Reads};
use super::rank::{Rank, Ranks};
use super::solve::{Length, Origin, Outcome, Solver, can_be_equal};
use crate::cell::Span;
use crate::diag::{Label, Report, quote};
use crate::dim::Dim;
use crate::functions;
use crate::name::Symbol;
use crate::syntax::tree::{Callee, DeclaredShape, NodeId, NodeKind, Tree};

/// The dimensions a node must have.
#[derive(Clone, Debug)]
pub(super) enum Want {
    Nothing,
    Vector(Length),
    Matrix(Length, Length),
}

/// Two dimensions that must have one size.
pub(super) struct Forced {
    pub left: Dim,
    pub right: Dim,
    pub equation: usize,
    pub span: Span,
    pub labels: Vec<Label>,
}

/// The dimensions of everything, still as the solver knows them.
pub(super) struct Shapes {
    pub solver: Solver,
    pub nodes: HashMap<NodeId, Want>,
    pub params: HashMap<Symbol, Want>,
    /// The length of each memory's rows.
    pub memories: Vec<Length>,
    pub forced: Vec<Forced>,
}

/// An equation between dimensions that waits.
struct Waiting {
    actual: Length,
    wanted: Length,
    origin: Origin,
}

pub(super) struct Shaper<'a, 'r, 's> {
    pub source: &'s str,
    pub tree: &'a Tree,
    pub meanings: &'a Meanings,
    pub ranks: &'a Ranks,
    pub order: &'a [usize],
    pub inputs: &'a [Dim],
    /// Per memory, if its dimension is declared.
    pub memories: &'a [Option<Dim>],
    /// Per equation that updates a state: its dimension.
    pub states: &'a [Dim],
    pub report: &'r mut Report<'s>,
}

struct Work {
    shapes: Shapes,
    equations: Vec<Length>,
    waiting: Vec<Waiting>,
    /// The equation that is being read.
    current: usize,
}

impl Shaper<'_, '_, '_> {
    /// Dimensions of everything; what can never fit is reported, what may fit is listed as forced.
    pub fn run(mut self) -> Shapes {
        let mut solver = Solver::default();
        let equations = (0..self.tree.equations.len()).map(|_| solver.fresh()).collect();
        let memories = self.memories.iter().map(|d| d.map_or_else(|| solver.fresh(), Length::known)).collect();
        let shapes = Shapes { solver, nodes: HashMap::new(), params: HashMap::new(), memories, forced: Vec::new() };
        let mut work = Work { shapes, equations, waiting: Vec::new(), current: 0 };
        for param in &self.tree.declarations.params {
            let want = match param.value {
                DeclaredShape::Scalar => Want::Nothing,
                DeclaredShape::Vector(d) => Want::Vector(Length::known(d)),
                DeclaredShape::Matrix(r, c) => Want::Matrix(Length::known(r), Length::known(c)),
            };
            work.shapes.params.insert(param.name, want);
        }
        for &e in self.order.iter().rev() {
            self.equation(e, &mut work);
        }
        self.retry(&mut work);
        work.shapes.solver.default_to_output();
        self.retry(&mut work);
        for waiting in std::mem::take(&mut work.waiting) {
            self.never(&waiting.actual, &waiting.wanted, waiting.origin, &mut work);
        }
        work.shapes
    }

    fn equation(&mut self, e: usize, work: &mut Work) {
        work.current = e;
        let equation = &self.tree.equations[e];
        let rank = self.ranks.nodes[equation.root.index()];
        let want = match rank {
            _ if self.meanings.is_state[e] => Want::Vector(Length::known(self.states[e])),
            Rank::Vector => Want::Vector(work.equations[e].clone()),
            Rank::Matrix => Want::Matrix(work.equations[e].clone(), self.columns(e, work)),
            _ => Want::Nothing,
        };
        work.shapes.nodes.insert(equation.root, want);
        for &id in self.meanings.live[e].iter().rev() {
            let want = work.shapes.nodes.entry(id).or_insert(Want::Nothing).clone();
            self.node(id, &want, work);
        }
    }

    /// The columns of an equation that gives a matrix; its rows are in `equations`.
    fn columns(&self, e: usize, work: &mut Work) -> Length {
        let key = self.tree.equations[e].name;
        if let Some(Want::Matrix(_, columns)) = work.shapes.params.get(&key) {
            return columns.clone();
        }
        let columns = work.shapes.solver.fresh();
        work.shapes.params.insert(key, Want::Matrix(work.equations[e].clone(), columns.clone()));
        columns
    }

    /// Hands a node's dimensions on to its children, or compares them with what a name has.
    fn node(&mut self, id: NodeId, want: &Want, work: &mut Work) {
        match &self.tree.node(id).kind {
            NodeKind::Name(..) => self.name(id, want, work),
            NodeKind::Neg(a) | NodeKind::Power(a, _) => self.pass(*a, want, work),
            NodeKind::Binary(_, a, b) => {
                self.pass(*a, want, work);
                self.pass(*b, want, work);
            }
            NodeKind::Transpose(a) => {
                if let Want::Matrix(rows, columns) = want {
                    work.shapes.nodes.insert(*a, Want::Matrix(columns.clone(), rows.clone()));
                }
            }
            NodeKind::Call(Callee::Known(f), list) if functions::reduces(*f) => {
                for &a in list {
                    let length = work.shapes.solver.fresh();
                    self.pass(a, &Want::Vector(length), work);
                }
            }
            NodeKind::Call(Callee::Known(f), list) if functions::score(*f).is_some() => {
                self.attention(id, list, want, work);
            }
            NodeKind::Call(_, list) => list.iter().for_each(|&a| self.pass(a, want, work)),
            NodeKind::Concat(list) => self.concat(id, list, want, work),
            NodeKind::Product(list) => self.product(list, want, work),
            NodeKind::Number(_) | NodeKind::Wrong => {}
        }
    }

    /// The same dimensions for a child, unless it is a scalar.
    fn pass(&self, child: NodeId, want: &Want, work: &mut Work) {
        let want = match (self.ranks.nodes[child.index()], want) {
            (Rank::Vector, Want::Vector(_)) | (Rank::Matrix, Want::Matrix(..)) => want.clone(),
            (Rank::Vector, _) => Want::Vector(work.shapes.solver.fresh()),
            (Rank::Matrix, _) => Want::Matrix(work.shapes.solver.fresh(), work.shapes.solver.fresh()),
            _ => Want::Nothing,
        };
        work.shapes.nodes.insert(child, want);
    }

    /// Vectors as long as a key, and a result as long as a value.
    fn attention(&mut self, id: NodeId, list: &[NodeId], want: &Want, work: &mut Work) {
        let Some((keys, values)) = super::attend::memories(self.tree, self.meanings, id) else {
            return list.iter().for_each(|&a| self.pass(a, &Want::Nothing, work));
        };
        let [keys, values] = [keys, values].map(|m| work.shapes.memories[m].clone());
        list.iter().for_each(|&a| self.pass(a, &Want::Vector(keys.clone()), work));
        if let Want::Vector(wanted) = want {
            self.equal(&values, wanted, self.tree.node(id).span, work);
        }
    }

    fn concat(&mut self, id: NodeId, list: &[NodeId], want: &Want, work: &mut Work) {
        let mut sum = Some(Length::known(Dim::ZERO));
        for &part in list {
            let length = work.shapes.solver.fresh();
            sum = sum.and_then(|s| s.plus(&length));
            self.pass(part, &Want::Vector(length), work);
        }
        if let (Some(sum), Want::Vector(wanted)) = (sum, want) {
            self.equal(&sum, wanted, self.tree.node(id).span, work);
        }
    }

    /// `M₁ M₂ v` asks M₁ for the rows that are wanted, each next factor for the columns of the one before; `v M₁ M₂`
    /// the other way round.
    fn product(&mut self, list: &[NodeId], want: &Want, work: &mut Work) {
        let rank = |id: &NodeId| self.ranks.nodes[id.index()];
        let mut chain: Vec<NodeId> =
            list.iter().copied().filter(|a| matches!(rank(a), Rank::Vector | Rank::Matrix)).collect();
        if chain.len() != list.len() && list.iter().any(|a| rank(a) == Rank::Any) {
            return chain.iter().for_each(|&a| self.pass(a, &Want::Nothing, work));
        }
        let row = chain.len() > 1 && rank(&chain[0]) == Rank::Vector;
        if row {
            chain.reverse();
        }
        let (mut rows, last) = match want {
            Want::Vector(rows) => (rows.clone(), None),
            Want::Matrix(rows, columns) => (rows.clone(), Some(columns.clone())),
            Want::Nothing => (work.shapes.solver.fresh(), None),
        };
        for (i, &factor) in chain.iter().enumerate() {
            if rank(&factor) == Rank::Vector {
                work.shapes.nodes.insert(factor, Want::Vector(rows.clone()));
                continue;
            }
            let columns = match &last {
                Some(columns) if i + 1 == chain.len() => columns.clone(),
                _ => work.shapes.solver.fresh(),
            };
            let (r, c) = (rows, columns.clone());
            let shape = if row { Want::Matrix(c, r) } else { Want::Matrix(r, c) };
            work.shapes.nodes.insert(factor, shape);
            rows = columns;
        }
    }

    fn name(&mut self, id: NodeId, want: &Want, work: &mut Work) {
        let span = self.tree.node(id).span;
        let has = match self.meanings.reads.get(&id) {
            Some(Reads::Input(i)) => Want::Vector(Length::known(self.inputs[*i])),
            Some(Reads::Previous(e)) => Want::Vector(Length::known(self.states[*e])),
            Some(Reads::Value(e)) if self.meanings.is_state[*e] => Want::Vector(Length::known(self.states[*e])),
            Some(Reads::Value(e)) => match self.ranks.equations[*e] {
                Rank::Matrix => Want::Matrix(work.equations[*e].clone(), self.columns(*e, work)),
                _ => Want::Vector(work.equations[*e].clone()),
            },
            Some(Reads::Param(symbol)) => self.param(*symbol, want, work),
            _ => Want::Nothing,
        };
        match (&has, want) {
            (Want::Vector(a), Want::Vector(b)) => self.equal(a, b, span, work),
            (Want::Matrix(r, c), Want::Matrix(rows, columns)) => {
                self.equal(r, rows, span, work);
                self.equal(c, columns, span, work);
            }
            _ => {}
        }
    }

    fn param(&self, symbol: Symbol, want: &Want, work: &mut Work) -> Want {
        let shapes = &mut work.shapes;
        let fresh = || match want {
            Want::Vector(_) => Want::Vector(shapes.solver.fresh()),
            Want::Matrix(..) => Want::Matrix(shapes.solver.fresh(), shapes.solver.fresh()),
            Want::Nothing => Want::Nothing,
        };
        shapes.params.entry(symbol).or_insert_with(fresh).clone()
    }

    /// Sets what a thing has equal to what is wanted of it.
    fn equal(&mut self, actual: &Length, wanted: &Length, span: Span, work: &mut Work) {
        let origin = Origin { equation: work.current, span };
        if !self.unify(actual, wanted, origin, work) {
            work.waiting.push(Waiting { actual: actual.clone(), wanted: wanted.clone(), origin });
        }
    }

    /// False if too little is known yet.
    fn unify(&mut self, actual: &Length, wanted: &Length, origin: Origin, work: &mut Work) -> bool {
        match work.shapes.solver.unify(actual, wanted, origin) {
            Outcome::Equal => {}
            Outcome::Waits => return false,
            Outcome::Differ(a, b) => self.differ(actual, wanted, (a, b), origin, work),
            Outcome::Never => self.never(actual, wanted, origin, work),
        }
        true
    }

    fn retry(&mut self, work: &mut Work) {
        for _ in 0..20 {
            let before = work.waiting.len();
            for waiting in std::mem::take(&mut work.waiting) {
                if !self.unify(&waiting.actual, &waiting.wanted, waiting.origin, work) {
                    work.waiting.push(waiting);
                }
            }
            if work.waiting.len() == before || work.waiting.is_empty() {
                return;
            }
        }
    }

    fn differ(&mut self, actual: &Length, wanted: &Length, dims: (Dim, Dim), origin: Origin, work: &mut Work) {
        let labels = self.labels(actual, wanted, origin, work);
        let (left, right) = dims;
        if can_be_equal(left, right) {
            let forced = Forced { left, right, equation: origin.equation, span: origin.span, labels };
            work.shapes.forced.push(forced);
            return;
        }
        let what = quote(self.source, origin.span);
        let equation = &self.tree.equations[origin.equation];
        let name = self.tree.names.file(equation.name);
        let (left, right) = (self.report.units(left), self.report.units(right));
        let message = format!("{what} has {left} units where {right} are needed, in the equation of `{name}`");
        let lines: Vec<String> = labels.iter().map(|l| format!("line {}: {}", l.line, l.message)).collect();
        let hint = format!("{}; multiply it with a matrix (`W x`) where the two must differ", lines.join("; "));
        let mut entry = self.report.error("E205", origin.span, message).hint(hint);
        for label in labels {
            entry = entry.label(label.span, label.message);
        }
    }

    /// The places that gave both sides their dimension.
    fn labels(&mut self, actual: &Length, wanted: &Length, origin: Origin, work: &mut Work) -> Vec<Label> {
        let mut labels: Vec<Label> = Vec::new();
        let mut found = work.shapes.solver.origins(actual);
        found.truncate(2);
        found.extend(work.shapes.solver.origins(wanted).into_iter().take(2));
        for (place, length) in found.into_iter().filter(|(p, _)| p.span != origin.span && p.span != Span::default()) {
            let Some(length) = work.shapes.solver.resolve(&length).filter(|l| l.unknown.is_empty()) else { continue };
            let line = self.report.line(place.span.start);
            let message = format!("{} has {} units", quote(self.source, place.span), self.report.units(length.known));
            if labels.iter().all(|l| l.span != place.span) {
                labels.push(Label { span: place.span, line, message });
            }
        }
        if labels.is_empty() {
            let equation = &self.tree.equations[origin.equation];
            let name = self.tree.names.file(equation.name);
            let units = work
                .shapes
                .solver
                .resolve(wanted)
                .map_or(String::new(), |l| format!(" with {} units", self.report.units(l.known)));
            let line = self.report.line(equation.name_span.start);
            labels.push(Label { span: equation.name_span, line, message: format!("the equation of `{name}`{units}") });
        }
        labels
    }

    fn never(&mut self, actual: &Length, wanted: &Length, origin: Origin, work: &mut Work) {
        let (a, b) = (work.shapes.solver.resolve(actual), work.shapes.solver.resolve(wanted));
        let what = quote(self.source, origin.span);
        let name = self.tree.names.file(self.tree.equations[origin.equation].name);
        let Some((a, b)) = a.zip(b) else {
            let message = format!("the dimension of {what} overflows, in the equation of `{name}`");
            self.report.error("E208", origin.span, message).hint("concatenations of concatenations double each time");
            return;
        };
        let side =
            |l: &Length| if l.unknown.is_empty() { l.known.to_string() } else { format!("{} and more", l.known) };
        let message = format!(
            "no sizes give {what} the dimension that the equation of `{name}` needs: {} against {}",
            side(&a),
            side(&b)
        );
        let hint = "declare the shapes that are meant, as in `param W : hidden x 64`";
        self.report.error("E209", origin.span, message).hint(hint);
    }
}
