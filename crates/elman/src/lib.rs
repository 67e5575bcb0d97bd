//! All that a user names: models, tasks, readers, training, metrics, formats.

pub use elman_cell as cell;
pub use elman_engine as engine;

mod nearest;
pub mod tensors;
pub mod whole_file;
