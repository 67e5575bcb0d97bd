//! One network of `classify`; several answer together (Lakshminarayanan et al. 2017, arXiv:1612.01474).

use super::data::Input;
use super::model::Front;
use super::steps::Steps;
use crate::error::Error;
use crate::task::encoder::{Encoder, Pooling};
use crate::task::settings::{Dropout, Settings, UnitName};
use crate::task::words::{Spelled, WordLayer};
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Linear, NO_ROW, Parameter, Tape, Var};

/// What reads inputs, layers, and what their steps become.
pub(super) struct Member {
    reader: Reader,
    encoder: Encoder,
    pooling: Pooling,
    /// The state at the word that the columns of a text share goes beside what is pooled.
    meets: bool,
    output: Linear,
    /// To the labels that are learned beside (Caruana 1997, Multitask learning).
    also: Option<Linear>,
    /// The table that n-grams are hashed into, [rows, labels].
    ngrams: Option<Parameter>,
}

/// What a member says.
pub(super) struct Votes {
    /// A number for each label, [inputs, labels].
    pub label: Var,
    /// The same for the labels that are learned beside, while training.
    pub also: Option<Var>,
}

enum Reader {
    Words(WordLayer),
    /// Numbers a step.
    Numbers(usize),
}

impl Member {
    /// The `k`th of all. The names of the first one's parameters say nothing of others.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn declare(
        blueprint: &mut Blueprint,
        k: usize,
        front: &Front,
        settings: &Settings,
        [labels, others]: [usize; 2],
        steps: &Steps,
    ) -> Result<Member, Error> {
        let m = &settings.model;
        let side = if k == 0 { String::new() } else { format!("{}.", k + 1) };
        let (reader, width, rows) = match front {
            Front::Words(spelling) => {
                let mut own = settings.clone();
                if settings.data.unit == UnitName::Char {
                    own.model.characters = 0;
                }
                let layer = WordLayer::declare_of(&side, blueprint, spelling, &own)?;
                let width = layer.width;
                (Reader::Words(layer), width, m.ngrams)
            }
            Front::Numbers(numbers) => (Reader::Numbers(numbers.width), numbers.width, 0),
        };
        let ngrams =
            (rows > 0).then(|| blueprint.parameter(&format!("{side}ngrams"), &[rows, labels], Init::Constant(0.0)));
        let encoder = Encoder::declare(blueprint, &format!("{side}encoder"), width, settings)?;
        let pooling = Pooling::declare(blueprint, &format!("{side}pool"), encoder.width, steps.pool, steps.places);
        let meets = matches!(front, Front::Words(spelling) if spelling.columns() > 1);
        let pooled = pooling.width + if meets { encoder.width } else { 0 };
        let output = blueprint.linear(&format!("{side}output"), pooled, labels);
        let also = (others > 0).then(|| blueprint.linear(&format!("{side}also"), pooled, others));
        Ok(Member { reader, encoder, pooling, meets, output, also, ngrams })
    }

    /// What it says of some inputs.
    ///
    /// # Errors
    /// What the engine says.
    pub fn votes(&self, tape: &mut Tape<'_, f32>, inputs: &[&Input], dropout: &Dropout) -> Result<Votes, EngineError> {
        let layout = Layout::new(inputs.iter().map(|i| i.len().max(1)).collect());
        let x = match &self.reader {
            Reader::Words(layer) => {
                let x = layer.vectors(tape, &texts(inputs)?, &layout, dropout.words)?;
                tape.dropout(x, dropout.input)
            }
            Reader::Numbers(width) => tape.given(numbers(inputs, &layout, *width)?, *width)?,
        };
        let encoded = self.encoder.run(tape, x, &layout, dropout.between)?;
        let mut pooled = self.pooling.run(tape, encoded.y, &layout)?;
        if self.meets {
            let row = |(b, text): (usize, &&Spelled)| text.meeting().map_or(NO_ROW, |t| layout.row(t, b) as u32);
            let rows: Vec<u32> = texts(inputs)?.iter().enumerate().map(row).collect();
            let there = tape.rows(encoded.y, &rows)?;
            pooled = tape.concat(&[pooled, there])?;
        }
        let pooled = tape.dropout(pooled, dropout.output);
        let deep = tape.linear(pooled, self.output)?;
        let also = match self.also {
            Some(layer) if tape.trains() => Some(tape.linear(pooled, layer)?),
            _ => None,
        };
        let Some(table) = self.ngrams else { return Ok(Votes { label: deep, also }) };
        let bags = inputs.iter().map(|input| match input {
            Input::Words { ngrams, .. } => {
                let weight = 1.0 / (ngrams.len().max(1) as f32).sqrt();
                ngrams.iter().map(|row| (*row, weight)).collect()
            }
            Input::Numbers { .. } => vec![],
        });
        let wide = tape.bags(table, bags.collect())?;
        Ok(Votes { label: tape.add(deep, wide)?, also })
    }
}

fn texts<'i>(inputs: &[&'i Input]) -> Result<Vec<&'i Spelled>, EngineError> {
    let text = |input: &&'i Input| match input {
        Input::Words { spelled, .. } => Ok(spelled),
        Input::Numbers { .. } => Err(EngineError::Unsupported("the model reads words, not numbers".into())),
    };
    inputs.iter().map(text).collect()
}

/// [rows of the layout, width]
fn numbers(inputs: &[&Input], layout: &Layout, width: usize) -> Result<Vec<f32>, EngineError> {
    let mut x = vec![0.0; layout.rows() * width];
    for (b, input) in inputs.iter().enumerate() {
        let Input::Numbers { values, .. } = input else {
            return Err(EngineError::Unsupported("the model reads numbers, not words".into()));
        };
        for (row, from) in layout.of(b).zip(values.chunks_exact(width)) {
            x[row * width..][..width].copy_from_slice(from);
        }
    }
    Ok(x)
}
