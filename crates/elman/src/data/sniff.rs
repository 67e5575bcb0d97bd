//! What a file is: by its first bytes, then by its text, and by its name only where both leave room.

use super::bytes::Bytes;
use super::error::DataError;
use super::table::Form;
use super::table::ending;
use super::vectors::are_vectors;
use crate::text::Source;
use std::path::Path;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of fields.
    Table(Form),
    /// Tagged sentences.
    Conllu,
    /// Pictures (3 or 4 dimensions) or labels (1) as idx.
    Idx {
        /// The number of dimensions.
        dims: u8,
    },
    /// CIFAR-10 records.
    Cifar,
    /// A folder of PNG, or one.
    Pictures,
    /// A NumPy array.
    Npy,
    /// Several NumPy arrays.
    Npz,
    /// Sound.
    Wav,
    /// Series with labels.
    Ts,
    /// Words with numbers.
    Vectors,
    /// Any other text.
    Text,
}

/// Bytes that are looked at for a form that is no text.
const HEAD: u64 = 512;

impl Kind {
    /// What people call it, with its article where it has one.
    pub fn name(self) -> String {
        match self {
            Kind::Table(form) => format!("a table ({})", form.name()),
            Kind::Conllu => "tagged sentences (CoNLL-U)".into(),
            Kind::Idx { dims: 1 } => "labels (idx)".into(),
            Kind::Idx { .. } => "pictures (idx)".into(),
            Kind::Cifar => "pictures (CIFAR-10 records)".into(),
            Kind::Pictures => "a folder of pictures (PNG)".into(),
            Kind::Npy => "an array (NumPy)".into(),
            Kind::Npz => "arrays (NumPy)".into(),
            Kind::Wav => "sound (WAV)".into(),
            Kind::Ts => "series (.ts)".into(),
            Kind::Vectors => "word vectors".into(),
            Kind::Text => "a text".into(),
        }
    }
}

/// What `file` is. Standard input cannot be asked: it is read once.
///
/// Errors: a missing file, a folder without pictures, an empty file, what is neither a text nor a form that is read.
pub fn sniff(file: &str) -> Result<Kind, DataError> {
    sniff_in(file, None)
}

/// The same with the encoding of a text.
pub fn sniff_in(file: &str, encoding: Option<&str>) -> Result<Kind, DataError> {
    if file == "-" {
        return Err(DataError::file("-", "standard input is read once and cannot be looked at first; give a file"));
    }
    if Path::new(file).is_dir() {
        return Ok(Kind::Pictures);
    }
    let head = Bytes::open(file)?.up_to(HEAD)?;
    if let Some(kind) = by_bytes(file, &head) {
        return Ok(kind);
    }
    let text = Source::open(file, encoding)?.read_all()?;
    Ok(by_text(file, &text))
}

/// Forms that are no texts.
fn by_bytes(file: &str, head: &[u8]) -> Option<Kind> {
    let end = ending(file);
    match head {
        [0, 0, 8..=14, dims @ 1..=8, ..] => Some(Kind::Idx { dims: *dims }),
        [0x89, b'P', b'N', b'G', ..] => Some(Kind::Pictures),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some(Kind::Npy),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some(Kind::Wav),
        [b'P', b'K', 3 | 5, 4 | 6, ..] if end == "npz" => Some(Kind::Npz),
        [0..=9, rest @ ..] if end == "bin" && rest.len() as u64 == HEAD - 1 => Some(Kind::Cifar),
        _ => match end.as_str() {
            "npy" => Some(Kind::Npy),
            "npz" => Some(Kind::Npz),
            "wav" => Some(Kind::Wav),
            "idx" | "idx1-ubyte" | "idx3-ubyte" | "idx4-ubyte" => Some(Kind::Idx { dims: 3 }),
            _ => None,
        },
    }
}

/// What a text is.
pub(super) fn by_text(file: &str, text: &str) -> Kind {
    let end = ending(file);
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let word = |line: &&str| !line.starts_with('#');
    let starts = |wanted: &str| lines().filter(word).take(50).any(|line| line.to_lowercase().starts_with(wanted));
    if starts("@data") || starts("@problemname") || end == "ts" {
        return Kind::Ts;
    }
    let tagged = |line: &str| line.split('\t').count() == 10 && line.starts_with(|c: char| c.is_ascii_digit());
    if end == "conllu" || lines().find(word).is_some_and(|line| tagged(line) && line.starts_with('1')) {
        return Kind::Conllu;
    }
    if are_vectors(text) {
        return Kind::Vectors;
    }
    Form::of(file, text).map_or(Kind::Text, Kind::Table)
}
