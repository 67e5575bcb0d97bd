//! Copying from the source. See et al. 2017, arXiv:1704.04368.
//!
//!   p(y) = g softmax(z)_y + (1 − g) Σ of the weights on source tokens that are y       g = sigmoid(w · top + b)
//!
//! The weights are of an attention of its own, from the top of the decoder to the memory, (W top) · m / √units, so that every
//! decoder copies alike; what it copies was looked for with what the decoder's own attention found. Both sides share one
//! vocabulary: a token that is copied is a class of the softmax too.

use super::decoder::Memory;
use crate::model::queries::Queries;
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Linear, Tape, Var};

/// Where to copy from, and whether.
pub struct Copying {
    query: Linear,
    gate: Linear,
}

impl Copying {
    /// For a top of `width` units and memories of `from`.
    pub fn declare(blueprint: &mut Blueprint, width: usize, from: usize) -> Copying {
        let query = blueprint.linear("copy.query", width, from);
        let weight = blueprint.parameter("copy.gate.weight", &[1, width], Init::Constant(0.0));
        let bias = blueprint.parameter("copy.gate.bias", &[1], Init::Constant(0.0));
        Copying { query, gate: Linear { weight, bias: Some(bias) } }
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
