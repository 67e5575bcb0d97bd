//! Words for a picture, by beam search; and a trained model that finds them for files.

use super::WORDS;
use super::data::{Size, resized};
use super::model::{END, Model, Seen};
use crate::data::images::Images;
use crate::decode::beam::{Beam, Step, search};
use crate::error::Error;
use crate::run::Folder;
use crate::task::lexicon::Lexicon;
use crate::task::settings::Dropout;
use crate::task::{Opened, Prediction};
use crate::train::Machine;
use elman_engine::tape::{Layout, Mode, Store, Tape, Var};
use serde::Serialize;
use serde_json::json;

/// Words of a caption at most.
const LONGEST: usize = 40;
/// Nothing is dropped.
const NOTHING: Dropout = Dropout { input: 0.0, between: 0.0, output: 0.0, words: 0.0 };

/// A caption.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// Its words.
    pub caption: String,
    /// log p of its words and of its end.
    pub log_probability: f64,
}

/// Goes on word by word with what is known of a picture.
struct Saying<'m> {
    model: &'m Model,
    store: &'m mut Store<f32>,
    /// [patches, units].
    memory: Vec<f32>,
    width: usize,
    /// Per layer, per state: [beams, units].
    states: Vec<Vec<Vec<f32>>>,
    beams: usize,
}

impl Step for Saying<'_> {
    fn scores(&mut self, parents: &[usize], tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let beams = parents.len();
        let mut tape = Tape::new(self.store, Mode::Infer);
        let memory = self.memory.chunks_exact(self.width).flat_map(|row| row.repeat(beams)).collect();
        let memory = tape.given(memory, self.width)?;
        let mut states = vec![];
        for layer in &self.states {
            let mut own = vec![];
            for state in layer {
                let units = state.len() / self.beams;
                let chosen = parents.iter().flat_map(|p| &state[p * units..][..units]).copied().collect();
                own.push(tape.given(chosen, units)?);
            }
            states.push(own);
        }
        let layout = Layout::new(vec![1; beams]);
        let (logits, after) = self.model.say(&mut tape, (tokens, &layout), &Seen { memory, states }, &NOTHING)?;
        let numbers = |v: &Var| tape.value(*v).to_vec();
        self.states = after.iter().map(|layer| layer.iter().map(numbers).collect()).collect();
        self.beams = beams;
        let words = tape.width(logits);
        let mut scores = tape.value(logits).to_vec();
        for row in scores.chunks_exact_mut(words) {
            // Of the known words: what is unknown cannot be said.
            row[0] = f32::NEG_INFINITY;
            let largest = row.iter().fold(f32::NEG_INFINITY, |m, z| m.max(*z));
            let sum: f64 = row.iter().map(|z| f64::from(z - largest).exp()).sum();
            row.iter_mut().for_each(|z| *z -= largest + sum.ln() as f32);
        }
        Ok(scores)
    }
}

/// The `best` captions of a picture.
pub(super) fn say(
    (model, store): (&Model, &mut Store<f32>),
    words: &Lexicon,
    pixels: &[u8],
    width: usize,
    best: usize,
) -> Result<Vec<Said>, Error> {
    let mut tape = Tape::new(store, Mode::Infer);
    let seen = model.see(&mut tape, &[pixels], &[(0, 0)], &NOTHING)?;
    let numbers = |v: &Var| tape.value(*v).to_vec();
    let states = seen.states.iter().map(|layer| layer.iter().map(numbers).collect()).collect();
    let (memory, units) = (numbers(&seen.memory), tape.width(seen.memory));
    drop(tape);
    let mut saying = Saying { model, store, memory, width: units, states, beams: 1 };
    let width = width.max(best);
    let beam = Beam { width, best, length_penalty: 1.0, longest: LONGEST, begin: END, end: END };
    let text = |tokens: &[u32]| tokens.iter().map(|t| words.entry(*t)).collect::<Vec<_>>().join(" ");
    let found = search(&mut saying, beam)?;
    Ok(found.iter().map(|f| Said { caption: text(&f.tokens), log_probability: f.log_probability }).collect())
}

/// A trained model.
pub struct Captioner {
    words: Lexicon,
    model: Model,
    store: Store<f32>,
    size: Size,
    beam: usize,
}

impl Captioner {
    /// Of a run that is open.
    ///
    /// # Errors
    /// No model yet, damaged files.
    pub fn of(opened: &Opened, machine: Machine) -> Result<Captioner, Error> {
        let folder: &Folder = &opened.folder;
        let (words, size) = (Lexicon::read(folder, WORDS)?, Size::read(folder)?);
        let model = Model::new(&opened.settings, size, &words)?;
        let store = opened.store(&model.blueprint, machine)?;
        Ok(Captioner { words, model, store, size, beam: opened.settings.model.beam })
    }

    /// The `top` captions of a picture, [height, width, channels] of `size`; it is made as large as those of training.
    ///
    /// # Errors
    /// What the engine says.
    pub fn say(&mut self, pixels: &[u8], size: (usize, usize, usize), top: usize) -> Result<Vec<Said>, Error> {
        let from = Size { height: size.0, width: size.1, channels: size.2 };
        if pixels.len() != from.numbers() || pixels.is_empty() {
            return Err(Error::Refused(format!("{} numbers are no picture of {size:?}", pixels.len())));
        }
        let pixels = resized(pixels, from, self.size);
        say((&self.model, &mut self.store), &self.words, &pixels, self.beam, top.max(1))
    }

    /// What is said of each picture of a file: a PNG, a folder of them, idx.
    ///
    /// # Errors
    /// A file that cannot be read, and what `each` returns.
    pub fn predict(
        mut self,
        file: &str,
        top: usize,
        each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let images = Images::read(file, None)?;
        let size = (images.height, images.width, images.channels);
        for n in 0..images.count {
            let said = self.say(images.picture(n), size, top)?;
            let mut fields: Vec<String> = match top {
                0 | 1 => said.iter().map(|s| s.caption.clone()).collect(),
                _ => said.iter().flat_map(|s| [format!("{:.4}", s.log_probability), s.caption.clone()]).collect(),
            };
            let mut json = json!({ "picture": n + 1, "captions": said });
            if images.names.is_some() {
                json["place"] = images.place(n).into();
                fields.push(images.place(n));
            }
            each(&Prediction { fields, json })?;
        }
        Ok(())
    }
}
