//! Copying from the source. See et al. 2017, arXiv:1704.04368.
//!
//!   p(y) = g softmax(z)_y + (1 − g) Σ of the weights on source tokens that are y       g = sigmoid(w · top + b)
//!
//! Copying is behind the longest run of source tokens that what is written ends with: what an induction head finds (Olsson et al.
//! 2022, arXiv:2209.11895). There the decoder learns what the encoder knows of the way on, top = its own top + V m, and from
//! there the weights go onward, by (W top) · m / √units + b, to the first place that suits (`Tape::onward`), at any distance. They
//! are none of the decoder's own attention, so that every decoder copies alike. Both sides share one vocabulary: a token that is
//! copied is a class of the softmax too.

use super::decoder::Memory;
use crate::model::queries::Queries;
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Linear, NO_ROW, Parameter, Tape, Var};

/// Where to copy from, and whether.
pub struct Copying {
    /// V
    behind: Linear,
    /// W
    query: Linear,
    /// b of the weights.
    bias: Parameter,
    gate: Linear,
}

/// The place in each row's source where copying is; none where nothing of it is written.
pub type Places = Vec<Option<u32>>;

/// b of the weights at first: so that they do not end at the first few places.
const SELDOM: f64 = -3.0;

impl Copying {
    /// For a top of `width` units and memories of `from`.
    pub fn declare(blueprint: &mut Blueprint, width: usize, from: usize) -> Copying {
        let behind = blueprint.linear("copy.behind", from, width);
        let query = blueprint.linear("copy.query", width, from);
        let weight = blueprint.parameter("copy.gate.weight", &[1, width], Init::Constant(0.0));
        let gate = blueprint.parameter("copy.gate.bias", &[1], Init::Constant(0.0));
        let bias = blueprint.parameter("copy.bias", &[1], Init::Constant(SELDOM));
        Copying { behind, query, bias, gate: Linear { weight, bias: Some(gate) } }
    }

    /// Each row of `top` with what the memory of its source, `of`, has where copying is.
    ///
    /// # Errors
    /// What the engine says.
    pub fn top(
        &self,
        tape: &mut Tape<'_, f32>,
        top: Var,
        memory: &Memory,
        (places, of): (&Places, &[u32]),
    ) -> Result<Var, EngineError> {
        let row = |(place, of): (&Option<u32>, &u32)| {
            place.map_or(NO_ROW, |place| memory.layout.row(place as usize, *of as usize) as u32)
        };
        let rows: Vec<u32> = places.iter().zip(of).map(row).collect();
        let found = tape.rows(memory.values, &rows)?;
        let found = tape.linear(found, self.behind)?;
        tape.add(top, found)
    }

    /// Where each row of [`Copying::top`] looks, [rows, steps of the memory].
    ///
    /// # Errors
    /// What the engine says.
    pub fn weights(
        &self,
        tape: &mut Tape<'_, f32>,
        (top, places): (Var, &Places),
        memory: &Memory,
        queries: &Queries,
    ) -> Result<Var, EngineError> {
        let query = tape.linear(top, self.query)?;
        let from: Vec<u32> = places.iter().map(|place| place.unwrap_or(0)).collect();
        queries.onward(tape, (query, &from), (memory.values, &memory.layout), self.bias)
    }

    /// How sure each row is not to copy, before the sigmoid: [rows, 1].
    ///
    /// # Errors
    /// What the engine says.
    pub fn gate(&self, tape: &mut Tape<'_, f32>, top: Var) -> Result<Var, EngineError> {
        tape.linear(top, self.gate)
    }
}

/// Where copying is before each token of `written` and behind the last: behind the longest run of source tokens that what is
/// written until then ends with; of equally long ones behind the next, onward from where it was. It stays where it is while
/// nothing is copied.
pub fn places(source: &[u32], written: &[u32]) -> Places {
    let mut place: Option<usize> = None;
    let mut all = vec![None];
    for end in 1..=written.len() {
        let before = written[..end].iter().rev();
        let run = |at: usize| source[..at].iter().rev().zip(before.clone()).take_while(|(s, w)| s == w).count();
        let from = place.map_or(1, |place| place + 1);
        let onward = (from..source.len()).chain(1..from.min(source.len()));
        let found = onward.map(|at| (run(at), at)).filter(|(length, _)| *length > 0);
        place = found.min_by_key(|(length, _)| std::cmp::Reverse(*length)).map(|(_, at)| at).or(place);
        all.push(place.map(|place| place as u32));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn the_longest_run_says_where_copying_is() {
        let source = [5, 1, 2, 3, 9, 2, 3, 4, 1];
        let last = |written: &[u32]| places(&source, written).last().copied().flatten();
        assert_eq!(last(&[]), None);
        assert_eq!(last(&[7]), None);
        // Of runs of one the first; a longer one says better.
        assert_eq!(last(&[3]), Some(4));
        assert_eq!(last(&[9, 2, 3]), Some(7));
        // Of equal runs the next onward: behind the second 3, and from there around to the first 2.
        assert_eq!(places(&source, &[4, 8, 3]), [None, Some(8), Some(8), Some(4)]);
        assert_eq!(places(&source, &[9, 3, 2]), [None, Some(5), Some(7), Some(3)]);
        // Nothing stands behind the end.
        assert_eq!(last(&[4, 1]), Some(2));
        assert_eq!(places(&[4], &[4]), [None, None]);
    }
}
