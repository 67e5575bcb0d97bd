//! The model of `classify`: from inputs to a number for each label.

use super::data::{Input, Raw, RawInput};
use super::ngrams;
use super::numbers::Numbers;
use crate::error::Error;
use crate::run::Folder;
use crate::task::encoder::{Encoder, Pooling};
use crate::task::lexicon::Lexicon;
use crate::task::settings::{Dropout, Settings, UnitName};
use crate::task::words::{Spelled, Spelling, WordLayer, split};
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Linear, Parameter, Tape, Var};

const LABELS: &str = "labels.json";

/// What inputs become vectors by.
enum Front {
    Words { spelling: Spelling, layer: WordLayer, unit: UnitName, wide: Option<Wide> },
    Numbers(Numbers),
}

/// The table that n-grams are hashed into, [rows, labels].
struct Wide {
    table: Parameter,
    rows: usize,
}

/// Words, labels and layers.
pub struct Model {
    /// The labels by number.
    pub labels: Lexicon,
    /// What it is made of.
    pub blueprint: Blueprint,
    front: Front,
    encoder: Encoder,
    pooling: Pooling,
    output: Linear,
}

impl Model {
    /// With the words and labels of training examples.
    ///
    /// # Errors
    /// Fewer than two labels, a cell that cannot be used.
    pub fn fresh(settings: &Settings, raw: &Raw) -> Result<Model, Error> {
        let labels = Lexicon::of_labels(raw.train.iter().map(|e| e.label.as_str()));
        if labels.len() < 2 {
            let (files, only) = (settings.data.train.join(", "), labels.entry(0));
            let message = "to learn a choice there must be two; is it the right column? --label names another";
            return Err(Error::Refused(format!("{files}: all examples have the label `{only}`: {message}")));
        }
        let texts = raw.train.iter().filter_map(|e| match &e.input {
            RawInput::Text(text) => Some(text.as_str()),
            RawInput::Numbers(_) => None,
        });
        let grids = raw.train.iter().filter_map(|e| match &e.input {
            RawInput::Numbers(grid) => Some(grid),
            RawInput::Text(_) => None,
        });
        let spelling = match Numbers::of(grids) {
            None => Ok(Spelling::of(texts.flat_map(|t| units(t, settings.data.unit)), settings)),
            Some(numbers) => Err(numbers),
        };
        Model::new(settings, labels, spelling)
    }

