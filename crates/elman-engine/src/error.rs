//! What can go wrong between a cell and numbers.

/// An error of the engine. Each variant names the rule that was broken and carries the facts.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// A cell used at sizes that its equations forbid.
    #[error("{0}")]
    Sizes(String),
    /// A layer count, batch or step count of zero.
    #[error("{what} is 0: at least 1 is needed")]
    Zero {
        /// What is zero.
        what: &'static str,
    },
    /// Sizes whose product does not fit in memory addresses.
    #[error("{what}: the sizes overflow")]
    Overflow {
        /// Whose sizes.
        what: String,
    },
    /// A slice whose length is not that of its shape.
    #[error("{what}: found {found} numbers, wanted {wanted}")]
    Length {
        /// Which tensor.
        what: String,
        /// Its numbers.
        found: usize,
        /// The numbers of its shape.
        wanted: usize,
    },
    /// A sequence length outside 1..=steps.
    #[error("lengths[{index}] is {found}: lengths run from 1 to {steps}, the number of steps")]
    SequenceLength {
        /// Which sequence.
        index: usize,
        /// Its length.
        found: usize,
        /// The steps there are.
        steps: usize,
    },
    /// A mask that leaves nothing of a sequence.
    #[error("mask: sequence {index} has no valid step; at least 1 is needed")]
    Masked {
        /// Which sequence.
        index: usize,
    },
    /// A memory's length outside 1..=slots.
    #[error("{name}.lengths[{index}] is {found}: lengths run from 1 to {slots}, the number of slots")]
    MemoryLength {
        /// Which memory.
        name: String,
        /// Which sequence.
        index: usize,
        /// Its length.
        found: usize,
        /// The slots there are.
        slots: usize,
    },
    /// Keys and values of different lengths.
    #[error(
        "sequence {index} has {} slots of `{keys}` and {} of `{values}`: what is attended to together has one length",
        .found[0], .found[1]
    )]
    Slots {
        /// The memory of the keys.
        keys: String,
        /// The memory of the values.
        values: String,
        /// Which sequence.
        index: usize,
        /// Its slots of each.
        found: [usize; 2],
    },
    /// A name to trace that no equation of the cell defines.
    #[error("there is no value `{name}` to trace; the cell defines {known}")]
    Trace {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// `backward` without a `forward` before it, or from a runner made without gradients.
    #[error("{0}")]
    Order(&'static str),
    /// A construct that this engine cannot run.
    #[error("{0}")]
    Unsupported(String),
    /// A code that the kernel refused: a fault of the engine, reported rather than run.
    #[error("internal: the kernel refused a plan: {0}")]
    Kernel(String),
}

/// A slice must have as many numbers as its shape.
pub(crate) fn check(what: &str, found: usize, wanted: usize) -> Result<(), EngineError> {
    if found == wanted { Ok(()) } else { Err(EngineError::Length { what: what.into(), found, wanted }) }
}
