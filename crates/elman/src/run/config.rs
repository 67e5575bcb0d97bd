//! The settings of a run, as TOML. Every key has a default; a key that does not exist is an error with the nearest one.

mod check;
#[cfg(test)]
mod tests;

use super::toml_file;
use crate::error::Error;
use crate::model::Dropout;
use crate::synth::{Form, Made, SynthError};
use crate::text::vocabulary::{Cut, LIMIT};
use crate::text::{Unit, corpus::Files};
use crate::whole_file::shown;
use elman_engine::optimise::Rule;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of the form of a run directory.
pub const FORMAT: u32 = 1;

/// What the name of made data begins with.
pub const SYNTH: &str = "synth:";
/// Steps of an epoch of made data, unless told otherwise.
pub const EPOCH_STEPS: u64 = 200;
/// Heads of a transformer, unless told otherwise.
pub const HEADS: usize = 4;
/// Examples of made data for validation, and as many for testing, unless told otherwise.
pub const HELD_OUT: u64 = 1000;

/// All settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The version of this form.
    pub format: u32,
    /// The version of the program that made the run.
    pub program: String,
    /// What is trained: `lm`.
    pub task: String,
    /// All random numbers follow from it.
    pub seed: u64,
    /// The text.
    pub data: Data,
    /// The model.
    pub model: Model,
    /// What is dropped while training.
    pub dropout: Dropout,
    /// The loop.
    pub train: Train,
    /// The rule and its numbers.
    pub optimiser: Optimiser,
    /// How the rate changes.
    pub schedule: Schedule,
    /// Parameters that go another way; of several that match a parameter, the last one says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<Group>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            task: "lm".into(),
            seed: 1,
            data: Data::default(),
            model: Model::default(),
            dropout: Dropout::default(),
            train: Train::default(),
            optimiser: Optimiser::default(),
            schedule: Schedule::default(),
            group: vec![],
        }
    }
}

/// The text and how it is cut into tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The training text, or the only one; or made data: `synth:NAME?key=value&key=value`.
    pub train: String,
    /// The validation text; absent, a tenth of the training text.
    pub valid: Option<String>,
    /// The test text; absent, a tenth of the training text where there is no validation text either.
    pub test: Option<String>,
    /// The encoding of all three; UTF-8 if absent.
    pub encoding: Option<String>,
    /// What a token is.
    pub unit: UnitName,
    /// Entries met fewer times become `<unk>`.
    pub min_count: u64,
    /// At most this many entries.
    pub vocab_size: Option<usize>,
    /// A larger vocabulary is refused.
    pub vocab_limit: usize,
    /// Made data: examples for validation, and as many for testing; absent, 1000.
    pub held_out: Option<u64>,
}

impl Default for Data {
    fn default() -> Data {
        let unit = UnitName::Word;
        let (train, vocab_limit) = (String::new(), LIMIT);
        let (valid, test, encoding) = (None, None, None);
        Data { train, valid, test, encoding, unit, min_count: 1, vocab_size: None, vocab_limit, held_out: None }
    }
}

impl Data {
    /// The files.
    pub fn files(&self) -> Files {
        let (train, valid, test) = (self.train.clone(), self.valid.clone(), self.test.clone());
        Files { train, valid, test, encoding: self.encoding.clone() }
    }

    /// Which entries are kept.
    pub fn cut(&self) -> Cut {
        Cut { min_count: self.min_count, max_size: self.vocab_size, limit: self.vocab_limit }
    }
}

/// [`Unit`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitName {
    /// What stands between white space.
    Word,
    /// A Unicode scalar value.
    Char,
    /// A piece of a word, learned.
    Subword,
}

impl From<UnitName> for Unit {
    fn from(name: UnitName) -> Unit {
        match name {
            UnitName::Word => Unit::Word,
            UnitName::Char => Unit::Character,
            UnitName::Subword => Unit::Subword,
        }
    }
}

/// What layers are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Layers of a cell.
    #[default]
    Recurrent,
    /// Self-attention, positions, pre-norm.
    Transformer,
}

/// The model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The kind.
    pub kind: Kind,
    /// A built-in cell, or a file of equations; empty in the settings of a transformer's run, where it is not written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cell: String,
    /// Layers.
    pub layers: usize,
    /// Units of a state, or of a transformer's steps.
    pub hidden: usize,
    /// Heads of a transformer; absent, 4.
    pub heads: Option<usize>,
    /// Units of the embedding; `hidden` if absent.
    pub embedding: Option<usize>,
    /// The embedding is the output matrix too.
    pub tied: bool,
    /// Parameters start uniform in ± this, where the cell says nothing.
    pub init: Option<f64>,
}

