//! Layers over sequences of vectors: of a cell in one or both directions, or a transformer's.

use super::settings::{Kind, Model, PoolName, Settings};
use crate::cells;
use crate::error::Error;
use crate::model::transformer::{Block, Norm, positions};
use elman_cell::cell::Init;
use elman_engine::tape::{Blueprint, Layer, Layout, Linear, NO_ROW, Parameter, Pool, Tape, Var};
use elman_engine::{EngineError, Merge, Spec};
use std::sync::Arc;

/// Layers.
#[derive(Clone, Debug)]
pub struct Encoder {
    layers: Layers,
    /// Units of its output.
    pub width: usize,
}

#[derive(Clone, Debug)]
enum Layers {
    Recurrent(Vec<Layer>),
    Transformer { input: Linear, blocks: Vec<Block>, norm: Norm },
}

/// What an encoder gives.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// [rows of the layout, width].
    pub y: Var,
    /// The last states of the last layer, in the order of its network; none of a transformer.
    pub states: Vec<Var>,
}

impl Encoder {
    /// Declares its layers as the settings say, named `NAME.…`.
    ///
    /// # Errors
    /// A cell that cannot be used, heads that do not divide the units.
    pub fn declare(blueprint: &mut Blueprint, name: &str, input: usize, settings: &Settings) -> Result<Encoder, Error> {
        let m = &settings.model;
        match m.kind {
            Kind::Recurrent => Encoder::recurrent(blueprint, name, input, m),
            Kind::Transformer => {
                if !m.hidden.is_multiple_of(m.heads) {
                    let (hidden, heads) = (m.hidden, m.heads);
                    let message = format!("model.hidden is {hidden}, which {heads} heads (model.heads) do not divide");
                    return Err(Error::Refused(message));
                }
                let linear = blueprint.linear(&format!("{name}.input"), input, m.hidden);
                let block = |l| Block::declare(blueprint, &format!("{name}.{l}"), m.hidden, m.heads);
                let blocks = (0..m.layers).map(block).collect();
                let norm = Norm::declare(blueprint, &format!("{name}.norm"), m.hidden);
                Ok(Encoder { layers: Layers::Transformer { input: linear, blocks, norm }, width: m.hidden })
            }
        }
    }

    fn recurrent(blueprint: &mut Blueprint, name: &str, input: usize, m: &Model) -> Result<Encoder, Error> {
        let cell = Arc::new(cells::find(&m.cell)?);
        let (mut layers, mut width) = (vec![], input);
        for l in 0..m.layers {
            let spec = Spec {
                bidirectional: m.bidirectional,
                merge: Merge::Concat,
                ..Spec::new(cell.clone(), width, m.hidden)
            };
            let layer = blueprint.recurrent(&format!("{name}.{l}"), spec)?;
            width = blueprint.network(layer).output_size();
            layers.push(layer);
        }
        Ok(Encoder { layers: Layers::Recurrent(layers), width })
    }

    /// Runs over `x`, [rows of the layout, input].
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn run(&self, tape: &mut Tape<'_, f32>, x: Var, layout: &Layout, drop: f64) -> Result<Encoded, EngineError> {
        match &self.layers {
            Layers::Recurrent(layers) => {
                let (mut y, mut states) = (x, vec![]);
                for (l, layer) in layers.iter().enumerate() {
                    if l > 0 {
                        y = tape.dropout(y, drop);
                    }
                    let run = tape.recurrent(*layer, y, layout, &[])?;
                    (y, states) = (run.y, run.states);
                }
                Ok(Encoded { y, states })
            }
            Layers::Transformer { input, blocks, norm } => {
                let x = tape.linear(x, *input)?;
                let places = tape.given(positions(layout, self.width), self.width)?;
                let mut y = tape.add(x, places)?;
                y = tape.dropout(y, drop);
                for block in blocks {
                    y = block.run(tape, y, layout, false, drop)?;
                }
                Ok(Encoded { y: norm.run(tape, y)?, states: vec![] })
            }
        }
    }
}

/// From all steps to one row.
#[derive(Clone, Debug)]
pub struct Pooling {
    how: PoolName,
    query: Option<Parameter>,
    places: usize,
    /// Units of the row.
    pub width: usize,
}

impl Pooling {
    /// Declares it for rows of `width`; only `places` asks how many steps count.
    pub fn declare(blueprint: &mut Blueprint, name: &str, width: usize, how: PoolName, places: usize) -> Pooling {
        let attends = how == PoolName::Attention;
        let query = attends.then(|| blueprint.parameter(&format!("{name}.query"), &[1, width], Init::Normal(0.1)));
        let row = match how {
            PoolName::Attention => width,
            PoolName::Places => places * width,
            PoolName::Auto | PoolName::Max | PoolName::Last => 2 * width,
        };
        Pooling { how, query, places, width: row }
    }

    /// One row a sequence.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn run(&self, tape: &mut Tape<'_, f32>, x: Var, layout: &Layout) -> Result<Var, EngineError> {
        match (self.how, self.query) {
            (PoolName::Attention, Some(query)) => {
                let query = tape.embed(query, &vec![0; layout.sequences()])?;
                let one = Layout::new(vec![1; layout.sequences()]);
                let scale = 1.0 / (tape.width(x) as f64).sqrt();
                Ok(tape.attention((query, &one), (x, x, layout), 1, scale, false)?.mixed)
            }
            (PoolName::Places, _) => {
                // Each sequence's steps one after the other; where there is none, zeros.
                let row = |b, t| if t < layout.lengths[b] { layout.row(t, b) as u32 } else { NO_ROW };
                let places: Vec<u32> =
                    (0..layout.sequences()).flat_map(|b| (0..self.places).map(move |t| row(b, t))).collect();
                let side_by_side = tape.rows(x, &places)?;
                tape.reshape(side_by_side, self.width)
            }
            (PoolName::Last, _) => {
                let last = tape.rows(x, &layout.last())?;
                let first: Vec<u32> = (0..layout.sequences() as u32).collect();
                let first = tape.rows(x, &first)?;
                tape.concat(&[last, first])
            }
            _ => {
                let most = tape.pool(x, layout, Pool::Max)?;
                let mean = tape.pool(x, layout, Pool::Mean)?;
                tape.concat(&[most, mean])
            }
        }
    }
}
