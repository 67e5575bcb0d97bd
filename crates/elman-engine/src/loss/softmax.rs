//! A linear layer and softmax cross-entropy over a vocabulary, as one primitive.
//!
//!   z = W h + b      L = log Σⱼ exp(zⱼ − m) − (z_target − m),   m = max z
//!   ∂L/∂z = softmax(z) − e_target      ∂L/∂h = Wᵀ ∂L/∂z      ∂L/∂W = ∂L/∂z ⊗ h      ∂L/∂b = ∂L/∂z
//!
//! Tokens go through in chunks of a constant size, so that the logits of a batch are never all in memory. Each element
//! of a product is one chain, whatever the chunk: the gradient of W runs over all tokens in order.

use elman_kernel::code::{
    Binary, Instr, LANES, Member, Operand, OuterRow, Phase, Place, Product, Rows, Split, Stage, Timeline, Unary,
};
use elman_kernel::{Buffer, Isa, Machine, MatrixShape, PackedMatrix, Real, Team, View};

use crate::error::{EngineError, check};

/// Tokens of a chunk: a row of 10,000 logits is 40 KB, so a chunk stays in the L2 or L3 cache.
const CHUNK: usize = 64;

/// Where things are in the work memory of a chunk.
#[derive(Clone, Copy, Debug)]
struct Layout {
    h: Place,
    dh: Place,
    logits: Place,
    largest: Place,
    sum: Place,
    scale: Place,
    dw: usize,
    db: usize,
    len: usize,
}

/// Weights of an output layer, packed both ways, with the memory to run it.
pub struct SoftmaxHead<T: Real> {
    vocabulary: usize,
    units: usize,
    layout: Layout,
    /// logits; their exponentials and sums; gradients by logits; gradients by h, W and b.
    machines: [Machine<T>; 4],
    matrices: [PackedMatrix<T>; 2],
    bias: Buffer<T>,
    memory: Buffer<T>,
}

/// The loss of each token, in nats.
pub type TokenLosses = Vec<f64>;

