//! Models: networks of the engine with what a task puts around them.

pub mod dropout;
pub mod lm;
pub mod trained;

pub use dropout::{Draw, Dropout};
pub use lm::{Lm, LmSpec, Start, State};
pub use trained::Trained;
