//! What a node reads, and what it therefore depends on.

use crate::program::{Node, NodeId, Op, Stratum};

impl Op {
    /// The nodes of the same arena that this one reads, in order.
    pub fn operands(&self) -> Vec<NodeId> {
        match self {
            Op::Input(_) | Op::State(_) | Op::Param(_) | Op::Number(_) => vec![],
            Op::Forward(_) | Op::OutputGradient | Op::StateGradient(_) | Op::Total(_) => vec![],
            Op::Transpose(a) | Op::Unary(_, a) | Op::Sum(a) | Op::Largest(a) => vec![*a],
            Op::Columns { matrix, .. } | Op::PlaceColumns { matrix, .. } => vec![*matrix],
            Op::Slice { vector, .. } | Op::PlaceSlice { vector, .. } => vec![*vector],
            Op::Binary(_, a, b) => vec![*a, *b],
            Op::Fma(a, b, c) => vec![*a, *b, *c],
            Op::Select { condition, positive, otherwise } => vec![*condition, *positive, *otherwise],
            Op::Concat(parts) => parts.clone(),
            Op::Affine { bias, terms } => {
                bias.iter().copied().chain(terms.iter().flat_map(|t| [t.matrix, t.vector])).collect()
            }
        }
    }

    /// The same operation with each operand replaced.
    pub fn map_operands(&self, mut f: impl FnMut(NodeId) -> NodeId) -> Op {
        let mut op = self.clone();
        match &mut op {
            Op::Input(_) | Op::State(_) | Op::Param(_) | Op::Number(_) => {}
            Op::Forward(_) | Op::OutputGradient | Op::StateGradient(_) | Op::Total(_) => {}
            Op::Transpose(a) | Op::Unary(_, a) | Op::Sum(a) | Op::Largest(a) => *a = f(*a),
            Op::Columns { matrix, .. } | Op::PlaceColumns { matrix, .. } => *matrix = f(*matrix),
            Op::Slice { vector, .. } | Op::PlaceSlice { vector, .. } => *vector = f(*vector),
            Op::Binary(_, a, b) => (*a, *b) = (f(*a), f(*b)),
            Op::Fma(a, b, c) => (*a, *b, *c) = (f(*a), f(*b), f(*c)),
            Op::Select { condition, positive, otherwise } => {
                (*condition, *positive, *otherwise) = (f(*condition), f(*positive), f(*otherwise))
            }
            Op::Concat(parts) => parts.iter_mut().for_each(|p| *p = f(*p)),
            Op::Affine { bias, terms } => {
                *bias = bias.map(&mut f);
                for t in terms {
                    (t.matrix, t.vector) = (f(t.matrix), f(t.vector));
                }
            }
        }
        op
    }

    /// It reads no node.
    pub fn is_leaf(&self) -> bool {
        self.operands().is_empty()
    }

    /// A unit of the result depends on other units of an operand, so a block with it needs whole rows.
    pub fn crosses_units(&self) -> bool {
        matches!(self, Op::Sum(_) | Op::Largest(_) | Op::Concat(_) | Op::Slice { .. } | Op::PlaceSlice { .. })
    }
}

/// The stratum of each node of a forward program.
pub fn strata(nodes: &[Node]) -> Vec<Stratum> {
    propagate(nodes, |op| match op {
        Op::Input(_) => Stratum::PerStep,
        Op::State(_) => Stratum::Recurrent,
        _ => Stratum::Invariant,
    })
}

/// The stratum of each node of a backward program; `forward` are those of its forward program.
pub fn backward_strata(nodes: &[Node], forward: &[Stratum]) -> Vec<Stratum> {
    propagate(nodes, |op| match op {
        Op::Forward(n) if forward[n.index()] == Stratum::Invariant => Stratum::Invariant,
        Op::Forward(_) | Op::OutputGradient => Stratum::PerStep,
        Op::StateGradient(_) => Stratum::Recurrent,
        _ => Stratum::Invariant,
    })
}

fn propagate(nodes: &[Node], leaf: impl Fn(&Op) -> Stratum) -> Vec<Stratum> {
    let mut strata: Vec<Stratum> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let operands = node.op.operands();
        strata.push(operands.iter().map(|o| strata[o.index()]).max().unwrap_or_else(|| leaf(&node.op)));
    }
    strata
}
