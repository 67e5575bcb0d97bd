//! `translate`: a text → another text, of any two kinds.

mod attending;
mod copying;
mod data;
mod decoder;
mod feeding;
mod model;
mod predict;
mod report;
mod search;
#[cfg(test)]
mod tests;
mod transformer;

pub use data::Example;
pub use predict::{Translation, Translator};

use super::batches::by_length;
use super::settings::{Data, Search};
use super::{Figures, Lengths, Loss, Part, Settings, Task};
use crate::data::pairs::Columns;
use crate::error::Error;
use crate::report::Section;
use crate::run::Folder;
use crate::train::progress::fingerprint;
use data::{Examples, Speller};
use elman_engine::tape::{Blueprint, Mode, Store, Tape};
use model::{Counted, Model};
use search::{KEPT, search};
use std::sync::atomic::{AtomicBool, Ordering};

/// Examples that are measured side by side.
const SIDE_BY_SIDE: usize = 64;
/// Sources whose alignments are shown.
const ALIGNED: usize = 3;
/// Subwords of a side at most, where an alignment is shown.
const WIDEST: usize = 40;
/// While training.
const GREEDY: Search = Search { beam: 1, length_penalty: 0.0 };

/// The task with its data.
pub struct Translate {
    settings: Settings,
    speller: Speller,
    model: Model,
    examples: Examples,
    search: Search,
}

impl Translate {
    /// Reads the files; subwords are learned from the training part.
    ///
    /// # Errors
    /// Files that cannot be read, too few pairs, a cell that cannot be used.
    pub(super) fn fresh(settings: &Settings) -> Result<Translate, Error> {
        decoder::check(&settings.model)?;
        let raw = data::read(settings)?;
        let speller = Speller::learn(&raw, settings)?;
        Translate::with(settings, speller, &raw)
    }

    /// The same with the subwords of a run.
    ///
    /// # Errors
    /// As [`Translate::fresh`], and a folder that lacks a file.
    pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Translate, Error> {
        let raw = data::read(settings)?;
        Translate::with(settings, Speller::read(folder, settings)?, &raw)
    }

    fn with(settings: &Settings, speller: Speller, raw: &data::Raw) -> Result<Translate, Error> {
        let examples = raw.encoded(&speller)?;
        let model = Model::new(settings, speller.size())?;
        Ok(Translate { settings: settings.clone(), speller, model, examples, search: GREEDY })
    }

    /// With the search of the settings in place of the greedy one of training.
    pub(super) fn searching(self) -> Translate {
        Translate { search: self.settings.search, ..self }
    }

    /// Σ −ln p of the targets' subwords, and how many there are.
    fn nats(&self, store: &mut Store<f32>, sources: &[&[u32]], targets: &[&[u32]]) -> Result<(f64, usize), Error> {
        let mut tape = Tape::new(store, Mode::Infer);
        let counted = Counted { smoothing: 0.0, scale: 1.0 };
        let loss = self.model.loss(&mut tape, sources, targets, &KEPT, counted)?;
        Ok((f64::from(tape.value(loss)[0]), units(targets)))
    }
}

impl Translate {
    /// What each subword of the first translations looked at, of pairs that fit on a page.
    fn alignments(&self, store: &mut Store<f32>, all: &[Example], given: &[Vec<u32>]) -> Result<Vec<Section>, Error> {
        let end = self.speller.end();
        let fits = |i: &usize| (2..=WIDEST).contains(&all[*i].source.len()) && (1..WIDEST).contains(&given[*i].len());
        let mut sections = vec![];
        for (k, i) in (0..all.len()).filter(fits).take(ALIGNED).enumerate() {
            let written: Vec<u32> = given[i].iter().copied().chain([end]).collect();
            let mut tape = Tape::new(store, Mode::Infer);
            let weights = self.model.looked_at(&mut tape, &all[i].source, &written)?;
            if weights.is_empty() {
                break;
            }
            let named = |ids: &[u32]| ids.iter().map(|id| self.piece(*id)).collect::<Result<Vec<_>, _>>();
            sections.push(Section::Alignment {
                title: format!("Attention, pair {}", k + 1),
                read: named(&all[i].source)?,
                written: named(&written)?,
                weights,
            });
        }
        Ok(sections)
    }

