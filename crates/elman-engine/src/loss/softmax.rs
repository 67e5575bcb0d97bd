//! A linear layer and softmax cross-entropy over a vocabulary, as one primitive.
//!
//!   z = W h + b      L = log Σⱼ exp(zⱼ − m) − (z_target − m),   m = max z
//!   ∂L/∂z = softmax(z) − e_target      ∂L/∂h = Wᵀ ∂L/∂z      ∂L/∂W = ∂L/∂z ⊗ h      ∂L/∂b = ∂L/∂z
//!
//! The vocabulary is cut into parts whose weights fit the second cache, and tokens come in chunks of a constant size. A
//! part's rows are its words, its columns a block of tokens; W is read where it lies, h is packed:
//!
//!   for each part, for each block of tokens      z = [W b] [h 1]ᵀ,  mₚ = max z,  e = exp(z − mₚ),  sₚ = Σ e,  dₚ = Wᵀ e
//!                                                m, Σ sₚ exp(mₚ − m) and Σ dₚ exp(mₚ − m) go on from part to part
//!   then, for each part                          [dW db] += e ([h 1] exp(mₚ − m) / sum)
//!   and for each token                           dh = Σ dₚ exp(mₚ − m) / sum − W_target,   dW_target −= h
//!
//! so that a chunk of tokens reads the weights from memory once, and their gradients once. Threads take parts side by side,
//! and wait for each other only to go on with the sums. Each element of a product is one chain over all tokens, in order,
//! and the targets' terms after them; parts are summed in order: no result depends on threads or on the chunk.

mod chunk;
mod machines;
mod parts;
#[cfg(test)]
mod tests;

use chunk::{Chunk, Tokens};
use elman_kernel::code::{Binary, Timeline};
use elman_kernel::{Buffer, Isa, Real, Team, View};
use machines::{Blocks, numbers_of_a_worker};
use parts::{BLOCK, BLOCKS, FEW, Layout, Part, cut, layout, row, words_of_a_part};

use crate::error::{EngineError, check};

/// Weights of an output layer, with the memory to run it.
pub struct SoftmaxHead<T: Real> {
    vocabulary: usize,
    units: usize,
    /// Words of every part but the last.
    words: usize,
    layout: Layout,
    parts: Vec<Part<T>>,
    many: Blocks<T>,
    few: Blocks<T>,
    tokens: Tokens<T>,
}

/// The loss of each token, in nats.
pub type TokenLosses = Vec<f64>;

/// Where gradients go: all are written.
pub struct HeadGradients<'a, T> {
    /// By `h`, [tokens, units].
    pub h: &'a mut [T],
    /// By W, [vocabulary, units].
    pub weight: &'a mut [T],
    /// By b, `[vocabulary]`.
    pub bias: &'a mut [T],
}

impl<T: Real> SoftmaxHead<T> {
    /// For `h` of `units` and a vocabulary; weights are zero until [`SoftmaxHead::set_weights`].
    ///
    /// # Errors
    /// Sizes of 0 or too large for memory addresses.
    pub fn new(isa: Isa, vocabulary: usize, units: usize) -> Result<SoftmaxHead<T>, EngineError> {
        SoftmaxHead::in_parts(isa, vocabulary, units, words_of_a_part(units))
    }

