//! Where queries look: the weights of an attention as a value. Vinyals et al. 2015, arXiv:1506.03134.
//!
//!   s_j = scale · q · k_j,   w = softmax(s)          [query rows, steps of the memory], 0 beyond a sequence
//!   ∂L/∂s_j = w_j (d_j − Σ w d)      ∂L/∂q = scale Σ ∂s_j k_j      ∂L/∂k_j += scale ∂s_j q
//!
//! They are those of [`Tape::attention`] with one head, which hands on what it mixes and not how.

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::attention::softmax;
use super::linear::{add_scaled, dot};
use super::{Back, Layout, Operation, Tape, Var, mul};
use crate::error::{EngineError, check};

struct Pointer<T> {
    query: Var,
    keys: Var,
    scale: T,
    queries: Layout,
    memory: Layout,
    weights: Vec<T>,
}

impl<T: Real> Operation<T> for Pointer<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let (width, steps) = (back.width(self.query), self.memory.steps);
        let (q, k) = (back.value(self.query), back.value(self.keys));
        let (mut dq, mut dk) = (vec![T::ZERO; q.len()], vec![T::ZERO; k.len()]);
        for b in 0..self.queries.sequences() {
            let count = self.memory.lengths[b];
            for row in self.queries.of(b) {
                let (w, d) = (&self.weights[row * steps..][..count], &d[row * steps..][..count]);
                let mean = dot(w, d);
                let at = row * width..(row + 1) * width;
                for ((m, w), d) in self.memory.of(b).zip(w).zip(d) {
                    let ds = mul(self.scale, mul(*w, T::binary(Binary::Sub, *d, mean)));
                    add_scaled(&mut dq[at.clone()], ds, &k[m * width..][..width]);
                    add_scaled(&mut dk[m * width..][..width], ds, &q[at.clone()]);
                }
            }
        }
        back.add(self.query, dq);
        back.add(self.keys, dk);
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// For each query, [rows of `queries`, width], a weight for each step of its own sequence of `memory`, by the dot products
    /// with its keys times `scale`.
    ///
    /// # Errors
    /// Shapes that do not belong together.
    pub fn pointer(
        &mut self,
        (query, queries): (Var, &Layout),
        (keys, memory): (Var, &Layout),
        scale: f64,
    ) -> Result<Var, EngineError> {
        let width = self.width(query);
        check("units of the keys", self.width(keys), width)?;
        check("query rows", self.count(query), queries.rows())?;
        check("key rows", self.count(keys), memory.rows())?;
        check("sequences of the memory", memory.sequences(), queries.sequences())?;
        let (scale, steps, isa) = (T::from_f64(scale), memory.steps, self.store.isa());
        let (q, k) = (self.value(query), self.value(keys));
        let mut weights = vec![T::ZERO; queries.rows() * steps];
        for b in 0..queries.sequences() {
            for row in queries.of(b) {
                let query = &q[row * width..][..width];
                let score = |m: usize| mul(scale, dot(query, &k[m * width..][..width]));
                let mut scores: Vec<T> = memory.of(b).map(score).collect();
                weights[row * steps..][..scores.len()].copy_from_slice(&softmax(isa, &mut scores));
            }
        }
        let (queries, memory) = (queries.clone(), memory.clone());
        let operation = Pointer { query, keys, scale, queries, memory, weights: weights.clone() };
        Ok(self.record(weights, steps, operation))
    }
}
