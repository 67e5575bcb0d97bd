//! A run on disk: its settings, its model, what was measured, and all that resuming needs.
//!
//! ```text
//! config.toml         resolved settings, with the format's and the program's version
//! cell.cell           the equations
//! vocabulary.json     (or tokenizer.json)
//! model.safetensors   the best parameters so far
//! metrics.jsonl       a line per evaluation
//! checkpoint/latest   the name of the newest whole generation
//! checkpoint/N/       state.json and tensors.safetensors after N steps
//! ```
//!
//! Without `checkpoint/` it is the model.

pub mod checkpoint;
pub mod config;
pub mod folder;
pub(crate) mod toml_file;

pub use checkpoint::Checkpoint;
pub use config::Config;
pub use folder::Folder;
