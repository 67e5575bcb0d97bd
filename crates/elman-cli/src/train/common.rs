//! Flags that all tasks with examples have, and how they are trained.

use crate::outcome::Outcome;
use crate::values::{Machine, few, size};
use crate::watch::stop_on_interrupt;
use crate::watch_task::WatchTask;
use clap::{Args, ValueEnum};
use elman::run::config::{RuleName, ScheduleName};
use elman::task::Settings;
use elman::task::folds::{Event, Outcome as Ended, folds as train_folds};
use elman::task::settings::{Kind, TaskName};
use std::path::{Path, PathBuf};

/// Writes each flag that is given into the setting beside it.
macro_rules! set {
    ($($flag:expr => $setting:expr),* $(,)?) => { $( if let Some(value) = $flag.clone() { $setting = value.into(); } )* };
}
pub(super) use set;

/// Flags that all tasks have.
#[derive(Args)]
pub struct Common {
    /// The training file; more than one with commas between
    #[arg(
        long,
        value_name = "FILES",
        value_delimiter = ',',
        required_unless_present = "config",
        help_heading = "Data"
    )]
    data: Vec<String>,
    /// The validation file [default: a tenth of --data]
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    valid: Vec<String>,
    /// The test file [default: a tenth of --data, without --valid]
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    test: Vec<String>,
    /// The encoding of texts [default: utf-8]
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    encoding: Option<String>,
    /// Rarer words are read by their characters only (classify, tag, rank) [default: 2]
    #[arg(long, value_name = "N", help_heading = "Data")]
    min_count: Option<u64>,
    /// At most this many words or subwords [default: 50000; translate: 8000 subwords, with --copy 1000]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Data")]
    pub vocab_size: Option<usize>,

    /// Layers of a cell, or a transformer [default: recurrent]
    #[arg(long, value_name = "KIND", help_heading = "Model")]
    model: Option<KindName>,
    /// A built-in cell or a .cell file [default: lstm; translate: gru]
    #[arg(long, value_name = "CELL", help_heading = "Model")]
    cell: Option<String>,
    /// Layers [default: 1; of pictures 2]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    pub layers: Option<usize>,
    /// Units of a state, in each direction [default: 128; tag: 200; translate, caption: 256]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    hidden: Option<usize>,
    /// Directions in which a sequence is read: 1, from its start, or 2 [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=2), help_heading = "Model")]
    directions: Option<u8>,
    /// Units of a word's embedding [default: 128; translate: 256; caption: 64]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    embedding: Option<usize>,
    /// Units of what is read from a word's characters; 0 for none (classify, tag, rank)
    #[arg(long, value_name = "N", help_heading = "Model")]
    characters: Option<usize>,
    /// Train N networks from other starts side by side, which answer together (classify, tag) [default: 1]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    members: Option<usize>,
    /// Heads of a transformer [default: 4]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    heads: Option<usize>,

    /// Drop units of embeddings, between layers and below the output [default: 0.3]
    #[arg(long, value_name = "P", help_heading = "Training")]
    dropout: Option<f64>,
    /// Drop whole words; their characters are still read [default: 0.05; rank: 0.1]
    #[arg(long, value_name = "P", help_heading = "Training")]
    dropout_words: Option<f64>,
    /// Examples of a step; fewer where there are few examples [default: 32; translate: 64; rank: 128]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Training")]
    pub batch: Option<usize>,
    /// Passes over the training examples [default: 10; tag, translate: 15; caption: 60]
    #[arg(long, value_name = "N", help_heading = "Training")]
    epochs: Option<u64>,
    /// Stop after so many steps
    #[arg(long, value_name = "N", help_heading = "Training")]
    max_steps: Option<u64>,
    /// Stop after N evaluations without improvement [default: never]
    #[arg(long, value_name = "N", help_heading = "Training")]
    early_stop: Option<u64>,
    /// A share of each target that is spread over all classes
    #[arg(long, value_name = "P", help_heading = "Training")]
    smoothing: Option<f64>,
    /// All random numbers follow from it [default: 1]
    #[arg(long, value_name = "S", help_heading = "Training")]
    seed: Option<u64>,
    /// The rate [default: 0.001]
    #[arg(long, value_name = "R", help_heading = "Training")]
    rate: Option<f64>,
    /// Weight decay; with it the rule is adamw [default: 0]
    #[arg(long, value_name = "D", help_heading = "Training")]
    decay: Option<f64>,
    /// Clip the norm of all gradients, 0 for not [default: 5]
    #[arg(long, value_name = "C", help_heading = "Training")]
    clip: Option<f64>,
    /// How the rate changes [default: cosine]
    #[arg(long, value_name = "KIND", help_heading = "Training")]
    schedule: Option<Schedule>,
    /// Steps over which the rate grows at first [default: 0]
    #[arg(long, value_name = "N", help_heading = "Training")]
    warmup: Option<u64>,
    /// Average parameters from this epoch on
    #[arg(long, value_name = "EPOCH", help_heading = "Training")]
    average_from: Option<u64>,

    /// Settings from a TOML file, such as the config.toml of another run
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub config: Option<PathBuf>,
    /// The run's folder, which must not exist or be empty [default: runs/FILE-TASK]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    out: Option<PathBuf>,
    /// Save a checkpoint at least so often [default: 60]
    #[arg(long, value_name = "SECONDS", help_heading = "Run")]
    checkpoint_seconds: Option<f64>,
    #[command(flatten)]
    machine: Machine,
}

