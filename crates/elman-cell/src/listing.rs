//! Programs and backward programs as text, a line a node: `%7 = affine(p2; p0·x0, p1·s0) : hidden`.
//!
//! x, m, s and p are inputs, memories, states and parameters by position; `^7` is the value of node 7 of the forward program, `Σ7` its
//! gradient summed over steps and sequences, `dy` the gradient by the output, `ds0'` the one by a state after the step.

use std::fmt::{Display, Formatter, Result};

use crate::cell::{Attention, Shape};
use crate::dim::Dim;
use crate::functions;
use crate::op::{Binary, Unary};
use crate::program::{Backward, Contribution, Node, NodeId, Op, Program};

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (i, node) in self.nodes.iter().enumerate() {
            let id = NodeId(i as u32);
            let names: Vec<_> = self.named.iter().filter(|n| n.1 == id).map(|n| &n.0[..]).collect();
            let comment = if names.is_empty() { String::new() } else { format!("  # {}", names.join(", ")) };
            if !is_leaf(&node.op) || !names.is_empty() {
                writeln!(f, "%{i} = {} : {}{comment}", operation(&self.nodes, node), node.shape)?;
            }
        }
        for (s, n) in self.next.iter().enumerate() {
            writeln!(f, "s{s}' = {}", reference(&self.nodes, *n))?;
        }
        writeln!(f, "y = {}", reference(&self.nodes, self.output))
    }
}

impl Display for Backward {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        nodes(f, &self.nodes)?;
        let of = |n: &Option<NodeId>| n.map_or("0".to_string(), |n| reference(&self.nodes, n));
        for (s, n) in self.states.iter().enumerate() {
            writeln!(f, "ds{s} = {}", of(n))?;
        }
        for (i, n) in self.inputs.iter().enumerate() {
            writeln!(f, "dx{i} = {}", of(n))?;
        }
        for contribution in &self.contributions {
            match *contribution {
                Contribution::Outer { target, left, right } => {
                    let (left, right) = (reference(&self.nodes, left), reference(&self.nodes, right));
                    writeln!(f, "Σ{} += {left} ⊗ {right}", target.0)?;
                }
                Contribution::Value { target, value } => {
                    writeln!(f, "Σ{} += {}", target.0, reference(&self.nodes, value))?;
                }
                Contribution::Memory { how, query, weight, gradient } => {
                    let (keys, values) = (how.keys.0, how.values.0);
                    let at: Vec<_> = [Some(query), weight, Some(gradient)].into_iter().flatten().collect();
                    let at: Vec<_> = at.into_iter().map(|n| reference(&self.nodes, n)).collect();
                    writeln!(
                        f,
                        "dm{keys}, dm{values} += {}_memory({}, m{keys}, m{values})",
                        score(how),
                        at.join(", ")
                    )?;
                }
            }
        }
        writeln!(f, "epilogue")?;
        nodes(f, &self.epilogue)?;
        for (p, n) in self.params.iter().enumerate() {
            let n = n.map_or("0".to_string(), |n| reference(&self.epilogue, n));
            writeln!(f, "dp{p} = {n}")?;
        }
        Ok(())
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Shape::Scalar => write!(f, "1"),
            Shape::Vector(d) => write!(f, "{d}"),
            Shape::Matrix(rows, columns) => {
                let side = |d: &Dim| if d.is_sum() { format!("({d})") } else { d.to_string() };
                write!(f, "{} x {}", side(rows), side(columns))
            }
        }
    }
}

fn nodes(f: &mut Formatter<'_>, nodes: &[Node]) -> Result {
    for (i, node) in nodes.iter().enumerate().filter(|(_, n)| !is_leaf(&n.op)) {
        writeln!(f, "%{i} = {} : {}", operation(nodes, node), node.shape)?;
    }
    Ok(())
}

fn is_leaf(op: &Op) -> bool {
    op.operands().is_empty()
}

