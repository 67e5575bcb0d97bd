//! Rows become columns.
//!
//!   y_ji = x_ij        ∂L/∂x_ij = ∂L/∂y_ji

use elman_kernel::Real;

use super::{Back, Operation, Tape, Var};
use crate::error::EngineError;

struct Transpose {
    from: Var,
}

impl<T: Real> Operation<T> for Transpose {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let columns = back.width(self.from);
        let rows = d.len() / columns.max(1);
        back.add(self.from, transposed(d, rows));
        Ok(())
    }
}

/// [rows, width] → [width, rows]
fn transposed<T: Real>(x: &[T], width: usize) -> Vec<T> {
    (0..width).flat_map(|j| x.iter().skip(j).step_by(width.max(1))).copied().collect()
}

impl<T: Real> Tape<'_, T> {
    /// xᵀ: [rows, width] → [width, rows].
    pub fn transpose(&mut self, x: Var) -> Var {
        let (rows, width) = (self.count(x), self.width(x));
        let value = transposed(self.value(x), width);
        self.record(value, rows, Transpose { from: x })
    }
}
