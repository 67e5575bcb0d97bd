//! What a decoder is: it goes on from what it carries, looks at a memory, and gives what the output is computed from.
//!
//! Three are written: [`super::attending`] (the default), [`super::feeding`], whose cell attends, and [`super::transformer`].

use super::attending::Attending;
use super::feeding::Feeding;
use super::transformer::Transformer;
use crate::error::Error;
use crate::model::queries::Queries;
use crate::task::settings::{Attention, Dropout, Kind, Model};
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layer, Layout, Linear, Pool, Tape, Var};

/// What the encoder gives of some sources, and how a decoder begins.
pub struct Memory {
    /// [rows of the layout, units].
    pub values: Var,
    /// What the decoder makes of them once, a row for each of theirs.
    pub beside: Vec<Var>,
    /// How their rows are steps.
    pub layout: Layout,
    /// What the decoder goes on from, a row for each of its sequences.
    pub carried: Vec<Var>,
}

/// What a decoder gives.
pub struct Decoded {
    /// [rows, embedding]: what the output is computed from.
    pub top: Var,
    /// What it goes on from, after the last step.
    pub carried: Vec<Var>,
    /// Per query: a weight for each step of its source; nothing where a cell keeps them to itself.
    pub weights: Vec<Vec<f32>>,
}

/// The words before → what the next word is computed from.
pub trait Decoder {
    /// What it carries before the first word, from the encoder's outputs `y`.
    ///
    /// # Errors
    /// What the engine says.
    fn begin(&self, tape: &mut Tape<'_, f32>, y: Var, of: &Layout) -> Result<Vec<Var>, EngineError>;

    /// What it makes of a memory once.
    ///
    /// # Errors
    /// What the engine says.
    fn beside(&self, tape: &mut Tape<'_, f32>, values: Var) -> Result<Vec<Var>, EngineError>;

    /// Goes on over `x`, vectors of the words before, laid out by `layout`; chosen queries are of one step each.
    ///
    /// # Errors
    /// What the engine says.
    fn run(
        &self,
        tape: &mut Tape<'_, f32>,
        x: (Var, &Layout),
        memory: &Memory,
        queries: &Queries,
        drop: &Dropout,
    ) -> Result<Decoded, EngineError>;
}

/// Refuses settings that do not go together.
///
/// # Errors
/// The first such pair, and what to leave out.
pub fn check(m: &Model) -> Result<(), Error> {
    let refuse = |message: &str| Err(Error::Refused(message.into()));
    let feeds = m.input_feeding || m.decoder_cell.is_some();
    match m.decoder {
        Kind::Transformer if feeds => refuse(
            "model.input_feeding and model.decoder_cell are of a recurrent decoder: leave out --decoder transformer",
        ),
        Kind::Transformer if m.attention != Attention::Scaled => {
            refuse("model.attention is of a recurrent decoder, a transformer's is scaled: leave out --attention")
        }
        Kind::Recurrent if m.decoder_cell.is_some() && m.attention != Attention::Scaled => {
            refuse("model.decoder_cell says in its equations how it attends: leave out --attention")
        }
        _ => Ok(()),
    }
}

/// Declares the decoder of the settings for memories of `from` units.
///
/// # Errors
/// A cell that cannot be used, heads that do not divide the units.
pub fn declare(blueprint: &mut Blueprint, m: &Model, from: usize) -> Result<Box<dyn Decoder>, Error> {
    Ok(match m.decoder {
        Kind::Transformer => Box::new(Transformer::declare(blueprint, m, from)?),
        Kind::Recurrent if m.input_feeding || m.decoder_cell.is_some() => {
            Box::new(Feeding::declare(blueprint, m, from)?)
        }
        Kind::Recurrent => Box::new(Attending::declare(blueprint, m, from)?),
    })
}

/// Recurrent layers, and how their states begin: each from the mean of the memory.
#[derive(Default)]
pub struct Stack {
    layers: Vec<(Layer, Vec<Linear>)>,
}

impl Stack {
    /// Adds a layer of a blueprint; its output's units.
    pub fn push(&mut self, blueprint: &mut Blueprint, layer: Layer, from: usize) -> usize {
        let (l, network) = (self.layers.len(), blueprint.network(layer));
        let width = network.output_size();
        let states: Vec<usize> = network.states().iter().map(|t| t.count()).collect();
        let start = |(k, units)| blueprint.linear(&format!("start.{l}.{k}"), from, units);
        self.layers.push((layer, states.into_iter().enumerate().map(start).collect()));
        width
    }

    /// The first states of all layers.
    ///
    /// # Errors
    /// What the engine says.
    pub fn begin(&self, tape: &mut Tape<'_, f32>, y: Var, of: &Layout) -> Result<Vec<Var>, EngineError> {
        let mean = tape.pool(y, of, Pool::Mean)?;
        let mut states = vec![];
        for start in self.layers.iter().flat_map(|(_, starts)| starts) {
            let z = tape.linear(mean, *start)?;
            states.push(tape.tanh(z));
        }
        Ok(states)
    }

    /// Each layer with its own of `carried`.
    pub fn each<'s>(&'s self, carried: &'s [Var]) -> impl Iterator<Item = (Layer, &'s [Var])> {
        let mut first = 0;
        self.layers.iter().map(move |(layer, starts)| {
            let own = &carried[first..first + starts.len()];
            first += starts.len();
            (*layer, own)
        })
    }
}
