//! `label --ctc`: a sequence of numbers → a shorter sequence of characters, without alignment.
//!
//! ```text
//! columns of pixels, log-mel frames ─▶ some steps side by side ─▶ layers, both directions ─▶ scores of characters and blank
//! ```
//!
//! The loss is connectionist temporal classification (Graves et al. 2006); what is said is found by a prefix beam (Hannun et
//! al. 2014, arXiv:1408.2873).

mod data;
mod figures;
mod model;

pub use data::{Numbers, features};
pub use model::Model;

use super::batches::by_length;
use super::{Figures, Lengths, Loss, Opened, Part, Settings, Task};
use crate::decode::ctc::prefix_beam;
use crate::error::Error;
use crate::metrics::edit::{character_error_rate, exact_match};
use crate::run::Folder;
use crate::train::Machine;
use crate::train::progress::fingerprint;
use data::Examples;
use elman_engine::loss::log_sum_exp;
use elman_engine::tape::{Blueprint, Mode, Store, Tape};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// Prefixes that are kept at each step.
const BEAM: usize = 16;
/// Examples that are measured side by side.
const SIDE_BY_SIDE: usize = 32;
/// Examples that a terminal shows.
const SHOWN: usize = 8;

/// The task with its data.
pub struct Label {
    settings: Settings,
    model: Model,
    examples: [Examples; 3],
}

impl Label {
    pub(super) fn fresh(settings: &Settings) -> Result<Label, Error> {
        let examples = data::read(settings)?;
        let model = Model::fresh(settings, &examples[0])?;
        Label::with(settings, model, examples)
    }

    pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Label, Error> {
        let examples = data::read(settings)?;
        Label::with(settings, Model::again(settings, folder)?, examples)
    }

    fn with(settings: &Settings, model: Model, examples: [Examples; 3]) -> Result<Label, Error> {
        for examples in &examples {
            model.check(examples)?;
        }
        Ok(Label { settings: settings.clone(), model, examples })
    }

    fn of(&self, part: Part) -> &Examples {
        match part {
            Part::Train => &self.examples[0],
            Part::Valid => &self.examples[1],
            Part::Test => &self.examples[2],
        }
    }
}

impl Task for Label {
    fn blueprint(&self) -> &Blueprint {
        &self.model.blueprint
    }

    fn count(&self, part: Part) -> usize {
        self.of(part).count()
    }

    fn length(&self, part: Part, example: usize) -> usize {
        self.of(part).length(example)
    }

    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error> {
        let all = self.of(Part::Train);
        let read: Vec<(Numbers, String)> = examples.iter().map(|i| all.example(*i)).collect();
        let inputs: Vec<&Numbers> = read.iter().map(|(x, _)| x).collect();
        let targets = read.iter().map(|(_, text)| self.model.spell(text)).collect::<Result<Vec<_>, _>>()?;
        let (logits, layout) = self.model.logits(tape, &inputs, &self.settings.dropout)?;
        let units = targets.iter().map(Vec::len).sum::<usize>().max(1);
        let mean = tape.ctc(logits, &layout, &targets, 1.0 / units as f64)?;
        Ok(Loss { mean, units })
    }

    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error> {
        let all = self.of(part);
        let lengths: Vec<usize> = (0..all.count()).map(|i| all.length(i)).collect();
        let (mut given, mut wanted) = (vec![String::new(); all.count()], vec![String::new(); all.count()]);
        for batch in by_length(&lengths, SIDE_BY_SIDE) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let read: Vec<(Numbers, String)> = batch.iter().map(|i| all.example(*i)).collect();
            let inputs: Vec<&Numbers> = read.iter().map(|(x, _)| x).collect();
            for ((text, (_, right)), i) in self.model.say(store, &inputs)?.into_iter().zip(read).zip(&batch) {
                (given[*i], wanted[*i]) = (text, right);
            }
        }
        let (rate, exact) = (character_error_rate(&given, &wanted)?, exact_match(&given, &wanted)?);
        let values = vec![("character_error_rate".to_string(), rate.rate), ("exact".to_string(), exact.value)];
        let pairs = wanted.iter().zip(&given).take(SHOWN);
        let samples: String =
            pairs.clone().map(|(wanted, given)| format!("wanted {wanted}  given {given}\n")).collect();
        let text = format!("\n{} characters of {} texts\n{samples}", rate.wanted, wanted.len());
        let samples: Vec<_> = pairs.map(|(wanted, given)| json!({ "wanted": wanted, "given": given })).collect();
        let details = json!({ "character_error_rate": rate, "exact": exact, "samples": samples });
        let mut shown = figures::shown(&given, &wanted);
        shown.intervals.push(("exact", exact));
        shown.sections.extend(figures::in_time(&self.model, store, all)?);
        let (score, scored) = (1.0 - rate.rate, "1 - character_error_rate");
        Ok(Some(Figures { score, scored, values, text, details, shown, ..Figures::default() }))
    }

    fn lengths(&self) -> Lengths {
        let train = self.of(Part::Train);
        Lengths::of("characters", (0..train.count()).map(|i| train.characters(i)))
    }

    fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.model.write(folder)
    }

    fn words(&self) -> String {
        let counts = [Part::Train, Part::Valid, Part::Test].map(|p| format!("{} {}", self.count(p), p.name()));
        format!("examples: {}; {}", counts.join(", "), self.model.words())
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.examples[..2].iter().flat_map(Examples::bytes))
    }
}

