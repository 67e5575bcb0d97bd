//! A trained translator.

use super::data::{LONGEST, Speller};
use super::model::Model;
use super::search::search;
use crate::error::Error;
use crate::task::{Opened, open};
use crate::train::Machine;
use elman_engine::tape::Store;
use serde::Serialize;
use std::path::Path;

/// A trained translator.
pub struct Translator {
    model: Model,
    speller: Speller,
    store: Store<f32>,
}

/// A translation of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Translation {
    /// The text.
    pub text: String,
    /// log p, divided by the penalty of its length.
    pub score: f64,
    /// log p, in nats.
    pub log_probability: f64,
}

impl Translator {
    /// Reads a run.
    ///
    /// # Errors
    /// No run, no model yet, damaged files.
    pub fn load(path: &Path, machine: Machine) -> Result<Translator, Error> {
        Translator::of(&open(path)?, machine)
    }

    /// The same of a run that is open.
    ///
    /// # Errors
    /// As [`Translator::load`].
    pub fn of(opened: &Opened, machine: Machine) -> Result<Translator, Error> {
        let speller = Speller::read(&opened.folder, &opened.settings)?;
        let model = Model::new(&opened.settings, speller.size())?;
        let store = opened.store(&model.blueprint, machine)?;
        Ok(Translator { model, speller, store })
    }

    /// The best translations of each text, the best first; of an empty text, one that is empty.
    ///
    /// # Errors
    /// A text that is too long, a beam that cannot be, and what the engine says.
    pub fn translate(
        &mut self,
        texts: &[String],
        width: usize,
        best: usize,
        length_penalty: f64,
    ) -> Result<Vec<Vec<Translation>>, Error> {
        let mut sources = vec![];
        for text in texts {
            let ids = self.speller.ids(text)?;
            if ids.len() > LONGEST {
                let found = ids.len();
                let message = format!("a text of {found} subwords: at most {LONGEST}; cut it into sentences");
                return Err(Error::Refused(message));
            }
            sources.push(ids);
        }
        let sources: Vec<&[u32]> = sources.iter().map(Vec::as_slice).collect();
        let found = search(&self.model, &mut self.store, &sources, self.speller.end(), width, best, length_penalty)?;
        let mut all = vec![];
        for (found, source) in found.into_iter().zip(&sources) {
            let mut own = vec![];
            for f in found {
                let text = if source.len() == 1 { String::new() } else { self.speller.text(&f.tokens)? };
                own.push(Translation { text, score: f.score, log_probability: f.log_probability });
            }
            if source.len() == 1 {
                own.truncate(1);
            }
            all.push(own);
        }
        Ok(all)
    }
}
