//! What runs over a part, for blocks of tokens of one width.

use super::kernel;
use super::parts::{BLOCK, BLOCKS, Layout};
use crate::error::EngineError;
use elman_kernel::code::{Member, OuterRow, Phase, Place, Product, Rows, Stage};
use elman_kernel::{Isa, Machine, MatrixShape, PackedMatrix, Real, Team};
use std::sync::Mutex;

/// The machines of a block of tokens.
pub(super) struct Block<T: Real> {
    pub logits: Machine<T>,
    pub exponentials: Machine<T>,
    pub dh: Machine<T>,
}

/// What a thread needs to take a part through.
pub(super) struct Machines<T: Real> {
    pub blocks: Vec<Block<T>>,
    /// [dW db] from as many blocks: of the first chunk, and of those after it.
    pub dw: Vec<[Machine<T>; 2]>,
    /// [h 1] exp(mₚ − m) / sum, [tokens, stride], and the same packed, of as many blocks.
    pub scaled: Vec<T>,
    pub rows: Vec<PackedMatrix<T>>,
}

/// One thread of those that take parts through.
pub(super) struct Worker<T: Real> {
    /// The thread by itself.
    pub alone: Team,
    pub machines: Machines<T>,
}

/// Blocks of one width.
pub(super) struct Blocks<T: Real> {
    isa: Isa,
    pub layout: Layout,
    pub units: usize,
    /// Tokens of a block.
    pub width: usize,
    /// [h 1] of each block, which all parts read.
    pub columns: Vec<PackedMatrix<T>>,
    pub workers: Vec<Mutex<Worker<T>>>,
}

impl<T: Real> Blocks<T> {
    pub fn new(isa: Isa, layout: Layout, units: usize, width: usize, blocks: usize) -> Result<Blocks<T>, EngineError> {
        let mut blocks = Blocks {
            isa,
            layout,
            units,
            width,
            columns: (0..blocks).map(|_| pack(isa, &columns(units, width))).collect::<Result<_, _>>()?,
            workers: vec![],
        };
        blocks.prepare(1)?;
        Ok(blocks)
    }

    /// Sees to it that there are so many workers.
    pub fn prepare(&mut self, threads: usize) -> Result<(), EngineError> {
        while self.workers.len() < threads {
            let alone = Team::new(1).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
            self.workers.push(Mutex::new(Worker { alone, machines: self.machines()? }));
        }
        Ok(())
    }

    fn machines(&self) -> Result<Machines<T>, EngineError> {
        let Blocks { isa, layout, units, width, .. } = *self;
        let blocks = self.columns.len();
        let machine = |code, shapes| Machine::new(isa, code, layout.len, 0, shapes).map_err(kernel);
        let words = |offset, stride| Place { offset, rows: Rows::Token, stride };
        let (weights, gradients) = (words(layout.weights, layout.stride), words(layout.gradients, layout.stride));
        let logits = |block: usize| words(layout.logits[block], width);
        let (largest, sum) = (layout.largest, layout.sum);
        let block = |b: usize| {
            let z = product(vec![weights], Member { init: None, out: logits(b) }, width);
            let e = Phase::Exponentials { value: logits(b), units: width, largest, sum };
            let left = OuterRow { left: weights, rows: units, out: layout.dh, stride: width };
            let dh = Phase::Outer { right: logits(b), columns: width, lefts: vec![left] };
            Ok(Block {
                logits: machine(vec![z], vec![columns(units, width)])?,
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
            blocks: (0..blocks).map(block).collect::<Result<_, EngineError>>()?,
            dw: (1..=blocks).map(dw).collect::<Result<_, EngineError>>()?,
            scaled: vec![T::ZERO; blocks * width * layout.stride],
            rows: (1..=blocks).map(|count| pack(isa, &rows(count))).collect::<Result<_, _>>()?,
        })
    }
}

/// Numbers of a worker's memory.
pub(super) fn numbers_of_a_worker(layout: &Layout) -> usize {
    let packed = BLOCKS * (BLOCKS + 1) / 2;
    (BLOCKS + packed) * BLOCK * layout.stride
}

/// Packed columns of a block.
fn columns(units: usize, width: usize) -> MatrixShape {
    MatrixShape { members: 1, units: width, segments: vec![units + 1] }
}

fn pack<T: Real>(isa: Isa, shape: &MatrixShape) -> Result<PackedMatrix<T>, EngineError> {
    PackedMatrix::zero(isa, shape).map_err(kernel)
}

/// One product over all words of a part.
fn product(segments: Vec<Place>, member: Member, units: usize) -> Phase {
    let products = vec![Product { before: None, matrix: 0, segments, members: vec![member] }];
    Phase::Bulk(vec![Stage { products, block: vec![], units, whole_rows: false }])
}
