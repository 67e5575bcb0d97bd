//! Additive attention: a query and a key are compared by a layer. Bahdanau et al. 2015, arXiv:1409.0473.
//!
//!   e_j = tanh(q + k_j),   s_j = u · e_j,   w = softmax(s),   a = Σ_j w_j v_j
//!   ∂L/∂v_j += w_j d      r_j = d · v_j      ∂L/∂s_j = w_j (r_j − Σ w r)
//!   ∂L/∂u += ∂s_j e_j      c_j = ∂s_j u ⊙ (1 − e_j²)      ∂L/∂q = Σ c_j      ∂L/∂k_j += c_j
//!
//! What stands before the sum, `W h` and `U m` in the paper, is the caller's. The layer of each pair is computed again on the
//! way back, not kept.

use elman_kernel::code::{Binary, Unary};
use elman_kernel::{Isa, Real, map};

use super::attention::{Attended, softmax};
use super::linear::{add_scaled, dot};
use super::{Back, Layout, Operation, Parameter, Tape, Var, add, mul};
use crate::error::{EngineError, check};

struct Additive<T> {
    query: Var,
    keys: Var,
    values: Var,
    vector: Parameter,
    queries: Layout,
    memory: Layout,
    weights: Vec<Vec<T>>,
}

/// tanh(q + k), into `e`.
fn layer<T: Real>(isa: Isa, q: &[T], k: &[T], sums: &mut [T], e: &mut [T]) {
    sums.iter_mut().zip(q.iter().zip(k)).for_each(|(s, (q, k))| *s = T::binary(Binary::Add, *q, *k));
    map(isa, Unary::Tanh, sums, e);
}

impl<T: Real> Operation<T> for Additive<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let (width, v_width, isa) = (back.width(self.query), back.width(self.values), back.store.isa());
        let u = back.store.weight(self.vector).to_vec();
        let (q, k, v) = (back.value(self.query), back.value(self.keys), back.value(self.values));
        let (mut dq, mut dk, mut dv) = (vec![T::ZERO; q.len()], vec![T::ZERO; k.len()], vec![T::ZERO; v.len()]);
        let (mut du, mut e, mut sums) = (vec![T::ZERO; width], vec![T::ZERO; width], vec![T::ZERO; width]);
        for b in 0..self.queries.sequences() {
            for row in self.queries.of(b) {
                let (weights, d, at) = (&self.weights[row], &d[row * v_width..][..v_width], row * width);
                let r: Vec<T> = self.memory.of(b).map(|m| dot(d, &v[m * v_width..][..v_width])).collect();
                let mean = dot(weights, &r);
                for ((m, w), r) in self.memory.of(b).zip(weights).zip(&r) {
                    add_scaled(&mut dv[m * v_width..][..v_width], *w, d);
                    let ds = mul(*w, T::binary(Binary::Sub, *r, mean));
                    layer(isa, &q[at..][..width], &k[m * width..][..width], &mut sums, &mut e);
                    add_scaled(&mut du, ds, &e);
                    for (c, (e, u)) in sums.iter_mut().zip(e.iter().zip(&u)) {
                        *c = mul(mul(ds, *u), T::binary(Binary::Sub, T::ONE, mul(*e, *e)));
                    }
                    add(&mut dq[at..][..width], &sums);
                    add(&mut dk[m * width..][..width], &sums);
                }
            }
        }
        back.add(self.query, dq);
        back.add(self.keys, dk);
        back.add(self.values, dv);
        add(back.parameter(self.vector), &du);
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// Each query, [rows of `queries`, width], takes from the values of its own sequence, rows of `memory`, by the likeness
    /// u · tanh(q + k) to its keys; `vector` is u, `[width]`.
    ///
    /// # Errors
    /// Shapes that do not belong together.
    pub fn additive_attention(
        &mut self,
        (query, queries): (Var, &Layout),
        (keys, values, memory): (Var, Var, &Layout),
        vector: Parameter,
    ) -> Result<Attended<T>, EngineError> {
        let (width, v_width) = (self.width(query), self.width(values));
        check("units of the keys", self.width(keys), width)?;
        check("units of the vector", self.store.weight(vector).len(), width)?;
        check("query rows", self.count(query), queries.rows())?;
        check("key rows", self.count(keys), memory.rows())?;
        check("value rows", self.count(values), memory.rows())?;
        check("sequences of the memory", memory.sequences(), queries.sequences())?;
        let (isa, u) = (self.store.isa(), self.store.weight(vector));
        let (q, k, v) = (self.value(query), self.value(keys), self.value(values));
        let (mut e, mut sums) = (vec![T::ZERO; width], vec![T::ZERO; width]);
        let mut mixed = vec![T::ZERO; queries.rows() * v_width];
        let mut all = vec![vec![]; queries.rows()];
        for b in 0..queries.sequences() {
            for row in queries.of(b) {
                let mut score = |m: usize| {
                    layer(isa, &q[row * width..][..width], &k[m * width..][..width], &mut sums, &mut e);
                    dot(u, &e)
                };
                let mut scores: Vec<T> = memory.of(b).map(&mut score).collect();
                let weights = softmax(isa, &mut scores);
                let to = &mut mixed[row * v_width..][..v_width];
                memory.of(b).zip(&weights).for_each(|(m, w)| add_scaled(to, *w, &v[m * v_width..][..v_width]));
                all[row] = weights;
            }
        }
        let (queries, memory) = (queries.clone(), memory.clone());
        let operation = Additive { query, keys, values, vector, queries, memory, weights: all.clone() };
        Ok(Attended { mixed: self.record(mixed, v_width, operation), weights: all })
    }
}
