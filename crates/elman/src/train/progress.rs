//! Where a run is: all of a checkpoint that is no tensor.

use super::schedule::Plateau;
use serde::{Deserialize, Serialize};

/// Counters, sums and memories of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs done.
    pub epoch: u64,
    /// Windows done in this epoch.
    pub window: usize,
    /// Steps of training.
    pub step: u64,
    /// Steps of data, the clock of all masks.
    pub clock: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// The sum of losses of this epoch, nats.
    pub loss: f64,
    /// The tokens of that sum.
    pub loss_tokens: u64,
    /// The step of the last evaluation.
    pub evaluated: Option<u64>,
    /// Validation losses so far, nats per token.
    pub history: Vec<f64>,
    /// The best of them, and its step.
    pub best: Option<(f64, u64)>,
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
    /// The instruction set that was used. All give the same bits.
    pub isa: String,
    /// What the training and validation tokens were.
    pub text: String,
    /// What the equations were, or the heads of a transformer.
    pub cell: String,
}

/// 64 bits of a sequence of bytes, as hexadecimal digits: FNV-1a.
pub fn fingerprint(bytes: impl IntoIterator<Item = u8>) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    format!("{:016x}", bytes.into_iter().fold(0xCBF2_9CE4_8422_2325, mix))
}
