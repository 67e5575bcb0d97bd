//! A trained tagger, and what it says of new sentences.
//!
//! CoNLL-U comes back as CoNLL-U with other tags, every other field as it stood. Of a plain text each line is a sentence,
//! cut into words as [`split`] does, and comes back as its words with their tags.

use super::model::{Chosen, Model};
use crate::data::conllu::Sentences;
use crate::error::Error;
use crate::task::settings::Dropout;
use crate::task::words::split;
use crate::task::{Opened, Prediction, open};
use crate::text::Source;
use crate::train::Machine;
use elman_engine::tape::Store;
use serde::Serialize;
use serde_json::json;
use std::path::Path;

/// Fields of a line of CoNLL-U.
const FIELDS: usize = 10;

/// A trained tagger.
pub struct Tagger {
    model: Model,
    store: Store<f32>,
    dropout: Dropout,
    /// The encoding of its texts.
    pub encoding: Option<String>,
}

/// A word and what it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    /// As it is written.
    pub word: String,
    /// The tag that was chosen.
    pub tag: String,
    /// Its probability.
    pub probability: f64,
    /// Tags with their probabilities, the most probable first.
    pub tags: Vec<(String, f64)>,
}

impl Tagger {
    /// Reads a run.
    ///
    /// # Errors
    /// No run, no model yet, damaged files.
    pub fn load(path: &Path, machine: Machine) -> Result<Tagger, Error> {
        Tagger::of(&open(path)?, machine)
    }

    /// The same of a run that is open.
    ///
    /// # Errors
    /// As [`Tagger::load`].
    pub fn of(opened: &Opened, machine: Machine) -> Result<Tagger, Error> {
        let model = Model::again(&opened.settings, &opened.folder)?;
        let store = opened.store(&model.blueprint, machine)?;
        let encoding = opened.settings.data.encoding.clone();
        Ok(Tagger { model, store, dropout: opened.settings.dropout, encoding })
    }

    /// The words of each sentence with their tags; a sentence without words has none.
    ///
    /// # Errors
    /// What the engine says.
    pub fn tag(&mut self, sentences: &[Vec<String>]) -> Result<Vec<Vec<Word>>, Error> {
        let spell = |words: &Vec<String>| self.model.spelling.spell(words.iter().map(String::as_str));
        let spelled: Vec<_> = sentences.iter().filter(|words| !words.is_empty()).map(spell).collect();
        let mut chosen = match spelled.is_empty() {
            true => vec![],
            false => self.model.tag(&mut self.store, &spelled.iter().collect::<Vec<_>>(), &self.dropout)?,
        }
        .into_iter();
        let tagged = |words: &Vec<String>| match words.is_empty() {
            true => vec![],
            false => chosen.next().map_or(vec![], |chosen| self.model.named(words, &chosen)),
        };
        Ok(sentences.iter().map(tagged).collect())
    }

    /// Tags what `source` holds, a sentence as soon as it has come; the `top` most probable tags of each word are told.
    ///
    /// # Errors
    /// What the reader says, and what `each` returns.
    pub fn predict(
        &mut self,
        mut source: Source,
        top: usize,
        each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (mut line, mut blank) = (String::new(), vec![]);
        let mut more = source.next_line(&mut line)?;
        while more && line.trim().is_empty() {
            blank.push(source.line());
            more = source.next_line(&mut line)?;
        }
        if more && (line.starts_with('#') || line.split('\t').count() == FIELDS) {
            return self.conllu(Sentences::after(line, source), top, each);
        }
        for at in blank {
            each(&self.line("", at, top)?)?;
        }
        while more {
            each(&self.line(&line, source.line(), top)?)?;
            more = source.next_line(&mut line)?;
        }
        Ok(())
    }

    /// A line of a plain text.
    fn line(&mut self, line: &str, at: u64, top: usize) -> Result<Prediction, Error> {
        let tagged = self.tag(&[split(line).map(String::from).collect()])?.concat();
        let fields = tagged.iter().map(|w| format!("{}/{}", w.word, w.tag)).collect::<Vec<_>>().join(" ");
        Ok(Prediction { fields: vec![fields], json: json!({ "line": at, "words": cut(tagged, top) }) })
    }

    fn conllu(
        &mut self,
        mut sentences: Sentences,
        top: usize,
        each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while let Some(sentence) = sentences.next()? {
            let words: Vec<String> = sentence.tokens.iter().map(|t| t.form.clone()).collect();
            let tagged = self.tag(&[words])?.concat();
            let text = sentence.with_tags(tagged.iter().map(|w| w.tag.as_str()));
            // Whoever prints it ends the line.
            let text = text.strip_suffix('\n').map_or(text.clone(), String::from);
            each(&Prediction {
                fields: vec![text],
                json: json!({ "line": sentence.line, "words": cut(tagged, top) }),
            })?;
        }
        Ok(())
    }
}

/// The words with fewer tags each.
fn cut(mut words: Vec<Word>, top: usize) -> Vec<Word> {
    words.iter_mut().for_each(|w| w.tags.truncate(top.max(1)));
    words
}

impl Model {
    fn named(&self, words: &[String], chosen: &Chosen) -> Vec<Word> {
        let rows = chosen.probabilities.chunks_exact(self.tags.len());
        let named = |((word, tag), row): ((&String, &u32), &[f64])| {
            let mut tags: Vec<(String, f64)> = self.tags.entries().iter().cloned().zip(row.iter().copied()).collect();
            tags.sort_by(|a, b| b.1.total_cmp(&a.1));
            Word { word: word.clone(), tag: self.tags.entry(*tag).into(), probability: row[*tag as usize], tags }
        };
        words.iter().zip(&chosen.tags).zip(rows).map(named).collect()
    }
}