    /// With the words and labels of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Model, Error> {
        let labels = Lexicon::read(folder, LABELS)?;
        let front = match Numbers::read(folder)? {
            Some(numbers) => Err(numbers),
            None => Ok(Spelling::read(folder, settings)?),
        };
        Model::new(settings, labels, front)
    }

    fn new(settings: &Settings, labels: Lexicon, front: Result<Spelling, Numbers>) -> Result<Model, Error> {
        let m = &settings.model;
        let mut blueprint = Blueprint::new();
        let (front, width) = match front {
            Ok(spelling) => {
                let mut own = settings.clone();
                if settings.data.unit == UnitName::Char {
                    own.model.characters = 0;
                }
                let layer = WordLayer::declare(&mut blueprint, &spelling, &own)?;
                let wide = (m.ngrams > 0).then(|| {
                    let shape = &[m.ngrams, labels.len()];
                    Wide { table: blueprint.parameter("ngrams", shape, Init::Constant(0.0)), rows: m.ngrams }
                });
                let width = layer.width;
                (Front::Words { spelling, layer, unit: settings.data.unit, wide }, width)
            }
            Err(numbers) => {
                let width = numbers.width;
                (Front::Numbers(numbers), width)
            }
        };
        let encoder = Encoder::declare(&mut blueprint, "encoder", width, settings)?;
        let pooling = Pooling::declare(&mut blueprint, "pool", encoder.width, m.pool);
        let output = blueprint.linear("output", pooling.width, labels.len());
        Ok(Model { labels, blueprint, front, encoder, pooling, output })
    }

    /// What is read, as the model reads it. An empty text is one unknown word.
    ///
    /// # Errors
    /// Numbers where words are read, or words where numbers are; numbers of another shape.
    pub fn input(&self, raw: RawInput, place: &str) -> Result<Input, Error> {
        match (raw, &self.front) {
            (RawInput::Text(text), Front::Words { spelling, unit, wide, .. }) => {
                let mut spelled = spelling.spell(units(&text, *unit));
                if spelled.words.is_empty() {
                    spelled = Spelled { words: vec![0], characters: vec![vec![]] };
                }
                let words = || units(&text, *unit).map(str::to_lowercase).collect::<Vec<_>>();
                let ngrams = wide.as_ref().map_or(vec![], |wide| ngrams::rows_of(&words(), wide.rows));
                Ok(Input::Words { spelled, ngrams })
            }
            (RawInput::Numbers(grid), Front::Numbers(numbers)) => numbers.input(grid, place),
            (RawInput::Numbers(_), Front::Words { .. }) => {
                Err(Error::Refused(format!("{place}: these are numbers, and the model reads texts")))
            }
            (RawInput::Text(_), Front::Numbers(_)) => {
                Err(Error::Refused(format!("{place}: this is a text, and the model reads pictures or series")))
            }
        }
    }

    /// What it knows of numbers, if it reads them.
    pub fn numbers(&self) -> Option<&Numbers> {
        match &self.front {
            Front::Numbers(numbers) => Some(numbers),
            Front::Words { .. } => None,
        }
    }

    /// The number of a label that stands at `place`.
    ///
    /// # Errors
    /// A label that training does not have.
    pub fn label(&self, label: &str, place: &str) -> Result<u32, Error> {
        self.labels.id(label).ok_or_else(|| {
            let known = self.labels.entries().iter().take(10).map(String::as_str).collect::<Vec<_>>().join("`, `");
            Error::Refused(format!("{place}: the label `{label}` does not occur in training, which has `{known}`"))
        })
    }

    /// A number for each label, [inputs, labels].
    ///
    /// # Errors
    /// What the engine says.
    pub fn logits(&self, tape: &mut Tape<'_, f32>, inputs: &[&Input], dropout: &Dropout) -> Result<Var, EngineError> {
        let layout = Layout::new(inputs.iter().map(|i| i.len().max(1)).collect());
        let x = match &self.front {
            Front::Words { layer, .. } => {
                let texts: Vec<&Spelled> = inputs
                    .iter()
                    .filter_map(|i| match i {
                        Input::Words { spelled, .. } => Some(spelled),
                        Input::Numbers { .. } => None,
                    })
                    .collect();
                if texts.len() != inputs.len() {
                    return Err(EngineError::Unsupported("the model reads words, not numbers".into()));
                }
                layer.vectors(tape, &texts, &layout, dropout.words)?
            }
            Front::Numbers(Numbers { width, .. }) => {
                let mut x = vec![0.0; layout.rows() * width];
                for (b, input) in inputs.iter().enumerate() {
                    let Input::Numbers { values, .. } = input else {
                        return Err(EngineError::Unsupported("the model reads numbers, not words".into()));
                    };
                    for (row, from) in layout.of(b).zip(values.chunks_exact(*width)) {
                        x[row * width..][..*width].copy_from_slice(from);
                    }
                }
                tape.given(x, *width)?
            }
        };
        let x = match &self.front {
            Front::Words { .. } => tape.dropout(x, dropout.input),
            Front::Numbers(_) => x,
        };
        let encoded = self.encoder.run(tape, x, &layout, dropout.between)?;
        let pooled = self.pooling.run(tape, encoded.y, &layout)?;
        let pooled = tape.dropout(pooled, dropout.output);
        let deep = tape.linear(pooled, self.output)?;
        let Front::Words { wide: Some(wide), .. } = &self.front else { return Ok(deep) };
        let bags = inputs.iter().map(|input| match input {
            Input::Words { ngrams, .. } => {
                let weight = 1.0 / (ngrams.len().max(1) as f32).sqrt();
                ngrams.iter().map(|row| (*row, weight)).collect()
            }
            Input::Numbers { .. } => vec![],
        });
        let wide = tape.bags(wide.table, bags.collect())?;
        tape.add(deep, wide)
    }

    /// Writes words and labels into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.labels.write(folder, LABELS)?;
        match &self.front {
            Front::Words { spelling, .. } => spelling.write(folder),
            Front::Numbers(numbers) => numbers.write(folder),
        }
    }

    /// A few words on it.
    pub fn words(&self) -> String {
        let labels = self.labels.len();
        match &self.front {
            Front::Words { spelling, .. } => {
                format!(
                    "{labels} labels, {} words and {} characters known",
                    spelling.words.len(),
                    spelling.characters.len()
                )
            }
            Front::Numbers(numbers) => format!("{labels} labels, {} numbers a step", numbers.width),
        }
    }
}

/// The steps of a text.
fn units(text: &str, unit: UnitName) -> impl Iterator<Item = &str> + Clone {
    let words = (unit == UnitName::Word).then(|| split(text));
    let characters = (unit == UnitName::Char)
        .then(|| text.char_indices().filter(|(_, c)| !c.is_whitespace()).map(|(at, c)| &text[at..at + c.len_utf8()]));
    words.into_iter().flatten().chain(characters.into_iter().flatten())
}
