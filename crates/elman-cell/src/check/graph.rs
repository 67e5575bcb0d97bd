//! Which equations need each other: components, order within a step, what is reached. No recursion, linear time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The strongly connected component of every node (Tarjan 1972); nodes of one cycle share a number.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let n = edges.len();
    let (mut index, mut low, mut component) = (vec![NONE; n], vec![0; n], vec![NONE; n]);
    let (mut stack, mut next, mut count) = (Vec::new(), 0, 0);
    for root in 0..n {
        if index[root] != NONE {
            continue;
        }
        let mut calls = vec![(root, 0)];
        while let Some((node, edge)) = calls.pop() {
            if edge == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
            } else {
                low[node] = low[node].min(low[edges[node][edge - 1]]);
            }
            let mut edge = edge;
            let mut called = false;
            while edge < edges[node].len() && !called {
                let to = edges[node][edge];
                edge += 1;
                if index[to] == NONE {
                    calls.push((node, edge));
                    calls.push((to, 0));
                    called = true;
                } else if component[to] == NONE {
                    low[node] = low[node].min(index[to]);
                }
            }
            if !called && low[node] == index[node] {
                while let Some(member) = stack.pop() {
                    component[member] = count;
                    if member == node {
                        break;
                    }
                }
                count += 1;
            }
        }
    }
    component
}

/// An order in which each node stands after what it needs, and else as given; nodes on cycles come last.
pub(super) fn order(needs: &[Vec<usize>]) -> Vec<usize> {
    let n = needs.len();
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); n];
    for (node, list) in needs.iter().enumerate() {
        list.iter().for_each(|&need| needed_by[need].push(node));
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..n).filter(|&i| missing[i] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(n);
    let mut done = vec![false; n];
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        done[node] = true;
        for &after in &needed_by[node] {
            missing[after] -= 1;
            if missing[after] == 0 {
                ready.push(Reverse(after));
            }
        }
    }
    order.extend((0..n).filter(|&i| !done[i]));
    order
}

/// All nodes that `roots` need, themselves included.
pub(super) fn reached(needs: &[Vec<usize>], roots: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut reached = vec![false; needs.len()];
    let mut work: Vec<usize> = roots.collect();
    while let Some(node) = work.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            work.extend(needs[node].iter().filter(|&&n| !reached[n]));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_one_component() {
        let edges = vec![vec![1], vec![2], vec![0, 3], vec![], vec![3]];
        let c = components(&edges);
        assert!(c[0] == c[1] && c[1] == c[2]);
        assert!(c[3] != c[0] && c[4] != c[3] && c[4] != c[0]);
    }

    #[test]
    fn order_is_the_author_s_where_nothing_else_says() {
        assert_eq!(order(&[vec![], vec![3], vec![], vec![]]), [0, 2, 3, 1]);
    }
}
