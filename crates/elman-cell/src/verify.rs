//! Whether a schedule computes its program: written against the types of [`crate::schedule`] alone.
//!
//! 1. Its backward program gives, node for node, what the derived one gives, whatever it has written out again: equal
//!    operations on equal values are one value (`Values`).
//! 2. Every forward value that its backward program reads is kept, or is an input, a state or invariant.
//! 3. In each pass every node is computed once, after what it reads; products read what earlier stages have finished;
//!    an affine chain is gone through once, in the order of its terms.
//! 4. What a later step waits for is finished in the loop, and all that is wanted at the end.
//! 5. A pass that calls itself independent has no product and nothing across units in its loop.

use std::collections::HashMap;

use crate::cell::Shape;
use crate::program::{Backward, Contribution, Node, NodeId, Op, Program, Stratum, strata};
use crate::schedule::{Pass, Product, Schedule, Stage};

/// How a schedule fails to be its program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The scheduled program is another one.
    #[error("the scheduled program is not the program")]
    OtherProgram,
    /// Rule 1.
    #[error("the backward program was changed: {0} is another value")]
    OtherBackward(&'static str),
    /// Rule 2.
    #[error("the backward pass reads node {} of the forward program, which is not kept", .0.0)]
    NotSaved(NodeId),
    /// A node is kept that the backward pass does not read.
    #[error("node {} is kept for nothing", .0.0)]
    SavedForNothing(NodeId),
    /// The strata of a pass are wrong.
    #[error("{0} pass: wrong strata")]
    Strata(&'static str),
    /// Rule 3: read before it is there.
    #[error("{pass} pass, {phase}: node {} is read before it is computed", .node.0)]
    TooEarly {
        /** Which pass. */
        pass: &'static str,
        /** Which phase. */
        phase: Phase,
        /** What is not there. */
        node: NodeId,
    },
    /// Rule 3: computed again.
    #[error("{pass} pass, {phase}: node {} is computed twice", .node.0)]
    Twice {
        /** Which pass. */
        pass: &'static str,
        /** Which phase. */
        phase: Phase,
        /** What is there already. */
        node: NodeId,
    },
    /// Rule 3: a part of an affine chain that is not the next one.
    #[error("{pass} pass, {phase}: affine node {} does not go on where it stopped, or over other terms", .node.0)]
    BrokenChain {
        /** Which pass. */
        pass: &'static str,
        /** Which phase. */
        phase: Phase,
        /** The affine node. */
        node: NodeId,
    },
    /// Rule 4.
    #[error("{pass} pass: node {} is not finished when it is needed", .node.0)]
    Unfinished {
        /** Which pass. */
        pass: &'static str,
        /** What is missing. */
        node: NodeId,
    },
    /// Rule 5.
    #[error("{0} pass: its loop is not independent")]
    NotIndependent(&'static str),
}

/// A part of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// All steps at once, ahead of the loop.
    Before,
    /// In the loop.
    Step,
    /// All steps at once, behind it.
    After,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Phase::Before => "before the loop",
            Phase::Step => "in the loop",
            Phase::After => "behind the loop",
        })
    }
}

/// Checks that `schedule` computes `program` and what was `derived` from it, the nodes of `traced` too.
///
/// # Errors
/// The first fault that is found.
pub fn verify(program: &Program, derived: &Backward, schedule: &Schedule, traced: &[NodeId]) -> Result<(), Fault> {
    if !same_program(program, &schedule.program) {
        return Err(Fault::OtherProgram);
    }
    same_backward(program, derived, &schedule.backward)?;
    let forward_strata = program.strata();
    kept(program, &forward_strata, schedule)?;

    let wanted = [&[program.output], traced, &schedule.saved].concat();
    Checking::new("forward", &program.nodes, &forward_strata).pass(&schedule.forward_pass, &program.next, &wanted)?;

    let backward = &schedule.backward;
    let backward_strata = strata(&backward.nodes, &forward_strata);
    let carried: Vec<_> = backward.states.iter().flatten().copied().collect();
    let added = backward.contributions.iter().flat_map(read_by);
    let wanted: Vec<_> = backward.inputs.iter().flatten().copied().chain(added).collect();
    Checking::new("backward", &backward.nodes, &backward_strata).pass(&schedule.backward_pass, &carried, &wanted)
}

