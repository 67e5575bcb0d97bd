//! Work memory as it is handed out.

use elman_kernel::code::{LANES, Place, Rows};

/// An array of work memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Array {
    pub start: usize,
    pub len: usize,
}

/// Hands out work memory, each array after the one before, until `arrange` knows which can share it.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) arrays: Vec<Array>,
}

impl Memory {
    /// `count` numbers, at a multiple of 16.
    pub fn take(&mut self, count: usize) -> usize {
        let start = self.arrays.last().map_or(0, |a| a.start + a.len);
        self.arrays.push(Array { start, len: count.next_multiple_of(LANES) });
        start
    }

    /// `count` rows of `units`, padded to 16.
    pub fn rows(&mut self, rows: Rows, count: usize, units: usize) -> Place {
        let stride = units.next_multiple_of(LANES);
        Place { offset: self.take(count * stride), rows, stride }
    }
}
