//! Made data: tasks whose difficulty is known, drawn from a seed.
//!
//! A task is named with its options, `NAME?key=value&key=value` (`copy?delay=200&seed=3`). Example k of a split depends on
//! the task, its options, the seed, the split and k alone, never on what was drawn before: any worker can draw any example.
//! The splits are drawn apart, so an example of a small task may stand in two of them by chance.
//!
//! A new task is one file and one line in [`TASKS`].

mod adding;
mod arithmetic;
mod block;
mod copy;
pub(crate) mod draw;
mod dyck;
mod error;
mod level;
mod memorization;
mod options;
mod parity;
mod sums;
mod task;
mod temporal_order;
mod xml;

pub use block::{Block, Cursor, Stream};
pub use error::SynthError;
pub use options::Choice;
pub use task::{Example, Form, Level, Series, Task};

use elman_cell::nearest::nearest;
use elman_engine::Random;
use options::{SEED, Values};

/// A row of the table of tasks.
#[derive(Debug)]
pub struct Row {
    /// What users type.
    pub name: &'static str,
    /// One line for lists.
    pub about: &'static str,
    /// The options; `seed` belongs to every task.
    pub choices: &'static [Choice],
    /// Makes the task of given options.
    build: fn(&Values) -> Result<Box<dyn Task>, SynthError>,
}

/// All tasks.
pub const TASKS: [&Row; 9] = [
    &memorization::ROW,
    &adding::ROW,
    &copy::ROW,
    &temporal_order::ROW,
    &parity::ROW,
    &dyck::ROW,
    &sums::ROW,
    &arithmetic::ROW,
    &xml::ROW,
];

/// Which part an example belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// For training.
    Train = 0,
    /// For choosing settings.
    Valid = 1,
    /// For the last word.
    Test = 2,
}

/// Keeps these numbers apart from those that a run with the same seed draws for its weights and masks.
const PURPOSE: u64 = u64::from_be_bytes(*b"elmanmad");
/// Splits are this far apart in the generator's streams.
const SPLIT_SHIFT: u32 = 60;

/// A task with its options and seed.
#[derive(Debug)]
pub struct Made {
    row: &'static Row,
    values: Values,
    task: Box<dyn Task>,
}

impl Made {
    /// The task that `text` names: `NAME` or `NAME?key=value&key=value`.
    ///
    /// Errors: an unknown task or key (with the nearest one), a value that is no number or out of range, a key given twice.
    pub fn parse(text: &str) -> Result<Made, SynthError> {
        let (name, rest) = text.split_once('?').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let row = TASKS.into_iter().find(|row| row.name == name).ok_or_else(|| {
            let names = TASKS.map(|row| row.name);
            SynthError::Task { name: name.into(), nearest: nearest(name, names), names: names.join(", ") }
        })?;
        let values = Values::parse(row, rest)?;
        let task = (row.build)(&values)?;
        Ok(Made { row, values, task })
    }

    /// The row of the task in [`TASKS`].
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// The name with every option, as [`Made::parse`] reads it: what to write into a run's configuration.
    pub fn spelled(&self) -> String {
        self.values.spelled(self.row)
    }

    /// Whether inputs and targets are symbols or real numbers.
    pub fn form(&self) -> Form {
        self.task.form()
    }

    /// The symbols in the order of their ids; none for real-valued tasks.
    pub fn symbols(&self) -> &[char] {
        self.task.symbols()
    }

    /// Example `k` of `split`.
    pub fn example(&self, split: Split, k: u64) -> Example {
        let stream = (split as u64) << SPLIT_SHIFT | (k & ((1 << SPLIT_SHIFT) - 1));
        self.task.example(&mut Random::new(self.values.of(&SEED) ^ PURPOSE, stream))
    }

    /// What a model reaches that ignores all but the present input.
    pub fn trivial(&self) -> Level {
        self.task.trivial()
    }

    /// The example in words for people.
    pub fn words(&self, example: &Example) -> String {
        self.task.words(example)
    }

    /// Ids as characters; an id that is none of the task's reads as `?`.
    pub fn text(&self, ids: &[u32]) -> String {
        task::text(self.symbols(), ids)
    }

    /// What stands before the first symbol of a text, for tasks whose examples are texts: each symbol is predicted from
    /// those before it.
    pub fn before(&self) -> Option<u32> {
        let Example { inputs, targets, .. } = self.example(Split::Train, 0);
        let (first, rest) = inputs.symbols().split_first()?;
        (*rest == targets.symbols()[..rest.len()]).then_some(*first)
    }

    /// Examples `first`, `first + 1`, … (`count` of them) side by side, padded to the longest.
    pub fn batch(&self, split: Split, first: u64, count: usize) -> Block {
        Block::padded((0..count as u64).map(|i| self.example(split, first + i)).collect(), self.form())
    }
}
