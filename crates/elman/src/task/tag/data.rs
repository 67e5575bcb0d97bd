//! CoNLL-U files → sentences with numbers for words, characters and tags.

use super::model::Model;
use crate::data::conllu::{Sentence, Treebank};
use crate::error::Error;
use crate::task::settings::Settings;
use crate::task::words::Spelled;
use crate::task::{Part, held_out};

/// A sentence that has its tags.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What is read.
    pub spelled: Spelled,
    /// The tag of each word.
    pub tags: Vec<u32>,
    /// The words as they are written.
    pub words: Vec<String>,
}

impl Example {
    /// The words as they are written.
    pub fn forms(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }
}

/// Sentences of each part, as they stand in their files, and what was decided unasked.
#[derive(Debug, Default)]
pub struct Raw {
    /// Per part: where each stands, and the sentence.
    parts: [Vec<(String, Sentence)>; 3],
    /// What was decided unasked while reading.
    pub remarks: Vec<String>,
}

/// Reads all files of the settings; parts that have no file are taken from the training sentences, a tenth each.
///
/// # Errors
/// What the reader says; a word without a tag; too few sentences.
pub fn read(settings: &Settings) -> Result<Raw, Error> {
    let mut raw = Raw::default();
    let d = &settings.data;
    for (files, part) in [(&d.train, Part::Train), (&d.valid, Part::Valid), (&d.test, Part::Test)] {
        for file in files {
            let bank = Treebank::read(file, d.encoding.as_deref())?.tagged()?;
            let placed = |s: Sentence| (format!("{}:{}", bank.file, s.line), s);
            raw.parts[part as usize].extend(bank.sentences.into_iter().map(placed));
        }
    }
    let gist =
        |(_, s): &(String, Sentence)| Some(s.tokens.iter().map(|t| t.form.as_str()).collect::<Vec<_>>().join(" "));
    held_out::divide(&mut raw.parts, d, gist, "sentences", &mut raw.remarks);
    if raw.of(Part::Train).is_empty() || raw.of(Part::Valid).is_empty() {
        let message = "too few sentences: at least 10 are needed, or files for --data and --valid";
        return Err(Error::Refused(format!("{}: {message}", d.train.join(", "))));
    }
    Ok(raw)
}

impl Raw {
    /// Sentences of a part.
    pub fn of(&self, part: Part) -> &[(String, Sentence)] {
        &self.parts[part as usize]
    }

    /// The sentences with numbers, part by part. Tags that training does not have are none of the model's: such words count
    /// as wrong.
    pub fn encoded(&self, model: &Model) -> [Vec<Example>; 3] {
        let example = |(_, s): &(String, Sentence)| {
            let words: Vec<String> = s.tokens.iter().map(|t| t.form.clone()).collect();
            let tags = s.tokens.iter().map(|t| model.tags.id(&t.upos).unwrap_or(NO_TAG)).collect();
            Example { spelled: model.spelling.spell(words.iter().map(String::as_str)), tags, words }
        };
        [Part::Train, Part::Valid, Part::Test].map(|part| self.of(part).iter().map(example).collect())
    }
}

/// A tag that training does not have.
pub const NO_TAG: u32 = u32::MAX;
