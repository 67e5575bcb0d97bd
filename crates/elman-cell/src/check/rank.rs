//! Ranks: which values are scalars, vectors and matrices, and above all which undefined names are weight matrices.
//!
//! Ranks flow up from what is known (inputs and states are vectors, numbers are scalars) and down from what is needed
//! (the partner of a vector in a product is a matrix), until no further name is decided. A name that is still open
//! then is a weight vector. After that every node is checked once.

use std::collections::HashMap;

use super::names::{Meanings, Reads};
use crate::cell::Span;
use crate::diag::{Report, quote};
use crate::functions;
use crate::name::Symbol;
use crate::syntax::tree::{Callee, DeclaredShape, NodeId, NodeKind, Operator, Tree};

/// The rank of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// Not decided yet.
    Open,
    /// Whatever is needed: it stands for something that was reported.
    Any,
    Scalar,
    Vector,
    Matrix,
}

/// How often flows go over the text before what is open is taken for a vector.
const ROUNDS: usize = 12;

/// What a flow down may decide.
#[derive(Clone, Copy, PartialEq)]
enum Pass {
    /// Matrices only.
    Matrices,
    /// Whatever is certain.
    All,
    /// What is still open becomes a vector.
    Settle,
}

/// Ranks of all nodes, and of parameters with the place that decided them.
pub(super) struct Ranks {
    pub nodes: Vec<Rank>,
    pub params: HashMap<Symbol, (Rank, Span)>,
    pub equations: Vec<Rank>,
}

pub(super) struct Ranker<'a, 'r, 's> {
    pub source: &'s str,
    pub tree: &'a Tree,
    pub meanings: &'a Meanings,
    /// The equations, each after what it needs.
    pub order: &'a [usize],
    /// The equation that is handed on.
    pub output: Option<usize>,
    pub report: &'r mut Report<'s>,
}

