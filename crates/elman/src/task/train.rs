//! The loop: batches, steps, evaluations, checkpoints, for any task.

use super::batches::batches;
use super::progress::{Progress, Record};
use super::{Figures, Part, Settings, Task, load, show};
use crate::error::Error;
use crate::report::REPORT;
use crate::run::folder::{CELL, CONFIG, METRICS, MODEL, NewFolder};
use crate::run::{Folder, checkpoint};
use crate::tensors::{self, TensorError, TensorFile};
use crate::train::Machine;
use crate::train::restore::named;
use crate::train::schedule::{Moment, rate};
use crate::whole_file::shown;
use elman_engine::Tensor;
use elman_engine::optimise::{Average, Optimiser, Step, clip_scale, norm};
use elman_engine::tape::{Mode, Store, Tape};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Before the first step of this process.
    Begin {
        /// What is trained on what.
        words: String,
        /// Steps in all.
        steps: u64,
        /// Steps done before.
        done: u64,
    },
    /// After a step.
    Step(StepDone),
    /// After an evaluation.
    Evaluation(&'a Evaluation),
}

/// Where training is after a step.
#[derive(Clone, Copy, Debug)]
pub struct StepDone {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Epochs in all.
    pub epochs: u64,
    /// Steps so far.
    pub step: u64,
    /// Steps that are left, if nothing stops it early.
    pub left: u64,
    /// The mean loss of this epoch so far.
    pub loss: f64,
    /// Seconds a step takes in this process.
    pub seconds: f64,
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Steps so far.
    pub step: u64,
    /// The rate.
    pub rate: f64,
    /// The mean loss of this epoch.
    pub train_loss: f64,
    /// What was measured on the validation part.
    pub valid: serde_json::Map<String, serde_json::Value>,
    /// It is the best so far.
    pub improved: bool,
    /// Seconds of this process so far.
    pub seconds: f64,
    /// The same figures in order.
    #[serde(skip)]
    pub values: Vec<(String, f64)>,
}

/// How training ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// All epochs are done, or it stopped improving.
    Finished {
        /// The best validation score.
        best: f64,
        /// What it is, in words.
        scored: String,
        /// The step it was reached at.
        step: u64,
    },
    /// The flag was raised; a checkpoint is written.
    Stopped {
        /// Steps so far.
        step: u64,
    },
}

/// A run in memory.
struct Training<'t> {
    settings: Settings,
    task: &'t dyn Task,
    store: Store<f32>,
    optimiser: Optimiser<f32>,
    average: Option<Average<f32>>,
    gradients: Vec<Vec<f32>>,
    progress: Progress,
    lengths: Vec<usize>,
    /// The batches of the present epoch.
    order: Vec<Vec<usize>>,
    steps: u64,
    generation: u64,
    /// The best figures of this process, for the page.
    best: Option<Figures>,
    began: Instant,
    steps_here: u64,
    time_here: Duration,
}

/// Trains from settings into a new folder `out`.
///
/// # Errors
/// Settings, files and cells that cannot work, a folder that exists, losses that are no numbers, what the disk says.
pub fn train(
    settings: Settings,
    out: &Path,
    machine: Machine,
    watch: &mut dyn FnMut(Event),
    stop: &AtomicBool,
) -> Result<Ended, Error> {
    settings.check()?;
    let new = NewFolder::beside(out)?;
    let mut settings = settings.resolved();
    let task = load::fresh(&settings)?;
    task.name_columns(&mut settings.data);
    let mut training = Training::new(settings, task.as_ref(), machine)?;
    if let Some(folder) = new.folder() {
        let written = training.write_settings(folder).and_then(|()| training.save(folder));
        written.map_err(|e| match e {
            Error::Write { source, .. } => Error::Write { file: shown(out), source },
            other => other,
        })?;
    }
    let folder = new.publish()?;
    training.run(&folder, watch, stop).map_err(|e| with_way_out(e, &folder))
}

/// Goes on with the run in `path`, from its last checkpoint or, with `previous`, from the one before.
///
/// # Errors
/// No run, no checkpoint or a damaged one, examples that have changed, and as [`train`].
pub fn resume(
    path: &Path,
    previous: bool,
    machine: Machine,
    watch: &mut dyn FnMut(Event),
    stop: &AtomicBool,
) -> Result<Ended, Error> {
    let mut folder = Folder::open(path)?;
    let settings = Settings::read(&folder.join(CONFIG))?;
    checkpoint::find(&folder, previous)?;
    folder.lock()?;
    let found = checkpoint::load::<Record>(&folder, previous)?;
    let task = load::again(&settings, &folder)?;
    let mut training = Training::new(settings, task.as_ref(), machine)?;
    training.restore(found.state, &found.tensors)?;
    training.generation = found.generation;
    training.run(&folder, watch, stop).map_err(|e| with_way_out(e, &folder))
}

