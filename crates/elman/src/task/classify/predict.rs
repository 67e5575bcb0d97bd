//! A trained classifier, and what it says of new texts.

use super::data::{Input, RawInput};
use super::model::Model;
use super::{SIDE_BY_SIDE, files};
use crate::data::sniff;
use crate::error::Error;
use crate::task::settings::{Dropout, PictureSteps};
use crate::task::{Opened, open};
use crate::train::Machine;
use elman_engine::tape::Store;
use serde::Serialize;
use std::path::Path;

/// A trained classifier.
pub struct Classifier {
    model: Model,
    store: Store<f32>,
    dropout: Dropout,
    steps: PictureSteps,
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
        let (dropout, steps) = (opened.settings.dropout, opened.settings.data.pictures);
        Ok(Classifier { model, store, dropout, steps, encoding })
    }

    /// What each of some texts is.
    ///
    /// # Errors
    /// A model of pictures or series; what the engine says.
    pub fn classify(&mut self, texts: &[String]) -> Result<Vec<Answer>, Error> {
        let inputs: Result<Vec<Input>, Error> =
            texts.iter().map(|t| self.model.input(RawInput::text(t), "the text")).collect();
        self.answers(&inputs?)
    }

    /// The labels that it answers with.
    pub fn labels(&self) -> &[String] {
        self.model.labels.entries()
    }

    /// Whether it reads pictures or series, not texts.
    pub fn reads_numbers(&self) -> bool {
        self.model.numbers().is_some()
    }

    /// What each picture or series of a file is, in order, with its place in the file.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, numbers of another shape, what `each` returns.
    pub fn classify_file(
        &mut self,
        file: &str,
        each: &mut dyn FnMut(&str, Answer) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(numbers) = files::numbers(file, None)? else {
            let message = "the model reads pictures (idx, CIFAR-10, a folder of PNG) or series (.ts, .npy, .npz)";
            let found = match file {
                "-" => "a file is wanted".into(),
                file => format!("this is {}", sniff(file)?.name()),
            };
            return Err(Error::Refused(format!("{file}: {found}, and {message}; name one with --data")));
        };
        let mut all = numbers.examples(self.steps).into_iter().peekable();
        while all.peek().is_some() {
            let some: Vec<_> = all.by_ref().take(SIDE_BY_SIDE).collect();
            let places: Vec<String> = some.iter().map(|(place, ..)| place.clone()).collect();
            let input = |(place, grid, _): (String, _, _)| self.model.input(RawInput::Numbers(grid), &place);
            let inputs: Vec<Input> = some.into_iter().map(input).collect::<Result<_, Error>>()?;
            for (place, answer) in places.iter().zip(self.answers(&inputs)?) {
                each(place, answer)?;
            }
        }
        Ok(())
    }

    fn answers(&mut self, inputs: &[Input]) -> Result<Vec<Answer>, Error> {
        let logits = self.model.logits(&mut self.store, &inputs.iter().collect::<Vec<_>>(), &self.dropout)?;
        let labels = &self.model.labels;
        let answer = |row: &[f32]| {
            let mut all: Vec<(String, f64)> = labels.entries().iter().cloned().zip(probabilities(row)).collect();
            all.sort_by(|a, b| b.1.total_cmp(&a.1));
            Answer { label: all[0].0.clone(), probability: all[0].1, labels: all }
        };
        Ok(logits.chunks_exact(labels.len()).map(answer).collect())
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
