//! A derived backward step as a person would write it, in the author's names.
//!
//! ```text
//! df = dC' * C
//! df_in = df * (f * (1 - f))
//! dW_f += df_in ⊗ x
//! ```
//!
//! `dv` is the gradient by a value v, `dv_in` the one by what v's function is taken of, h' a state's new value and h its
//! old one; `dout` is the gradient by what the layer hands on, `dh_later` the one that comes to h' from later steps.

use crate::arena::reachable;
use crate::cell::{Cell, Shape};
use crate::dim::Dim;
use crate::listing::{binary_name, score, unary_name};
use crate::op::{Binary, Unary};
use crate::program::{Backward, Contribution, Node, NodeId, Op, Program, Term};
use crate::text::{ATOM, MATRIX, PRODUCT, SUM, Text, plus};

/// A value that is read more than once, and is longer than this, gets a line of its own.
const REPEATED: usize = 24;
/// So does any that is longer than this.
const LONGEST: usize = 72;

/// The derived equations of a cell.
pub fn backward_text(cell: &Cell, program: &Program, backward: &Backward) -> String {
    let mut forward = Page::new(cell, "t");
    forward.write(&program.nodes, &forward_names(cell, program), |op| forward_leaf(cell, op));
    let mut step = Page::new(cell, "d");
    let names = gradient_names(program, backward, &forward);
    step.write(&backward.nodes, &names, |op| backward_leaf(cell, &forward, op));
    let mut text: String = forward.lines.iter().filter(|l| l.invented).map(Line::print).collect();
    text.extend(step.lines.iter().map(Line::print));
    let ends = cell.states.iter().map(|s| &s.name).zip(&backward.states);
    for (name, node) in ends.chain(cell.inputs.iter().map(|i| &i.name).zip(&backward.inputs)) {
        let value = node.map_or("0".to_string(), |n| step.texts[n.index()].0.clone());
        if value != format!("d{name}") {
            text += &format!("d{name} = {value}\n");
        }
    }
    for contribution in &backward.contributions {
        let at = |n: NodeId| step.texts[n.index()].at(PRODUCT);
        text += &match *contribution {
            Contribution::Outer { target, left, right } => {
                format!("{} += {} ⊗ {}\n", gradient_of(&forward, target), at(left), at(right))
            }
            Contribution::Value { target, value } => {
                format!("{} += {}\n", gradient_of(&forward, target), step.texts[value.index()].0)
            }
            Contribution::Memory { how, query, weight, gradient } => {
                let vectors = [Some(query), weight, Some(gradient)].into_iter().flatten();
                let vectors: Vec<_> = vectors.map(|n| step.at(n, SUM)).collect();
                let (keys, values) = (&step.memories[how.keys.index()], &step.memories[how.values.index()]);
                let left = if keys == values { format!("d{keys}") } else { format!("d{keys}, d{values}") };
                format!("{left} += {}_memory({}, {})\n", score(how), vectors.join(", "), memories(keys, values))
            }
        };
    }
    text + &epilogue_text(cell, program, backward, &forward)
}

/// The parameters whose gradient is not plainly what the steps have added.
fn epilogue_text(cell: &Cell, program: &Program, backward: &Backward, forward: &Page) -> String {
    let mut page = Page::new(cell, "e");
    page.write(&backward.epilogue, &vec![None; backward.epilogue.len()], |op| match op {
        Op::Total(n) => Some(Text(gradient_of(forward, *n), ATOM)),
        op => backward_leaf(cell, forward, op),
    });
    let gradients = cell.params.iter().zip(&backward.params).filter_map(|(p, n)| n.map(|n| (p, n)));
    let written: Vec<_> = gradients.filter(|g| !is_plain(program, &backward.epilogue, g.1)).collect();
    let needed = reachable(&backward.epilogue, written.iter().map(|g| g.1));
    let lines = page.lines.iter().filter(|l| needed[l.node]).map(Line::print);
    let ends = written.iter().map(|(p, n)| format!("d{} = {}\n", p.name, page.texts[n.index()].0));
    lines.chain(ends).collect()
}

/// Whether a gradient is a total of the parameter, or of its columns, each in its place.
fn is_plain(program: &Program, epilogue: &[Node], n: NodeId) -> bool {
    let mut open = vec![n];
    while let Some(n) = open.pop() {
        match epilogue[n.index()].op {
            Op::Binary(Binary::Add, a, b) => open.extend([a, b]),
            Op::PlaceColumns { matrix, .. } => open.push(matrix),
            Op::Total(t) if matches!(program.nodes[t.index()].op, Op::Param(_) | Op::Columns { .. }) => {}
            _ => return false,
        }
    }
    true
}

