//! A run without gradients, cut into chunks of steps: what lies between its phases stays in the caches.
//!
//! The time loop reads what was computed ahead of it for every token. Of a long batch that is more than a cache holds, and
//! comes back from memory. Chunks hand their states on, as a stream does, so that the bits are those of the whole.

use std::ops::Range;

use elman_kernel::{Real, Team};

use super::Runner;
use crate::batch::{Batch, Outputs};
use crate::error::EngineError;

/// Bytes of a chunk's work memory: a part of the last cache, or of a large second one.
const BYTES: usize = 2 << 20;

/// Tokens a thread that a chunk has at least, so that products of all its tokens read their weights seldom.
const TOKENS: usize = 96;

/// The steps of the chunks, of work memory of `bytes` a token. All are as long, where a length near the wanted one divides
/// the steps; else the last is shorter.
fn cut(steps: usize, batch: usize, bytes: usize, threads: usize) -> impl Iterator<Item = Range<usize>> {
    let tokens = (BYTES / bytes.max(1)).max(TOKENS * threads);
    let wanted = tokens.div_ceil(batch.max(1)).max(1);
    let even = (wanted..=wanted.saturating_mul(2).min(steps)).find(|c| steps.is_multiple_of(*c));
    let length = even.unwrap_or(wanted).clamp(1, steps.max(1));
    (0..steps).step_by(length).map(move |first| first..steps.min(first + length))
}

impl<T: Real> Runner<T> {
    /// Chunks hand states on: only forward in time, of all sequences at every step, and nothing is kept of a chunk.
    pub(super) fn can_be_cut(&self, batch: &Batch<T>) -> bool {
        let equal = batch.lengths.is_none_or(|lengths| lengths.iter().all(|l| *l == batch.steps));
        !self.backward && !self.network.spec().bidirectional && self.trace.is_empty() && batch.mask.is_none() && equal
    }

    /// Chunk by chunk, each from the states of the one before.
    pub(super) fn forward_in_chunks(
        &mut self,
        team: &Team,
        batch: &Batch<T>,
        out: &mut Outputs<T>,
    ) -> Result<(), EngineError> {
        let mut states: Option<Vec<Vec<T>>> = None;
        for chunk in cut(batch.steps, batch.batch, self.token_bytes, team.threads()) {
            let part = |x: &&'_ [T]| {
                let step = x.len() / batch.steps;
                chunk.start * step..chunk.end * step
            };
            let inputs = batch.inputs.iter().map(|x| &x[part(x)]).collect();
            let initial = states.as_deref().or(batch.initial);
            let steps = chunk.len();
            let memories = batch.memories.clone();
            let one = Batch { steps, batch: batch.batch, inputs, lengths: None, mask: None, initial, memories };
            self.forward_whole(team, &one, out, Some((chunk.start, batch.steps)))?;
            if chunk.end < batch.steps {
                let before = states.replace(std::mem::take(&mut out.states));
                out.states = before.unwrap_or_default();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(steps: usize, batch: usize, bytes: usize, threads: usize) -> Vec<usize> {
        let mut next = 0;
        cut(steps, batch, bytes, threads)
            .map(|chunk| {
                assert_eq!(chunk.start, std::mem::replace(&mut next, chunk.end));
                chunk.len()
            })
            .collect()
    }

    #[test]
    fn chunks_follow_each_other_and_are_even_where_they_can_be() {
        assert_eq!(lengths(100, 1, 1000, 1), [100]);
        assert_eq!(lengths(100, 32, 7000, 1), [10; 10]);
        assert_eq!(lengths(35, 64, 28_000, 1), [[2; 17].as_slice(), &[1]].concat());
        assert_eq!(lengths(35, 64, 28_000, 2), [5; 7]);
        assert_eq!(lengths(3, 1000, usize::MAX, 1), [1; 3]);
        assert_eq!(lengths(1, 1, 0, 1), [1]);
    }
}
