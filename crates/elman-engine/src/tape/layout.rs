//! How rows of a matrix are steps of sequences.

use std::sync::Arc;

/// Sequences side by side, time first: the row of step t of sequence b is `t · sequences + b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Steps of the longest sequence.
    pub steps: usize,
    /// Valid steps of each sequence, 1 to `steps`.
    pub lengths: Arc<[usize]>,
}

impl Layout {
    /// For sequences of these lengths.
    pub fn new(lengths: Vec<usize>) -> Layout {
        Layout { steps: lengths.iter().copied().max().unwrap_or(0), lengths: lengths.into() }
    }

    /// Sequences.
    pub fn sequences(&self) -> usize {
        self.lengths.len()
    }

    /// Rows of a matrix with this layout.
    pub fn rows(&self) -> usize {
        self.steps * self.sequences()
    }

    /// The row of a step of a sequence.
    pub fn row(&self, step: usize, sequence: usize) -> usize {
        step * self.sequences() + sequence
    }

    /// The rows of a sequence, in time.
    pub fn of(&self, sequence: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.lengths[sequence]).map(move |step| self.row(step, sequence))
    }

    /// The row of each sequence's last valid step.
    pub fn last(&self) -> Vec<u32> {
        (0..self.sequences()).map(|b| self.row(self.lengths[b] - 1, b) as u32).collect()
    }

    /// Values laid out: `value(step, sequence)` at valid places, `padding` elsewhere.
    pub fn fill<V: Clone>(&self, padding: V, mut value: impl FnMut(usize, usize) -> V) -> Vec<V> {
        let mut all = vec![padding; self.rows()];
        for b in 0..self.sequences() {
            for t in 0..self.lengths[b] {
                all[self.row(t, b)] = value(t, b);
            }
        }
        all
    }
}
