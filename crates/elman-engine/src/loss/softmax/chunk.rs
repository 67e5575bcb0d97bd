//! A chunk of tokens on its way through the parts.
//!
//! Parts are independent but for the sums over them, so that each thread takes whole parts, and waits for another only
//! where a part's sums follow those of the part before it. Parts that are left over are shared within.

use super::machines::{Blocks, Machines, Worker};
use super::parts::{BLOCK, BLOCKS, Layout, Part};
use super::{TokenLosses, kernel};
use crate::error::EngineError;
use elman_kernel::code::{Binary, Split, Unary};
use elman_kernel::{Machine, Member, PackedMatrix, Real, Team, View, lock};
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Mutex, PoisonError};

/// What is known of the tokens of a chunk.
pub(super) struct Tokens<T> {
    /// [h 1], [tokens, stride]: zero past the last token.
    pub h: Vec<T>,
    /// Of each block.
    pub turns: Vec<Turn<T>>,
}

/// The sums of a block of tokens, which parts add to in order.
pub(super) struct Turn<T> {
    /// The part whose turn it is.
    part: AtomicUsize,
    sums: Mutex<Sums<T>>,
}

/// Sums over the parts so far, of the tokens of a block.
pub(super) struct Sums<T> {
    /// m, Σ sₚ exp(mₚ − m), and the target's z.
    most: [T; BLOCK],
    sum: [T; BLOCK],
    score: [T; BLOCK],
    /// Σ dₚ exp(mₚ − m), [units, width].
    dh: Vec<T>,
}

impl<T: Real> Tokens<T> {
    pub fn new(layout: &Layout, units: usize) -> Tokens<T> {
        let turn = || Turn { part: AtomicUsize::new(0), sums: Mutex::new(Sums::new(units)) };
        Tokens { h: vec![T::ZERO; BLOCKS * BLOCK * layout.stride], turns: (0..BLOCKS).map(|_| turn()).collect() }
    }
}

impl<T: Real> Turn<T> {
    fn reset(&mut self) {
        *self.part.get_mut() = 0;
        let sums = self.sums();
        sums.most.fill(T::from_f64(f64::NEG_INFINITY));
        sums.sum.fill(T::ZERO);
        sums.dh.fill(T::ZERO);
    }

    fn sums(&mut self) -> &mut Sums<T> {
        self.sums.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Real> Sums<T> {
    fn new(units: usize) -> Sums<T> {
        let zeros = [T::ZERO; BLOCK];
        Sums { most: zeros, sum: zeros, score: zeros, dh: vec![T::ZERO; units * BLOCK] }
    }

    /// Adds those of the next part, in `memory`; keeps its mₚ in `largest`.
    fn add(&mut self, layout: &Layout, memory: &[T], largest: &mut [T], backward: bool) {
        let width = largest.len();
        let (mut before, mut now) = ([T::ONE; BLOCK], [T::ONE; BLOCK]);
        for i in 0..width {
            let (own, known) = (memory[layout.largest + i], self.most[i]);
            // NaN is the largest.
            let all = if own <= known { known } else { own };
            // One of the two is 1.
            if own <= known {
                now[i] = T::unary(Unary::Exp, T::binary(Binary::Sub, own, known));
            } else {
                before[i] = T::unary(Unary::Exp, T::binary(Binary::Sub, known, own));
            }
            largest[i] = own;
            self.most[i] = all;
            self.sum[i] = scaled_sum(self.sum[i], before[i], memory[layout.sum + i], now[i]);
        }
        if backward {
            let units = self.dh.len() / BLOCK;
            let rows = memory[layout.dh..].chunks_exact(width).take(units);
            for (to, from) in self.dh.chunks_exact_mut(width).zip(rows) {
                for i in 0..width {
                    to[i] = scaled_sum(to[i], before[i], from[i], now[i]);
                }
            }
        }
    }
}

/// A chunk of tokens on its way through.
pub(super) struct Chunk<'a, T: Real> {
    /// Words of every part but the last.
    pub words: usize,
    pub parts: &'a mut [Part<T>],
    pub blocks: &'a Blocks<T>,
    /// Blocks that the chunk fills.
    pub count: usize,
    pub tokens: &'a mut Tokens<T>,
    pub team: &'a Team,
}

/// A part, as a thread takes it through.
struct Pass<'a, T: Real> {
    index: usize,
    part: &'a mut Part<T>,
    machines: &'a mut Machines<T>,
    /// Those who share its work.
    team: &'a Team,
    /// The thread, where parts are taken side by side.
    member: Option<&'a Member<'a>>,
}

