//! Sound as features: what a recurrent network hears of it.
//!
//! ```text
//! samples ─▶ frames of 25 ms, one in 10 ms ─▶ power spectrum ─▶ 40 mel bands ─▶ logarithm: [frames, bands]
//! ```
//!
//! Mean and variance are the model's to hold. Reads no file.

mod fft;
mod mel;

pub use mel::{LogMel, Settings};
