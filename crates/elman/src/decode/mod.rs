//! From scores to the sequence they speak for: the search behind a model that is trained.
//!
//! ```text
//! scores of every step, blanks between ─▶ ctc     a model asked token by token ─▶ beam
//! ```
//!
//! Searches are deterministic: what scores the same is taken in the order of its tokens. The best path of a chain of tags
//! is [`elman_engine::loss::Crf::best`].

pub mod beam;
pub mod ctc;