/// A leaf as it is, another node as its number.
fn reference(nodes: &[Node], n: NodeId) -> String {
    let node = &nodes[n.index()];
    if is_leaf(&node.op) { operation(nodes, node) } else { format!("%{}", n.0) }
}

fn operation(nodes: &[Node], node: &Node) -> String {
    let at = |n: &NodeId| reference(nodes, *n);
    match &node.op {
        Op::Input(i) => format!("x{}", i.0),
        Op::State(s) => format!("s{}", s.0),
        Op::Param(p) => format!("p{}", p.0),
        Op::Number(x) => format!("{x}"),
        Op::Length(d) => format!("length({d})"),
        Op::Forward(n) => format!("^{}", n.0),
        Op::OutputGradient => "dy".to_string(),
        Op::StateGradient(s) => format!("ds{}'", s.0),
        Op::Total(n) => format!("Σ{}", n.0),
        Op::Outer { left, right } => format!("{} ⊗ {}", at(left), at(right)),
        Op::Transpose(m) => format!("transpose({})", at(m)),
        Op::Columns { matrix, start } => format!("columns({} from {start})", at(matrix)),
        Op::PlaceColumns { matrix, start } => format!("place_columns({} at {start})", at(matrix)),
        Op::Affine { bias, terms } => {
            let bias = bias.as_ref().map_or("0".to_string(), at);
            let terms: Vec<_> = terms.iter().map(|t| format!("{}·{}", at(&t.matrix), at(&t.vector))).collect();
            format!("affine({bias}; {})", terms.join(", "))
        }
        Op::Unary(u, a) => format!("{}({})", unary_name(*u), at(a)),
        Op::Binary(b, l, r) => format!("{}({}, {})", binary_name(*b), at(l), at(r)),
        Op::Fma(a, b, c) => format!("fma({}, {}, {})", at(a), at(b), at(c)),
        Op::Select { condition, positive, otherwise } => {
            format!("select({} > 0, {}, {})", at(condition), at(positive), at(otherwise))
        }
        Op::Broadcast(a) => format!("broadcast({})", at(a)),
        Op::Sum(a) => format!("sum({})", at(a)),
        Op::Largest(a) => format!("largest({})", at(a)),
        Op::Concat(pieces) => format!("concat({})", pieces.iter().map(at).collect::<Vec<_>>().join(", ")),
        Op::Slice { vector, start } => format!("slice({} from {start})", at(vector)),
        Op::PlaceSlice { vector, start } => format!("place({} at {start})", at(vector)),
        Op::Attend { how, .. } | Op::AttendGradient { how, .. } => {
            let back = if matches!(node.op, Op::Attend { .. }) { "" } else { "_gradient" };
            let operands: Vec<_> = node.op.operands().iter().map(at).collect();
            format!("{}{back}({}, m{}, m{})", score(*how), operands.join(", "), how.keys.0, how.values.0)
        }
    }
}

/// The function that attends so.
pub(crate) fn score(how: Attention) -> &'static str {
    functions::spelling(functions::attending(how.score))
}

/// The name of a function in listings and equations.
pub(crate) fn unary_name(f: Unary) -> &'static str {
    match f {
        Unary::Neg => "neg",
        Unary::Abs => "abs",
        Unary::Sign => "sign",
        Unary::Sqrt => "sqrt",
        Unary::Exp => "exp",
        Unary::Expm1 => "expm1",
        Unary::Log => "log",
        Unary::Sin => "sin",
        Unary::Cos => "cos",
        Unary::Tanh => "tanh",
        Unary::Sigmoid => "sigmoid",
        Unary::Softplus => "softplus",
        Unary::NormalCdf => "normal_cdf",
    }
}

/// The name of a function of two.
pub(crate) fn binary_name(f: Binary) -> &'static str {
    match f {
        Binary::Add => "add",
        Binary::Sub => "sub",
        Binary::Mul => "mul",
        Binary::Div => "div",
        Binary::Max => "max",
        Binary::Min => "min",
    }
}
