//! Files that people have, as examples: tables, labelled texts, pairs, tagged sentences.
//!
//! ```text
//! file ─▶ Source (plain, gzip, zstd; encodings) ─▶ Table (CSV, TSV, JSON lines, label lines) ─▶ Labelled │ Pairs
//!                                               └▶ Treebank (CoNLL-U)
//! ```
//!
//! Every reader names the file, the line and the field of what it refuses, and the way out. None takes memory for a number
//! that a file states before the bytes are there.

pub mod conllu;
mod error;
pub mod labelled;
pub mod pairs;
pub mod table;

pub use conllu::{Sentence, Token, Treebank};
pub use error::DataError;
pub use labelled::Labelled;
pub use pairs::Pairs;
pub use table::{Form, Reading, Row, Table};
