//! Sequences of unequal length, packed.
//!
//! Sequences are sorted by falling length (equal lengths keep their order), so that the rows active at a step are a
//! prefix; token `first[t] + row` holds step t of the sequence in that row. A backward direction sees each sequence
//! reversed from its own end: its step t is step `length − 1 − t`. Padding is never read.

use elman_kernel::code::Timeline;

use crate::error::EngineError;

/// How the tokens of a batch are laid out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packing {
    pub steps: usize,
    pub batch: usize,
    /// Row → sequence of the caller.
    pub order: Vec<usize>,
    /// Row → length.
    pub lengths: Vec<usize>,
    pub timeline: Timeline,
}

impl Packing {
    pub fn new(steps: usize, batch: usize, lengths: Option<&[usize]>) -> Result<Packing, EngineError> {
        for (what, n) in [("steps", steps), ("batch", batch)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        let Some(lengths) = lengths else {
            let timeline = Timeline::equal(steps, batch);
            return Ok(Packing { steps, batch, order: (0..batch).collect(), lengths: vec![steps; batch], timeline });
        };
        if lengths.len() != batch {
            return Err(EngineError::Length { what: "lengths".into(), found: lengths.len(), wanted: batch });
        }
        if let Some(index) = lengths.iter().position(|l| *l == 0 || *l > steps) {
            return Err(EngineError::SequenceLength { index, found: lengths[index], steps });
        }
        let mut order: Vec<usize> = (0..batch).collect();
        order.sort_by_key(|b| std::cmp::Reverse(lengths[*b]));
        let sorted: Vec<usize> = order.iter().map(|b| lengths[*b]).collect();
        let longest = sorted[0];
        let active = (0..longest).map(|t| sorted.partition_point(|l| *l > t)).collect();
        let timeline = Timeline::from_active(batch, active);
        Ok(Packing { steps, batch, order, lengths: sorted, timeline })
    }

    pub fn tokens(&self) -> usize {
        self.timeline.tokens()
    }

    /// Calls `f(token, row, t)` for each token, in order.
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        for (t, (&first, &active)) in self.timeline.first.iter().zip(&self.timeline.active).enumerate() {
            for row in 0..active {
                f(first + row, row, t);
            }
        }
    }

    /// Per token: its place `step · batch + sequence` in the caller's layout.
    pub fn caller_rows(&self) -> Vec<usize> {
        let mut rows = vec![0; self.tokens()];
        self.each(|token, row, t| rows[token] = t * self.batch + self.order[row]);
        rows
    }

    /// Per token: the token that the backward direction sees in its place.
    pub fn reversed(&self) -> Vec<usize> {
        let mut tokens = vec![0; self.tokens()];
        self.each(|token, row, t| tokens[token] = self.timeline.first[self.lengths[row] - 1 - t] + row);
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_tokens_are_packed_by_falling_length() {
        let p = Packing::new(4, 3, Some(&[2, 4, 1])).unwrap();
        assert_eq!(p.order, [1, 0, 2]);
        assert_eq!(p.timeline.active, [3, 2, 1, 1]);
        assert_eq!(p.caller_rows(), [1, 0, 2, 4, 3, 7, 10]);
        // Row 0 has 4 steps (tokens 0, 3, 5, 6), row 1 has 2 (1, 4), row 2 has 1 (2).
        assert_eq!(p.reversed(), [6, 4, 2, 5, 1, 3, 0]);
    }

    #[test]
    fn reversing_twice_is_the_identity() {
        let p = Packing::new(5, 4, Some(&[3, 5, 5, 2])).unwrap();
        let r = p.reversed();
        assert!((0..p.tokens()).all(|i| r[r[i]] == i));
    }

    #[test]
    fn lengths_outside_the_steps_are_refused() {
        assert!(Packing::new(3, 2, Some(&[3, 4])).is_err());
        assert!(Packing::new(3, 2, Some(&[0, 3])).is_err());
        assert!(Packing::new(3, 2, Some(&[3])).is_err());
        assert!(Packing::new(0, 2, None).is_err());
    }
}
