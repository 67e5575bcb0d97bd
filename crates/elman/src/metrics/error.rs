//! What can be wrong with what is to be scored.

/// Why there is no figure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Predictions and what was wanted do not pair up.
    #[error("{given} {what} were given, but {wanted} are wanted: each needs its counterpart, in the same order")]
    Unpaired {
        /// What is counted.
        what: &'static str,
        /// How many predictions there are.
        given: usize,
        /// How many were wanted.
        wanted: usize,
    },
    /// No example at all.
    #[error("there are no {what} to score")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
    /// A class that has no name.
    #[error("example {example} is of class {class}, but there are only {classes} classes (0 to {})", .classes.saturating_sub(1))]
    Class {
        /// The example, from 1.
        example: usize,
        /// Its class.
        class: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// An example that lacks what it is to be compared with.
    #[error("example {example} has no {what}")]
    Lacks {
        /// The example, from 1.
        example: usize,
        /// What it lacks.
        what: &'static str,
    },
    /// A rank that is none.
    #[error("example {example}: a rank of 0; ranks count from 1")]
    Rank {
        /// The example, from 1.
        example: usize,
    },
}
