//! The settings of a run as flags, grouped by purpose. A flag that is not given leaves the setting as it is.

mod contradictions;

use super::common::{KindName, set};
use crate::values::{few, size};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use elman::run::Config;
use elman::run::config::{Group, LossScale, RuleName, ScheduleName, UnitName};

/// Flags of `elman train lm`.
#[derive(Args)]
pub struct Flags {
    /// The text: plain, gzip or zstd; without --valid its last tenths are held out. Or made data: `synth:NAME?key=value`
    #[arg(long, value_name = "FILE", help_heading = "Text")]
    data: Option<String>,
    /// The validation text
    #[arg(long, value_name = "FILE", help_heading = "Text")]
    valid: Option<String>,
    /// The test text
    #[arg(long, value_name = "FILE", help_heading = "Text")]
    test: Option<String>,
    /// The encoding of the texts [default: utf-8]
    #[arg(long, value_name = "NAME", help_heading = "Text")]
    encoding: Option<String>,
    /// What a token is [default: word]
    #[arg(long, value_name = "UNIT", help_heading = "Text")]
    unit: Option<Unit>,
    /// Rarer tokens become <unk> [default: 1]
    #[arg(long, value_name = "N", help_heading = "Text")]
    min_count: Option<u64>,
    /// At most this many tokens [default: all; 8000 subwords]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Text")]
    vocab_size: Option<usize>,
    /// Refuse a larger vocabulary [default: 1048576]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Text")]
    vocab_limit: Option<usize>,

    /// Steps of an epoch [default: 200]
    #[arg(long, value_name = "N", help_heading = "Made data")]
    epoch_steps: Option<u64>,
    /// Examples for validation, and as many for testing [default: 1000]
    #[arg(long, value_name = "N", help_heading = "Made data")]
    held_out: Option<u64>,

    /// Layers of a cell, or a transformer that sees --steps back [default: recurrent]
    #[arg(long, value_name = "KIND", help_heading = "Model")]
    model: Option<KindName>,
    /// A built-in cell or a .cell file [default: lstm]
    #[arg(long, value_name = "CELL", help_heading = "Model")]
    cell: Option<String>,
    /// Layers [default: 1]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    layers: Option<usize>,
    /// Units of a state [default: 200]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    hidden: Option<usize>,
    /// Heads of a transformer [default: 4]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    heads: Option<usize>,
    /// Units of the embedding [default: as --hidden]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    embedding: Option<usize>,
    /// The embedding is the output matrix too
    #[arg(long, help_heading = "Model")]
    tied: bool,
    /// Parameters start uniform in ± A [default: as the cell says, else by size]
    #[arg(long, value_name = "A", help_heading = "Model")]
    init: Option<f64>,

    /// Drop units of input, output and between layers
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    dropout: Option<f64>,
    /// Drop units of the embedding's output
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    dropout_input: Option<f64>,
    /// Drop units between layers
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    dropout_between: Option<f64>,
    /// Drop units of the last layer's output
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    dropout_output: Option<f64>,
    /// Drop rows of the embedding
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    dropout_embedding: Option<f64>,
    /// Drop elements of recurrent weights (DropConnect)
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    dropout_recurrent: Option<f64>,
    /// Units of a state keep their old value
    #[arg(long, value_name = "P", help_heading = "Dropout")]
    zoneout: Option<f64>,
    /// One mask a window instead of one a step
    #[arg(long, help_heading = "Dropout")]
    variational: bool,

    /// Columns that the text is cut into, or made examples of a step [default: 20]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Training")]
    batch: Option<usize>,
    /// Steps that gradients go back [default: 35]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Training")]
    steps: Option<usize>,
    /// Passes over the text, or epochs of made data [default: 20]
    #[arg(long, value_name = "N", help_heading = "Training")]
    epochs: Option<u64>,
    /// Stop after so many steps
    #[arg(long, value_name = "N", help_heading = "Training")]
    max_steps: Option<u64>,
    /// Columns for scoring the validation text or made examples [default: 20]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Training")]
    eval_batch: Option<usize>,
    /// Evaluate after each N steps too [default: at the end of an epoch]
    #[arg(long, value_name = "N", help_heading = "Training")]
    evaluate_every: Option<u64>,
    /// Stop after N evaluations without improvement [default: never]
    #[arg(long, value_name = "N", help_heading = "Training")]
    early_stop: Option<u64>,
    /// The loss of a window: sum over steps and mean over columns, or mean over tokens [default: column]
    #[arg(long, value_name = "HOW", value_parser = PossibleValuesParser::new(["column", "token"]).map(loss), help_heading = "Training")]
    loss: Option<LossScale>,
    /// Longer windows in the same memory, for up to twice the time of the layers; changes no number
    #[arg(long, help_heading = "Training")]
    recompute: bool,
    /// All random numbers follow from it [default: 1]
    #[arg(long, value_name = "S", help_heading = "Training")]
    seed: Option<u64>,

