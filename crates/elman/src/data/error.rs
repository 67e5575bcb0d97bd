//! What can be wrong with a file of data: the file, the line, the column, what was found and the way out.

use crate::text::TextError;

/// An error of this room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be read as a text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The file as a whole is not what it should be.
    #[error("{file}: {what}")]
    File {
        /// The name as it was given.
        file: String,
        /// What was found, and the way out.
        what: String,
    },
    /// A line is not what it should be.
    #[error("{file}:{line}: {what}")]
    Line {
        /// The name as it was given.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What was found, and the way out.
        what: String,
    },
    /// A field of a line is not what it should be.
    #[error("{file}:{line}: column `{column}`: {what}")]
    Field {
        /// The name as it was given.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What was found, and the way out.
        what: String,
    },
}

impl DataError {
    pub(super) fn file(file: &str, what: impl Into<String>) -> DataError {
        DataError::File { file: file.into(), what: what.into() }
    }

    pub(super) fn line(file: &str, line: u64, what: impl Into<String>) -> DataError {
        DataError::Line { file: file.into(), line, what: what.into() }
    }

    pub(super) fn field(file: &str, line: u64, column: &str, what: impl Into<String>) -> DataError {
        DataError::Field { file: file.into(), line, column: column.into(), what: what.into() }
    }
}

/// `text` in one line of at most 40 characters: for messages.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