impl<T: Real> SoftmaxHead<T> {
    /// For `h` of `units` and a vocabulary; weights are zero until [`SoftmaxHead::set_weights`].
    ///
    /// # Errors
    /// Sizes of 0 or too large for memory addresses.
    pub fn new(isa: Isa, vocabulary: usize, units: usize) -> Result<SoftmaxHead<T>, EngineError> {
        for (what, n) in [("vocabulary", vocabulary), ("units", units)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        let overflow = || EngineError::Overflow { what: "output layer".into() };
        vocabulary.checked_mul(units).filter(|n| *n < isize::MAX as usize / 64).ok_or_else(overflow)?;
        let layout = layout(vocabulary, units);
        let shapes = [
            MatrixShape { members: 1, units: vocabulary, segments: vec![units] },
            MatrixShape { members: 1, units, segments: vec![vocabulary] },
        ];
        let kernel = |e: &dyn std::fmt::Display| EngineError::Kernel(e.to_string());
        let machine = |code| Machine::new(isa, code, layout.len, vocabulary, shapes.to_vec()).map_err(|e| kernel(&e));
        let pack = |s: &MatrixShape| PackedMatrix::zero(isa, s).map_err(|e| kernel(&e));
        Ok(SoftmaxHead {
            vocabulary,
            units,
            layout,
            machines: [
                machine(logits(&layout, vocabulary))?,
                machine(exponentials(&layout, vocabulary))?,
                machine(scaled(&layout, vocabulary))?,
                machine(gradients(&layout, vocabulary, units))?,
            ],
            matrices: [pack(&shapes[0])?, pack(&shapes[1])?],
            bias: Buffer::new(vocabulary),
            memory: Buffer::new(layout.len),
        })
    }

    /// Numbers of memory that it takes: packed weights both ways, gradients, and a chunk.
    pub fn memory(vocabulary: usize, units: usize) -> usize {
        layout(vocabulary, units).len.saturating_add(2 * vocabulary * units.next_multiple_of(LANES))
    }

    /// Packs W, `[vocabulary, units]`, and b, `[vocabulary]`.
    ///
    /// # Errors
    /// Slices of other lengths.
    pub fn set_weights(&mut self, weight: &[T], bias: &[T], team: &Team) -> Result<(), EngineError> {
        check("output weight", weight.len(), self.vocabulary * self.units)?;
        check("output bias", bias.len(), self.vocabulary)?;
        self.bias.copy_from_slice(bias);
        let rows = View { data: weight, offset: 0, unit_stride: self.units, k_stride: 1 };
        let columns = View { unit_stride: 1, k_stride: self.units, ..rows };
        for (m, v) in self.matrices.iter_mut().zip([rows, columns]) {
            m.repack_on(team, &[v]).map_err(|e| EngineError::Kernel(e.to_string()))?;
        }
        Ok(())
    }

    /// The logits of `h`, [tokens, units] → [tokens, vocabulary].
    ///
    /// # Errors
    /// A slice that is no whole number of tokens.
    pub fn logits(&mut self, h: &[T], team: &Team) -> Result<Vec<T>, EngineError> {
        let tokens = self.tokens(h)?;
        let mut out = Vec::with_capacity(tokens * self.vocabulary);
        for first in (0..tokens).step_by(CHUNK) {
            let count = CHUNK.min(tokens - first);
            self.load(h, first, count);
            self.run(0, count, team)?;
            for row in 0..count {
                out.extend_from_slice(self.row(self.layout.logits, row, self.vocabulary));
            }
        }
        Ok(out)
    }

    /// The loss of each token.
    ///
    /// # Errors
    /// A target outside the vocabulary, slices of other lengths.
    pub fn losses(&mut self, h: &[T], targets: &[u32], team: &Team) -> Result<TokenLosses, EngineError> {
        self.pass(h, targets, team, None)
    }

    /// The loss of each token, and the gradients of `scale` times their sum: `dh` [tokens, units] is written, `dw` and
    /// `db` are added to.
    ///
    /// # Errors
    /// As [`SoftmaxHead::losses`].
    pub fn losses_and_gradients(
        &mut self,
        h: &[T],
        targets: &[u32],
        scale: f64,
        into: HeadGradients<'_, T>,
        team: &Team,
    ) -> Result<TokenLosses, EngineError> {
        check("dh", into.h.len(), h.len())?;
        check("d output weight", into.weight.len(), self.vocabulary * self.units)?;
        check("d output bias", into.bias.len(), self.vocabulary)?;
        let (dw, db) = (self.layout.dw, self.layout.db);
        self.memory[dw..dw + into.weight.len()].copy_from_slice(into.weight);
        self.memory[db..db + into.bias.len()].copy_from_slice(into.bias);
        let losses = self.pass(h, targets, team, Some((T::from_f64(scale), into.h)))?;
        into.weight.copy_from_slice(&self.memory[dw..dw + into.weight.len()]);
        into.bias.copy_from_slice(&self.memory[db..db + into.bias.len()]);
        Ok(losses)
    }

    fn pass(
        &mut self,
        h: &[T],
        targets: &[u32],
        team: &Team,
        mut gradient: Option<(T, &mut [T])>,
    ) -> Result<TokenLosses, EngineError> {
        let tokens = self.tokens(h)?;
        check("targets", targets.len(), tokens)?;
        if let Some(t) = targets.iter().find(|t| **t as usize >= self.vocabulary) {
            let message = format!("target {t} is outside the vocabulary of {}", self.vocabulary);
            return Err(EngineError::Unsupported(message));
        }
        let mut losses = Vec::with_capacity(tokens);
        for first in (0..tokens).step_by(CHUNK) {
            let count = CHUNK.min(tokens - first);
            let targets = &targets[first..first + count];
            self.load(h, first, count);
            self.run(0, count, team)?;
            let scores: Vec<T> = targets
                .iter()
                .enumerate()
                .map(|(r, t)| self.row(self.layout.logits, r, self.vocabulary)[*t as usize])
                .collect();
            self.run(1, count, team)?;
            for (row, score) in scores.into_iter().enumerate() {
                let (largest, sum) = (self.row(self.layout.largest, row, 1)[0], self.row(self.layout.sum, row, 1)[0]);
                losses.push(sum.to_f64().ln() - (score.to_f64() - largest.to_f64()));
            }
            if let Some((scale, dh)) = &mut gradient {
                self.back(*scale, targets, team)?;
                for row in 0..count {
                    let at = (first + row) * self.units;
                    dh[at..at + self.units].copy_from_slice(self.row(self.layout.dh, row, self.units));
                }
            }
        }
        Ok(losses)
    }

    /// From the exponentials of a chunk to its gradients.
    fn back(&mut self, scale: T, targets: &[u32], team: &Team) -> Result<(), EngineError> {
        let l = self.layout;
        for row in 0..targets.len() {
            let sum = self.row(l.sum, row, 1)[0];
            self.row_mut(l.scale, row, 1)[0] = T::binary(Binary::Div, scale, sum);
        }
        self.run(2, targets.len(), team)?;
        for (row, t) in targets.iter().enumerate() {
            let z = &mut self.row_mut(l.logits, row, *t as usize + 1)[*t as usize];
            *z = T::binary(Binary::Sub, *z, scale);
        }
        self.run(3, targets.len(), team)
    }

    fn tokens(&self, h: &[T]) -> Result<usize, EngineError> {
        let tokens = h.len() / self.units;
        check("h", h.len(), tokens * self.units)?;
        Ok(tokens)
    }

    fn load(&mut self, h: &[T], first: usize, count: usize) {
        for row in 0..count {
            let from = &h[(first + row) * self.units..(first + row + 1) * self.units];
            self.row_mut(self.layout.h, row, self.units).copy_from_slice(from);
        }
    }

    fn run(&mut self, machine: usize, count: usize, team: &Team) -> Result<(), EngineError> {
        self.machines[machine]
            .run(&Timeline::equal(1, count), &self.bias, &self.matrices, &mut self.memory, team, Split::Rows)
            .map_err(|e| EngineError::Kernel(e.to_string()))
    }

    fn row(&self, place: Place, row: usize, width: usize) -> &[T] {
        let at = place.offset + row * place.stride;
        &self.memory[at..at + width]
    }

    fn row_mut(&mut self, place: Place, row: usize, width: usize) -> &mut [T] {
        let at = place.offset + row * place.stride;
        &mut self.memory[at..at + width]
    }
}

/// Where gradients go.
pub struct HeadGradients<'a, T> {
    /// By `h`, [tokens, units]: written.
    pub h: &'a mut [T],
    /// By W, [vocabulary, units]: added to.
    pub weight: &'a mut [T],
    /// By b, `[vocabulary]`: added to.
    pub bias: &'a mut [T],
}

