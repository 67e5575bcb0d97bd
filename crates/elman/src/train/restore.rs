//! A run to a checkpoint and back.

use super::progress::Record;
use super::training::Training;
use crate::error::Error;
use crate::model::State;
use crate::run::folder::{CELL, CONFIG, MODEL};
use crate::run::{Checkpoint, Folder, checkpoint};
use crate::tensors::{Lent, TensorFile};
use elman_engine::Tensor;
use elman_engine::optimise::Average;

impl Training {
    /// The parameters under their names.
    pub(super) fn model_tensors(&self) -> Vec<Lent<'_, f32>> {
        named("", self.lm.parameters(), self.lm.weights())
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// Parameters that are no numbers, and what the file system says; the last checkpoint stays.
    pub(super) fn save(&mut self, folder: &Folder) -> Result<(), Error> {
        self.progress.rule_steps = self.optimiser.steps();
        self.progress.averaged = self.average.as_ref().map(|a| a.count);
        self.generation = {
            let parameters = self.lm.parameters();
            let mut all = named("weights.", parameters, self.lm.weights());
            if let Some(t) = all.iter().find(|t| t.data.iter().any(|x| !x.is_finite())) {
                let (step, name) = (self.progress.step, t.name.trim_start_matches("weights."));
                return Err(Error::Diverged(format!(
                    "step {step}: parameter `{name}` holds a number that is not finite"
                )));
            }
            for k in 0..self.optimiser.rule().moments() {
                let moments = self.optimiser.moments().iter().map(|m| &m[k]);
                all.extend(named(&format!("moments.{k}."), parameters, moments));
            }
            if let Some(a) = &self.average {
                all.extend(named("average.", parameters, &a.parameters));
            }
            for (l, states) in self.state.0.iter().enumerate() {
                for (s, data) in states.iter().enumerate() {
                    let shape = vec![data.len()];
                    all.push(Lent { name: format!("state.{l}.{s}"), shape, data });
                }
            }
            let record = Record { progress: self.progress.clone(), ..self.made_with.clone() };
            checkpoint::save(folder, self.generation, &record, &all)?
        };
        Ok(())
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// A text or a cell that has changed since, tensors of another model.
    pub(super) fn restore(&mut self, folder: &Folder, found: Checkpoint<Record>) -> Result<(), Error> {
        let Checkpoint { generation, state: record, tensors } = found;
        if record.cell != self.made_with.cell {
            let since = "changed since the checkpoint was written; put it back, or train again";
            let (file, message) = match self.lm.spec().body.cell() {
                Some(_) => (CELL, format!("has {since} with the new cell")),
                None => (CONFIG, format!("model.heads has {since}")),
            };
            return Err(Error::Refused(format!("{}: {message}", folder.join(file).display())));
        }
        if record.text != self.made_with.text {
            let data = &self.config.data;
            let file = data.valid.as_ref().map_or(data.train.clone(), |valid| format!("{} or {valid}", data.train));
            let what = if self.feed.carries() { "text" } else { "made data" };
            let message = "has changed since the checkpoint was written; put it back, or train again";
            return Err(Error::Refused(format!("{file}: the {what} {message}")));
        }
        let parameters = self.lm.parameters().to_vec();
        let weights = read(&tensors, "weights.", &parameters)?;
        self.lm.update(|w| w.clone_from_slice(&weights));
        let mut moments: Vec<Vec<Vec<f32>>> = parameters.iter().map(|_| vec![]).collect();
        for k in 0..self.optimiser.rule().moments() {
            let all = read(&tensors, &format!("moments.{k}."), &parameters)?;
            moments.iter_mut().zip(all).for_each(|(m, v)| m.push(v));
        }
        if !self.optimiser.restore(moments, record.progress.rule_steps) {
            return Err(Error::Refused(format!("{}: moments of another rule", tensors.file())));
        }
        self.average = match record.progress.averaged {
            Some(count) => Some(Average { parameters: read(&tensors, "average.", &parameters)?, count }),
            None => None,
        };
        self.state = State(self.read_states(&tensors)?);
        self.generation = generation;
        self.progress = record.progress;
        self.progress.finished = self.progress.epoch >= self.config.train.epochs
            || (self.progress.finished && self.progress.step >= self.plan.steps)
            || self.stopped_early();
        if self.progress.best.is_some() && !folder.join(MODEL).is_file() {
            let file = folder.join(MODEL);
            return Err(Error::Refused(format!("{}: it is missing; put it back, or train again", file.display())));
        }
        Ok(())
    }

    fn stopped_early(&self) -> bool {
        let early = self.config.train.early_stop;
        early > 0 && self.progress.without_improvement >= early
    }

    fn read_states(&self, tensors: &TensorFile) -> Result<Vec<Vec<Vec<f32>>>, Error> {
        let mut layers = vec![];
        for (l, units) in self.lm.state_units().iter().enumerate() {
            if tensors.shape(&format!("state.{l}.0")).is_none() {
                break;
            }
            let one =
                |(s, n): (usize, &usize)| numbers(tensors, &format!("state.{l}.{s}"), &[n * self.config.train.batch]);
            layers.push(units.iter().enumerate().map(one).collect::<Result<_, _>>()?);
        }
        Ok(layers)
    }
}

/// Tensors under the names of their parameters, with something before them.
pub(crate) fn named<'a>(
    prefix: &str,
    parameters: &[Tensor],
    all: impl IntoIterator<Item = &'a Vec<f32>>,
) -> Vec<Lent<'a, f32>> {
    let one =
        |(t, data): (&Tensor, &'a Vec<f32>)| Lent { name: format!("{prefix}{}", t.name), shape: t.shape.clone(), data };
    parameters.iter().zip(all).map(one).collect()
}

fn read(tensors: &TensorFile, prefix: &str, parameters: &[Tensor]) -> Result<Vec<Vec<f32>>, Error> {
    let one = |t: &Tensor| numbers(tensors, &format!("{prefix}{}", t.name), &t.shape);
    parameters.iter().map(one).collect()
}

fn numbers(tensors: &TensorFile, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
    tensors.numbers(name, shape).map_err(|e| {
        let way = "the settings in config.toml are not those of this checkpoint: put them back, or train again";
        Error::Refused(format!("{e}; {way}"))
    })
}
