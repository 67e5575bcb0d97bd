//! Which phase and which stage a node runs in.

use super::products::{self, Part};
use super::recompute::is_cheap;
use super::{Arena, Pass, Stage};
use crate::program::{Node, NodeId, Op, Stratum};

/// A phase of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Leaves, invariants, and what nobody wants.
    None,
    Before,
    Step,
    After,
}

/// Schedules one direction of time.
pub(super) fn pass(arena: &Arena) -> Pass {
    let phases = assign(arena);
    let run = |phase: Phase| stages(arena, &phases, phase);
    let (before, step, after) = (run(Phase::Before), run(Phase::Step), run(Phase::After));
    let independent = step
        .iter()
        .all(|s| s.products.is_empty() && s.block.iter().all(|n| !arena.nodes[n.index()].op.crosses_units()));
    Pass { strata: arena.strata.to_vec(), before, step, after, independent }
}

fn ancestors(nodes: &[Node], roots: &[NodeId]) -> Vec<bool> {
    let mut mark = vec![false; nodes.len()];
    for r in roots {
        mark[r.index()] = true;
    }
    for i in (0..nodes.len()).rev() {
        if mark[i] {
            for o in nodes[i].op.operands() {
                mark[o.index()] = true;
            }
        }
    }
    mark
}

/// The nodes that read a node, among those marked.
fn consumers(nodes: &[Node], mark: &[bool]) -> Vec<Vec<usize>> {
    let mut readers = vec![vec![]; nodes.len()];
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| mark[*i]) {
        for o in node.op.operands() {
            readers[o.index()].push(i);
        }
    }
    readers
}

fn assign(arena: &Arena) -> Vec<Phase> {
    let nodes = arena.nodes;
    let needed = ancestors(nodes, &arena.wanted);
    // An attention runs in the loop, whoever waits for it, and so does what it waits for.
    let attends = (0..nodes.len()).filter(|&i| needed[i] && nodes[i].op.attends()).map(|i| NodeId(i as u32));
    let roots: Vec<NodeId> = arena.carried.iter().copied().chain(attends).collect();
    let carried = ancestors(nodes, &roots);
    let mut phases = vec![Phase::None; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        if !needed[i] || node.op.is_leaf() {
            continue;
        }
        phases[i] = match arena.strata[i] {
            Stratum::Invariant => Phase::None,
            Stratum::PerStep => Phase::Before,
            Stratum::Recurrent if carried[i] => Phase::Step,
            Stratum::Recurrent => {
                let behind = node.op.operands().iter().any(|o| phases[o.index()] == Phase::After);
                let bulk = matches!(node.op, Op::Affine { .. }) || node.op.crosses_units();
                if behind || bulk { Phase::After } else { Phase::Step }
            }
        };
    }
    sink_cheap(arena, &needed, &mut phases);
    phases
}

/// A cheap elementwise value runs where it is read, rather than being written and read again per step, if all it reads
/// is at hand there: leaves, invariants, and values that are kept per step for somebody else anyway.
fn sink_cheap(arena: &Arena, needed: &[bool], phases: &mut [Phase]) {
    let readers = consumers(arena.nodes, needed);
    let mut wanted = vec![false; phases.len()];
    for w in &arena.wanted {
        wanted[w.index()] = true;
    }
    for i in (0..phases.len()).rev() {
        let node = &arena.nodes[i];
        if phases[i] != Phase::Before || wanted[i] || !is_cheap(&node.op) {
            continue;
        }
        let Some(to) = readers[i].first().map(|r| phases[*r]).filter(|p| *p != Phase::Before) else { continue };
        let product = readers[i].iter().any(|r| matches!(arena.nodes[*r].op, Op::Affine { .. }));
        if product || readers[i].iter().any(|r| phases[*r] != to) {
            continue;
        }
        let at_hand = |o: &NodeId| {
            let operand = &arena.nodes[o.index()].op;
            let leaf = operand.is_leaf() || arena.strata[o.index()] == Stratum::Invariant;
            let kept = wanted[o.index()] || readers[o.index()].iter().any(|r| *r != i && phases[*r] == to);
            leaf || kept || near_leaves(arena, *o)
        };
        if node.op.operands().iter().all(at_hand) {
            phases[i] = to;
        }
    }
}

/// A cheap operation on leaves and invariants alone: it can follow its reader.
fn near_leaves(arena: &Arena, n: NodeId) -> bool {
    let op = &arena.nodes[n.index()].op;
    let leaf = |o: &NodeId| arena.nodes[o.index()].op.is_leaf() || arena.strata[o.index()] == Stratum::Invariant;
    is_cheap(op) && op.operands().iter().all(leaf)
}

/// The first term of an affine node that has to wait for the time loop.
fn first_late_term(arena: &Arena, node: &Node) -> usize {
    let Op::Affine { terms, .. } = &node.op else { return 0 };
    terms.iter().position(|t| arena.strata[t.vector.index()] == Stratum::Recurrent).unwrap_or(terms.len())
}

