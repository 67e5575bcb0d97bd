//! The model of `classify`: from inputs to a number for each label.

use super::data::{Input, Raw, RawInput};
use crate::error::Error;
use crate::run::Folder;
use crate::task::encoder::{Encoder, Pooling};
use crate::task::lexicon::Lexicon;
use crate::task::settings::{Dropout, Settings};
use crate::task::words::{Spelled, Spelling, WordLayer, split};
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Linear, Tape, Var};

const LABELS: &str = "labels.json";

/// What inputs become vectors by.
enum Front {
    Words { spelling: Spelling, layer: WordLayer },
    Numbers { width: usize },
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
            RawInput::Numbers { .. } => None,
        });
        let width = raw.train.iter().find_map(|e| match &e.input {
            RawInput::Numbers { steps, values } => Some(values.len() / (*steps).max(1)),
            RawInput::Text(_) => None,
        });
        let spelling = match width {
            None => Ok(Spelling::of(texts.flat_map(split), settings)),
            Some(width) => Err(width),
        };
        Model::new(settings, labels, spelling)
    }

    /// With the words and labels of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Model, Error> {
        let labels = Lexicon::read(folder, LABELS)?;
        Model::new(settings, labels, Ok(Spelling::read(folder, settings)?))
    }

    fn new(settings: &Settings, labels: Lexicon, front: Result<Spelling, usize>) -> Result<Model, Error> {
        let m = &settings.model;
        let mut blueprint = Blueprint::new();
        let (front, width) = match front {
            Ok(spelling) => {
                let layer = WordLayer::declare(&mut blueprint, &spelling, settings)?;
                let width = layer.width;
                (Front::Words { spelling, layer }, width)
            }
            Err(width) => (Front::Numbers { width }, width),
        };
        let encoder = Encoder::declare(&mut blueprint, "encoder", width, settings)?;
        let pooling = Pooling::declare(&mut blueprint, "pool", encoder.width, m.pool);
        let output = blueprint.linear("output", pooling.width, labels.len());
        Ok(Model { labels, blueprint, front, encoder, pooling, output })
    }

    /// What is read, as the model reads it. An empty text is one unknown word.
    pub fn input(&self, raw: &RawInput) -> Input {
        match (raw, &self.front) {
            (RawInput::Text(text), Front::Words { spelling, .. }) => {
                let spelled = spelling.spell(split(text));
                match spelled.words.is_empty() {
                    true => Input::Words(Spelled { words: vec![0], characters: vec![vec![]] }),
                    false => Input::Words(spelled),
                }
            }
            (RawInput::Numbers { steps, values }, _) => Input::Numbers { steps: *steps, values: values.clone() },
            (RawInput::Text(_), Front::Numbers { .. }) => Input::Numbers { steps: 0, values: vec![] },
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
                        Input::Words(spelled) => Some(spelled),
                        Input::Numbers { .. } => None,
                    })
                    .collect();
                if texts.len() != inputs.len() {
                    return Err(EngineError::Unsupported("the model reads words, not numbers".into()));
                }
                layer.vectors(tape, &texts, &layout, dropout.words)?
            }
            Front::Numbers { width } => {
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
            Front::Numbers { .. } => x,
        };
        let encoded = self.encoder.run(tape, x, &layout, dropout.between)?;
        let pooled = self.pooling.run(tape, encoded.y, &layout)?;
        let pooled = tape.dropout(pooled, dropout.output);
        tape.linear(pooled, self.output)
    }

    /// Writes words and labels into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.labels.write(folder, LABELS)?;
        match &self.front {
            Front::Words { spelling, .. } => spelling.write(folder),
            Front::Numbers { .. } => Ok(()),
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
            Front::Numbers { width } => format!("{labels} labels, {width} numbers a step"),
        }
    }
}
