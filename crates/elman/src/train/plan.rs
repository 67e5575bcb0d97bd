//! What a run will be, said before it starts: sizes, steps, parameters, memory.

use crate::error::Error;
use crate::memory;
use crate::model::LmSpec;
use crate::run::Config;
use crate::text::{Corpus, Windows};
use elman_cell::Cell;
use elman_engine::EngineError;
use serde::Serialize;
use std::sync::Arc;

/// The figures of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The cell's name.
    pub cell: String,
    /// Layers.
    pub layers: usize,
    /// Units of a state.
    pub hidden: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Tokens for training.
    pub train_tokens: usize,
    /// Tokens for validation.
    pub valid_tokens: usize,
    /// Tokens that the vocabulary lacks, of those for validation.
    pub valid_unknown: u64,
    /// Windows of an epoch.
    pub windows: usize,
    /// Steps in all.
    pub steps: u64,
    /// Numbers that are learned.
    pub parameters: usize,
    /// Bytes that training takes.
    pub bytes: usize,
    /// Steps done before this process.
    pub done: u64,
}

/// The model that settings and a vocabulary ask for.
pub fn spec(config: &Config, cell: Arc<Cell>, vocabulary: usize) -> LmSpec {
    let m = &config.model;
    let (layers, hidden, tied, zoneout) = (m.layers, m.hidden, m.tied, config.dropout.zoneout);
    LmSpec { cell, layers, hidden, embedding: m.embedding.unwrap_or(hidden), vocabulary, tied, zoneout }
}

impl Plan {
    /// Counts; refuses what cannot fit in memory.
    ///
    /// # Errors
    /// Sizes that the cell forbids, too few tokens, more memory than is free.
    pub fn new(config: &Config, spec: &LmSpec, corpus: &Corpus) -> Result<Plan, Error> {
        let t = &config.train;
        let windows = Windows::training(&corpus.train.ids, corpus.tokenizer.end(), t.batch, t.steps)?.count();
        let copies = config.optimiser.rule().moments() + 2 * usize::from(config.optimiser.averages());
        // Windows of scoring have a batch of their own.
        let way = "fewer --hidden, --batch or --vocab-size take less";
        let needed = spec.memory(t.steps, t.batch.max(t.eval_batch), copies).map_err(|e| match e {
            EngineError::Overflow { what } => Error::Refused(format!("{what}; {way}")),
            other => other.into(),
        })?;
        memory::refuse_bytes(needed.bytes as u128, way)?;
        let steps = (windows as u64).saturating_mul(t.epochs);
        Ok(Plan {
            cell: config.model.cell.clone(),
            layers: spec.layers,
            hidden: spec.hidden,
            vocabulary: spec.vocabulary,
            train_tokens: corpus.train.ids.len(),
            valid_tokens: corpus.valid.ids.len(),
            valid_unknown: corpus.valid.unknown,
            windows,
            steps: t.max_steps.unwrap_or(u64::MAX).min(steps),
            parameters: needed.parameters,
            bytes: needed.bytes,
            done: 0,
        })
    }
}