fn gradient_of(forward: &Page, target: NodeId) -> String {
    format!("d{}", forward.texts[target.index()].at(ATOM))
}

/// The author's name of each forward node.
fn forward_names(cell: &Cell, program: &Program) -> Vec<Option<String>> {
    let mut names = vec![None; program.nodes.len()];
    for (equation, (name, node)) in cell.equations.iter().zip(&program.named).rev() {
        let prime = if equation.state.is_some() { "'" } else { "" };
        names[node.index()] = Some(format!("{name}{prime}"));
    }
    names
}

/// The names of gradients, by backward node.
fn gradient_names(program: &Program, backward: &Backward, forward: &Page) -> Vec<Option<String>> {
    let mut names = vec![None; backward.nodes.len()];
    for (i, node) in program.nodes.iter().enumerate().rev() {
        let argument = if let Op::Unary(_, a) = node.op { backward.by_node[a.index()] } else { None };
        let text = &forward.texts[i];
        if let (Some(g), Some(_)) = (argument, forward.named[i].as_ref()) {
            names[g.index()] = Some(format!("d{}_in", text.0));
        }
    }
    for (i, g) in backward.by_node.iter().enumerate() {
        let leaf = matches!(program.nodes[i].op, Op::Input(_) | Op::State(_));
        if let (Some(g), true) = (g, leaf || forward.named[i].is_some()) {
            names[g.index()] = Some(format!("d{}", forward.texts[i].0));
        }
    }
    names
}

fn forward_leaf(cell: &Cell, op: &Op) -> Option<Text> {
    let name = match *op {
        Op::Input(i) => cell.inputs[i.index()].name.clone(),
        Op::State(s) => cell.states[s.index()].name.clone(),
        Op::Param(p) => cell.params[p.index()].name.clone(),
        _ => return None,
    };
    Some(Text(name, ATOM))
}

fn backward_leaf(cell: &Cell, forward: &Page, op: &Op) -> Option<Text> {
    match *op {
        Op::Forward(n) => Some(forward.texts[n.index()].clone()),
        Op::OutputGradient => Some(Text("dout".to_string(), ATOM)),
        Op::StateGradient(s) => Some(Text(format!("d{}_later", cell.states[s.index()].name), ATOM)),
        _ => None,
    }
}

/// The last arguments of an attention.
fn memories(keys: &str, values: &str) -> String {
    if keys == values { keys.to_string() } else { format!("{keys}, {values}") }
}

struct Line {
    node: usize,
    name: String,
    value: String,
    invented: bool,
}

impl Line {
    fn print(&self) -> String {
        format!("{} = {}\n", self.name, self.value)
    }
}

/// Nodes written out: how each is referred to, and the lines that define the named ones.
struct Page {
    prefix: &'static str,
    memories: Vec<String>,
    texts: Vec<Text>,
    named: Vec<Option<String>>,
    lines: Vec<Line>,
}

impl Page {
    fn new(cell: &Cell, prefix: &'static str) -> Page {
        let memories = cell.memories.iter().map(|m| m.name.clone()).collect();
        Page { prefix, memories, texts: Vec::new(), named: Vec::new(), lines: Vec::new() }
    }

    fn write(&mut self, nodes: &[Node], names: &[Option<String>], leaf: impl Fn(&Op) -> Option<Text>) {
        let mut reads = vec![0; nodes.len()];
        nodes.iter().flat_map(|n| n.op.operands()).for_each(|n| reads[n.index()] += 1);
        for (i, node) in nodes.iter().enumerate() {
            let text = leaf(&node.op).unwrap_or_else(|| self.operation(node));
            let (long, is_leaf) = (text.0.len(), node.op.operands().is_empty());
            let invented = names[i].is_none() && !is_leaf && (long > LONGEST || (reads[i] > 1 && long > REPEATED));
            let name = if invented { Some(format!("{}{}", self.prefix, i)) } else { names[i].clone() };
            self.texts.push(match &name {
                Some(name) if !(is_leaf && *name == text.0) => {
                    self.lines.push(Line { node: i, name: name.clone(), value: text.0, invented });
                    Text(name.clone(), ATOM)
                }
                _ => text,
            });
            self.named.push(name);
        }
    }

    fn at(&self, n: NodeId, level: u8) -> String {
        self.texts[n.index()].at(level)
    }

