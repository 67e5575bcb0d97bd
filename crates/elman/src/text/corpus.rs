//! A tokenised corpus: ids in parts for training, validation and test.
//!
//! Parts come from files of their own, or are cut from the end of the training file: its last tenth is the test part,
//! the tenth before it the validation part (only the last tenth, for validation, where a test file is given). The cut is
//! by characters, moved to the next line's end, or to the next space where lines are long. The vocabulary is learned from
//! the training part alone.

use super::boundary;
use super::error::TextError;
use super::source::Source;
use super::tokenizer::{Tokenizer, Unit};
use super::vocabulary::Cut;

/// A cut waits for a line's end this share of the text, then takes a space.
const PATIENCE: usize = 100;

/// Where the text is: names of files, `-` for standard input.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The training text, or the only text.
    pub train: String,
    /// The validation text.
    pub valid: Option<String>,
    /// The test text.
    pub test: Option<String>,
    /// The encoding of all; UTF-8 if none.
    pub encoding: Option<String>,
}

/// One part of a corpus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The tokens, `<eos>` at the end of each line.
    pub ids: Vec<u32>,
    /// Lines.
    pub lines: u64,
    /// Unicode scalar values, one for each line's end: the divisor of bits per character.
    pub characters: u64,
    /// Tokens that became `<unk>` or stood as `<unk>` in the text.
    pub unknown: u64,
}

impl Part {
    /// Encodes `text`, whose lines end with `\n`.
    pub fn of(text: &str, tokenizer: &Tokenizer) -> Result<Part, TextError> {
        let ids = tokenizer.encode(text)?;
        let unknown = tokenizer.unknown().map_or(0, |u| ids.iter().filter(|id| **id == u).count() as u64);
        let lines = text.split_inclusive('\n').count() as u64;
        Ok(Part { ids, lines, characters: text.chars().count() as u64, unknown })
    }

    /// Reads and encodes `file`.
    pub fn read(file: &str, encoding: Option<&str>, tokenizer: &Tokenizer) -> Result<Part, TextError> {
        Part::of(&Source::open(file, encoding)?.read_all()?, tokenizer)
    }
}

/// A tokeniser and the parts it encoded.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Learned from the training part.
    pub tokenizer: Tokenizer,
    /// For training.
    pub train: Part,
    /// For choosing settings.
    pub valid: Part,
    /// For the last word; absent when only a validation file was given.
    pub test: Option<Part>,
}

impl Corpus {
    /// Reads `files` and learns the tokens of `unit` from the training part.
    ///
    /// Errors: those of [`Source`], of learning, and texts too short to be cut.
    pub fn load(files: &Files, unit: Unit, cut: Cut) -> Result<Corpus, TextError> {
        Corpus::with(files, |text| Tokenizer::learn(unit, text, cut))
    }

    /// Tokens of all parts.
    pub fn tokens(&self) -> usize {
        [&self.train, &self.valid].into_iter().chain(&self.test).map(|p| p.ids.len()).sum()
    }

    /// The same with a tokeniser that exists.
    pub fn load_with(files: &Files, tokenizer: Tokenizer) -> Result<Corpus, TextError> {
        Corpus::with(files, |_| Ok(tokenizer))
    }

    fn with(files: &Files, tokens: impl FnOnce(&str) -> Result<Tokenizer, TextError>) -> Result<Corpus, TextError> {
        let all = [Some(&files.train), files.valid.as_ref(), files.test.as_ref()];
        if all.into_iter().flatten().filter(|file| *file == "-").count() > 1 {
            return Err(TextError::Parts("only one part can come from standard input (`-`)".into()));
        }
        let read = |file: &str| Source::open(file, files.encoding.as_deref())?.read_all();
        let text = read(&files.train)?;
        let (train, valid, test) = match (&files.valid, &files.test) {
            (Some(_), _) => (&text[..], "", ""),
            (None, Some(_)) => cut_tenths(&text, 9),
            (None, None) => cut_tenths(&text, 8),
        };
        let tokenizer = tokens(train)?;
        let part = |held_out: &str, file: &Option<String>| match file {
            Some(file) => Part::read(file, files.encoding.as_deref(), &tokenizer),
            None => Part::of(held_out, &tokenizer),
        };
        let (valid, test_part) = (part(valid, &files.valid)?, part(test, &files.test)?);
        let train = Part::of(train, &tokenizer)?;
        let test = (files.test.is_some() || files.valid.is_none()).then_some(test_part);
        let corpus = Corpus { tokenizer, train, valid, test };
        corpus.check()?;
        Ok(corpus)
    }

    /// Every part has tokens.
    fn check(&self) -> Result<(), TextError> {
        let parts = [("train", Some(&self.train)), ("valid", Some(&self.valid)), ("test", self.test.as_ref())];
        for (part, tokens) in parts.into_iter().filter_map(|(name, part)| Some((name, part?.ids.len()))) {
            if tokens < 2 {
                return Err(TextError::Short { part, tokens, need: "at least 2 are needed".into(), smaller: None });
            }
        }
        Ok(())
    }
}

/// `text` without its last tenths, the tenth after `first` tenths, and the rest (empty if `first` is 9).
fn cut_tenths(text: &str, first: usize) -> (&str, &str, &str) {
    let (a, b) = (cut_at(text, text.len() / 10 * first), cut_at(text, text.len() / 10 * 9));
    if first == 9 { (&text[..a], &text[a..], "") } else { (&text[..a], &text[a..b], &text[b..]) }
}

/// The best place for a cut at or after byte `at`.
fn cut_at(text: &str, at: usize) -> usize {
    let at = boundary(text, at);
    let near = &text[at..boundary(text, at + text.len() / PATIENCE)];
    let after = |c: char| near.find(c).map(|i| at + i + 1).filter(|i| *i < text.len());
    after('\n').or_else(|| after(' ')).unwrap_or(at)
}
