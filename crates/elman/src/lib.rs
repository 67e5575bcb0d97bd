//! All that a user names: models, tasks, readers, training, metrics, formats.
pub use elman_cell as cell;
pub use elman_engine as engine;

pub mod synth;
pub mod text;
