//! A trained ranker, and what it finds among documents.

use super::model::{Model, Side};
use super::{likeness, rows};
use crate::error::Error;
use crate::task::Opened;
use crate::train::Machine;
use elman_engine::tape::Store;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

/// A trained ranker with the documents it searches.
pub struct Ranker {
    model: Model,
    store: Store<f32>,
    documents: Vec<(u64, String)>,
    rows: Vec<Vec<f32>>,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// From 1.
    pub rank: usize,
    /// How alike query and document are, −1 to 1.
    pub score: f64,
    /// Its line in the file of documents, from 1.
    pub line: u64,
    /// The document.
    pub document: String,
}

impl Ranker {
    /// A run that is open, and the documents of `file`, each with its line; one that stands there twice is one.
    ///
    /// # Errors
    /// No model yet, damaged files, no documents.
    pub fn of(opened: &Opened, file: &str, documents: Vec<(u64, String)>, machine: Machine) -> Result<Ranker, Error> {
        let model = Model::again(&opened.settings, &opened.folder)?;
        let mut store = opened.store(&model.blueprint, machine)?;
        let mut known = HashSet::new();
        let new = |(_, text): &(u64, String)| !text.trim().is_empty() && known.insert(text.clone());
        let all: Vec<(u64, String)> = documents.into_iter().filter(new).collect();
        if all.is_empty() {
            return Err(Error::Refused(format!("{file}: no document; give a file with one on each line")));
        }
        let texts: Vec<String> = all.iter().map(|(_, text)| text.clone()).collect();
        let rows = rows((&model, &mut store), &texts, Side::Document, &AtomicBool::new(false))?;
        Ok(Ranker { model, store, documents: all, rows: rows.unwrap_or_default() })
    }

    /// The `top` documents for a query, the best first; of equal ones the first in the file.
    ///
    /// # Errors
    /// What the engine says.
    pub fn find(&mut self, query: &str, top: usize) -> Result<Vec<Answer>, Error> {
        let query = [query.to_string()];
        let found = rows((&self.model, &mut self.store), &query, Side::Query, &AtomicBool::new(false))?;
        let query = found.unwrap_or_default().concat();
        let mut scores: Vec<(usize, f64)> = self.rows.iter().map(|d| likeness(&query, d)).enumerate().collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1));
        let answer = |(i, (d, score)): (usize, (usize, f64))| {
            let (line, document) = self.documents[d].clone();
            Answer { rank: i + 1, score, line, document }
        };
        Ok(scores.into_iter().take(top.max(1)).enumerate().map(answer).collect())
    }
}
