//! Files of texts with labels, of pictures, of series → examples.

use super::model::Model;
use crate::data::labelled::{Columns, Labelled};
use crate::data::table::Reading;
use crate::error::Error;
use crate::task::settings::Settings;
use crate::task::words::Spelled;
use crate::task::{Part, batches};
use elman_engine::dropout::{MaskKey, Purpose};

/// What is read of an example.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Words.
    Words(Spelled),
    /// Numbers, the same count each step.
    Numbers {
        /// Steps.
        steps: usize,
        /// [steps, width].
        values: Vec<f32>,
    },
}

impl Input {
    /// Steps.
    pub fn len(&self) -> usize {
        match self {
            Input::Words(spelled) => spelled.words.len(),
            Input::Numbers { steps, .. } => *steps,
        }
    }

    /// There is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An input and the number of its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What is read.
    pub input: Input,
    /// What it is.
    pub label: u32,
}

/// Examples of all parts.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    train: Vec<Example>,
    valid: Vec<Example>,
    test: Vec<Example>,
    /// What was decided unasked while reading.
    pub remarks: Vec<String>,
}

impl Examples {
    /// Those of a part.
    pub fn of(&self, part: Part) -> &[Example] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }

    /// All training and validation examples, as bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.train.iter().chain(&self.valid).flat_map(|e| {
            let input: Vec<u8> = match &e.input {
                Input::Words(s) => {
                    s.words.iter().chain(s.characters.iter().flatten()).flat_map(|id| id.to_le_bytes()).collect()
                }
                Input::Numbers { values, .. } => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            };
            input.into_iter().chain(e.label.to_le_bytes())
        })
    }
}

/// One example as it stands in its file.
#[derive(Clone, Debug)]
pub struct RawExample {
    /// Where it stands, for messages.
    pub place: String,
    /// What is read.
    pub input: RawInput,
    /// What it is.
    pub label: String,
}

/// What is read, before words have numbers.
#[derive(Clone, Debug)]
pub enum RawInput {
    /// A text.
    Text(String),
    /// [steps, width].
    Numbers {
        /// Steps.
        steps: usize,
        /// The numbers.
        values: Vec<f32>,
    },
}

/// Examples as they stand in their files.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// Of the training part.
    pub train: Vec<RawExample>,
    valid: Vec<RawExample>,
    test: Vec<RawExample>,
    remarks: Vec<String>,
}

/// Reads all files of the settings; parts that have no file are taken from the training examples, a tenth each.
///
/// # Errors
/// What the readers say; too few examples.
pub fn read(settings: &Settings) -> Result<Raw, Error> {
    let mut raw = Raw::default();
    let d = &settings.data;
    for (files, part) in [(&d.train, Part::Train), (&d.valid, Part::Valid), (&d.test, Part::Test)] {
        for file in files {
            let (examples, remarks) = read_file(file, settings)?;
            raw.part(part).extend(examples);
            raw.remarks.extend(remarks);
        }
    }
    if d.valid.is_empty() {
        let mut shares = vec![Part::Valid];
        if d.test.is_empty() {
            shares.push(Part::Test);
        }
        let key = MaskKey { seed: 0, purpose: Purpose::Order, layer: 1, step: 0, sequence: 0 };
        batches::shuffle(&mut raw.train, &mut key.random());
        let share = raw.train.len() / 10;
        for part in shares {
            let rest = raw.train.len() - share;
            let held: Vec<RawExample> = raw.train.split_off(rest);
            raw.remarks.push(format!("a tenth of the examples ({share}) is held out: {}", part.name()));
            *raw.part(part) = held;
        }
    }
    if raw.train.is_empty() || raw.valid.is_empty() {
        let message = "too few examples: at least 10 are needed, or files for --data and --valid";
        return Err(Error::Refused(format!("{}: {message}", d.train.join(", "))));
    }
    Ok(raw)
}

fn read_file(file: &str, settings: &Settings) -> Result<(Vec<RawExample>, Vec<String>), Error> {
    let d = &settings.data;
    let columns = Columns { text: d.text.clone(), label: d.label.clone() };
    let reading = Reading { encoding: d.encoding.clone(), ..Reading::default() };
    let read = Labelled::read(file, &columns, &reading)?;
    let name = &read.file;
    let examples = read.examples.into_iter().map(|e| RawExample {
        place: format!("{name}:{}", e.line),
        input: RawInput::Text(e.text),
        label: e.label,
    });
    Ok((examples.collect(), read.remarks.iter().map(|r| format!("{name}: {r}")).collect()))
}

impl Raw {
    fn part(&mut self, part: Part) -> &mut Vec<RawExample> {
        match part {
            Part::Train => &mut self.train,
            Part::Valid => &mut self.valid,
            Part::Test => &mut self.test,
        }
    }

    /// The examples with numbers for words and labels.
    ///
    /// # Errors
    /// A label that training does not have.
    pub fn encoded(&self, model: &Model) -> Result<Examples, Error> {
        let all = |raw: &[RawExample]| -> Result<Vec<Example>, Error> {
            raw.iter()
                .map(|e| Ok(Example { input: model.input(&e.input), label: model.label(&e.label, &e.place)? }))
                .collect()
        };
        let (train, valid, test) = (all(&self.train)?, all(&self.valid)?, all(&self.test)?);
        Ok(Examples { train, valid, test, remarks: self.remarks.clone() })
    }
}
