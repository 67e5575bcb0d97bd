//! Names to meanings: inputs, constants, parameters, equations; which equations are states; what each name reads.
//!
//! | left side | reads the new value | reads the previous value |
//! |---|---|---|
//! | `h' =` | `h'`, `h_t` | `h`, `h_{t-1}` |
//! | `h_t =` | `h_t`, `h'` | `h_{t-1}`, and `h` where `h` is a state |
//! | `h_{t+1} =` | `h_{t+1}`, `h'` | `h_t`, `h` |
//! | `z =` | `z` | `z_{t-1}` |
//!
//! Beside `h_t =`, a plain `h` is the previous value if `h_{t-1}` is read too, if `h` is declared a state, or if reading
//! the new value would be a cycle; otherwise it is an error (a gate written once with time and once without).

use std::collections::HashMap;

use super::graph;
use crate::cell::Span;
use crate::diag::Report;
use crate::name::Symbol;
use crate::nearest::nearest;
use crate::syntax::tree::{NodeId, NodeKind, Time, Tree};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Role {
    /// The input of this place.
    Input(usize),
    /// The equation of this place.
    Equation(usize),
    /// The memory of this place.
    Memory(usize),
    /// A number.
    Const(f64),
    /// A parameter: declared, or never defined.
    Param,
    /// A function's name.
    Function,
}

/// What a name in an expression reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reads {
    /// Nothing: it was reported.
    Wrong,
    /// A number.
    Number(f64),
    /// An input.
    Input(usize),
    /// A memory.
    Memory(usize),
    /// The new value of an equation.
    Value(usize),
    /// The previous value of the state that an equation updates.
    Previous(usize),
    /// A parameter.
    Param(Symbol),
}

/// The meanings of all names.
pub(super) struct Meanings {
    pub roles: Vec<Role>,
    /// Per node: what it reads, where it is a name that the equations use.
    pub reads: HashMap<NodeId, Reads>,
    /// Per equation: its nodes that count, children first.
    pub live: Vec<Vec<NodeId>>,
    /// Per equation: whether it updates a state.
    pub is_state: Vec<bool>,
    /// Per equation: the equations whose new value it reads.
    pub needs: Vec<Vec<usize>>,
    /// Reads of a plain name that alone made a state of it, since the new value would be a cycle: the equation that
    /// reads, the state's equation, and the place.
    pub soft: Vec<(usize, usize, NodeId)>,
}

struct Resolver<'a, 'r, 's> {
    tree: &'a Tree,
    report: &'r mut Report<'s>,
    roles: Vec<Role>,
    is_state: Vec<bool>,
    live: Vec<Vec<NodeId>>,
    counts_next: bool,
}

/// Gives every name its meaning.
pub(super) fn resolve<'s>(tree: &Tree, report: &mut Report<'s>) -> Meanings {
    let roles = roles(tree, report);
    let live: Vec<Vec<NodeId>> = tree.equations.iter().map(|e| live_nodes(tree, e.root)).collect();
    let counts_next = tree.equations.iter().any(|e| e.time == Time::Next);
    let is_state = vec![false; tree.equations.len()];
    let mut resolver = Resolver { tree, report, roles, is_state, live, counts_next };
    let soft = resolver.find_states();
    let (reads, needs) = resolver.read_all();
    Meanings { roles: resolver.roles, reads, live: resolver.live, is_state: resolver.is_state, needs, soft }
}

/// The nodes below a root, children first.
fn live_nodes(tree: &Tree, root: NodeId) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    let mut work = vec![root];
    while let Some(id) = work.pop() {
        nodes.push(id);
        tree.node(id).kind.children(|child| work.push(child));
    }
    nodes.sort_unstable();
    nodes
}

