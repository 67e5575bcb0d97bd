//! Text to ids and back, by words, characters or subwords; one type for all, and one file each on disk.

use super::error::TextError;
use super::subword::Subword;
use super::vocabulary::{Cut, END_ID, Kind, UNKNOWN_ID, Vocabulary};
use std::path::Path;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// What stands between white space.
    Word,
    /// A Unicode scalar value.
    Character,
    /// A piece of a word, learned.
    Subword,
}

/// A vocabulary or a subword model.
#[derive(Clone, Debug)]
pub enum Tokenizer {
    /// Words or characters.
    Vocabulary(Vocabulary),
    /// Subwords.
    Subword(Box<Subword>),
}

impl Tokenizer {
    /// Learns the tokens of `text`, whose lines end with `\n`. Errors: see [`Vocabulary::count`] and [`Subword::learn`].
    pub fn learn(unit: Unit, text: &str, cut: Cut) -> Result<Tokenizer, TextError> {
        Ok(match unit {
            Unit::Word => Tokenizer::Vocabulary(Vocabulary::count(Kind::Word, text, cut)?),
            Unit::Character => Tokenizer::Vocabulary(Vocabulary::count(Kind::Character, text, cut)?),
            Unit::Subword => Tokenizer::Subword(Box::new(Subword::learn(text, cut)?)),
        })
    }

    /// What a token is.
    pub fn unit(&self) -> Unit {
        match self {
            Tokenizer::Vocabulary(v) if v.kind() == Kind::Word => Unit::Word,
            Tokenizer::Vocabulary(_) => Unit::Character,
            Tokenizer::Subword(_) => Unit::Subword,
        }
    }

    /// The number of ids.
    pub fn size(&self) -> usize {
        match self {
            Tokenizer::Vocabulary(v) => v.size(),
            Tokenizer::Subword(s) => s.size(),
        }
    }

    /// The id of a line's end.
    pub fn end(&self) -> u32 {
        match self {
            Tokenizer::Vocabulary(_) => END_ID,
            Tokenizer::Subword(s) => s.end(),
        }
    }

    /// The id of what the vocabulary lacks, if there is one.
    pub fn unknown(&self) -> Option<u32> {
        match self {
            Tokenizer::Vocabulary(_) => Some(UNKNOWN_ID),
            Tokenizer::Subword(s) => s.unknown(),
        }
    }

    /// The ids of `text`; each `\n` is the end of a line.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TextError> {
        let mut ids = Vec::new();
        match self {
            Tokenizer::Vocabulary(v) => v.encode(text, &mut ids),
            Tokenizer::Subword(s) => s.encode(text, &mut ids)?,
        }
        Ok(ids)
    }

    /// The text of `ids`. Characters and learned subwords give back what was encoded; words come with one space between.
    pub fn decode(&self, ids: &[u32]) -> Result<String, TextError> {
        match self {
            Tokenizer::Vocabulary(v) => Ok(v.decode(ids)),
            Tokenizer::Subword(s) => s.decode(ids),
        }
    }

    /// The usual name of the file: `vocabulary.json`, or `tokenizer.json` as other programs expect it.
    pub fn file_name(&self) -> &'static str {
        match self {
            Tokenizer::Vocabulary(_) => "vocabulary.json",
            Tokenizer::Subword(_) => "tokenizer.json",
        }
    }

    /// What to write into that file, the same bytes for equal tokenisers.
    pub fn to_json(&self) -> Result<String, TextError> {
        match self {
            Tokenizer::Vocabulary(v) => v.to_json(),
            Tokenizer::Subword(s) => s.to_json(),
        }
    }

    /// Reads a file of either kind.
    pub fn load(file: &Path) -> Result<Tokenizer, TextError> {
        let json = std::fs::read_to_string(file)
            .map_err(|e| TextError::File { file: file.to_path_buf(), reason: format!("cannot be read: {e}") })?;
        // Ours says its format in its first field; a tokenizer.json has no such field.
        if json.trim_start().starts_with(r#"{"format":"#) {
            return Ok(Tokenizer::Vocabulary(Vocabulary::from_json(&json, file)?));
        }
        Ok(Tokenizer::Subword(Box::new(Subword::from_json(&json, file)?)))
    }
}
