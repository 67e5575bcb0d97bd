//! Text in, token ids out.
//!
//! ```text
//! file ─▶ Source ─▶ text ─▶ Tokenizer (words, characters, subwords) ─▶ Corpus: ids in parts ─▶ Windows
//! ```

pub mod corpus;
mod encoding;
mod error;
mod pairs;
pub mod source;
pub mod subword;
pub mod tokenizer;
pub mod vocabulary;
pub mod windows;
mod zstd;

pub use corpus::{Corpus, Part};
pub use error::TextError;
pub use source::Source;
pub use tokenizer::{Tokenizer, Unit};
pub use windows::{Window, Windows};

/// The first place at or after byte `at` where `text` can be cut.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}