fn layout(vocabulary: usize, units: usize) -> Layout {
    let mut used = 0;
    let mut take = |n: usize| {
        let at = used;
        used += n.next_multiple_of(LANES);
        at
    };
    let mut rows = |width: usize| {
        let stride = width.next_multiple_of(LANES);
        Place { offset: take(CHUNK * stride), rows: Rows::Token, stride }
    };
    let (h, dh, logits, largest, sum, scale) = (rows(units), rows(units), rows(vocabulary), rows(1), rows(1), rows(1));
    let (dw, db) = (take(vocabulary * units), take(vocabulary));
    Layout { h, dh, logits, largest, sum, scale, dw, db, len: used }
}

fn logits(l: &Layout, vocabulary: usize) -> Vec<Phase> {
    let init = Some(Place { offset: 0, rows: Rows::Fixed, stride: 0 });
    let members = vec![Member { init, out: l.logits }];
    let products = vec![Product { matrix: 0, segments: vec![l.h], members }];
    vec![Phase::Bulk(vec![Stage { products, block: vec![], units: vocabulary, whole_rows: false }])]
}

fn exponentials(l: &Layout, vocabulary: usize) -> Vec<Phase> {
    let (z, units) = (Operand::Units(l.logits), vocabulary);
    let block = vec![
        Instr::Largest { a: l.logits, out: l.largest, units },
        Instr::Binary { op: Binary::Sub, a: z, b: Operand::PerRow(l.largest), out: l.logits, units },
        Instr::Unary { op: Unary::Exp, a: z, out: l.logits, units },
        Instr::Sum { a: l.logits, out: l.sum, units },
    ];
    vec![Phase::Bulk(vec![Stage { products: vec![], block, units, whole_rows: true }])]
}

fn scaled(l: &Layout, vocabulary: usize) -> Vec<Phase> {
    let (a, b) = (Operand::Units(l.logits), Operand::PerRow(l.scale));
    let block = vec![Instr::Binary { op: Binary::Mul, a, b, out: l.logits, units: vocabulary }];
    vec![Phase::Bulk(vec![Stage { products: vec![], block, units: vocabulary, whole_rows: false }])]
}

