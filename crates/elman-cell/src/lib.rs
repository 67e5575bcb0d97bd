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
pub mod builtin;
pub mod canonical;
pub mod cell;
mod check;
mod contract;
pub mod derive;
pub mod diag;
pub mod dim;
pub mod equations;
mod formula;
mod functions;
pub mod interpret;
mod listing;
pub mod lower;
mod name;
pub mod nearest;
pub mod op;
mod print;
pub mod program;
pub mod schedule;
mod syntax;
mod text;
pub mod verify;

pub use canonical::canonical;
pub use cell::Cell;
pub use check::{parse, parse_for};
pub use derive::derive;
pub use diag::{Diagnostic, Diagnostics, Severity};
pub use dim::{Dim, Sizes};
pub use equations::backward_text;
pub use lower::lower;
pub use program::{Backward, Program};
