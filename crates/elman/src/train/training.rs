//! A run from its settings to its best parameters.

use super::event::{Ended, Event};
use super::feed::Feed;
use super::groups::{Way, ways};
use super::plan::{Plan, body, spec};
use super::progress::{Progress, Record, fingerprint};
use crate::cells;
use crate::error::Error;
use crate::model::{Body, Lm, Start, State};
use crate::run::folder::{CELL, CONFIG, METRICS, NewFolder};
use crate::run::{Config, Folder, checkpoint};
use crate::tensors::TensorError;
use crate::whole_file::shown;
use elman_engine::optimise::{Average, Optimiser};
use elman_engine::{Isa, Options};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a run is computed on; changes no bit of it.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Threads, the caller's included.
    pub threads: usize,
    /// The instruction set.
    pub isa: Isa,
}

impl Default for Machine {
    /// One thread, the fastest instruction set.
    fn default() -> Machine {
        Machine { threads: 1, isa: Isa::detect() }
    }
}

/// A run in memory.
pub struct Training {
    pub(super) config: Config,
    pub(super) feed: Feed,
    pub(super) lm: Lm<f32>,
    pub(super) optimiser: Optimiser<f32>,
    pub(super) average: Option<Average<f32>>,
    pub(super) gradients: Vec<Vec<f32>>,
    /// What the last window hands to the next.
    pub(super) state: State<f32>,
    pub(super) progress: Progress,
    pub(super) ways: Vec<Way>,
    pub(super) plan: Plan,
    /// What stays the same in every checkpoint.
    pub(super) made_with: Record,
    /// The last checkpoint's number.
    pub(super) generation: u64,
    /// Tokens and time of training steps in this process.
    pub(super) tokens_here: u64,
    pub(super) time_here: Duration,
    pub(super) began: Instant,
}

/// Trains from settings into a new folder `out`.
///
/// # Errors
/// Settings, texts and cells that cannot work, a folder that exists, memory or disk that is too small, losses that are
/// no numbers. Nothing is left at `out` where no step was made.
pub fn train(
    config: Config,
    out: &Path,
    machine: Machine,
    watch: &mut dyn FnMut(Event),
    stop: &AtomicBool,
) -> Result<Ended, Error> {
    config.check()?;
    let new = NewFolder::beside(out)?;
    let config = config.resolved();
    let body = body(&config, || Ok(cells::find(&config.model.cell)?))?;
    let feed = Feed::load(&config)?;
    let mut training = Training::new(config, body, feed, machine)?;
    if let Some(folder) = new.folder() {
        let written = training.write_settings(folder).and_then(|()| training.save(folder));
        // The folder has another name so far, which says nothing to anybody.
        written.map_err(|e| match e {
            Error::Write { source, .. } => Error::Write { file: shown(out), source },
            other => other,
        })?;
    }
    let folder = new.publish()?;
    training.run(&folder, watch, stop).map_err(|e| with_way_out(e, &folder, &training.config))
}

/// Goes on with the run in `path`, from its last checkpoint or, with `previous`, from the one before.
///
/// # Errors
/// No run, no checkpoint or a damaged one, a text or a cell that has changed, and as [`train`].
pub fn resume(
    path: &Path,
    previous: bool,
    machine: Machine,
    watch: &mut dyn FnMut(Event),
    stop: &AtomicBool,
) -> Result<Ended, Error> {
    let mut folder = Folder::open(path)?;
    let config = folder.config()?;
    checkpoint::find(&folder, previous)?;
    folder.lock()?;
    let found = checkpoint::load::<Record>(&folder, previous)?;
    let (body, feed) = (body(&config, || folder.cell())?, Feed::reload(&config, &folder)?);
    let mut training = Training::new(config, body, feed, machine)?;
    training.restore(&folder, found)?;
    training.run(&folder, watch, stop).map_err(|e| with_way_out(e, &folder, &training.config))
}

