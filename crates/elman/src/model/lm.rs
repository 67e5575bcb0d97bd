//! A language model: the next token from those before it.
//!
//! ```text
//! ids ─▶ embedding ─▶ layers of a cell, with carried state ─▶ softmax over the vocabulary ─▶ a loss per token
//!                     (or of a transformer)
//! numbers ──────────▶ the same layers ─▶ a linear layer ─▶ a squared error
//! ```
//!
//! Only the places that a [`Span`] scores have losses: their rows are gathered below the output layer, and the gradients of
//! these rows are put back to their places.
//!
//! Truncated backpropagation through time: a window starts from the states that the one before it ended with, and no
//! gradient goes back beyond a window. Tied, the embedding is the output matrix too (Press & Wolf 2017,
//! arXiv:1608.05859; Inan et al. 2017, arXiv:1611.01462), and the last layer has as many units as the embedding.
//! All parameters are in one list, and so are their gradients. Knows no file and no optimiser.

mod head;
mod layers;
mod spec;
mod stack;
#[cfg(test)]
mod tests;
mod transformer;

pub use layers::State;
pub use spec::{Body, Ends, LmSpec, Memory, Start};

use super::dropout::Draw;
use super::span::{Span, Values, gather};
use elman_engine::dropout::Purpose;
use elman_engine::loss::HeadGradients;
use elman_engine::{EngineError, Options, Real, Team, Tensor, embedding};
use head::{Head, converted};
use layers::multiply;
use stack::Stack;

/// A language model, its parameters, and the memory to run it.
pub struct Lm<T: Real> {
    spec: LmSpec,
    parameters: Vec<Tensor>,
    weights: Vec<Vec<T>>,
    layers: Stack<T>,
    head: Head<T>,
    /// Whether the head holds `weights`.
    head_packed: bool,
    /// Units of the last layer's output.
    units: usize,
    x: Vec<T>,
    dh: Vec<T>,
}

/// The embedding is the first parameter.
const EMBEDDING: usize = 0;

/// What a model says at the scored places of a span, and what that costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers<T> {
    /// Logits of the vocabulary, or numbers: [scored, vocabulary].
    pub outputs: Vec<T>,
    /// The loss of each: nats, or squared errors.
    pub losses: Vec<f64>,
}

impl<T: Real> Lm<T> {
    /// A model with initial weights. With `options.backward`, gradients can be asked for; nothing is traced.
    ///
    /// # Errors
    /// Sizes that the cell forbids, and threads that cannot be started.
    pub fn new(spec: &LmSpec, start: Start, options: &Options) -> Result<Lm<T>, EngineError> {
        let sketch = spec.sketch()?;
        let (parameters, index) = spec.parameters(&sketch);
        let weights = spec.initial(&sketch, &parameters, &index, start);
        let units = spec.output_units(&sketch);
        let layers = Stack::new(spec, sketch, index, &weights, options)?;
        let head = Head::new(spec.ends, options.isa, spec.vocabulary, units)?;
        let (x, dh) = (vec![], vec![]);
        Ok(Lm { spec: spec.clone(), parameters, weights, layers, head, head_packed: false, units, x, dh })
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

    /// Per layer, per state of the cell: its units; none of a transformer.
    pub fn state_units(&self) -> Vec<Vec<usize>> {
        self.layers.state_units()
    }

    /// Changes the parameters' numbers, not their lengths.
    pub fn update(&mut self, change: impl FnOnce(&mut [Vec<T>])) {
        self.update_on(|weights, _| change(weights));
    }

    /// The same with the model's threads at hand.
    pub fn update_on(&mut self, change: impl FnOnce(&mut [Vec<T>], &Team)) {
        change(&mut self.weights, self.layers.team());
        self.head_packed = false;
        self.layers.forget_packed();
    }

    /// Its threads.
    pub fn team(&self) -> &Team {
        self.layers.team()
    }

    /// Gradients of zero.
    pub fn no_gradients(&self) -> Vec<Vec<T>> {
        self.weights.iter().map(|w| vec![T::ZERO; w.len()]).collect()
    }

    /// The loss of each scored place of a span, in nats (or its squared error); `state` goes on.
    ///
    /// # Errors
    /// A token outside the vocabulary, numbers for a model of symbols.
    pub fn score<'a>(&mut self, span: impl Into<Span<'a>>, state: &mut State<T>) -> Result<Vec<f64>, EngineError> {
        let span = span.into();
        let h = self.forward(&span, state, None)?;
        let chosen = span.chosen();
        let rows = gather(&h, chosen.as_deref(), self.units);
        let losses = self.head.losses(&rows, &span.wanted(chosen.as_deref()), self.layers.team());
        self.layers.give_back(h);
        losses
    }

