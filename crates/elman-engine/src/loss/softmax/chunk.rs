//! A chunk of tokens on its way through the parts.

use super::machines::Machines;
use super::parts::{BLOCK, BLOCKS, Layout, Part};
use super::{TokenLosses, kernel};
use crate::error::EngineError;
use elman_kernel::code::{Binary, Split, Unary};
use elman_kernel::{Machine, PackedMatrix, Real, Team, View};

/// What is known of the tokens of a chunk.
pub(super) struct Tokens<T> {
    /// [h 1], [tokens, stride]: zero past the last token.
    pub h: Vec<T>,
    /// The same, scaled.
    pub scaled: Vec<T>,
    /// mₚ, [parts, tokens].
    pub largest: Vec<T>,
    /// m, Σ sₚ exp(mₚ − m), and the target's z.
    pub most: Vec<T>,
    pub sum: Vec<T>,
    pub score: Vec<T>,
    /// Σ dₚ exp(mₚ − m), [blocks, units, width].
    pub dh: Vec<T>,
}

impl<T: Real> Tokens<T> {
    pub fn new(layout: &Layout, units: usize, parts: usize) -> Tokens<T> {
        let chunk = BLOCKS * BLOCK;
        let zeros = |n: usize| vec![T::ZERO; n * chunk];
        let (h, scaled, largest) = (zeros(layout.stride), zeros(layout.stride), zeros(parts));
        Tokens { h, scaled, largest, most: zeros(1), sum: zeros(1), score: zeros(1), dh: zeros(units) }
    }
}

/// A chunk of tokens on its way through.
pub(super) struct Chunk<'a, T: Real> {
    pub units: usize,
    pub words: usize,
    pub layout: Layout,
    pub blocks: usize,
    pub parts: &'a mut [Part<T>],
    pub machines: &'a mut Machines<T>,
    pub tokens: &'a mut Tokens<T>,
    pub team: &'a Team,
}

