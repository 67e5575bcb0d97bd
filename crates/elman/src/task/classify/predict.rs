//! A trained classifier, and what it says of new texts.

use super::data::RawInput;
use super::model::Model;
use crate::error::Error;
use crate::task::settings::Dropout;
use crate::task::{Opened, open};
use crate::train::Machine;
use elman_engine::tape::{Mode, Store, Tape};
use serde::Serialize;
use std::path::Path;

/// A trained classifier.
pub struct Classifier {
    model: Model,
    store: Store<f32>,
    dropout: Dropout,
    /// The encoding of its texts.
    pub encoding: Option<String>,
}

/// What it says of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The most probable label.
    pub label: String,
    /// Its probability.
    pub probability: f64,
    /// Labels with their probabilities, the most probable first.
    pub labels: Vec<(String, f64)>,
}

impl Classifier {
    /// Reads a run.
    ///
    /// # Errors
    /// No run, no model yet, damaged files.
    pub fn load(path: &Path, machine: Machine) -> Result<Classifier, Error> {
        Classifier::of(&open(path)?, machine)
    }

    /// The same of a run that is open.
    ///
    /// # Errors
    /// As [`Classifier::load`].
    pub fn of(opened: &Opened, machine: Machine) -> Result<Classifier, Error> {
        let model = Model::again(&opened.settings, &opened.folder)?;
        let store = opened.store(&model.blueprint, machine)?;
        let encoding = opened.settings.data.encoding.clone();
        Ok(Classifier { model, store, dropout: opened.settings.dropout, encoding })
    }

    /// What each of some texts is.
    ///
    /// # Errors
    /// What the engine says.
    pub fn classify(&mut self, texts: &[String]) -> Result<Vec<Answer>, Error> {
        let inputs: Vec<_> = texts.iter().map(|t| self.model.input(&RawInput::Text(t.clone()))).collect();
        let mut tape = Tape::new(&mut self.store, Mode::Infer);
        let logits = self.model.logits(&mut tape, &inputs.iter().collect::<Vec<_>>(), &self.dropout)?;
        let labels = &self.model.labels;
        let answer = |row: &[f32]| {
            let mut all: Vec<(String, f64)> = labels.entries().iter().cloned().zip(probabilities(row)).collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            Answer { label: all[0].0.clone(), probability: all[0].1, labels: all }
        };
        Ok(tape.value(logits).chunks_exact(labels.len()).map(answer).collect())
    }
}

/// softmax
pub(super) fn probabilities(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().fold(f32::NEG_INFINITY, |m, z| m.max(*z));
    let all: Vec<f64> = logits.iter().map(|z| f64::from(z - largest).exp()).collect();
    let sum: f64 = all.iter().sum();
    all.iter().map(|e| e / sum).collect()
}

/// The place of the largest; of equal ones the first.
pub(super) fn largest(p: &[f64]) -> usize {
    p.iter().enumerate().fold(0, |best, (i, x)| if *x > p[best] { i } else { best })
}
