//! A language model: the next token from those before it.
//!
//! ```text
//! ids ─▶ embedding ─▶ layers of a cell, with carried state ─▶ softmax over the vocabulary ─▶ a loss per token
//! ```
//!
//! Truncated backpropagation through time: a window starts from the states that the one before it ended with, and no
//! gradient goes back beyond a window. Tied, the embedding is the output matrix too (Press & Wolf 2017,
//! arXiv:1608.05859; Inan et al. 2017, arXiv:1611.01462), and the last layer has as many units as the embedding.
//! All parameters are in one list, and so are their gradients. Knows no file and no optimiser.

mod layers;
mod spec;
#[cfg(test)]
mod tests;

pub use layers::State;
pub use spec::{LmSpec, Memory, Start};

use super::dropout::Draw;
use crate::text::Window;
use elman_engine::dropout::Purpose;
use elman_engine::loss::{HeadGradients, SoftmaxHead};
use elman_engine::{EngineError, Isa, Real, Team, Tensor, embedding};
use layers::{Layers, multiply};

/// A language model, its parameters, and the memory to run it.
pub struct Lm<T: Real> {
    spec: LmSpec,
    parameters: Vec<Tensor>,
    weights: Vec<Vec<T>>,
    layers: Layers<T>,
    head: SoftmaxHead<T>,
    /// Whether the head holds `weights`.
    head_packed: bool,
    team: Team,
    x: Vec<T>,
    dh: Vec<T>,
}

/// The embedding is the first parameter.
const EMBEDDING: usize = 0;

impl<T: Real> Lm<T> {
    /// A model with initial weights. With `train`, gradients can be asked for.
    ///
    /// # Errors
    /// Sizes that the cell forbids, and threads that cannot be started.
    pub fn new(spec: &LmSpec, start: Start, isa: Isa, threads: usize, train: bool) -> Result<Lm<T>, EngineError> {
        let networks = spec.networks()?;
        let (parameters, index) = spec.parameters(&networks);
        let weights = spec.initial(&networks, &parameters, &index, start);
        let units = spec.output_units(&networks);
        let team = Team::new(threads.max(1)).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
        let layers = Layers::new(networks, index, &weights, isa, train)?;
        let head = SoftmaxHead::new(isa, spec.vocabulary, units)?;
        let (x, dh) = (vec![], vec![]);
        Ok(Lm { spec: spec.clone(), parameters, weights, layers, head, head_packed: false, team, x, dh })
    }

    /// What it is made of.
    pub fn spec(&self) -> &LmSpec {
        &self.spec
    }

    /// Names and shapes of its parameters.
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// The parameters' numbers.
    pub fn weights(&self) -> &[Vec<T>] {
        &self.weights
    }

    /// Per layer, per state of the cell: its units.
    pub fn state_units(&self) -> Vec<Vec<usize>> {
        self.layers.state_units()
    }

    /// Changes the parameters' numbers, not their lengths.
    pub fn update(&mut self, change: impl FnOnce(&mut [Vec<T>])) {
        change(&mut self.weights);
        self.head_packed = false;
        self.layers.forget_packed();
    }

    /// Gradients of zero.
    pub fn no_gradients(&self) -> Vec<Vec<T>> {
        self.weights.iter().map(|w| vec![T::ZERO; w.len()]).collect()
    }

    /// The loss of each target of a window, `[steps · columns]`, in nats; `state` goes on.
    ///
    /// # Errors
    /// A token outside the vocabulary.
    pub fn score(&mut self, window: &Window, state: &mut State<T>) -> Result<Vec<f64>, EngineError> {
        let h = self.forward(window, state, None)?;
        let losses = self.head.losses(&h, &window.targets, &self.team);
        self.layers.give_back(h);
        losses
    }

    /// The logits after each token of a window, `[steps · columns, vocabulary]`; `state` goes on.
    ///
    /// # Errors
    /// A token outside the vocabulary.
    pub fn logits(&mut self, window: &Window, state: &mut State<T>) -> Result<Vec<T>, EngineError> {
        let h = self.forward(window, state, None)?;
        let logits = self.head.logits(&h, &self.team);
        self.layers.give_back(h);
        logits
    }

    /// The losses of a window and the gradients of `scale` times their sum, written over `gradients`.
    ///
    /// # Errors
    /// A token outside the vocabulary, a model made without `train`.
    pub fn train(
        &mut self,
        window: &Window,
        state: &mut State<T>,
        draw: &Draw,
        scale: f64,
        gradients: &mut [Vec<T>],
    ) -> Result<Vec<f64>, EngineError> {
        gradients.iter_mut().for_each(|g| g.fill(T::ZERO));
        let mut h = self.forward(window, state, Some(draw))?;
        let shape = [window.steps, window.columns, h.len() / window.targets.len().max(1)];
        let mask = draw.units::<T>(Purpose::Output, 0, draw.dropout.output, shape);
        multiply(&mut h, mask.as_deref());
        let mut dh = std::mem::take(&mut self.dh);
        dh.resize(h.len(), T::ZERO);
        let losses = self.head_backward(&h, &window.targets, scale, &mut dh, gradients)?;
        multiply(&mut dh, mask.as_deref());
        self.layers.give_back(h);
        self.layers.backward(&self.team, &mut dh, draw, gradients)?;
        multiply(&mut dh, self.input_mask(window, Some(draw)).as_deref());
        let rows = draw.rows::<T>(self.spec.vocabulary);
        let table = &mut gradients[EMBEDDING];
        embedding::add_gradients(&dh, self.spec.embedding, &window.inputs, rows.as_deref(), table)?;
        self.dh = dh;
        Ok(losses)
    }

    /// The output of the last layer, `[steps · columns, units]`.
    fn forward(&mut self, window: &Window, state: &mut State<T>, draw: Option<&Draw>) -> Result<Vec<T>, EngineError> {
        if !self.head_packed {
            let [weight, bias] = self.spec.head_parameters(&self.parameters);
            self.head.set_weights(&self.weights[weight], &self.weights[bias])?;
            self.head_packed = true;
        }
        self.layers.pack(&self.weights, draw)?;
        let rows = draw.and_then(|d| d.rows::<T>(self.spec.vocabulary));
        let mut x = std::mem::take(&mut self.x);
        embedding::look_up(&self.weights[EMBEDDING], self.spec.embedding, &window.inputs, rows.as_deref(), &mut x)?;
        multiply(&mut x, self.input_mask(window, draw).as_deref());
        let h = self.layers.forward(&self.team, [window.steps, window.columns], &x, state, self.spec.zoneout, draw);
        self.x = x;
        h
    }

    fn input_mask(&self, window: &Window, draw: Option<&Draw>) -> Option<Vec<T>> {
        let shape = [window.steps, window.columns, self.spec.embedding];
        draw.and_then(|d| d.units(Purpose::Input, 0, d.dropout.input, shape))
    }

    fn head_backward(
        &mut self,
        h: &[T],
        targets: &[u32],
        scale: f64,
        dh: &mut [T],
        gradients: &mut [Vec<T>],
    ) -> Result<Vec<f64>, EngineError> {
        let [weight, bias] = self.spec.head_parameters(&self.parameters);
        let (mut dw, mut db) = (std::mem::take(&mut gradients[weight]), std::mem::take(&mut gradients[bias]));
        let into = HeadGradients { h: dh, weight: &mut dw, bias: &mut db };
        let losses = self.head.losses_and_gradients(h, targets, scale, into, &self.team);
        (gradients[weight], gradients[bias]) = (dw, db);
        losses
    }
}