    /// The rule [default: adam]
    #[arg(long, value_name = "RULE", help_heading = "Optimiser")]
    optimiser: Option<Rule>,
    /// The rate [default: 1 for sgd and nt-asgd, 0.1 for momentum, else 0.002]
    #[arg(long, value_name = "R", help_heading = "Optimiser")]
    rate: Option<f64>,
    /// Momentum, of momentum and rmsprop [default: 0.9; 0]
    #[arg(long, value_name = "M", help_heading = "Optimiser")]
    momentum: Option<f64>,
    /// Nesterov's momentum
    #[arg(long, help_heading = "Optimiser")]
    nesterov: bool,
    /// β₁ of adam [default: 0.9]
    #[arg(long, value_name = "B", help_heading = "Optimiser")]
    beta1: Option<f64>,
    /// β₂ of adam, ρ of rmsprop [default: 0.999]
    #[arg(long, value_name = "B", help_heading = "Optimiser")]
    beta2: Option<f64>,
    /// Weight decay [default: 0]
    #[arg(long, value_name = "D", help_heading = "Optimiser")]
    decay: Option<f64>,
    /// Clip the norm of all gradients, 0 for not [default: 5]
    #[arg(long, value_name = "C", conflicts_with = "clip_value", help_heading = "Optimiser")]
    clip: Option<f64>,
    /// Clip each gradient instead
    #[arg(long, value_name = "C", help_heading = "Optimiser")]
    clip_value: Option<f64>,
    /// Average parameters from this epoch on
    #[arg(long, value_name = "EPOCH", help_heading = "Optimiser")]
    average_from: Option<u64>,
    /// Evaluations that nt-asgd looks back [default: 5]
    #[arg(long, value_name = "N", help_heading = "Optimiser")]
    nonmonotone: Option<usize>,
    /// Leave parameters of these names as they are, `*` stands for anything
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Optimiser")]
    freeze: Vec<String>,

    /// How the rate changes [default: plateau]
    #[arg(long, value_name = "KIND", help_heading = "Schedule")]
    schedule: Option<Kind>,
    /// What plateau and step multiply the rate by [default: 0.5]
    #[arg(long, value_name = "F", help_heading = "Schedule")]
    factor: Option<f64>,
    /// Evaluations without improvement that plateau bears [default: 0]
    #[arg(long, value_name = "N", help_heading = "Schedule")]
    patience: Option<u64>,
    /// Once plateau has begun, multiply at every evaluation
    #[arg(long, help_heading = "Schedule")]
    keep_going: bool,
    /// Epochs at the full rate, of step [default: 4]
    #[arg(long, value_name = "N", help_heading = "Schedule")]
    hold: Option<u64>,
    /// The lowest share of the rate [default: 0]
    #[arg(long, value_name = "L", help_heading = "Schedule")]
    lowest: Option<f64>,
    /// Steps over which the rate grows at first [default: 0]
    #[arg(long, value_name = "N", help_heading = "Schedule")]
    warmup: Option<u64>,

    /// Save a checkpoint at least so often [default: 60]
    #[arg(long, value_name = "SECONDS", help_heading = "Run")]
    checkpoint_seconds: Option<f64>,
}

