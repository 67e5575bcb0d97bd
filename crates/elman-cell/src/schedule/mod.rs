//! The schedule: which primitive runs when.
//!
//! A pass over a sequence, forward or backward, has three phases, and each phase is a list of stages:
//!
//! ```text
//! before   all steps at once   products of the input alone, and what follows from them
//! step     in the time loop    what the next step's state waits for
//! after    all steps at once   products that no later step waits for (y = V h; backward: gradients by the input)
//! ```
//!
//! A stage is a few merged products, each over operands that were finished before the stage, and the elementwise block
//! that runs on their results. An affine chain whose first terms read the input alone is cut there: `before` computes
//! the partial sum, the time loop goes on from it (exact, since the chain is only paused).
//!
//! The schedule is made here, from symbolic programs; it knows no size, and no cell by name. It does not check itself:
//! see `verify.rs`.

mod phases;
mod products;
mod recompute;
mod scan;

use crate::program::{Backward, Node, NodeId, Program, Stratum};

/// What runs when, forward and backward.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The program that is scheduled.
    pub program: Program,
    /// Its backward program, in which values that are cheaper to recompute than to keep are written out.
    pub backward: Backward,
    /// The forward pass.
    pub forward_pass: Pass,
    /// The backward pass.
    pub backward_pass: Pass,
    /// Forward nodes, not leaves, whose values are kept at every step for the backward pass, in order.
    pub saved: Vec<NodeId>,
    /// Forward nodes that the backward pass computes again.
    pub recomputed: Vec<NodeId>,
}

/// The stages of one direction of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// What each node of the arena depends on.
    pub strata: Vec<Stratum>,
    /// For all steps at once, ahead of the loop.
    pub before: Vec<Stage>,
    /// In the time loop.
    pub step: Vec<Stage>,
    /// For all steps at once, behind the loop.
    pub after: Vec<Stage>,
    /// The loop holds no product and nothing that crosses units: each unit runs through time by itself.
    pub independent: bool,
}

/// Merged products, then the elementwise nodes that run on them, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// The products.
    pub products: Vec<Product>,
    /// The block.
    pub block: Vec<NodeId>,
}

/// Affine chains, or parts of them, over the same operands.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// The operands, one per term.
    pub vectors: Vec<NodeId>,
    /// The results.
    pub members: Vec<Member>,
}

/// Terms `from .. from + vectors.len()` of an affine node. It starts from the node's bias if `from` is 0, else from the
/// partial sum that an earlier phase left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The affine node.
    pub node: NodeId,
    /// Its first term here.
    pub from: usize,
}

/// The part of an arena that a pass computes: its nodes, and which of them it must deliver.
pub(crate) struct Arena<'a> {
    pub nodes: &'a [Node],
    pub strata: &'a [Stratum],
    /// Values that the next step (in the direction of the pass) waits for.
    pub carried: Vec<NodeId>,
    /// All values that must exist after the pass, the carried ones too.
    pub wanted: Vec<NodeId>,
}

impl Schedule {
    /// Whether the time loop is a scan: no product is left in it, and each unit of the states is updated linearly, with
    /// coefficients that are free of the states (minGRU, SRU; not IndRNN, whose update is rectified).
    pub fn is_scan(&self) -> bool {
        self.forward_pass.independent && scan::is_linear(&self.program)
    }

    /// Schedules a program and its backward program. The nodes of `traced` are computed even where nothing reads them.
    pub fn new(program: &Program, backward: &Backward, traced: &[NodeId]) -> Schedule {
        let strata = program.strata();
        let (backward, saved, recomputed) = recompute::inline(program, backward, &strata);
        let mut wanted = program.next.clone();
        wanted.push(program.output);
        wanted.extend(traced);
        wanted.extend(&saved);
        let forward_pass =
            phases::pass(&Arena { nodes: &program.nodes, strata: &strata, carried: program.next.clone(), wanted });
        let backward_strata = crate::program::strata(&backward.nodes, &strata);
        let carried: Vec<NodeId> = backward.states.iter().flatten().copied().collect();
        let mut wanted = carried.clone();
        wanted.extend(backward.inputs.iter().flatten());
        wanted.extend(backward.contributions.iter().flat_map(crate::program::Contribution::reads));
        let backward_pass = phases::pass(&Arena { nodes: &backward.nodes, strata: &backward_strata, carried, wanted });
        Schedule { program: program.clone(), backward, forward_pass, backward_pass, saved, recomputed }
    }
}
