//! What a stage comes to at one step, kept for the next: calls of kernels, with places that lack only their rows.
//!
//! A step of one sequence and few units takes some hundred nanoseconds, of which finding every place anew would take a
//! third. What is kept is a stage of one tile with fewer rows than [`AHEAD`], weights in full precision, products of one
//! matrix, and no attention;
//! any other is found anew at each step, and has work enough to hide that.

use super::compile::{Call, InstrCode, ProductCode, Source, Spot, StageCode, kind};
use super::multiply::blocks;
use super::tile::{Run, Units, Workspace};
use crate::code::LANES;
use crate::kernels::{AHEAD, Cut, Input, Kernels, Product, Segment, Strip};
use crate::pack::{PackedMatrix, Storage};
use crate::real::Real;
use std::ops::Range;

/// Bytes of a matrix that stay in a first cache of 32 KiB from step to step.
const FIRST_CACHE: usize = 24 << 10;

/// Bytes of a call's weights that are still there when the next step begins with them.
const LAST_CALL: usize = 16 << 10;

/// A stage, kept.
pub(super) struct Kept<T: 'static> {
    /// The rows and units that it was kept for; no rows: nothing was kept yet.
    rows: usize,
    units: (usize, usize),
    /// Whether those can be kept.
    can_be: bool,
    /// Calls of a product go from last to first, at every second step.
    backwards: bool,
    operands: Vec<(Spot, Rows)>,
    strips: Vec<KeptStrip>,
    calls: Vec<KeptCall<T>>,
    products: Vec<KeptProduct>,
    instrs: Vec<KeptInstr>,
}

/// From one row to the next, and how wide an operand is.
#[derive(Clone, Copy)]
struct Rows {
    distance: usize,
    k: usize,
}

struct KeptStrip {
    /// Its first packed weight.
    b: usize,
    init: Option<Spot>,
    init_row: usize,
    out: Spot,
    out_row: usize,
    lanes: usize,
}

struct KeptCall<T: 'static> {
    kernel: Product<T>,
    strips: Range<usize>,
    cut: Cut<T>,
}

struct KeptProduct {
    matrix: usize,
    operands: Range<usize>,
    strips: Range<usize>,
    calls: Range<usize>,
}

struct KeptInstr {
    /// Rows and units of the call: rows without a gap between them are one.
    rows: usize,
    units: usize,
    /// Where arguments lie, and from one row to the next; those that are one number for all have no place.
    inputs: [(Option<Spot>, usize); 3],
    out: Spot,
    out_row: usize,
}

/// The first element of each kind's memory, and the row of each kind.
struct At<'a, T> {
    bases: [*mut T; kind::ALL],
    rows: &'a [usize; kind::ALL],
}

impl<T> At<'_, T> {
    #[inline(always)]
    fn of(&self, spot: &Spot) -> *mut T {
        self.bases[spot.kind].wrapping_add(spot.offset + self.rows[spot.kind] * spot.stride)
    }
}

impl<T: Real> Kept<T> {
    /// Nothing yet, with room for all that `stage` may come to.
    pub(super) fn new(stage: &StageCode<T>) -> Kept<T> {
        let operands = stage.products.iter().map(|p| p.segments.len()).sum();
        let strips = stage.products.iter().map(|p| p.members.len() * (p.units.div_ceil(LANES) + 1)).sum();
        Kept {
            rows: 0,
            units: (0, 0),
            can_be: false,
            backwards: false,
            operands: Vec::with_capacity(operands),
            strips: Vec::with_capacity(strips),
            calls: Vec::with_capacity(strips * (AHEAD - 1)),
            products: Vec::with_capacity(stage.products.len()),
            instrs: Vec::with_capacity(stage.block.len()),
        }
    }

    fn keep(&mut self, run: &Run<'_, T>, stage: &StageCode<T>, rows: usize, units: (usize, usize)) {
        (self.rows, self.units) = (rows, units);
        self.operands.clear();
        self.strips.clear();
        self.calls.clear();
        self.products.clear();
        self.instrs.clear();
        let shape = stage.tile(rows, units.1 - units.0);
        let one = rows <= shape.rows && units.1 - units.0 <= shape.units;
        self.can_be = one && stage.block.iter().all(|instr| instr.attention().is_none());
        self.can_be &= stage.products.iter().all(|product| product.before.is_none());
        if self.can_be {
            let tile = Tile { stage, rows, first: units.0, units: units.1 - units.0 };
            stage.products.iter().for_each(|product| self.keep_product(run, &tile, product));
            self.instrs.extend(stage.block.iter().map(|instr| tile.instr(instr)));
        }
    }

