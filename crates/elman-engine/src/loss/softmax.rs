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
//! so that a chunk of tokens reads the weights from memory once, and their gradients once. Each element of a product is
//! one chain over all tokens, in order, and the targets' terms after them; parts are summed in order: no result depends
//! on threads or on the chunk.

use elman_kernel::code::{Binary, LANES, Member, OuterRow, Phase, Place, Product, Rows, Split, Stage, Timeline, Unary};
use elman_kernel::{Buffer, Isa, Machine, MatrixShape, PackedMatrix, Real, Team, View};

use crate::error::{EngineError, check};

/// Tokens of a block: a full panel of packed columns.
const BLOCK: usize = 4 * LANES;

/// Tokens of a block where there are no more: one strip.
const FEW: usize = LANES;

/// Blocks of a chunk.
const BLOCKS: usize = 4;

/// Bytes of a part's weights, of a second cache of 1 MiB.
const PART: usize = 448 << 10;

/// Where things are in the memory of a part.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Numbers from one word to the next.
    stride: usize,
    /// [W b] and [dW db], [words, stride].
    weights: usize,
    gradients: usize,
    /// z, then e, of each block: [words, block].
    logits: [usize; BLOCKS],
    /// Per token of a block.
    largest: usize,
    sum: usize,
    /// Wᵀ e, [units, block].
    dh: usize,
    len: usize,
}

/// Some words, in order.
struct Part<T> {
    words: Timeline,
    memory: Buffer<T>,
}

/// The machines of a block of tokens.
struct Block<T: Real> {
    logits: Machine<T>,
    exponentials: Machine<T>,
    dh: Machine<T>,
}

/// The machines for blocks of one width.
struct Machines<T: Real> {
    /// Tokens of a block.
    width: usize,
    blocks: Vec<Block<T>>,
    /// [dW db] from as many blocks: of the first chunk, and of those after it.
    dw: Vec<[Machine<T>; 2]>,
    /// [h 1] of each block.
    columns: Vec<PackedMatrix<T>>,
    /// [h 1] exp(mₚ − m) / sum of as many blocks.
    rows: Vec<PackedMatrix<T>>,
}

/// What is known of the tokens of a chunk.
struct Tokens<T> {
    /// [h 1], [tokens, stride]: zero past the last token.
    h: Vec<T>,
    /// The same, scaled.
    scaled: Vec<T>,
    /// mₚ, [parts, tokens].
    largest: Vec<T>,
    /// m, Σ sₚ exp(mₚ − m), and the target's z.
    most: Vec<T>,
    sum: Vec<T>,
    score: Vec<T>,
    /// Σ dₚ exp(mₚ − m), [blocks, units, width].
    dh: Vec<T>,
}

/// Weights of an output layer, with the memory to run it.
pub struct SoftmaxHead<T: Real> {
    vocabulary: usize,
    units: usize,
    /// Words of every part but the last.
    words: usize,
    layout: Layout,
    parts: Vec<Part<T>>,
    many: Machines<T>,
    few: Machines<T>,
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
            Part { words: Timeline::equal(1, count), memory: Buffer::new(layout.len) }
        };
        Ok(SoftmaxHead {
            vocabulary,
            units,
            words,
            layout,
            parts: (0..parts).map(|p| part(p * words)).collect(),
            many: Machines::new(isa, &layout, units, BLOCK, BLOCKS)?,
            few: Machines::new(isa, &layout, units, FEW, 1)?,
            tokens: Tokens::new(&layout, units, parts),
        })
    }

    /// Numbers of memory that it takes: weights, gradients, and the logits of a chunk.
    pub fn memory(vocabulary: usize, units: usize) -> usize {
        let (words, parts) = cut(vocabulary, words_of_a_part(units));
        let chunk = BLOCKS * BLOCK;
        let tokens = chunk * (4 * row(units) + units + parts);
        parts.saturating_mul(layout(words, units).len).saturating_add(tokens)
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
                chunk.logits(p, 0)?;
                for (token, row) in out.chunks_exact_mut(vocabulary).enumerate() {
                    for (word, z) in row.iter_mut().skip(p * words).take(words).enumerate() {
                        *z = chunk.parts[p].memory[chunk.logit(0, word, token)];
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
        let (units, words, layout) = (self.units, self.words, self.layout);
        let count = h.len() / units;
        let machines = if count <= FEW { &mut self.few } else { &mut self.many };
        let blocks = count.div_ceil(machines.width);
        let tokens = &mut self.tokens;
        let rows = tokens.h.chunks_exact_mut(layout.stride).take(blocks * machines.width);
        for (i, to) in rows.enumerate() {
            match h.get(i * units..(i + 1) * units) {
                Some(row) => {
                    to[..units].copy_from_slice(row);
                    to[units] = T::ONE;
                }
                None => to.fill(T::ZERO),
            }
        }
        for (s, columns) in machines.columns.iter_mut().take(blocks).enumerate() {
            let offset = s * machines.width * layout.stride;
            let view = View { data: &tokens.h, offset, unit_stride: layout.stride, k_stride: 1 };
            columns.repack(&[view]).map_err(kernel)?;
        }
        Ok(Chunk { units, words, layout, blocks, parts: &mut self.parts, machines, tokens, team })
    }
}

/// A chunk of tokens on its way through.
struct Chunk<'a, T: Real> {
    units: usize,
    words: usize,
    layout: Layout,
    blocks: usize,
    parts: &'a mut [Part<T>],
    machines: &'a mut Machines<T>,
    tokens: &'a mut Tokens<T>,
    team: &'a Team,
}

