//! How well a model answers made data: whole examples, each from a fresh state.

use crate::error::Error;
use crate::model::{Lm, State};
use crate::synth::{Form, Made, Split};
use elman_engine::Real;
use std::sync::atomic::{AtomicBool, Ordering};

/// Examples that [`longest`] looks at.
const LOOKED_AT: u64 = 32;

/// What was answered. Does not depend on how many examples went side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Right {
    /// The sum of all losses: nats, or squared errors.
    pub loss: f64,
    /// Scored symbols or numbers.
    pub scored: u64,
    /// Those whose target is the likeliest symbol.
    pub right: u64,
    /// Examples.
    pub examples: u64,
    /// Those all of whose scored symbols are right.
    pub whole: u64,
}

impl Right {
    /// Asks the first `examples` of a split, `batch` of them side by side; `None` if `stop` was raised.
    ///
    /// # Errors
    /// A model of another vocabulary.
    pub fn of<T: Real>(
        lm: &mut Lm<T>,
        made: &Made,
        split: Split,
        examples: u64,
        batch: usize,
        stop: &AtomicBool,
    ) -> Result<Option<Right>, Error> {
        let mut right = Right::default();
        while right.examples < examples {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let count = (examples - right.examples).min(batch.max(1) as u64) as usize;
            right.ask(lm, made, split, count)?;
        }
        Ok(Some(right))
    }

    fn ask<T: Real>(&mut self, lm: &mut Lm<T>, made: &Made, split: Split, count: usize) -> Result<(), Error> {
        let block = made.batch(split, self.examples, count);
        let said = lm.answer(&block, &mut State::default())?;
        let symbols = made.form() == Form::Symbols;
        let answers = if symbols { answers(&said.outputs, lm.spec().vocabulary) } else { vec![] };
        let places: Vec<usize> = (0..block.scored.len()).filter(|p| block.scored[*p]).collect();
        for column in 0..count {
            let mut all = symbols;
            for k in (0..places.len()).filter(|k| places[*k] % count == column) {
                let good = symbols && answers[k] == block.targets.symbols()[places[k]];
                self.loss += said.losses[k];
                self.scored += 1;
                self.right += u64::from(good);
                all &= good;
            }
            self.examples += 1;
            self.whole += u64::from(all);
        }
        Ok(())
    }

    /// The mean loss: nats per scored symbol, or the mean squared error.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.scored as f64
    }

    /// The share of scored symbols that are right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.scored as f64
    }

    /// The share of examples that are right from end to end.
    pub fn whole_accuracy(&self) -> f64 {
        self.whole as f64 / self.examples as f64
    }
}

/// Steps of the longest of some examples, which stand for all when memory is counted.
pub fn longest(made: &Made) -> usize {
    (0..LOOKED_AT).map(|k| made.example(Split::Train, k).steps()).max().unwrap_or(0)
}

/// The likeliest symbol of each row of logits, the first of equal ones.
pub fn answers<T: Real>(logits: &[T], vocabulary: usize) -> Vec<u32> {
    let best = |row: &[T]| (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
    logits.chunks_exact(vocabulary.max(1)).map(|row| best(row) as u32).collect()
}
