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
