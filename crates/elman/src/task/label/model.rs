//! The model of `label`: from numbers to scores of characters at each step.

use super::data::{Examples, Numbers};
use crate::error::Error;
use crate::run::Folder;
use crate::task::Settings;
use crate::task::encoder::Encoder;
use crate::task::lexicon::Lexicon;
use crate::task::settings::Dropout;
use crate::whole_file::shown;
use elman_engine::EngineError;
use elman_engine::loss::shortest_input;
use elman_engine::tape::{Blueprint, Layout, Linear, Tape, Var};
use serde::{Deserialize, Serialize};

const SYMBOLS: &str = "symbols.json";
const FORM: &str = "form.json";
/// The name of the symbol that stands for nothing: number 0.
const BLANK: &str = "<blank>";
/// Examples from which mean and deviation are taken.
const MEASURED: usize = 500;

/// What a step is, and what its numbers are shifted and scaled by.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Form {
    format: u32,
    width: usize,
    /// Samples a second, of sounds.
    rate: Option<u32>,
    mean: Vec<f32>,
    scale: Vec<f32>,
}

/// Characters and layers.
pub struct Model {
    /// The blank, then characters.
    pub symbols: Lexicon,
    /// What it is made of.
    pub blueprint: Blueprint,
    form: Form,
    stack: usize,
    encoder: Encoder,
    output: Linear,
}

impl Model {
    /// With the characters and numbers of training examples.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn fresh(settings: &Settings, train: &Examples) -> Result<Model, Error> {
        let texts: Vec<String> = match train {
            Examples::Strings { labels, .. } => labels.iter().map(|l| char::from(*l).to_string()).collect(),
            _ => (0..train.count()).map(|i| train.example(i).1).collect(),
        };
        let letters: Vec<String> = texts.iter().flat_map(|t| t.chars()).map(String::from).collect();
        let known = Lexicon::of_labels(letters.iter().map(String::as_str));
        let symbols = std::iter::once(BLANK.to_string()).chain(known.entries().iter().cloned()).collect();
        let some: Vec<Numbers> = (0..train.count().min(MEASURED)).map(|i| train.example(i).0).collect();
        let width = some.first().map_or(1, |n| n.width);
        let rate = match train {
            Examples::Sounds(_, rate) => Some(*rate),
            _ => None,
        };
        let (mut sum, mut squares, mut steps) = (vec![0.0; width], vec![0.0; width], 0.0);
        for row in some.iter().flat_map(|n| n.values.chunks_exact(width)) {
            steps += 1.0;
            for (k, x) in row.iter().enumerate() {
                sum[k] += f64::from(*x);
                squares[k] += f64::from(*x) * f64::from(*x);
            }
        }
        // Pixels that are always the same are only shifted.
        let scale = |k: usize| {
            let mean: f64 = sum[k] / steps;
            let deviation = (squares[k] / steps - mean * mean).max(0.0).sqrt();
            if deviation > 1e-3 { (1.0 / deviation) as f32 } else { 1.0 }
        };
        let mean = sum.iter().map(|s| (s / steps) as f32).collect();
        let form = Form { format: 1, width, rate, mean, scale: (0..width).map(scale).collect() };
        Model::new(settings, Lexicon::from_entries(symbols), form)
    }

    /// With those of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Model, Error> {
        let path = folder.join(FORM);
        let wrong = |why: String| Error::Refused(format!("{}: {why}; put the file back, or train again", shown(&path)));
        let json = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        let form: Form = serde_json::from_str(&json).map_err(|e| wrong(e.to_string()))?;
        if form.width == 0 || form.mean.len() != form.width || form.scale.len() != form.width {
            return Err(wrong("there are not as many numbers as a step has".into()));
        }
        Model::new(settings, Lexicon::read(folder, SYMBOLS)?, form)
    }

    fn new(settings: &Settings, symbols: Lexicon, form: Form) -> Result<Model, Error> {
        let mut blueprint = Blueprint::new();
        let stack = settings.model.stack;
        let encoder = Encoder::declare(&mut blueprint, "encoder", form.width * stack, settings)?;
        let output = blueprint.linear("output", encoder.width, symbols.len());
        Ok(Model { symbols, blueprint, form, stack, encoder, output })
    }

    /// Numbers of a step of what is read.
    pub fn width(&self) -> usize {
        self.form.width
    }

    /// Steps that are read at once.
    pub fn stack(&self) -> usize {
        self.stack
    }

    /// Samples a second, of sounds.
    pub fn rate(&self) -> Option<u32> {
        self.form.rate
    }

    /// The numbers of a text's characters.
    ///
    /// # Errors
    /// A character that training does not have.
    pub fn spell(&self, text: &str) -> Result<Vec<u32>, Error> {
        let one = |c: char| {
            let known = self.symbols.id(c.encode_utf8(&mut [0; 4]));
            known.ok_or_else(|| Error::Refused(format!("`{text}`: the character `{c}` does not occur in training")))
        };
        text.chars().map(one).collect()
    }

    /// Refuses examples whose text is too long for their steps, or spelled with other characters.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self, examples: &Examples) -> Result<(), Error> {
        let Examples::Sounds(all, _) = examples else { return Ok(()) };
        for (number, (x, text)) in all.iter().enumerate() {
            let (steps, needed) = (x.steps().div_ceil(self.stack), shortest_input(&self.spell(text)?));
            if steps < needed {
                let message = format!("example {}: `{text}` needs {needed} steps, the sound has {steps}", number + 1);
                return Err(Error::Refused(format!("{message}; a smaller model.stack gives more")));
            }
        }
        Ok(())
    }

    /// Scores of symbols, and the layout of their steps.
    ///
    /// # Errors
    /// What the engine says.
    pub fn logits(
        &self,
        tape: &mut Tape<'_, f32>,
        inputs: &[&Numbers],
        dropout: &Dropout,
    ) -> Result<(Var, Layout), EngineError> {
        let layout = Layout::new(inputs.iter().map(|x| x.steps().div_ceil(self.stack).max(1)).collect());
        let (width, form) = (self.form.width * self.stack, &self.form);
        let mut x = vec![0.0; layout.rows() * width];
        for (b, input) in inputs.iter().enumerate() {
            for (row, steps) in layout.of(b).zip(input.values.chunks(width)) {
                for (k, (to, value)) in x[row * width..].iter_mut().zip(steps).enumerate() {
                    let k = k % form.width;
                    *to = (value - form.mean[k]) * form.scale[k];
                }
            }
        }
        let x = tape.given(x, width)?;
        let y = self.encoder.run(tape, x, &layout, dropout.between)?.y;
        let y = tape.dropout(y, dropout.output);
        Ok((tape.linear(y, self.output)?, layout))
    }

    /// Writes what prediction needs.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.symbols.write(folder, SYMBOLS)?;
        let json = serde_json::to_string_pretty(&self.form).map_err(|e| Error::Refused(format!("{FORM}: {e}")))?;
        folder.write(FORM, json.into_bytes())
    }

    /// A few words on it.
    pub fn words(&self) -> String {
        format!(
            "{} characters, {} numbers a step, {} steps at once",
            self.symbols.len() - 1,
            self.form.width,
            self.stack
        )
    }
}
