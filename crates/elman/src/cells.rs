//! Finding a cell: a built-in one by its name, or a file of equations by its path.
//!
//! A name that is built in is that cell; anything with a `.` or a path separator in it, or that exists, is a file.

use crate::whole_file::shown;
use elman_cell::diag::Diagnostics;
use elman_cell::nearest::nearest;
use elman_cell::{Cell, builtin};
use std::io::Read;
use std::path::Path;

/// The longest text that is taken for a cell, in bytes.
const LONGEST_TEXT: u64 = 16 << 20;

/// Why there is no cell.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// Neither built in nor a file.
    #[error("no cell `{name}`{}; `elman cell list` shows the built-in ones, a file ends in .cell", meant(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// A built-in name like it.
        nearest: Option<&'static str>,
    },
    /// The file cannot be read.
    #[error("{file}: {why}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why not.
        why: String,
    },
    /// The equations are wrong.
    #[error("{}", .0.rendered())]
    Wrong(Box<Flawed>),
}

fn meant(nearest: &Option<&'static str>) -> String {
    nearest.map(|n| format!(", did you mean `{n}`?")).unwrap_or_default()
}

/// A text that is no cell, or no cell of the sizes asked for, and what is wrong with it.
#[derive(Debug)]
pub struct Flawed {
    /// Its name as diagnostics print it.
    pub file: String,
    /// The text.
    pub source: String,
    /// What is wrong.
    pub diagnostics: Diagnostics,
}

impl Flawed {
    /// The diagnostics as text, with the lines they point at.
    pub fn rendered(&self) -> String {
        self.diagnostics.render(&self.file, &self.source)
    }
}

/// The text of a cell, not parsed yet.
#[derive(Debug)]
pub struct Text {
    /// A built-in's name, or a file's name without `.cell`.
    pub name: String,
    /// What diagnostics call it.
    pub file: String,
    /// The text.
    pub source: String,
}

impl Text {
    /// The text of a built-in cell or of a file.
    pub fn find(cell: &str) -> Result<Text, CellError> {
        if let Some(source) = builtin::source(cell) {
            return Ok(Text { name: cell.into(), file: format!("{cell}.cell"), source: source.into() });
        }
        let path = Path::new(cell);
        if !(cell.contains(['.', '/', std::path::MAIN_SEPARATOR]) || path.exists()) {
            return Err(CellError::Unknown { name: shown(path), nearest: built_in_like(cell) });
        }
        let file = shown(path);
        let source = read(path).map_err(|why| CellError::Unreadable { file: file.clone(), why })?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Text { name, file, source })
    }

    /// The checked cell.
    pub fn parse(self) -> Result<Cell, CellError> {
        elman_cell::parse(&self.name, &self.source).map_err(|diagnostics| self.flawed(diagnostics))
    }

    /// The error that this text has these diagnostics.
    pub fn flawed(self, diagnostics: Diagnostics) -> CellError {
        CellError::Wrong(Box::new(Flawed { file: self.file, source: self.source, diagnostics }))
    }
}

/// The checked cell that a name or a path stands for.
pub fn find(cell: &str) -> Result<Cell, CellError> {
    Text::find(cell)?.parse()
}

/// The same name in other letters, or the nearest one.
fn built_in_like(cell: &str) -> Option<&'static str> {
    let names = || builtin::names().iter().copied();
    names().find(|name| name.eq_ignore_ascii_case(cell)).or_else(|| nearest(cell, names()))
}

fn read(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path)
        .map_err(|e| format!("{e}; check the path, or take a built-in cell (`elman cell list`)"))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_TEXT + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LONGEST_TEXT {
        return Err(format!("longer than {LONGEST_TEXT} bytes, the most that a cell may have"));
    }
    String::from_utf8(bytes).map_err(|e| format!("not UTF-8: byte {} is no text", e.utf8_error().valid_up_to()))
}
