//! What can be wrong with a code.

use thiserror::Error;

use crate::isa::Isa;

/// Why a code cannot run. Phases, stages, products and instructions are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// The CPU lacks the instruction set.
    #[error("this CPU has no {0}")]
    Isa(Isa),
    /// A place breaks a rule that holds in every timeline.
    #[error("{at}: {rule}")]
    Rule {
        /// Phase, stage, and product or instruction.
        at: String,
        /// The rule that is broken.
        rule: &'static str,
    },
    /// A place leaves its memory.
    #[error("{at}: ends at element {end} of {length}")]
    Bounds {
        /// Phase, stage, and product or instruction.
        at: String,
        /// One past its last element.
        end: usize,
        /// The length of the memory.
        length: usize,
    },
    /// Two places share elements in a way that would make the result depend on tiles or threads.
    #[error("{first} writes what {second} uses in another order of rows or units")]
    Overlap {
        /// The writer.
        first: String,
        /// The other.
        second: String,
    },
    /// The steps of a timeline do not fit together.
    #[error("timeline: {0}")]
    Timeline(&'static str),
    /// A memory has another length than the machine was made for.
    #[error("{what} has {given} elements; the machine was made for {wanted}")]
    Length {
        /// Which.
        what: &'static str,
        /// The length given.
        given: usize,
        /// The length wanted.
        wanted: usize,
    },
    /// A packed matrix has another shape or instruction set than the machine was made for, or another precision than the one
    /// whose product goes on from its own.
    #[error(
        "matrix {index} is packed for another shape or instruction set than the machine, or in another precision than its partner"
    )]
    Matrix {
        /// Which.
        index: usize,
    },
    /// A code names a matrix that is not there.
    #[error("{at}: there is no matrix {index}")]
    NoMatrix {
        /// Phase, stage and product.
        at: String,
        /// The number it names.
        index: usize,
    },
}

/// Where in a code something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Site {
    phase: usize,
    pub(super) stage: Option<usize>,
    item: Option<(&'static str, usize)>,
}

impl Site {
    pub(super) fn phase(phase: usize) -> Site {
        Site { phase, stage: None, item: None }
    }

    pub(super) fn stage(self, stage: usize) -> Site {
        Site { stage: Some(stage), ..self }
    }

    pub(super) fn product(self, index: usize) -> Site {
        Site { item: Some(("product", index)), ..self }
    }

    pub(super) fn instr(self, index: usize) -> Site {
        Site { item: Some(("instruction", index)), ..self }
    }

    pub(super) fn left(self, index: usize) -> Site {
        Site { item: Some(("left", index)), ..self }
    }

    pub(super) fn rule<V>(self, rule: &'static str) -> Result<V, CodeError> {
        Err(CodeError::Rule { at: self.to_string(), rule })
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "phase {}", self.phase)?;
        if let Some(stage) = self.stage {
            write!(f, ", stage {stage}")?;
        }
        if let Some((item, index)) = self.item {
            write!(f, ", {item} {index}")?;
        }
        Ok(())
    }
}
