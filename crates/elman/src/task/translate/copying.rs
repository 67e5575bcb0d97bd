//! Copying from the source. See et al. 2017, arXiv:1704.04368.
//!
//!   p(y) = g softmax(z)_y + (1 − g) Σ of the weights on source tokens that are y       g = sigmoid(w · top + b)
//!
//! where top knows, beside what the decoder says, what stands behind the words just written: W of the memory at the place behind
//! the longest run of source tokens that ends what is written. So copying goes on where it is, at any distance, and sees there
//! what the encoder knows of the way on (an induction head, Olsson et al. 2022, arXiv:2209.11895, given instead of learned).
//!
//! The weights are of an attention of its own, from the top of the decoder to the memory, (W top) · m / √units, so that every
//! decoder copies alike; what it copies was looked for with what the decoder's own attention found. Both sides share one
//! vocabulary: a token that is copied is a class of the softmax too.

use super::decoder::Memory;
use crate::model::queries::Queries;
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Linear, NO_ROW, Tape, Var};

/// Where to copy from, and whether.
pub struct Copying {
    behind: Linear,
    query: Linear,
    gate: Linear,
}

impl Copying {
    /// For a top of `width` units and memories of `from`.
    pub fn declare(blueprint: &mut Blueprint, width: usize, from: usize) -> Copying {
        let behind = blueprint.linear("copy.behind", from, width);
        let query = blueprint.linear("copy.query", width, from);
        let weight = blueprint.parameter("copy.gate.weight", &[1, width], Init::Constant(0.0));
        let bias = blueprint.parameter("copy.gate.bias", &[1], Init::Constant(0.0));
        Copying { behind, query, gate: Linear { weight, bias: Some(bias) } }
    }

    /// Each row of `top` with what stands behind what it has written; `behind` has a row of the memory for each, `NO_ROW` where
    /// nothing does.
    ///
    /// # Errors
    /// What the engine says.
    pub fn top(&self, tape: &mut Tape<'_, f32>, top: Var, memory: &Memory, behind: &[u32]) -> Result<Var, EngineError> {
        let found = tape.rows(memory.values, behind)?;
        let found = tape.linear(found, self.behind)?;
        tape.add(top, found)
    }

    /// Where each row of `top` looks, [rows, steps of the memory].
    ///
    /// # Errors
    /// What the engine says.
    pub fn weights(
        &self,
        tape: &mut Tape<'_, f32>,
        top: Var,
        memory: &Memory,
        queries: &Queries,
    ) -> Result<Var, EngineError> {
        let query = tape.linear(top, self.query)?;
        queries.point(tape, query, (memory.values, &memory.layout))
    }

    /// How sure each row is not to copy, before the sigmoid: [rows, 1].
    ///
    /// # Errors
    /// What the engine says.
    pub fn gate(&self, tape: &mut Tape<'_, f32>, top: Var) -> Result<Var, EngineError> {
        tape.linear(top, self.gate)
    }
}

/// The row of the memory of source number `of` that stands behind what is `written`, or `NO_ROW`.
pub fn row_behind(memory: &Memory, source: &[u32], of: usize, written: &[u32]) -> u32 {
    behind(source, written).map_or(NO_ROW, |place| memory.layout.row(place, of) as u32)
}

/// The place of the token behind the longest run of source tokens that `written` ends with; of equally long ones behind the
/// first.
fn behind(source: &[u32], written: &[u32]) -> Option<usize> {
    let run = |end: usize| source[..end].iter().rev().zip(written.iter().rev()).take_while(|(s, w)| s == w).count();
    let places = (1..source.len()).map(|end| (run(end), end)).filter(|(length, _)| *length > 0);
    places.min_by_key(|(length, _)| std::cmp::Reverse(*length)).map(|(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn the_longest_run_says_where_copying_is() {
        let source = [5, 1, 2, 3, 9, 2, 3, 4, 1];
        assert_eq!(behind(&source, &[]), None);
        assert_eq!(behind(&source, &[7]), None);
        // Of runs of one the first; a longer one says better.
        assert_eq!(behind(&source, &[3]), Some(4));
        assert_eq!(behind(&source, &[9, 2, 3]), Some(7));
        assert_eq!(behind(&source, &[8, 5]), Some(1));
        // Nothing stands behind the end.
        assert_eq!(behind(&source, &[4, 1]), Some(2));
        assert_eq!(behind(&[4], &[4]), None);
    }
}
