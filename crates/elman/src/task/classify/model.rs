//! The model of `classify`: from inputs to a number for each label.

use super::baseline;
use super::data::{Example, Input, Raw, RawInput};
use super::member::{Member, Votes};
use super::ngrams;
use super::numbers::Numbers;
use super::steps::Steps;
use super::together;
use crate::baseline::ngrams::Tuned;
use crate::error::Error;
use crate::run::Folder;
use crate::task::Part;
use crate::task::lexicon::Lexicon;
use crate::task::settings::{Dropout, PictureSteps, PoolName, Settings, UnitName};
use crate::task::words::{Spelling, split};
use crate::whole_file::shown;
use elman_cell::cell::Init;
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Mode, NO_TARGET, Parameter, Store, Tape, Var};

const LABELS: &str = "labels.json";
const ALSO: &str = "also.json";
const LINEAR: &str = "linear.json";

/// What inputs become numbers by.
pub(super) enum Front {
    /// Of texts.
    Words(Spelling),
    /// Of pictures and series.
    Numbers(Numbers),
}

/// Words, labels and layers.
pub struct Model {
    /// The labels by number.
    pub labels: Lexicon,
    /// The labels that are learned beside, if there are any.
    also: Option<Lexicon>,
    /// What it is made of.
    pub blueprint: Blueprint,
    front: Front,
    unit: UnitName,
    /// Rows of each table of n-grams; 0: there is none.
    ngrams: usize,
    steps: Steps,
    members: Vec<Member>,
    /// Answers together with the members.
    pub linear: Option<Tuned>,
    /// How much the members count then, and how much it does.
    together: Option<Parameter>,
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
        let unit = settings.data.unit;
        let numbers = Numbers::of(grids.clone());
        if let Some(unheeded) = unheeded(settings, numbers.is_some()) {
            let files = settings.data.train.join(", ");
            let (these, others) = if numbers.is_some() { ("no texts", "texts") } else { ("texts", "pictures") };
            return Err(Error::Refused(format!(
                "{files}: these are {these}, and {unheeded} is for {others}: leave it out"
            )));
        }
        let (front, lengths): (_, Vec<usize>) = match numbers {
            Some(numbers) => (Front::Numbers(numbers), grids.map(|g| g.values.len() / g.width.max(1)).collect()),
            None => {
                let spelling = Spelling::of(texts.clone().flat_map(|t| units(t, unit)), settings)?;
                (Front::Words(spelling), texts.map(|t| units(t, unit).count()).collect())
            }
        };
        let also = Lexicon::of_labels(raw.train.iter().filter_map(|e| e.also.as_deref()));
        let also = settings.data.also.is_some().then_some(also);
        let linear = settings.model.linear.then(|| linear_of(settings, raw)).transpose()?;
        Model::new(settings, (labels, also), front, Steps::of(settings, &lengths), linear)
    }

    /// With the words and labels of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Model, Error> {
        let labels = Lexicon::read(folder, LABELS)?;
        let front = match Numbers::read(folder)? {
            Some(numbers) => Front::Numbers(numbers),
            None => Front::Words(Spelling::read(folder, settings)?),
        };
        let also = settings.data.also.is_some().then(|| Lexicon::read(folder, ALSO)).transpose()?;
        let linear = settings.model.linear.then(|| linear_in(folder)).transpose()?;
        Model::new(settings, (labels, also), front, Steps::read(folder, settings)?, linear)
    }

    fn new(
        settings: &Settings,
        (labels, also): (Lexicon, Option<Lexicon>),
        front: Front,
        steps: Steps,
        linear: Option<Tuned>,
    ) -> Result<Model, Error> {
        let (unit, ngrams) = (settings.data.unit, settings.model.ngrams);
        let mut blueprint = Blueprint::new();
        let answers = [labels.len(), also.as_ref().map_or(0, Lexicon::len)];
        let mut member = |k| Member::declare(&mut blueprint, k, &front, settings, answers, &steps);
        let members = (0..settings.model.members).map(&mut member).collect::<Result<_, _>>()?;
        let equal = Init::Constant(together::EQUAL.into());
        let together = linear.is_some().then(|| blueprint.parameter("together", &[2], equal));
        Ok(Model { labels, also, blueprint, front, unit, ngrams, steps, members, linear, together })
    }

    /// What is read, as the model reads it. An empty text is one unknown word.
    ///
    /// # Errors
    /// Numbers where words are read, or words where numbers are; numbers of another shape; more steps than there are places.
    pub fn input(&self, raw: RawInput, place: &str) -> Result<Input, Error> {
        let input = match (raw, &self.front) {
            (RawInput::Text(text), Front::Words(spelling)) => {
                let (wanted, found) = (spelling.columns(), text.split(" | ").count());
                if found < wanted {
                    let way = "write them on one line with ` | ` between, or give a table that has them";
                    return Err(Error::Refused(format!(
                        "{place}: the model reads {wanted} columns, this has {found}; {way}"
                    )));
                }
                let mut spelled = spelling.spell(units(&text, self.unit));
                if spelled.words.is_empty() {
                    spelled = spelling.nothing();
                }
                let words = || units(&text, self.unit).map(str::to_lowercase).collect::<Vec<_>>();
                let ngrams = match (self.ngrams, self.steps.pool) {
                    (0, _) => vec![],
                    (rows, PoolName::Places) => ngrams::rows_of_places(&words(), rows),
                    (rows, _) => ngrams::rows_of(&words(), rows),
                };
                Input::Words { spelled, ngrams, linear: self.linear_votes(&text) }
            }
            (RawInput::Numbers(grid), Front::Numbers(numbers)) => numbers.input(grid, place)?,
            (RawInput::Numbers(_), Front::Words(_)) => {
                return Err(Error::Refused(format!("{place}: these are numbers, and the model reads texts")));
            }
            (RawInput::Text(_), Front::Numbers(_)) => {
                return Err(Error::Refused(format!("{place}: this is a text, and the model reads pictures or series")));
            }
        };
        self.steps.check(input.len(), place)?;
        Ok(input)
    }

    /// What it knows of numbers, if it reads them.
    pub fn numbers(&self) -> Option<&Numbers> {
        match &self.front {
            Front::Numbers(numbers) => Some(numbers),
            Front::Words(_) => None,
        }
    }

    /// The number of a label that stands at `place`.
    ///
    /// # Errors
    /// A label that training does not have.
    pub fn label(&self, label: &str, place: &str) -> Result<u32, Error> {
        self.labels.id(label).ok_or_else(|| {
            let short = |label: &str| label.chars().take(40).collect::<String>();
            let known: Vec<String> = self.labels.entries().iter().take(10).map(|label| short(label)).collect();
            let more = if self.labels.len() > known.len() { " and others" } else { "" };
            let (label, known) = (short(label), known.join("`, `"));
            Error::Refused(format!(
                "{place}: the label `{label}` does not occur in training, which has `{known}`{more}"
            ))
        })
    }

    /// The number of a label that is learned beside; `NO_TARGET` for none.
    pub fn also(&self, label: Option<&str>) -> u32 {
        label.zip(self.also.as_ref()).and_then(|(label, all)| all.id(label)).unwrap_or(NO_TARGET)
    }

    /// What each member says.
    ///
    /// # Errors
    /// What the engine says.
    pub fn votes(
        &self,
        tape: &mut Tape<'_, f32>,
        inputs: &[&Input],
        drop: &Dropout,
    ) -> Result<Vec<Votes>, EngineError> {
        self.members.iter().map(|member| member.votes(tape, inputs, drop)).collect()
    }

    /// log p of each label by the linear model; nothing where there is none.
    fn linear_votes(&self, text: &str) -> Vec<f32> {
        let Some(linear) = &self.linear else { return vec![] };
        let p = linear.probabilities(text);
        let of = |label: &String| linear.classes().binary_search(label).map_or(f64::MIN_POSITIVE, |class| p[class]);
        self.labels.entries().iter().map(|label| of(label).max(f64::MIN_POSITIVE).ln() as f32).collect()
    }

    /// The mean of what all members say, [inputs, labels].
    fn deep(&self, store: &mut Store<f32>, inputs: &[&Input], drop: &Dropout) -> Result<Vec<f32>, EngineError> {
        let mut tape = Tape::new(store, Mode::Infer);
        let votes: Vec<Var> = self.votes(&mut tape, inputs, drop)?.into_iter().map(|v| v.label).collect();
        let sum = tape.total(&votes)?;
        let mean = tape.scale(sum, 1.0 / votes.len() as f64);
        Ok(tape.value(mean).to_vec())
    }

    /// A number for each label, [inputs, labels]: the mean of what all members say, or a weighted sum of that and what the linear
    /// model says.
    ///
    /// # Errors
    /// What the engine says.
    pub fn logits(&self, store: &mut Store<f32>, inputs: &[&Input], drop: &Dropout) -> Result<Vec<f32>, EngineError> {
        let mut z = self.deep(store, inputs, drop)?;
        if let Some([deep, linear]) = self.weighed(store) {
            let said = inputs.iter().flat_map(|i| i.linear());
            z.iter_mut().zip(said).for_each(|(z, said)| *z = deep * *z + linear * said);
        }
        Ok(z)
    }

    /// How much the members and the linear model count, if there is one.
    pub fn weighed(&self, store: &Store<f32>) -> Option<[f32; 2]> {
        let weights = store.weight(self.together?);
        weights.first_chunk().copied()
    }

    /// Weighs members and linear model, if there is one, by examples that none of them has learned.
    ///
    /// # Errors
    /// What the engine says.
    pub fn weigh(&self, store: &mut Store<f32>, batches: &[Vec<&Example>], drop: &Dropout) -> Result<(), EngineError> {
        let Some(together) = self.together else { return Ok(()) };
        let (mut deep, mut linear, mut wanted) = (vec![], vec![], vec![]);
        for batch in batches {
            let inputs: Vec<&Input> = batch.iter().map(|e| &e.input).collect();
            deep.extend(self.deep(store, &inputs, drop)?);
            linear.extend(inputs.iter().flat_map(|i| i.linear()));
            wanted.extend(batch.iter().map(|e| e.label));
        }
        store.set(together, &together::weights([&deep, &linear], &wanted))
    }

    /// Writes words and labels into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.labels.write(folder, LABELS)?;
        self.also.as_ref().map_or(Ok(()), |also| also.write(folder, ALSO))?;
        self.steps.write(folder)?;
        if let Some(linear) = &self.linear {
            folder.write(LINEAR, linear.to_json().into_bytes())?;
        }
        match &self.front {
            Front::Words(spelling) => spelling.write(folder),
            Front::Numbers(numbers) => numbers.write(folder),
        }
    }

    /// A few words on it.
    pub fn words(&self) -> String {
        let labels = self.labels.len();
        match &self.front {
            Front::Words(spelling) => format!("{labels} labels, {}", spelling.told()),
            Front::Numbers(numbers) => format!("{labels} labels, {} numbers a step", numbers.width),
        }
    }
}