    fn call(&self, name: &str, arguments: &[NodeId]) -> Text {
        let arguments: Vec<_> = arguments.iter().map(|&a| self.at(a, SUM)).collect();
        Text(format!("{name}({})", arguments.join(", ")), ATOM)
    }

    fn operation(&self, node: &Node) -> Text {
        match &node.op {
            Op::Number(x) if *x < 0.0 => Text(format!("{x}"), PRODUCT),
            Op::Number(x) => Text(format!("{x}"), ATOM),
            Op::Length(d) => Text(d.to_string(), if *d == Dim::HIDDEN || *d == Dim::INPUT { ATOM } else { SUM }),
            Op::Outer { left, right } => {
                Text(format!("{} ⊗ {}", self.at(*left, MATRIX), self.at(*right, MATRIX)), PRODUCT)
            }
            Op::Transpose(m) => Text(format!("{}^T", self.at(*m, ATOM)), ATOM),
            Op::Columns { matrix: from, start } | Op::Slice { vector: from, start } => {
                let len = if let Shape::Vector(d) | Shape::Matrix(_, d) = node.shape { d } else { Dim::ONE };
                Text(format!("{}[{start} .. {}]", self.at(*from, ATOM), *start + len), ATOM)
            }
            Op::PlaceColumns { matrix, start } | Op::PlaceSlice { vector: matrix, start } => {
                Text(format!("place({} at {start})", self.at(*matrix, SUM)), ATOM)
            }
            Op::Affine { bias, terms } => self.affine(*bias, terms),
            Op::Unary(Unary::Neg, a) => Text(format!("-{}", self.at(*a, MATRIX)), PRODUCT),
            Op::Unary(u, a) => self.call(unary_name(*u), &[*a]),
            Op::Binary(b, l, r) => self.binary(*b, *l, *r),
            Op::Fma(a, b, c) => {
                let minus = |n: &NodeId| self.texts[n.index()].0.starts_with('-');
                let (a, b) = if minus(b) { (b, a) } else { (a, b) };
                let product = format!("{} * {}", self.at(*a, PRODUCT), self.at(*b, MATRIX));
                plus(&self.at(*c, SUM), &product)
            }
            Op::Select { condition, positive, otherwise } => {
                let [c, p, o] = [condition, positive, otherwise].map(|n| self.at(*n, SUM));
                Text(format!("({p} if {c} > 0 else {o})"), ATOM)
            }
            Op::Broadcast(a) => self.texts[a.index()].clone(),
            Op::Sum(a) => self.call("sum", &[*a]),
            Op::Largest(a) => self.call("largest", &[*a]),
            Op::Concat(pieces) => {
                let pieces: Vec<_> = pieces.iter().map(|&p| self.at(p, SUM)).collect();
                Text(format!("[{}]", pieces.join(", ")), ATOM)
            }
            Op::Attend { how, .. } | Op::AttendGradient { how, .. } => {
                let back = if matches!(node.op, Op::Attend { .. }) { "" } else { "_gradient" };
                let vectors: Vec<_> = node.op.operands().iter().map(|&n| self.at(n, SUM)).collect();
                let (keys, values) = (&self.memories[how.keys.index()], &self.memories[how.values.index()]);
                Text(format!("{}{back}({}, {})", score(*how), vectors.join(", "), memories(keys, values)), ATOM)
            }
            _ => Text("0".to_string(), ATOM),
        }
    }

    fn affine(&self, bias: Option<NodeId>, terms: &[Term]) -> Text {
        let products = terms.iter().map(|t| format!("{} {}", self.at(t.matrix, ATOM), self.at(t.vector, ATOM)));
        let bias = bias.map(|b| self.at(b, SUM));
        let level = if terms.len() == 1 && bias.is_none() { MATRIX } else { SUM };
        Text(products.chain(bias).collect::<Vec<_>>().join(" + "), level)
    }

    fn binary(&self, f: Binary, l: NodeId, r: NodeId) -> Text {
        let join = |sign: &str, level: u8, right: u8| {
            Text(format!("{} {sign} {}", self.at(l, level), self.at(r, right)), level)
        };
        match f {
            Binary::Add => plus(&self.at(l, SUM), &self.at(r, SUM)),
            Binary::Sub => join("-", SUM, PRODUCT),
            Binary::Mul => join("*", PRODUCT, MATRIX),
            Binary::Div => join("/", PRODUCT, MATRIX),
            Binary::Max | Binary::Min => self.call(binary_name(f), &[l, r]),
        }
    }
}
