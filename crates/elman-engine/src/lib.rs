//! Schedule and numbers in, outputs and gradients out. Knows no file and no task.
//!
//! ```text
//! Spec ─▶ Network ─▶ Runner: forward, backward over batches      Schedule ─▶ Plan ─▶ kernels
//!                └─▶ Model ─▶ Stream: one step a call
//! ```
//!
//! Outputs, states and the gradients of inputs and states are the same bits whatever batch a sequence is in, on any
//! number of threads and instruction set, streamed or whole; gradients of weights are the same on any number of threads.

mod convert;
pub mod dropout;
pub mod embedding;
mod error;
pub mod explain;
mod flow;
pub mod gradcheck;
mod invariants;
mod layer;
pub mod loss;
mod network;
pub mod optimise;
mod packed;
mod plan;
mod random;
mod recurrent;
mod runner;
mod stream;
mod tokens;
mod weights;
mod zoneout;

pub use elman_kernel::code::Binary;
pub use elman_kernel::limits::Limits;
pub use elman_kernel::{Isa, Real, Team};
pub use error::EngineError;
pub use network::{Merge, Network, Spec, Tensor, direction_name};
pub use random::{RANDOM_VERSION, Random};
pub use recurrent::Region;
pub use runner::{Batch, Gradients, Options, Outputs, Runner, Trace};
pub use stream::{Model, Stream};
pub use weights::{Weights, initial};
pub use zoneout::zoned;