impl<T: Real> Chunk<'_, T> {
    /// Where a logit of a part is.
    fn logit(&self, block: usize, word: usize, token: usize) -> usize {
        self.layout.logits[block] + word * self.machines.width + token
    }

    fn logits(&mut self, part: usize, block: usize) -> Result<(), EngineError> {
        let machines = &mut *self.machines;
        let columns = std::slice::from_ref(&machines.columns[block]);
        run(&mut machines.blocks[block].logits, &mut self.parts[part], columns, self.team)
    }

    /// Adds each token's loss; leaves the exponentials, and, `backward`, Wᵀ of them.
    fn losses(&mut self, targets: &[u32], backward: bool, losses: &mut TokenLosses) -> Result<(), EngineError> {
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
    fn take_scores(&mut self, part: usize, block: usize, targets: &[u32]) {
        let first = block * self.machines.width;
        for (token, target) in targets.iter().skip(first).take(self.machines.width).enumerate() {
            if *target as usize / self.words == part {
                let at = self.logit(block, *target as usize % self.words, token);
                self.tokens.score[first + token] = self.parts[part].memory[at];
            }
        }
    }

    /// Adds a part's sums to those of the parts before it.
    fn merge(&mut self, part: usize, block: usize, backward: bool) {
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
    fn weight_gradients(&mut self, scale: T, first: bool) -> Result<(), EngineError> {
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
    fn input_gradients(&self, scale: T, targets: &[u32], dh: &mut [T]) {
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

fn kernel(e: impl std::fmt::Display) -> EngineError {
    EngineError::Kernel(e.to_string())
}

impl<T: Real> Tokens<T> {
    fn new(layout: &Layout, units: usize, parts: usize) -> Tokens<T> {
        let chunk = BLOCKS * BLOCK;
        let zeros = |n: usize| vec![T::ZERO; n * chunk];
        let (h, scaled, largest) = (zeros(layout.stride), zeros(layout.stride), zeros(parts));
        Tokens { h, scaled, largest, most: zeros(1), sum: zeros(1), score: zeros(1), dh: zeros(units) }
    }
}

impl<T: Real> Machines<T> {
    fn new(isa: Isa, layout: &Layout, units: usize, width: usize, blocks: usize) -> Result<Machines<T>, EngineError> {
        let machine = |code, shapes| Machine::new(isa, code, layout.len, 0, shapes).map_err(kernel);
        let pack = |shape: &MatrixShape| PackedMatrix::zero(isa, shape).map_err(kernel);
        let words = |offset, stride| Place { offset, rows: Rows::Token, stride };
        let (weights, gradients) = (words(layout.weights, layout.stride), words(layout.gradients, layout.stride));
        let logits = |block: usize| words(layout.logits[block], width);
        let (largest, sum) = (layout.largest, layout.sum);
        let columns = MatrixShape { members: 1, units: width, segments: vec![units + 1] };
        let block = |b: usize| {
            let z = product(vec![weights], Member { init: None, out: logits(b) }, width);
            let e = Phase::Exponentials { value: logits(b), units: width, largest, sum };
            let left = OuterRow { left: weights, rows: units, out: layout.dh, stride: width };
            let dh = Phase::Outer { right: logits(b), columns: width, lefts: vec![left] };
            Ok(Block {
                logits: machine(vec![z], vec![columns.clone()])?,
                exponentials: machine(vec![e], vec![])?,
                dh: machine(vec![dh], vec![])?,
            })
        };
        let rows = |count: usize| MatrixShape { members: 1, units: units + 1, segments: vec![width; count] };
        let dw = |count: usize| {
            let from = |init| {
                let segments = (0..count).map(logits).collect();
                let phase = product(segments, Member { init, out: gradients }, units + 1);
                machine(vec![phase], vec![rows(count)])
            };
            Ok([from(None)?, from(Some(gradients))?])
        };
        Ok(Machines {
            width,
            blocks: (0..blocks).map(block).collect::<Result<_, EngineError>>()?,
            dw: (1..=blocks).map(dw).collect::<Result<_, EngineError>>()?,
            columns: (0..blocks).map(|_| pack(&columns)).collect::<Result<_, EngineError>>()?,
            rows: (1..=blocks).map(|count| pack(&rows(count))).collect::<Result<_, EngineError>>()?,
        })
    }
}

/// One product over all words of a part.
fn product(segments: Vec<Place>, member: Member, units: usize) -> Phase {
    let products = vec![Product { matrix: 0, segments, members: vec![member] }];
    Phase::Bulk(vec![Stage { products, block: vec![], units, whole_rows: false }])
}

/// Numbers from one row of units and a bias to the next: an odd number of strips, so that rows that follow each other
/// fall into different sets of a cache.
fn row(units: usize) -> usize {
    ((units / LANES + 1) | 1) * LANES
}

/// Most words of a part.
fn words_of_a_part(units: usize) -> usize {
    (PART / (row(units) * size_of::<f32>())).max(BLOCK)
}

/// Words of a part, and parts.
fn cut(vocabulary: usize, most: usize) -> (usize, usize) {
    let words = vocabulary.div_ceil(vocabulary.div_ceil(most));
    (words, vocabulary.div_ceil(words))
}

fn layout(words: usize, units: usize) -> Layout {
    let mut used = 0;
    let mut take = |n: usize| {
        let at = used;
        used += n.next_multiple_of(LANES);
        at
    };
    let stride = row(units);
    let (weights, gradients) = (take(words * stride), take(words * stride));
    let logits = [0; BLOCKS].map(|_| take(words * BLOCK));
    let (largest, sum, dh) = (take(BLOCK), take(BLOCK), take(units * BLOCK));
    Layout { stride, weights, gradients, logits, largest, sum, dh, len: used }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const TOKENS: usize = BLOCKS * BLOCK + BLOCK + 9;
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

    /// Parts of 13, 13 and 11 words.
    fn run<T: Real>(c: &Case<T>, isa: Isa, threads: usize) -> (TokenLosses, Vec<T>, Vec<T>, Vec<T>) {
        let mut head = SoftmaxHead::in_parts(isa, VOCABULARY, UNITS, 15).unwrap();
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

    /// What a token gets does not depend on those beside it; chunks of one strip and of full blocks agree.
    #[test]
    fn bits_do_not_depend_on_the_chunk() {
        let c = case::<f32>();
        let team = Team::new(1).unwrap();
        let mut head = SoftmaxHead::in_parts(Isa::detect(), VOCABULARY, UNITS, 15).unwrap();
        head.set_weights(&c.w, &c.b, &team).unwrap();
        let (losses, logits) = (head.losses(&c.h, &c.targets, &team).unwrap(), head.logits(&c.h, &team).unwrap());
        for (i, h) in c.h.chunks(UNITS).enumerate() {
            assert_eq!(head.losses(h, &c.targets[i..=i], &team).unwrap(), &losses[i..=i], "token {i}");
            assert_eq!(head.logits(h, &team).unwrap(), &logits[i * VOCABULARY..(i + 1) * VOCABULARY], "token {i}");
        }
    }

    /// The largest logit comes last, far above those of the parts before it, or first: nothing overflows or is lost.
    #[test]
    fn parts_of_very_different_size() {
        for large in [0, VOCABULARY - 1] {
            let mut c = case::<f32>();
            c.b[large] = 300.0;
            let (losses, dh, dw, _) = run(&c, Isa::detect(), 1);
            for (i, loss) in losses.iter().enumerate() {
                let near = c.targets[i] as usize == large;
                assert!(if near { *loss == 0.0 } else { (290.0..310.0).contains(loss) }, "{i}: {loss}");
            }
            assert!(dh.iter().chain(&dw).all(|x| x.is_finite()));
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
