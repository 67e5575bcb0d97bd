//! The model of `translate`: an encoder, a decoder that attends to it, and the word after each word.
//!
//! ```text
//! source ─▶ embedding ─▶ layers, both directions ─▶ memory
//!                                                      ▼
//! target so far ─▶ embedding ─▶ decoder ─▶ top ─▶ softmax over subwords, or that mixed with copying
//! ```
//!
//! One table of vectors serves both sides and the output (Press & Wolf 2017, arXiv:1608.05859). Vectors are scaled by the root
//! of their units (as in Vaswani et al. 2017) where a transformer's decoder reads them, so that positions do not drown them,
//! and where words are copied, so that at first each state says which words stand there.

use super::copying::{self, Copying, Places};
use super::decoder::{self, Decoded, Decoder, Memory};
use crate::error::Error;
use crate::model::queries::Queries;
use crate::task::encoder::Encoder;
use crate::task::settings::{Dropout, Kind, Settings};
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Linear, Mixture, NO_ROW, Parameter, Tape, Var};

/// Layers and how they start.
pub struct Model {
    /// What it is made of.
    pub blueprint: Blueprint,
    embedding: Parameter,
    /// What vectors of words are multiplied by.
    scale: Option<f64>,
    encoder: Encoder,
    decoder: Box<dyn Decoder>,
    output: Linear,
    copying: Option<Copying>,
}

/// How a loss is counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The share of each target that is spread over all subwords.
    pub smoothing: f64,
    /// What the sum over all subwords is multiplied by.
    pub scale: f64,
}

