//! A table of vectors, one a token.
//!
//! ```text
//! xₜ = E[idₜ]        ∂L/∂E[i] = Σ over t with idₜ = i of ∂L/∂xₜ, in the order of the tokens
//! ```
//!
//! A mask of rows (Gal & Ghahramani 2016, arXiv:1512.05287) scales whole rows. Does not share its table with an output
//! layer by itself: add both gradients into one.

use elman_kernel::Real;
use elman_kernel::code::Binary;

use crate::error::EngineError;

/// Looks up `ids` in `table`, `[rows, width]`: `x` becomes `[tokens, width]`, row i scaled by `mask[i]` where there is one.
///
/// # Errors
/// An id outside the table, a mask of another length.
pub fn look_up<T: Real>(
    table: &[T],
    width: usize,
    ids: &[u32],
    mask: Option<&[T]>,
    x: &mut Vec<T>,
) -> Result<(), EngineError> {
    check(table.len(), width, ids, mask)?;
    x.clear();
    x.reserve(ids.len() * width);
    for id in ids {
        let row = &table[*id as usize * width..][..width];
        match mask {
            Some(m) => x.extend(row.iter().map(|v| T::binary(Binary::Mul, *v, m[*id as usize]))),
            None => x.extend_from_slice(row),
        }
    }
    Ok(())
}

/// Adds the gradients `dx`, `[tokens, width]`, to the rows of `d_table` that `ids` name.
///
/// # Errors
/// As [`look_up`], and gradients of another length.
pub fn add_gradients<T: Real>(
    dx: &[T],
    width: usize,
    ids: &[u32],
    mask: Option<&[T]>,
    d_table: &mut [T],
) -> Result<(), EngineError> {
    check(d_table.len(), width, ids, mask)?;
    if dx.len() != ids.len() * width {
        return Err(EngineError::Length { what: "d embedding".into(), found: dx.len(), wanted: ids.len() * width });
    }
    for (id, dx) in ids.iter().zip(dx.chunks_exact(width)) {
        let scale = mask.map_or(T::ONE, |m| m[*id as usize]);
        let row = &mut d_table[*id as usize * width..][..width];
        row.iter_mut()
            .zip(dx)
            .for_each(|(to, dx)| *to = T::binary(Binary::Add, *to, T::binary(Binary::Mul, scale, *dx)));
    }
    Ok(())
}

fn check<T>(numbers: usize, width: usize, ids: &[u32], mask: Option<&[T]>) -> Result<(), EngineError> {
    let rows = numbers / width.max(1);
    if let Some(id) = ids.iter().find(|id| **id as usize >= rows) {
        return Err(EngineError::Unsupported(format!("token {id} is outside the embedding of {rows} rows")));
    }
    match mask {
        Some(m) if m.len() != rows => {
            Err(EngineError::Length { what: "embedding mask".into(), found: m.len(), wanted: rows })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_and_their_gradients_add_up() {
        let table: Vec<f64> = (0..12).map(f64::from).collect();
        let (ids, mask) = ([2, 0, 2], [2.0, 1.0, 0.5, 1.0]);
        let mut x = vec![];
        look_up(&table, 3, &ids, Some(&mask), &mut x).unwrap();
        assert_eq!(x, [3.0, 3.5, 4.0, 0.0, 2.0, 4.0, 3.0, 3.5, 4.0]);
        let mut d = vec![1.0; 12];
        add_gradients(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 3, &ids, Some(&mask), &mut d).unwrap();
        assert_eq!(d, [9.0, 11.0, 13.0, 1.0, 1.0, 1.0, 5.0, 6.0, 7.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn an_id_outside_the_table_is_refused() {
        assert!(look_up(&[0.0f32; 6], 2, &[3], None, &mut vec![]).is_err());
        assert!(look_up(&[0.0f32; 6], 2, &[2], Some(&[1.0; 2]), &mut vec![]).is_err());
    }
}
