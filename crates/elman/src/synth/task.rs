//! What a task of made data is.

use elman_engine::Random;
use std::fmt::Debug;

/// What inputs and targets are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Ids of the task's symbols, one a step.
    Symbols,
    /// Real numbers, this many a step.
    Real {
        /// Numbers read each step.
        inputs: usize,
        /// Numbers wanted each step.
        targets: usize,
    },
}

/// One value, or several numbers, for each step.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// Ids: `[steps]`.
    Symbols(Vec<u32>),
    /// Numbers: [steps, width].
    Real {
        /// Numbers a step.
        width: usize,
        /// All numbers, step after step.
        values: Vec<f32>,
    },
}

impl Series {
    /// The ids; none for real numbers.
    pub fn symbols(&self) -> &[u32] {
        match self {
            Series::Symbols(ids) => ids,
            Series::Real { .. } => &[],
        }
    }

    /// The numbers; none for symbols.
    pub fn real(&self) -> &[f32] {
        match self {
            Series::Symbols(_) => &[],
            Series::Real { values, .. } => values,
        }
    }
}

/// One sequence: what is read, what is wanted, and where it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What is read.
    pub inputs: Series,
    /// What is wanted after each step; without meaning where it is not scored.
    pub targets: Series,
    /// The steps that count, for the loss and for the score: `[steps]`.
    pub scored: Vec<bool>,
}

impl Example {
    /// Steps.
    pub fn steps(&self) -> usize {
        self.scored.len()
    }

    /// Next-symbol prediction of `text`, which follows `before` (the last symbol of an example): the inputs are `before` and
    /// all but the last of `text`, so examples one after another are one stream. `scored` says which symbols count.
    pub(super) fn predicting(before: u32, text: Vec<u32>, scored: Vec<bool>) -> Example {
        let inputs = [before].into_iter().chain(text.iter().copied()).take(text.len()).collect();
        Example { inputs: Series::Symbols(inputs), targets: Series::Symbols(text), scored }
    }

    /// The ids of the scored targets.
    pub fn answer(&self) -> Vec<u32> {
        self.targets.symbols().iter().zip(&self.scored).filter(|(_, scored)| **scored).map(|(id, _)| *id).collect()
    }
}

/// A score that needs no learning.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The share of scored steps whose target has the highest probability; more is better.
    Accuracy(f64),
    /// The mean square of target minus output over the scored steps; less is better.
    SquaredError(f64),
}

/// A task of made data. Two examples from equal generators are equal.
pub trait Task: Debug + Send + Sync {
    /// What inputs and targets are made of.
    fn form(&self) -> Form {
        Form::Symbols
    }

    /// The symbols in the order of their ids; none for real-valued tasks.
    fn symbols(&self) -> &[char];

    /// Draws an example.
    fn example(&self, random: &mut Random) -> Example;

    /// What a model reaches that ignores all but the present input.
    fn trivial(&self) -> Level;

    /// `example` in words for people.
    fn words(&self, example: &Example) -> String;
}

/// Ids as characters.
pub(super) fn text(symbols: &[char], ids: &[u32]) -> String {
    ids.iter().map(|id| symbols.get(*id as usize).copied().unwrap_or('?')).collect()
}

/// Characters as ids; what is none of the symbols is left out, so callers only pass symbols.
pub(super) fn ids(symbols: &[char], text: impl IntoIterator<Item = char>) -> Vec<u32> {
    text.into_iter().filter_map(|c| symbols.iter().position(|s| *s == c)).map(|i| i as u32).collect()
}
