//! Training: windows of a text or batches of made examples, a model, a rule, evaluations, checkpoints.
//!
//! ```text
//! Config ─▶ Training ─▶ step, step, … evaluation ─▶ step … ─▶ the best parameters
//! ```
//!
//! What a run gives depends on its settings and its text alone: not on threads, instruction sets, the moments at which
//! checkpoints are written, or how often it was stopped and resumed. Prints nothing and installs no signal handler: the
//! caller watches [`Event`]s and raises a flag.

mod average;
pub mod event;
mod feed;
pub mod find_rate;
pub mod groups;
pub mod made;
pub mod page;
mod plan;
pub(crate) mod progress;
pub(crate) mod restore;
pub(crate) mod schedule;
pub mod score;
mod step;
mod training;

pub use event::{Ended, Evaluation, Event};
pub use made::Right;
pub use plan::{Material, Plan, body, spec};
pub use score::{Score, TextScore};
pub use training::{Machine, Training, resume, train};
