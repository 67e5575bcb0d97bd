//! Where queries look when they go onward from a place: the weights of an attention that takes the first step that suits, and
//! begins again at the front behind the last. Geometric attention, Csordás et al. 2021, arXiv:2110.07732.
//!
//!   e_j = scale · q · k_j + b,  p_j = sigmoid(e_j),  a_j = p_j Π_{i before j} (1 − p_i),  w = a / Σ a
//!                                                                       [query rows, steps of the memory], 0 beyond a sequence
//!   g_j = (d_j − Σ w d) / Σ a      ∂L/∂e_j = (1 − p_j) a_j g_j − p_j Σ_{i behind j} a_i g_i
//!   ∂L/∂q = scale Σ ∂e_j k_j      ∂L/∂k_j += scale ∂e_j q      ∂L/∂b = Σ ∂e_j
//!
//! How far it is to the step that suits does not matter, as long as none before does: so it finds the next one in sequences
//! longer than any it has learned from.

use elman_kernel::Real;

use super::linear::{add_scaled, dot};
use super::{Back, Layout, Operation, Parameter, Tape, Var, mul};
use crate::error::{EngineError, check};

/// Of a query: p of each step of its sequence.
type Chances = Vec<f64>;

struct Onward<T> {
    query: Var,
    keys: Var,
    bias: Parameter,
    scale: T,
    queries: Layout,
    memory: Layout,
    from: Vec<u32>,
    chances: Vec<Chances>,
}

/// The steps of a sequence in the order in which they are come to.
fn order(from: usize, count: usize) -> impl DoubleEndedIterator<Item = usize> {
    (from..count).chain(0..from)
}

/// a of each step. Where p is next to nothing everywhere a is it, nearly.
fn shares(p: &[f64], from: usize) -> Vec<f64> {
    let (mut a, mut left) = (vec![0.0; p.len()], 1.0);
    for j in order(from, p.len()) {
        a[j] = p[j] * left;
        left *= 1.0 - p[j];
    }
    a
}

/// ∂L/∂e from ∂L/∂w.
fn slopes<T: Real>(p: &[f64], from: usize, d: &[T]) -> Vec<f64> {
    let a = shares(p, from);
    let all: f64 = a.iter().sum();
    let mean = a.iter().zip(d).map(|(a, d)| a * d.to_f64()).sum::<f64>() / all;
    let (mut slopes, mut behind) = (vec![0.0; p.len()], 0.0);
    for j in order(from, p.len()).rev() {
        let own = a[j] * (d[j].to_f64() - mean) / all;
        slopes[j] = (1.0 - p[j]) * own - p[j] * behind;
        behind += own;
    }
    slopes
}

impl<T: Real> Operation<T> for Onward<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let (width, steps) = (back.width(self.query), self.memory.steps);
        let (q, k) = (back.value(self.query), back.value(self.keys));
        let (mut dq, mut dk) = (vec![T::ZERO; q.len()], vec![T::ZERO; k.len()]);
        let mut db = 0.0;
        for b in 0..self.queries.sequences() {
            for row in self.queries.of(b) {
                let p = &self.chances[row];
                let slopes = slopes(p, self.from[row] as usize, &d[row * steps..][..p.len()]);
                let at = row * width..(row + 1) * width;
                for (m, de) in self.memory.of(b).zip(slopes) {
                    let ds = mul(self.scale, T::from_f64(de));
                    add_scaled(&mut dq[at.clone()], ds, &k[m * width..][..width]);
                    add_scaled(&mut dk[m * width..][..width], ds, &q[at.clone()]);
                    db += de;
                }
            }
        }
        back.add(self.query, dq);
        back.add(self.keys, dk);
        super::add(back.parameter(self.bias), &[T::from_f64(db)]);
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// For each query, [rows of `queries`, width], a weight for each step of its own sequence of `memory`: the most for the first
    /// from the step `from` on that suits, by the dot products with its keys times `scale` and `bias`, one number.
    ///
    /// # Errors
    /// Shapes that do not belong together, a step that a sequence does not have.
    pub fn onward(
        &mut self,
        (query, queries): (Var, &Layout),
        (keys, memory): (Var, &Layout),
        bias: Parameter,
        from: &[u32],
        scale: f64,
    ) -> Result<Var, EngineError> {
        let width = self.width(query);
        check("units of the keys", self.width(keys), width)?;
        check("query rows", self.count(query), queries.rows())?;
        check("key rows", self.count(keys), memory.rows())?;
        check("sequences of the memory", memory.sequences(), queries.sequences())?;
        check("places of the queries", from.len(), queries.rows())?;
        check("numbers of the bias", self.store.weight(bias).len(), 1)?;
        let (scale, steps, b0) = (T::from_f64(scale), memory.steps, self.store.weight(bias)[0].to_f64());
        let (q, k) = (self.value(query), self.value(keys));
        let mut weights = vec![T::ZERO; queries.rows() * steps];
        let mut chances = vec![vec![]; queries.rows()];
        for b in 0..queries.sequences() {
            for row in queries.of(b) {
                let query = &q[row * width..][..width];
                let score = |m: usize| mul(scale, dot(query, &k[m * width..][..width])).to_f64() + b0;
                let p: Chances = memory.of(b).map(|m| sigmoid(score(m))).collect();
                let first = from[row] as usize;
                if first >= p.len() {
                    let message = format!("place {first} of a sequence of {} steps", p.len());
                    return Err(EngineError::Unsupported(message));
                }
                let a = shares(&p, first);
                let all: f64 = a.iter().sum();
                weights[row * steps..].iter_mut().zip(a).for_each(|(w, a)| *w = T::from_f64(a / all));
                chances[row] = p;
            }
        }
        let (queries, memory, from) = (queries.clone(), memory.clone(), from.to_vec());
        let operation = Onward { query, keys, bias, scale, queries, memory, from, chances };
        Ok(self.record(weights, steps, operation))
    }
}

/// Never 0, so that there is always something to share.
fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x.clamp(-300.0, 300.0)).exp())
}
