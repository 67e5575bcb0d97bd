//! Any metric in bins of length: does a model hold on texts longer than those it was trained on?

use super::MetricError;
use serde::Serialize;

/// How lengths are put into bins.
#[derive(Clone, Debug, PartialEq)]
pub enum Bins {
    /// At most this many, each with about as many examples; equal lengths stay together.
    Even(usize),
    /// The greatest length of each bin but the last, ascending; one more bin takes what is longer.
    Upto(Vec<usize>),
    /// As [`Bins::Even`], but no bin holds lengths on both sides of an edge, such as the longest that a model was trained on.
    Parted {
        /// The greatest length on this side.
        edge: usize,
        /// Bins up to it, at most.
        within: usize,
        /// Bins beyond it, at most.
        beyond: usize,
    },
}

/// A metric of the examples of some lengths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// The least length that occurs in it.
    pub shortest: usize,
    /// The greatest length that occurs in it.
    pub longest: usize,
    /// Its examples.
    pub examples: usize,
    /// The metric over them.
    pub value: f64,
}

/// `metric` of the examples of each bin, which it gets by their indices; bins that nothing falls into are left out.
///
/// # Errors
/// No example, or whatever `metric` refuses.
pub fn by_length(
    lengths: &[usize],
    bins: &Bins,
    mut metric: impl FnMut(&[usize]) -> Result<f64, MetricError>,
) -> Result<Vec<Bin>, MetricError> {
    if lengths.is_empty() {
        return Err(MetricError::Nothing { what: "examples" });
    }
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|e| lengths[*e]);
    let mut found = Vec::new();
    let mut rest = &order[..];
    let mut ahead = 0;
    while let Some(first) = rest.first() {
        let longest = bins.longest(&order, rest.len(), ahead, lengths);
        let size = rest.partition_point(|e| lengths[*e] <= longest);
        ahead += 1;
        if size == 0 {
            continue;
        }
        // In the order of the examples, so that sums do not depend on how lengths were sorted.
        let mut members = rest[..size].to_vec();
        members.sort_unstable();
        let (shortest, longest) = (lengths[*first], lengths[rest[size - 1]]);
        found.push(Bin { shortest, longest, examples: size, value: metric(&members)? });
        rest = &rest[size..];
    }
    Ok(found)
}

impl Bins {
    /// The greatest length of bin `bin`, of which `left` of the sorted examples are not in a bin before.
    fn longest(&self, order: &[usize], left: usize, bin: usize, lengths: &[usize]) -> usize {
        match self {
            Bins::Upto(edges) => edges.get(bin).copied().unwrap_or(usize::MAX),
            Bins::Even(bins) => even(order, order.len() - left, *bins, lengths),
            Bins::Parted { edge, within, beyond } => {
                let begin = order.len() - left;
                let (short, long) = order.split_at(order.partition_point(|e| lengths[*e] <= *edge));
                match begin.checked_sub(short.len()) {
                    Some(begin) => even(long, begin, *beyond, lengths),
                    None => even(short, begin, *within, lengths),
                }
            }
        }
    }
}

/// The greatest length of a bin that begins at `begin` of `order` and holds an even share of it.
fn even(order: &[usize], begin: usize, bins: usize, lengths: &[usize]) -> usize {
    let share = order.len().div_ceil(bins.max(1));
    lengths[order[(begin + share - 1).min(order.len() - 1)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [usize; 8] = [9, 2, 5, 2, 7, 30, 2, 5];

    fn binned(bins: &Bins) -> Vec<(usize, usize, usize)> {
        let all = by_length(&LENGTHS, bins, |members| Ok(members.len() as f64)).unwrap();
        assert_eq!(all.iter().map(|b| b.value).sum::<f64>(), 8.0);
        all.iter().map(|b| (b.shortest, b.longest, b.examples)).collect()
    }

    #[test]
    fn every_example_is_in_one_bin() {
        assert_eq!(binned(&Bins::Even(4)), [(2, 2, 3), (5, 5, 2), (7, 9, 2), (30, 30, 1)]);
        assert_eq!(binned(&Bins::Even(1)), [(2, 30, 8)]);
        assert_eq!(binned(&Bins::Even(0)), [(2, 30, 8)]);
        assert_eq!(binned(&Bins::Upto(vec![1, 4, 10])), [(2, 2, 3), (5, 9, 4), (30, 30, 1)]);
        let parted = |edge| binned(&Bins::Parted { edge, within: 2, beyond: 2 });
        assert_eq!(parted(6), [(2, 2, 3), (5, 5, 2), (7, 9, 2), (30, 30, 1)]);
        assert_eq!(parted(0), [(2, 5, 5), (7, 30, 3)]);
        assert_eq!(parted(30), [(2, 5, 5), (7, 30, 3)]);
    }

    #[test]
    fn members_come_in_the_order_of_the_examples() {
        let mut seen = Vec::new();
        by_length(&LENGTHS, &Bins::Upto(vec![5]), |members| {
            seen.push(members.to_vec());
            Ok(0.0)
        })
        .unwrap();
        assert_eq!(seen, [vec![1, 2, 3, 6, 7], vec![0, 4, 5]]);
        assert!(by_length(&[], &Bins::Even(3), |_| Ok(0.0)).is_err());
    }
}
