//! Attention: each query takes a weighted mean of the values of its sequence. Bahdanau et al. 2015, arXiv:1409.0473;
//! Luong et al. 2015, arXiv:1508.04025; with several heads Vaswani et al. 2017, arXiv:1706.03762.
//!
//!   s_j = scale · q · k_j,   w = softmax(s),   a = Σ_j w_j v_j       (each head on its own share of the units)
//!   ∂L/∂v_j += w_j d      r_j = d · v_j      ∂L/∂s_j = w_j (r_j − Σ w r)      ∂L/∂q = scale Σ ∂s_j k_j      ∂L/∂k_j += scale ∂s_j q

use elman_kernel::code::{Binary, Unary};
use elman_kernel::{Isa, Real, map};

use super::linear::{add_scaled, dot};
use super::{Back, Layout, Operation, Tape, Var, mul};
use crate::error::{EngineError, check};

/// What attention gives.
#[derive(Clone, Debug)]
pub struct Attended<T> {
    /// [query rows, width of the values].
    pub mixed: Var,
    /// Per query row, per head: a weight for each valid step of the memory; empty for padding.
    pub weights: Vec<Vec<T>>,
}

#[derive(Clone)]
struct Attention<T> {
    query: Var,
    keys: Var,
    values: Var,
    heads: usize,
    scale: T,
    queries: Layout,
    memory: Layout,
    weights: Vec<Vec<T>>,
}

impl<T: Real> Attention<T> {
    /// Each (query row, sequence) in order.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.queries.sequences()).flat_map(|b| self.queries.of(b).map(move |row| (row, b)))
    }
}

impl<T: Real> Operation<T> for Attention<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let (width, v_width) = (back.width(self.query), back.width(self.values));
        let (q, k, v) = (back.value(self.query), back.value(self.keys), back.value(self.values));
        let (mut dq, mut dk, mut dv) = (vec![T::ZERO; q.len()], vec![T::ZERO; k.len()], vec![T::ZERO; v.len()]);
        let (part, v_part) = (width / self.heads, v_width / self.heads);
        for (row, b) in self.places() {
            let memory: Vec<usize> = self.memory.of(b).collect();
            for head in 0..self.heads {
                let at = |row: usize| row * width + head * part..row * width + (head + 1) * part;
                let v_at = |row: usize| row * v_width + head * v_part..row * v_width + (head + 1) * v_part;
                let weights = &self.weights[row * self.heads + head];
                let d = &d[v_at(row)];
                let memory = &memory[..weights.len()];
                let r: Vec<T> = memory.iter().map(|m| dot(d, &v[v_at(*m)])).collect();
                let mean = dot(weights, &r);
                for ((m, w), r) in memory.iter().zip(weights).zip(&r) {
                    add_scaled(&mut dv[v_at(*m)], *w, d);
                    let ds = mul(self.scale, mul(*w, T::binary(Binary::Sub, *r, mean)));
                    add_scaled(&mut dq[at(row)], ds, &k[at(*m)]);
                    add_scaled(&mut dk[at(*m)], ds, &q[at(row)]);
                }
            }
        }
        back.add(self.query, dq);
        back.add(self.keys, dk);
        back.add(self.values, dv);
        Ok(())
    }
}

/// exp(s − largest) / Σ; the scores become their differences.
pub(super) fn softmax<T: Real>(isa: Isa, scores: &mut [T]) -> Vec<T> {
    let largest = scores.iter().fold(T::from_f64(f64::NEG_INFINITY), |m, s| T::binary(Binary::Max, *s, m));
    scores.iter_mut().for_each(|s| *s = T::binary(Binary::Sub, *s, largest));
    let mut weights = vec![T::ZERO; scores.len()];
    map(isa, Unary::Exp, scores, &mut weights);
    let sum: f64 = weights.iter().map(|w| w.to_f64()).sum();
    let share = T::from_f64(1.0 / sum);
    weights.iter_mut().for_each(|w| *w = mul(*w, share));
    weights
}

impl<T: Real> Tape<'_, T> {
    /// Each query, [rows of `queries`, width], takes from the keys and values of its own sequence, rows of `memory`. With
    /// `causal`, a query of step t sees steps 0 to t. Scores are dot products times `scale`; heads split the units.
    ///
    /// # Errors
    /// Shapes that do not belong together.
    pub fn attention(
        &mut self,
        (query, queries): (Var, &Layout),
        (keys, values, memory): (Var, Var, &Layout),
        heads: usize,
        scale: f64,
        causal: bool,
    ) -> Result<Attended<T>, EngineError> {
        let (width, v_width) = (self.width(query), self.width(values));
        check("units of the keys", self.width(keys), width)?;
        check("query rows", self.count(query), queries.rows())?;
        check("key rows", self.count(keys), memory.rows())?;
        check("value rows", self.count(values), memory.rows())?;
        check("sequences of the memory", memory.sequences(), queries.sequences())?;
        check("units of whole heads", width / heads.max(1) * heads, width)?;
        check("units of whole heads", v_width / heads.max(1) * heads, v_width)?;
        let scale = T::from_f64(scale);
        let (q, k, v) = (self.value(query), self.value(keys), self.value(values));
        let (part, v_part) = (width / heads, v_width / heads);
        let mut mixed = vec![T::ZERO; queries.rows() * v_width];
        let mut all = vec![vec![]; queries.rows() * heads];
        let (isa, mut scores) = (self.store.isa(), vec![]);
        for b in 0..queries.sequences() {
            let rows: Vec<usize> = memory.of(b).collect();
            for (step, row) in queries.of(b).enumerate() {
                let seen = if causal { &rows[..(step + 1).min(rows.len())] } else { &rows[..] };
                for head in 0..heads {
                    let query = &q[row * width + head * part..][..part];
                    let score = |m: &usize| mul(scale, dot(query, &k[m * width + head * part..][..part]));
                    scores.clear();
                    scores.extend(seen.iter().map(score));
                    let weights = softmax(isa, &mut scores);
                    let to = &mut mixed[row * v_width + head * v_part..][..v_part];
                    for (m, w) in seen.iter().zip(&weights) {
                        add_scaled(to, *w, &v[m * v_width + head * v_part..][..v_part]);
                    }
                    all[row * heads + head] = weights;
                }
            }
        }
        let (queries, memory) = (queries.clone(), memory.clone());
        let operation = Attention { query, keys, values, heads, scale, queries, memory, weights: all.clone() };
        Ok(Attended { mixed: self.record(mixed, v_width, operation), weights: all })
    }
}
