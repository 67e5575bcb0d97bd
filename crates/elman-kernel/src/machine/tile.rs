//! One tile of a stage: the products of its rows and units, then the block on them while they are hot.

use super::compile::{Call, InstrCode, ProductCode, Source, Spot, StageCode, kind};
use crate::code::LANES;
use crate::kernels::{AHEAD, Input, Kernels, Segment, Strip};
use crate::pack::PackedMatrix;
use crate::real::Real;

/// Numbers in a scratch slot: a few slots and the data beside them stay in a first cache of 32 KiB.
const SLOT: usize = 1152;

/// Most rows of a tile: six blocks of six.
const ROWS: usize = 36;

/// Most rows of a tile of products alone, whose operands stay in the second cache.
const PRODUCT_ROWS: usize = 96;

/// Memory of one thread.
pub(super) struct Workspace<T> {
    /// Slots, then packed operands of gradients.
    pub scratch: crate::Buffer<T>,
    pub segments: Vec<Segment<T>>,
    pub strips: Vec<Strip<T>>,
}

// Safety: the pointers are overwritten before each use, and mean nothing between two runs.
unsafe impl<T: Send> Send for Workspace<T> {}
// Safety: as above.
unsafe impl<T: Sync> Sync for Workspace<T> {}

/// What is the same for all tiles of a run.
pub(super) struct Run<'a, T: 'static> {
    pub kernels: &'static Kernels<T>,
    pub matrices: &'a [PackedMatrix<T>],
    pub memory: *mut T,
    pub constants: *const T,
}

// Safety: threads write disjoint elements of the memory, and read what no other writes before the next barrier: `check`.
unsafe impl<T: Sync> Sync for Run<'_, T> {}

/// Rows and units of a tile, and where their places begin.
#[derive(Clone, Copy)]
pub(super) struct Frame<T> {
    memory: *mut T,
    constants: *const T,
    scratch: *mut T,
    /// Numbers in a scratch slot.
    slot: usize,
    /// From one row of a slot to the next.
    slot_row: usize,
    /// The row of each kind where the tile begins.
    row: [usize; kind::ALL],
    rows: usize,
    unit: usize,
    units: usize,
    /// Rows are of many tokens, and nothing but products is done with them.
    far: bool,
}

/// Largest numbers of rows and units of a stage's tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub rows: usize,
    pub units: usize,
}

impl<T> StageCode<T> {
    /// The shape of tiles for `rows` rows and `units` units.
    pub(super) fn tile(&self, rows: usize, units: usize) -> Shape {
        let (most_rows, room) = if self.products_only() { (PRODUCT_ROWS, usize::MAX) } else { (ROWS, SLOT) };
        let even = |most: usize| rows.div_ceil(rows.div_ceil(most.max(1)).max(1));
        if self.whole_rows {
            return Shape { rows: even(most_rows.min(room / self.units)), units: self.units };
        }
        let wanted = (room / rows.clamp(1, most_rows) / self.align * self.align).max(self.align).min(units);
        Shape { rows: even(most_rows.min(room / wanted)), units: wanted }
    }

    fn products_only(&self) -> bool {
        self.block.is_empty() && self.slots == 0
    }

    /// Numbers that a scratch slot must hold.
    pub(super) fn slot(&self) -> usize {
        if self.slots == 0 { 0 } else { SLOT.max(self.units).next_multiple_of(LANES) }
    }
}

