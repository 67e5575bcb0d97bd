//! `classify`: a text, a picture or a series → one of several labels.
//!
//! ```text
//! words: embedding ⊕ characters ─┐
//! rows, pixels, channels: numbers ┴▶ layers, both directions ─▶ pooled ─▶ softmax over labels
//! ```

mod baseline;
mod data;
mod figures;
mod files;
mod member;
mod model;
mod ngrams;
mod numbers;
mod predict;
mod steps;
mod together;

pub use data::{Example, Input};
pub use files::are_pictures;
pub use predict::{Answer, Classifier};

use super::batches::by_length;
use super::settings::{Data, UnitName};
use super::{Against, Baseline, Figures, Lengths, Loss, Part, Settings, Shown, Task};
use crate::baseline::ngrams::Choose;
use crate::data::labelled::Columns;
use crate::error::Error;
use crate::metrics::classification::{classification, gain};
use crate::run::Folder;
use crate::train::progress::fingerprint;
use data::Examples;
use elman_engine::dropout::{MaskKey, Purpose};
use elman_engine::tape::{Blueprint, Mode, Store, Tape};
use member::Votes;
use model::Model;
use std::sync::atomic::{AtomicBool, Ordering};

/// Examples that are measured side by side.
const SIDE_BY_SIDE: usize = 64;

/// The task with its data.
pub struct Classify {
    settings: Settings,
    model: Model,
    examples: Examples,
    /// Of texts, for the baseline.
    texts: baseline::Texts,
}

impl Classify {
    /// Reads the files; words and labels are those of the training part.
    ///
    /// # Errors
    /// Files that cannot be read, fewer than two labels, labels of another part that training does not have.
    pub(super) fn fresh(settings: &Settings) -> Result<Classify, Error> {
        let raw = data::read(settings)?;
        let model = Model::fresh(&raw.named(settings), &raw)?;
        Classify::with(settings, model, raw)
    }

    /// The same with the words and labels of a run.
    ///
    /// # Errors
    /// As [`Classify::fresh`], and a folder that lacks a file.
    pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Classify, Error> {
        let raw = data::read(settings)?;
        let model = Model::again(settings, folder)?;
        Classify::with(settings, model, raw)
    }

    fn with(settings: &Settings, model: Model, raw: data::Raw) -> Result<Classify, Error> {
        let texts = [Part::Train, Part::Valid, Part::Test].map(|part| raw.texts(part));
        let examples = raw.encoded(&model)?;
        Ok(Classify { settings: settings.clone(), model, examples, texts })
    }

    /// Training pictures moved by some pixels, if so set: by the seed, the step and the example alone.
    fn moved(&self, mode: Mode, examples: &[usize]) -> Option<Vec<Input>> {
        let (Mode::Train { seed, clock }, Some(numbers)) = (mode, self.model.numbers()) else { return None };
        let shift = self.settings.data.shift;
        if shift == 0 || numbers.picture.is_none() {
            return None;
        }
        let all = self.examples.of(Part::Train);
        let one = |i: &usize| {
            let key = MaskKey { seed, purpose: Purpose::Sampling, layer: 0, step: clock, sequence: *i as u64 };
            let mut random = key.random();
            let mut by = || (random.uniform() * (2 * shift + 1) as f64) as i64 - shift as i64;
            numbers.moved(&all[*i].input, [by(), by()])
        };
        Some(examples.iter().map(one).collect())
    }
}

impl Task for Classify {
    fn blueprint(&self) -> &Blueprint {
        &self.model.blueprint
    }

    fn count(&self, part: Part) -> usize {
        self.examples.of(part).len()
    }

    fn length(&self, part: Part, example: usize) -> usize {
        self.examples.of(part)[example].input.len()
    }

    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error> {
        let all = self.examples.of(Part::Train);
        let moved = self.moved(tape.mode(), examples);
        let inputs: Vec<&Input> = match &moved {
            Some(moved) => moved.iter().collect(),
            None => examples.iter().map(|i| &all[*i].input).collect(),
        };
        let labels: Vec<u32> = examples.iter().map(|i| all[*i].label).collect();
        let votes = self.model.votes(tape, &inputs, &self.settings.dropout)?;
        let also: Vec<u32> = examples.iter().map(|i| all[*i].also).collect();
        let share = 1.0 / (examples.len() * votes.len()) as f64;
        let mut losses = vec![];
        for Votes { label, also: beside } in votes {
            let smoothing = self.settings.train.smoothing;
            losses.push(tape.cross_entropy(label, &labels, smoothing, share)?);
            if let Some(beside) = beside {
                losses.push(tape.cross_entropy(beside, &also, smoothing, share)?);
            }
        }
        let mean = tape.total(&losses)?;
        Ok(Loss { mean, units: examples.len() })
    }

