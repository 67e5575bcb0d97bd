//! One step of training, and one evaluation.

use super::average;
use super::event::{Evaluation, StepDone};
use super::made::Right;
use super::page;
use super::schedule::{Moment, rate};
use super::score::{Score, TextScore};
use super::training::Training;
use crate::error::Error;
use crate::model::{Draw, State};
use crate::run::Folder;
use crate::run::config::LossScale;
use crate::run::folder::MODEL;
use crate::tensors;
use elman_engine::optimise::{Average, Step, clip_scale, clip_value, norm};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

impl Training {
    /// Trains on the next window or batch.
    ///
    /// # Errors
    /// Numbers that are no numbers: nothing has changed then.
    pub(super) fn step(&mut self) -> Result<StepDone, Error> {
        self.step_at(self.rate())
    }

    /// The same at another rate than the schedule's.
    pub(super) fn step_at(&mut self, rate: f64) -> Result<StepDone, Error> {
        let began = Instant::now();
        let train = &self.config.train;
        let carries = self.feed.carries();
        let span = self.feed.next(train, &self.progress)?;
        let (steps, tokens) = (span.steps, span.tokens());
        let scale = 1.0
            / match train.loss {
                LossScale::Column => span.columns as f64,
                LossScale::Token => span.scored_places() as f64,
            };
        let draw = Draw { dropout: self.config.dropout, seed: self.config.seed, clock: self.progress.clock };
        let losses = self.lm.train(span, &mut self.state, &draw, scale, &mut self.gradients)?;
        if !carries {
            self.state = State::default();
        }
        let loss: f64 = losses.iter().sum();
        let (norm, scale) = self.clip();
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(self.diverged(loss));
        }
        self.update(rate, scale);
        let p = &mut self.progress;
        p.window += 1;
        p.step += 1;
        p.clock += steps as u64;
        p.tokens += tokens as u64;
        p.loss += loss;
        p.loss_tokens += losses.len() as u64;
        self.tokens_here += tokens as u64;
        self.time_here += began.elapsed();
        Ok(self.done(rate, norm))
    }

    fn done(&self, rate: f64, norm: f64) -> StepDone {
        let p = &self.progress;
        StepDone {
            epoch: p.epoch + 1,
            epochs: self.config.train.epochs,
            window: p.window,
            windows: self.plan.windows,
            step: p.step,
            left: self.plan.steps.saturating_sub(p.step),
            loss: p.loss / p.loss_tokens as f64,
            rate,
            norm,
            steps_here: p.step - self.plan.done,
            tokens: self.tokens_here,
            seconds: self.time_here.as_secs_f64(),
        }
    }

    /// Clips by value; the norm before, and the scale that clips by norm.
    fn clip(&mut self) -> (f64, f64) {
        let o = &self.config.optimiser;
        let norm = norm(self.lm.team(), &self.gradients);
        if o.clip_value > 0.0 {
            clip_value(&mut self.gradients, o.clip_value);
        }
        (norm, if o.clip_norm > 0.0 { clip_scale(norm, o.clip_norm) } else { 1.0 })
    }

    fn rate(&self) -> f64 {
        let p = &self.progress;
        let at = Moment { step: p.step, steps: self.plan.steps, epoch: p.epoch };
        rate(self.config.optimiser.rate(), &self.config.schedule, &p.plateau, at)
    }

    fn update(&mut self, rate: f64, scale: f64) {
        let steps: Vec<Step> = self.ways.iter().map(|w| w.step(rate, scale)).collect();
        let Training { lm, optimiser, gradients, average, .. } = self;
        lm.update_on(|weights, team| optimiser.step(team, weights, gradients, &steps));
        if let Some(average) = average {
            average.add(lm.weights());
        }
    }

    /// The error that names where numbers stopped being numbers.
    fn diverged(&self, loss: f64) -> Error {
        let bad = |all: &[Vec<f32>]| all.iter().position(|v| v.iter().any(|x| !x.is_finite()));
        let name = |k: usize| &self.lm.parameters()[k].name;
        let what = match (bad(self.lm.weights()), bad(&self.gradients)) {
            (Some(k), _) => format!("parameter `{}` holds it", name(k)),
            (None, Some(k)) => format!("first in the gradient of `{}`", name(k)),
            (None, None) => "no parameter holds it: a sum overflowed".into(),
        };
        let p = &self.progress;
        let loss = if loss.is_finite() { "a gradient is not finite".into() } else { format!("the loss is {loss}") };
        Error::Diverged(format!("step {} (epoch {}): {loss}, {what}", p.step + 1, p.epoch + 1))
    }

    /// Scores the validation part, keeps the best parameters, and moves on; `None` if `stop` was raised.
    pub(super) fn evaluate(&mut self, folder: &Folder, stop: &AtomicBool) -> Result<Option<Evaluation>, Error> {
        self.swap_average();
        let scored = self.feed.score(&mut self.lm, &self.config, stop);
        let outcome = self.after_scoring(folder, scored);
        self.swap_average();
        let Some(evaluation) = outcome? else { return Ok(None) };
        self.move_on(&evaluation);
        let line = serde_json::to_string(&evaluation).map_err(|e| Error::Refused(format!("metrics: {e}")))?;
        self.progress.metrics = folder.append_metrics(self.progress.metrics, &(line + "\n"))?;
        page::write(folder, &self.config)?;
        Ok(Some(evaluation))
    }

    fn after_scoring(
        &self,
        folder: &Folder,
        scored: Result<Option<Score>, Error>,
    ) -> Result<Option<Evaluation>, Error> {
        let Some(score) = scored? else { return Ok(None) };
        let loss = score.loss();
        if !loss.is_finite() {
            return Err(self.diverged(loss));
        }
        let p = &self.progress;
        let improved = p.best.is_none_or(|(best, _)| loss < best);
        if improved {
            let file = tensors::write_lent(&folder.join(MODEL), &self.model_tensors())?;
            folder.publish(MODEL, Ok(file))?;
        }
        let (text, symbols) = match &score {
            Score::Text(text) => (Some(text), None),
            Score::Symbols(right) => (None, Some(right)),
            Score::Numbers(_) => (None, None),
        };
        Ok(Some(Evaluation {
            epoch: p.epoch + 1,
            step: p.step,
            tokens: p.tokens,
            rate: self.rate(),
            train_loss: p.loss / p.loss_tokens as f64,
            valid_loss: loss,
            valid_perplexity: text.map(TextScore::perplexity),
            valid_bits_per_character: text.map(TextScore::bits_per_character),
            valid_accuracy: symbols.map(Right::accuracy),
            valid_whole_accuracy: symbols.map(Right::whole_accuracy),
            improved,
            averaged: self.average.is_some(),
            tokens_per_second: self.tokens_here as f64 / self.time_here.as_secs_f64().max(1e-9),
            seconds: self.began.elapsed().as_secs_f64(),
            score,
        }))
    }

    /// Puts the averaged parameters in the model's place, and back.
    fn swap_average(&mut self) {
        if let Some(average) = &mut self.average {
            self.lm.update(|w| w.swap_with_slice(&mut average.parameters));
        }
    }

    /// What an evaluation changes: the best, the schedule, averages, the epoch, the end.
    fn move_on(&mut self, evaluation: &Evaluation) {
        let p = &mut self.progress;
        p.history.push(evaluation.valid_loss);
        p.evaluated = Some(p.step);
        p.without_improvement = if evaluation.improved { 0 } else { p.without_improvement + 1 };
        if evaluation.improved {
            p.best = Some((evaluation.valid_loss, p.step));
        }
        p.plateau.evaluated(&self.config.schedule, evaluation.improved);
        let ends_epoch = p.window >= self.plan.windows;
        if self.average.is_none() && average::starts(&self.config.optimiser, p, ends_epoch) {
            self.average = Some(Average::start(self.lm.weights()));
        }
        if ends_epoch {
            p.epoch += 1;
            (p.window, p.loss, p.loss_tokens) = (0, 0.0, 0);
            self.state = State::default();
        }
        let early = self.config.train.early_stop;
        p.finished = p.epoch >= self.config.train.epochs
            || p.step >= self.plan.steps
            || (early > 0 && p.without_improvement >= early);
    }
}