fn same_program(a: &Program, b: &Program) -> bool {
    a.nodes == b.nodes
        && (&a.next, a.output) == (&b.next, b.output)
        && (&a.inputs, &a.memories, &a.states, &a.params) == (&b.inputs, &b.memories, &b.states, &b.params)
}

fn read_by(contribution: &Contribution) -> Vec<NodeId> {
    match *contribution {
        Contribution::Outer { left, right, .. } => vec![left, right],
        Contribution::Value { value, .. } => vec![value],
        Contribution::Memory { query, weight, gradient, .. } => {
            [Some(query), weight, Some(gradient)].into_iter().flatten().collect()
        }
    }
}

/// Numbers of values: two nodes have one number exactly if they do the same to the same values, whether a forward value
/// is read or computed again.
#[derive(Default)]
struct Values {
    known: HashMap<String, u32>,
}

impl Values {
    /// The numbers of nodes, given those of the forward nodes that `Forward` leaves stand for.
    fn of(&mut self, nodes: &[Node], forward: &[u32]) -> Vec<u32> {
        let mut numbers: Vec<u32> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let number = match node.op {
                Op::Forward(n) => forward[n.index()],
                _ => {
                    let op = node.op.map(|n| NodeId(numbers[n.index()]));
                    let next = self.known.len() as u32;
                    *self.known.entry(format!("{op:?} {:?}", node.shape)).or_insert(next)
                }
            };
            numbers.push(number);
        }
        numbers
    }
}

fn same_backward(program: &Program, derived: &Backward, scheduled: &Backward) -> Result<(), Fault> {
    let mut values = Values::default();
    let forward = values.of(&program.nodes, &[]);
    let a = values.of(&derived.nodes, &forward);
    let b = values.of(&scheduled.nodes, &forward);
    let same = |x: &[Option<NodeId>], y: &[Option<NodeId>]| {
        let number = |numbers: &[u32], n: &Option<NodeId>| n.map(|n| numbers[n.index()]);
        x.len() == y.len() && x.iter().zip(y).all(|(x, y)| number(&a, x) == number(&b, y))
    };
    if !same(&derived.states, &scheduled.states) {
        return Err(Fault::OtherBackward("the gradient of a state"));
    }
    if !same(&derived.inputs, &scheduled.inputs) {
        return Err(Fault::OtherBackward("the gradient of an input"));
    }
    let numbered = |c: &Contribution, numbers: &[u32]| {
        let added = match *c {
            Contribution::Outer { target, .. } | Contribution::Value { target, .. } => (Some(target), None),
            Contribution::Memory { how, .. } => (None, Some(how)),
        };
        (std::mem::discriminant(c), added, read_by(c).iter().map(|n| numbers[n.index()]).collect::<Vec<_>>())
    };
    let contributions = |all: &Backward, numbers: &[u32]| -> Vec<_> {
        all.contributions.iter().map(|c| numbered(c, numbers)).collect()
    };
    if contributions(derived, &a) != contributions(scheduled, &b) {
        return Err(Fault::OtherBackward("what a step adds to the gradients of parameters"));
    }
    if derived.epilogue != scheduled.epilogue || derived.params != scheduled.params {
        return Err(Fault::OtherBackward("the epilogue"));
    }
    Ok(())
}

/// What the backward pass reads of the forward one is there, and nothing else is kept.
fn kept(program: &Program, strata: &[Stratum], schedule: &Schedule) -> Result<(), Fault> {
    let mut read = vec![false; program.nodes.len()];
    for node in &schedule.backward.nodes {
        let Op::Forward(n) = node.op else { continue };
        read[n.index()] = true;
        let leaf = matches!(program.nodes[n.index()].op, Op::Input(_) | Op::State(_));
        if strata[n.index()] != Stratum::Invariant && !leaf && !schedule.saved.contains(&n) {
            return Err(Fault::NotSaved(n));
        }
    }
    match schedule.saved.iter().find(|n| !read[n.index()]) {
        Some(&n) => Err(Fault::SavedForNothing(n)),
        None => Ok(()),
    }
}

/// A pass on its way: what is there.
struct Checking<'a> {
    name: &'static str,
    nodes: &'a [Node],
    strata: &'a [Stratum],
    phase: Phase,
    /// Per node: finished.
    done: Vec<bool>,
    /// Per affine node: how many of its terms have been added, and by which stage the last of them.
    terms: Vec<(usize, usize)>,
    /// Stages begun, over all phases.
    stages: usize,
}