impl Ranker<'_, '_, '_> {
    /// Ranks of everything; what does not fit is reported.
    pub fn run(mut self) -> Ranks {
        let mut ranks = Ranks {
            nodes: vec![Rank::Open; self.tree.nodes.len()],
            params: HashMap::new(),
            equations: vec![Rank::Open; self.tree.equations.len()],
        };
        for param in &self.tree.declarations.params {
            let rank = match param.value {
                DeclaredShape::Scalar => Rank::Scalar,
                DeclaredShape::Vector(_) => Rank::Vector,
                DeclaredShape::Matrix(..) => Rank::Matrix,
            };
            ranks.params.insert(param.name, (rank, param.span));
        }
        // A product decides before a sum does, so that `W x + W` says where W is no vector.
        for pass in [Pass::Matrices, Pass::All] {
            for _ in 0..ROUNDS {
                let mut changed = false;
                for &e in self.order {
                    self.up(e, &mut ranks);
                    changed |= self.down(e, &mut ranks, pass);
                }
                if !changed {
                    break;
                }
            }
        }
        self.settle(&mut ranks);
        for &e in self.order {
            self.check_equation(e, &mut ranks);
        }
        ranks
    }

    /// Takes what is open for vectors.
    fn settle(&mut self, ranks: &mut Ranks) {
        for &e in self.order {
            self.up(e, ranks);
            self.down(e, ranks, Pass::Settle);
            self.up(e, ranks);
        }
    }

    /// From the leaves to the root.
    fn up(&self, e: usize, ranks: &mut Ranks) {
        for &id in &self.meanings.live[e] {
            ranks.nodes[id.index()] = self.rank_of(id, ranks);
        }
        let root = ranks.nodes[self.tree.equations[e].root.index()];
        ranks.equations[e] = if self.meanings.is_state[e] { Rank::Vector } else { root };
    }

    fn rank_of(&self, id: NodeId, ranks: &Ranks) -> Rank {
        let rank = |id: &NodeId| ranks.nodes[id.index()];
        match &self.tree.node(id).kind {
            NodeKind::Number(_) => Rank::Scalar,
            NodeKind::Wrong => Rank::Any,
            NodeKind::Name(..) => match self.meanings.reads.get(&id) {
                Some(Reads::Number(_)) => Rank::Scalar,
                Some(Reads::Input(_) | Reads::Previous(_)) => Rank::Vector,
                Some(Reads::Value(e)) => ranks.equations[*e],
                Some(Reads::Param(symbol)) => ranks.params.get(symbol).map_or(Rank::Open, |p| p.0),
                _ => Rank::Any,
            },
            NodeKind::Neg(a) | NodeKind::Power(a, _) => rank(a),
            NodeKind::Binary(_, a, b) => join(rank(a), rank(b)),
            NodeKind::Transpose(_) => Rank::Matrix,
            NodeKind::Concat(_) => Rank::Vector,
            NodeKind::Product(list) => Count::of(list.iter().map(rank)).rank(),
            NodeKind::Call(Callee::Known(f), _) if functions::reduces(*f) => Rank::Scalar,
            NodeKind::Call(Callee::Known(f), _) if functions::score(*f).is_some() => Rank::Vector,
            NodeKind::Call(_, list) => {
                if list.iter().all(|a| rank(a) == Rank::Scalar) {
                    Rank::Scalar
                } else {
                    Rank::Vector
                }
            }
        }
    }

    /// From the root to the leaves: decides open names. Returns whether any was.
    fn down(&self, e: usize, ranks: &mut Ranks, pass: Pass) -> bool {
        let mut wanted: HashMap<NodeId, Rank> = HashMap::new();
        let root = self.tree.equations[e].root;
        let vector = self.meanings.is_state[e] || self.output == Some(e);
        wanted.insert(root, if vector { Rank::Vector } else { Rank::Open });
        let mut changed = false;
        for &id in self.meanings.live[e].iter().rev() {
            let mut want = wanted.get(&id).copied().unwrap_or(Rank::Open);
            if want == Rank::Open && pass == Pass::Settle && ranks.nodes[id.index()] == Rank::Open {
                want = Rank::Vector;
            }
            if let Some(Reads::Param(symbol)) = self.meanings.reads.get(&id) {
                let open = ranks.params.get(symbol).is_none_or(|p| p.0 == Rank::Open);
                if open && (want == Rank::Matrix || want == Rank::Vector && pass != Pass::Matrices) {
                    ranks.params.insert(*symbol, (want, self.tree.node(id).span));
                    changed = true;
                }
            }
            self.want_children(id, want, ranks, &mut wanted);
        }
        changed
    }

    fn want_children(&self, id: NodeId, want: Rank, ranks: &Ranks, wanted: &mut HashMap<NodeId, Rank>) {
        let rank = |id: &NodeId| ranks.nodes[id.index()];
        match &self.tree.node(id).kind {
            NodeKind::Neg(a) | NodeKind::Power(a, _) => {
                wanted.insert(*a, want);
            }
            NodeKind::Binary(_, a, b) => {
                let both = join(rank(a), rank(b));
                let want = if matches!(both, Rank::Vector | Rank::Matrix) { both } else { want };
                wanted.insert(*a, want);
                wanted.insert(*b, want);
            }
            NodeKind::Transpose(a) => {
                wanted.insert(*a, Rank::Matrix);
            }
            NodeKind::Concat(list) | NodeKind::Call(_, list) => {
                wanted.extend(list.iter().map(|&a| (a, Rank::Vector)));
            }
            NodeKind::Product(list) => {
                let count = Count::of(list.iter().map(rank));
                let want = match count.others() {
                    _ if count.vectors > 0 => Rank::Matrix,
                    1 => want,
                    _ if want == Rank::Matrix => Rank::Matrix,
                    _ => Rank::Open,
                };
                wanted.extend(list.iter().map(|&a| (a, want)));
            }
            _ => {}
        }
    }

    /// Checks every node of an equation once.
    fn check_equation(&mut self, e: usize, ranks: &mut Ranks) {
        let mut inside_product = std::collections::HashSet::new();
        for &id in &self.meanings.live[e] {
            if let NodeKind::Product(list) = &self.tree.node(id).kind {
                inside_product.extend(list.iter().copied());
            }
        }
        for &id in &self.meanings.live[e] {
            ranks.nodes[id.index()] = self.rank_of(id, ranks);
            if !self.fits(id, ranks, inside_product.contains(&id)) {
                ranks.nodes[id.index()] = Rank::Any;
            }
        }
        let root = self.tree.equations[e].root;
        let rank = ranks.nodes[root.index()];
        let (state, output) = (self.meanings.is_state[e], self.output == Some(e));
        ranks.equations[e] = if state { Rank::Vector } else { rank };
        if state || output {
            let name = self.tree.names.file(self.tree.equations[e].name);
            let what = if state { "a state" } else { "the output" };
            let span = self.tree.node(root).span;
            if rank == Rank::Matrix {
                let message = format!("`{name}` is {what} and needs a vector, not a matrix");
                self.report.error("E202", span, message).hint("multiply the matrix with a vector, as in `W x`");
            } else if rank == Rank::Scalar {
                let message = format!("`{name}` is {what} and needs a vector, not a scalar");
                let hint = "a scalar broadcasts where it meets a vector: multiply it with one, or add one";
                self.report.error("E204", span, message).hint(hint);
            }
        }
    }

    /// Whether a node's children have ranks that it can take.
    fn fits(&mut self, id: NodeId, ranks: &Ranks, inside_product: bool) -> bool {
        let rank = |id: &NodeId| ranks.nodes[id.index()];
        let tree = self.tree;
        match &tree.node(id).kind {
            NodeKind::Product(list) => self.product_fits(id, list, ranks, inside_product),
            NodeKind::Binary(operator, a, b) => match (operator, rank(a), rank(b)) {
                (_, Rank::Matrix, Rank::Vector) | (_, Rank::Vector, Rank::Matrix) => {
                    let (m, v) = if rank(a) == Rank::Matrix { (*a, *b) } else { (*b, *a) };
                    let hint = format!("a product is written `{} {}`", self.factor(m), self.factor(v));
                    self.needs_vector(m, ranks, &hint)
                }
                (Operator::Mul | Operator::Div, Rank::Matrix, Rank::Matrix) | (Operator::Div, _, Rank::Matrix) => {
                    self.needs_vector(*b, ranks, "matrices are multiplied with vectors and scaled by numbers only")
                }
                (Operator::Add | Operator::Sub, Rank::Matrix, Rank::Scalar) => self.needs_vector(*a, ranks, ADD_NUMBER),
                (Operator::Add | Operator::Sub, Rank::Scalar, Rank::Matrix) => self.needs_vector(*b, ranks, ADD_NUMBER),
                _ => true,
            },
            NodeKind::Power(a, _) if rank(a) == Rank::Matrix => {
                self.needs_vector(*a, ranks, "only numbers and vectors have powers")
            }
            NodeKind::Transpose(a) if matches!(rank(a), Rank::Vector | Rank::Scalar) => {
                let message = format!("{} is no matrix and has no transpose", self.quote(*a));
                self.report
                    .error("E203", tree.node(id).span, message)
                    .hint("rows and columns need no `T`: `h W` and `W h` are both understood");
                false
            }
            NodeKind::Concat(list) => list.iter().all(|a| self.part_fits(*a, ranks, "a concatenation takes vectors")),
            NodeKind::Call(callee, list) => {
                let whole = matches!(callee, Callee::Known(f)
                    if functions::over_units(*f) || functions::reduces(*f) || functions::score(*f).is_some());
                list.iter().all(|a| match rank(a) {
                    Rank::Matrix => self.needs_vector(*a, ranks, "write the product in brackets, as in `tanh(W x)`"),
                    Rank::Scalar if whole => self.part_fits(*a, ranks, "this function runs over the units of a vector"),
                    _ => true,
                })
            }
            _ => true,
        }
    }

    fn quote(&self, id: NodeId) -> String {
        quote(self.source, self.tree.node(id).span)
    }

    /// A node as a factor of a product, for a hint.
    fn factor(&self, id: NodeId) -> String {
        let text = self.quote(id);
        let text = text.trim_matches('`');
        if matches!(self.tree.node(id).kind, NodeKind::Binary(..)) && !text.starts_with('(') {
            format!("({text})")
        } else {
            text.to_string()
        }
    }

    /// Reports a matrix where a vector is needed, and which line made it a matrix.
    fn needs_vector(&mut self, id: NodeId, ranks: &Ranks, hint: &str) -> bool {
        let message = format!("{} is a matrix where a vector is needed", self.quote(id));
        let decided = self.decided(id, ranks);
        let entry = self.report.error("E202", self.tree.node(id).span, message).hint(hint);
        if let Some(span) = decided {
            entry.label(span, "a matrix, because of its use here");
        }
        false
    }

    /// Where the rank of a name was decided, if elsewhere.
    fn decided(&self, id: NodeId, ranks: &Ranks) -> Option<Span> {
        match self.meanings.reads.get(&id) {
            Some(Reads::Param(symbol)) => {
                ranks.params.get(symbol).map(|p| p.1).filter(|&s| s != self.tree.node(id).span)
            }
            Some(Reads::Value(e)) => Some(self.tree.equations[*e].name_span),
            _ => None,
        }
    }

    fn part_fits(&mut self, id: NodeId, ranks: &Ranks, hint: &str) -> bool {
        match ranks.nodes[id.index()] {
            Rank::Matrix => self.needs_vector(id, ranks, hint),
            Rank::Scalar => {
                let message = format!("{} is a scalar where a vector is needed", self.quote(id));
                self.report.error("E204", self.tree.node(id).span, message).hint(hint);
                false
            }
            _ => true,
        }
    }

    fn product_fits(&mut self, id: NodeId, list: &[NodeId], ranks: &Ranks, inside_product: bool) -> bool {
        let count = Count::of(list.iter().map(|a| ranks.nodes[a.index()]));
        if count.any > 0 {
            return true;
        }
        if count.vectors >= 2 {
            return self.two_vectors(id, list, ranks);
        }
        if count.vectors == 0 {
            if count.matrices < 2 || inside_product {
                return true;
            }
            let message = format!("{} multiplies matrices, and no vector stands beside them", self.quote(id));
            let hint = "a product needs a vector that is defined: an input, a state or the name of an equation";
            self.report.error("E203", self.tree.node(id).span, message).hint(hint);
            return false;
        }
        let others: Vec<NodeId> = list.iter().copied().filter(|a| ranks.nodes[a.index()] != Rank::Scalar).collect();
        let place = others.iter().position(|a| ranks.nodes[a.index()] == Rank::Vector).unwrap_or(0);
        if place > 0 && place + 1 < others.len() {
            let vector = self.quote(others[place]);
            let message = format!("{vector} stands between two matrices");
            let hint =
                "a vector is multiplied from one side: `W (U v)` or `(v U) W`; if one of them is no matrix, write `*`";
            self.report.error("E201", self.tree.node(id).span, message).hint(hint);
            return false;
        }
        true
    }

    fn two_vectors(&mut self, id: NodeId, list: &[NodeId], ranks: &Ranks) -> bool {
        let vectors: Vec<NodeId> = list.iter().copied().filter(|a| ranks.nodes[a.index()] == Rank::Vector).collect();
        let (a, b) = (vectors[0], vectors[1]);
        let named = |v: &NodeId| matches!(self.meanings.reads.get(v), Some(Reads::Param(_)));
        if vectors.iter().all(named) && vectors.iter().all(|&v| self.decided(v, ranks).is_none()) {
            return self.nothing_defined(id, &vectors);
        }
        let (first, second) = (self.quote(a), self.quote(b));
        let undefined = [b, a].into_iter().find(|v| matches!(self.meanings.reads.get(v), Some(Reads::Param(_))));
        let message = format!("{first} and {second} are both vectors and stand side by side");
        let decided = undefined.and_then(|v| self.decided(v, ranks));
        let hint = format!("an elementwise product is written `{} * {}`", self.factor(a), self.factor(b));
        let span = Span { start: self.tree.node(a).span.start, end: self.tree.node(b).span.end };
        let span = if span.start < span.end { span } else { self.tree.node(id).span };
        let entry = self.report.error("E201", span, message).hint(hint);
        if let Some(span) = decided {
            entry.label(span, "a weight vector, because of its use here");
        }
        false
    }
}

