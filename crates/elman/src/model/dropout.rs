//! What is dropped while training, and the masks for it.
//!
//! A mask depends on the run's seed, on what it is for, on its layer, on the clock (steps of data seen so far) and on the
//! sequence's column: not on threads, and not on whether the run was interrupted.

use elman_engine::Real;
use elman_engine::dropout::{MaskKey, Purpose};
use serde::{Deserialize, Serialize};

/// Probabilities of being dropped; 0 is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dropout {
    /// Units of the embedding's output.
    pub input: f64,
    /// Units between layers.
    pub between: f64,
    /// Units of the last layer's output.
    pub output: f64,
    /// Whole rows of the embedding, one mask a step of training.
    pub embedding: f64,
    /// Elements of the recurrent weights (DropConnect), one mask a step of training.
    pub recurrent: f64,
    /// Units of a state that keep their old value.
    pub zoneout: f64,
    /// One mask for all steps of a window instead of one a step, for input, between and output.
    pub variational: bool,
}

impl Dropout {
    /// Each probability with its name.
    pub fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("input", self.input),
            ("between", self.between),
            ("output", self.output),
            ("embedding", self.embedding),
            ("recurrent", self.recurrent),
            ("zoneout", self.zoneout),
        ]
    }
}

/// What masks are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// What is dropped.
    pub dropout: Dropout,
    /// The run's seed.
    pub seed: u64,
    /// Steps of data that were trained on before this window.
    pub clock: u64,
}

impl Draw {
    fn key(&self, purpose: Purpose, layer: usize) -> MaskKey {
        MaskKey { seed: self.seed, purpose, layer: layer as u64, step: self.clock, sequence: 0 }
    }

    /// A mask of `[steps, batch, width]`; `None` where nothing is dropped.
    pub fn units<T: Real>(
        &self,
        purpose: Purpose,
        layer: usize,
        drop: f64,
        [steps, batch, width]: [usize; 3],
    ) -> Option<Vec<T>> {
        if drop == 0.0 {
            return None;
        }
        let mut mask = vec![T::ZERO; steps * batch * width];
        let drawn = if self.dropout.variational { 1 } else { steps };
        for (row, units) in mask.chunks_exact_mut(width).take(drawn * batch).enumerate() {
            let key = self.key(purpose, layer);
            let (step, sequence) = (key.step + (row / batch) as u64, (row % batch) as u64);
            MaskKey { step, sequence, ..key }.fill(drop, units);
        }
        for step in drawn..steps {
            mask.copy_within(0..batch * width, step * batch * width);
        }
        Some(mask)
    }

    /// Which units of a state keep their old value, `[steps, batch, width]` of 0 and 1. `slot` counts the layer's states.
    pub fn zones<T: Real>(&self, layer: usize, slot: usize, shape: [usize; 3]) -> Vec<T> {
        let steps_apart = Draw { dropout: Dropout { variational: false, ..self.dropout }, ..*self };
        let zone = layer << 16 | slot;
        match steps_apart.units::<T>(Purpose::Zoneout, zone, self.dropout.zoneout, shape) {
            Some(kept) => kept.into_iter().map(|m| if m == T::ZERO { T::ONE } else { T::ZERO }).collect(),
            None => vec![T::ZERO; shape.iter().product()],
        }
    }

    /// A mask of the rows of the embedding; `None` where none is dropped.
    pub fn rows<T: Real>(&self, rows: usize) -> Option<Vec<T>> {
        (self.dropout.embedding > 0.0).then(|| self.mask(Purpose::Embedding, 0, self.dropout.embedding, rows))
    }

    /// A mask of `count` recurrent weights of parameter `parameter`.
    pub fn weights<T: Real>(&self, parameter: usize, count: usize) -> Vec<T> {
        self.mask(Purpose::Recurrent, parameter, self.dropout.recurrent, count)
    }

    fn mask<T: Real>(&self, purpose: Purpose, layer: usize, drop: f64, count: usize) -> Vec<T> {
        let mut mask = vec![T::ZERO; count];
        self.key(purpose, layer).fill(drop, &mut mask);
        mask
    }
}
