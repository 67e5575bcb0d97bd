//! y = W x + b, and products of two values.

use elman_kernel::Real;

use super::{Back, Linear, Operation, Parameter, Tape, Var, mul};
use crate::error::{EngineError, check};
use crate::optimise::multiply_add;

struct Product {
    x: Var,
    weight: Parameter,
    bias: Option<Parameter>,
}

impl<T: Real> Operation<T> for Product {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let mut dw = std::mem::take(&mut back.parameters[self.weight.0]);
        let mut db = self.bias.map(|b| std::mem::take(&mut back.parameters[b.0]));
        let x = &back.nodes[self.x.0].value;
        let (dense, weights, team) = back.store.dense(self.weight);
        dense.gradients(x, d, &mut dw, db.as_deref_mut(), team)?;
        let dx = dense.backward(&weights[self.weight.0], d, team)?;
        back.parameters[self.weight.0] = dw;
        if let (Some(b), Some(db)) = (self.bias, db) {
            back.parameters[b.0] = db;
        }
        back.add(self.x, dx);
        Ok(())
    }
}

/// s = a bᵀ
struct Similarity {
    a: Var,
    b: Var,
}

impl<T: Real> Operation<T> for Similarity {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = back.width(self.a);
        let (a, b) = (back.value(self.a), back.value(self.b));
        let (rows, columns) = (a.len() / width, b.len() / width);
        let (mut da, mut db) = (vec![T::ZERO; a.len()], vec![T::ZERO; b.len()]);
        for i in 0..rows {
            for j in 0..columns {
                let (d, i, j) = (d[i * columns + j], i * width..(i + 1) * width, j * width..(j + 1) * width);
                add_scaled(&mut da[i.clone()], d, &b[j.clone()]);
                add_scaled(&mut db[j], d, &a[i]);
            }
        }
        back.add(self.a, da);
        back.add(self.b, db);
        Ok(())
    }
}

/// to ← to + a row
pub(super) fn add_scaled<T: Real>(to: &mut [T], a: T, row: &[T]) {
    to.iter_mut().zip(row).for_each(|(to, x)| *to = multiply_add(a, *x, *to));
}

/// Σ a b over 16 lanes, then over the lanes as a tree.
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 16;
    let mut lanes = [T::ZERO; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        for l in 0..LANES {
            lanes[l] = multiply_add(a[l], b[l], lanes[l]);
        }
    }
    for (l, (a, b)) in rest_a.iter().zip(rest_b).enumerate() {
        lanes[l] = multiply_add(*a, *b, lanes[l]);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = multiply_add(T::ONE, lanes[l + half], lanes[l]);
        }
        half /= 2;
    }
    lanes[0]
}

impl<T: Real> Tape<'_, T> {
    /// y = W x + b for each row.
    ///
    /// # Errors
    /// Rows of another width than the layer's.
    pub fn linear(&mut self, x: Var, layer: Linear) -> Result<Var, EngineError> {
        let (weight, bias) = (layer.weight, layer.bias);
        let shape = self.store.shape(weight);
        let (units, inner) = (shape[0], shape[1..].iter().product());
        check("input of a linear layer", self.width(x), inner)?;
        let (dense, weights, team) = self.store.dense(weight);
        let b = bias.map(|b| weights[b.0].as_slice());
        let y = dense.forward(&weights[weight.0], b, &self.nodes[x.0].value, team)?;
        Ok(self.record(y, units, Product { x, weight, bias }))
    }

    /// a bᵀ: how alike each row of `a` is to each row of `b`, [rows of a, rows of b].
    ///
    /// # Errors
    /// Rows of different widths.
    pub fn similarity(&mut self, a: Var, b: Var) -> Result<Var, EngineError> {
        check("similarity", self.width(b), self.width(a))?;
        let width = self.width(a);
        let columns = self.count(b);
        let (left, right) = (self.value(a), self.value(b));
        let mut s = Vec::with_capacity(self.count(a) * columns);
        for a in left.chunks_exact(width) {
            s.extend(right.chunks_exact(width).map(|b| dot(a, b)));
        }
        Ok(self.record(s, columns, Similarity { a, b }))
    }

    /// Each row divided by its length, √(Σ x² + 1e-12).
    pub fn unit_length(&mut self, x: Var) -> Var {
        let width = self.width(x);
        let mut value = self.value(x).to_vec();
        let mut scales = vec![];
        for row in value.chunks_exact_mut(width) {
            let scale = T::from_f64(1.0 / (row.iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>() + 1e-12).sqrt());
            row.iter_mut().for_each(|x| *x = mul(*x, scale));
            scales.push(scale);
        }
        self.record(value.clone(), width, UnitLength { x, unit: value, scales })
    }
}

struct UnitLength<T> {
    x: Var,
    unit: Vec<T>,
    scales: Vec<T>,
}

impl<T: Real> Operation<T> for UnitLength<T> {
    /// ∂L/∂x = (d − u (u · d)) / |x|
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let width = back.width(self.x);
        let mut dx = d.to_vec();
        for ((d, u), scale) in dx.chunks_exact_mut(width).zip(self.unit.chunks_exact(width)).zip(&self.scales) {
            let along = T::from_f64(-dot(u, d).to_f64());
            add_scaled(d, along, u);
            d.iter_mut().for_each(|d| *d = mul(*d, *scale));
        }
        back.add(self.x, dx);
        Ok(())
    }
}
