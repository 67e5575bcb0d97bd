//! What stands between embedding and head, with its numbers: recurrent layers or those of a transformer.

use super::super::dropout::Draw;
use super::layers::{Layers, State};
use super::spec::{Body, LmSpec, Sketch};
use super::transformer::Transformer;
use elman_engine::{EngineError, Options, Real, Team};
use std::sync::Arc;

pub(super) enum Stack<T: Real> {
    Recurrent { layers: Layers<T>, zoneout: f64 },
    Transformer(Box<Transformer<T>>),
}

/// Steps and columns, and the valid steps of each column.
pub(super) type Shape<'a> = ([usize; 2], Option<&'a [usize]>);

impl<T: Real> Stack<T> {
    /// `index`: per layer its parameters among the model's `weights`.
    pub fn new(
        spec: &LmSpec,
        sketch: Sketch,
        index: Vec<Vec<usize>>,
        weights: &[Vec<T>],
        options: &Options,
        team: &Arc<Team>,
    ) -> Result<Stack<T>, EngineError> {
        Ok(match sketch {
            Sketch::Recurrent(networks) => {
                let zoneout = if let Body::Recurrent { zoneout, .. } = spec.body { zoneout } else { 0.0 };
                Stack::Recurrent { layers: Layers::new(networks, index, weights, options)?, zoneout }
            }
            Sketch::Transformer(design) => {
                let (index, team) = (index.concat(), team.clone());
                Stack::Transformer(Box::new(Transformer::new(*design, index, weights, options.isa, team)?))
            }
        })
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
            Stack::Recurrent { layers, .. } => layers.pack(weights, draw),
            Stack::Transformer(transformer) => {
                transformer.pack(weights);
                Ok(())
            }
        }
    }

    /// The last layer's output for `x`, [steps · columns, units], to be handed back.
    pub fn forward(
        &mut self,
        team: &Team,
        shape: Shape,
        x: &[T],
        state: &mut State<T>,
        draw: Option<&Draw>,
    ) -> Result<Vec<T>, EngineError> {
        match self {
            Stack::Recurrent { layers, zoneout } => layers.forward(team, shape, x, state, *zoneout, draw),
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
        team: &Team,
        shape: Shape,
        x: &[T],
        dy: &mut Vec<T>,
        draw: &Draw,
        gradients: &mut [Vec<T>],
    ) -> Result<(), EngineError> {
        match self {
            Stack::Recurrent { layers, .. } => layers.backward(team, shape, x, dy, draw, gradients),
            Stack::Transformer(transformer) => transformer.backward(dy, gradients),
        }
    }
}
