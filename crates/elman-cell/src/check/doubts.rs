//! Right cells that are likely not the ones that were meant: an input never read, old values where new ones were
//! meant, parameters that look like a forgotten equation or a product.

use std::collections::{HashMap, HashSet};

use super::advice::Advice;
use super::graph;
use super::names::{Reads, Role};
use super::rank::Rank;
use crate::cell::Span;
use crate::diag::Report;
use crate::name::Symbol;
use crate::syntax::tree::{NodeId, NodeKind, Operator, Time};

/// Letters of gates, candidates and cells. Single letters that papers use for weights (`b`, `g`, `u`, `w`) are none.
const GATES: &str = "fiozrcnjmqt";
/// States that may stand on a cycle and are looked at one by one.
const MOST: usize = 16;

impl Advice<'_, '_> {
    /// Adds all doubts.
    pub(super) fn doubts(&self, report: &mut Report) {
        let vectors = self.vector_parameters();
        self.input_never_read(&vectors, report);
        self.forgotten_products(&vectors, report);
        self.other_case(&vectors, report);
        self.forgotten_equations(report);
        self.old_states_in_the_output(report);
        self.states_by_a_cycle(report);
        self.output_by_default(report);
    }

    fn file(&self, symbol: Symbol) -> &str {
        self.tree.names.file(symbol)
    }

    /// Undeclared parameters that are vectors, each where it is read first.
    fn vector_parameters(&self) -> Vec<(Symbol, NodeId)> {
        let mut seen: HashSet<Symbol> = self.tree.declarations.params.iter().map(|p| p.name).collect();
        let mut list = Vec::new();
        for (_, id) in self.nodes() {
            if let Some(Reads::Param(symbol)) = self.meanings.reads.get(&id)
                && self.ranks.nodes[id.index()] == Rank::Vector
                && seen.insert(*symbol)
            {
                list.push((*symbol, id));
            }
        }
        list
    }

    fn input_never_read(&self, vectors: &[(Symbol, NodeId)], report: &mut Report) {
        let reads = self.meanings.reads.values().any(|r| *r == Reads::Input(0));
        if reads || self.tree.partial || report.errors() > 0 || self.tree.equations.is_empty() {
            return;
        }
        let meant = vectors.iter().find_map(|(symbol, id)| {
            let name = self.file(*symbol);
            let (matrix, vector) = self.product_in(name)?;
            Some((
                self.tree.node(*id).span,
                format!(
                    "did you mean `{matrix} {vector}` where line {} reads the vector `{name}`?",
                    report.line(self.tree.node(*id).span.start)
                ),
            ))
        });
        let none = || (self.tree.equations[0].name_span, "the input is written `x` or `x_t`".to_string());
        let (span, hint) = meant.unwrap_or_else(none);
        report.warning("W006", span, "the cell never reads its input `x`").hint(hint);
    }

