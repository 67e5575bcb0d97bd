//! What a caller is told while training goes on.

use super::plan::Plan;
use super::score::Score;
use serde::Serialize;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Before the first step of this process.
    Begin(&'a Plan),
    /// After a step.
    Step(StepDone),
    /// After an evaluation.
    Evaluation(&'a Evaluation),
    /// A checkpoint was written.
    Saved {
        /// Steps it stands after.
        step: u64,
    },
}

/// Where training is after a step.
#[derive(Clone, Copy, Debug)]
pub struct StepDone {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Epochs in all.
    pub epochs: u64,
    /// Windows (or batches of made examples) done in this epoch.
    pub window: usize,
    /// Windows in an epoch.
    pub windows: usize,
    /// Steps so far.
    pub step: u64,
    /// Steps that are left, if nothing stops it early.
    pub left: u64,
    /// The mean loss of this epoch so far: nats per token or scored symbol, or the mean squared error.
    pub loss: f64,
    /// The rate of this step.
    pub rate: f64,
    /// The norm of all gradients before clipping.
    pub norm: f64,
    /// Steps of this process.
    pub steps_here: u64,
    /// Tokens trained on in this process.
    pub tokens: u64,
    /// Seconds that took.
    pub seconds: f64,
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps so far.
    pub step: u64,
    /// Tokens trained on so far.
    pub tokens: u64,
    /// The rate.
    pub rate: f64,
    /// The mean loss of this epoch so far, in the same unit as `valid_loss`.
    pub train_loss: f64,
    /// The loss of the validation part: nats per token or scored symbol, or the mean squared error.
    pub valid_loss: f64,
    /// Its exponential, for texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_perplexity: Option<f64>,
    /// Bits per character, for texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_bits_per_character: Option<f64>,
    /// The share of scored symbols that are right, for made data of symbols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_accuracy: Option<f64>,
    /// The share of examples that are right from end to end, for made data of symbols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_whole_accuracy: Option<f64>,
    /// It is the best so far.
    pub improved: bool,
    /// Averaged parameters were scored.
    pub averaged: bool,
    /// Speed of training in this process.
    pub tokens_per_second: f64,
    /// Seconds of this process so far.
    pub seconds: f64,
    /// The score behind these figures.
    #[serde(skip)]
    pub score: Score,
}

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ended {
    /// All epochs are done, or it stopped improving.
    Finished {
        /// The best validation loss.
        best: f64,
        /// The step it was reached at.
        step: u64,
    },
    /// The flag was raised; a checkpoint is written.
    Stopped {
        /// Steps so far.
        step: u64,
    },
}
