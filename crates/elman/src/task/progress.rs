//! Where a run is: all of a checkpoint that is no tensor.

use crate::train::schedule::Plateau;
use serde::{Deserialize, Serialize};

/// Counters, sums and memories of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs done.
    pub epoch: u64,
    /// Batches done in this epoch.
    pub batch: usize,
    /// Steps of training.
    pub step: u64,
    /// The sum of losses of this epoch.
    pub loss: f64,
    /// What it is the sum over.
    pub units: u64,
    /// The best score so far, and its step.
    pub best: Option<(f64, u64)>,
    /// What is scored, in words.
    #[serde(default)]
    pub scored: String,
    /// The loss there, where one is measured: of equal scores the one of the least loss is the best.
    #[serde(default)]
    pub best_loss: Option<f64>,
    /// Evaluations since then.
    pub without_improvement: u64,
    /// The schedule's memory.
    pub plateau: Plateau,
    /// How many parameter sets the average holds, if there is one.
    pub averaged: Option<u64>,
    /// Steps that the rule has taken.
    pub rule_steps: u64,
    /// Bytes of `metrics.jsonl` that belong to this.
    pub metrics: u64,
    /// Nothing is left to do.
    pub finished: bool,
}

/// A checkpoint's state: progress, and what it was made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Where the run is.
    pub progress: Progress,
    /// What the examples were.
    pub data: String,
}
