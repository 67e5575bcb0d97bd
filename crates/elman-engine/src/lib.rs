//! Schedule and numbers in, outputs and gradients out. Knows no file and no task.
//!
//! ```text
//! Spec ─▶ Network ─▶ Runner: forward, backward over batches      Schedule ─▶ Plan ─▶ kernels
//!                └─▶ Model ─▶ Stream: one step a call
//! ```
//!
//! Outputs, states and the gradients of inputs and states are the same bits whatever batch a sequence is in, on any
//! number of threads and instruction set, streamed or whole; gradients of weights are the same on any number of threads.
//!
//! ```
//! use std::sync::Arc;
//! use elman_engine::{Batch, Network, Options, Runner, Spec, Weights};
//!
//! let text = "f = sigmoid(W_f x + U_f h + b_f)\nh' = (1 - f) * h + f * tanh(W x + U (f * h) + b)";
//! let cell = Arc::new(elman_cell::parse("mgu", text).map_err(|d| d.render("mgu.cell", text))?);
//! let network = Network::new(Spec::new(cell, 3, 5)).map_err(|e| e.to_string())?;
//! let weights = Weights::<f32>::init(&network, 1);
//! let mut runner = Runner::new(&network, &weights, Options::new().with_backward()).map_err(|e| e.to_string())?;
//! let x = vec![0.5; 4 * 2 * 3]; // 4 steps, 2 sequences, 3 units
//! let out = runner.forward(&Batch::new(4, 2, &x)).map_err(|e| e.to_string())?;
//! let gradients = runner.backward(&vec![1.0; out.y.len()], None).map_err(|e| e.to_string())?;
//! assert_eq!((out.y.len(), gradients.parameters.len()), (4 * 2 * 5, network.parameters().len()));
//! # Ok::<(), String>(())
//! ```

mod batch;
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
pub mod memory;
mod network;
pub mod optimise;
mod packed;
mod plan;
mod random;
mod recurrent;
mod runner;
mod stream;
pub mod tape;
mod tokens;
mod weights;
mod zoneout;

pub use batch::{Batch, Gradients, Memory, Outputs, Trace};
pub use elman_kernel::code::Binary;
pub use elman_kernel::limits::Limits;
pub use elman_kernel::{Isa, Precision, Real, Team};
pub use error::EngineError;
pub use network::{Merge, Network, Spec, Tensor, direction_name};
pub use random::{RANDOM_VERSION, Random};
pub use recurrent::Region;
pub use runner::{Options, Runner};
pub use stream::{Model, Stream};
pub use weights::{Weights, initial};
pub use zoneout::zoned;
