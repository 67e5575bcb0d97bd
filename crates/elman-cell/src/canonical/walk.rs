//! Numbers for what a walk meets, and the text.

use std::collections::HashMap;

use super::form::{Form, FormId, Forms};
use crate::cell::{Cell, Init, Param, Shape, StateId};
use crate::text::{ATOM, MATRIX, PRODUCT, SUM, Text, plus};

/// A longer text gets a line of its own.
const LONGEST: usize = 100;

/// A depth-first walk from the output, then from the states in the order in which they are met.
pub(super) struct Walk<'a> {
    cell: &'a Cell,
    forms: &'a Forms,
    /// What was met, each after its operands.
    order: Vec<FormId>,
    reads: Vec<u32>,
    seen: Vec<bool>,
    states: Vec<StateId>,
    /// Per state, once met: its number.
    numbers: Vec<Option<usize>>,
    weights: HashMap<FormId, usize>,
    /// Whether the first use of a matrix is of its transpose: then that is the matrix.
    turned: HashMap<FormId, bool>,
}

impl<'a> Walk<'a> {
    pub fn new(cell: &'a Cell, forms: &'a Forms) -> Walk<'a> {
        let (reads, seen) = (vec![0; forms.all.len()], vec![false; forms.all.len()]);
        let (weights, turned) = (HashMap::new(), HashMap::new());
        let (order, states, numbers) = (Vec::new(), Vec::new(), vec![None; cell.states.len()]);
        let mut walk = Walk { cell, forms, order, reads, seen, states, numbers, weights, turned };
        walk.from(forms.output);
        let mut by_colour = forms.state_order.iter();
        let mut done = 0;
        while done < cell.states.len() {
            while done == walk.states.len() {
                by_colour.next().into_iter().for_each(|&s| walk.meet_state(s));
            }
            walk.from(forms.next[walk.states[done].index()]);
            done += 1;
        }
        walk
    }

    fn from(&mut self, root: FormId) {
        self.reads[root.index()] += 1;
        let mut open = vec![(root, false)];
        while let Some((id, operands_met)) = open.pop() {
            if operands_met {
                self.order.push(id);
            } else if !std::mem::replace(&mut self.seen[id.index()], true) {
                self.meet(id);
                open.push((id, true));
                for operand in self.forms.all[id.index()].operands().into_iter().rev() {
                    self.reads[operand.index()] += 1;
                    open.push((operand, false));
                }
            }
        }
    }

    fn meet(&mut self, id: FormId) {
        match self.forms.all[id.index()] {
            Form::State(s) => self.meet_state(s),
            Form::Weight { .. } => {
                self.weights.insert(id, self.weights.len());
            }
            Form::Product { matrix, transposed, .. } => {
                self.turned.entry(matrix).or_insert(transposed);
            }
            _ => {}
        }
    }

    fn meet_state(&mut self, s: StateId) {
        if self.numbers[s.index()].is_none() {
            self.numbers[s.index()] = Some(self.states.len());
            self.states.push(s);
        }
    }

    /// Declarations, values that are read more than once, states, output.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (i, input) in self.cell.inputs.iter().enumerate() {
            text += &format!("input x{i} : {}\n", input.dim);
        }
        for (i, memory) in self.cell.memories.iter().enumerate() {
            text += &format!("memory m{i} : {}\n", memory.dim);
        }
        for (i, s) in self.states.iter().enumerate() {
            let state = &self.cell.states[s.index()];
            let learned = state.initial.map(|p| declared(&self.cell.params[p.index()]));
            let learned = learned.map_or(String::new(), |d| format!(", learned{d}"));
            text += &format!("state s{i} : {}{learned}\n", state.dim);
        }
        text += &self.weights_text();
        let mut lines = 0;
        let mut texts: HashMap<FormId, Text> = HashMap::new();
        for &id in &self.order {
            let mut value = self.written(id, &texts);
            let inner = !self.forms.all[id.index()].operands().is_empty();
            if inner && (self.reads[id.index()] > 1 || value.0.len() > LONGEST) {
                text += &format!("v{lines} = {}\n", value.0);
                value = Text(format!("v{lines}"), ATOM);
                lines += 1;
            }
            texts.insert(id, value);
        }
        let of = |f: FormId| texts.get(&f).map_or("", |t| &t.0);
        for (i, s) in self.states.iter().enumerate() {
            text += &format!("s{i}' = {}\n", of(self.forms.next[s.index()]));
        }
        text + &format!("output = {}\n", of(self.forms.output))
    }

    fn weights_text(&self) -> String {
        let mut lines = vec![String::new(); self.weights.len()];
        let mut idle = vec![true; self.cell.params.len()];
        self.cell.states.iter().filter_map(|s| s.initial).for_each(|p| idle[p.index()] = false);
        for (&id, &at) in &self.weights {
            let Form::Weight { param, block, shape } = self.forms.all[id.index()] else { continue };
            idle[param.index()] = false;
            let shape = match shape {
                Shape::Matrix(rows, columns) if self.turned.get(&id) == Some(&true) => Shape::Matrix(columns, rows),
                shape => shape,
            };
            let param = &self.cell.params[param.index()];
            let part =
                if block.is_some() && by_shape(param.init) { format!(" of {}", param.shape) } else { String::new() };
            lines[at] = format!("param p{at} : {shape}{}{part}\n", declared(param));
        }
        let unread = self.cell.params.iter().zip(idle).filter(|(_, idle)| *idle);
        let mut unread: Vec<_> = unread.map(|(p, _)| format!("param unread : {}{}\n", p.shape, declared(p))).collect();
        unread.sort();
        lines.concat() + &unread.concat()
    }

    fn written(&self, id: FormId, texts: &HashMap<FormId, Text>) -> Text {
        let at = |f: &FormId, level: u8| texts.get(f).map_or(String::new(), |t| t.at(level));
        match &self.forms.all[id.index()] {
            Form::Input(i) => Text(format!("x{}", i.0), ATOM),
            Form::State(s) => Text(format!("s{}", self.numbers[s.index()].unwrap_or(0)), ATOM),
            Form::Length(d) => Text(format!("length({d})"), ATOM),
            Form::Weight { .. } => Text(format!("p{}", self.weights.get(&id).copied().unwrap_or(0)), ATOM),
            Form::Sum { constant, addends } => {
                let parts = addends.iter().map(|(c, f)| match *c {
                    1.0 => at(f, PRODUCT),
                    -1.0 => format!("-{}", at(f, PRODUCT)),
                    c => format!("{c} * {}", at(f, PRODUCT)),
                });
                let constant = (*constant != 0.0 || addends.is_empty()).then(|| constant.to_string());
                let sum = constant.into_iter().chain(parts).reduce(|sum, part| plus(&sum, &part).0);
                Text(sum.unwrap_or_default(), if addends.is_empty() { PRODUCT } else { SUM })
            }
            Form::Factors(all) => {
                let power = |&(e, f): &(i32, FormId)| match e.abs() {
                    1 => at(&f, MATRIX),
                    n => format!("{}^{n}", at(&f, ATOM)),
                };
                let above: Vec<_> = all.iter().filter(|f| f.0 >= 0).map(power).collect();
                let below = all.iter().filter(|f| f.0 < 0).map(|f| format!(" / {}", power(f)));
                let above = if above.is_empty() { "1".to_string() } else { above.join(" * ") };
                Text(above + &below.collect::<String>(), PRODUCT)
            }
            Form::Product { matrix, transposed, vector } => {
                let turned = self.turned.get(matrix).is_some_and(|t| t != transposed);
                Text(format!("{}{} {}", at(matrix, ATOM), if turned { "^T" } else { "" }, at(vector, ATOM)), MATRIX)
            }
            Form::Apply { name, operands, .. } => {
                let operands: Vec<_> = operands.iter().map(|f| at(f, SUM)).collect();
                Text(format!("{name}({})", operands.join(", ")), ATOM)
            }
        }
    }
}

/// What is declared of a parameter beyond its shape.
fn declared(param: &Param) -> String {
    let init = match param.init {
        None => String::new(),
        Some(Init::Constant(x)) => format!(" = {x}"),
        Some(Init::Uniform(a)) => format!(" = uniform({a})"),
        Some(Init::Normal(s)) => format!(" = normal({s})"),
        Some(Init::Xavier) => " = xavier".to_string(),
        Some(Init::He) => " = he".to_string(),
        Some(Init::Orthogonal) => " = orthogonal".to_string(),
        Some(Init::Identity) => " = identity".to_string(),
    };
    init + if param.shared { ", shared" } else { "" }
}

/// Whether what an initialiser draws depends on the shape of the whole matrix.
fn by_shape(init: Option<Init>) -> bool {
    matches!(init, Some(Init::Xavier | Init::He | Init::Orthogonal | Init::Identity))
}
