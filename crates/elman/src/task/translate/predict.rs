//! A trained translator: beam search for many texts side by side.

use super::data::{LONGEST, Speller};
use super::model::{Model, Queries};
use crate::decode::beam::{Beam, Found, Search};
use crate::error::Error;
use crate::task::settings::Dropout;
use crate::task::{Opened, open};
use crate::train::Machine;
use elman_engine::tape::{Layout, Mode, NO_ROW, Store, Tape, Var};
use serde::Serialize;
use std::path::Path;

/// Nothing is dropped.
pub(super) const KEPT: Dropout = Dropout { input: 0.0, between: 0.0, output: 0.0, words: 0.0 };

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

/// Subwords of a translation at most.
fn longest(source: &[u32]) -> usize {
    2 * source.len() + 20
}

/// What each source becomes, the best first. All beams of all sources are asked at once, a token at a time.
///
/// # Errors
/// A beam that cannot be, and what the engine says.
pub fn search(
    model: &Model,
    store: &mut Store<f32>,
    sources: &[&[u32]],
    end: u32,
    width: usize,
    best: usize,
    length_penalty: f64,
) -> Result<Vec<Vec<Found>>, Error> {
    let beam = |s: &&[u32]| Beam { width, best, length_penalty, longest: longest(s), begin: end, end };
    let mut searches = sources.iter().map(|s| Search::new(beam(s))).collect::<Result<Vec<_>, _>>()?;
    let mut tape = Tape::new(store, Mode::Infer);
    let memory = model.encode(&mut tape, sources, &KEPT)?;
    let mut states: Vec<Vec<Kept>> =
        memory.states.iter().map(|l| l.iter().map(|v| Kept::of(&tape, *v)).collect()).collect();
    let (values, of) = (Kept::of(&tape, memory.values), memory.layout);
    drop(tape);
    // Where the beams of each search stood among all rows of the step before.
    let mut first: Vec<usize> = (0..sources.len()).collect();
    loop {
        let (mut parents, mut tokens, mut counts) = (vec![], vec![], vec![0; sources.len()]);
        for (s, search) in searches.iter().enumerate() {
            let Some((from, next)) = search.asks() else { continue };
            counts[s] = next.len();
            parents.extend(from.iter().map(|p| (first[s] + p) as u32));
            tokens.extend_from_slice(next);
            first[s] = tokens.len() - next.len();
        }
        if tokens.is_empty() {
            break;
        }
        let mut tape = Tape::new(store, Mode::Infer);
        let layout = Layout::new(vec![1; tokens.len()]);
        let start = states
            .iter()
            .map(|l| l.iter().map(|k| k.chosen(&parents).given(&mut tape)).collect())
            .collect::<Result<Vec<Vec<Var>>, _>>()?;
        let queries = Layout::new(counts.clone());
        let from = queries.fill(NO_ROW, |beam, s| (first[s] + beam) as u32);
        let mut back = vec![0; tokens.len()];
        for (query, row) in from.iter().enumerate().filter(|(_, row)| **row != NO_ROW) {
            back[*row as usize] = query as u32;
        }
        let chosen = Queries::Chosen { layout: &queries, from: &from, back: &back };
        let given = values.clone().given(&mut tape)?;
        let decoded = model.decode(&mut tape, (&tokens, &layout), (given, &of), &start, &chosen, &KEPT)?;
        let logits = model.logits(&mut tape, decoded.top)?;
        states = decoded.states.iter().map(|l| l.iter().map(|v| Kept::of(&tape, *v)).collect()).collect();
        let entries = tape.width(logits);
        let mut scores = tape.value(logits).to_vec();
        scores.chunks_exact_mut(entries).for_each(log_softmax);
        for (s, search) in searches.iter_mut().enumerate().filter(|(s, _)| counts[*s] > 0) {
            search.take(&scores[first[s] * entries..][..counts[s] * entries])?;
        }
    }
    Ok(searches.into_iter().map(Search::found).collect())
}

/// Rows that are kept between two tapes.
#[derive(Clone)]
struct Kept {
    rows: Vec<f32>,
    width: usize,
}

impl Kept {
    fn of(tape: &Tape<'_, f32>, var: Var) -> Kept {
        Kept { rows: tape.value(var).to_vec(), width: tape.width(var) }
    }

    fn chosen(&self, rows: &[u32]) -> Kept {
        let row = |r: &u32| self.rows[*r as usize * self.width..][..self.width].iter().copied();
        Kept { rows: rows.iter().flat_map(row).collect(), width: self.width }
    }

    fn given(self, tape: &mut Tape<'_, f32>) -> Result<Var, Error> {
        Ok(tape.given(self.rows, self.width)?)
    }
}

/// z ← log softmax(z)
fn log_softmax(row: &mut [f32]) {
    let largest = row.iter().fold(f32::NEG_INFINITY, |m, z| m.max(*z));
    let sum: f64 = row.iter().map(|z| f64::from((z - largest).exp())).sum();
    let less = largest + sum.ln() as f32;
    row.iter_mut().for_each(|z| *z -= less);
}