    /// The same with the outputs that it comes from.
    ///
    /// # Errors
    /// As [`Lm::score`].
    pub fn answer<'a>(&mut self, span: impl Into<Span<'a>>, state: &mut State<T>) -> Result<Answers<T>, EngineError> {
        let span = span.into();
        let h = self.forward(&span, state, None)?;
        let chosen = span.chosen();
        let rows = gather(&h, chosen.as_deref(), self.units);
        let losses = self.head.losses(&rows, &span.wanted(chosen.as_deref()), self.layers.team())?;
        let outputs = self.head.outputs(&rows, self.layers.team())?;
        self.layers.give_back(h);
        Ok(Answers { outputs, losses })
    }

    /// The logits after each token of a span, `[steps · columns, vocabulary]`; `state` goes on.
    ///
    /// # Errors
    /// A token outside the vocabulary.
    pub fn logits<'a>(&mut self, span: impl Into<Span<'a>>, state: &mut State<T>) -> Result<Vec<T>, EngineError> {
        let h = self.forward(&span.into(), state, None)?;
        let logits = self.head.outputs(&h, self.layers.team());
        self.layers.give_back(h);
        logits
    }

    /// The losses of a span's scored places and the gradients of `scale` times their sum, written over `gradients`.
    ///
    /// # Errors
    /// A token outside the vocabulary, a model made without `train`.
    pub fn train<'a>(
        &mut self,
        span: impl Into<Span<'a>>,
        state: &mut State<T>,
        draw: &Draw,
        scale: f64,
        gradients: &mut [Vec<T>],
    ) -> Result<Vec<f64>, EngineError> {
        let span = span.into();
        if !self.spec.head_parameters(&self.parameters).contains(&EMBEDDING) {
            // The embedding's are added to; all others are written.
            gradients[EMBEDDING].fill(T::ZERO);
        }
        let mut h = self.forward(&span, state, Some(draw))?;
        let shape = [span.steps, span.columns, self.units];
        let mask = draw.units::<T>(Purpose::Output, 0, draw.dropout.output, shape);
        multiply(&mut h, mask.as_deref());
        let mut dh = std::mem::take(&mut self.dh);
        dh.resize(h.len(), T::ZERO);
        let losses = self.head_backward(&h, &span, scale, &mut dh, gradients)?;
        multiply(&mut dh, mask.as_deref());
        self.layers.give_back(h);
        let shape = ([span.steps, span.columns], span.lengths);
        self.layers.backward(shape, &self.x, &mut dh, draw, gradients)?;
        if let Values::Symbols(ids) = &span.inputs {
            multiply(&mut dh, self.input_mask(&span, Some(draw)).as_deref());
            let rows = draw.rows::<T>(self.spec.vocabulary);
            let table = &mut gradients[EMBEDDING];
            embedding::add_gradients(&dh, self.spec.embedding, ids, rows.as_deref(), table)?;
        }
        self.dh = dh;
        Ok(losses)
    }

    /// The output of the last layer, `[steps · columns, units]`.
    fn forward(&mut self, span: &Span, state: &mut State<T>, draw: Option<&Draw>) -> Result<Vec<T>, EngineError> {
        if !self.head_packed {
            let [weight, bias] = self.spec.head_parameters(&self.parameters);
            self.head.set_weights(&self.weights[weight], &self.weights[bias], self.layers.team())?;
            self.head_packed = true;
        }
        self.layers.pack(&self.weights, draw)?;
        let mut x = std::mem::take(&mut self.x);
        self.read(span, draw, &mut x)?;
        multiply(&mut x, self.input_mask(span, draw).as_deref());
        let shape = ([span.steps, span.columns], span.lengths);
        let h = self.layers.forward(shape, &x, state, draw);
        self.x = x;
        h
    }

    /// The input of the first layer, `[steps · columns, embedding]`.
    fn read(&self, span: &Span, draw: Option<&Draw>, x: &mut Vec<T>) -> Result<(), EngineError> {
        match (&span.inputs, self.spec.ends) {
            (Values::Symbols(ids), Ends::Symbols) => {
                let rows = draw.and_then(|d| d.rows::<T>(self.spec.vocabulary));
                embedding::look_up(&self.weights[EMBEDDING], self.spec.embedding, ids, rows.as_deref(), x)
            }
            (Values::Numbers(numbers), Ends::Numbers) => {
                *x = converted(numbers);
                Ok(())
            }
            (given, _) => {
                let given = if matches!(given, Values::Symbols(_)) { "symbols" } else { "numbers" };
                Err(EngineError::Unsupported(format!("the model does not read {given}")))
            }
        }
    }

    fn input_mask(&self, span: &Span, draw: Option<&Draw>) -> Option<Vec<T>> {
        let shape = [span.steps, span.columns, self.spec.embedding];
        draw.and_then(|d| d.units(Purpose::Input, 0, d.dropout.input, shape))
    }

    /// Writes the gradients by `h` into `dh`: zero where nothing is scored.
    fn head_backward(
        &mut self,
        h: &[T],
        span: &Span,
        scale: f64,
        dh: &mut [T],
        gradients: &mut [Vec<T>],
    ) -> Result<Vec<f64>, EngineError> {
        let chosen = span.chosen();
        let rows = gather(h, chosen.as_deref(), self.units);
        let wanted = span.wanted(chosen.as_deref());
        let [weight, bias] = self.spec.head_parameters(&self.parameters);
        let (mut dw, mut db) = (std::mem::take(&mut gradients[weight]), std::mem::take(&mut gradients[bias]));
        let mut few = vec![T::ZERO; if chosen.is_some() { rows.len() } else { 0 }];
        let d_rows = if chosen.is_some() { &mut few[..] } else { &mut *dh };
        let into = HeadGradients { h: d_rows, weight: &mut dw, bias: &mut db };
        let losses = self.head.losses_and_gradients(&rows, &wanted, scale, into, self.layers.team());
        (gradients[weight], gradients[bias]) = (dw, db);
        if let Some(chosen) = chosen {
            dh.fill(T::ZERO);
            for (place, d) in chosen.iter().zip(few.chunks_exact(self.units)) {
                dh[place * self.units..][..self.units].copy_from_slice(d);
            }
        }
        losses
    }
}
