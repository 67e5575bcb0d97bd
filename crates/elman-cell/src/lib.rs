//! Text in, schedule out: the cell language of Elman.
//!
//! A recurrent cell is written as equations (`docs/language.md`). This crate parses and checks them ([`Cell`]),
//! turns them into a [`Program`] of primitives, derives the backward program, and schedules both.
//! It reads no files, starts no threads, asks for no CPU feature; its only arithmetic is the slow `f64`
//! interpreter that says what a program means.
//!
//! ```text
//! text ─▶ syntax ─▶ Cell ─▶ Program ─▶ Backward ─▶ Schedule
//! ```

mod arena;
pub mod canonical;
pub mod cell;
mod contract;
pub mod derive;
pub mod dim;
pub mod equations;
mod formula;
pub mod interpret;
mod listing;
pub mod lower;
pub mod op;
pub mod program;
pub mod schedule;
mod text;
pub mod verify;

pub use canonical::canonical;
pub use cell::Cell;
pub use derive::derive;
pub use dim::{Dim, Sizes};
pub use equations::backward_text;
pub use lower::lower;
pub use program::{Backward, Program};
