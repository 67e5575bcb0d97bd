//! `rank`: a query → the documents that answer it.
//!
//! ```text
//! query:    words ─▶ layers ─▶ pooled ─▶ linear ─▶ q, |q| = 1 ─┐
//! document: words ─▶ layers ─▶ pooled ─▶ linear ─▶ d, |d| = 1 ─┴▶ s = q·d / temperature
//! ```
//!
//! Loss: within a batch, each query chooses its document among all, and each document its query (van den Oord et al. 2018,
//! arXiv:1807.03748; both ways as in Radford et al. 2021, arXiv:2103.00020). A pair of equal texts is no wrong answer.

mod data;
mod figures;
mod model;
mod predict;

pub use data::Collection;
pub use model::Side;
pub use predict::{Answer, Ranker};

use super::batches::by_length;
use super::settings::Data;
use super::{Figures, Lengths, Loss, Part, Settings, Task};
use crate::baseline::retrieve::{Index, Terms};
use crate::data::pairs::Columns;
use crate::error::Error;
use crate::metrics::ranking::Ranking;
use crate::run::Folder;
use crate::task::settings::Dropout;
use crate::task::words::Spelled;
use crate::train::progress::fingerprint;
use data::Raw;
use elman_engine::tape::{Blueprint, Mode, Store, Tape};
use figures::{measure, orders, values};
use model::Model;
use serde_json::json;
use std::cell::OnceCell;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Texts that become rows side by side.
const SIDE_BY_SIDE: usize = 128;
/// Lengths of runs of characters that the baseline tries.
const RUNS: [usize; 3] = [3, 4, 5];
/// What makes a likeness too small to count.
const NEVER: f32 = -1e4;

/// The task with its data.
pub struct Rank {
    settings: Settings,
    model: Model,
    raw: Raw,
    train: Vec<(Spelled, Spelled)>,
    baselines: [OnceCell<Vec<(String, Ranking)>>; 3],
}

impl Rank {
    /// Reads the files; words are those of the training part.
    ///
    /// # Errors
    /// Files that cannot be read, a cell that cannot be used.
    pub(super) fn fresh(settings: &Settings) -> Result<Rank, Error> {
        let raw = data::read(settings)?;
        Ok(Rank::with(settings, Model::fresh(settings, &raw)?, raw))
    }

    /// The same with the words of a run.
    ///
    /// # Errors
    /// As [`Rank::fresh`], and a folder that lacks a file.
    pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Rank, Error> {
        let raw = data::read(settings)?;
        Ok(Rank::with(settings, Model::again(settings, folder)?, raw))
    }

    fn with(settings: &Settings, model: Model, raw: Raw) -> Rank {
        let both = |(q, d): &(String, String)| (model.spell(q, Side::Query), model.spell(d, Side::Document));
        let train = raw.of(Part::Train).iter().map(both).collect();
        Rank { settings: settings.clone(), model, raw, train, baselines: Default::default() }
    }

    /// 0 where row and column may be compared, [`NEVER`] where they are another pair with an equal text; none if there is
    /// no such place.
    fn equal_texts(&self, examples: &[usize]) -> Option<Vec<f32>> {
        let pairs = self.raw.of(Part::Train);
        let equal = |i: usize, j: usize| i != j && (pairs[i].0 == pairs[j].0 || pairs[i].1 == pairs[j].1);
        let cell = |i: &usize, j: &usize| if equal(*i, *j) { NEVER } else { 0.0 };
        let mask: Vec<f32> = examples.iter().flat_map(|i| examples.iter().map(move |j| cell(i, j))).collect();
        mask.contains(&NEVER).then_some(mask)
    }

    /// Figures of what needs no training; the length of runs is the best on the validation part.
    fn baselines(&self, part: Part) -> Result<&[(String, Ranking)], Error> {
        let cell = &self.baselines[part as usize];
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let measure = |terms: Terms, part: Part| {
            let c = Collection::of(self.raw.of(part));
            let index = Index::new(&c.documents, terms);
            let scores = |q: usize| Ok(index.scores(&c.queries[q]));
            let found = orders(&c, scores, &AtomicBool::new(false))?;
            found.map(|orders| measure(&orders)).transpose()
        };
        let mut best = (f64::NEG_INFINITY, RUNS[0]);
        for longest in RUNS {
            let mrr = measure(Terms::Runs(longest), Part::Valid)?.map_or(0.0, |r| r.mrr);
            if mrr > best.0 {
                best = (mrr, longest);
            }
        }
        let mut all = vec![];
        let runs = (format!("runs of 2-{} letters", best.1), Terms::Runs(best.1));
        for (name, terms) in [("TF-IDF of words".to_string(), Terms::Words), runs] {
            all.extend(measure(terms, part)?.map(|r| (name, r)));
        }
        Ok(cell.get_or_init(|| all))
    }
}

