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

pub mod builtin;
pub mod cell;
mod check;
pub mod diag;
pub mod dim;
mod functions;
mod name;
mod nearest;
pub mod op;
mod print;
pub mod program;
mod syntax;

pub use cell::Cell;
pub use check::parse;
pub use diag::{Diagnostic, Diagnostics, Severity};
pub use dim::{Dim, Sizes};
pub use program::Program;