    fn keep_product(&mut self, run: &Run<'_, T>, tile: &Tile<'_, T>, product: &ProductCode) {
        let before = (self.operands.len(), self.strips.len(), self.calls.len());
        let operand = |(spot, k): &(Spot, usize)| {
            let (spot, distance) = tile.place(spot, 0);
            (spot, Rows { distance, k: *k })
        };
        self.operands.extend(product.segments.iter().map(operand));
        let packed = &run.matrices[product.matrix];
        let units = Units::of(product, tile.stage.whole_rows, (tile.first, tile.units));
        let members = product.members.len();
        for block in units.first / LANES..units.end.div_ceil(LANES) {
            let unit = block * LANES;
            for (member, (init, out)) in product.members.iter().enumerate() {
                let (init, init_row) = init.map_or((None, 0), |spot| {
                    let (spot, row) = tile.place(&spot, unit);
                    (Some(spot), row)
                });
                let (out, out_row) = tile.place(out, unit);
                let b = packed.strip(block * members + member).0;
                self.strips.push(KeptStrip { b, init, init_row, out, out_row, lanes: LANES.min(units.end - unit) });
            }
        }
        let kernels = run.kernels;
        let strips = self.strips.len() - before.1;
        let spread = spread::<T>(kernels, packed, strips);
        blocks(packed, (kernels.rows, &spread), (units.strip, strips), tile.rows, |block| {
            let kernel = (kernels.product)(block.rows, block.panels, block.in_panel);
            self.calls.push(KeptCall { kernel, strips: block.strips, cut: Cut::new(block.width, block.row) });
        });
        self.products.push(KeptProduct {
            matrix: product.matrix,
            operands: before.0..self.operands.len(),
            strips: before.1..self.strips.len(),
            calls: before.2..self.calls.len(),
        });
    }
}

/// The one tile of a stage.
struct Tile<'a, T: 'static> {
    stage: &'a StageCode<T>,
    rows: usize,
    first: usize,
    units: usize,
}

impl<T> Tile<'_, T> {
    /// As a frame's places, short of the row: where `unit` of row 0 is from the first element of the kind's memory.
    fn place(&self, spot: &Spot, unit: usize) -> (Spot, usize) {
        let Spot { kind, offset, stride } = *spot;
        match kind {
            kind::SCRATCH => {
                (Spot { kind, offset: offset * self.stage.slot() + unit - self.first, stride: 0 }, self.units)
            }
            kind::FIXED => (Spot { kind, offset: offset + unit, stride: 0 }, 0),
            _ => (Spot { kind, offset: offset + unit, stride }, stride),
        }
    }

    fn instr(&self, instr: &InstrCode<T>) -> KeptInstr {
        let units = if self.stage.whole_rows { instr.units } else { self.units };
        let (out, out_row) = self.place(&instr.out, self.first);
        let mut gapless = out_row == units && matches!(instr.call, Call::Map(_));
        let inputs = [0, 1, 2].map(|i| match &instr.inputs[i] {
            Source::Spot(spot) => {
                let (spot, row) = self.place(spot, self.first);
                gapless &= row == units;
                (Some(spot), row)
            }
            Source::PerRow(spot) => {
                let (spot, row) = self.place(spot, if spot.kind == kind::SCRATCH { self.first } else { 0 });
                gapless &= row == 0;
                (Some(spot), row)
            }
            Source::Splat(_) => (None, 0),
        });
        let (rows, units) = if gapless { (1, self.rows * units) } else { (self.rows, units) };
        KeptInstr { rows, units, inputs, out, out_row }
    }
}