    fn fit(&self, store: &mut Store<f32>) -> Result<(), Error> {
        let all = self.examples.of(Part::Valid);
        let lengths: Vec<usize> = all.iter().map(|e| e.input.len()).collect();
        let batch = |batch: Vec<usize>| batch.iter().map(|i| &all[*i]).collect();
        let batches: Vec<Vec<&Example>> = by_length(&lengths, SIDE_BY_SIDE).into_iter().map(batch).collect();
        Ok(self.model.weigh(store, &batches, &self.settings.dropout)?)
    }

    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error> {
        let all = self.examples.of(part);
        let lengths: Vec<usize> = all.iter().map(|e| e.input.len()).collect();
        let (mut given, mut sure) = (vec![0; all.len()], vec![0.0; all.len()]);
        let mut nats = 0.0;
        for batch in by_length(&lengths, SIDE_BY_SIDE) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let inputs: Vec<&Input> = batch.iter().map(|i| &all[*i].input).collect();
            let logits = self.model.logits(store, &inputs, &self.settings.dropout)?;
            let rows = logits.chunks_exact(self.model.labels.len());
            for (row, example) in rows.zip(&batch) {
                let p = predict::probabilities(row);
                given[*example] = predict::largest(&p);
                sure[*example] = p[given[*example]];
                nats -= p[all[*example].label as usize].max(1e-30).ln();
            }
        }
        let wanted: Vec<usize> = all.iter().map(|e| e.label as usize).collect();
        let found = classification(&wanted, &given, self.model.labels.entries())
            .map_err(|e| Error::Refused(format!("the {} part: {e}", part.name())))?;
        let values = vec![
            ("accuracy".to_string(), found.accuracy.value),
            ("macro_f1".to_string(), found.macro_f1.value),
            ("loss".to_string(), nats / all.len() as f64),
        ];
        let details = serde_json::to_value(&found).map_err(|e| Error::Refused(format!("metrics: {e}")))?;
        let label = |id: usize| self.model.labels.entries()[id].as_str();
        let texts = self.texts[part as usize].iter().enumerate().filter(|(i, _)| given[*i] != wanted[*i]);
        let wrong = texts.map(|(i, (_, text))| figures::Wrong {
            text,
            wanted: label(wanted[i]),
            given: label(given[i]),
            probability: sure[i],
        });
        let right = wanted.iter().zip(&given).map(|(w, g)| [f64::from(u8::from(w == g)), 1.0]);
        let shown = Shown {
            intervals: vec![("accuracy", found.accuracy), ("macro_f1", found.macro_f1)],
            against: Some(Against::shares("accuracy", lengths, right)),
            sections: figures::sections(&found, wrong.collect()),
            ..Shown::default()
        };
        let (score, scored) = match self.settings.train.choose {
            Choose::Accuracy => (found.accuracy.value, "accuracy"),
            Choose::MacroF1 => (found.macro_f1.value, "macro_f1"),
        };
        let mut text = figures::text(&found);
        if let Some([network, linear]) = self.model.weighed(store) {
            text += &format!("\ntogether: {network:.2} of the network's numbers, {linear:.2} of the linear model's\n");
        }
        Ok(Some(Figures { score, scored, values, given, text, details, shown }))
    }

    fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.model.write(folder)
    }

    fn name_columns(&self, data: &mut Data) {
        let Columns { text, label, .. } = &self.examples.columns;
        (data.text, data.label) = (text.clone(), label.clone());
    }

    fn words(&self) -> String {
        let counts = [Part::Train, Part::Valid, Part::Test].map(|p| format!("{} {}", self.count(p), p.name()));
        let remarks: String = self.examples.remarks.iter().map(|r| format!("{r}\n")).collect();
        format!("{remarks}examples: {}; {}", counts.join(", "), self.model.words())
    }

    fn lengths(&self) -> Lengths {
        let unit = match (self.model.numbers(), self.settings.data.unit) {
            (Some(_), _) => "steps",
            (None, UnitName::Word) => "words",
            (None, UnitName::Char) => "characters",
        };
        Lengths::of(unit, self.examples.of(Part::Train).iter().map(|e| e.input.len()))
    }

    fn baseline(&self, folder: &Folder, part: Part, own: &Figures) -> Result<Option<Baseline>, Error> {
        if self.texts[0].is_empty() {
            return Ok(None);
        }
        let labels = &self.model.labels;
        let linear = baseline::of(folder, &self.texts, &self.settings, self.model.linear.as_ref())?;
        let wanted: Vec<usize> = self.examples.of(part).iter().map(|e| e.label as usize).collect();
        let gain = |other: Vec<usize>| gain(&wanted, &own.given, &other, labels.len());
        let gain = linear.given(part, labels).map(gain).transpose().map_err(|e| Error::Refused(format!("{e}")))?;
        Ok(Some(linear.beside(part, gain)))
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.examples.bytes())
    }
}
