//! `tag`: each word of a sentence → its tag.
//!
//! ```text
//! word: embedding ⊕ characters in both directions ─▶ layers, both directions ─▶ softmax over tags, or a chain of them (CRF)
//! ```
//!
//! Ling et al. 2015, arXiv:1508.02096; Plank, Søgaard & Goldberg 2016, arXiv:1604.05529; with a chain Lample et al. 2016,
//! arXiv:1603.01360.

mod baseline;
mod data;
mod figures;
mod model;
mod predict;

pub use data::Example;
pub use model::Chosen;
pub use predict::{Tagger, Word};

use super::batches::by_length;
use super::{Baseline, Figures, Lengths, Loss, Part, Settings, Task};
use crate::error::Error;
use crate::metrics::tagging::{self, tagging};
use crate::run::Folder;
use crate::train::progress::fingerprint;
use data::NO_TAG;
use elman_engine::tape::{Blueprint, Layout, NO_TARGET, Store, Tape};
use model::Model;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sentences that are measured side by side.
const SIDE_BY_SIDE: usize = 64;

/// The task with its data.
pub struct Tag {
    settings: Settings,
    model: Model,
    parts: [Vec<Example>; 3],
    remarks: Vec<String>,
}

impl Tag {
    /// Reads the files; words and tags are those of the training part.
    ///
    /// # Errors
    /// Files that cannot be read, fewer than two tags.
    pub(super) fn fresh(settings: &Settings) -> Result<Tag, Error> {
        let raw = data::read(settings)?;
        let model = Model::fresh(settings, &raw)?;
        Ok(Tag::with(settings, model, raw))
    }

    /// The same with the words and tags of a run.
    ///
    /// # Errors
    /// As [`Tag::fresh`], and a folder that lacks a file.
    pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Tag, Error> {
        let model = Model::again(settings, folder)?;
        Ok(Tag::with(settings, model, data::read(settings)?))
    }

    fn with(settings: &Settings, model: Model, raw: data::Raw) -> Tag {
        Tag { settings: settings.clone(), parts: raw.encoded(&model), model, remarks: raw.remarks }
    }

    fn of(&self, part: Part) -> &[Example] {
        &self.parts[part as usize]
    }
}

impl Task for Tag {
    fn blueprint(&self) -> &Blueprint {
        &self.model.blueprint
    }

    fn count(&self, part: Part) -> usize {
        self.of(part).len()
    }

    fn length(&self, part: Part, example: usize) -> usize {
        self.of(part)[example].tags.len()
    }

    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error> {
        let all = self.of(Part::Train);
        let sentences: Vec<_> = examples.iter().map(|i| &all[*i].spelled).collect();
        let layout = Layout::new(sentences.iter().map(|s| s.words.len()).collect());
        let scores = self.model.scores(tape, &sentences, &layout, &self.settings.dropout)?;
        let targets = layout.fill(NO_TARGET, |t, b| all[examples[b]].tags[t]);
        let units = layout.lengths.iter().sum();
        let smoothing = self.settings.train.smoothing;
        let share = 1.0 / (units * scores.len()) as f64;
        let one = |scores| self.model.loss(tape, scores, &layout, &targets, smoothing, share);
        let losses = scores.into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
        let mean = tape.total(&losses)?;
        Ok(Loss { mean, units })
    }

    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error> {
        let all = self.of(part);
        let lengths: Vec<usize> = all.iter().map(|e| e.tags.len()).collect();
        let mut given: Vec<Vec<usize>> = vec![vec![]; all.len()];
        for batch in by_length(&lengths, SIDE_BY_SIDE) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let sentences: Vec<_> = batch.iter().map(|i| &all[*i].spelled).collect();
            for (i, chosen) in batch.iter().zip(self.model.tag(store, &sentences, &self.settings.dropout)?) {
                given[*i] = chosen.tags.into_iter().map(|tag| tag as usize).collect();
            }
        }
        self.figures(all, &given, part).map(Some)
    }

    fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.model.write(folder)
    }

    fn words(&self) -> String {
        let counts = [Part::Train, Part::Valid, Part::Test].map(|part| {
            let words: usize = self.of(part).iter().map(|e| e.tags.len()).sum();
            format!("{} {} ({words} words)", self.count(part), part.name())
        });
        let remarks: String = self.remarks.iter().map(|r| format!("{r}\n")).collect();
        format!("{remarks}sentences: {}; {}", counts.join(", "), self.model.words())
    }

    fn lengths(&self) -> Lengths {
        Lengths::of("words", self.of(Part::Train).iter().map(|e| e.tags.len()))
    }

    fn baseline(&self, folder: &Folder, part: Part, _own: &Figures) -> Result<Option<Baseline>, Error> {
        baseline::of(folder, &self.parts, &self.model.tags, part).map(Some)
    }

    fn fingerprint(&self) -> String {
        let examples = self.of(Part::Train).iter().chain(self.of(Part::Valid));
        fingerprint(examples.flat_map(|e| {
            let ids = e.spelled.words.iter().chain(e.spelled.characters.iter().flatten()).chain(&e.tags);
            ids.flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>()
        }))
    }
}

impl Tag {
    fn figures(&self, all: &[Example], given: &[Vec<usize>], part: Part) -> Result<Figures, Error> {
        // A tag that training does not have comes after those it has.
        let mut names = self.model.tags.entries().to_vec();
        let place = |tag: &u32| if *tag == NO_TAG { names.len() } else { *tag as usize };
        let wanted: Vec<Vec<usize>> = all.iter().map(|e| e.tags.iter().map(place).collect()).collect();
        if wanted.iter().flatten().any(|tag| *tag == names.len()) {
            names.push("(not in training)".into());
        }
        let words: Vec<Vec<&str>> = all.iter().map(Example::forms).collect();
        let seen: HashSet<&str> = self.of(Part::Train).iter().flat_map(|e| &e.words).map(String::as_str).collect();
        let sentences: Vec<tagging::Tagged<'_>> = (0..all.len())
            .map(|i| tagging::Tagged { words: &words[i], wanted: &wanted[i], given: &given[i] })
            .collect();
        let found =
            tagging(&sentences, &seen, &names).map_err(|e| Error::Refused(format!("the {} part: {e}", part.name())))?;
        let mut values = vec![("accuracy".to_string(), found.words.accuracy.value)];
        values.extend(found.unseen_accuracy.map(|e| ("unseen_words".to_string(), e.value)));
        values.push(("whole_sentences".to_string(), found.whole_sentences.value));
        let shown = figures::shown(&found, &sentences, &names);
        let details = serde_json::to_value(&found).map_err(|e| Error::Refused(format!("metrics: {e}")))?;
        let (score, text) = (found.words.accuracy.value, figures::table(&found));
        Ok(Figures { score, scored: "accuracy", values, text, details, shown, ..Figures::default() })
    }
}
