//! One row for each sequence, from all its steps.

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::{Back, Layout, NO_ROW, Operation, Tape, Var, add, mul};
use crate::error::{EngineError, check};

/// How steps become one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The mean over valid steps.
    Mean,
    /// The largest of each unit; of equal ones the first.
    Max,
}

struct Pooled {
    x: Var,
    layout: Layout,
    /// For `Max`: the row that each unit of each sequence comes from.
    chosen: Option<Vec<u32>>,
}

impl<T: Real> Operation<T> for Pooled {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = back.width(self.x);
        let dx = back.sum(self.x);
        match &self.chosen {
            Some(chosen) => {
                for (place, (row, d)) in chosen.iter().zip(d).enumerate() {
                    if *row != NO_ROW {
                        let to = &mut dx[*row as usize * width + place % width];
                        *to = T::binary(Binary::Add, *to, *d);
                    }
                }
            }
            None => {
                for (b, d) in d.chunks_exact(width).enumerate() {
                    let share = T::from_f64(1.0 / self.layout.lengths[b] as f64);
                    let d: Vec<T> = d.iter().map(|d| mul(*d, share)).collect();
                    self.layout.of(b).for_each(|row| add(&mut dx[row * width..][..width], &d));
                }
            }
        }
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// [rows of the layout, width] → [sequences, width].
    ///
    /// # Errors
    /// Rows that are not those of the layout.
    pub fn pool(&mut self, x: Var, layout: &Layout, how: Pool) -> Result<Var, EngineError> {
        check("rows to pool", self.count(x), layout.rows())?;
        let width = self.width(x);
        let source = self.value(x);
        let mut value = vec![T::ZERO; layout.sequences() * width];
        let mut chosen = (how == Pool::Max).then(|| vec![NO_ROW; value.len()]);
        for (b, to) in value.chunks_exact_mut(width).enumerate() {
            match &mut chosen {
                Some(chosen) => {
                    let chosen = &mut chosen[b * width..][..width];
                    for (step, row) in layout.of(b).enumerate() {
                        let x = &source[row * width..][..width];
                        if step == 0 {
                            to.copy_from_slice(x);
                            chosen.fill(row as u32);
                        }
                        for ((to, chosen), x) in to.iter_mut().zip(&mut *chosen).zip(x) {
                            let more = *x > *to;
                            *to = if more { *x } else { *to };
                            *chosen = if more { row as u32 } else { *chosen };
                        }
                    }
                }
                None => {
                    layout.of(b).for_each(|row| add(to, &source[row * width..][..width]));
                    let share = T::from_f64(1.0 / layout.lengths[b] as f64);
                    to.iter_mut().for_each(|x| *x = mul(*x, share));
                }
            }
        }
        Ok(self.record(value, width, Pooled { x, layout: layout.clone(), chosen }))
    }
}