/// What each name is defined as; double definitions are errors.
fn roles(tree: &Tree, report: &mut Report) -> Vec<Role> {
    let mut roles = vec![Role::Param; tree.names.len()];
    let mut first: Vec<Option<Span>> = vec![None; tree.names.len()];
    let d = &tree.declarations;
    let mut inputs = 1;
    if let Some(x) = tree.names.find("x") {
        roles[x.index()] = Role::Input(0);
    }
    let mut define = |symbol: Symbol, span: Span, role: Option<Role>, report: &mut Report| {
        if let Some(before) = first[symbol.index()] {
            let message = format!("`{}` is defined twice", tree.names.file(symbol));
            let line = report.line(before.start);
            let hint = format!("line {line} defines it too; rename one of the two");
            report.error("E101", span, message).hint(hint).label(before, "defined here first");
            return false;
        }
        first[symbol.index()] = Some(span);
        if let Some(role) = role {
            roles[symbol.index()] = role;
        }
        true
    };
    for input in &d.inputs {
        let is_x = tree.names.file(input.name) == "x";
        let role = if is_x { Role::Input(0) } else { Role::Input(inputs) };
        if define(input.name, input.span, Some(role), report) && !is_x {
            inputs += 1;
        }
    }
    let mut memories = 0;
    for memory in &d.memories {
        if define(memory.name, memory.span, Some(Role::Memory(memories)), report) {
            memories += 1;
        }
    }
    for c in &d.consts {
        define(c.name, c.span, Some(Role::Const(c.value)), report);
    }
    for f in &d.functions {
        define(f.name, f.span, Some(Role::Function), report);
    }
    for p in &d.params {
        define(p.name, p.span, Some(Role::Param), report);
    }
    let declared: Vec<Option<Span>> = first.clone();
    let mut equations: Vec<Option<Span>> = vec![None; tree.names.len()];
    for (i, equation) in tree.equations.iter().enumerate() {
        let place = equation.name.index();
        let name = tree.names.file(equation.name);
        let is_x = roles[place] == Role::Input(0);
        if declared[place].is_some() || is_x {
            let what = match roles[place] {
                Role::Input(_) => "an input",
                Role::Memory(_) => "a memory",
                Role::Const(_) => "a constant",
                Role::Function => "a function",
                _ => "a parameter",
            };
            let message = format!("`{name}` is {what} and cannot have an equation");
            let entry = report.error("E102", equation.name_span, message).hint("give the value another name");
            if let Some(span) = declared[place] {
                entry.label(span, "declared here");
            }
        } else if let Some(before) = equations[place] {
            let line = report.line(before.start);
            let message = format!("`{name}` is defined twice");
            let hint = format!("line {line} defines it too; rename one of the two");
            report.error("E101", equation.name_span, message).hint(hint).label(before, "defined here first");
        } else {
            equations[place] = Some(equation.name_span);
            roles[place] = Role::Equation(i);
        }
    }
    declared_states(tree, &declared, report);
    roles
}

/// Two declarations of one state, or of a state that is something else as well.
fn declared_states(tree: &Tree, declared: &[Option<Span>], report: &mut Report) {
    let mut seen: HashMap<Symbol, Span> = HashMap::new();
    for state in &tree.declarations.states {
        let name = tree.names.file(state.name);
        let before = declared[state.name.index()].or(seen.get(&state.name).copied());
        if name == "x" {
            report
                .error("E102", state.span, "`x` is the input and cannot be a state")
                .hint("give the state another name");
        } else if let Some(before) = before {
            let line = report.line(before.start);
            let hint = format!("line {line} declares it too; delete one of the two");
            report
                .error("E101", state.span, format!("`{name}` is defined twice"))
                .hint(hint)
                .label(before, "declared here first");
        }
        seen.insert(state.name, state.span);
    }
}

