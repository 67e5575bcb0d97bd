//! All that a user names: models, tasks, readers, training, metrics, formats.

pub use elman_cell as cell;
pub use elman_engine as engine;

pub mod cell_bench;
pub mod cell_check;
pub mod cell_list;
pub mod cell_run;
pub mod cells;
pub mod error;
pub mod evaluate;
pub mod generate;
pub mod lengths;
pub mod memory;
pub mod model;
mod nearest;
pub mod predict;
pub mod run;
pub mod tensors;
pub mod whole_file;

pub use error::Error;
pub mod synth;
pub mod text;
pub mod train;