impl Ranker<'_, '_, '_> {
    /// A product of names none of which is defined: the one that reads like a vector needs an equation.
    fn nothing_defined(&mut self, id: NodeId, names: &[NodeId]) -> bool {
        let file = |&v: &NodeId| match self.meanings.reads.get(&v) {
            Some(Reads::Param(symbol)) => self.tree.names.file(*symbol),
            _ => "",
        };
        let small = |v: &&NodeId| file(v).starts_with(|c: char| c.is_ascii_lowercase());
        let Some(missing) = names.iter().rev().find(small).or(names.last()) else { return false };
        let name = file(missing).to_string();
        let near = if self.report.has_room() { self.nearest_value(&name) } else { None };
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("give it an equation: `{name}' = …` if it is a state, else `{name} = …`"),
        };
        let message = format!("`{name}` is read in the product {} but never defined", self.quote(id));
        self.report.error("E103", self.tree.node(*missing).span, message).hint(hint);
        false
    }

    fn nearest_value(&self, name: &str) -> Option<&str> {
        let defined = self.tree.equations.iter().take(1000).map(|e| self.tree.names.file(e.name));
        crate::nearest::nearest(name, defined)
    }
}

const ADD_NUMBER: &str = "a number cannot be added to a matrix; add it to the product instead, as in `W x + 0.9 * x`";