impl Resolver<'_, '_, '_> {
    /// The names an equation uses, with their time.
    fn uses(&self, equation: usize) -> impl Iterator<Item = (NodeId, Symbol, Time)> + '_ {
        self.live[equation].iter().filter_map(|&id| match self.tree.node(id).kind {
            NodeKind::Name(symbol, time) => Some((id, symbol, time)),
            _ => None,
        })
    }

    fn equation_of(&self, symbol: Symbol) -> Option<usize> {
        match self.roles[symbol.index()] {
            Role::Equation(e) => Some(e),
            _ => None,
        }
    }

    /// Decides which equations update states; returns the reads that alone made one.
    fn find_states(&mut self) -> Vec<(usize, usize, NodeId)> {
        for state in &self.tree.declarations.states {
            match self.equation_of(state.name) {
                Some(e) => self.is_state[e] = true,
                None if !self.tree.partial => {
                    let name = self.tree.names.file(state.name);
                    let message = format!("the state `{name}` is never defined");
                    let hint = format!("give it an equation: `{name}' = …`");
                    self.report.error("E103", state.span, message).hint(hint);
                }
                None => {}
            }
        }
        let count = self.tree.equations.len();
        let mut soft = Vec::new();
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (reader, reads) in edges.iter_mut().enumerate() {
            let uses: Vec<_> = self.uses(reader).collect();
            for (id, symbol, time) in uses {
                let Some(e) = self.equation_of(symbol) else { continue };
                match (self.tree.equations[e].time, time) {
                    (Time::Prime, Time::Plain | Time::Previous) | (Time::Next, Time::Now | Time::Plain) => {
                        self.is_state[e] = true
                    }
                    (Time::Plain | Time::Now, Time::Previous) => self.is_state[e] = true,
                    (Time::Now, Time::Plain) => {
                        soft.push((reader, e, id));
                        reads.push(e);
                    }
                    _ => reads.push(e),
                }
            }
        }
        let component = graph::components(&edges);
        soft.retain(|(reader, e, _)| !self.is_state[*e] && component[*reader] == component[*e]);
        for (_, e, _) in &soft {
            self.is_state[*e] = true;
        }
        soft
    }

    /// What every name reads, and the equations each equation needs.
    fn read_all(&mut self) -> (HashMap<NodeId, Reads>, Vec<Vec<usize>>) {
        let mut reads = HashMap::new();
        let mut needs = vec![Vec::new(); self.tree.equations.len()];
        for (equation, needed) in needs.iter_mut().enumerate() {
            let uses: Vec<_> = self.uses(equation).collect();
            for (id, symbol, time) in uses {
                let read = self.read(id, symbol, time);
                if let Reads::Value(e) = read {
                    needed.push(e);
                }
                reads.insert(id, read);
            }
            needed.sort_unstable();
            needed.dedup();
        }
        (reads, needs)
    }

    fn read(&mut self, id: NodeId, symbol: Symbol, time: Time) -> Reads {
        let span = self.tree.node(id).span;
        if time == Time::Unreadable {
            return Reads::Wrong;
        }
        match self.roles[symbol.index()] {
            Role::Input(i) => self.read_input(i, symbol, time, span),
            Role::Memory(i) if time == Time::Plain => Reads::Memory(i),
            Role::Memory(_) => {
                let name = self.tree.names.file(symbol);
                let message = format!("the memory `{name}` carries a time");
                let hint = format!("a memory is the same at every step: write `{name}`");
                self.report.error("E105", span, message).hint(hint);
                Reads::Wrong
            }
            Role::Const(value) if time == Time::Plain => Reads::Number(value),
            Role::Param if self.tree.is_unread(symbol) => Reads::Wrong,
            Role::Param if time == Time::Plain => Reads::Param(symbol),
            Role::Equation(e) => self.read_equation(e, symbol, time, span),
            Role::Function => {
                let message = format!("the function `{}` has no argument", self.tree.names.file(symbol));
                self.report.error("E114", span, message).hint("write its argument in brackets");
                Reads::Wrong
            }
            _ => self.timed_weight(symbol, time, span),
        }
    }

    fn read_input(&mut self, input: usize, symbol: Symbol, time: Time, span: Span) -> Reads {
        let name = self.tree.names.file(symbol);
        let (message, hint) = match time {
            Time::Plain | Time::Now => return Reads::Input(input),
            Time::Next if self.counts_next => return Reads::Input(input),
            Time::Previous => (
                format!("a cell sees the input of this step only, not `{name}_{{t-1}}`"),
                format!("carry it in a state: `p' = {name}`, then read `p`"),
            ),
            _ => (
                format!("a cell sees the input of this step only, not a later `{name}`"),
                format!("write `{name}` or `{name}_t`"),
            ),
        };
        self.report.error("E106", span, message).hint(hint);
        Reads::Wrong
    }

    fn read_equation(&mut self, e: usize, symbol: Symbol, time: Time, span: Span) -> Reads {
        let left = self.tree.equations[e].time;
        let state = self.is_state[e];
        match (left, time) {
            (Time::Plain, Time::Plain) => Reads::Value(e),
            (Time::Plain, Time::Now | Time::Prime) if state => Reads::Value(e),
            (Time::Prime | Time::Now, Time::Prime | Time::Now) => Reads::Value(e),
            (Time::Next, Time::Next | Time::Prime) => Reads::Value(e),
            (Time::Next, Time::Now | Time::Plain) => Reads::Previous(e),
            (Time::Next, Time::Previous) => {
                let name = self.tree.names.file(symbol);
                let message = format!("`{name}_{{t-1}}` is two steps before `{name}_{{t+1}}`");
                let hint = format!("the previous value is `{name}_t` here; carry an older one in a state of its own");
                self.report.error("E106", span, message).hint(hint);
                Reads::Wrong
            }
            (_, Time::Previous) => Reads::Previous(e),
            (Time::Prime, Time::Plain) => Reads::Previous(e),
            (Time::Now, Time::Plain) if state => Reads::Previous(e),
            (_, Time::Next) => {
                let name = self.tree.names.file(symbol);
                let message = format!("`{name}_{{t+1}}` is the value of a later step");
                let hint =
                    format!("write `{name}_t` for the new value, or count the equation of `{name}` that way too");
                self.report.error("E106", span, message).hint(hint);
                Reads::Wrong
            }
            _ => self.other_spelling(e, symbol, time, span),
        }
    }

    /// `z_t` is defined but `z` used, or the reverse.
    fn other_spelling(&mut self, e: usize, symbol: Symbol, time: Time, span: Span) -> Reads {
        let name = self.tree.names.file(symbol);
        let spell = |time: Time| match time {
            Time::Now => format!("`{name}_t`"),
            Time::Prime => format!("`{name}'`"),
            _ => format!("`{name}`"),
        };
        let defined = self.tree.equations[e].name_span;
        let (left, line) = (spell(self.tree.equations[e].time), self.report.line(defined.start));
        let message = format!("{} is read, but line {line} defines {left}", spell(time));
        self.report.error("E104", span, message).hint(format!("write {left}")).label(defined, "defined here");
        Reads::Wrong
    }

    /// A name without an equation that carries a time or a prime.
    fn timed_weight(&mut self, symbol: Symbol, time: Time, span: Span) -> Reads {
        let name = self.tree.names.file(symbol);
        if matches!(self.roles[symbol.index()], Role::Const(_)) || name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let what = if matches!(self.roles[symbol.index()], Role::Const(_)) { "a constant" } else { "a weight" };
            let message = format!("`{name}` is {what} and carries a time");
            let hint = match name {
                "X" => "the input is written `x`".to_string(),
                _ => format!("write `{name}`, or give it an equation if it changes from step to step"),
            };
            self.report.error("E105", span, message).hint(hint);
            return Reads::Wrong;
        }
        let near = if self.report.has_room() { self.nearest_value(name) } else { None };
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if time == Time::Previous => format!("a state needs an equation: `{name}_t = …`"),
            None => format!("give it an equation: `{name}_t = …`; a weight is written without time"),
        };
        let what = if time == Time::Previous { "the state " } else { "" };
        self.report.error("E103", span, format!("{what}`{name}` is read but never defined")).hint(hint);
        Reads::Wrong
    }

    fn nearest_value(&self, name: &str) -> Option<&str> {
        let defined = self.tree.equations.iter().take(1000).map(|e| self.tree.names.file(e.name));
        nearest(name, defined)
    }
}
