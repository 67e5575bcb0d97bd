//! The model of `translate`: an encoder, a decoder that attends to it, and the word after each word.
//!
//! ```text
//! source ─▶ embedding ─▶ layers, both directions ─▶ memory ──────────┐
//!                                 └─ mean ─▶ first states            ▼
//! target ─▶ embedding ─▶ layers ──────────────▶ query ─▶ attention: a ─▶ layer over [h; a] ─▶ tanh(W [h′; a]) ─▶ softmax
//! ```
//!
//! Attention is Luong et al. 2015 (arXiv:1508.04025, `general`). The layer above it reads what was attended to, and so
//! remembers it for the words after, as the conditional unit of Sennrich et al. 2017 (arXiv:1703.04357) and the layers of
//! Wu et al. 2016 (arXiv:1609.08144) do; all layers run over a whole target at once. One table of vectors serves both
//! sides and the output (Press & Wolf 2017, arXiv:1608.05859).

use crate::cells;
use crate::error::Error;
use crate::task::encoder::Encoder;
use crate::task::settings::{Dropout, Settings};
use elman_cell::cell::Init;
use elman_engine::tape::{Blueprint, Layer, Layout, Linear, NO_ROW, Parameter, Pool, Tape, Var};
use elman_engine::{EngineError, Spec};
use std::sync::Arc;

/// Layers and how they start.
pub struct Model {
    /// What it is made of.
    pub blueprint: Blueprint,
    embedding: Parameter,
    encoder: Encoder,
    /// Below the attention, then the one above it.
    layers: Vec<Layer>,
    /// Per layer, per state: from the mean of the memory.
    starts: Vec<Vec<Linear>>,
    query: Linear,
    combine: Linear,
    output: Linear,
}

/// What the encoder gives of some sources.
pub struct Memory {
    /// [rows of the layout, units].
    pub values: Var,
    /// How its rows are steps.
    pub layout: Layout,
    /// Per layer, per state of it: [sources, units].
    pub states: Vec<Vec<Var>>,
}

/// What the decoder gives.
pub struct Decoded {
    /// [rows, embedding]: what the output is computed from.
    pub top: Var,
    /// Per layer, per state of it: [sequences, units], after the last step.
    pub states: Vec<Vec<Var>>,
    /// Per row of the queries: a weight for each step of its source.
    pub weights: Vec<Vec<f32>>,
}

/// How rows of the decoder are queries: as they stand, or chosen into another layout and chosen back.
pub enum Queries<'l> {
    /// The decoder's own layout, a sequence for each source.
    Own,
    /// Several sequences a source: the row of each query ([`NO_ROW`] for none), and the query of each row.
    Chosen {
        /// Sequences are sources, steps are beams.
        layout: &'l Layout,
        /// For each row of that layout.
        from: &'l [u32],
        /// For each row of the decoder.
        back: &'l [u32],
    },
}