impl<T: Real> Chunk<'_, T> {
    /// The logits of a part, of the first block.
    pub fn logits(&mut self, part: usize) -> Result<(), EngineError> {
        let Worker { machines, .. } = &mut *lock(&self.blocks.workers[0]);
        run(&mut machines.blocks[0].logits, &mut self.parts[part], &self.blocks.columns[..1], self.team)
    }

    /// Adds each token's loss; leaves the exponentials, and, `backward`, Wᵀ of them.
    pub fn losses(&mut self, targets: &[u32], backward: bool, losses: &mut TokenLosses) -> Result<(), EngineError> {
        let words = self.words;
        let Blocks { layout, units, width, .. } = *self.blocks;
        let turns = &mut self.tokens.turns[..self.count];
        turns.iter_mut().for_each(Turn::reset);
        let (shared, columns) = (&*turns, &self.blocks.columns);
        each_part(self.parts, self.blocks, self.team, |mut pass| {
            let mut done = Ok(());
            let first = pass.index * words;
            for (block, (turn, targets)) in shared.iter().zip(targets.chunks(width)).enumerate() {
                // The parts behind this one get their turns after an error too.
                done = done.and_then(|()| pass.logits(block, &columns[block..=block]));
                let own = targets.iter().map(|target| *target as usize).enumerate();
                let own = own.filter(|(_, target)| (first..first + words).contains(target));
                let at = |token, target| layout.logit(block, width, target - first, token);
                let scores: Vec<_> = own.map(|(token, target)| (token, pass.part.memory[at(token, target)])).collect();
                let dh = backward.then_some(layout.dh..layout.dh + units * width);
                done = done.and_then(|()| pass.exponentials(block, dh));
                pass.wait(turn);
                let sums = &mut *lock(&turn.sums);
                scores.into_iter().for_each(|(token, z)| sums.score[token] = z);
                let largest = &mut pass.part.largest[block * width..][..width];
                sums.add(&layout, &pass.part.memory, largest, backward);
                turn.part.store(pass.index + 1, Release);
            }
            done
        })?;
        for (turn, targets) in turns.iter_mut().zip(targets.chunks(width)) {
            let Sums { most, sum, score, .. } = turn.sums();
            let of = |i: usize| sum[i].to_f64().ln() - (score[i].to_f64() - most[i].to_f64());
            losses.extend((0..targets.len()).map(of));
        }
        Ok(())
    }

    /// [dW db], but for the targets' terms.
    pub fn weight_gradients(&mut self, scale: T, first: bool) -> Result<(), EngineError> {
        let (count, width, stride) = (self.count, self.blocks.width, self.blocks.layout.stride);
        let Tokens { h, turns } = &mut *self.tokens;
        let sums: Vec<&Sums<T>> = turns.iter_mut().map(|turn| &*turn.sums()).collect();
        each_part(self.parts, self.blocks, self.team, |Pass { part, machines, team, .. }| {
            let rows = h.chunks_exact(stride).zip(machines.scaled.chunks_exact_mut(stride)).take(count * width);
            for (i, (h, scaled)) in rows.enumerate() {
                let Sums { most, sum, .. } = sums[i / width];
                let below = T::binary(Binary::Sub, part.largest[i], most[i % width]);
                let share = T::binary(Binary::Div, T::unary(Unary::Exp, below), sum[i % width]);
                let share = T::binary(Binary::Mul, share, scale);
                scaled.iter_mut().zip(h).for_each(|(to, x)| *to = T::binary(Binary::Mul, *x, share));
            }
            let view = |block: usize| View {
                data: &machines.scaled,
                offset: block * width * stride,
                unit_stride: 1,
                k_stride: stride,
            };
            let rows = &mut machines.rows[count - 1];
            rows.repack(&(0..count).map(view).collect::<Vec<_>>()).map_err(kernel)?;
            let dw = &mut machines.dw[count - 1][usize::from(!first)];
            run(dw, part, std::slice::from_ref(rows), team)
        })
    }

    /// dh, with the targets' terms.
    pub fn input_gradients(&mut self, scale: T, targets: &[u32], dh: &mut [T]) {
        let Blocks { layout, units, width, .. } = *self.blocks;
        let block = width * units;
        let blocks = dh.chunks_mut(block).zip(targets.chunks(width));
        for (turn, (dh, targets)) in self.tokens.turns.iter_mut().zip(blocks) {
            let sums = turn.sums();
            for ((i, dh), target) in dh.chunks_exact_mut(units).enumerate().zip(targets) {
                let share = T::binary(Binary::Div, scale, sums.sum[i]);
                let (part, word) = (*target as usize / self.words, *target as usize % self.words);
                let row = &self.parts[part].memory[layout.weights + word * layout.stride..];
                for ((dh, column), w) in dh.iter_mut().zip(sums.dh.chunks_exact(width)).zip(row) {
                    let all = T::binary(Binary::Mul, column[i], share);
                    *dh = T::binary(Binary::Sub, all, T::binary(Binary::Mul, scale, *w));
                }
            }
        }
    }
}