/// The rows of all texts, one after another; none if `stop` was raised.
fn rows(
    (model, store): (&Model, &mut Store<f32>),
    texts: &[String],
    side: Side,
    stop: &AtomicBool,
) -> Result<Option<Vec<Vec<f32>>>, Error> {
    let spelled: Vec<Spelled> = texts.iter().map(|t| model.spell(t, side)).collect();
    let lengths: Vec<usize> = spelled.iter().map(|s| s.words.len()).collect();
    let mut all = vec![vec![]; texts.len()];
    let nothing = Dropout { input: 0.0, between: 0.0, output: 0.0, words: 0.0 };
    for batch in by_length(&lengths, SIDE_BY_SIDE) {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut tape = Tape::new(store, Mode::Infer);
        let some: Vec<&Spelled> = batch.iter().map(|i| &spelled[*i]).collect();
        let rows = model.rows(&mut tape, &some, side, &nothing)?;
        let width = tape.width(rows);
        batch.iter().zip(tape.value(rows).chunks_exact(width)).for_each(|(i, row)| all[*i] = row.to_vec());
    }
    Ok(Some(all))
}

/// q · d, in 8 lanes.
fn likeness(q: &[f32], d: &[f32]) -> f64 {
    let mut lanes = [0f32; 8];
    for (q, d) in q.chunks(8).zip(d.chunks(8)) {
        lanes.iter_mut().zip(q.iter().zip(d)).for_each(|(lane, (q, d))| *lane += q * d);
    }
    lanes.iter().map(|l| f64::from(*l)).sum()
}

impl Task for Rank {
    fn blueprint(&self) -> &Blueprint {
        &self.model.blueprint
    }

    fn count(&self, part: Part) -> usize {
        self.raw.of(part).len()
    }

    fn length(&self, part: Part, example: usize) -> usize {
        match part {
            Part::Train => self.train[example].0.words.len() + self.train[example].1.words.len(),
            _ => 1,
        }
    }

    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error> {
        let queries: Vec<&Spelled> = examples.iter().map(|i| &self.train[*i].0).collect();
        let documents: Vec<&Spelled> = examples.iter().map(|i| &self.train[*i].1).collect();
        let q = self.model.rows(tape, &queries, Side::Query, &self.settings.dropout)?;
        let d = self.model.rows(tape, &documents, Side::Document, &self.settings.dropout)?;
        let alike = tape.similarity(q, d)?;
        let mut logits = tape.scale(alike, 1.0 / self.settings.model.temperature);
        if let Some(mask) = self.equal_texts(examples) {
            let mask = tape.given(mask, examples.len())?;
            logits = tape.add(logits, mask)?;
        }
        let own: Vec<u32> = (0..examples.len() as u32).collect();
        let (share, smoothing) = (0.5 / examples.len() as f64, self.settings.train.smoothing);
        let there = tape.cross_entropy(logits, &own, smoothing, share)?;
        let turned = tape.transpose(logits);
        let back = tape.cross_entropy(turned, &own, smoothing, share)?;
        Ok(Loss { mean: tape.total(&[there, back])?, units: examples.len() })
    }

    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error> {
        let c = Collection::of(self.raw.of(part));
        let Some(queries) = rows((&self.model, store), &c.queries, Side::Query, stop)? else { return Ok(None) };
        let Some(documents) = rows((&self.model, store), &c.documents, Side::Document, stop)? else {
            return Ok(None);
        };
        let scores = |q: usize| Ok(documents.iter().map(|d| likeness(&queries[q], d)).collect());
        let Some(orders) = orders(&c, scores, stop)? else { return Ok(None) };
        let found = measure(&orders)?;
        let baselines = self.baselines(part)?;
        let mut text = format!(
            "{} queries, {} documents\n{:<22}{:>8}{:>10}{:>11}{:>9}\n",
            c.queries.len(),
            c.documents.len(),
            "",
            "MRR",
            "recall@1",
            "recall@10",
            "nDCG@10"
        );
        for (name, r) in [("this model", &found)].into_iter().chain(baselines.iter().map(|(n, r)| (n.as_str(), r))) {
            let (one, ten, ndcg) = (r.recall[0].value, r.recall[1].value, r.ndcg_at[1].value);
            let _ = writeln!(text, "{name:<22}{:>8.4}{one:>10.4}{ten:>11.4}{ndcg:>9.4}", r.mrr);
        }
        let keys = ["tf_idf", "characters"].map(String::from).into_iter();
        let others: serde_json::Map<_, _> = keys.zip(baselines.iter().map(|(_, r)| json!(r))).collect();
        let details = json!({ "model": found, "documents": c.documents.len(), "baselines": others });
        let shown = figures::shown(&c, &orders, baselines);
        let (score, values) = (found.mrr, values(&found));
        Ok(Some(Figures { score, scored: "mrr", values, text, details, shown, ..Figures::default() }))
    }

    fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.model.write(&self.settings, folder)
    }

    fn name_columns(&self, data: &mut Data) {
        let Columns { source, target } = &self.raw.columns;
        (data.source, data.target) = (source.clone(), target.clone());
    }

    fn words(&self) -> String {
        let counts = [Part::Train, Part::Valid, Part::Test].map(|p| format!("{} {}", self.count(p), p.name()));
        let remarks: String = self.raw.remarks.iter().map(|r| format!("{r}\n")).collect();
        format!("{remarks}pairs: {}; {}", counts.join(", "), self.model.words())
    }

    fn lengths(&self) -> Lengths {
        Lengths::of("words of the query", self.raw.of(Part::Train).iter().map(|(query, _)| figures::words(query)))
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.raw.bytes())
    }
}
