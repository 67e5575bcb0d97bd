//! A program: the step of a cell as a list of primitives, each written once (static single assignment).
//!
//! Nodes stand in an order in which each comes after what it reads. Vectors are per sequence and step; a node that
//! reads only parameters and numbers is *invariant* and is computed once, when weights change.
//!
//! The order of terms in an [`Op::Affine`] is part of the program: it fixes the one chain of fused multiply-adds that
//! every kernel follows, bias first, then the terms in their order. Lowering puts terms that read the input alone
//! before terms that read a state, so that the former can be computed ahead of time for all steps.

use crate::cell::{Attention, InputId, ParamId, Shape, StateId, id};
use crate::dim::Dim;
use crate::op::{Binary, Unary};

id!(/// A node of a program.
    NodeId);

/// One primitive and its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// The shape of what it gives.
    pub shape: Shape,
}

/// `matrix · vector`, one link of an affine chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// An invariant matrix, rows × columns.
    pub matrix: NodeId,
    /// A vector of `columns`.
    pub vector: NodeId,
}

/// The primitives.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// This step's input.
    Input(InputId),
    /// A state's value before this step.
    State(StateId),
    /// A parameter: a vector, a matrix, or a scalar (`param a : 1`).
    Param(ParamId),
    /// A number.
    Number(f64),
    /// The number of units of a dimension, a scalar.
    Length(Dim),

    /// Only in a backward program: the value that a node of the forward program had at this step.
    Forward(NodeId),
    /// Only in a backward program: the gradient of the loss by this step's output.
    OutputGradient,
    /// Only in a backward program: the gradient of the loss by a state's value after this step, through later steps.
    StateGradient(StateId),
    /// Only in an epilogue: the gradient of an invariant node of the forward program, summed over steps and sequences.
    Total(NodeId),

    /// Only in an epilogue: the matrix left ⊗ right, element (i, j) is leftᵢ · rightⱼ.
    Outer {
        /** Rows. */
        left: NodeId,
        /** Columns. */
        right: NodeId,
    },
    /// The transpose of an invariant matrix.
    Transpose(NodeId),
    /// Columns `start .. start + len` of an invariant matrix (`len` is in the shape).
    Columns {
        /** The matrix. */
        matrix: NodeId,
        /** First column. */
        start: Dim,
    },
    /// A matrix of zeros of this node's shape, with `matrix` in the columns from `start` on: the adjoint of `Columns`.
    PlaceColumns {
        /** The block. */
        matrix: NodeId,
        /** First column. */
        start: Dim,
    },

    /// bias + Σ matrixᵢ · vectorᵢ: per element one chain of fused multiply-adds, from the bias (or 0), over the terms in
    /// order, over each term's columns in order.
    Affine {
        /** An invariant vector to start from. */
        bias: Option<NodeId>,
        /** The links of the chain. */
        terms: Vec<Term>,
    },

    /// An elementwise function. On invariant nodes it may take matrices.
    Unary(Unary, NodeId),
    /// An elementwise function of two; a scalar side broadcasts.
    Binary(Binary, NodeId, NodeId),
    /// a · b + c, rounded once.
    Fma(NodeId, NodeId, NodeId),
    /// a where condition > 0, else b.
    Select {
        /** The vector tested. */
        condition: NodeId,
        /** Where it is positive. */
        positive: NodeId,
        /** Elsewhere. */
        otherwise: NodeId,
    },
    /// A scalar in every unit of a vector (of this node's shape).
    Broadcast(NodeId),
    /// The sum over the units of a vector, a scalar: lane l of 16 adds units l, l + 16, … in order, then the lanes are
    /// added as a tree (l and l + 8, l + 4, l + 2, l + 1). On invariant nodes it may take a matrix: its elements row
    /// after row.
    Sum(NodeId),
    /// The largest unit of a vector, a scalar. Its derivative is taken as 0 (softmax does not depend on it).
    Largest(NodeId),
    /// Vectors one after another.
    Concat(Vec<NodeId>),
    /// Units `start .. start + len` of a vector (`len` is in the shape).
    Slice {
        /** The vector. */
        vector: NodeId,
        /** First unit. */
        start: Dim,
    },
    /// A vector of zeros of this node's shape, with `vector` in the units from `start` on: the adjoint of `Slice`.
    PlaceSlice {
        /** The piece. */
        vector: NodeId,
        /** First unit. */
        start: Dim,
    },

    /// Σ over slots s of αₛ · valuesₛ, with α = softmax of score(query, keysₛ) over the slots that the sequence has.
    ///
    /// Scores are sums over 16 lanes of fused multiply-adds (q · k, or u · tanh(q + k)), the tree as in [`Op::Sum`]; so is
    /// the sum of exponentials over slots. A unit of the result is one chain of fused multiply-adds over the slots in order,
    /// from 0.
    Attend {
        /** What is attended to, and how. */
        how: Attention,
        /** As long as a key. */
        query: NodeId,
        /** The vector u of additive scores. */
        weight: Option<NodeId>,
    },
    /// Only in a backward program: the gradient by an attention's query, and after it, in the same vector, the one by its
    /// weight if it has one. α is computed again, as [`Op::Attend`] does.
    AttendGradient {
        /** As in the forward program. */
        how: Attention,
        /** As in the forward program. */
        query: NodeId,
        /** As in the forward program. */
        weight: Option<NodeId>,
        /** The gradient by what the attention gave. */
        gradient: NodeId,
    },
}

