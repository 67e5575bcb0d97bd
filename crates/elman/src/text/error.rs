//! What can be wrong with a text, a vocabulary or a corpus. Each message names the file, the line where there is one,
//! and the way out.

use std::path::PathBuf;

/// An error of this room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// No file of that name.
    #[error("{file}: there is no such file; check the path")]
    Missing {
        /// The name as it was given.
        file: String,
    },
    /// A folder where a file was expected.
    #[error("{file}: this is a folder; name one file in it")]
    Folder {
        /// The name as it was given.
        file: String,
    },
    /// The operating system refused to open or read.
    #[error("{file}: {reason}{}", at_line(*line))]
    Read {
        /// The name of the file.
        file: String,
        /// The line that was being read, from 1; 0 before the first.
        line: u64,
        /// The system's own words.
        reason: std::io::Error,
    },
    /// Nothing but white space.
    #[error("{file}: the text is empty; give a text with at least one word in it")]
    Empty {
        /// The name of the file.
        file: String,
    },
    /// A NUL byte: not a text.
    #[error(
        "{file}:{line}: byte {byte} of the line is NUL, so this is not a text; export it as plain text, \
         or name its encoding if it is UTF-16 (`--encoding utf-16le`)"
    )]
    Binary {
        /// The name of the file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The byte in its line, from 1.
        byte: u64,
    },
    /// A known form that is not a text.
    #[error("{file}: this is {form}, not a text; {way}")]
    Form {
        /// The name of the file.
        file: String,
        /// What it is, with its article.
        form: &'static str,
        /// What to do with it.
        way: &'static str,
    },
    /// Bytes that are not UTF-8.
    #[error("{file}:{line}: byte {byte} of the line (byte {offset} of the text, {value:#04x}) is not UTF-8; {way}")]
    NotUtf8 {
        /// The name of the file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The byte in its line, from 1.
        byte: u64,
        /// The byte in the unpacked text, from 1.
        offset: u64,
        /// The byte.
        value: u8,
        /// The way out.
        way: String,
    },
    /// Bytes that the named encoding does not have.
    #[error("{file}:{line}: the line is not {encoding}; leave --encoding out, or name the encoding it is in")]
    NotInEncoding {
        /// The name of the file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The encoding that was asked for.
        encoding: &'static str,
    },
    /// An encoding nobody knows.
    #[error(
        "`{label}` is no encoding we know; take a name of the WHATWG list, such as utf-8, utf-16le, windows-1251, koi8-r, windows-1252 or shift_jis"
    )]
    UnknownEncoding {
        /// The label as it was given.
        label: String,
    },
    /// A packed stream that stops early.
    #[error("{file}: the {format} data ends early, after line {line}: the file was cut off; copy or download it again")]
    Truncated {
        /// The name of the file.
        file: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// The last whole line that was read.
        line: u64,
    },
    /// A packed stream with a fault in it.
    #[error("{file}: the {format} data is damaged after line {line} ({reason}); copy or download it again")]
    Damaged {
        /// The name of the file.
        file: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// The last whole line that was read.
        line: u64,
        /// The decoder's own words.
        reason: String,
    },
    /// A line longer than we hold.
    #[error("{file}:{line}: the line is longer than {limit} bytes; break the text into lines")]
    LongLine {
        /// The name of the file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More different words or characters than allowed.
    #[error(
        "the text has {found} different {unit} after the cut-off, and the limit is {limit}; \
         take --vocab-size or a larger --min-count, train on subwords, or raise --vocab-limit"
    )]
    LargeVocabulary {
        /// How many there are (`more than …` when counting stopped early).
        found: String,
        /// `words`, `characters` or `subwords`.
        unit: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A size below what the specials and the alphabet take.
    #[error("a vocabulary of {size} is too small: {unit} take at least {least}; raise --vocab-size")]
    SmallVocabulary {
        /// The size that was asked for.
        size: usize,
        /// What needs the room.
        unit: &'static str,
        /// The smallest size that works.
        least: usize,
    },
    /// A vocabulary or tokeniser file that cannot be used.
    #[error("{}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and the way out.
        reason: String,
    },
    /// A subword model that the library refuses to run.
    #[error("the subword model failed: {0}")]
    Subword(String),
    /// A value that cannot be written as JSON.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A part with too few tokens.
    #[error("the {part} part has {tokens} tokens, and {need}; give a longer text{}", or_smaller(*.smaller))]
    Short {
        /// `train`, `valid` or `test`.
        part: &'static str,
        /// Its number of tokens.
        tokens: usize,
        /// What needs more.
        need: String,
        /// The setting that can be lowered instead, if there is one.
        smaller: Option<&'static str>,
    },
    /// Parts that do not make a corpus.
    #[error("{0}")]
    Parts(String),
}

fn at_line(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" (at line {line})") }
}

fn or_smaller(setting: Option<&str>) -> String {
    setting.map_or(String::new(), |s| format!(" or a smaller {s}"))
}
