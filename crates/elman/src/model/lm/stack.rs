//! What stands between embedding and head, with its numbers: recurrent layers or those of a transformer.

use super::super::dropout::Draw;
use super::layers::{Layers, State};
use super::spec::{Body, LmSpec, Sketch};
use super::transformer::Transformer;
use elman_engine::{EngineError, Options, Real, Team};

pub(super) enum Stack<T: Real> {
    Recurrent { layers: Box<Layers<T>>, zoneout: f64, team: Team },
    Transformer(Box<Transformer<T>>),
}

/// Steps and columns, and the valid steps of each column.
pub(super) type Shape<'a> = ([usize; 2], Option<&'a [usize]>);

impl<T: Real> Stack<T> {
    /// `index`: per layer its parameters among the model's `weights`. The threads run all of the model.
    pub fn new(
        spec: &LmSpec,
        sketch: Sketch,
        index: Vec<Vec<usize>>,
        weights: &[Vec<T>],
        options: &Options,
    ) -> Result<Stack<T>, EngineError> {
        let team = Team::new(options.threads.max(1)).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
        Ok(match sketch {
            Sketch::Recurrent(networks) => {
                let zoneout = if let Body::Recurrent { zoneout, .. } = spec.body { zoneout } else { 0.0 };
                let layers = Box::new(Layers::new(networks, index, weights, options)?);
                Stack::Recurrent { layers, zoneout, team }
            }
            Sketch::Transformer(design) => {
                Stack::Transformer(Box::new(Transformer::new(*design, index.concat(), weights, options.isa, team)?))
            }
        })
    }

    /// The threads of the model.
    pub fn team(&self) -> &Team {
        match self {
            Stack::Recurrent { team, .. } => team,
            Stack::Transformer(transformer) => transformer.team(),
        }
    }

    /// Per layer, per state of the cell: its units; none of a transformer, whose windows of training stand alone.
    pub fn state_units(&self) -> Vec<Vec<usize>> {
        match self {
            Stack::Recurrent { layers, .. } => layers.state_units(),
            Stack::Transformer(_) => vec![],
        }
    }

    pub fn forget_packed(&mut self) {
        match self {
            Stack::Recurrent { layers, .. } => layers.forget_packed(),
            Stack::Transformer(transformer) => transformer.forget_packed(),
        }
    }

    /// Takes the weights that this window needs.
    pub fn pack(&mut self, weights: &[Vec<T>], draw: Option<&Draw>) -> Result<(), EngineError> {
        match self {
            Stack::Recurrent { layers, team, .. } => layers.pack(team, weights, draw),
            Stack::Transformer(transformer) => {
                transformer.pack(weights);
                Ok(())
            }
        }
    }

    /// The last layer's output for `x`, [steps · columns, units], to be handed back.
    pub fn forward(
        &mut self,
        shape: Shape,
        x: &[T],
        state: &mut State<T>,
        draw: Option<&Draw>,
    ) -> Result<Vec<T>, EngineError> {
        match self {
            Stack::Recurrent { layers, zoneout, team } => layers.forward(team, shape, x, state, *zoneout, draw),
            Stack::Transformer(transformer) => transformer.forward(shape, x, state, draw),
        }
    }

    /// Takes memory back that [`Stack::forward`] handed out.
    pub fn give_back(&mut self, y: Vec<T>) {
        if let Stack::Recurrent { layers, .. } = self {
            layers.give_back(y);
        }
    }

    /// `dy` is the gradient by the output of the last pass, whose input was `x`, and becomes that by its input.
    pub fn backward(
        &mut self,
        shape: Shape,
        x: &[T],
        dy: &mut Vec<T>,
        draw: &Draw,
        gradients: &mut [Vec<T>],
    ) -> Result<(), EngineError> {
        match self {
            Stack::Recurrent { layers, team, .. } => layers.backward(team, shape, x, dy, draw, gradients),
            Stack::Transformer(transformer) => transformer.backward(dy, gradients),
        }
    }
}