impl<T: Real> Run<'_, T> {
    /// Runs a stage over `rows` rows and the units `first_unit .. end_unit`, tile by tile. `at` has the first row of each
    /// kind.
    ///
    /// Safety: the code was checked for this timeline; no other thread uses these rows and units before a barrier.
    pub(super) unsafe fn stage(
        &self,
        stage: &StageCode<T>,
        workspace: &mut Workspace<T>,
        at: &[usize; kind::ALL],
        rows: usize,
        (first_unit, end_unit): (usize, usize),
    ) {
        let shape = stage.tile(rows, end_unit - first_unit);
        let mut frame = Frame {
            memory: self.memory,
            constants: self.constants,
            scratch: workspace.scratch.as_mut_ptr(),
            slot: stage.slot(),
            slot_row: 0,
            row: *at,
            rows: 0,
            unit: 0,
            units: 0,
            far: stage.products_only() && rows > shape.rows,
        };
        let mut done = 0;
        while done < rows {
            frame.rows = shape.rows.min(rows - done);
            frame.unit = first_unit;
            while frame.unit < end_unit {
                frame.units = shape.units.min(end_unit - frame.unit);
                frame.slot_row = frame.units;
                // Safety: the caller's promise, for a part of the rows and units.
                unsafe { self.tile(stage, workspace, &frame) };
                frame.unit += frame.units;
            }
            for row in &mut frame.row[kind::BATCH..kind::SCRATCH] {
                *row += frame.rows;
            }
            done += frame.rows;
        }
    }

    /// Safety: as [`Run::stage`].
    unsafe fn tile(&self, stage: &StageCode<T>, workspace: &mut Workspace<T>, frame: &Frame<T>) {
        for product in &stage.products {
            // Safety: the caller's promise.
            unsafe { self.product(product, workspace, frame, stage.whole_rows) };
        }
        for instr in &stage.block {
            // Safety: the caller's promise.
            unsafe { frame.apply(instr, stage.whole_rows) };
        }
    }

    /// Safety: as [`Run::stage`].
    unsafe fn product(&self, product: &ProductCode, workspace: &mut Workspace<T>, frame: &Frame<T>, whole_rows: bool) {
        let packed = &self.matrices[product.matrix];
        let Workspace { segments, strips, .. } = workspace;
        segments.clear();
        for (spot, k) in &product.segments {
            let (a, row) = frame.place(spot, 0);
            segments.push(Segment { a, row, k: *k });
        }
        let (first, end) = if whole_rows { (0, product.units) } else { (frame.unit, frame.unit + frame.units) };
        let members = product.members.len();
        strips.clear();
        for block in first / LANES..end.div_ceil(LANES) {
            let unit = block * LANES;
            for (m, (init, out)) in product.members.iter().enumerate() {
                let (b, _) = packed.strip(block * members + m);
                let (init, init_row) = init.map_or((std::ptr::null_mut(), 0), |init| frame.place(&init, unit));
                let (out, out_row) = frame.place(out, unit);
                let b = packed.data().as_ptr().wrapping_add(b);
                strips.push(Strip { b, init, init_row, out, out_row, lanes: LANES.min(end - unit) });
            }
        }
        // Safety: the strips are those of the tile, and checked as the caller promises.
        unsafe { self.multiply(packed, segments, strips, first / LANES * members, frame.rows, frame.far) };
    }

    /// Products of `rows` rows with strips, the first of which is number `first` of the matrix. `far`: what they read was
    /// not used of late, and is asked for one block of rows ahead.
    ///
    /// Safety: as [`crate::kernels::Product`], for all rows.
    unsafe fn multiply(
        &self,
        packed: &PackedMatrix<T>,
        segments: &[Segment<T>],
        strips: &[Strip<T>],
        first: usize,
        rows: usize,
        far: bool,
    ) {
        let kernels = self.kernels;
        let blocks = rows.div_ceil(kernels.rows);
        let spread = if blocks == 1 { kernels.spread.get(rows - 1).copied().unwrap_or(1) } else { 1 };
        let mut s = 0;
        while s < strips.len() {
            let (_, width) = packed.strip(first + s);
            let left = strips.len() - s;
            let panel = packed.panel();
            let in_panel = (width / LANES - ((first + s) & (panel - 1))).min(left);
            let panels = match spread {
                _ if in_panel < panel || left < 2 * panel => 1,
                spread if left >= spread * panel => spread,
                _ => spread.min(2),
            };
            let taken = panels * in_panel;
            let mut row = 0;
            for block in 0..blocks {
                let n = (rows - row).div_ceil(blocks - block);
                if n >= AHEAD {
                    let (next, first) = if block + 1 < blocks { (s, row + n) } else { (s + taken, 0) };
                    fetch(&strips[next..strips.len().min(next + taken)], first..rows.min(first + n), far);
                }
                // Safety: the caller's promise, for rows row .. row + n and these strips.
                unsafe { (kernels.product)(n, panels, in_panel)(segments, &strips[s..s + taken], width, row) };
                row += n;
            }
            s += taken;
        }
    }
}

/// Asks for what the results of some rows start from, and, `far`, for the results.
fn fetch<T>(strips: &[Strip<T>], rows: std::ops::Range<usize>, far: bool) {
    for strip in strips {
        if strip.init_row != 0 {
            rows.clone().for_each(|row| prefetch(strip.init.wrapping_add(row * strip.init_row)));
        } else if far {
            rows.clone().for_each(|row| prefetch(strip.out.wrapping_add(row * strip.out_row).cast_const()));
        }
    }
}

/// Asks for a cache line.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // Safety: a prefetch touches no memory, whatever its address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

impl<T: Real> Frame<T> {
    /// The tile's first row of a place, at `unit` of the whole row, and the distance of rows. In scratch, rows begin at
    /// the tile's first unit.
    #[inline(always)]
    fn place(&self, spot: &Spot, unit: usize) -> (*mut T, usize) {
        match spot.kind {
            kind::SCRATCH => (self.scratch.wrapping_add(spot.offset * self.slot + unit - self.unit), self.slot_row),
            kind::FIXED => (self.constants.cast_mut().wrapping_add(spot.offset + unit), 0),
            kind => (self.memory.wrapping_add(spot.offset + self.row[kind] * spot.stride + unit), spot.stride),
        }
    }

    /// Safety: as [`Run::stage`].
    #[inline(always)]
    unsafe fn apply(&self, instr: &InstrCode<T>, whole_rows: bool) {
        let units = if whole_rows { instr.units } else { self.units };
        let (out, out_row) = self.place(&instr.out, self.unit);
        let mut inputs = [Input { at: std::ptr::null(), row: 0 }; 3];
        // Rows that follow each other without a gap are one long row.
        let mut gapless = out_row == units;
        for (input, source) in inputs.iter_mut().zip(&instr.inputs) {
            match source {
                Source::Spot(spot) => {
                    let (at, row) = self.place(spot, self.unit);
                    *input = Input { at, row };
                    gapless &= row == units;
                }
                Source::PerRow(spot) => {
                    let (at, row) = self.place(spot, if spot.kind == kind::SCRATCH { self.unit } else { 0 });
                    *input = Input { at, row };
                    gapless &= row == 0;
                }
                Source::Splat(x) => *input = Input { at: x, row: 0 },
            }
        }
        // Safety: the caller's promise.
        unsafe {
            match instr.call {
                Call::Map(map) if gapless => map(1, self.rows * units, &inputs, out, out_row),
                Call::Map(map) => map(self.rows, units, &inputs, out, out_row),
                Call::Reduce(reduce) => reduce(self.rows, units, inputs[0], out, out_row),
            }
        }
    }
}
