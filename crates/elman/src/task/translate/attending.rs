//! A recurrent decoder that attends between its layers, the default.
//!
//! ```text
//! target ─▶ embedding ─▶ layers: h ─▶ query ─▶ attention: a ─▶ layer over [h; a] ─▶ tanh(W [h′; a])
//! ```
//!
//! Attention is Luong et al. 2015 (arXiv:1508.04025, `general`: (W h) · m), `scaled` by one over the root of the memory's units
//! or, `dot`, not; or that of Bahdanau et al. 2015 (arXiv:1409.0473, `additive`: v · tanh(W h + U m)). The layer above it reads
//! what was attended to, and so remembers it for the words after, as the conditional unit of Sennrich et al. 2017
//! (arXiv:1703.04357) and the layers of Wu et al. 2016 (arXiv:1609.08144) do; all layers run over a whole target at once.

use super::decoder::{Decoded, Decoder, Memory, Stack};
use crate::cells;
use crate::error::Error;
use crate::model::queries::{Likeness, Queries};
use crate::task::settings::{self, Dropout};
use elman_cell::cell::Init;
use elman_engine::tape::{Blueprint, Layout, Linear, Tape, Var};
use elman_engine::{EngineError, Spec};
use std::sync::Arc;

/// Layers below the attention, then the one above it.
pub struct Attending {
    stack: Stack,
    below: usize,
    query: Linear,
    likeness: Likeness,
    /// U, where the attention is additive.
    keys: Option<Linear>,
    combine: Linear,
}

impl Attending {
    /// Declares it for memories of `from` units.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn declare(blueprint: &mut Blueprint, m: &settings::Model, from: usize) -> Result<Attending, Error> {
        let cell = Arc::new(cells::find(&m.cell)?);
        let (mut stack, mut width) = (Stack::default(), m.embedding);
        for l in 0..=m.layers {
            let input = if l == m.layers { width + from } else { width };
            let layer = blueprint.recurrent(&format!("decoder.{l}"), Spec::new(cell.clone(), input, m.hidden))?;
            width = stack.push(blueprint, layer, from);
        }
        let adds = m.attention == settings::Attention::Additive;
        let units = if adds { m.hidden } else { from };
        let query = blueprint.linear("query", width, units);
        let combine = blueprint.linear("combine", width + from, m.embedding);
        let keys = adds.then(|| blueprint.linear("keys", from, units));
        let likeness = match m.attention {
            settings::Attention::Scaled => Likeness::Products { heads: 1, scale: 1.0 / (units as f64).sqrt() },
            settings::Attention::Dot => Likeness::Products { heads: 1, scale: 1.0 },
            settings::Attention::Additive => {
                let spread = Init::Normal(1.0 / (units as f64).sqrt());
                Likeness::Layer(blueprint.parameter("likeness", &[units], spread))
            }
        };
        Ok(Attending { stack, below: m.layers, query, likeness, keys, combine })
    }
}

impl Decoder for Attending {
    fn begin(&self, tape: &mut Tape<'_, f32>, y: Var, of: &Layout) -> Result<Vec<Var>, EngineError> {
        self.stack.begin(tape, y, of)
    }

    fn beside(&self, tape: &mut Tape<'_, f32>, values: Var) -> Result<Vec<Var>, EngineError> {
        self.keys.into_iter().map(|keys| tape.linear(values, keys)).collect()
    }

    fn run(
        &self,
        tape: &mut Tape<'_, f32>,
        (x, layout): (Var, &Layout),
        memory: &Memory,
        queries: &Queries,
        drop: &Dropout,
    ) -> Result<Decoded, EngineError> {
        let (mut h, mut carried, mut weights) = (x, vec![], vec![]);
        let mut attended = None;
        for (l, (layer, states)) in self.stack.each(&memory.carried).enumerate() {
            if l == self.below {
                let query = tape.linear(h, self.query)?;
                let keys = memory.beside.first().copied().unwrap_or(memory.values);
                let found = queries.attend(tape, query, (keys, memory.values, &memory.layout), self.likeness)?;
                (attended, weights) = (Some(found.mixed), found.weights);
                h = tape.concat(&[h, found.mixed])?;
            }
            let run = tape.recurrent(layer, h, layout, states)?;
            h = if l == self.below { run.y } else { tape.dropout(run.y, drop.between) };
            carried.extend(run.states);
        }
        let both: Vec<Var> = [h].into_iter().chain(attended).collect();
        let both = tape.concat(&both)?;
        let z = tape.linear(both, self.combine)?;
        let top = tape.tanh(z);
        Ok(Decoded { top: tape.dropout(top, drop.output), carried, weights })
    }
}
