//! Diagnostics: what is wrong with a cell, where, why, and what to write instead.
//!
//! Every diagnostic has a stable code ([`CODES`] lists them all), a place (line and column from 1, columns count
//! characters), a message, often a hint, and labels that point at the other lines concerned. [`Diagnostics::render`]
//! prints them with the source line and carets:
//!
//! ```text
//! error[E205]: `x_t` has input units where hidden units are needed
//!  --> my.cell:2:14
//!   |
//! 2 | h' = tanh(W x + U h) + x
//!   |                        ^
//!   = hint: …
//! ```
//!
//! Limits: 20 diagnostics are printed, then a count; long lines are cut; control characters never reach the
//! terminal; a rendering never exceeds 16 KiB. Does not know what makes a cell wrong: see `syntax` and `check`.

use std::fmt;

use crate::cell::Span;

mod codes;
mod render;
mod report;

pub use codes::CODES;
pub(crate) use report::{Report, quote, with_size};

/// How much a diagnostic weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The text is no cell.
    Error,
    /// It is a cell, but perhaps not the one that was meant.
    Warning,
    /// Something that the checker chose or found.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        })
    }
}

/// Another place that a diagnostic speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// Its line, from 1.
    pub line: usize,
    /// What is there.
    pub message: String,
}

/// One thing that is wrong, doubtful or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, one of [`CODES`].
    pub code: &'static str,
    /// Error, warning or note.
    pub severity: Severity,
    /// Line, from 1; 0 where no place in the text is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 where no place in the text is meant.
    pub column: usize,
    /// Bytes of the source.
    pub span: Span,
    /// What is wrong, on one line, free of control characters, at most 300 bytes.
    pub message: String,
    /// What to write instead, under the same limits.
    pub hint: Option<String>,
    /// Other places concerned.
    pub labels: Vec<Label>,
}

/// All diagnostics of one text: errors first, then warnings, then notes, each in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Those that are printed (20 at most), and how many are left out.
    pub fn shown(&self) -> (&[Diagnostic], usize) {
        let shown = self.0.len().min(render::MOST);
        (&self.0[..shown], self.0.len() - shown)
    }

    /// The text a terminal shows: source lines with carets. `file_name` is only printed.
    pub fn render(&self, file_name: &str, source: &str) -> String {
        render::render(&self.0, file_name, source)
    }
}

/// One line each, without the source.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().take(render::MOST).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}[{}] at {}:{}: {}", d.severity, d.code, d.line, d.column, d.message)?;
        }
        if self.0.len() > render::MOST {
            write!(f, "\nand {} more", self.0.len() - render::MOST)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests;
