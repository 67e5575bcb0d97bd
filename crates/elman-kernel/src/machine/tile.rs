//! One tile of a stage: the products of its rows and units, then the block on them while they are hot.

use super::compile::{AttendCode, Call, InstrCode, ProductCode, Source, Spot, StageCode, kind};
use super::kept::Kept;
use super::multiply::{SECOND_CACHE, multiply};
use super::operands::Converted;
use crate::code::LANES;
use crate::kernels::{AHEAD, Input, Kernels, Narrow, Segment, Strip};
use crate::narrow::Precision;
use crate::pack::{PackedMatrix, Storage};
use crate::real::Real;

/// Numbers in a scratch slot: a few slots and the data beside them stay in a first cache of 32 KiB.
const SLOT: usize = 1152;

/// Most rows of a tile: twelve blocks of six.
const ROWS: usize = 72;

/// Most rows of a tile of products alone, whose operands stay in the second cache.
const PRODUCT_ROWS: usize = 96;

/// Memory of one thread.
pub(super) struct Workspace<T: 'static> {
    pub scratch: Scratch<T>,
    pub segments: Vec<Segment<T>>,
    pub strips: Vec<Strip<T>>,
    pub converted: Converted,
    /// Shares of attentions.
    pub room: crate::Buffer<T>,
    /// Strips of narrow weights.
    pub narrow_strips: Vec<Strip<T, u32>>,
    /// Each stage as it was at the step before.
    pub kept: Vec<Kept<T>>,
}

// Safety: pointers into the caller's memory are overwritten before each use, and mean nothing between two runs; the others
// lead into the workspace's own.
unsafe impl<T: Send> Send for Workspace<T> {}
// Safety: as above.
unsafe impl<T: Sync> Sync for Workspace<T> {}

/// Slots, or packed operands of gradients.
pub(super) struct Scratch<T> {
    /// Taken once, so that pointers that are kept lead there in later runs.
    pub first: *mut T,
    _memory: crate::Buffer<T>,
}

impl<T: Real> Scratch<T> {
    pub(super) fn new(len: usize) -> Scratch<T> {
        let mut memory = crate::Buffer::new(len);
        Scratch { first: memory.as_mut_ptr(), _memory: memory }
    }
}

/// What is the same for all tiles of a run.
pub(super) struct Run<'a, T: 'static> {
    /// Which of the machine's runs, from 1 on.
    pub number: usize,
    pub kernels: &'static Kernels<T>,
    /// Those of bf16 and of int8.
    pub narrow: [Option<&'static Narrow<T>>; 2],
    pub matrices: &'a [PackedMatrix<T>],
    /// All matrices are in full precision.
    pub full: bool,
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
    /// Shares of attentions.
    room: *mut T,
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
        let most_rows = self.most_rows();
        let room = if self.products_only() { usize::MAX } else { self.room(rows) };
        let even = |most: usize| rows.div_ceil(rows.div_ceil(most.max(1)).max(1));
        if self.whole_rows {
            return Shape { rows: even(most_rows.min(room / self.units)), units: self.units };
        }
        let wanted = (room / rows.clamp(1, most_rows) / self.align * self.align).max(self.align).min(units);
        Shape { rows: even(most_rows.min(room / wanted)), units: wanted }
    }

    /// Rows that a tile has at most.
    pub(super) fn most_rows(&self) -> usize {
        if self.products_only() { PRODUCT_ROWS } else { ROWS }
    }

    /// Numbers of a tile of `rows` rows. Where weights come from beyond the second cache, all rows that a tile may have go
    /// at once through each panel.
    fn room(&self, rows: usize) -> usize {
        if self.weights * size_of::<T>() > SECOND_CACHE { SLOT.max(rows.min(ROWS) * self.align) } else { SLOT }
    }

    fn products_only(&self) -> bool {
        self.block.is_empty() && self.slots == 0
    }

