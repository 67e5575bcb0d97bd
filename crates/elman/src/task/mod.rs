//! Tasks that have examples: texts with labels, words with tags, pairs of texts, pictures with words.
//!
//! ```text
//! files ─▶ reader (crate::data) ─▶ examples ─▶ Task: a loss on a tape ─▶ train: epochs of batches ─▶ evaluation ─▶ the best model
//! ```
//!
//! A task is one file or folder here: how its examples become ids, what its model is made of, what is measured, and what
//! `predict` prints. [`mod@train`] knows none of them: it orders batches, steps, evaluates, saves and resumes. Results depend on
//! settings and data alone, not on threads, instruction sets or resumes.

pub mod batches;
pub mod caption;
pub mod classify;
mod columns;
pub mod encoder;
pub mod folds;
mod held_out;
pub mod label;
pub mod lexicon;
mod load;
mod predict;
mod progress;
pub mod rank;
pub mod settings;
pub mod show;
pub mod tag;
pub mod train;
pub mod translate;
mod vectors;
pub mod words;

pub use load::{Opened, TestFile, evaluate, is_one, lacks_baseline, named, open, task_of};
pub use predict::{Asked, Prediction, predict};
pub use settings::Settings;
pub use show::{Against, Beside, Lengths, Shown};
pub use train::{Ended, Evaluation, Event, resume, train};

use crate::error::Error;
use crate::run::Folder;
use elman_engine::tape::{Blueprint, Store, Tape, Var};
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::AtomicBool;

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What is learned from.
    Train,
    /// What settings are chosen by.
    Valid,
    /// For the last word.
    Test,
}

impl Part {
    /// Its name in messages and flags.
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Valid => "valid",
            Part::Test => "test",
        }
    }
}

/// The loss of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// The mean over `units`, on the tape.
    pub mean: Var,
    /// What it is the mean of: examples, words, characters.
    pub units: usize,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// What the best model is chosen by; higher is better.
    pub score: f64,
    /// What it is, in words.
    #[serde(skip)]
    pub scored: &'static str,
    /// Each figure by name.
    pub values: Vec<(String, f64)>,
    /// The label that was given to each example (classify).
    #[serde(skip)]
    pub given: Vec<usize>,
    /// Tables and remarks for a person.
    #[serde(skip)]
    pub text: String,
    /// All details: tables, intervals, counts.
    pub details: Value,
    /// What else a person is shown.
    #[serde(skip)]
    pub shown: Shown,
}

impl Figures {
    /// The loss, where it is measured.
    pub fn loss(&self) -> Option<f64> {
        self.values.iter().find(|(name, _)| name == "loss").map(|(_, loss)| *loss)
    }
}

/// What a simple model reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// For a person.
    pub words: String,
    /// For a program.
    pub json: Value,
    /// For the table of the page.
    pub beside: Beside,
}

/// Data and a model for it.
pub trait Task {
    /// What the model is made of.
    fn blueprint(&self) -> &Blueprint;

    /// Examples of a part.
    fn count(&self, part: Part) -> usize;

    /// How long an example is, for batches of like lengths.
    fn length(&self, part: Part, example: usize) -> usize;

    /// The loss of some training examples.
    ///
    /// # Errors
    /// What the engine says.
    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error>;

    /// Sets the parameters that are fitted to the validation part as a whole, before each evaluation of it in training.
    ///
    /// # Errors
    /// What the engine says.
    fn fit(&self, _store: &mut Store<f32>) -> Result<(), Error> {
        Ok(())
    }

    /// Measures the model on a part; `None` if `stop` was raised.
    ///
    /// # Errors
    /// A part without examples, and what the engine says.
    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error>;

    /// Writes what prediction needs beside parameters and settings.
    ///
    /// # Errors
    /// What the file system says.
    fn write(&self, folder: &Folder) -> Result<(), Error>;

    /// A few words on the data, for the beginning of training.
    fn words(&self) -> String;

    /// 64 bits of all examples, as hexadecimal digits.
    fn fingerprint(&self) -> String;

    /// Names the columns of tables that were found unasked, so that the run reads other files by them.
    fn name_columns(&self, _data: &mut settings::Data) {}

    /// What lengths count where figures are shown against them, and the longest training example.
    fn lengths(&self) -> Lengths;

    /// What a simple model, tuned on the same validation part, reaches on a part, beside `own`, the figures of the model on it.
    /// It may keep itself in the folder.
    ///
    /// # Errors
    /// What the baseline says, what the file system says.
    fn baseline(&self, _folder: &Folder, _part: Part, _own: &Figures) -> Result<Option<Baseline>, Error> {
        Ok(None)
    }
}