impl<T: Real> Run<'_, T> {
    /// Runs a stage as it was kept, or keeps it and runs it; whether it could.
    ///
    /// Safety: as [`Run::stage`]; all matrices are in full precision.
    pub(super) unsafe fn again(
        &self,
        stage: &StageCode<T>,
        workspace: &mut Workspace<T>,
        at: &[usize; kind::ALL],
        rows: usize,
        units: (usize, usize),
    ) -> bool {
        let Workspace { kept, segments, strips, scratch, .. } = workspace;
        let Some(kept) = kept.get_mut(stage.number) else { return false };
        if kept.rows != rows || kept.units != units {
            kept.keep(self, stage, rows, units);
        }
        if !kept.can_be {
            return false;
        }
        let mut bases = [self.memory; kind::ALL];
        bases[kind::FIXED] = self.constants.cast_mut();
        bases[kind::SCRATCH] = scratch.as_mut_ptr();
        let at = At { bases, rows: at };
        kept.backwards = !kept.backwards;
        for product in &kept.products {
            // Safety: the caller's promise.
            unsafe { kept.product(product, &at, &self.matrices[product.matrix], segments, strips) };
        }
        for (code, instr) in stage.block.iter().zip(&kept.instrs) {
            // Safety: the caller's promise.
            unsafe { instr.apply(code, &at) };
        }
        true
    }
}

impl<T: Real> Kept<T> {
    /// Safety: as [`Run::again`].
    #[inline(always)]
    unsafe fn product(
        &self,
        product: &KeptProduct,
        at: &At<'_, T>,
        packed: &PackedMatrix<T>,
        segments: &mut Vec<Segment<T>>,
        strips: &mut Vec<Strip<T>>,
    ) {
        let Storage::Full(data) = packed.data() else { return };
        let data = data.as_ptr();
        segments.clear();
        for (spot, rows) in &self.operands[product.operands.clone()] {
            segments.push(Segment { a: at.of(spot), row: rows.distance, k: rows.k });
        }
        strips.clear();
        strips.extend(self.strips[product.strips.clone()].iter().map(|strip| Strip {
            b: data.wrapping_add(strip.b),
            then: std::ptr::null(),
            init: strip.init.as_ref().map_or(std::ptr::null(), |init| at.of(init).cast_const()),
            init_row: strip.init_row,
            out: at.of(&strip.out),
            out_row: strip.out_row,
            lanes: strip.lanes,
        }));
        // Safety: the caller's promise: the strips are those of the tile.
        let call = |call: &KeptCall<T>| unsafe { (call.kernel)(segments, &strips[call.strips.clone()], &call.cut) };
        let calls = self.calls[product.calls.clone()].iter();
        // What the step before read last is still in a near cache.
        if self.backwards { calls.rev().for_each(call) } else { calls.for_each(call) }
    }
}

/// Panels at once for 1, 2 and 3 rows. Where a matrix is more than a first cache holds, as few as a call's weights stay
/// there, if that leaves chains enough.
fn spread<T: Real>(kernels: &Kernels<T>, packed: &PackedMatrix<T>, strips: usize) -> [usize; 3] {
    let strip = LANES * size_of::<T>() * packed.shape().segments.iter().sum::<usize>();
    let fit = LAST_CALL / (strip * packed.panel()).max(1);
    let least = if packed.panel() == 1 { 2 } else { 1 };
    if strip * strips <= FIRST_CACHE || fit < least {
        return kernels.spread;
    }
    kernels.spread.map(|usual| usual.min(1 << fit.ilog2()))
}

impl KeptInstr {
    /// Safety: as [`Run::again`].
    #[inline(always)]
    unsafe fn apply<T: Real>(&self, code: &InstrCode<T>, at: &At<'_, T>) {
        let mut inputs = [Input { at: std::ptr::null(), row: 0 }; 3];
        for ((input, (spot, row)), source) in inputs.iter_mut().zip(&self.inputs).zip(&code.inputs) {
            *input = match (spot, source) {
                (Some(spot), _) => Input { at: at.of(spot), row: *row },
                (None, Source::Splat(x)) => Input { at: x, row: 0 },
                (None, _) => continue,
            };
        }
        let (rows, units, out) = (self.rows, self.units, at.of(&self.out));
        // Safety: the caller's promise.
        unsafe {
            match &code.call {
                Call::Map(map) => map(rows, units, &inputs, out, self.out_row),
                Call::Reduce(reduce) => reduce(rows, units, inputs[0], out, self.out_row),
                Call::Attend(_) => {}
            }
        }
    }
}
