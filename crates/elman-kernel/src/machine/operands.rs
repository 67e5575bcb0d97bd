//! Operands of products with narrow weights: the rows of a tile, converted once for all its units.

use super::compile::StageCode;
use crate::buffer::Buffer;
use crate::isa::Isa;
use crate::kernels::{Narrow, Segment};
use crate::narrow::Precision;
use crate::pack::PackedMatrix;
use crate::real::Real;

/// Converted rows of one thread, an operand behind the other.
pub(super) struct Converted {
    data: Buffer<u32>,
    /// Where the data begin, taken once for all operands.
    base: *mut u32,
    used: usize,
    segments: Vec<Segment<u32>>,
}

impl Converted {
    pub(super) fn new() -> Converted {
        Converted { data: Buffer::new(0), base: std::ptr::null_mut(), used: 0, segments: Vec::new() }
    }

    /// Room for an operand of every product of a stage, and for its tiles' rows, of which there are no more than `rows`.
    pub(super) fn grow<T: Real>(&mut self, isa: Isa, stage: &StageCode<T>, matrices: &[PackedMatrix<T>], rows: usize) {
        let mut row = 0;
        let mut count = 0;
        for product in &stage.products {
            let precision = matrices[product.matrix].precision();
            if let Some(narrow) = T::narrow(isa, precision) {
                row += product.segments.iter().map(|(_, k)| narrow.row_length(precision.groups(*k))).sum::<usize>();
                count += product.segments.len();
            }
        }
        self.data.grow(row * rows.min(stage.most_rows()));
        self.segments.clear();
        self.segments.reserve(count);
    }

    /// Forgets all operands.
    pub(super) fn clear(&mut self) {
        self.base = self.data.as_mut_ptr();
        self.used = 0;
        self.segments.clear();
    }

    /// Converts an operand's first rows.
    ///
    /// Safety: the rows are readable; [`Converted::grow`] was called for the stage, and [`Converted::clear`] since then; no
    /// operand is pushed twice.
    pub(super) unsafe fn push<T: Real>(
        &mut self,
        narrow: &Narrow<T>,
        precision: Precision,
        operand: Segment<T>,
        rows: usize,
    ) {
        let groups = precision.groups(operand.k);
        let row = narrow.row_length(groups);
        debug_assert!(self.used + rows * row <= self.data.len());
        let to = self.base.wrapping_add(self.used);
        // Safety: the caller's promise: the data hold the converted rows of all the stage's operands.
        unsafe { (narrow.convert)(rows, operand.k, operand.a, operand.row, to, row) };
        self.used += rows * row;
        self.segments.push(Segment { a: to, row, k: groups });
    }

    /// The operands, in the order in which they were converted.
    pub(super) fn segments(&self) -> &[Segment<u32>] {
        &self.segments
    }
}
