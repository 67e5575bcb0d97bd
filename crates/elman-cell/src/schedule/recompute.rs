//! Saved or recomputed: what the backward pass needs of the forward pass.
//!
//! A value is computed again where that is one cheap elementwise operation (no division, no transcendental) on values
//! that are kept anyway: an operation on a tile in L1 costs a tenth of writing and reading a value per step. An operand
//! of a weight gradient is kept, because that product runs over all steps at once.

use crate::op::{Binary, Unary};
use crate::program::{Backward, Contribution, Node, NodeId, Op, Program, Stratum};

/// The backward program with recomputed values written out; the nodes saved; the nodes recomputed.
pub(super) fn inline(
    program: &Program,
    backward: &Backward,
    strata: &[Stratum],
) -> (Backward, Vec<NodeId>, Vec<NodeId>) {
    let choice = choose(program, backward, strata);
    let mut new = Inliner { program, choice: &choice, nodes: vec![], forward: vec![None; program.nodes.len()] };
    let mut map: Vec<NodeId> = Vec::with_capacity(backward.nodes.len());
    for node in &backward.nodes {
        let id = match node.op {
            Op::Forward(n) => new.value(n),
            _ => new.push(Node { op: node.op.map(|o| map[o.index()]), shape: node.shape }),
        };
        map.push(id);
    }
    let at = |n: NodeId| map[n.index()];
    let inlined = Backward {
        nodes: new.nodes,
        states: backward.states.iter().map(|n| n.map(at)).collect(),
        inputs: backward.inputs.iter().map(|n| n.map(at)).collect(),
        contributions: backward.contributions.iter().map(|c| c.map(at)).collect(),
        epilogue: backward.epilogue.clone(),
        params: backward.params.clone(),
        by_node: backward.by_node.iter().map(|n| n.map(at)).collect(),
    };
    let of = |kind| (0..choice.len() as u32).map(NodeId).filter(|n| choice[n.index()] == kind).collect();
    (inlined, of(Choice::Save), of(Choice::Recompute))
}

#[derive(Clone, Copy, PartialEq)]
enum Choice {
    /// A leaf, an invariant, or a value that the backward pass does not read.
    None,
    Save,
    Recompute,
}

fn choose(program: &Program, backward: &Backward, strata: &[Stratum]) -> Vec<Choice> {
    let mut read = vec![false; program.nodes.len()];
    for node in &backward.nodes {
        if let Op::Forward(n) = node.op {
            read[n.index()] = true;
        }
    }
    let kept = outer_operands(program, backward);
    let mut choice = vec![Choice::None; program.nodes.len()];
    for (i, node) in program.nodes.iter().enumerate() {
        if !read[i] || strata[i] == Stratum::Invariant || node.op.is_leaf() {
            continue;
        }
        let at_hand = |o: &NodeId| {
            let leaf = strata[o.index()] == Stratum::Invariant || program.nodes[o.index()].op.is_leaf();
            leaf || choice[o.index()] != Choice::None
        };
        let recompute = !kept[i] && is_cheap(&node.op) && node.op.operands().iter().all(at_hand);
        choice[i] = if recompute { Choice::Recompute } else { Choice::Save };
    }
    choice
}

/// New states are kept as states; operands of the gradients of weights and memories are kept for what runs over all steps.
fn outer_operands(program: &Program, backward: &Backward) -> Vec<bool> {
    let mut kept = vec![false; program.nodes.len()];
    for n in &program.next {
        kept[n.index()] = true;
    }
    for c in &backward.contributions {
        if let Contribution::Value { .. } = c {
            continue;
        }
        for read in c.reads() {
            if let Op::Forward(n) = backward.nodes[read.index()].op {
                kept[n.index()] = true;
            }
        }
    }
    kept
}

/// An elementwise operation of about a cycle a register.
pub(super) fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Unary(u, _) => matches!(u, Unary::Neg | Unary::Abs | Unary::Sign),
        Op::Binary(b, ..) => !matches!(b, Binary::Div),
        Op::Fma(..) | Op::Select { .. } | Op::Broadcast(_) => true,
        _ => false,
    }
}

struct Inliner<'a> {
    program: &'a Program,
    choice: &'a [Choice],
    nodes: Vec<Node>,
    /// Where the value of a forward node stands in `nodes`.
    forward: Vec<Option<NodeId>>,
}

impl Inliner<'_> {
    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// The node that has the value of forward node `n`: a leaf, or its operation written out.
    fn value(&mut self, n: NodeId) -> NodeId {
        if let Some(id) = self.forward[n.index()] {
            return id;
        }
        let node = &self.program.nodes[n.index()];
        let op =
            if self.choice[n.index()] == Choice::Recompute { node.op.map(|o| self.value(o)) } else { Op::Forward(n) };
        let id = self.push(Node { op, shape: node.shape });
        self.forward[n.index()] = Some(id);
        id
    }
}