fn gradients(l: &Layout, vocabulary: usize, units: usize) -> Vec<Phase> {
    let members = vec![Member { init: None, out: l.dh }];
    let products = vec![Product { matrix: 1, segments: vec![l.logits], members }];
    let row = OuterRow { left: l.logits, rows: vocabulary, out: l.dw, stride: units };
    vec![
        Phase::Bulk(vec![Stage { products, block: vec![], units, whole_rows: false }]),
        Phase::Outer { right: l.h, columns: units, lefts: vec![row] },
        Phase::Total { value: l.logits, units: vocabulary, out: l.db },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const TOKENS: usize = CHUNK + 9;
    const VOCABULARY: usize = 37;
    const UNITS: usize = 11;

    fn draw<T: Real>(n: usize, stream: u64) -> Vec<T> {
        let mut r = Random::new(5, stream);
        (0..n).map(|_| T::from_f64(2.0 * r.uniform() - 1.0)).collect()
    }

    struct Case<T> {
        h: Vec<T>,
        w: Vec<T>,
        b: Vec<T>,
        targets: Vec<u32>,
    }

    fn case<T: Real>() -> Case<T> {
        let targets = (0..TOKENS).map(|i| (i * 17 % VOCABULARY) as u32).collect();
        Case { h: draw(TOKENS * UNITS, 1), w: draw(VOCABULARY * UNITS, 2), b: draw(VOCABULARY, 3), targets }
    }

    fn run<T: Real>(c: &Case<T>, isa: Isa, threads: usize) -> (TokenLosses, Vec<T>, Vec<T>, Vec<T>) {
        let mut head = SoftmaxHead::new(isa, VOCABULARY, UNITS).unwrap();
        let mut dh = vec![T::ZERO; c.h.len()];
        let (mut dw, mut db) = (vec![T::ZERO; c.w.len()], vec![T::ZERO; c.b.len()]);
        let into = HeadGradients { h: &mut dh, weight: &mut dw, bias: &mut db };
        let team = Team::sharing_all(threads).unwrap();
        head.set_weights(&c.w, &c.b, &team).unwrap();
        let losses = head.losses_and_gradients(&c.h, &c.targets, 0.5, into, &team).unwrap();
        assert_eq!(losses, head.losses(&c.h, &c.targets, &team).unwrap());
        (losses, dh, dw, db)
    }

    fn loss(c: &Case<f64>) -> Vec<f64> {
        let one = |i: usize| {
            let z: Vec<f64> = (0..VOCABULARY)
                .map(|v| c.b[v] + (0..UNITS).map(|k| c.w[v * UNITS + k] * c.h[i * UNITS + k]).sum::<f64>())
                .collect();
            z.iter().map(|x| x.exp()).sum::<f64>().ln() - z[c.targets[i] as usize]
        };
        (0..TOKENS).map(one).collect()
    }

    #[test]
    fn losses_and_gradients_are_right() {
        let mut c = case::<f64>();
        let (losses, dh, dw, db) = run(&c, Isa::Portable, 1);
        losses.iter().zip(loss(&c)).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
        let total = |c: &Case<f64>| 0.5 * loss(c).iter().sum::<f64>();
        let eps = 1e-5;
        macro_rules! compare {
            ($field:ident, $gradient:expr) => {
                for i in (0..c.$field.len()).step_by(7) {
                    let x = c.$field[i];
                    c.$field[i] = x + eps;
                    let up = total(&c);
                    c.$field[i] = x - eps;
                    let down = total(&c);
                    c.$field[i] = x;
                    let difference = (up - down) / (2.0 * eps);
                    assert!((difference - $gradient[i]).abs() < 1e-7, "{i}: {difference} {}", $gradient[i]);
                }
            };
        }
        compare!(h, dh);
        compare!(w, dw);
        compare!(b, db);
    }

    #[test]
    fn bits_do_not_depend_on_threads_or_instructions() {
        let c = case::<f32>();
        let wanted = run(&c, Isa::Portable, 1);
        for isa in Isa::available() {
            for threads in [1, 2] {
                assert!(run(&c, isa, threads) == wanted, "{isa}, {threads} threads");
            }
        }
    }

    #[test]
    fn a_target_outside_the_vocabulary_is_refused() {
        let mut c = case::<f32>();
        c.targets[3] = VOCABULARY as u32;
        let mut head = SoftmaxHead::<f32>::new(Isa::Portable, VOCABULARY, UNITS).unwrap();
        assert!(head.losses(&c.h, &c.targets, &Team::new(1).unwrap()).is_err());
    }
}