/// The parts of affine chains that run in a phase.
fn parts(arena: &Arena, phases: &[Phase], phase: Phase) -> Vec<Part> {
    let mut parts = vec![];
    for (i, node) in arena.nodes.iter().enumerate() {
        let Op::Affine { terms, .. } = &node.op else { continue };
        let late = first_late_term(arena, node);
        let id = NodeId(i as u32);
        match (phases[i], phase) {
            (Phase::Before, Phase::Before) | (Phase::After, Phase::After) => {
                parts.push(Part { node: id, from: 0, to: terms.len() })
            }
            (Phase::Step, Phase::Before) if late > 0 => parts.push(Part { node: id, from: 0, to: late }),
            (Phase::Step, Phase::Step) => parts.push(Part { node: id, from: late, to: terms.len() }),
            _ => {}
        }
    }
    parts
}

/// The stages of one phase.
fn stages(arena: &Arena, phases: &[Phase], phase: Phase) -> Vec<Stage> {
    let parts = parts(arena, phases, phase);
    let level = levels(arena, phases, phase, &parts);
    let count = level.iter().flatten().max().map_or(0, |m| m + 1);
    let mut stages = vec![Stage::default(); count];
    for (s, stage) in stages.iter_mut().enumerate() {
        let here: Vec<Part> = parts.iter().filter(|p| level[p.node.index()] == Some(s)).copied().collect();
        stage.products = products::merge(arena.nodes, &here);
    }
    for (i, l) in level.iter().enumerate() {
        if let (Some(s), false) = (l, matches!(arena.nodes[i].op, Op::Affine { .. })) {
            stages[*s].block.push(NodeId(i as u32));
        }
    }
    stages.into_iter().flat_map(|stage| apart(arena.nodes, stage)).collect()
}

/// An attention takes whole rows, and products are fast in tiles of many: what attends, and what follows from it, comes in a
/// stage of its own behind the products.
fn apart(nodes: &[Node], stage: Stage) -> Vec<Stage> {
    let mut behind: Vec<NodeId> = Vec::new();
    for &n in &stage.block {
        let op = &nodes[n.index()].op;
        if op.attends() || op.operands().iter().any(|o| behind.contains(o)) {
            behind.push(n);
        }
    }
    if behind.is_empty() || stage.products.is_empty() {
        return vec![stage];
    }
    let block = stage.block.into_iter().filter(|n| !behind.contains(n)).collect();
    vec![Stage { products: stage.products, block }, Stage { products: Vec::new(), block: behind }]
}

/// The stage of each node of the phase: an affine part runs one stage after its operands were finished, an elementwise
/// node in the stage of its latest operand, or later where that does not keep another value alive.
fn levels(arena: &Arena, phases: &[Phase], phase: Phase, parts: &[Part]) -> Vec<Option<usize>> {
    let mut level: Vec<Option<usize>> = vec![None; arena.nodes.len()];
    let mut part = vec![None; arena.nodes.len()];
    for p in parts {
        part[p.node.index()] = Some(*p);
    }
    for (i, node) in arena.nodes.iter().enumerate() {
        level[i] = match (&node.op, part[i]) {
            (Op::Affine { terms, .. }, Some(p)) => Some(
                terms[p.from..p.to].iter().filter_map(|t| level[t.vector.index()]).map(|l| l + 1).max().unwrap_or(0),
            ),
            (Op::Affine { .. }, None) => None,
            _ if phases[i] != phase => None,
            (op, _) => Some(op.operands().iter().filter_map(|o| level[o.index()]).max().unwrap_or(0)),
        };
    }
    sink_late(arena, phases, phase, &mut level);
    level
}

fn sink_late(arena: &Arena, phases: &[Phase], phase: Phase, level: &mut [Option<usize>]) {
    let mark: Vec<bool> = phases.iter().map(|p| *p != Phase::None).collect();
    let readers = consumers(arena.nodes, &mark);
    let is_affine = |i: usize| matches!(arena.nodes[i].op, Op::Affine { .. });
    for i in (0..level.len()).rev() {
        let Some(early) = level[i] else { continue };
        if is_affine(i) || phases[i] != phase {
            continue;
        }
        // A product needs its operand one stage earlier.
        let need = |r: usize| level[r].map(|l| if is_affine(r) { l.saturating_sub(1) } else { l });
        let Some(late) = readers[i].iter().filter_map(|r| need(*r)).min().filter(|l| *l > early) else { continue };
        let alive = |o: &NodeId| {
            level[o.index()].is_none()
                || readers[o.index()].iter().any(|r| *r != i && level[*r].is_some_and(|l| l >= late))
        };
        if arena.nodes[i].op.operands().iter().all(alive) {
            level[i] = Some(late);
        }
    }
}
