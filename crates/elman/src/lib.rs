//! All that a user names: models, tasks, readers, training, metrics, formats.
//!
//! A language model of a text, trained into a folder, read back, and made to write:
//!
//! ```
//! use elman::generate::{Sampling, generate};
//! use elman::model::Trained;
//! use elman::run::Config;
//! use elman::train::{Event, Machine, train};
//! use std::sync::atomic::AtomicBool;
//!
//! # let folder = tempfile::tempdir()?;
//! # let (text, run) = (folder.path().join("text.txt"), folder.path().join("run"));
//! # std::fs::write(&text, "the cat sat on the mat\nthe dog lay by the door\n".repeat(60))?;
//! let mut config = Config::default();
//! config.data.train = text.display().to_string();
//! (config.model.cell, config.model.hidden) = ("gru".into(), 32);
//! (config.train.batch, config.train.epochs) = (4, 3);
//! let mut watch = |event: Event| {
//!     if let Event::Evaluation(e) = event {
//!         println!("epoch {}: perplexity {:.1}", e.epoch, e.valid_loss.exp());
//!     }
//! };
//! train(config, &run, Machine::default(), &mut watch, &AtomicBool::new(false))?;
//! let mut trained = Trained::load(&run, Machine::default())?;
//! println!("{}", generate(&mut trained, "the cat", 10, Sampling::default())?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use elman_cell as cell;
pub use elman_engine as engine;

pub mod audio;
pub mod baseline;
pub mod cell_bench;
pub mod cell_check;
pub mod cell_list;
pub mod cell_run;
pub mod cells;
pub mod chat;
pub mod data;
pub mod decode;
pub mod digits;
pub mod error;
pub mod evaluate;
pub mod generate;
pub mod lengths;
pub mod made;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod predict;
pub mod report;
pub mod run;
pub mod synth;
pub mod task;
pub mod tensors;
pub mod text;
pub mod tour;
pub mod train;
pub mod whole_file;

pub use error::Error;
