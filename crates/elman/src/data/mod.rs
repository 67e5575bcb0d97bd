//! Files that people have, as examples: tables, labelled texts, pairs, tagged sentences, pictures, arrays, sound, series.
//!
//! ```text
//! file ─▶ Source (plain, gzip, zstd; encodings) ─▶ Table (CSV, TSV, JSON lines, label lines) ─▶ Labelled │ Pairs
//!                                               └▶ Treebank (CoNLL-U) │ SeriesSet (.ts)
//! file ─▶ Bytes (plain, gzip, zstd) ─▶ Images (idx, CIFAR, PNG folders) │ Array (.npy, .npz) ─▶ SeriesSet │ Sound (WAV)
//! file ─▶ Source ─▶ WordVectors (word2vec, GloVe, fastText)
//! file ─▶ Kind (sniff) ─▶ Inspection ─▶ the command that trains on it
//! ```
//!
//! Every reader names the file, the line and the field of what it refuses, and the way out. None takes memory for a number
//! that a file states before the bytes are there.

mod arrays;
mod bytes;
pub mod conllu;
mod error;
pub mod escapes;
pub mod images;
pub mod inspect;
pub mod labelled;
pub mod npy;
pub mod pairs;
pub mod propose;
pub mod series;
pub mod sniff;
pub mod sound;
pub mod table;
pub mod vectors;

pub use conllu::{Sentence, Token, Treebank};
pub use error::DataError;
pub use images::Images;
pub use inspect::{Inspection, inspect};
pub use labelled::Labelled;
pub use npy::Array;
pub use pairs::Pairs;
pub use series::{Series, SeriesSet};
pub use sniff::{Kind, sniff};
pub use sound::Sound;
pub use table::{Form, Reading, Row, Table};
