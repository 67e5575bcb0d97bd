//! Where each value of a pass lives: decided by who reads it, and when.

use elman_cell::program::{NodeId, Op};
use elman_cell::schedule::{Pass, Stage};
use elman_kernel::code::{Place, Rows};

use super::Memory;
use super::pass::PassTask;
use crate::invariants::units;

/// A phase (0 before, 1 step, 2 after) and a stage in it.
pub(super) type Slot = (usize, usize);

pub(super) const STEP: usize = 1;

/// The stages of a pass by phase.
pub(super) fn phases(pass: &Pass) -> [&[Stage]; 3] {
    [&pass.before, &pass.step, &pass.after]
}

/// Where a computed value lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Home {
    /// In the scratch of the thread, for one stage.
    Scratch,
    At(Place),
}

/// Who makes and who reads the nodes of a pass.
pub(super) struct Uses {
    /// Where a node's final value is made.
    pub made: Vec<Option<Slot>>,
    /// Where it is read.
    pub read: Vec<Vec<Slot>>,
    /// Some reader takes a part of it, so it needs an address.
    pub sliced: Vec<bool>,
}

impl Uses {
    pub fn of(task: &PassTask) -> Uses {
        let nodes = task.list();
        let mut uses =
            Uses { made: vec![None; nodes.len()], read: vec![vec![]; nodes.len()], sliced: vec![false; nodes.len()] };
        for (p, stages) in phases(task.pass).into_iter().enumerate() {
            for (s, stage) in stages.iter().enumerate() {
                for product in &stage.products {
                    product.vectors.iter().for_each(|v| uses.read[v.index()].push((p, s)));
                    for m in &product.members {
                        uses.made[m.node.index()] = Some((p, s));
                    }
                }
                for n in &stage.block {
                    uses.made[n.index()] = Some((p, s));
                    let op = &nodes[n.index()].op;
                    op.operands().iter().for_each(|o| uses.read[o.index()].push((p, s)));
                    match op {
                        Op::Slice { vector, .. } => uses.sliced[vector.index()] = true,
                        Op::Concat(_) | Op::PlaceSlice { .. } => uses.sliced[n.index()] = true,
                        _ => {}
                    }
                }
            }
        }
        uses
    }

    /// Somebody needs the value of every step at once.
    pub fn per_token(&self, node: NodeId, delivered: bool) -> bool {
        let reads = &self.read[node.index()];
        delivered
            || match self.made[node.index()] {
                Some((STEP, _)) => reads.iter().any(|r| r.0 != STEP),
                Some(made) => reads.iter().any(|r| *r != made),
                None => reads.iter().any(|r| r.0 != STEP),
            }
    }
}

/// The home of a computed node. `carry` is where its state's new value belongs, if it is one.
pub(super) fn home(task: &PassTask, uses: &Uses, node: NodeId, carry: Option<Place>, memory: &mut Memory) -> Home {
    let units = units(task.list()[node.index()].shape, task.nodes.sizes);
    if let Some(place) = carry.filter(|p| p.rows == Rows::After) {
        return Home::At(place);
    }
    // A new state that is known ahead of the loop is copied into the state in it.
    let ahead =
        !matches!(uses.made[node.index()], Some((STEP, _))) && task.carried.iter().any(|c| c.node == Some(node));
    if uses.per_token(node, ahead || task.delivered.contains(&node)) {
        return Home::At(memory.rows(Rows::Token, task.frame.tokens, units));
    }
    if let Some(place) = carry {
        return Home::At(place);
    }
    let made = uses.made[node.index()];
    let elsewhere = uses.read[node.index()].iter().any(|r| Some(*r) != made);
    match made {
        Some((STEP, _)) if elsewhere || uses.sliced[node.index()] => {
            Home::At(memory.rows(Rows::Batch, task.frame.batch, units))
        }
        _ if uses.sliced[node.index()] => Home::At(memory.rows(Rows::Token, task.frame.tokens, units)),
        _ => Home::Scratch,
    }
}
