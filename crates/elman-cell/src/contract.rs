//! a · b + c as one fused multiply-add, rounded once.
//!
//! The last step of lowering and of deriving. A product is taken into the sum that reads it when nothing else does;
//! where both sides of a sum are such products the right one is taken, the left one then being the addend.
//!
//! A difference is contracted only where the minus sign costs nothing: c − a · b where a or b is a number, a negation
//! or invariant; a · b − c where c is. Otherwise a negation would have to be computed, and the two operations stay.
//!
//! Invariant nodes are left alone: they are computed once.

use crate::arena::{Arena, reachable};
use crate::op::{Binary, Unary};
use crate::program::{Node, NodeId, Op, Stratum};

/// The contracted nodes, and where each node went. `roots` are what the nodes are for; `forward` are the strata that
/// `Forward` leaves have.
pub(crate) fn contract(nodes: &[Node], roots: &[NodeId], forward: &[Stratum]) -> (Vec<Node>, Vec<NodeId>) {
    let reads = reads(nodes, roots);
    let mut arena = Arena::reading(forward.to_vec());
    let mut place: Vec<NodeId> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let op = node.op.map(|n| place[n.index()]);
        let fused = match node.op {
            Op::Binary(f @ (Binary::Add | Binary::Sub), l, r) => {
                let product = |n: NodeId| match nodes[n.index()].op {
                    Op::Binary(Binary::Mul, a, b) if reads[n.index()] == 1 => {
                        Some((place[a.index()], place[b.index()]))
                    }
                    _ => None,
                };
                let (l_place, r_place) = (place[l.index()], place[r.index()]);
                fuse(&mut arena, f, (l_place, product(l)), (r_place, product(r)))
            }
            _ => None,
        };
        place.push(fused.unwrap_or_else(|| arena.push(op, node.shape)));
    }
    (arena.nodes, place)
}

/// How often each node is read by nodes that `roots` depend on, and as a root.
fn reads(nodes: &[Node], roots: &[NodeId]) -> Vec<u32> {
    let live = reachable(nodes, roots.iter().copied());
    let mut reads = vec![0; nodes.len()];
    let readers = nodes.iter().zip(live).filter(|(_, live)| *live);
    let operands = readers.flat_map(|(n, _)| n.op.operands());
    operands.chain(roots.iter().copied()).for_each(|n| reads[n.index()] += 1);
    reads
}

type Side = (NodeId, Option<(NodeId, NodeId)>);

/// `left ± right` with one side's product fused, if there is one that may be.
fn fuse(arena: &mut Arena, f: Binary, left: Side, right: Side) -> Option<NodeId> {
    let minus = f == Binary::Sub;
    if let (c, Some((a, b))) = (left.0, right.1)
        && !all_invariant(arena, &[a, b, c])
    {
        let factors = if minus { negative_product(arena, a, b) } else { Some((a, b)) };
        if let Some((a, b)) = factors {
            return Some(arena.fma(a, b, c));
        }
    }
    let (a, b) = left.1?;
    if all_invariant(arena, &[a, b, right.0]) {
        return None;
    }
    let c = if minus { free_negation(arena, right.0)? } else { right.0 };
    Some(arena.fma(a, b, c))
}

fn all_invariant(arena: &Arena, nodes: &[NodeId]) -> bool {
    nodes.iter().all(|&n| arena.stratum(n) == Stratum::Invariant)
}

/// −(a · b) as a product, where that is free.
fn negative_product(arena: &mut Arena, a: NodeId, b: NodeId) -> Option<(NodeId, NodeId)> {
    if let Some(minus) = free_negation(arena, a) {
        return Some((minus, b));
    }
    free_negation(arena, b).map(|minus| (a, minus))
}

/// −n where nothing has to be computed for it.
fn free_negation(arena: &mut Arena, n: NodeId) -> Option<NodeId> {
    let negation = matches!(arena.op(n), Op::Unary(Unary::Neg, _));
    (negation || arena.stratum(n) == Stratum::Invariant).then(|| arena.neg(n))
}