    /// The same with at most `most` words in a part.
    fn in_parts(isa: Isa, vocabulary: usize, units: usize, most: usize) -> Result<SoftmaxHead<T>, EngineError> {
        for (what, n) in [("vocabulary", vocabulary), ("units", units)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        let overflow = || EngineError::Overflow { what: "output layer".into() };
        let row = units.checked_add(BLOCKS * BLOCK).ok_or_else(overflow)?;
        vocabulary.checked_mul(row).filter(|n| *n < isize::MAX as usize / 64).ok_or_else(overflow)?;
        let (words, parts) = cut(vocabulary, most);
        let layout = layout(words, units);
        let part = |first: usize| {
            let count = words.min(vocabulary - first);
            let largest = vec![T::ZERO; BLOCKS * BLOCK];
            Part { words: Timeline::equal(1, count), memory: Buffer::new(layout.len), largest }
        };
        Ok(SoftmaxHead {
            vocabulary,
            units,
            words,
            layout,
            parts: (0..parts).map(|p| part(p * words)).collect(),
            many: Blocks::new(isa, layout, units, BLOCK, BLOCKS)?,
            few: Blocks::new(isa, layout, units, FEW, 1)?,
            tokens: Tokens::new(&layout, units),
        })
    }

    /// Numbers of memory that it takes with `threads` threads: weights, gradients, and the logits of a chunk.
    pub fn memory(vocabulary: usize, units: usize, threads: usize) -> usize {
        let (words, parts) = cut(vocabulary, words_of_a_part(units));
        let layout = layout(words, units);
        let tokens = BLOCKS * BLOCK * (2 * row(units) + units + parts);
        let workers = threads.saturating_mul(numbers_of_a_worker(&layout));
        parts.saturating_mul(layout.len).saturating_add(tokens).saturating_add(workers)
    }

    /// Takes W, `[vocabulary, units]`, and b, `[vocabulary]`.
    ///
    /// # Errors
    /// Slices of other lengths.
    pub fn set_weights(&mut self, weight: &[T], bias: &[T], team: &Team) -> Result<(), EngineError> {
        check("output weight", weight.len(), self.vocabulary * self.units)?;
        check("output bias", bias.len(), self.vocabulary)?;
        let (units, Layout { stride, weights, .. }) = (self.units, self.layout);
        let sources = weight.chunks(self.words * units).zip(bias.chunks(self.words));
        team.each(self.parts.iter_mut().zip(sources).collect(), |(part, (weight, bias))| {
            let rows = weight.chunks_exact(units).zip(bias);
            for (to, (row, b)) in part.memory[weights..].chunks_exact_mut(stride).zip(rows) {
                to[..units].copy_from_slice(row);
                to[units] = *b;
            }
        });
        Ok(())
    }

    /// The logits of `h`, [tokens, units] → [tokens, vocabulary].
    ///
    /// # Errors
    /// A slice that is no whole number of tokens.
    pub fn logits(&mut self, h: &[T], team: &Team) -> Result<Vec<T>, EngineError> {
        let mut out = vec![T::ZERO; self.count(h)? * self.vocabulary];
        let (words, vocabulary) = (self.words, self.vocabulary);
        for (h, out) in h.chunks(BLOCK * self.units).zip(out.chunks_mut(BLOCK * self.vocabulary)) {
            let mut chunk = self.chunk(h, team)?;
            for p in 0..chunk.parts.len() {
                chunk.logits(p)?;
                for (token, row) in out.chunks_exact_mut(vocabulary).enumerate() {
                    for (word, z) in row.iter_mut().skip(p * words).take(words).enumerate() {
                        *z = chunk.parts[p].memory[chunk.blocks.layout.logit(0, chunk.blocks.width, word, token)];
                    }
                }
            }
        }
        Ok(out)
    }

    /// The loss of each token.
    ///
    /// # Errors
    /// A target outside the vocabulary, slices of other lengths.
    pub fn losses(&mut self, h: &[T], targets: &[u32], team: &Team) -> Result<TokenLosses, EngineError> {
        let mut losses = Vec::with_capacity(self.checked(h, targets)?);
        for (h, targets) in h.chunks(BLOCKS * BLOCK * self.units).zip(targets.chunks(BLOCKS * BLOCK)) {
            self.chunk(h, team)?.losses(targets, false, &mut losses)?;
        }
        Ok(losses)
    }

    /// The loss of each token, and the gradients of `scale` times their sum, written to `into`.
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
        let mut losses = Vec::with_capacity(self.checked(h, targets)?);
        let (scale, size) = (T::from_f64(scale), BLOCKS * BLOCK * self.units);
        let chunks = h.chunks(size).zip(into.h.chunks_mut(size));
        for (i, ((h, dh), targets)) in chunks.zip(targets.chunks(BLOCKS * BLOCK)).enumerate() {
            let mut chunk = self.chunk(h, team)?;
            chunk.losses(targets, true, &mut losses)?;
            chunk.weight_gradients(scale, i == 0)?;
            chunk.input_gradients(scale, targets, dh);
        }
        if losses.is_empty() {
            into.weight.fill(T::ZERO);
            into.bias.fill(T::ZERO);
        } else {
            self.subtract_targets(h, targets, scale);
            self.read_gradients(into.weight, into.bias, team);
        }
        Ok(losses)
    }