/// [`Kind`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub enum KindName {
    /// Layers of a cell
    Recurrent,
    /// Self-attention
    Transformer,
}

impl From<KindName> for Kind {
    fn from(name: KindName) -> Kind {
        match name {
            KindName::Recurrent => Kind::Recurrent,
            KindName::Transformer => Kind::Transformer,
        }
    }
}

/// Schedules on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Schedule {
    /// The rate stays
    Constant,
    /// Lower after evaluations without improvement
    Plateau,
    /// Half a cosine
    Cosine,
}

impl From<Schedule> for ScheduleName {
    fn from(name: Schedule) -> ScheduleName {
        match name {
            Schedule::Constant => ScheduleName::Constant,
            Schedule::Plateau => ScheduleName::Plateau,
            Schedule::Cosine => ScheduleName::Cosine,
        }
    }
}

impl Common {
    /// The kind that `--model` names.
    pub fn kind(&self) -> Option<Kind> {
        self.model.map(Kind::from)
    }

    /// The file's settings or the task's defaults, with the flags over them.
    pub fn settings(&self, task: TaskName) -> Result<Settings, elman::Error> {
        let mut s = match &self.config {
            Some(path) => Settings::read_over(task, path)?,
            None => Settings::of(task),
        };
        for (files, setting) in
            [(&self.data, &mut s.data.train), (&self.valid, &mut s.data.valid), (&self.test, &mut s.data.test)]
        {
            if !files.is_empty() {
                setting.clone_from(files);
            }
        }
        let (d, m, p, t) = (&mut s.data, &mut s.model, &mut s.dropout, &mut s.train);
        set! {
            self.encoding => d.encoding, self.min_count => d.min_count, self.vocab_size => d.vocabulary,
            self.model => m.kind, self.cell => m.cell, self.layers => m.layers, self.hidden => m.hidden,
            self.embedding => m.embedding, self.characters => m.characters, self.heads => m.heads, self.members => m.members,
            self.dropout => p.input, self.dropout => p.between, self.dropout => p.output, self.dropout_words => p.words,
            self.batch => t.batch, self.epochs => t.epochs, self.max_steps => t.max_steps,
            self.early_stop => t.early_stop, self.smoothing => t.smoothing,
            self.checkpoint_seconds => t.checkpoint_seconds, self.seed => s.seed,
            self.rate => s.optimiser.rate, self.decay => s.optimiser.decay, self.clip => s.optimiser.clip_norm,
            self.average_from => s.optimiser.average_from,
            self.schedule => s.schedule.kind, self.warmup => s.schedule.warmup,
        }
        if let Some(directions) = self.directions {
            m.bidirectional = directions == 2;
        }
        if self.decay.is_some_and(|d| d > 0.0) {
            s.optimiser.rule = RuleName::Adamw;
        }
        Ok(s)
    }

    /// Refuses flags that the settings have no use for.
    fn check(&self, settings: &Settings) -> Result<(), elman::Error> {
        let m = &settings.model;
        let flag = match (m.kind, m.decoder) {
            (Kind::Recurrent, Kind::Recurrent) if self.heads.is_some() => "--heads is of a transformer",
            (Kind::Transformer, _) if self.directions.is_some() => "--directions is of recurrent layers",
            _ => return Ok(()),
        };
        Err(elman::Error::Refused(format!("{flag}: leave it out, or choose with --model")))
    }

    /// Trains once for each of `folds` shares of the examples, tests on the share, and says mean and spread.
    pub fn folds(&self, settings: Settings, folds: usize) -> Result<Outcome, elman::Error> {
        self.check(&settings)?;
        let out = self.out.clone().unwrap_or_else(|| default_folder(&settings));
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        let stop = stop_on_interrupt(None)?;
        let shown = train_folds(&settings, folds, &out, machine, stop, &mut |event| match event {
            Event::Training(fold, event) => {
                if let elman::task::Event::Evaluation(e) = event {
                    eprintln!("fold {fold}  epoch {}  valid {:.4}  {:.0} s", e.epoch, e.values[0].1, e.seconds);
                }
            }
            Event::Tested(fold, score) => eprintln!("fold {fold}: test {score:.4}"),
        })?;
        Ok(match shown {
            Ended::Finished(folds) => Outcome::good(folds.to_string()),
            Ended::Stopped(fold) => Outcome::interrupted(format!("stopped in fold {fold}; the same command goes on\n")),
        })
    }

    /// Trains.
    pub fn train(&self, settings: Settings) -> Result<Outcome, elman::Error> {
        self.check(&settings)?;
        train(settings, self.out.as_deref(), &self.machine)
    }
}

fn train(settings: Settings, out: Option<&Path>, machine: &Machine) -> Result<Outcome, elman::Error> {
    settings.check()?;
    let out = out.map_or_else(|| default_folder(&settings), Path::to_path_buf);
    let machine = elman::train::Machine { threads: machine.threads(), isa: machine.isa()? };
    let stop = stop_on_interrupt(Some(&out))?;
    let mut watch = WatchTask::new(elman::cell_check::warnings(&settings.model.cell));
    let ended = elman::task::train(settings, &out, machine, &mut |event| watch.show(&event), stop);
    watch.close();
    Ok(WatchTask::ended(ended?, &out))
}

/// `runs/FILE-TASK`
fn default_folder(settings: &Settings) -> PathBuf {
    let file = settings.data.train.first().map_or("", String::as_str);
    let stem = Path::new(file).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default().to_string();
    Path::new("runs").join(format!("{stem}-{}", settings.task.name()))
}
