//! The machines that run over a part, for blocks of tokens of one width.

use super::kernel;
use super::parts::Layout;
use crate::error::EngineError;
use elman_kernel::code::{Member, OuterRow, Phase, Place, Product, Rows, Stage};
use elman_kernel::{Isa, Machine, MatrixShape, PackedMatrix, Real};

/// The machines of a block of tokens.
pub(super) struct Block<T: Real> {
    pub logits: Machine<T>,
    pub exponentials: Machine<T>,
    pub dh: Machine<T>,
}

/// The machines for blocks of one width.
pub(super) struct Machines<T: Real> {
    /// Tokens of a block.
    pub width: usize,
    pub blocks: Vec<Block<T>>,
    /// [dW db] from as many blocks: of the first chunk, and of those after it.
    pub dw: Vec<[Machine<T>; 2]>,
    /// [h 1] of each block.
    pub columns: Vec<PackedMatrix<T>>,
    /// [h 1] exp(mₚ − m) / sum of as many blocks.
    pub rows: Vec<PackedMatrix<T>>,
}

impl<T: Real> Machines<T> {
    pub fn new(
        isa: Isa,
        layout: &Layout,
        units: usize,
        width: usize,
        blocks: usize,
    ) -> Result<Machines<T>, EngineError> {
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
    let products = vec![Product { before: None, matrix: 0, segments, members: vec![member] }];
    Phase::Bulk(vec![Stage { products, block: vec![], units, whole_rows: false }])
}