    /// `W_fx` as `W_f` and `x`, where `x` is an input or a state; `W_x` as `W` and `x`.
    fn product_in<'n>(&self, name: &'n str) -> Option<(&'n str, &'n str)> {
        let (base, subscript) = name.rsplit_once('_')?;
        if !base.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        let is_vector = |at: &usize| {
            self.tree.names.find(&subscript[*at..]).is_some_and(|s| match self.meanings.roles[s.index()] {
                Role::Input(_) => true,
                Role::Equation(e) => self.meanings.is_state[e],
                _ => false,
            })
        };
        let at = subscript.char_indices().map(|(i, _)| i).find(is_vector)?;
        let matrix = if at == 0 { base } else { &name[..base.len() + 1 + at] };
        Some((matrix, &subscript[at..]))
    }

    /// `W_fx` is a vector where `W_f x` may be meant.
    fn forgotten_products(&self, vectors: &[(Symbol, NodeId)], report: &mut Report) {
        let factors = self.elementwise_factors();
        for (symbol, id) in vectors {
            let name = self.file(*symbol);
            let Some((matrix, vector)) = self.product_in(name).filter(|(m, _)| m.contains('_')) else { continue };
            if factors.contains(id) {
                continue;
            }
            let message = format!("`{name}` is a learned vector: it multiplies nothing");
            let hint = format!("did you mean the product `{matrix} {vector}`?");
            report.note("N007", self.tree.node(*id).span, message).hint(hint);
        }
    }

    fn elementwise_factors(&self) -> HashSet<NodeId> {
        let mut factors = HashSet::new();
        for (_, id) in self.nodes() {
            if let NodeKind::Binary(Operator::Mul, a, b) = self.tree.node(id).kind {
                factors.extend([a, b]);
            }
        }
        factors
    }

    /// `F` beside `f = …`.
    fn other_case(&self, vectors: &[(Symbol, NodeId)], report: &mut Report) {
        let x = self.tree.names.find("x").map(|x| ("x".to_string(), x));
        let equations = self.tree.equations.iter().map(|e| (self.file(e.name).to_ascii_lowercase(), e.name));
        let defined: HashMap<String, Symbol> = x.into_iter().chain(equations).collect();
        for (symbol, id) in vectors {
            let name = self.file(*symbol);
            let Some(other) = defined.get(&name.to_ascii_lowercase()) else { continue };
            let other = self.file(*other);
            let message = format!("`{name}` is a learned vector: no equation defines it");
            report.note("N008", self.tree.node(*id).span, message).hint(format!("did you mean `{other}`?"));
        }
    }

    /// `f * c` where nothing defines `f`.
    fn forgotten_equations(&self, report: &mut Report) {
        let mut told: HashSet<Symbol> = self.tree.declarations.params.iter().map(|p| p.name).collect();
        for (_, id) in self.nodes() {
            let NodeKind::Binary(Operator::Mul, a, b) = self.tree.node(id).kind else { continue };
            for side in [a, b] {
                let side = match self.tree.node(side).kind {
                    NodeKind::Binary(Operator::Sub, _, gate) => gate,
                    _ => side,
                };
                let Some(Reads::Param(symbol)) = self.meanings.reads.get(&side) else { continue };
                let name = self.file(*symbol);
                let gate = name.len() == 1 && GATES.contains(name);
                if gate && self.ranks.nodes[side.index()] == Rank::Vector && told.insert(*symbol) {
                    let message = format!("`{name}` is a learned vector: no equation defines it");
                    let hint = format!("write `{name} = …`, or declare `param {name} : hidden` if the vector is meant");
                    report.note("N008", self.tree.node(side).span, message).hint(hint);
                }
            }
        }
    }

    /// `h' = o * tanh(c)` beside `c' = …`.
    fn old_states_in_the_output(&self, report: &mut Report) {
        let Some(output) = self.output.filter(|&e| self.meanings.is_state[e]) else { return };
        let mut told = HashSet::new();
        for &id in &self.meanings.live[output] {
            let (Some(Reads::Previous(state)), NodeKind::Name(symbol, Time::Plain)) =
                (self.meanings.reads.get(&id), &self.tree.node(id).kind)
            else {
                continue;
            };
            let left = &self.tree.equations[*state];
            let new_too = self.meanings.needs[output].contains(state);
            if *state == output || new_too || left.time == Time::Next || !told.insert(*state) {
                continue;
            }
            // Reading the new value would be a cycle: the old one is meant.
            if told.len() > MOST || graph::reached(&self.meanings.needs, std::iter::once(*state))[output] {
                continue;
            }
            let name = self.file(*symbol);
            let new = if left.time == Time::Prime { format!("`{name}'`") } else { format!("`{name}_t`") };
            let message = format!("this is the old `{name}`, the value before this step");
            let hint =
                format!("line {} gives the new value: write {new} to read it", report.line(left.name_span.start));
            report.note("N009", self.tree.node(id).span, message).hint(hint).label(left.name_span, "the new value");
        }
    }

    /// A gate `f_t = …` that became a state since a plain `f` is read on a cycle.
    fn states_by_a_cycle(&self, report: &mut Report) {
        let mut readers: HashMap<usize, Vec<(usize, NodeId)>> = HashMap::new();
        for &(reader, state, id) in &self.meanings.soft {
            readers.entry(state).or_default().push((reader, id));
        }
        let mut states: Vec<usize> = readers.keys().copied().filter(|&e| self.output != Some(e)).collect();
        states.sort_unstable();
        for state in states.into_iter().take(MOST) {
            let reads = &readers[&state];
            let mut edges = self.meanings.needs.clone();
            reads.iter().for_each(|(reader, _)| edges[*reader].push(state));
            let component = graph::components(&edges);
            let Some(&(_, first)) = reads.first() else { continue };
            if reads.iter().any(|(reader, _)| *reader == state || component[*reader] == component[state]) {
                continue;
            }
            let name = self.file(self.tree.equations[state].name);
            let message = format!("`{name}` is read as its previous value here, so it became a state");
            let hint = format!("write `{name}_t` if this step's is meant, `{name}_{{t-1}}` if not");
            let span: Span = self.tree.equations[state].name_span;
            report.note("N010", self.tree.node(first).span, message).hint(hint).label(span, "the new value");
        }
    }

    /// Several states, and nothing says which of them is handed on.
    fn output_by_default(&self, report: &mut Report) {
        let Some(output) = self.output.filter(|&e| self.meanings.is_state[e]) else { return };
        let name = self.file(self.tree.equations[output].name);
        let chosen = super::OUTPUTS.contains(&name) || !self.tree.declarations.outputs.is_empty();
        let other = (0..self.tree.equations.len()).rev().find(|&e| self.meanings.is_state[e] && e != output);
        let Some(other) = other.filter(|_| !chosen && !self.tree.partial && report.errors() == 0) else { return };
        let other = self.file(self.tree.equations[other].name);
        let message = format!("`{name}` is handed on, being the first state");
        let hint = format!("`output {other}` hands on another, `output {name}` says so");
        report.note("N011", self.tree.equations[output].name_span, message).hint(hint);
    }
}