impl Model {
    /// The probability of each symbol at each step of an input.
    ///
    /// # Errors
    /// What the engine says.
    pub fn probabilities(&self, store: &mut Store<f32>, input: &Numbers) -> Result<Vec<Vec<f64>>, Error> {
        let mut tape = Tape::new(store, Mode::Infer);
        let (logits, layout) = self.logits(&mut tape, &[input], &Settings::default().dropout)?;
        let (value, symbols) = (tape.value(logits), self.symbols.len());
        let step = |row: usize| -> Vec<f64> {
            let z = &value[row * symbols..][..symbols];
            let all = log_sum_exp(z.iter().map(|z| f64::from(*z)));
            z.iter().map(|z| (f64::from(*z) - all).exp()).collect()
        };
        Ok(layout.of(0).map(step).collect())
    }

    /// What is said in each of some inputs.
    ///
    /// # Errors
    /// What the engine says.
    pub fn say(&self, store: &mut Store<f32>, inputs: &[&Numbers]) -> Result<Vec<String>, Error> {
        let mut tape = Tape::new(store, Mode::Infer);
        let (logits, layout) = self.logits(&mut tape, inputs, &Settings::default().dropout)?;
        let symbols = self.symbols.len();
        let value = tape.value(logits);
        let one = |b: usize| {
            let own: Vec<f32> = layout.of(b).flat_map(|row| &value[row * symbols..][..symbols]).copied().collect();
            let best = prefix_beam(&own, symbols, BEAM, None)?;
            Ok(best.first().map_or(String::new(), |l| l.symbols.iter().map(|s| self.symbols.entry(*s)).collect()))
        };
        (0..inputs.len()).map(one).collect()
    }
}

/// A trained model of `label`.
pub struct Labeller {
    model: Model,
    store: Store<f32>,
}

impl Labeller {
    /// Of a run that is open.
    ///
    /// # Errors
    /// No model yet, damaged files.
    pub fn of(opened: &Opened, machine: Machine) -> Result<Labeller, Error> {
        let model = Model::again(&opened.settings, &opened.folder)?;
        let store = opened.store(&model.blueprint, machine)?;
        Ok(Labeller { model, store })
    }

    /// What is said in a WAV file.
    ///
    /// # Errors
    /// A file that cannot be read, of another rate than the model's.
    pub fn hear(&mut self, file: &str) -> Result<String, Error> {
        let numbers = features(file, self.model.rate())?;
        if numbers.width != self.model.width() {
            let message = format!("the model reads {} numbers a step, not sounds", self.model.width());
            return Err(Error::Refused(format!("{file}: {message}")));
        }
        Ok(self.model.say(&mut self.store, &[&numbers])?.swap_remove(0))
    }
}