impl<'a> Checking<'a> {
    fn new(name: &'static str, nodes: &'a [Node], strata: &'a [Stratum]) -> Checking<'a> {
        let done = strata.iter().map(|&s| s == Stratum::Invariant).collect();
        Checking { name, nodes, strata, phase: Phase::Before, done, terms: vec![(0, 0); nodes.len()], stages: 0 }
    }

    /// Goes through a pass; `carried` is needed at the end of the loop, `wanted` at the end of all.
    fn pass(mut self, pass: &Pass, carried: &[NodeId], wanted: &[NodeId]) -> Result<(), Fault> {
        if pass.strata != self.strata {
            return Err(Fault::Strata(self.name));
        }
        if pass.independent && !self.is_independent(&pass.step) {
            return Err(Fault::NotIndependent(self.name));
        }
        for (phase, stages) in [(Phase::Before, &pass.before), (Phase::Step, &pass.step), (Phase::After, &pass.after)] {
            self.begin(phase);
            stages.iter().try_for_each(|stage| self.stage(stage))?;
            if phase == Phase::Step {
                self.finished(carried)?;
            }
        }
        self.finished(wanted)
    }

    /// The leaves that are there from this phase on: states and their gradients are not, ahead of the loop.
    fn begin(&mut self, phase: Phase) {
        self.phase = phase;
        for (node, done) in self.nodes.iter().zip(&mut self.done) {
            let carried = matches!(node.op, Op::State(_) | Op::StateGradient(_));
            *done |= node.op.operands().is_empty() && !(carried && phase == Phase::Before);
        }
    }

    fn finished(&self, all: &[NodeId]) -> Result<(), Fault> {
        match all.iter().find(|n| !self.done[n.index()]) {
            Some(&node) => Err(Fault::Unfinished { pass: self.name, node }),
            None => Ok(()),
        }
    }

    fn read(&self, node: NodeId) -> Result<(), Fault> {
        let there = self.done[node.index()];
        if there { Ok(()) } else { Err(Fault::TooEarly { pass: self.name, phase: self.phase, node }) }
    }

    fn write(&mut self, node: NodeId) -> Result<(), Fault> {
        let there = std::mem::replace(&mut self.done[node.index()], true);
        if there { Err(Fault::Twice { pass: self.name, phase: self.phase, node }) } else { Ok(()) }
    }

    fn stage(&mut self, stage: &Stage) -> Result<(), Fault> {
        self.stages += 1;
        for vector in stage.products.iter().flat_map(|p| &p.vectors) {
            self.read(*vector)?;
        }
        stage.products.iter().try_for_each(|product| self.product(product))?;
        for &node in &stage.block {
            let op = &self.nodes[node.index()].op;
            if let Op::Affine { .. } = op {
                return Err(self.broken(node));
            }
            op.operands().into_iter().try_for_each(|n| self.read(n))?;
            self.write(node)?;
        }
        Ok(())
    }

    fn product(&mut self, product: &Product) -> Result<(), Fault> {
        for member in &product.members {
            let node = member.node;
            let Op::Affine { bias, terms } = &self.nodes[node.index()].op else { return Err(self.broken(node)) };
            let (added, by) = self.terms[node.index()];
            let to = member.from + product.vectors.len();
            let part = terms.get(member.from..to).unwrap_or_default();
            let goes_on = added == member.from && (added == 0 || by < self.stages);
            if !goes_on || part.is_empty() || !part.iter().map(|t| t.vector).eq(product.vectors.iter().copied()) {
                return Err(self.broken(node));
            }
            bias.iter().copied().chain(part.iter().map(|t| t.matrix)).try_for_each(|n| self.read(n))?;
            self.terms[node.index()] = (to, self.stages);
            if to == terms.len() {
                self.write(node)?;
            }
        }
        Ok(())
    }

    fn broken(&self, node: NodeId) -> Fault {
        Fault::BrokenChain { pass: self.name, phase: self.phase, node }
    }

    /// No product, no scalar, and nothing that takes a unit from another place.
    fn is_independent(&self, stages: &[Stage]) -> bool {
        let by_unit = |n: &NodeId| {
            let node = &self.nodes[n.index()];
            let elementwise = matches!(node.op, Op::Unary(..) | Op::Binary(..) | Op::Fma(..) | Op::Select { .. });
            elementwise && matches!(node.shape, Shape::Vector(_))
        };
        stages.iter().all(|s| s.products.is_empty() && s.block.iter().all(by_unit))
    }
}
