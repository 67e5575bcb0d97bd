//! What goes into a run over a batch and what comes out, with the shapes of all of it.

use crate::error::{EngineError, check};
use crate::network::Network;

/// Sequences of a batch.
#[derive(Clone, Debug)]
pub struct Batch<'a, T> {
    /// Steps of the longest sequence, or more.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Per input of the network: [steps, batch, dim]. What lies beyond a sequence's length is never read.
    pub inputs: Vec<&'a [T]>,
    /// Per sequence: its length, 1 to `steps`; all `steps` long if absent.
    pub lengths: Option<&'a [usize]>,
    /// [steps, batch]: a step that is false is skipped, as if the sequence did not have it; `y` is zero there.
    pub mask: Option<&'a [bool]>,
    /// Per state of the network: [batch, dim]. Absent: zero, or the learned initial value.
    pub initial: Option<&'a [Vec<T>]>,
}

impl<'a, T> Batch<'a, T> {
    /// Equal lengths, initial states of zero.
    pub fn new(steps: usize, batch: usize, x: &'a [T]) -> Batch<'a, T> {
        Batch { steps, batch, inputs: vec![x], lengths: None, mask: None, initial: None }
    }
}

/// What forward gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs<T> {
    /// [steps, batch, output]; zero beyond a sequence's length.
    pub y: Vec<T>,
    /// Per state of the network: [batch, dim], after the last valid step of each sequence in that direction.
    pub states: Vec<Vec<T>>,
    /// The traced values, layer by layer, forward before backward.
    pub traces: Vec<Trace<T>>,
}

/// A named value at every step.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace<T> {
    /// `0.forward.f`.
    pub name: String,
    /// Its units.
    pub dim: usize,
    /// [steps, batch, dim], by the caller's steps in both directions; zero beyond a sequence's length.
    pub values: Vec<T>,
}

/// What backward gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradients<T> {
    /// Per input of the network: [steps, batch, dim]; zero beyond a sequence's length.
    pub inputs: Vec<Vec<T>>,
    /// Per parameter of the network.
    pub parameters: Vec<Vec<T>>,
    /// Per state of the network: by its initial value, [batch, dim].
    pub initial: Vec<Vec<T>>,
}

pub(crate) fn check_states<T>(
    prefix: &str,
    network: &Network,
    given: Option<&[Vec<T>]>,
    batch: usize,
) -> Result<(), EngineError> {
    let Some(given) = given else { return Ok(()) };
    check(&format!("{prefix}states (tensors)"), given.len(), network.states().len())?;
    for (v, t) in given.iter().zip(network.states()) {
        check(&format!("{prefix}{}", t.name), v.len(), batch * t.count())?;
    }
    Ok(())
}

pub(crate) fn check_batch<T>(network: &Network, batch: &Batch<T>) -> Result<(), EngineError> {
    check("inputs (tensors)", batch.inputs.len(), network.inputs().len())?;
    let cells = batch.steps.checked_mul(batch.batch);
    for (x, t) in batch.inputs.iter().zip(network.inputs()) {
        let Some(wanted) = cells.and_then(|c| c.checked_mul(t.count())) else {
            return Err(EngineError::Overflow { what: format!("input `{}`", t.name) });
        };
        check(&t.name, x.len(), wanted)?;
    }
    check_states("", network, batch.initial, batch.batch)
}