impl Op {
    /// What it reads, in order: of an affine the bias, then matrix and vector of each term.
    pub fn operands(&self) -> Vec<NodeId> {
        let mut all = Vec::new();
        self.map(|n| {
            all.push(n);
            n
        });
        all
    }

    /// The same operation with every operand replaced.
    pub fn map(&self, mut f: impl FnMut(NodeId) -> NodeId) -> Op {
        match *self {
            Op::Input(_)
            | Op::State(_)
            | Op::Param(_)
            | Op::Number(_)
            | Op::Length(_)
            | Op::Forward(_)
            | Op::OutputGradient
            | Op::StateGradient(_)
            | Op::Total(_) => self.clone(),
            Op::Outer { left, right } => Op::Outer { left: f(left), right: f(right) },
            Op::Transpose(a) => Op::Transpose(f(a)),
            Op::Columns { matrix, start } => Op::Columns { matrix: f(matrix), start },
            Op::PlaceColumns { matrix, start } => Op::PlaceColumns { matrix: f(matrix), start },
            Op::Affine { bias, ref terms } => Op::Affine {
                bias: bias.map(&mut f),
                terms: terms.iter().map(|t| Term { matrix: f(t.matrix), vector: f(t.vector) }).collect(),
            },
            Op::Unary(u, a) => Op::Unary(u, f(a)),
            Op::Binary(b, l, r) => Op::Binary(b, f(l), f(r)),
            Op::Fma(a, b, c) => Op::Fma(f(a), f(b), f(c)),
            Op::Select { condition, positive, otherwise } => {
                Op::Select { condition: f(condition), positive: f(positive), otherwise: f(otherwise) }
            }
            Op::Broadcast(a) => Op::Broadcast(f(a)),
            Op::Sum(a) => Op::Sum(f(a)),
            Op::Largest(a) => Op::Largest(f(a)),
            Op::Concat(ref pieces) => Op::Concat(pieces.iter().map(|&p| f(p)).collect()),
            Op::Slice { vector, start } => Op::Slice { vector: f(vector), start },
            Op::PlaceSlice { vector, start } => Op::PlaceSlice { vector: f(vector), start },
            Op::Attend { how, query, weight } => Op::Attend { how, query: f(query), weight: weight.map(f) },
            Op::AttendGradient { how, query, weight, gradient } => {
                Op::AttendGradient { how, query: f(query), weight: weight.map(&mut f), gradient: f(gradient) }
            }
        }
    }

    /// It reads no node.
    pub fn is_leaf(&self) -> bool {
        self.operands().is_empty()
    }

    /// A unit of the result depends on other units of an operand, so a block with it needs whole rows.
    pub fn crosses_units(&self) -> bool {
        matches!(self, Op::Sum(_) | Op::Largest(_) | Op::Concat(_) | Op::Slice { .. } | Op::PlaceSlice { .. })
            || self.attends()
    }

    /// It reads a memory, which belongs to a sequence and not to a step: it runs in the time loop, where sequences are.
    pub fn attends(&self) -> bool {
        matches!(self, Op::Attend { .. } | Op::AttendGradient { .. })
    }

    /// What it depends on, given the strata of the nodes before it and, for `Forward` leaves, of the forward program.
    pub fn stratum(&self, before: &[Stratum], forward: &[Stratum]) -> Stratum {
        match self {
            Op::Input(_) | Op::OutputGradient => Stratum::PerStep,
            Op::State(_) | Op::StateGradient(_) | Op::Attend { .. } | Op::AttendGradient { .. } => Stratum::Recurrent,
            Op::Forward(n) if forward[n.index()] != Stratum::Invariant => Stratum::PerStep,
            op => op.operands().iter().map(|n| before[n.index()]).max().unwrap_or(Stratum::Invariant),
        }
    }
}

/// What each of `nodes` depends on; `forward` is empty for a forward program, and its strata for a backward one.
pub fn strata(nodes: &[Node], forward: &[Stratum]) -> Vec<Stratum> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        all.push(node.op.stratum(&all, forward));
    }
    all
}

