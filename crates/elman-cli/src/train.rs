//! `elman train`

mod caption;
mod classify;
mod columns;
mod common;
mod flags;
mod label;
mod rank;
mod tag;
mod translate;

use crate::outcome::Outcome;
use crate::values::Machine;
use crate::watch::{self, Watch};
use clap::{Args, Subcommand};
use elman::run::Config;
use elman::run::config::Kind;
use elman::train::find_rate::find_rate;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;

/// Rates that --find-lr tries.
const RATES: usize = 160;
/// One of so many is printed.
const ROWS: usize = 8;

/// Arguments of `elman train`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  elman train lm --data README.md --unit char --hidden 64 --epochs 2 --out runs/readme\n  elman train lm --data 'synth:memorization?length=3' --hidden 24 --epochs 1 --out runs/made\n\nEvery setting can stand in a file (--config); flags win over it. The run's folder holds all of them in config.toml."
)]
pub struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    lm: Lm,
}

/// Arguments of `elman train lm`.
#[derive(Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub struct Lm {
    /// Settings from a TOML file, such as the config.toml of another run
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    config: Option<PathBuf>,
    /// The run's folder, which must not exist or be empty [default: runs/TEXT-CELL]
    #[arg(long, value_name = "DIR", help_heading = "Run")]
    out: Option<PathBuf>,
    /// Train nothing: try rates that grow, show their losses, and propose one
    #[arg(long, conflicts_with = "out", help_heading = "Run")]
    find_lr: bool,
    #[command(flatten)]
    flags: flags::Flags,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Subcommand)]
enum Task {
    /// A language model: the next word, character or subword; with made data the answers it asks for
    #[command(
        after_help = "Example:\n  elman train lm --data README.md --unit char --hidden 64 --epochs 2 --out runs/readme"
    )]
    Lm(Box<Lm>),
    /// A text, a picture or a series → one of several labels
    Classify(Box<classify::Classify>),
    /// A sequence → a shorter one, without alignment: pictures of a line, sounds
    Label(Box<label::Label>),
    /// Words → a tag each
    Tag(Box<tag::Tag>),
    /// A text → another text: a translation, a summary, an answer
    Translate(Box<translate::Translate>),
    /// A query → the documents that answer it
    Rank(Box<rank::Rank>),
    /// A picture → words
    Caption(Box<caption::Caption>),
}

/// The command line with the task that its `--config` names, where it names none itself: so the flags are those of the task.
pub fn with_task(mut words: Vec<OsString>) -> Vec<OsString> {
    let flag_next = words.get(2).is_some_and(|word| word.to_string_lossy().starts_with("--"));
    if words.get(1).is_none_or(|word| word != "train") || !flag_next {
        return words;
    }
    let after = words.iter().position(|word| word == "--config").and_then(|at| words.get(at + 1)).map(PathBuf::from);
    let joined = || words.iter().find_map(|word| Some(PathBuf::from(word.to_str()?.strip_prefix("--config=")?)));
    if let Some(task) = after.or_else(joined).and_then(|path| elman::task::named(&path)) {
        words.insert(2, task.name().into());
    }
    words
}

impl Arguments {
    /// Trains.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        match self.task {
            Some(Task::Lm(lm)) => lm.run(true),
            Some(Task::Classify(task)) => task.run(),
            Some(Task::Label(task)) => task.run(),
            Some(Task::Tag(task)) => task.run(),
            Some(Task::Translate(task)) => task.run(),
            Some(Task::Rank(task)) => task.run(),
            Some(Task::Caption(task)) => task.run(),
            None => self.lm.run(false),
        }
    }
}

impl Lm {
    fn run(self, named: bool) -> Result<Outcome, elman::Error> {
        if let Some((path, task)) = self.config.as_ref().and_then(|path| Some((path, elman::task::named(path)?))) {
            let (file, task) = (path.display(), task.name());
            let message = format!("{file}: the settings are of the task `{task}`: elman train {task} --config {file}");
            return Err(elman::Error::Refused(message));
        }
        let config = self.settings(named)?;
        if self.find_lr {
            return self.find_rate(config);
        }
        let out = match self.out {
            Some(out) => out,
            None => watch::default_folder(&config),
        };
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        let stop = watch::stop_on_interrupt(Some(&out))?;
        let warnings = match config.model.kind {
            Kind::Recurrent => elman::cell_check::warnings(&config.model.cell),
            Kind::Transformer => String::new(),
        };
        let mut watch = Watch::new(warnings);
        let ended = elman::train::train(config, &out, machine, &mut |event| watch.show(&event), stop);
        watch.close();
        Ok(watch.ended(ended?, &out))
    }

    /// Shows the losses of growing rates.
    fn find_rate(&self, config: Config) -> Result<Outcome, elman::Error> {
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        let sweep = find_rate(config, machine, RATES, watch::stop_on_interrupt(None)?)?;
        let mut text = String::from("rate        loss\n");
        for p in sweep.points.iter().step_by(ROWS) {
            let _ = writeln!(text, "{:<10.2e}  {:.4}", p.rate, p.loss);
        }
        match sweep.rate {
            Some(rate) => Ok(Outcome::good(text + &format!("the loss falls fastest at --rate {rate:.1e}\n"))),
            None => Ok(Outcome::good(text).with_remarks("the loss falls at no rate\n").with_good(false)),
        }
    }

    /// The file's settings, with the flags over them.
    fn settings(&self, named: bool) -> Result<Config, elman::Error> {
        let mut config = match &self.config {
            Some(path) => Config { program: Config::default().program, ..Config::read(path)? },
            None => Config::default(),
        };
        if !named && self.config.is_none() {
            let data = self.flags.data().unwrap_or("FILE");
            let message = format!(
                "what to train is missing: `elman train {data}` tells which task is for it, such as `elman train lm --data {data}`; or --config FILE"
            );
            Arguments::augment_args(clap::Command::new("elman train"))
                .error(clap::error::ErrorKind::MissingRequiredArgument, message)
                .exit();
        }
        self.flags.apply(&mut config);
        self.flags.check(&config)?;
        config.check()?;
        Ok(config)
    }
}
