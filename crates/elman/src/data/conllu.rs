//! CoNLL-U: a word a line, ten fields parted by tabs, a blank line after each sentence.
//! <https://universaldependencies.org/format.html>
//!
//! A token is what has a whole number: multiword ranges (`1-2`), empty nodes (`8.1`) and comments are kept as lines but are
//! no tokens. Every line is kept as it stood, so that a tagger can write the file back with other tags. Files without
//! comments and without the blank line at their end are read too. Looks at the number, the form and the UPOS alone.

use super::error::{DataError, shown};
use super::escapes::undone;
use crate::text::Source;

/// Fields of a line.
const FIELDS: usize = 10;
/// The place of the tag among them, from 0.
const UPOS: usize = 3;

/// A word and its tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The line of its sentence, from 0.
    pub at: usize,
    /// The word as it is written, without escapes of XML (`&#39;` is read as `'`).
    pub form: String,
    /// Its universal part of speech, such as `NOUN`; `_` where it has none.
    pub upos: String,
}

/// A sentence: its lines as they stood, and the tokens among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sentence {
    /// The line in the file where it begins, from 1.
    pub line: u64,
    /// All its lines, without the blank one after it.
    pub lines: Vec<String>,
    /// Its words, in their order.
    pub tokens: Vec<Token>,
}

impl Sentence {
    /// A field of a token, by its place from 0; `None` where it is `_`.
    pub fn field(&self, token: &Token, place: usize) -> Option<&str> {
        self.lines.get(token.at)?.split('\t').nth(place).filter(|field| *field != "_")
    }
}

/// All sentences of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Treebank {
    /// The name of the file.
    pub file: String,
    /// The sentences, each with a token or more.
    pub sentences: Vec<Sentence>,
}

impl Treebank {
    /// Reads `file`, or standard input for `-`.
    ///
    /// Errors: those of [`Source`] and of [`Sentences::next`], and a file without a word.
    pub fn read(file: &str, encoding: Option<&str>) -> Result<Treebank, DataError> {
        let mut reader = Sentences::new(Source::open(file, encoding)?);
        let name = reader.source.file().to_string();
        let mut sentences = Vec::new();
        while let Some(sentence) = reader.next()? {
            sentences.push(sentence);
        }
        if sentences.iter().all(|sentence| sentence.tokens.is_empty()) {
            return Err(DataError::file(
                &name,
                "there is no word in it; give a CoNLL-U file with at least one sentence",
            ));
        }
        sentences.retain(|sentence| !sentence.tokens.is_empty());
        Ok(Treebank { file: name, sentences })
    }

    /// That every token has a tag, as training needs.
    ///
    /// Errors: the first line whose UPOS is `_`.
    pub fn tagged(self) -> Result<Treebank, DataError> {
        for sentence in &self.sentences {
            if let Some(token) = sentence.tokens.iter().find(|token| token.upos == "_") {
                let what = format!("`{}` has no tag; give every word one, or remove the sentence", shown(&token.form));
                return Err(DataError::field(&self.file, sentence.line + token.at as u64, "UPOS", what));
            }
        }
        Ok(self)
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.sentences.iter().map(|sentence| sentence.tokens.len()).sum()
    }
}

/// Sentences as they come.
pub struct Sentences {
    source: Source,
    /// A line that was read ahead.
    first: Option<String>,
}

impl Sentences {
    /// The sentences of `source`.
    pub fn new(source: Source) -> Sentences {
        Sentences { source, first: None }
    }

    /// The same where the first line was read already.
    pub fn after(first: String, source: Source) -> Sentences {
        Sentences { source, first: Some(first) }
    }

    /// The next line into `line`, unless there is none.
    fn line(&mut self, line: &mut String) -> Result<bool, DataError> {
        match self.first.take() {
            Some(first) => *line = first,
            None => return Ok(self.source.next_line(line)?),
        }
        Ok(true)
    }

    /// The next sentence, or none after the last. One of comments alone has no tokens.
    ///
    /// Errors: those of [`Source`], a line without ten fields, a number out of turn, a word without a form.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results goes on after an error; this does not")]
    pub fn next(&mut self) -> Result<Option<Sentence>, DataError> {
        let (mut sentence, mut line) = (Sentence::default(), String::new());
        while self.line(&mut line)? {
            if line.trim().is_empty() {
                if sentence.lines.is_empty() {
                    continue;
                }
                break;
            }
            if sentence.lines.is_empty() {
                sentence.line = self.source.line();
            }
            if !line.starts_with('#') {
                sentence.take(&line, self.source.file(), self.source.line())?;
            }
            sentence.lines.push(line.clone());
        }
        Ok((!sentence.lines.is_empty()).then_some(sentence))
    }
}

impl Sentence {
    /// Looks at a line that is no comment.
    fn take(&mut self, written: &str, file: &str, line: u64) -> Result<(), DataError> {
        let fields: Vec<&str> = written.split('\t').collect();
        if fields.len() != FIELDS {
            return Err(DataError::line(file, line, wrong_fields(&fields)));
        }
        let next = self.tokens.len() + 1;
        match fields[0].parse::<usize>() {
            Ok(number) if number == next => {}
            Ok(number) => {
                let what =
                    format!("the word has number {number}, and {next} is its turn; a blank line parts sentences");
                return Err(DataError::field(file, line, "ID", what));
            }
            Err(_) if is_range(fields[0]) => return Ok(()),
            Err(_) => {
                let what = format!("`{}` is no number, range (1-2) or empty node (8.1)", shown(fields[0]));
                return Err(DataError::field(file, line, "ID", what));
            }
        }
        for (name, field) in [("FORM", fields[1]), ("UPOS", fields[UPOS])] {
            if field.trim().is_empty() {
                return Err(DataError::field(
                    file,
                    line,
                    name,
                    "the field is empty; write `_` where there is nothing to say",
                ));
            }
        }
        let form = undone(fields[1]).into_owned();
        self.tokens.push(Token { at: self.lines.len(), form, upos: fields[UPOS].into() });
        Ok(())
    }

    /// The sentence in CoNLL-U with other tags, one for each token, and the blank line after it. Tokens beyond the end of
    /// `tags` keep theirs.
    pub fn with_tags<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> String {
        let mut tagged = self.tokens.iter().zip(tags).peekable();
        let mut text = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            match tagged.next_if(|(token, _)| token.at == at) {
                None => text.push_str(line),
                Some((_, tag)) => {
                    let mut fields: Vec<&str> = line.split('\t').collect();
                    if let Some(field) = fields.get_mut(UPOS) {
                        *field = tag;
                    }
                    text.push_str(&fields.join("\t"));
                }
            }
            text.push('\n');
        }
        text.push('\n');
        text
    }
}

fn wrong_fields(fields: &[&str]) -> String {
    let found = fields.len();
    match fields {
        [one] if one.split_whitespace().count() == FIELDS => {
            "the fields are parted by spaces; CoNLL-U parts them by tabs".into()
        }
        [_] => "the line has 1 field, and CoNLL-U has 10 parted by tabs; a comment begins with `#`".into(),
        _ => format!("the line has {found} fields, and CoNLL-U has 10 parted by tabs; `_` fills an empty one"),
    }
}

/// `1-2` or `8.1`.
fn is_range(id: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    id.split_once(['-', '.']).is_some_and(|(from, to)| number(from) && number(to))
}