/// The forward step of a cell.
#[derive(Clone, Debug)]
pub struct Program {
    /// The nodes, each after what it reads. Equal nodes are one node.
    pub nodes: Vec<Node>,
    /// The length of each input.
    pub inputs: Vec<Dim>,
    /// The length of each memory's rows.
    pub memories: Vec<Dim>,
    /// The length of each state.
    pub states: Vec<Dim>,
    /// The shape of each parameter.
    pub params: Vec<Shape>,
    /// Per state: the node of its new value.
    pub next: Vec<NodeId>,
    /// The node that the layer hands on.
    pub output: NodeId,
    /// The author's name of a value, and its node: one entry per equation of the cell, in its order.
    pub named: Vec<(String, NodeId)>,
}

impl Program {
    /// What each node depends on.
    pub fn strata(&self) -> Vec<Stratum> {
        strata(&self.nodes, &[])
    }
}

impl Backward {
    /// What each node of the step depends on; `program` is the one it was derived from.
    pub fn strata(&self, program: &Program) -> Vec<Stratum> {
        strata(&self.nodes, &program.strata())
    }
}

/// What a node depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stratum {
    /// Parameters and numbers only: computed when weights change.
    Invariant,
    /// Inputs too (in a backward program: forward values and the output's gradient), but no state of this direction:
    /// computed for all steps at once.
    PerStep,
    /// A state (in a backward program: the gradient carried from the later step): computed in the time loop.
    Recurrent,
}

/// The derived backward step.
///
/// Its nodes are an arena of their own. Leaves are `Forward(n)`, `OutputGradient` and `StateGradient(s)`, and invariant
/// nodes of the forward program are read as `Forward(n)` too.
#[derive(Clone, Debug)]
pub struct Backward {
    /// The nodes, each after what it reads.
    pub nodes: Vec<Node>,
    /// Per state: the gradient by its value before this step; `None` where it is zero.
    pub states: Vec<Option<NodeId>>,
    /// Per input: the gradient by it; `None` where it is zero.
    pub inputs: Vec<Option<NodeId>>,
    /// What this step adds to the gradients of invariant nodes of the forward program, and of memories, in a fixed order.
    pub contributions: Vec<Contribution>,
    /// From the summed gradients of invariant nodes to those of parameters; leaves are `Total(n)` and `Forward(n)`
    /// (with `n` invariant).
    pub epilogue: Vec<Node>,
    /// Per parameter: its gradient in `epilogue`; `None` where no equation uses it.
    pub params: Vec<Option<NodeId>>,
    /// Per node of the forward program: the gradient by it, where the step computes that as a node. For printing only.
    pub by_node: Vec<Option<NodeId>>,
}

/// A step's addition to the gradient of one invariant node of the forward program, or of a memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contribution {
    /// matrix gradient += left ⊗ right: element (i, j) gains leftᵢ · rightⱼ, as one chain over steps and sequences.
    Outer {
        /** Forward node, a matrix. */
        target: NodeId,
        /** Backward node, rows. */
        left: NodeId,
        /** Backward node, columns. */
        right: NodeId,
    },
    /// vector (or scalar) gradient += the value, summed over steps and sequences.
    Value {
        /** Forward node, a vector or scalar. */
        target: NodeId,
        /** Backward node of the same shape. */
        value: NodeId,
    },
    /// The gradients of an attention's keys and values: of key s the gradient of its score, which is αₛ (gₛ − Σ α g) with
    /// gₛ = gradient · valuesₛ, times the score's derivative by the key; of value s αₛ · gradient. One chain an element over
    /// the steps of its sequence in rising order, at each step first the key's part.
    Memory {
        /** What is attended to, and how. */
        how: Attention,
        /** Backward node: the query. */
        query: NodeId,
        /** Backward node: the weight of additive scores. */
        weight: Option<NodeId>,
        /** Backward node: the gradient by what the attention gave. */
        gradient: NodeId,
    },
}

impl Contribution {
    /// The invariant node of the forward program whose gradient it adds to; none where that is a memory.
    pub fn target(&self) -> Option<NodeId> {
        match *self {
            Contribution::Outer { target, .. } | Contribution::Value { target, .. } => Some(target),
            Contribution::Memory { .. } => None,
        }
    }

    /// The backward nodes that it reads, in order.
    pub fn reads(&self) -> Vec<NodeId> {
        let mut all = Vec::new();
        self.map(|n| {
            all.push(n);
            n
        });
        all
    }

    /// The same with every backward node that it reads replaced.
    pub fn map(&self, mut f: impl FnMut(NodeId) -> NodeId) -> Contribution {
        match *self {
            Contribution::Outer { target, left, right } => {
                Contribution::Outer { target, left: f(left), right: f(right) }
            }
            Contribution::Value { target, value } => Contribution::Value { target, value: f(value) },
            Contribution::Memory { how, query, weight, gradient } => {
                let (query, weight) = (f(query), weight.map(&mut f));
                Contribution::Memory { how, query, weight, gradient: f(gradient) }
            }
        }
    }
}