/// A decoder's run over whole targets.
struct Over {
    decoded: Decoded,
    memory: Memory,
    layout: Layout,
    /// Where copying is; nothing without it.
    places: Places,
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
        let decoder = decoder::declare(&mut blueprint, m, encoder.width)?;
        let bias = blueprint.parameter("output.bias", &[entries], Init::Constant(0.0));
        let output = Linear { weight: embedding, bias: Some(bias) };
        let copying = m.copy.then(|| Copying::declare(&mut blueprint, m.embedding, encoder.width));
        let scale = (m.decoder == Kind::Transformer || m.copy).then(|| (m.embedding as f64).sqrt());
        Ok(Model { blueprint, embedding, scale, encoder, decoder, output, copying })
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
        let carried = self.decoder.begin(tape, y, &layout)?;
        let values = tape.dropout(y, drop.between);
        let beside = self.decoder.beside(tape, values)?;
        Ok(Memory { values, beside, layout, carried })
    }

    fn embed(&self, tape: &mut Tape<'_, f32>, ids: &[u32], drop: &Dropout) -> Result<Var, EngineError> {
        let mut x = tape.embed(self.embedding, ids)?;
        if let Some(scale) = self.scale {
            x = tape.scale(x, scale);
        }
        let x = tape.dropout(x, drop.input);
        Ok(tape.drop_rows(x, drop.words))
    }

    /// Goes on from what `memory` carries by the tokens before, laid out by `layout`.
    ///
    /// # Errors
    /// What the engine says.
    pub fn decode(
        &self,
        tape: &mut Tape<'_, f32>,
        (before, layout): (&[u32], &Layout),
        memory: &Memory,
        queries: &Queries,
        drop: &Dropout,
    ) -> Result<Decoded, EngineError> {
        let x = self.embed(tape, before, drop)?;
        self.decoder.run(tape, (x, layout), memory, queries, drop)
    }

    /// The decoder over whole targets, a sequence each.
    fn over(
        &self,
        tape: &mut Tape<'_, f32>,
        sources: &[&[u32]],
        targets: &[&[u32]],
        drop: &Dropout,
    ) -> Result<Over, EngineError> {
        let memory = self.encode(tape, sources, drop)?;
        let layout = Layout::new(targets.iter().map(|t| t.len()).collect());
        // The end of the text before stands where the first word is asked for.
        let ends: Vec<u32> = targets.iter().map(|t| t[t.len() - 1]).collect();
        let before = layout.fill(NO_ROW, |t, b| if t == 0 { ends[b] } else { targets[b][t - 1] });
        let mut places = vec![];
        let mut decoded = self.decode(tape, (&before, &layout), &memory, &Queries::Own(&layout), drop)?;
        if let Some(copying) = &self.copying {
            let all: Vec<Places> = sources.iter().zip(targets).map(|(s, t)| copying::places(s, t)).collect();
            places = layout.fill(None, |t, b| all[b][t]);
            let of = layout.fill(0, |_, b| b as u32);
            decoded.top = copying.top(tape, decoded.top, &memory, (&places, &of))?;
        }
        Ok(Over { decoded, memory, layout, places })
    }

    /// For each token of a target the weights of its source's tokens, those of copying if there are any; nothing where a cell
    /// keeps them to itself. Neither side is empty.
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
        let Over { decoded, memory, layout, places } = self.over(tape, &[source], &[target], &kept)?;
        let mut weights = decoded.weights;
        if let Some(copying) = &self.copying {
            let pointed = copying.weights(tape, (decoded.top, &places), &memory, &Queries::Own(&layout))?;
            weights = tape.value(pointed).chunks_exact(tape.width(pointed)).map(<[f32]>::to_vec).collect();
        }
        let found = layout.of(0).filter_map(|row| weights.get(row));
        Ok(found.map(|row| row.iter().map(|w| f64::from(*w)).collect()).collect())
    }

    /// Of whole targets, scale · Σ −ln p of all tokens.
    ///
    /// # Errors
    /// What the engine says.
    pub fn loss(
        &self,
        tape: &mut Tape<'_, f32>,
        sources: &[&[u32]],
        targets: &[&[u32]],
        drop: &Dropout,
        Counted { smoothing, scale }: Counted,
    ) -> Result<Var, EngineError> {
        let Over { decoded, memory, layout, places } = self.over(tape, sources, targets, drop)?;
        // Padding is left out before the widest product.
        let all = layout.fill(NO_ROW, |t, b| targets[b][t]);
        let valid: Vec<u32> = (0..all.len() as u32).filter(|r| all[*r as usize] != NO_ROW).collect();
        let wanted: Vec<u32> = valid.iter().map(|r| all[*r as usize]).collect();
        let top = tape.rows(decoded.top, &valid)?;
        let logits = tape.linear(top, self.output)?;
        let Some(copying) = &self.copying else { return tape.cross_entropy(logits, &wanted, smoothing, scale) };
        let weights = copying.weights(tape, (decoded.top, &places), &memory, &Queries::Own(&layout))?;
        let weights = tape.rows(weights, &valid)?;
        let gate = copying.gate(tape, top)?;
        let of: Vec<u32> = valid.iter().map(|r| r % layout.sequences() as u32).collect();
        tape.copying_loss(&Mixture { logits, gate, weights, sources, of: &of }, &wanted, smoothing, scale)
    }

    /// ln p of every token after each row of a step, [rows, entries]; `of` is the source of each row, and `written` what it has
    /// written.
    ///
    /// # Errors
    /// What the engine says.
    pub fn log_probabilities(
        &self,
        tape: &mut Tape<'_, f32>,
        top: Var,
        memory: &Memory,
        queries: &Queries,
        (sources, of): (&[&[u32]], &[u32]),
        written: &[&[u32]],
    ) -> Result<Vec<f32>, EngineError> {
        let Some(copying) = &self.copying else {
            let logits = tape.linear(top, self.output)?;
            let mut scores = tape.value(logits).to_vec();
            scores.chunks_exact_mut(tape.width(logits)).for_each(log_softmax);
            return Ok(scores);
        };
        let place = |(of, written): (&u32, &&[u32])| *copying::places(sources[*of as usize], written).last()?;
        let places: Places = of.iter().zip(written).map(place).collect();
        let top = copying.top(tape, top, memory, (&places, of))?;
        let logits = tape.linear(top, self.output)?;
        let weights = copying.weights(tape, (top, &places), memory, queries)?;
        let gate = copying.gate(tape, top)?;
        tape.copying_log_probabilities(&Mixture { logits, gate, weights, sources, of })
    }
}

/// z ← log softmax(z)
fn log_softmax(row: &mut [f32]) {
    let largest = row.iter().fold(f32::NEG_INFINITY, |m, z| m.max(*z));
    let sum: f64 = row.iter().map(|z| f64::from((z - largest).exp())).sum();
    let less = largest + sum.ln() as f32;
    row.iter_mut().for_each(|z| *z -= less);
}