impl Flags {
    /// The data that a flag names.
    pub fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// Lays the flags that are given over the settings.
    pub fn apply(&self, c: &mut Config) {
        self.apply_model(c);
        let (t, o, s) = (&mut c.train, &mut c.optimiser, &mut c.schedule);
        set! {
            self.batch => t.batch, self.steps => t.steps, self.epochs => t.epochs,
            self.epoch_steps => t.epoch_steps, self.held_out => c.data.held_out, self.max_steps => t.max_steps,
            self.eval_batch => t.eval_batch, self.evaluate_every => t.evaluate_every,
            self.early_stop => t.early_stop, self.loss => t.loss, self.seed => c.seed,
            self.checkpoint_seconds => t.checkpoint_seconds,
            self.optimiser => o.rule, self.rate => o.rate, self.momentum => o.momentum, self.beta1 => o.beta1,
            self.beta2 => o.beta2, self.decay => o.decay, self.average_from => o.average_from,
            self.nonmonotone => o.nonmonotone,
            self.schedule => s.kind, self.factor => s.factor, self.patience => s.patience, self.hold => s.hold,
            self.lowest => s.lowest, self.warmup => s.warmup,
        }
        if let Some(clip) = self.clip {
            (o.clip_norm, o.clip_value) = (clip, 0.0);
        }
        if let Some(clip) = self.clip_value {
            (o.clip_norm, o.clip_value) = (0.0, clip);
        }
        t.recompute |= self.recompute;
        o.nesterov |= self.nesterov;
        s.keep_going |= self.keep_going;
        let frozen = |name: &String| Group { name: name.clone(), rate: 1.0, decay: None, frozen: true };
        c.group.extend(self.freeze.iter().map(frozen));
    }

    fn apply_model(&self, c: &mut Config) {
        let (d, m, p) = (&mut c.data, &mut c.model, &mut c.dropout);
        set! {
            self.data => d.train, self.valid => d.valid, self.test => d.test, self.encoding => d.encoding,
            self.unit => d.unit, self.min_count => d.min_count, self.vocab_size => d.vocab_size,
            self.vocab_limit => d.vocab_limit,
            self.model => m.kind, self.cell => m.cell, self.layers => m.layers, self.hidden => m.hidden,
            self.heads => m.heads, self.embedding => m.embedding, self.init => m.init,
            self.dropout => p.input, self.dropout => p.between, self.dropout => p.output,
            self.dropout_input => p.input, self.dropout_between => p.between, self.dropout_output => p.output,
            self.dropout_embedding => p.embedding, self.dropout_recurrent => p.recurrent, self.zoneout => p.zoneout,
        }
        m.tied |= self.tied;
        p.variational |= self.variational;
    }
}

fn loss(name: String) -> LossScale {
    if name == "token" { LossScale::Token } else { LossScale::Column }
}

/// [`UnitName`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Unit {
    /// What stands between white space
    Word,
    /// A character
    Char,
    /// A piece of a word, learned from the text
    Subword,
}

impl From<Unit> for UnitName {
    fn from(unit: Unit) -> UnitName {
        match unit {
            Unit::Word => UnitName::Word,
            Unit::Char => UnitName::Char,
            Unit::Subword => UnitName::Subword,
        }
    }
}

/// [`RuleName`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    /// Stochastic gradient descent
    Sgd,
    /// With momentum
    Momentum,
    /// Adam
    Adam,
    /// Adam with decoupled decay
    Adamw,
    /// RMSProp
    Rmsprop,
    /// SGD, averaged from where validation stops improving
    NtAsgd,
}

impl From<Rule> for RuleName {
    fn from(rule: Rule) -> RuleName {
        match rule {
            Rule::Sgd => RuleName::Sgd,
            Rule::Momentum => RuleName::Momentum,
            Rule::Adam => RuleName::Adam,
            Rule::Adamw => RuleName::Adamw,
            Rule::Rmsprop => RuleName::Rmsprop,
            Rule::NtAsgd => RuleName::NtAsgd,
        }
    }
}

/// [`ScheduleName`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// The rate stays
    Constant,
    /// Lower after evaluations without improvement
    Plateau,
    /// Lower each epoch after the first ones
    Step,
    /// Half a cosine
    Cosine,
}

impl From<Kind> for ScheduleName {
    fn from(kind: Kind) -> ScheduleName {
        match kind {
            Kind::Constant => ScheduleName::Constant,
            Kind::Plateau => ScheduleName::Plateau,
            Kind::Step => ScheduleName::Step,
            Kind::Cosine => ScheduleName::Cosine,
        }
    }
}