impl Default for Model {
    fn default() -> Model {
        let (kind, cell) = (Kind::Recurrent, "lstm".into());
        Model { kind, cell, layers: 1, hidden: 200, heads: None, embedding: None, tied: false, init: None }
    }
}

impl Model {
    /// What a transformer splits its units into.
    pub fn heads(&self) -> usize {
        self.heads.unwrap_or(HEADS)
    }

    /// What the layers are, for a person: a cell's name or file, or a transformer with its heads.
    pub fn layers_of(&self) -> String {
        match self.kind {
            Kind::Recurrent => self.cell.clone(),
            Kind::Transformer => format!("transformer ({} heads)", self.heads()),
        }
    }
}

/// The loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// Columns that the training text is cut into.
    pub batch: usize,
    /// Steps of a window: gradients go back no further, and a transformer sees no further.
    pub steps: usize,
    /// Passes over the text, or times `epoch_steps`.
    pub epochs: u64,
    /// Made data: steps of an epoch; absent, 200.
    pub epoch_steps: Option<u64>,
    /// Stop after this many steps, whatever the epochs.
    pub max_steps: Option<u64>,
    /// Columns for scoring the validation text; the first token of each has a fresh state.
    pub eval_batch: usize,
    /// Evaluate also after each so many steps; 0: at the end of an epoch only.
    pub evaluate_every: u64,
    /// Stop after this many evaluations without improvement; 0: never.
    pub early_stop: u64,
    /// What the loss of a window is: the sum over its steps and mean over columns, or the mean over all tokens.
    pub loss: LossScale,
    /// Keep states at some steps only, and compute the rest again on the way back.
    pub recompute: bool,
    /// Save a checkpoint at least each so many seconds.
    pub checkpoint_seconds: f64,
}

impl Default for Train {
    fn default() -> Train {
        Train {
            batch: 20,
            steps: 35,
            epochs: 20,
            epoch_steps: None,
            max_steps: None,
            eval_batch: 20,
            evaluate_every: 0,
            early_stop: 0,
            loss: LossScale::Column,
            recompute: false,
            checkpoint_seconds: 60.0,
        }
    }
}

/// How the losses of a window become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossScale {
    /// Summed over steps, averaged over columns, as Zaremba et al. 2014 (arXiv:1409.2329) do.
    Column,
    /// Averaged over all tokens.
    Token,
}

/// Optimisers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// Stochastic gradient descent.
    Sgd,
    /// With momentum.
    Momentum,
    /// Kingma & Ba 2015.
    Adam,
    /// With decoupled decay.
    Adamw,
    /// Tieleman & Hinton 2012.
    Rmsprop,
    /// SGD that averages from where validation stops improving.
    NtAsgd,
}

/// The rule and its numbers; those that a rule does not know are not looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Optimiser {
    /// The rule.
    pub rule: RuleName,
    /// η; absent, the rule's own: 1 for sgd and nt-asgd, 0.1 for momentum, 0.002 for the others.
    pub rate: Option<f64>,
    /// μ of momentum and rmsprop; absent 0.9 and 0.
    pub momentum: Option<f64>,
    /// Nesterov's momentum.
    pub nesterov: bool,
    /// β₁ of adam and adamw.
    pub beta1: f64,
    /// β₂ of adam and adamw, ρ of rmsprop.
    pub beta2: f64,
    /// ε
    pub epsilon: f64,
    /// Weight decay λ.
    pub decay: f64,
    /// The norm of all gradients is clipped to this; 0: not.
    pub clip_norm: f64,
    /// Each gradient is clipped to ± this; 0: not.
    pub clip_value: f64,
    /// NT-ASGD begins to average when the loss is above the best of all but this many last evaluations.
    pub nonmonotone: usize,
    /// Average from this epoch on, counted from 1, with any rule.
    pub average_from: Option<u64>,
}

impl Default for Optimiser {
    fn default() -> Optimiser {
        Optimiser {
            rule: RuleName::Adam,
            rate: None,
            momentum: None,
            nesterov: false,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
            clip_norm: 5.0,
            clip_value: 0.0,
            nonmonotone: 5,
            average_from: None,
        }
    }
}