impl<T: Real> Chunk<'_, T> {
    /// Where a logit of a part is.
    pub fn logit(&self, block: usize, word: usize, token: usize) -> usize {
        self.layout.logits[block] + word * self.machines.width + token
    }

    pub fn logits(&mut self, part: usize, block: usize) -> Result<(), EngineError> {
        let machines = &mut *self.machines;
        let columns = std::slice::from_ref(&machines.columns[block]);
        run(&mut machines.blocks[block].logits, &mut self.parts[part], columns, self.team)
    }

    /// Adds each token's loss; leaves the exponentials, and, `backward`, Wᵀ of them.
    pub fn losses(&mut self, targets: &[u32], backward: bool, losses: &mut TokenLosses) -> Result<(), EngineError> {
        let used = self.blocks * self.machines.width;
        self.tokens.most[..used].fill(T::from_f64(f64::NEG_INFINITY));
        self.tokens.sum[..used].fill(T::ZERO);
        self.tokens.dh[..used * self.units].fill(T::ZERO);
        for part in 0..self.parts.len() {
            for block in 0..self.blocks {
                self.logits(part, block)?;
                self.take_scores(part, block, targets);
                run(&mut self.machines.blocks[block].exponentials, &mut self.parts[part], &[], self.team)?;
                if backward {
                    let dh = self.layout.dh..self.layout.dh + self.units * self.machines.width;
                    self.parts[part].memory[dh].fill(T::ZERO);
                    run(&mut self.machines.blocks[block].dh, &mut self.parts[part], &[], self.team)?;
                }
                self.merge(part, block, backward);
            }
        }
        let Tokens { most, sum, score, .. } = &*self.tokens;
        let of = |i: usize| sum[i].to_f64().ln() - (score[i].to_f64() - most[i].to_f64());
        losses.extend((0..targets.len()).map(of));
        Ok(())
    }

    /// The logits of the targets that are in a part.
    pub fn take_scores(&mut self, part: usize, block: usize, targets: &[u32]) {
        let first = block * self.machines.width;
        for (token, target) in targets.iter().skip(first).take(self.machines.width).enumerate() {
            if *target as usize / self.words == part {
                let at = self.logit(block, *target as usize % self.words, token);
                self.tokens.score[first + token] = self.parts[part].memory[at];
            }
        }
    }

    /// Adds a part's sums to those of the parts before it.
    pub fn merge(&mut self, part: usize, block: usize, backward: bool) {
        let (width, memory) = (self.machines.width, &self.parts[part].memory);
        let first = block * width;
        let (mut before, mut now) = ([T::ONE; BLOCK], [T::ONE; BLOCK]);
        let Tokens { largest, most, sum, dh, .. } = &mut *self.tokens;
        for i in 0..width {
            let (own, known) = (memory[self.layout.largest + i], most[first + i]);
            // NaN is the largest.
            let all = if own <= known { known } else { own };
            // One of the two is 1.
            if own <= known {
                now[i] = T::unary(Unary::Exp, T::binary(Binary::Sub, own, known));
            } else {
                before[i] = T::unary(Unary::Exp, T::binary(Binary::Sub, known, own));
            }
            largest[part * BLOCKS * BLOCK + first + i] = own;
            most[first + i] = all;
            sum[first + i] = scaled_sum(sum[first + i], before[i], memory[self.layout.sum + i], now[i]);
        }
        if backward {
            let rows = memory[self.layout.dh..].chunks_exact(width);
            for (to, from) in dh[first * self.units..].chunks_exact_mut(width).take(self.units).zip(rows) {
                for i in 0..width {
                    to[i] = scaled_sum(to[i], before[i], from[i], now[i]);
                }
            }
        }
    }

    /// [dW db], but for the targets' terms.
    pub fn weight_gradients(&mut self, scale: T, first: bool) -> Result<(), EngineError> {
        let (used, stride) = (self.blocks * self.machines.width, self.layout.stride);
        let which = self.blocks - 1;
        for part in 0..self.parts.len() {
            let Tokens { h, scaled, largest, most, sum, .. } = &mut *self.tokens;
            let rows = h.chunks_exact(stride).zip(scaled.chunks_exact_mut(stride)).take(used);
            for (i, (h, scaled)) in rows.enumerate() {
                let below = T::binary(Binary::Sub, largest[part * BLOCKS * BLOCK + i], most[i]);
                let share = T::binary(Binary::Div, T::unary(Unary::Exp, below), sum[i]);
                let share = T::binary(Binary::Mul, share, scale);
                scaled.iter_mut().zip(h).for_each(|(to, x)| *to = T::binary(Binary::Mul, *x, share));
            }
            let view = View { data: scaled, offset: 0, unit_stride: 1, k_stride: stride };
            let machines = &mut *self.machines;
            let views: Vec<_> =
                (0..self.blocks).map(|s| View { offset: s * machines.width * stride, ..view }).collect();
            machines.rows[which].repack(&views).map_err(kernel)?;
            let rows = std::slice::from_ref(&machines.rows[which]);
            run(&mut machines.dw[which][usize::from(!first)], &mut self.parts[part], rows, self.team)?;
        }
        Ok(())
    }

    /// dh, with the targets' terms.
    pub fn input_gradients(&self, scale: T, targets: &[u32], dh: &mut [T]) {
        let (width, units) = (self.machines.width, self.units);
        for ((i, dh), target) in dh.chunks_exact_mut(units).enumerate().zip(targets) {
            let share = T::binary(Binary::Div, scale, self.tokens.sum[i]);
            let columns = &self.tokens.dh[i / width * width * units..];
            let (part, word) = (*target as usize / self.words, *target as usize % self.words);
            let row = &self.parts[part].memory[self.layout.weights + word * self.layout.stride..];
            for ((dh, column), w) in dh.iter_mut().zip(columns.chunks_exact(width)).zip(row) {
                let all = T::binary(Binary::Mul, column[i % width], share);
                *dh = T::binary(Binary::Sub, all, T::binary(Binary::Mul, scale, *w));
            }
        }
    }
}

/// a · by_a + b · by_b
fn scaled_sum<T: Real>(a: T, by_a: T, b: T, by_b: T) -> T {
    T::binary(Binary::Add, T::binary(Binary::Mul, a, by_a), T::binary(Binary::Mul, b, by_b))
}

fn run<T: Real>(
    machine: &mut Machine<T>,
    part: &mut Part<T>,
    matrices: &[PackedMatrix<T>],
    team: &Team,
) -> Result<(), EngineError> {
    machine.run(&part.words, &[], matrices, &mut part.memory, team, Split::Rows).map_err(kernel)
}
