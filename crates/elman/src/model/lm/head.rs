//! What stands above the layers: a softmax over a vocabulary, or a linear layer with squared error.

use super::super::span::Values;
use super::spec::Ends;
use elman_engine::loss::{HeadGradients, LinearHead, SoftmaxHead};
use elman_engine::{EngineError, Isa, Real, Team};

pub(super) enum Head<T: Real> {
    Softmax(Box<SoftmaxHead<T>>),
    Linear(LinearHead<T>),
}

impl<T: Real> Head<T> {
    pub fn new(ends: Ends, isa: Isa, outputs: usize, units: usize) -> Result<Head<T>, EngineError> {
        Ok(match ends {
            Ends::Symbols => Head::Softmax(Box::new(SoftmaxHead::new(isa, outputs, units)?)),
            Ends::Numbers => Head::Linear(LinearHead::new(outputs, units)?),
        })
    }

    pub fn set_weights(&mut self, weight: &[T], bias: &[T], team: &Team) -> Result<(), EngineError> {
        match self {
            Head::Softmax(head) => head.set_weights(weight, bias, team),
            Head::Linear(head) => head.set_weights(weight, bias),
        }
    }

    /// Logits or numbers, [tokens, outputs].
    pub fn outputs(&mut self, h: &[T], team: &Team) -> Result<Vec<T>, EngineError> {
        match self {
            Head::Softmax(head) => head.logits(h, team),
            Head::Linear(head) => head.outputs(h),
        }
    }

    pub fn losses(&mut self, h: &[T], wanted: &Values, team: &Team) -> Result<Vec<f64>, EngineError> {
        match (self, wanted) {
            (Head::Softmax(head), Values::Symbols(ids)) => head.losses(h, ids, team),
            (Head::Linear(head), Values::Numbers(numbers)) => head.losses(h, &converted(numbers)),
            (head, _) => Err(head.other_values()),
        }
    }

    pub fn losses_and_gradients(
        &mut self,
        h: &[T],
        wanted: &Values,
        scale: f64,
        into: HeadGradients<'_, T>,
        team: &Team,
    ) -> Result<Vec<f64>, EngineError> {
        match (self, wanted) {
            (Head::Softmax(head), Values::Symbols(ids)) => head.losses_and_gradients(h, ids, scale, into, team),
            (Head::Linear(head), Values::Numbers(n)) => head.losses_and_gradients(h, &converted(n), scale, into),
            (head, _) => Err(head.other_values()),
        }
    }

    fn other_values(&self) -> EngineError {
        let (wants, given) = match self {
            Head::Softmax(_) => ("symbols", "numbers"),
            Head::Linear(_) => ("numbers", "symbols"),
        };
        EngineError::Unsupported(format!("the model answers {wants}, but the targets are {given}"))
    }
}

/// f32 as the model's type.
pub(super) fn converted<T: Real>(numbers: &[f32]) -> Vec<T> {
    numbers.iter().map(|x| T::from_f64(f64::from(*x))).collect()
}
