//! Weighted sums of rows of a table: an embedding bag. With as many units as labels it is a linear classifier of sparse
//! features beside a network (Cheng et al. 2016, arXiv:1606.07792).
//!
//!   yₙ = Σ over the entries (i, w) of bag n of w · E[i]        ∂L/∂E[i] = Σ w · ∂L/∂yₙ, bags and entries in their order

use elman_kernel::Real;

use super::linear::add_scaled;
use super::{Back, Operation, Parameter, Tape, Var};
use crate::error::EngineError;

struct Bags<T> {
    table: Parameter,
    bags: Vec<Vec<(u32, T)>>,
    width: usize,
}

impl<T: Real> Operation<T> for Bags<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = self.width;
        let table = back.parameter(self.table);
        for (bag, d) in self.bags.iter().zip(d.chunks_exact(width)) {
            for (id, weight) in bag {
                add_scaled(&mut table[*id as usize * width..][..width], *weight, d);
            }
        }
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// The weighted sum of some rows of a table, [entries, width], for each bag: [bags, width]. An empty bag gives zeros.
    ///
    /// # Errors
    /// An id outside the table.
    pub fn bags(&mut self, table: Parameter, bags: Vec<Vec<(u32, T)>>) -> Result<Var, EngineError> {
        let shape = self.store.shape(table);
        let (entries, width) = (shape[0], shape[1]);
        if let Some((id, _)) = bags.iter().flatten().find(|(id, _)| *id as usize >= entries) {
            return Err(EngineError::Unsupported(format!("id {id} is outside the table of {entries} entries")));
        }
        let rows = self.store.weight(table);
        let mut y = vec![T::ZERO; bags.len() * width];
        for (bag, y) in bags.iter().zip(y.chunks_exact_mut(width)) {
            bag.iter().for_each(|(id, weight)| add_scaled(y, *weight, &rows[*id as usize * width..][..width]));
        }
        Ok(self.record(y, width, Bags { table, bags, width }))
    }
}
