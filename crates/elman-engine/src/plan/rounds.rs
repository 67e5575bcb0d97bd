//! Gradient phases that add to the same elements, in rounds.
//!
//! A weight that is used twice has one chain of sums: over all steps for its first use, then over all steps for its second.
//! Where steps come in segments, all of them must go through the first phase before any goes through the second.

use elman_kernel::code::Phase;

/// First element, distance of rows, rows, columns.
type Result = (usize, usize, usize, usize);

/// Phases of a round add to different elements; the order of those that add to the same ones stays.
pub(crate) fn rounds(phases: &[Phase]) -> Vec<Vec<Phase>> {
    let mut rounds: Vec<Vec<Phase>> = vec![];
    for phase in phases {
        let meets = |round: &Vec<Phase>| round.iter().any(|other| meet(phase, other));
        let round = rounds.iter().rposition(meets).map_or(0, |r| r + 1);
        if round == rounds.len() {
            rounds.push(vec![]);
        }
        rounds[round].push(phase.clone());
    }
    rounds
}

fn meet(a: &Phase, b: &Phase) -> bool {
    let b = results(b);
    results(a).iter().any(|a| b.iter().any(|b| share(*a, *b)))
}

fn results(phase: &Phase) -> Vec<Result> {
    match phase {
        Phase::Outer { columns, lefts, .. } => lefts.iter().map(|l| (l.out, l.stride, l.rows, *columns)).collect(),
        Phase::Total { units, out, .. } => vec![(*out, *units, 1, *units)],
        Phase::Memory { d_keys, d_values, .. } => {
            [d_keys, d_values].map(|p| (p.offset, p.stride, 1, p.stride)).to_vec()
        }
        _ => vec![],
    }
}

/// Whether two results may have an element in common.
fn share(a: Result, b: Result) -> bool {
    let end = |(out, stride, rows, columns): Result| out + (rows - 1) * stride + columns;
    let apart = |(a, stride, _, width): Result, (b, other, _, b_width): Result| {
        let between = (b % stride + stride - a % stride) % stride;
        stride == other && between >= width && between + b_width <= stride
    };
    a.0 < end(b) && b.0 < end(a) && !apart(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use elman_kernel::code::{OuterRow, Place, Rows};

    #[test]
    fn only_shared_elements_make_another_round() {
        let place = Place { offset: 0, rows: Rows::Token, stride: 16 };
        let outer = |out, columns| Phase::Outer {
            right: place,
            columns,
            lefts: vec![OuterRow { left: place, rows: 3, out, stride: 10 }],
        };
        // Columns 0..4 and 4..10 of one matrix, the first again, another matrix.
        let all = rounds(&[outer(100, 4), outer(104, 6), outer(100, 4), outer(200, 10)]);
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    }
}