/// The rank of a sum or elementwise product.
fn join(a: Rank, b: Rank) -> Rank {
    match (a, b) {
        (Rank::Any, _) | (_, Rank::Any) => Rank::Any,
        (Rank::Vector, _) | (_, Rank::Vector) => Rank::Vector,
        (Rank::Matrix, _) | (_, Rank::Matrix) => Rank::Matrix,
        (Rank::Open, _) | (_, Rank::Open) => Rank::Open,
        (Rank::Scalar, Rank::Scalar) => Rank::Scalar,
    }
}

/// How many factors of each rank a product has.
#[derive(Default)]
struct Count {
    any: usize,
    vectors: usize,
    matrices: usize,
    open: usize,
}

impl Count {
    fn of(ranks: impl Iterator<Item = Rank>) -> Count {
        let mut count = Count::default();
        for rank in ranks {
            match rank {
                Rank::Any => count.any += 1,
                Rank::Vector => count.vectors += 1,
                Rank::Matrix => count.matrices += 1,
                Rank::Open => count.open += 1,
                Rank::Scalar => {}
            }
        }
        count
    }

    /// Factors that are or may become matrices.
    fn others(&self) -> usize {
        self.matrices + self.open
    }

    fn rank(&self) -> Rank {
        match (self.vectors, self.any, self.others()) {
            (1.., _, _) => Rank::Vector,
            (0, 1.., _) => Rank::Any,
            (0, 0, 0) => Rank::Scalar,
            (0, 0, 1) if self.matrices == 1 => Rank::Matrix,
            (0, 0, _) if self.open == 0 => Rank::Matrix,
            _ => Rank::Open,
        }
    }
}