fn with_way_out(error: Error, folder: &Folder) -> Error {
    let name = folder.name();
    match error {
        Error::Write { file, source } | Error::Tensors(TensorError::Io { file, source }) => {
            let way =
                format!("the last checkpoint is whole: make room or make it writable, then `elman resume {name}`");
            Error::Refused(format!("{file}: {source}; {way}"))
        }
        Error::Diverged(why) => {
            let file = folder.join(CONFIG);
            let way = format!("lower optimiser.rate in {} and `elman resume {name}`, or train again", file.display());
            Error::Diverged(format!("{why}; the last good checkpoint is kept: {way}"))
        }
        _ => error,
    }
}

impl<'t> Training<'t> {
    fn new(settings: Settings, task: &'t dyn Task, machine: Machine) -> Result<Training<'t>, Error> {
        let store = Store::new(task.blueprint().clone(), settings.seed, machine.isa, machine.threads)?;
        let counts: Vec<usize> = store.weights().iter().map(Vec::len).collect();
        let lengths: Vec<usize> = (0..task.count(Part::Train)).map(|i| task.length(Part::Train, i)).collect();
        if lengths.is_empty() {
            return Err(Error::Refused("there is no training example".into()));
        }
        let epoch = lengths.len().div_ceil(settings.train.batch) as u64;
        let all = settings.train.epochs.saturating_mul(epoch);
        let steps = settings.train.max_steps.map_or(all, |most| most.min(all));
        let average = (settings.optimiser.average_from == Some(1)).then(|| Average::start(store.weights()));
        let order = batches(&lengths, settings.train.batch, settings.seed, 0);
        Ok(Training {
            optimiser: Optimiser::new(settings.optimiser.rule(), &counts),
            average,
            gradients: store.no_gradients(),
            progress: Progress::default(),
            order,
            lengths,
            steps,
            generation: 0,
            best: None,
            began: Instant::now(),
            steps_here: 0,
            time_here: Duration::ZERO,
            settings,
            task,
            store,
        })
    }

    fn write_settings(&self, folder: &Folder) -> Result<(), Error> {
        let cell = crate::cells::find(&self.settings.model.cell)?;
        folder.write(CELL, cell.source.into_bytes())?;
        self.task.write(folder)?;
        self.task.lengths().write(folder)?;
        folder.write(METRICS, vec![])?;
        folder.write(CONFIG, self.settings.to_toml()?.into_bytes())
    }

    fn run(&mut self, folder: &Folder, watch: &mut dyn FnMut(Event), stop: &AtomicBool) -> Result<Ended, Error> {
        self.began = Instant::now();
        let parameters = self.store.blueprint().count();
        let mut words = format!("{}\n{parameters} parameters, {} steps", self.task.words(), self.steps);
        if let Some(file) = self.settings.data.valid.iter().find(|file| self.settings.data.train.contains(file)) {
            words += &format!("\n{file} is trained on and validated on: its figures say nothing of new data");
        }
        watch(Event::Begin { words, steps: self.steps, done: self.progress.step });
        let every = Duration::from_secs_f64(self.settings.train.checkpoint_seconds);
        let mut saved = Instant::now();
        while !self.progress.finished {
            let stopping = stop.load(Ordering::Relaxed);
            if stopping || saved.elapsed() >= every {
                self.save(folder)?;
                saved = Instant::now();
            }
            if stopping {
                return Ok(Ended::Stopped { step: self.progress.step });
            }
            if self.progress.batch >= self.order.len() || self.progress.step >= self.steps {
                let Some(evaluation) = self.evaluate(folder, stop)? else { continue };
                watch(Event::Evaluation(&evaluation));
                self.save(folder)?;
                saved = Instant::now();
            } else {
                watch(Event::Step(self.step()?));
            }
        }
        let (best, step) = self.progress.best.unwrap_or((f64::NAN, self.progress.step));
        let scored = self.progress.scored.clone();
        Ok(Ended::Finished { best, scored, step })
    }

    fn rate(&self) -> f64 {
        let p = &self.progress;
        let at = Moment { step: p.step, steps: self.steps, epoch: p.epoch };
        rate(self.settings.optimiser.rate(), &self.settings.schedule, &p.plateau, at)
    }

    fn step(&mut self) -> Result<StepDone, Error> {
        let began = Instant::now();
        let rate = self.rate();
        let mode = Mode::Train { seed: self.settings.seed, clock: self.progress.step };
        self.gradients.iter_mut().for_each(|g| g.fill(0.0));
        let mut tape = Tape::new(&mut self.store, mode);
        let loss = self.task.loss(&mut tape, &self.order[self.progress.batch])?;
        let mean = f64::from(tape.value(loss.mean)[0]);
        tape.backward_into(loss.mean, &mut self.gradients)?;
        let norm = norm(self.store.team(), &self.gradients);
        if !(mean.is_finite() && norm.is_finite()) {
            return Err(self.diverged(mean));
        }
        let o = &self.settings.optimiser;
        let scale = if o.clip_norm > 0.0 { clip_scale(norm, o.clip_norm) } else { 1.0 };
        let step = Step { rate, decay: o.decay, frozen: false, scale };
        let steps = vec![step; self.gradients.len()];
        let (optimiser, gradients) = (&mut self.optimiser, &self.gradients);
        self.store.update(|weights, team| optimiser.step(team, weights, gradients, &steps));
        if let Some(average) = &mut self.average {
            average.add(self.store.weights());
        }
        let p = &mut self.progress;
        p.batch += 1;
        p.step += 1;
        p.loss += mean * loss.units as f64;
        p.units += loss.units as u64;
        self.steps_here += 1;
        self.time_here += began.elapsed();
        let p = &self.progress;
        Ok(StepDone {
            epoch: p.epoch + 1,
            epochs: self.settings.train.epochs,
            step: p.step,
            left: self.steps.saturating_sub(p.step),
            loss: p.loss / p.units.max(1) as f64,
            seconds: self.time_here.as_secs_f64() / self.steps_here as f64,
        })
    }

    fn diverged(&self, loss: f64) -> Error {
        let bad = |all: &[Vec<f32>]| all.iter().position(|v| v.iter().any(|x| !x.is_finite()));
        let name = |k: usize| &self.store.parameters()[k].name;
        let what = match (bad(self.store.weights()), bad(&self.gradients)) {
            (Some(k), _) => format!("parameter `{}` holds it", name(k)),
            (None, Some(k)) => format!("first in the gradient of `{}`", name(k)),
            (None, None) => "no parameter holds it: a sum overflowed".into(),
        };
        let loss = if loss.is_finite() { "a gradient is not finite".into() } else { format!("the loss is {loss}") };
        Error::Diverged(format!("step {}: {loss}, {what}", self.progress.step + 1))
    }

    fn evaluate(&mut self, folder: &Folder, stop: &AtomicBool) -> Result<Option<Evaluation>, Error> {
        let own = self.average.as_ref().map(|a| (self.store.weights().to_vec(), a.parameters.clone()));
        if let Some((_, average)) = &own {
            self.store.update(|w, _| w.clone_from_slice(average));
        }
        let fitted = self.task.fit(&mut self.store);
        let figures = fitted.and_then(|()| self.task.evaluate(&mut self.store, Part::Valid, stop));
        let outcome = match figures {
            Ok(Some(figures)) => self.keep_best(folder, &figures).map(|improved| Some((figures, improved))),
            Ok(None) => Ok(None),
            Err(e) => Err(e),
        };
        if let Some((weights, _)) = &own {
            self.store.update(|w, _| w.clone_from_slice(weights));
        }
        let Some((figures, improved)) = outcome? else { return Ok(None) };
        let p = &self.progress;
        let evaluation = Evaluation {
            epoch: p.epoch + 1,
            step: p.step,
            rate: self.rate(),
            train_loss: p.loss / p.units.max(1) as f64,
            valid: figures.values.iter().map(|(name, value)| (name.clone(), (*value).into())).collect(),
            improved,
            seconds: self.began.elapsed().as_secs_f64(),
            values: figures.values.clone(),
        };
        self.move_on(improved, &figures);
        let line = serde_json::to_string(&evaluation).map_err(|e| Error::Refused(format!("metrics: {e}")))?;
        self.progress.metrics = folder.append_metrics(self.progress.metrics, &(line + "\n"))?;
        if improved {
            self.best = Some(figures.told(&self.task.lengths())?);
        }
        if let Some(best) = &self.best {
            show::write(folder, REPORT, &self.settings, &self.task.words(), show::VALIDATION, best)?;
        }
        Ok(Some(evaluation))
    }

    fn keep_best(&mut self, folder: &Folder, figures: &Figures) -> Result<bool, Error> {
        let p = &self.progress;
        let lower = || figures.loss().zip(p.best_loss).is_some_and(|(loss, best)| loss < best);
        let improved = p.best.is_none_or(|(best, _)| figures.score > best || (figures.score == best && lower()));
        if improved {
            let path = folder.join(MODEL);
            let model = named("", self.store.parameters(), self.store.weights());
            let file = tensors::write_lent(&path, &model)?;
            folder.publish(MODEL, Ok(file))?;
        }
        Ok(improved)
    }

    fn move_on(&mut self, improved: bool, figures: &Figures) {
        let p = &mut self.progress;
        p.without_improvement = if improved { 0 } else { p.without_improvement + 1 };
        if improved {
            (p.best, p.best_loss) = (Some((figures.score, p.step)), figures.loss());
            p.scored = figures.scored.into();
        }
        p.plateau.evaluated(&self.settings.schedule, improved);
        let early = self.settings.train.early_stop;
        let ends = p.step >= self.steps || (early > 0 && p.without_improvement >= early);
        (p.epoch, p.batch, p.loss, p.units, p.finished) = (p.epoch + 1, 0, 0.0, 0, ends);
        let epoch = p.epoch;
        if self.average.is_none() && self.settings.optimiser.average_from.is_some_and(|from| epoch + 1 >= from) {
            self.average = Some(Average::start(self.store.weights()));
        }
        self.order = batches(&self.lengths, self.settings.train.batch, self.settings.seed, epoch);
    }

    fn save(&mut self, folder: &Folder) -> Result<(), Error> {
        self.progress.rule_steps = self.optimiser.steps();
        self.progress.averaged = self.average.as_ref().map(|a| a.count);
        let parameters = self.store.parameters();
        let mut all = named("weights.", parameters, self.store.weights());
        if let Some(t) = all.iter().find(|t| t.data.iter().any(|x| !x.is_finite())) {
            let (step, name) = (self.progress.step, t.name.trim_start_matches("weights."));
            return Err(Error::Diverged(format!("step {step}: parameter `{name}` holds a number that is not finite")));
        }
        for k in 0..self.optimiser.rule().moments() {
            let moments = self.optimiser.moments().iter().map(|m| &m[k]);
            all.extend(named(&format!("moments.{k}."), parameters, moments));
        }
        if let Some(a) = &self.average {
            all.extend(named("average.", parameters, &a.parameters));
        }
        let record = Record { progress: self.progress.clone(), data: self.task.fingerprint() };
        self.generation = checkpoint::save(folder, self.generation, &record, &all)?;
        Ok(())
    }

    fn restore(&mut self, record: Record, tensors: &TensorFile) -> Result<(), Error> {
        if record.data != self.task.fingerprint() {
            let files = self.settings.data.train.join(", ");
            let message = "the examples have changed since the checkpoint was written; put them back, or train again";
            return Err(Error::Refused(format!("{files}: {message}")));
        }
        let parameters = self.store.parameters().to_vec();
        let weights = read(tensors, "weights.", &parameters)?;
        self.store.update(|w, _| w.clone_from_slice(&weights));
        let mut moments: Vec<Vec<Vec<f32>>> = parameters.iter().map(|_| vec![]).collect();
        for k in 0..self.optimiser.rule().moments() {
            let all = read(tensors, &format!("moments.{k}."), &parameters)?;
            moments.iter_mut().zip(all).for_each(|(m, v)| m.push(v));
        }
        if !self.optimiser.restore(moments, record.progress.rule_steps) {
            return Err(Error::Refused(format!("{}: moments of another rule", tensors.file())));
        }
        self.average = match record.progress.averaged {
            Some(count) => Some(Average { parameters: read(tensors, "average.", &parameters)?, count }),
            None => None,
        };
        self.progress = record.progress;
        self.order = batches(&self.lengths, self.settings.train.batch, self.settings.seed, self.progress.epoch);
        if self.progress.step < self.steps && self.settings.train.early_stop == 0 {
            self.progress.finished = false;
        }
        Ok(())
    }
}

pub(super) fn read(tensors: &TensorFile, prefix: &str, parameters: &[Tensor]) -> Result<Vec<Vec<f32>>, Error> {
    let one = |t: &Tensor| {
        tensors.numbers(&format!("{prefix}{}", t.name), &t.shape).map_err(|e| {
            let way = "the settings in config.toml are not those of this file: put them back, or train again";
            Error::Refused(format!("{e}; {way}"))
        })
    };
    parameters.iter().map(one).collect()
}
