//! What a run will be, said before it starts: sizes, steps, parameters, memory.

use super::feed::Feed;
use super::made::longest;
use crate::error::Error;
use crate::memory;
use crate::model::{Body, Ends, LmSpec};
use crate::run::Config;
use crate::run::config::Kind;
use crate::synth::{Form, Level};
use elman_cell::Cell;
use elman_engine::EngineError;
use elman_engine::explain::Workload;
use serde::Serialize;
use std::sync::Arc;

/// What a run learns from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Material {
    /// A text.
    Text {
        /// Tokens for training.
        train_tokens: usize,
        /// Tokens for validation.
        valid_tokens: usize,
        /// Tokens that the vocabulary lacks, of those for validation.
        valid_unknown: u64,
    },
    /// Made data.
    Made {
        /// The task with all its options.
        task: String,
        /// Examples of a step.
        batch: usize,
        /// Examples for validation.
        valid_examples: u64,
        /// What a model reaches that ignores all but the present input.
        trivial: Level,
    },
}

/// The figures of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The cell's name, or a transformer with its heads.
    pub cell: String,
    /// Layers.
    pub layers: usize,
    /// Units of a state.
    pub hidden: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// What it learns from.
    pub material: Material,
    /// Windows (or batches of made examples) of an epoch.
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

/// A transformer that goes on with made data sees so many times the longest example.
const MADE_WINDOW: usize = 4;

/// The layers that settings ask for; `cell` is asked for the equations of recurrent ones.
///
/// # Errors
/// What `cell` says.
pub fn body(config: &Config, cell: impl FnOnce() -> Result<Cell, Error>) -> Result<Body, Error> {
    Ok(match config.model.kind {
        Kind::Recurrent => Body::Recurrent { cell: Arc::new(cell()?), zoneout: config.dropout.zoneout },
        Kind::Transformer => {
            let made = config.made()?.map(|made| MADE_WINDOW * longest(&made));
            Body::Transformer { heads: config.model.heads(), window: made.unwrap_or(config.train.steps) }
        }
    })
}

/// The model that settings ask for, over `symbols` or numbers.
pub fn spec(config: &Config, body: Body, (form, symbols): (Form, usize)) -> LmSpec {
    let m = &config.model;
    let (layers, hidden, tied) = (m.layers, m.hidden, m.tied);
    let (ends, embedding, vocabulary) = match form {
        Form::Symbols => (Ends::Symbols, m.embedding.unwrap_or(hidden), symbols),
        Form::Real { inputs, targets } => (Ends::Numbers, inputs, targets),
    };
    LmSpec { ends, body, layers, hidden, embedding, vocabulary, tied }
}

impl Plan {
    /// Counts; refuses what cannot fit in memory.
    ///
    /// # Errors
    /// Sizes that the cell forbids, too few tokens, more memory than is free.
    pub(super) fn new(config: &Config, spec: &LmSpec, feed: &Feed, threads: usize) -> Result<Plan, Error> {
        let t = &config.train;
        let windows = feed.epoch(t)?;
        let copies = config.optimiser.rule().moments() + 2 * usize::from(config.optimiser.averages());
        // Windows of scoring have a batch of their own.
        let way = match feed {
            Feed::Text(..) => "fewer --hidden, --batch or --vocab-size take less",
            Feed::Made(..) => "fewer --hidden or --batch, or shorter examples, take less",
        };
        let (steps, batch) = (feed.longest(t), t.batch.max(t.eval_batch));
        let work = Workload { threads, recompute: t.recompute, ..Workload::new(steps, batch) };
        let mut needed = spec.memory(work, copies).map_err(|e| match e {
            EngineError::Overflow { what } => Error::Refused(format!("{what}; {way}")),
            EngineError::Sizes(text) => EngineError::Sizes(with_flags(text, spec)).into(),
            other => other.into(),
        })?;
        needed.bytes = needed.bytes.saturating_add(feed.bytes());
        memory::refuse_bytes(needed.bytes as u128, way)?;
        let steps = (windows as u64).saturating_mul(t.epochs);
        Ok(Plan {
            cell: config.model.layers_of(),
            layers: spec.layers,
            hidden: spec.hidden,
            vocabulary: spec.vocabulary,
            material: feed.material(config),
            windows,
            steps: t.max_steps.unwrap_or(u64::MAX).min(steps),
            parameters: needed.parameters,
            bytes: needed.bytes,
            done: 0,
        })
    }
}

/// What a cell says of sizes it cannot have, with the flags that set them.
fn with_flags(diagnostics: String, spec: &LmSpec) -> String {
    let LmSpec { hidden, embedding, .. } = *spec;
    let (flag, size, equal) = match spec.ends {
        Ends::Symbols => ("--embedding", hidden, LmSpec { embedding: hidden, ..spec.clone() }),
        Ends::Numbers => ("--hidden", embedding, LmSpec { hidden: embedding, ..spec.clone() }),
    };
    let hint = match () {
        () if diagnostics.contains("error[E208]") => "take a smaller --hidden or --embedding".into(),
        () if equal.memory(Workload::new(1, 1), 0).is_ok() => {
            format!("with {flag} {size} the sizes fit, and the cell stays as it is")
        }
        () if spec.ends == Ends::Symbols => format!("--embedding {embedding} is input, --hidden {hidden} is hidden"),
        () => format!("the data has input = {embedding}, --hidden {hidden} is hidden"),
    };
    format!("{diagnostics}\nhint: {hint}\n")
}