/// A setting that inputs of this kind do not heed.
fn unheeded(settings: &Settings, numbers: bool) -> Option<&'static str> {
    let (d, m, usual) = (&settings.data, &settings.model, Settings::default());
    let given: &[(&str, bool)] = match numbers {
        true => &[
            ("--vectors (data.vectors)", d.vectors.is_some()),
            ("--linear (model.linear)", m.linear),
            ("--text (data.text)", d.text.is_some()),
            ("--unit (data.unit)", d.unit == UnitName::Char),
            ("--embedding (model.embedding)", m.embedding != usual.model.embedding),
            ("--characters (model.characters)", m.characters != usual.model.characters),
            ("--ngrams (model.ngrams)", m.ngrams != usual.model.ngrams),
            ("--dropout-words (dropout.words)", settings.dropout.words != usual.dropout.words),
            ("--vocab-size (data.vocabulary)", d.vocabulary != usual.data.vocabulary),
        ],
        false => &[("--shift (data.shift)", d.shift > 0), ("--as (data.pictures)", d.pictures != PictureSteps::Rows)],
    };
    given.iter().find(|(_, given)| *given).map(|(name, _)| *name)
}

/// The linear model of the examples' texts, tuned as the baseline is.
fn linear_of(settings: &Settings, raw: &Raw) -> Result<Tuned, Error> {
    let [train, valid] = [Part::Train, Part::Valid].map(|part| raw.texts(part));
    baseline::tune(&train, &valid, settings)
}

/// The linear model of a run.
fn linear_in(folder: &Folder) -> Result<Tuned, Error> {
    let path = folder.join(LINEAR);
    let wrong =
        |e: String| Error::Refused(format!("{}: {e}; put the file back as it was, or train again", shown(&path)));
    Tuned::from_json(&std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?).map_err(wrong)
}

/// The steps of a text.
fn units(text: &str, unit: UnitName) -> impl Iterator<Item = &str> + Clone {
    let words = (unit == UnitName::Word).then(|| split(text));
    let characters = (unit == UnitName::Char)
        .then(|| text.char_indices().filter(|(_, c)| !c.is_whitespace()).map(|(at, c)| &text[at..at + c.len_utf8()]));
    words.into_iter().flatten().chain(characters.into_iter().flatten())
}
