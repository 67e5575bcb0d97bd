//! Rows of tables and of values: looked up, chosen, put side by side.

use elman_kernel::Real;

use super::{Back, Operation, Parameter, Tape, Var, add};
use crate::embedding;
use crate::error::{EngineError, check};

/// In a choice of rows: a row of zeros.
pub const NO_ROW: u32 = u32::MAX;

struct Embed {
    table: Parameter,
    ids: Vec<u32>,
    width: usize,
}

impl<T: Real> Operation<T> for Embed {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        embedding::add_gradients(d, self.width, &self.ids, None, back.parameter(self.table))
    }
}

struct Choose {
    from: Var,
    rows: Vec<u32>,
}

impl<T: Real> Operation<T> for Choose {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = back.width(self.from);
        let sum = back.sum(self.from);
        for (row, d) in self.rows.iter().zip(d.chunks_exact(width)) {
            if *row != NO_ROW {
                add(&mut sum[*row as usize * width..][..width], d);
            }
        }
        Ok(())
    }
}

struct Concat(Vec<Var>);

impl<T: Real> Operation<T> for Concat {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let all: usize = self.0.iter().map(|v| back.width(*v)).sum();
        let mut first = 0;
        for var in &self.0 {
            let width = back.width(*var);
            let part = d.chunks_exact(all).flat_map(|row| &row[first..first + width]).copied().collect();
            back.add(*var, part);
            first += width;
        }
        Ok(())
    }
}

struct Reshape {
    from: Var,
}

impl<T: Real> Operation<T> for Reshape {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        back.add(self.from, d.to_vec());
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// Rows of a table, [entries, width], one an id; [`NO_ROW`] gives zeros.
    ///
    /// # Errors
    /// An id outside the table.
    pub fn embed(&mut self, table: Parameter, ids: &[u32]) -> Result<Var, EngineError> {
        let shape = self.store.shape(table);
        let (entries, width) = (shape[0], shape[1]);
        if let Some(id) = ids.iter().find(|id| **id as usize >= entries && **id != NO_ROW) {
            return Err(EngineError::Unsupported(format!("id {id} is outside the table of {entries} entries")));
        }
        let weights = self.store.weight(table);
        let mut x = vec![T::ZERO; ids.len() * width];
        for (id, to) in ids.iter().zip(x.chunks_exact_mut(width)) {
            if *id != NO_ROW {
                to.copy_from_slice(&weights[*id as usize * width..][..width]);
            }
        }
        // Padding counts for nothing on the way back: its rows are left out there.
        Ok(match ids.contains(&NO_ROW) {
            false => self.record(x, width, Embed { table, ids: ids.to_vec(), width }),
            true => self.record(x, width, EmbedSome { table, ids: ids.to_vec(), width }),
        })
    }

    /// Some rows of a value, in any order and as often as wanted; [`NO_ROW`] gives zeros.
    ///
    /// # Errors
    /// A row that is not there.
    pub fn rows(&mut self, from: Var, rows: &[u32]) -> Result<Var, EngineError> {
        let (width, count) = (self.width(from), self.count(from));
        if let Some(row) = rows.iter().find(|r| **r as usize >= count && **r != NO_ROW) {
            return Err(EngineError::Unsupported(format!("row {row} is outside the {count} rows of a value")));
        }
        let source = self.value(from);
        let mut value = vec![T::ZERO; rows.len() * width];
        for (row, to) in rows.iter().zip(value.chunks_exact_mut(width)) {
            if *row != NO_ROW {
                to.copy_from_slice(&source[*row as usize * width..][..width]);
            }
        }
        Ok(self.record(value, width, Choose { from, rows: rows.to_vec() }))
    }

    /// Values side by side: as many rows each, their widths summed.
    ///
    /// # Errors
    /// Different numbers of rows.
    pub fn concat(&mut self, parts: &[Var]) -> Result<Var, EngineError> {
        let rows = parts.first().map_or(0, |v| self.count(*v));
        for part in parts {
            check("rows of values side by side", self.count(*part), rows)?;
        }
        let width = parts.iter().map(|v| self.width(*v)).sum();
        let mut value = Vec::with_capacity(rows * width);
        for row in 0..rows {
            for part in parts {
                let width = self.width(*part);
                value.extend_from_slice(&self.value(*part)[row * width..][..width]);
            }
        }
        Ok(self.record(value, width, Concat(parts.to_vec())))
    }

    /// The same numbers in rows of another width.
    ///
    /// # Errors
    /// No whole number of rows.
    pub fn reshape(&mut self, from: Var, width: usize) -> Result<Var, EngineError> {
        let value = self.value(from).to_vec();
        check("a value in rows of another width", value.len() / width.max(1) * width, value.len())?;
        Ok(self.record(value, width, Reshape { from }))
    }
}

struct EmbedSome {
    table: Parameter,
    ids: Vec<u32>,
    width: usize,
}

impl<T: Real> Operation<T> for EmbedSome {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = self.width;
        let table = back.parameter(self.table);
        for (id, d) in self.ids.iter().zip(d.chunks_exact(width)) {
            if *id != NO_ROW {
                add(&mut table[*id as usize * width..][..width], d);
            }
        }
        Ok(())
    }
}