    /// Numbers that a scratch slot must hold.
    pub(super) fn slot(&self) -> usize {
        if self.slots == 0 { 0 } else { self.room(ROWS).max(self.units).next_multiple_of(LANES) }
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
        // Safety: the caller's promise.
        if rows < AHEAD && self.full && unsafe { self.again(stage, workspace, at, rows, (first_unit, end_unit)) } {
            return;
        }
        let shape = stage.tile(rows, end_unit - first_unit);
        let mut frame = Frame {
            memory: self.memory,
            constants: self.constants,
            scratch: workspace.scratch.first,
            slot: stage.slot(),
            slot_row: 0,
            row: *at,
            rows: 0,
            unit: 0,
            units: 0,
            far: stage.products_only() && rows > shape.rows,
            room: workspace.room.as_mut_ptr(),
        };
        let mut done = 0;
        while done < rows {
            frame.rows = shape.rows.min(rows - done);
            frame.unit = first_unit;
            workspace.converted.clear();
            if !stage.whole_rows {
                // Nothing in the stage writes them: all units read the same converted rows.
                // Safety: the caller's promise.
                stage.products.iter().for_each(|product| unsafe { self.convert(product, workspace, &frame) });
            }
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
        let mut taken = 0;
        for product in &stage.products {
            if stage.whole_rows {
                // Safety: the caller's promise.
                unsafe { self.convert(product, workspace, frame) };
            }
            // Safety: the caller's promise.
            taken += unsafe { self.product(product, workspace, frame, stage.whole_rows, taken) };
        }
        for instr in &stage.block {
            // Safety: the caller's promise.
            unsafe { frame.apply(self.kernels, instr, stage.whole_rows) };
        }
    }

    /// Converts the rows of a product's operands, where its weights are narrow.
    ///
    /// Safety: as [`Run::stage`].
    unsafe fn convert(&self, product: &ProductCode, workspace: &mut Workspace<T>, frame: &Frame<T>) {
        let precision = self.matrices[product.matrix].precision();
        let Some(narrow) = self.narrow(precision) else { return };
        for (spot, k) in &product.segments {
            let (a, row) = frame.place(spot, 0);
            // Safety: the caller's promise, for the operand's rows.
            unsafe { workspace.converted.push(narrow, precision, Segment { a, row, k: *k }, frame.rows) };
        }
    }

    /// A product; how many converted operands it took, of which `taken` were taken before.
    ///
    /// Safety: as [`Run::stage`].
    unsafe fn product(
        &self,
        product: &ProductCode,
        workspace: &mut Workspace<T>,
        frame: &Frame<T>,
        whole_rows: bool,
        taken: usize,
    ) -> usize {
        let packed = &self.matrices[product.matrix];
        let units = Units::of(product, whole_rows, (frame.unit, frame.units));
        match packed.data() {
            Storage::Full(data) => {
                let Workspace { segments, strips, .. } = workspace;
                segments.clear();
                for (spot, k) in &product.segments {
                    let (a, row) = frame.place(spot, 0);
                    segments.push(Segment { a, row, k: *k });
                }
                let Kernels { rows, spread, product: whole, half, .. } = self.kernels;
                frame.strips(product, packed, data.as_ptr(), &units, strips);
                let turn = self.precede(product, full, units.strip, strips);
                // Safety: the strips are those of the tile, and checked as the caller promises.
                unsafe {
                    multiply(
                        packed,
                        (*rows, spread),
                        (*whole, *half),
                        (segments, turn),
                        strips,
                        units.strip,
                        (frame.rows, frame.far),
                    )
                };
                0
            }
            Storage::Narrow(data) => {
                let Some(narrow) = self.narrow(packed.precision()) else { return 0 };
                let Workspace { converted, narrow_strips, .. } = workspace;
                let segments = &converted.segments()[taken..taken + product.segments.len()];
                frame.strips(product, packed, data.as_ptr(), &units, narrow_strips);
                let turn = self.precede(product, few, units.strip, narrow_strips);
                let blocking = (narrow.rows, &narrow.spread);
                // Safety: as above; the operands' rows are converted.
                unsafe {
                    multiply(
                        packed,
                        blocking,
                        (narrow.product, narrow.product),
                        (segments, turn),
                        narrow_strips,
                        units.strip,
                        (frame.rows, frame.far),
                    )
                };
                segments.len()
            }
        }
    }

    /// Puts a product's first matrix, if it has two, before the one that its strips have, of which the first is number
    /// `first`; how many segments are that one's.
    fn precede<B>(
        &self,
        product: &ProductCode,
        data: impl Fn(&PackedMatrix<T>) -> Option<*const B>,
        first: usize,
        strips: &mut [Strip<T, B>],
    ) -> usize {
        let Some((matrix, segments)) = product.before else { return usize::MAX };
        let packed = &self.matrices[matrix];
        // `Machine::run` took matrices of one precision only.
        let Some(data) = data(packed) else { return usize::MAX };
        for (n, strip) in strips.iter_mut().enumerate() {
            strip.then = strip.b;
            strip.b = data.wrapping_add(packed.strip(first + n).0);
        }
        segments
    }

    /// The kernels of a precision; `None` for the full one.
    fn narrow(&self, precision: Precision) -> Option<&'static Narrow<T>> {
        match precision {
            Precision::Full => None,
            Precision::Bf16 => self.narrow[0],
            Precision::Int8 => self.narrow[1],
        }
    }
}

