//! A transformer's decoder: masked self-attention, attention to the memory, products; normalised before each part.
//!
//! ```text
//! target ─▶ embedding · √units ─▶ W ─▶ + positions ─▶ layers, each of which looks at the memory ─▶ norm ─▶ W
//! ```
//!
//! Vaswani et al. 2017 (arXiv:1706.03762) with the norms of Xiong et al. 2020 (arXiv:2002.04745). While a text is written, keys
//! and values of the words before are carried.

use super::decoder::{Decoded, Decoder, Memory};
use crate::error::Error;
use crate::model::queries::Queries;
use crate::model::transformer::masked::Masked;
use crate::model::transformer::{Norm, positions};
use crate::task::settings::{self, Dropout};
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Linear, Tape, Var};

/// Layers.
pub struct Transformer {
    input: Linear,
    /// To the units of the layers, where a memory has others.
    bridge: Option<Linear>,
    layers: Vec<Masked>,
    norm: Norm,
    combine: Linear,
    width: usize,
    heads: usize,
}

impl Transformer {
    /// Declares it for memories of `from` units.
    ///
    /// # Errors
    /// Heads that do not divide the units.
    pub fn declare(blueprint: &mut Blueprint, m: &settings::Model, from: usize) -> Result<Transformer, Error> {
        let (width, heads) = (m.hidden, m.heads);
        if !width.is_multiple_of(heads) {
            let message = format!("model.hidden is {width}, which {heads} heads (model.heads) do not divide");
            return Err(Error::Refused(message));
        }
        let input = blueprint.linear("decoder.input", m.embedding, width);
        let bridge = (from != width).then(|| blueprint.linear("decoder.memory", from, width));
        let layer = |l| Masked::declare(blueprint, &format!("decoder.{l}"), width, heads);
        let layers = (0..m.layers).map(layer).collect();
        let norm = Norm::declare(blueprint, "decoder.norm", width);
        let combine = blueprint.linear("combine", width, m.embedding);
        Ok(Transformer { input, bridge, layers, norm, combine, width, heads })
    }

    /// A place for each row: those of its layout, or, of single steps, the one after `before` steps.
    fn places(&self, layout: &Layout, before: Option<usize>) -> Vec<f32> {
        let Some(before) = before else { return positions(layout, self.width) };
        let all = positions(&Layout::new(vec![before + 1]), self.width);
        all[before * self.width..].repeat(layout.rows())
    }
}

/// The mean of the weights of all heads, per query.
fn over_heads(weights: &[Vec<f32>], heads: usize) -> Vec<Vec<f32>> {
    let mean = |all: &[Vec<f32>]| {
        let steps = all.first().map_or(0, Vec::len);
        (0..steps).map(|j| all.iter().map(|w| w[j]).sum::<f32>() / heads as f32).collect()
    };
    weights.chunks(heads).map(mean).collect()
}

impl Decoder for Transformer {
    /// Keys and values of no words, for each layer.
    fn begin(&self, tape: &mut Tape<'_, f32>, _: Var, _: &Layout) -> Result<Vec<Var>, EngineError> {
        (0..2 * self.layers.len()).map(|_| tape.given(vec![], 0)).collect()
    }

    /// Keys and values of the memory, for each layer.
    fn beside(&self, tape: &mut Tape<'_, f32>, values: Var) -> Result<Vec<Var>, EngineError> {
        let values = match self.bridge {
            Some(bridge) => tape.linear(values, bridge)?,
            None => values,
        };
        let mut all = vec![];
        for layer in &self.layers {
            all.extend(layer.remember(tape, values)?);
        }
        Ok(all)
    }

    fn run(
        &self,
        tape: &mut Tape<'_, f32>,
        (x, layout): (Var, &Layout),
        memory: &Memory,
        queries: &Queries,
        drop: &Dropout,
    ) -> Result<Decoded, EngineError> {
        let (before, remembered) = (memory.carried.as_chunks::<2>().0, memory.beside.as_chunks::<2>().0);
        let steps = matches!(queries, Queries::Chosen { .. });
        let had = steps.then(|| before.first().map_or(0, |[keys, _]| tape.width(*keys) / self.width));
        let x = tape.linear(x, self.input)?;
        let places = tape.given(self.places(layout, had), self.width)?;
        let x = tape.add(x, places)?;
        let mut x = tape.dropout(x, drop.between);
        let (mut carried, mut weights) = (vec![], vec![]);
        for ((layer, before), keyed) in self.layers.iter().zip(before).zip(remembered) {
            let look = (*keyed, &memory.layout, queries);
            let run = layer.run(tape, (x, layout), steps.then_some(*before), look, drop.between)?;
            (x, weights) = (run.x, run.weights);
            carried.extend(run.so_far.into_iter().flatten());
        }
        let x = self.norm.run(tape, x)?;
        let top = tape.linear(x, self.combine)?;
        let weights = over_heads(&weights, self.heads);
        Ok(Decoded { top: tape.dropout(top, drop.output), carried, weights })
    }
}