/// What to do when a run ends early: the last checkpoint is whole.
fn with_way_out(error: Error, folder: &Folder, config: &Config) -> Error {
    let name = folder.name();
    match error {
        Error::Write { file, source } | Error::Tensors(TensorError::Io { file, source }) => {
            let first = match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
                _ => "make it possible to write there",
            };
            let way = format!("the last checkpoint is whole: {first}, then `elman resume {name}`");
            Error::Refused(format!("{file}: {source}; {way}"))
        }
        Error::Diverged(why) => {
            let (rate, norm) = (config.optimiser.rate(), config.optimiser.clip_norm);
            let clip = if norm > 0.0 { format!("or clip_norm ({norm:?})") } else { "or set clip_norm".into() };
            let file = folder.join(CONFIG);
            let way = format!("lower optimiser.rate ({rate:?}) {clip} in {}", file.display());
            let message = format!("{why}; the last good checkpoint is kept: {way} and `elman resume {name}`");
            Error::Diverged(format!("{message}, or train again"))
        }
        _ => error,
    }
}

impl Training {
    /// A run before its first step.
    pub(super) fn new(config: Config, body: Body, feed: Feed, machine: Machine) -> Result<Training, Error> {
        let spec = spec(&config, body, feed.form());
        let plan = Plan::new(&config, &spec, &feed, machine.threads)?;
        let start = Start { seed: config.seed, bound: config.model.init };
        let (Machine { threads, isa }, recompute) = (machine, config.train.recompute);
        let options = Options { threads, isa, backward: true, recompute, ..Options::new() };
        let lm = Lm::new(&spec, start, &options)?;
        let lengths: Vec<usize> = lm.weights().iter().map(Vec::len).collect();
        let optimiser = Optimiser::new(config.optimiser.rule(), &lengths);
        let average = (config.optimiser.average_from == Some(1)).then(|| Average::start(lm.weights()));
        let ways = ways(&config.group, config.optimiser.decay, lm.parameters())?;
        let made_with = Record {
            progress: Progress::default(),
            isa: machine.isa.name().into(),
            text: feed.fingerprint(),
            cell: fingerprint(spec.body.unshaped().bytes()),
        };
        Ok(Training {
            gradients: lm.no_gradients(),
            config,
            feed,
            lm,
            optimiser,
            average,
            state: State::default(),
            progress: Progress::default(),
            ways,
            plan,
            made_with,
            generation: 0,
            tokens_here: 0,
            time_here: Duration::ZERO,
            began: Instant::now(),
        })
    }

    /// Everything but checkpoints and what is measured.
    fn write_settings(&self, folder: &Folder) -> Result<(), Error> {
        if let Some(cell) = self.lm.spec().body.cell() {
            folder.write(CELL, cell.source.clone().into_bytes())?;
        }
        self.feed.write(folder)?;
        folder.write(METRICS, vec![])?;
        folder.write(CONFIG, self.config.to_toml()?.into_bytes())
    }

    /// Trains to the end, or until `stop` is raised.
    fn run(&mut self, folder: &Folder, watch: &mut dyn FnMut(Event), stop: &AtomicBool) -> Result<Ended, Error> {
        self.plan.done = self.progress.step;
        self.began = Instant::now();
        watch(Event::Begin(&self.plan));
        let every = Duration::from_secs_f64(self.config.train.checkpoint_seconds);
        let mut saved = Instant::now();
        while !self.progress.finished {
            let stopping = stop.load(Ordering::Relaxed);
            if stopping || saved.elapsed() >= every {
                self.save(folder)?;
                watch(Event::Saved { step: self.progress.step });
                saved = Instant::now();
            }
            if stopping {
                return Ok(Ended::Stopped { step: self.progress.step });
            }
            if self.evaluation_is_due() {
                let Some(evaluation) = self.evaluate(folder, stop)? else { continue };
                watch(Event::Evaluation(&evaluation));
                self.save(folder)?;
                saved = Instant::now();
            } else {
                watch(Event::Step(self.step()?));
            }
        }
        let (best, step) = self.progress.best.unwrap_or((f64::NAN, self.progress.step));
        Ok(Ended::Finished { best, step })
    }

    fn evaluation_is_due(&self) -> bool {
        let (p, every) = (&self.progress, self.config.train.evaluate_every);
        let at_end = p.window >= self.plan.windows || p.step >= self.plan.steps;
        at_end || (every > 0 && p.step > 0 && p.step.is_multiple_of(every) && p.evaluated != Some(p.step))
    }
}
