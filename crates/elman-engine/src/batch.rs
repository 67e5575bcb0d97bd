//! What goes into a run over a batch and what comes out, with the shapes of all of it.

use crate::error::{EngineError, check};
use crate::network::Network;

/// Most slots of a memory: as many as `f32` can count.
pub(crate) const MOST_SLOTS: usize = 1 << 24;

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
    /// Per memory of the network.
    pub memories: Vec<Memory<'a, T>>,
}

/// Rows that a cell attends to, the same at all steps.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a, T> {
    /// Slots of the sequence with the most, or more.
    pub slots: usize,
    /// [slots, batch, dim], as the `y` of an encoder. What lies beyond a sequence's length is never read.
    pub values: &'a [T],
    /// Per sequence: its slots, 1 to `slots`; all `slots` if absent.
    pub lengths: Option<&'a [usize]>,
}

impl<T> Memory<'_, T> {
    /// Slots of a sequence.
    pub(crate) fn length(&self, sequence: usize) -> usize {
        self.lengths.map_or(self.slots, |l| l[sequence])
    }
}

impl<'a, T> Batch<'a, T> {
    /// Equal lengths, initial states of zero, no memories.
    pub fn new(steps: usize, batch: usize, x: &'a [T]) -> Batch<'a, T> {
        Batch { steps, batch, inputs: vec![x], lengths: None, mask: None, initial: None, memories: vec![] }
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
    /// Per memory of the network: [slots, batch, dim]; zero beyond a sequence's length.
    pub memories: Vec<Vec<T>>,
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
    check_memories(network, &batch.memories, batch.batch)?;
    check_states("", network, batch.initial, batch.batch)
}

/// Memories of the shapes they need; those attended to together have the same slots.
pub(crate) fn check_memories<T>(network: &Network, memories: &[Memory<T>], batch: usize) -> Result<(), EngineError> {
    check("memories (tensors)", memories.len(), network.memories().len())?;
    for (m, t) in memories.iter().zip(network.memories()) {
        let overflow = || EngineError::Overflow { what: format!("memory `{}`", t.name) };
        if m.slots > MOST_SLOTS {
            return Err(overflow());
        }
        let wanted = m.slots.checked_mul(batch).and_then(|c| c.checked_mul(t.count())).ok_or_else(overflow)?;
        check(&t.name, m.values.len(), wanted)?;
        if let Some(lengths) = m.lengths {
            check(&format!("{}.lengths", t.name), lengths.len(), batch)?;
        }
        for index in 0..batch {
            let found = m.length(index);
            if found == 0 || found > m.slots {
                return Err(EngineError::MemoryLength { name: t.name.clone(), index, found, slots: m.slots });
            }
        }
    }
    for (keys, values) in network.attended() {
        let (k, v) = (&memories[keys], &memories[values]);
        if let Some(index) = (0..batch).find(|&b| k.length(b) != v.length(b)) {
            let name = |m: usize| network.memories()[m].name.clone();
            let (keys, values) = (name(keys), name(values));
            return Err(EngineError::Slots { keys, values, index, found: [k.length(index), v.length(index)] });
        }
    }
    Ok(())
}
