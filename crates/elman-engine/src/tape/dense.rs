//! Products with a matrix that many rows share: y = W x + b, and the ways back.
//!
//!   ∂L/∂x = Wᵀ ∂L/∂y      ∂L/∂W = Σ over rows of ∂L/∂y ⊗ x      ∂L/∂b = Σ over rows of ∂L/∂y
//!
//! Rows go through in blocks. Each number is one chain (in the order of the inner index, or of the rows), whatever the
//! block or the threads.

use elman_kernel::code::{Member, OuterRow, Phase, Place, Product, Rows, Split, Stage, Timeline};
use elman_kernel::{Buffer, Isa, Machine, MatrixShape, PackedMatrix, Real, Team, View};

use crate::error::{EngineError, check};

/// Rows of a block.
const BLOCK: usize = 256;

/// A product of a block of rows with a packed matrix.
struct Way<T: Real> {
    machine: Machine<T>,
    memory: Buffer<T>,
    packed: PackedMatrix<T>,
    /// Whether the packing is of the present weights.
    fresh: bool,
    inner: usize,
    units: usize,
    biased: bool,
}

/// The products of one matrix, W [units, inner].
pub(super) struct Dense<T: Real> {
    isa: Isa,
    units: usize,
    inner: usize,
    up: [Option<Way<T>>; 2],
    down: Option<Way<T>>,
    gradient: Option<(Machine<T>, Buffer<T>)>,
}

/// An error of the kernel, which shapes have ruled out.
fn kernel(e: impl std::fmt::Display) -> EngineError {
    EngineError::Unsupported(format!("product: {e}"))
}

fn place(offset: usize, stride: usize) -> Place {
    Place { offset, rows: Rows::Token, stride }
}

impl<T: Real> Way<T> {
    fn new(isa: Isa, inner: usize, units: usize, biased: bool) -> Result<Way<T>, EngineError> {
        let shape = MatrixShape { members: 1, units, segments: vec![inner] };
        let init = biased.then_some(Place { offset: 0, rows: Rows::Fixed, stride: 0 });
        let member = Member { init, out: place(BLOCK * inner, units) };
        let product = Product { before: None, matrix: 0, segments: vec![place(0, inner)], members: vec![member] };
        let stage = Stage { products: vec![product], block: vec![], units, whole_rows: false };
        let (memory, constants) = (BLOCK * (inner + units), if biased { units } else { 0 });
        let machine = Machine::new(isa, vec![Phase::Bulk(vec![stage])], memory, constants, vec![shape.clone()]);
        Ok(Way {
            machine: machine.map_err(kernel)?,
            memory: Buffer::new(memory),
            packed: PackedMatrix::zero(isa, &shape).map_err(kernel)?,
            fresh: false,
            inner,
            units,
            biased,
        })
    }

    fn run(&mut self, x: &[T], view: View<T>, bias: &[T], team: &Team, y: &mut [T]) -> Result<(), EngineError> {
        if !self.fresh {
            self.packed.repack(&[view]).map_err(kernel)?;
            self.fresh = true;
        }
        let bias = if self.biased { bias } else { &[] };
        for (x, y) in x.chunks(BLOCK * self.inner).zip(y.chunks_mut(BLOCK * self.units)) {
            self.memory[..x.len()].copy_from_slice(x);
            let timeline = Timeline::equal(1, x.len() / self.inner);
            let packed = std::slice::from_ref(&self.packed);
            self.machine.run(&timeline, bias, packed, &mut self.memory, team, Split::Rows).map_err(kernel)?;
            y.copy_from_slice(&self.memory[BLOCK * self.inner..][..y.len()]);
        }
        Ok(())
    }
}

impl<T: Real> Dense<T> {
    /// For W [units, inner].
    pub fn new(isa: Isa, units: usize, inner: usize) -> Dense<T> {
        Dense { isa, units, inner, up: [None, None], down: None, gradient: None }
    }

    /// The weights have changed.
    pub fn forget(&mut self) {
        self.up.iter_mut().flatten().chain(&mut self.down).for_each(|way| way.fresh = false);
    }

    /// y = W x + b for each row of x.
    pub fn forward(&mut self, w: &[T], b: Option<&[T]>, x: &[T], team: &Team) -> Result<Vec<T>, EngineError> {
        let (inner, units) = (self.inner, self.units);
        check("weight", w.len(), units * inner)?;
        let mut y = vec![T::ZERO; x.len() / inner * units];
        let slot = &mut self.up[usize::from(b.is_some())];
        let way = match slot {
            Some(way) => way,
            None => slot.insert(Way::new(self.isa, inner, units, b.is_some())?),
        };
        let view = View { data: w, offset: 0, unit_stride: inner, k_stride: 1 };
        way.run(x, view, b.unwrap_or(&[]), team, &mut y)?;
        Ok(y)
    }

    /// ∂L/∂x from ∂L/∂y.
    pub fn backward(&mut self, w: &[T], dy: &[T], team: &Team) -> Result<Vec<T>, EngineError> {
        let (inner, units) = (self.inner, self.units);
        let mut dx = vec![T::ZERO; dy.len() / units * inner];
        let way = match &mut self.down {
            Some(way) => way,
            none => none.insert(Way::new(self.isa, units, inner, false)?),
        };
        let view = View { data: w, offset: 0, unit_stride: 1, k_stride: inner };
        way.run(dy, view, &[], team, &mut dx)?;
        Ok(dx)
    }

    /// Adds ∂L/∂W to `dw`, and ∂L/∂b to `db`.
    pub fn gradients(
        &mut self,
        x: &[T],
        dy: &[T],
        dw: &mut [T],
        db: Option<&mut [T]>,
        team: &Team,
    ) -> Result<(), EngineError> {
        let (inner, units) = (self.inner, self.units);
        let (at_y, at_w) = (BLOCK * inner, BLOCK * (inner + units));
        let at_b = at_w + units * inner;
        if self.gradient.is_none() {
            let left = OuterRow { left: place(at_y, units), rows: units, out: at_w, stride: inner };
            let outer = Phase::Outer { right: place(0, inner), columns: inner, lefts: vec![left] };
            let total = Phase::Total { value: place(at_y, units), units, out: at_b };
            let len = at_b + units;
            let machine = Machine::new(self.isa, vec![outer, total], len, 0, vec![]).map_err(kernel)?;
            self.gradient = Some((machine, Buffer::new(len)));
        }
        let Some((machine, memory)) = &mut self.gradient else { return Ok(()) };
        memory[at_w..at_b].copy_from_slice(dw);
        match &db {
            Some(db) => memory[at_b..].copy_from_slice(db),
            None => memory[at_b..].fill(T::ZERO),
        }
        for (x, dy) in x.chunks(BLOCK * inner).zip(dy.chunks(BLOCK * units)) {
            memory[..x.len()].copy_from_slice(x);
            memory[at_y..at_y + dy.len()].copy_from_slice(dy);
            let timeline = Timeline::equal(1, x.len() / inner);
            machine.run(&timeline, &[], &[], memory, team, Split::Rows).map_err(kernel)?;
        }
        dw.copy_from_slice(&memory[at_w..at_b]);
        if let Some(db) = db {
            db.copy_from_slice(&memory[at_b..]);
        }
        Ok(())
    }
}