impl Model {
    /// For `entries` subwords.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn new(settings: &Settings, entries: usize) -> Result<Model, Error> {
        let m = &settings.model;
        let mut blueprint = Blueprint::new();
        let spread = Init::Normal(1.0 / (m.embedding as f64).sqrt());
        let embedding = blueprint.parameter("embedding", &[entries, m.embedding], spread);
        let encoder = Encoder::declare(&mut blueprint, "encoder", m.embedding, settings)?;
        let cell = Arc::new(cells::find(&m.cell)?);
        let (mut layers, mut starts, mut width) = (vec![], vec![], m.embedding);
        for l in 0..=m.layers {
            let input = if l == m.layers { width + encoder.width } else { width };
            let layer = blueprint.recurrent(&format!("decoder.{l}"), Spec::new(cell.clone(), input, m.hidden))?;
            width = blueprint.network(layer).output_size();
            let states: Vec<usize> = blueprint.network(layer).states().iter().map(|t| t.count()).collect();
            let start = |(k, units)| blueprint.linear(&format!("start.{l}.{k}"), encoder.width, units);
            starts.push(states.into_iter().enumerate().map(start).collect());
            layers.push(layer);
        }
        let query = blueprint.linear("query", width, encoder.width);
        let combine = blueprint.linear("combine", width + encoder.width, m.embedding);
        let bias = blueprint.parameter("output.bias", &[entries], Init::Constant(0.0));
        let output = Linear { weight: embedding, bias: Some(bias) };
        Ok(Model { blueprint, embedding, encoder, layers, starts, query, combine, output })
    }

    /// Encodes sources, none of them empty.
    ///
    /// # Errors
    /// What the engine says.
    pub fn encode(&self, tape: &mut Tape<'_, f32>, sources: &[&[u32]], drop: &Dropout) -> Result<Memory, EngineError> {
        let layout = Layout::new(sources.iter().map(|s| s.len()).collect());
        let ids = layout.fill(NO_ROW, |t, b| sources[b][t]);
        let x = self.embed(tape, &ids, drop)?;
        let y = self.encoder.run(tape, x, &layout, drop.between)?.y;
        let mean = tape.pool(y, &layout, Pool::Mean)?;
        let mut states = vec![];
        for layer in &self.starts {
            let mut own = vec![];
            for start in layer {
                let z = tape.linear(mean, *start)?;
                own.push(tape.tanh(z));
            }
            states.push(own);
        }
        let values = tape.dropout(y, drop.between);
        Ok(Memory { values, layout, states })
    }

    fn embed(&self, tape: &mut Tape<'_, f32>, ids: &[u32], drop: &Dropout) -> Result<Var, EngineError> {
        let x = tape.embed(self.embedding, ids)?;
        let x = tape.dropout(x, drop.input);
        Ok(tape.drop_rows(x, drop.words))
    }

    /// Goes on from `states` by the tokens before, laid out by `layout`.
    ///
    /// # Errors
    /// What the engine says.
    pub fn decode(
        &self,
        tape: &mut Tape<'_, f32>,
        (before, layout): (&[u32], &Layout),
        (memory, of): (Var, &Layout),
        states: &[Vec<Var>],
        queries: &Queries,
        drop: &Dropout,
    ) -> Result<Decoded, EngineError> {
        let mut h = self.embed(tape, before, drop)?;
        let mut after = vec![];
        let above = self.layers.len() - 1;
        for (l, layer) in self.layers[..above].iter().enumerate() {
            let run = tape.recurrent(*layer, h, layout, &states[l])?;
            h = tape.dropout(run.y, drop.between);
            after.push(run.states);
        }
        let query = tape.linear(h, self.query)?;
        let scale = 1.0 / (tape.width(query) as f64).sqrt();
        let (attended, weights) = match queries {
            Queries::Own => {
                let found = tape.attention((query, layout), (memory, memory, of), 1, scale, false)?;
                (found.mixed, found.weights)
            }
            Queries::Chosen { layout, from, back } => {
                let query = tape.rows(query, from)?;
                let found = tape.attention((query, layout), (memory, memory, of), 1, scale, false)?;
                (tape.rows(found.mixed, back)?, found.weights)
            }
        };
        let x = tape.concat(&[h, attended])?;
        let run = tape.recurrent(self.layers[above], x, layout, &states[above])?;
        after.push(run.states);
        let both = tape.concat(&[run.y, attended])?;
        let z = tape.linear(both, self.combine)?;
        let top = tape.tanh(z);
        Ok(Decoded { top: tape.dropout(top, drop.output), states: after, weights })
    }

    /// A number for each subword.
    ///
    /// # Errors
    /// What the engine says.
    pub fn logits(&self, tape: &mut Tape<'_, f32>, top: Var) -> Result<Var, EngineError> {
        tape.linear(top, self.output)
    }

    /// The decoder over whole targets; its layout, and the token before each row.
    fn over(
        &self,
        tape: &mut Tape<'_, f32>,
        sources: &[&[u32]],
        targets: &[&[u32]],
        drop: &Dropout,
    ) -> Result<(Decoded, Vec<u32>, Layout), EngineError> {
        let memory = self.encode(tape, sources, drop)?;
        let layout = Layout::new(targets.iter().map(|t| t.len()).collect());
        // The end of the text before stands where the first word is asked for.
        let ends: Vec<u32> = targets.iter().map(|t| t[t.len() - 1]).collect();
        let before = layout.fill(NO_ROW, |t, b| if t == 0 { ends[b] } else { targets[b][t - 1] });
        let of = (memory.values, &memory.layout);
        let decoded = self.decode(tape, (&before, &layout), of, &memory.states, &Queries::Own, drop)?;
        Ok((decoded, before, layout))
    }

    /// For each token of a target the weights of its source's tokens; neither side is empty.
    ///
    /// # Errors
    /// What the engine says.
    pub fn looked_at(
        &self,
        tape: &mut Tape<'_, f32>,
        source: &[u32],
        target: &[u32],
    ) -> Result<Vec<Vec<f64>>, EngineError> {
        let kept = Dropout { input: 0.0, between: 0.0, output: 0.0, words: 0.0 };
        let (decoded, _, layout) = self.over(tape, &[source], &[target], &kept)?;
        Ok(layout.of(0).map(|row| decoded.weights[row].iter().map(|w| f64::from(*w)).collect()).collect())
    }

    /// The decoder over whole targets: logits of the rows that count, and what they should have said.
    ///
    /// # Errors
    /// What the engine says.
    pub fn taught(
        &self,
        tape: &mut Tape<'_, f32>,
        sources: &[&[u32]],
        targets: &[&[u32]],
        drop: &Dropout,
    ) -> Result<(Var, Vec<u32>), EngineError> {
        let (decoded, before, layout) = self.over(tape, sources, targets, drop)?;
        // Padding is left out before the widest product.
        let valid: Vec<u32> = (0..before.len() as u32).filter(|r| before[*r as usize] != NO_ROW).collect();
        let all = layout.fill(NO_ROW, |t, b| targets[b][t]);
        let wanted = valid.iter().map(|r| all[*r as usize]).collect();
        let top = tape.rows(decoded.top, &valid)?;
        Ok((self.logits(tape, top)?, wanted))
    }
}