impl Optimiser {
    /// The rule with its numbers.
    pub fn rule(&self) -> Rule {
        let (beta1, beta2, epsilon) = (self.beta1, self.beta2, self.epsilon);
        match self.rule {
            RuleName::Sgd | RuleName::NtAsgd => Rule::Sgd,
            RuleName::Momentum => Rule::Momentum { momentum: self.momentum.unwrap_or(0.9), nesterov: self.nesterov },
            RuleName::Adam => Rule::Adam { beta1, beta2, epsilon, decoupled: false },
            RuleName::Adamw => Rule::Adam { beta1, beta2, epsilon, decoupled: true },
            RuleName::Rmsprop => Rule::RmsProp { decay: beta2, epsilon, momentum: self.momentum.unwrap_or(0.0) },
        }
    }

    /// η, the rule's own where none is given.
    pub fn rate(&self) -> f64 {
        self.rate.unwrap_or(match self.rule {
            RuleName::Sgd | RuleName::NtAsgd => 1.0,
            RuleName::Momentum => 0.1,
            _ => 0.002,
        })
    }

    /// Whether parameters may come to be averaged.
    pub fn averages(&self) -> bool {
        self.rule == RuleName::NtAsgd || self.average_from.is_some()
    }
}

/// Schedules by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleName {
    /// The rate stays.
    Constant,
    /// The rate is multiplied after evaluations without improvement.
    Plateau,
    /// The rate is multiplied each epoch after the first ones.
    Step,
    /// Half a cosine down to the lowest rate.
    Cosine,
}

/// How the rate changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// The schedule.
    pub kind: ScheduleName,
    /// What the rate is multiplied by, for plateau and step.
    pub factor: f64,
    /// Plateau: evaluations without improvement that are borne.
    pub patience: u64,
    /// Plateau: once it has begun, multiply at every evaluation (Jozefowicz et al. 2015).
    pub keep_going: bool,
    /// Step: epochs at the full rate.
    pub hold: u64,
    /// The lowest share of the rate.
    pub lowest: f64,
    /// The rate grows linearly over this many steps at first.
    pub warmup: u64,
}

impl Default for Schedule {
    fn default() -> Schedule {
        let kind = ScheduleName::Plateau;
        Schedule { kind, factor: 0.5, patience: 0, keep_going: false, hold: 4, lowest: 0.0, warmup: 0 }
    }
}

/// Parameters that go another way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// A pattern of names; `*` stands for anything: `embedding`, `0.*`, `*.b_*`.
    pub name: String,
    /// The rate is multiplied by this.
    #[serde(default = "one")]
    pub rate: f64,
    /// Weight decay, in place of the optimiser's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
    /// They stay as they are.
    #[serde(default)]
    pub frozen: bool,
}

fn one() -> f64 {
    1.0
}

impl Config {
    /// Reads a file of settings.
    ///
    /// # Errors
    /// A file that cannot be read, and as [`Config::from_toml`].
    pub fn read(path: &Path) -> Result<Config, Error> {
        Config::from_toml(&toml_file::text(path)?, &shown(path))
    }

    /// Reads TOML; `file` is the name used in messages.
    ///
    /// # Errors
    /// What is no TOML, unknown keys with the nearest one, values of other types, a newer format.
    pub fn from_toml(text: &str, file: &str) -> Result<Config, Error> {
        toml_file::parse(text, file)
    }

    /// The settings as TOML.
    ///
    /// # Errors
    /// A seed that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml_file::print(self)
    }

    /// The made data that is named in place of a text.
    ///
    /// # Errors
    /// No such task or option, with the nearest one.
    pub fn made(&self) -> Result<Option<Made>, SynthError> {
        self.data.train.strip_prefix(SYNTH).map(Made::parse).transpose()
    }

    /// The same with every default that depends on other settings written out, and files by their whole path.
    pub fn resolved(mut self) -> Config {
        let made = self.made().ok().flatten();
        if made.as_ref().is_none_or(|made| made.form() == Form::Symbols) {
            self.model.embedding.get_or_insert(self.model.hidden);
        }
        if let Some(made) = &made {
            self.data.train = format!("{SYNTH}{}", made.spelled());
            self.data.held_out.get_or_insert(HELD_OUT);
            self.train.epoch_steps.get_or_insert(EPOCH_STEPS);
        }
        if self.model.kind == Kind::Transformer {
            self.model.heads.get_or_insert(HEADS);
            self.model.cell.clear();
        }
        let rate = self.optimiser.rate();
        self.optimiser.rate.get_or_insert(rate);
        let cell = elman_cell::builtin::source(&self.model.cell).is_none().then_some(&mut self.model.cell);
        let d = &mut self.data;
        let text = made.is_none().then_some(&mut d.train);
        [text, d.valid.as_mut(), d.test.as_mut(), cell].into_iter().flatten().for_each(toml_file::make_whole);
        self
    }
}