    /// A subword as it is read; a part of a character has no letter of its own.
    fn piece(&self, id: u32) -> Result<String, Error> {
        if id == self.speller.end() { Ok("(end)".into()) } else { self.speller.text(&[id]) }
    }
}

/// Subwords of all targets.
fn units(targets: &[&[u32]]) -> usize {
    targets.iter().map(|t| t.len()).sum()
}

fn sides<'e>(all: &'e [Example], chosen: &[usize]) -> (Vec<&'e [u32]>, Vec<&'e [u32]>) {
    let one = |i: &usize| (all[*i].source.as_slice(), all[*i].target.as_slice());
    chosen.iter().map(one).unzip()
}

impl Task for Translate {
    fn blueprint(&self) -> &Blueprint {
        &self.model.blueprint
    }

    fn count(&self, part: Part) -> usize {
        self.examples.of(part).len()
    }

    /// Of both sides, the longer.
    fn length(&self, part: Part, example: usize) -> usize {
        let e = &self.examples.of(part)[example];
        e.source.len().max(e.target.len())
    }

    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error> {
        let (sources, targets) = sides(self.examples.of(Part::Train), examples);
        let units = units(&targets);
        let counted = Counted { smoothing: self.settings.train.smoothing, scale: 1.0 / units as f64 };
        let mean = self.model.loss(tape, &sources, &targets, &self.settings.dropout, counted)?;
        Ok(Loss { mean, units })
    }

    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error> {
        let all = self.examples.of(part);
        let lengths: Vec<usize> = all.iter().map(|e| e.source.len()).collect();
        let (mut given, mut tokens) = (vec![String::new(); all.len()], vec![vec![]; all.len()]);
        let (mut nats, mut units) = (0.0, 0);
        for batch in by_length(&lengths, SIDE_BY_SIDE) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (sources, targets) = sides(all, &batch);
            let (own, count) = self.nats(store, &sources, &targets)?;
            (nats, units) = (nats + own, units + count);
            let Search { beam, length_penalty } = self.search;
            let found = search(&self.model, store, &sources, self.speller.end(), beam, 1, length_penalty)?;
            for (found, example) in found.iter().zip(&batch) {
                if let Some(best) = found.first() {
                    given[*example] = self.speller.text(&best.tokens)?;
                    tokens[*example].clone_from(&best.tokens);
                }
            }
        }
        let mut figures = report::figures(all, &given, nats / units.max(1) as f64, &self.settings.model, self.search)?;
        figures.shown.sections.extend(self.alignments(store, all, &tokens)?);
        Ok(Some(figures))
    }

    fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.speller.write(folder)
    }

    fn name_columns(&self, data: &mut Data) {
        let Columns { source, target } = &self.examples.columns;
        (data.source, data.target) = (source.clone(), target.clone());
    }

    fn words(&self) -> String {
        let counts = [Part::Train, Part::Valid, Part::Test].map(|p| format!("{} {}", self.count(p), p.name()));
        let remarks: String = self.examples.remarks.iter().map(|r| format!("{r}\n")).collect();
        let mean = |side: fn(&Example) -> usize| {
            let all = self.examples.of(Part::Train);
            all.iter().map(side).sum::<usize>() as f64 / all.len().max(1) as f64
        };
        let (source, target) = (mean(|e| e.source.len()), mean(|e| e.target.len()));
        let entries = self.speller.size();
        let counts = counts.join(", ");
        format!(
            "{remarks}pairs: {counts}; {entries} subwords, {source:.1} a source and {target:.1} a target on average"
        )
    }

    fn lengths(&self) -> Lengths {
        Lengths::of("words", self.examples.of(Part::Train).iter().map(|e| report::words(&e.from)))
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.examples.bytes())
    }
}