/// Packed weights in full precision.
fn full<T: Real>(packed: &PackedMatrix<T>) -> Option<*const T> {
    match packed.data() {
        Storage::Full(data) => Some(data.as_ptr()),
        Storage::Narrow(_) => None,
    }
}

/// Packed weights of few bits.
fn few<T: Real>(packed: &PackedMatrix<T>) -> Option<*const u32> {
    match packed.data() {
        Storage::Full(_) => None,
        Storage::Narrow(data) => Some(data.as_ptr()),
    }
}

/// The units of a product in a tile, and the number of their first strip.
pub(super) struct Units {
    pub first: usize,
    pub end: usize,
    pub strip: usize,
}

impl Units {
    /// Those of a tile of `units` units from `first` on.
    pub(super) fn of(product: &ProductCode, whole_rows: bool, (first, units): (usize, usize)) -> Units {
        let (first, end) = if whole_rows { (0, product.units) } else { (first, first + units) };
        Units { first, end, strip: first / LANES * product.members.len() }
    }
}

impl<T: Real> Frame<T> {
    /// The strips of a product's units, of weights that begin at `data`.
    fn strips<B>(
        &self,
        product: &ProductCode,
        packed: &PackedMatrix<T>,
        data: *const B,
        units: &Units,
        strips: &mut Vec<Strip<T, B>>,
    ) {
        let members = product.members.len();
        strips.clear();
        let (first, end) = (units.first / LANES, units.end.div_ceil(LANES));
        for (init, out) in &product.members {
            let unit = first * LANES;
            let (init, init_row) = init.map_or((std::ptr::null_mut(), 0), |init| self.place(&init, unit));
            let (out, out_row) = self.place(out, unit);
            strips.push(Strip { b: data, then: std::ptr::null(), init, init_row, out, out_row, lanes: LANES });
        }
        // Each block's places follow those of the block before.
        for n in members..(end - first) * members {
            let Strip { init, out, .. } = strips[n - members];
            let init = if init.is_null() { init } else { init.wrapping_add(LANES) };
            strips.push(Strip { init, out: out.wrapping_add(LANES), ..strips[n - members] });
        }
        for (n, strip) in strips.iter_mut().enumerate() {
            strip.b = data.wrapping_add(packed.strip(first * members + n).0);
        }
        let last = strips.len() - members;
        strips[last..].iter_mut().for_each(|strip| strip.lanes = units.end - (end - 1) * LANES);
    }

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
    unsafe fn apply(&self, kernels: &Kernels<T>, instr: &InstrCode<T>, whole_rows: bool) {
        if let Call::Attend(code) = &instr.call {
            // Safety: the caller's promise.
            return unsafe { self.attend(kernels, code, &instr.out) };
        }
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
                Call::Attend(_) => {}
            }
        }
    }

    /// Safety: as [`Run::stage`].
    unsafe fn attend(&self, kernels: &Kernels<T>, code: &AttendCode, out: &Spot) {
        let at = |spot: &Spot, row: usize| {
            let (first, distance) = self.place(spot, self.unit);
            first.wrapping_add(row * distance)
        };
        for row in 0..self.rows {
            // Safety: the places are this tile's.
            unsafe {
                let attend = code.row(self.room, |spot| at(spot, row).cast_const());
                match &code.gradient {
                    None => (kernels.attend)(&attend, at(out, row)),
                    Some(gradient) => (kernels.attend_gradient)(&attend, at(gradient, row).cast_const(), at(out, row)),
                }
            }
        }
    }
}