impl<T: Real> Pass<'_, T> {
    fn logits(&mut self, block: usize, columns: &[PackedMatrix<T>]) -> Result<(), EngineError> {
        run(&mut self.machines.blocks[block].logits, self.part, columns, self.team)
    }

    /// The logits' exponentials, and Wᵀ of them to `dh`.
    fn exponentials(&mut self, block: usize, dh: Option<Range<usize>>) -> Result<(), EngineError> {
        let machines = &mut self.machines.blocks[block];
        run(&mut machines.exponentials, self.part, &[], self.team)?;
        let Some(dh) = dh else { return Ok(()) };
        self.part.memory[dh].fill(T::ZERO);
        run(&mut machines.dh, self.part, &[], self.team)
    }

    /// Until the parts before this one are in.
    fn wait(&self, turn: &Turn<T>) {
        if let Some(member) = self.member {
            member.until(|| turn.part.load(Acquire) == self.index);
        }
    }
}

/// Does `work` with every part: each thread takes whole parts, in order, and all share those that are left over.
fn each_part<T: Real>(
    parts: &mut [Part<T>],
    blocks: &Blocks<T>,
    team: &Team,
    work: impl Fn(Pass<'_, T>) -> Result<(), EngineError> + Sync,
) -> Result<(), EngineError> {
    let even = parts.len() / team.threads() * team.threads();
    let whole = if even >= 2 * team.threads() || team.shares_all() { even } else { 0 };
    let (own, left) = parts.split_at_mut(whole);
    let failed = Mutex::new(None);
    team.each_in_order(own.iter_mut().enumerate().collect(), |member, (index, part)| {
        let Worker { alone, machines } = &mut *lock(&blocks.workers[member.index]);
        if let Err(e) = work(Pass { index, part, machines, team: alone, member: Some(member) }) {
            lock(&failed).get_or_insert(e);
        }
    });
    if let Some(e) = lock(&failed).take() {
        return Err(e);
    }
    let Worker { machines, .. } = &mut *lock(&blocks.workers[0]);
    left.iter_mut()
        .enumerate()
        .try_for_each(|(i, part)| work(Pass { index: whole + i, part, machines, team, member: None }))
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
