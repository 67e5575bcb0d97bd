//! Warnings and notes: right cells that may not be the ones that were meant, and what was chosen for the author.

use std::collections::{HashMap, HashSet};

use super::graph::reached;
use super::names::{Meanings, Reads, Role};
use super::rank::{Rank, Ranks};
use crate::cell::Span;
use crate::diag::{Report, quote};
use crate::name::Symbol;
use crate::syntax::tree::{Callee, NodeId, NodeKind, Operator, Time, Tree};

/// What the passes before found.
pub(super) struct Advice<'a, 's> {
    pub source: &'s str,
    pub tree: &'a Tree,
    pub meanings: &'a Meanings,
    pub ranks: &'a Ranks,
    pub output: Option<usize>,
}

/// Adds all warnings and notes.
pub(super) fn advise(advice: &Advice, report: &mut Report) {
    advice.unused_equations(report);
    advice.old_states(report);
    advice.unused_declarations(report);
    advice.shared_parameters(report);
    advice.diagonal_matrices(report);
    advice.slots(report);
    advice.doubts(report);
}

/// The function that fills a slot for which none is declared.
pub(super) fn slot(
    tree: &Tree,
    meanings: &Meanings,
    output: Option<usize>,
    e: usize,
    sigmoid: bool,
) -> crate::op::Function {
    use crate::op::Function;
    let name = tree.names.file(tree.equations[e].name);
    if meanings.is_state[e] {
        Function::Tanh
    } else if output == Some(e) || matches!(name, "y" | "y_hat" | "out") {
        Function::Identity
    } else if sigmoid {
        Function::Sigmoid
    } else {
        Function::Tanh
    }
}

