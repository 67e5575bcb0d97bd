//! Models: networks of the engine with what a task puts around them.

pub mod dropout;
pub mod lm;
pub mod queries;
pub mod span;
pub mod trained;
pub mod transformer;

pub use dropout::{Draw, Dropout};
pub use lm::{Body, Ends, Lm, LmSpec, Start, State};
pub use span::{Span, Values};
pub use trained::{Tokens, Trained};
