//! Fields that are learned beside the tags and never answered: `--also xpos,feats,deprel`.
//!
//! What is known of a word's case or of its place in the sentence makes the same layers know more of its tag (Caruana 1997,
//! Multitask learning; for tags Plank, Søgaard & Goldberg 2016, arXiv:1604.05529).

use super::data::Raw;
use crate::data::conllu::{Sentence, Token};
use crate::error::Error;
use crate::run::Folder;
use crate::task::Part;
use crate::task::lexicon::Lexicon;
use crate::task::settings::Settings;
use elman_engine::tape::NO_TARGET;

/// Names and places of the fields that can be learned beside.
const FIELDS: [(&str, usize); 3] = [("xpos", 4), ("feats", 5), ("deprel", 7)];

/// A field with its values by number.
pub struct Also {
    name: &'static str,
    place: usize,
    values: Lexicon,
}

impl Also {
    /// The fields that the settings name, with the values of training sentences.
    ///
    /// # Errors
    /// A field that cannot be learned, fewer than two values.
    pub fn fresh(settings: &Settings, raw: &Raw) -> Result<Vec<Also>, Error> {
        let all = raw.of(Part::Train);
        let one = |(name, place)| {
            let field = |(_, s): &'_ (String, Sentence)| {
                s.tokens.iter().filter_map(|t| s.field(t, place).map(str::to_string)).collect::<Vec<_>>()
            };
            let found: Vec<String> = all.iter().flat_map(field).collect();
            let values = Lexicon::of_labels(found.iter().map(String::as_str));
            match values.len() {
                0 | 1 => Err(Error::Refused(format!(
                    "{}: there are not two values of {name} to learn: leave it out of --also",
                    settings.data.train.join(", ")
                ))),
                _ => Ok(Also { name, place, values }),
            }
        };
        named(settings)?.into_iter().map(one).collect()
    }

    /// The same with the values of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Vec<Also>, Error> {
        let one = |(name, place)| Ok(Also { name, place, values: Lexicon::read(folder, &file(name))? });
        named(settings)?.into_iter().map(one).collect()
    }

    /// Writes the values into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.values.write(folder, &file(self.name))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The name of the field.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of a word's value; `NO_TARGET` where it has none, or one that training has not.
    pub fn of(&self, sentence: &Sentence, token: &Token) -> u32 {
        sentence.field(token, self.place).and_then(|value| self.values.id(value)).unwrap_or(NO_TARGET)
    }
}

fn file(name: &str) -> String {
    format!("also-{name}.json")
}

fn named(settings: &Settings) -> Result<Vec<(&'static str, usize)>, Error> {
    let names = settings.data.also.as_deref().unwrap_or_default();
    let known = |name: &str| {
        FIELDS.into_iter().find(|(known, _)| *known == name).ok_or_else(|| {
            Error::Refused(format!("data.also is `{names}`: beside the tags xpos, feats and deprel can be learned"))
        })
    };
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(known).collect()
}