    /// [dW db] of each target −= scale · [h 1].
    fn subtract_targets(&mut self, h: &[T], targets: &[u32], scale: T) {
        for (h, target) in h.chunks_exact(self.units).zip(targets) {
            let (p, word) = (*target as usize / self.words, *target as usize % self.words);
            let at = self.layout.gradients + word * self.layout.stride;
            let row = &mut self.parts[p].memory[at..=at + self.units];
            for (d, x) in row.iter_mut().zip(h.iter().chain([&T::ONE])) {
                *d = T::binary(Binary::Sub, *d, T::binary(Binary::Mul, scale, *x));
            }
        }
    }

    fn read_gradients(&self, weight: &mut [T], bias: &mut [T], team: &Team) {
        let (units, Layout { stride, gradients, .. }) = (self.units, self.layout);
        let targets = weight.chunks_mut(self.words * units).zip(bias.chunks_mut(self.words));
        team.each(targets.zip(&self.parts).collect(), |((weight, bias), part)| {
            let rows = weight.chunks_exact_mut(units).zip(bias);
            for ((row, b), from) in rows.zip(part.memory[gradients..].chunks_exact(stride)) {
                row.copy_from_slice(&from[..units]);
                *b = from[units];
            }
        });
    }

    /// The number of tokens, if all is as it should be.
    fn checked(&self, h: &[T], targets: &[u32]) -> Result<usize, EngineError> {
        let tokens = self.count(h)?;
        check("targets", targets.len(), tokens)?;
        match targets.iter().find(|t| **t as usize >= self.vocabulary) {
            None => Ok(tokens),
            Some(t) => {
                let message = format!("target {t} is outside the vocabulary of {}", self.vocabulary);
                Err(EngineError::Unsupported(message))
            }
        }
    }

    fn count(&self, h: &[T]) -> Result<usize, EngineError> {
        let tokens = h.len() / self.units;
        check("h", h.len(), tokens * self.units)?;
        Ok(tokens)
    }

    /// A chunk of h, packed.
    fn chunk<'a>(&'a mut self, h: &[T], team: &'a Team) -> Result<Chunk<'a, T>, EngineError> {
        let (units, layout) = (self.units, self.layout);
        let count = h.len() / units;
        let blocks = if count <= FEW { &mut self.few } else { &mut self.many };
        blocks.prepare(team.threads())?;
        let filled = count.div_ceil(blocks.width);
        let tokens = &mut self.tokens;
        let rows = tokens.h.chunks_exact_mut(layout.stride).take(filled * blocks.width);
        for (i, to) in rows.enumerate() {
            match h.get(i * units..(i + 1) * units) {
                Some(row) => {
                    to[..units].copy_from_slice(row);
                    to[units] = T::ONE;
                }
                None => to.fill(T::ZERO),
            }
        }
        for (s, columns) in blocks.columns.iter_mut().take(filled).enumerate() {
            let offset = s * blocks.width * layout.stride;
            let view = View { data: &tokens.h, offset, unit_stride: layout.stride, k_stride: 1 };
            columns.repack(&[view]).map_err(kernel)?;
        }
        Ok(Chunk { words: self.words, parts: &mut self.parts, blocks, count: filled, tokens, team })
    }
}

fn kernel(e: impl std::fmt::Display) -> EngineError {
    EngineError::Kernel(e.to_string())
}
