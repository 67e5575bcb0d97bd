//! Attention to a memory's rows, and its gradients.
//!
//! ```text
//! sₛ = q · kₛ     or q · kₛ / √n     or u · tanh(q + kₛ)       over 16 lanes, as sums are
//! αₛ = exp(sₛ − max s) / Σ exp(s − max s)                      the sum over 16 lanes of slots
//! a  = Σ αₛ vₛ                                                 one chain a unit, slots in order
//! gₛ = da · vₛ     dsₛ = αₛ (gₛ − Σ α g)    (/ √n)
//! dq = Σ dsₛ kₛ    or Σ dsₛ (u (1 − t²)), t = tanh(q + kₛ)     one chain a unit, slots in order
//! du = Σ dsₛ t
//! dkₛ += dsₛ q     or dsₛ (u (1 − t²))      dvₛ += αₛ da       one chain a unit, steps in order
//! ```

use super::{Value, tree};
use crate::op::Score;

/// What an attention reads at a step.
pub(super) struct Attend<'a> {
    pub score: Score,
    pub query: &'a [f64],
    pub weight: Option<&'a [f64]>,
    /// Slots, one after another.
    pub keys: &'a [f64],
    pub values: &'a [f64],
}

impl<'a> Attend<'a> {
    fn keys(&self) -> impl Iterator<Item = &'a [f64]> {
        self.keys.chunks_exact(self.query.len())
    }

    /// Values of slots; there are as many as keys.
    fn values(&self) -> impl Iterator<Item = &'a [f64]> {
        let slots = self.keys().count();
        self.values.chunks_exact((self.values.len() / slots.max(1)).max(1))
    }

    /// tanh(q + k)
    fn bent(&self, key: &[f64]) -> Value {
        self.query.iter().zip(key).map(|(q, k)| (q + k).tanh()).collect()
    }

    fn scale(&self) -> f64 {
        (self.query.len() as f64).sqrt()
    }

    fn score(&self, key: &[f64]) -> f64 {
        match (self.score, self.weight) {
            (Score::Additive, Some(u)) => lane_product(u, &self.bent(key)),
            (Score::Scaled, _) => lane_product(self.query, key) / self.scale(),
            _ => lane_product(self.query, key),
        }
    }

    /// α
    fn shares(&self) -> Value {
        let scores: Value = self.keys().map(|k| self.score(k)).collect();
        let largest = scores.iter().fold(f64::NEG_INFINITY, |m, &x| if x > m || x.is_nan() { x } else { m });
        let powers: Value = scores.iter().map(|s| (s - largest).exp()).collect();
        let sum = super::lane_sum(&powers);
        powers.iter().map(|e| e / sum).collect()
    }

    /// a
    pub fn value(&self, units: usize) -> Value {
        let mut sum = vec![0.0; units];
        for (share, value) in self.shares().iter().zip(self.values()) {
            add(&mut sum, *share, value);
        }
        sum
    }

    /// α, and ds from da.
    fn through_shares(&self, da: &[f64]) -> (Value, Value) {
        let shares = self.shares();
        let by_share: Value = self.values().map(|v| lane_product(da, v)).collect();
        let mean = lane_product(&shares, &by_share);
        let scale = if self.score == Score::Scaled { self.scale() } else { 1.0 };
        let ds = shares.iter().zip(&by_share).map(|(a, g)| a * (g - mean) / scale).collect();
        (shares, ds)
    }

    /// By the query, and behind it by the weight, if there is one.
    pub fn gradient(&self, da: &[f64]) -> Value {
        let (_, ds) = self.through_shares(da);
        let (mut dq, mut du) = (vec![0.0; self.query.len()], vec![0.0; self.weight.map_or(0, <[f64]>::len)]);
        for (ds, key) in ds.iter().zip(self.keys()) {
            add(&mut dq, *ds, &self.by_key(key));
            if self.weight.is_some() {
                add(&mut du, *ds, &self.bent(key));
            }
        }
        [dq, du].concat()
    }

    /// The derivative of a key's score by q.
    fn by_key(&self, key: &[f64]) -> Value {
        match self.weight {
            Some(u) => u.iter().zip(self.bent(key)).map(|(u, t)| u * (-t).mul_add(t, 1.0)).collect(),
            None => key.to_vec(),
        }
    }

    /// Adds to the gradients of keys and values; of one memory that is both, to `d_keys` alone.
    pub fn add_to_memories(&self, da: &[f64], d_keys: &mut [f64], d_values: Option<&mut [f64]>) {
        let (shares, ds) = self.through_shares(da);
        for (to, (ds, key)) in d_keys.chunks_exact_mut(self.query.len()).zip(ds.iter().zip(self.keys())) {
            match self.weight {
                Some(_) => add(to, *ds, &self.by_key(key)),
                None => add(to, *ds, self.query),
            }
        }
        let values = d_values.unwrap_or(d_keys);
        for (to, share) in values.chunks_exact_mut(da.len()).zip(&shares) {
            add(to, *share, da);
        }
    }
}

/// sum ← sum + x · v
fn add(sum: &mut [f64], x: f64, v: &[f64]) {
    sum.iter_mut().zip(v).for_each(|(sum, v)| *sum = x.mul_add(*v, *sum));
}

/// Σ a · b: 16 lanes of fused multiply-adds, each in order, then a tree.
fn lane_product(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 16];
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        lanes[i % 16] = a.mul_add(*b, lanes[i % 16]);
    }
    tree(lanes)
}