impl Advice<'_, '_> {
    fn states(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.tree.equations.len()).filter(|&e| self.meanings.is_state[e])
    }

    fn is_declared(&self, symbol: Symbol) -> bool {
        self.tree.declarations.params.iter().any(|p| p.name == symbol)
    }

    /// All nodes that count, with their equations.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, NodeId)> + '_ {
        self.meanings.live.iter().enumerate().flat_map(|(e, live)| live.iter().map(move |&id| (e, id)))
    }

    fn unused_equations(&self, report: &mut Report) {
        let used = reached(&self.meanings.needs, self.states().chain(self.output));
        let vectors = self.undeclared_vectors();
        for (e, equation) in self.tree.equations.iter().enumerate() {
            let is_its_meaning = self.meanings.roles[equation.name.index()] == Role::Equation(e);
            if !used[e] && is_its_meaning && !self.tree.partial {
                let name = self.tree.names.file(equation.name);
                let message = format!("nothing uses `{name}`");
                let hint = Self::unused_hint(&vectors, name, report);
                report.warning("W003", equation.name_span, message).hint(hint);
            }
        }
    }

    /// The undeclared vectors, in the order of the text.
    fn undeclared_vectors(&self) -> Vec<(&str, Span)> {
        let declared: HashSet<Symbol> = self.tree.declarations.params.iter().map(|p| p.name).collect();
        let vectors = self.ranks.params.iter().filter(|(symbol, p)| p.0 == Rank::Vector && !declared.contains(symbol));
        let mut list: Vec<(&str, Span)> = vectors.map(|(symbol, p)| (self.tree.names.file(*symbol), p.1)).collect();
        list.sort_unstable_by_key(|(_, span)| span.start);
        list.truncate(1000);
        list
    }

    /// The vectors that may be a misspelt `name`, at most three.
    fn similar<'n>(mut list: Vec<(&'n str, Span)>, name: &str) -> Vec<(&'n str, Span)> {
        let same = list.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).copied();
        let small = |n: &str| n.len() == 1 && n != "b" && n.starts_with(|c: char| c.is_ascii_lowercase());
        if same.is_none() && small(name) {
            list.retain(|(other, _)| small(other));
            list.truncate(3);
            return list;
        }
        let near = || crate::nearest::nearest(name, list.iter().map(|(other, _)| *other));
        let near = same.map(|(other, _)| other).or_else(near);
        list.into_iter().filter(|(other, _)| Some(*other) == near).collect()
    }

    /// What to do with a value that nothing uses.
    fn unused_hint(vectors: &[(&str, Span)], name: &str, report: &Report) -> String {
        let similar = if report.has_room() { Self::similar(vectors.to_vec(), name) } else { Vec::new() };
        match similar[..] {
            [] => "its parameters stay; delete the equation, or name it by `output`".to_string(),
            [(other, span)] => {
                let line = report.line(span.start);
                format!("line {line} reads `{other}`, which no equation defines: did you mean `{name}`?")
            }
            _ => {
                let list: Vec<String> = similar.iter().map(|(other, _)| format!("`{other}`")).collect();
                format!("no equation defines {}: is one of them `{name}`?", list.join(", "))
            }
        }
    }

    /// `y = V h` beside `h' = …` reads the old `h`.
    fn old_states(&self, report: &mut Report) {
        for (e, id) in self.nodes().filter(|(e, _)| self.output == Some(*e) && !self.meanings.is_state[*e]) {
            let (Some(Reads::Previous(state)), NodeKind::Name(symbol, Time::Plain)) =
                (self.meanings.reads.get(&id), &self.tree.node(id).kind)
            else {
                continue;
            };
            let left = &self.tree.equations[*state];
            let name = self.tree.names.file(*symbol);
            let new = if left.time == Time::Prime { format!("`{name}'`") } else { format!("`{name}_t`") };
            if left.time == Time::Next {
                continue;
            }
            let of = self.tree.names.file(self.tree.equations[e].name);
            let message = format!("`{of}` reads the old `{name}`, the value before this step");
            let line = report.line(left.name_span.start);
            let hint = format!("line {line} gives the new value: write {new} to read it");
            report.warning("W002", self.tree.node(id).span, message).hint(hint).label(left.name_span, "the new value");
        }
    }

    fn unused_declarations(&self, report: &mut Report) {
        if self.tree.partial {
            return;
        }
        let mut used = vec![false; self.tree.names.len()];
        for (_, id) in self.nodes() {
            if let NodeKind::Name(symbol, _) = self.tree.node(id).kind {
                used[symbol.index()] = true;
            }
        }
        let d = &self.tree.declarations;
        let inputs = d.inputs.iter().map(|d| (d.name, d.span)).filter(|(name, _)| self.tree.names.file(*name) != "x");
        let params = d.params.iter().map(|d| (d.name, d.span));
        let memories = d.memories.iter().map(|d| (d.name, d.span));
        for (name, span) in inputs.chain(params).chain(memories) {
            if !used[name.index()] {
                let message = format!("nothing uses `{}`", self.tree.names.file(name));
                report.warning("W004", span, message).hint("delete the declaration, or read the name in an equation");
            }
        }
    }

    /// A name in two places is one parameter.
    fn shared_parameters(&self, report: &mut Report) {
        let mut first: HashMap<Symbol, (Span, bool)> = HashMap::new();
        for (_, id) in self.nodes() {
            let Some(Reads::Param(symbol)) = self.meanings.reads.get(&id) else { continue };
            let span = self.tree.node(id).span;
            let Some((before, told)) = first.get_mut(symbol) else {
                first.insert(*symbol, (span, self.is_declared(*symbol)));
                continue;
            };
            if !std::mem::replace(told, true) {
                let message = format!(
                    "`{}` is one parameter, used here and in line {}",
                    self.tree.names.file(*symbol),
                    report.line(before.start)
                );
                let hint = "give one of them another name if two parameters are meant";
                report.note("N001", span, message).hint(hint).label(*before, "used here first");
            }
        }
    }

    /// `W * x` is diagonal; `a x` makes a matrix of `a`.
    fn diagonal_matrices(&self, report: &mut Report) {
        let mut told: HashMap<Symbol, ()> = HashMap::new();
        for (_, id) in self.nodes() {
            match &self.tree.node(id).kind {
                NodeKind::Binary(Operator::Mul, a, b) => [*a, *b].iter().for_each(|&side| self.diagonal(side, report)),
                NodeKind::Name(symbol, _)
                    if self.ranks.nodes[id.index()] == Rank::Matrix && !self.is_declared(*symbol) =>
                {
                    let name = self.tree.names.file(*symbol);
                    let is_param = matches!(self.meanings.reads.get(&id), Some(Reads::Param(_)));
                    let small = name.starts_with(|c: char| c.is_ascii_lowercase());
                    if is_param && small && told.insert(*symbol, ()).is_none() {
                        let message = format!("`{name}` is taken for a weight matrix, since it stands beside a vector");
                        let hint = format!(
                            "an elementwise product is written `{name} * …`; a number is declared by `const {name} = …`"
                        );
                        report.note("N004", self.tree.node(id).span, message).hint(hint);
                    }
                }
                _ => {}
            }
        }
    }

    fn diagonal(&self, side: NodeId, report: &mut Report) {
        let Some(Reads::Param(symbol)) = self.meanings.reads.get(&side) else { return };
        let name = self.tree.names.file(*symbol);
        let capital = name.starts_with(|c: char| c.is_ascii_uppercase());
        if capital && !self.is_declared(*symbol) && self.ranks.nodes[side.index()] == Rank::Vector {
            let message = format!("`{name}` is multiplied elementwise, so it is a vector: a diagonal matrix");
            let hint = format!(
                "a matrix product is written `{name} v`; declare `param {name} : hidden` if the vector is meant"
            );
            report.warning("W001", self.tree.node(side).span, message).hint(hint);
        }
    }

    fn slots(&self, report: &mut Report) {
        for (e, id) in self.nodes() {
            if let NodeKind::Call(Callee::Slot { name, sigmoid }, _) = &self.tree.node(id).kind {
                let function = slot(self.tree, self.meanings, self.output, e, *sigmoid);
                let (name, filler) = (self.tree.names.file(*name), crate::functions::spelling(function));
                let span = self.tree.node(id).span;
                let message =
                    format!("{} is an activation slot and stands for {filler} here", quote(self.source, span));
                let hint = match function {
                    crate::op::Function::Sigmoid => format!(
                        "if a tanh is meant, as in a candidate, write `tanh(…)` or `function {name} = tanh`; `function {name} = sigmoid` says what is read"
                    ),
                    _ => format!("`function {name} = {filler}` says so, or another function"),
                };
                report.note("N003", span, message).hint(hint);
            }
        }
    }
}
