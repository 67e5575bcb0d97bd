//! What a stage comes to at one step, kept for the next: calls of kernels, and the pointers that they take.
//!
//! A step of one sequence and few units takes some hundred nanoseconds, of which finding every place anew would take a
//! third. What is kept is a stage of one tile with fewer rows than [`AHEAD`], weights in full precision, products of one
//! matrix, and no attention; any other is found anew at each step, and has work enough to hide that. From step to step
//! only those pointers change that follow the rows.

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
    /// The run whose memory all pointers lead into.
    run: usize,
    products: Vec<KeptProduct>,
    calls: Vec<KeptCall<T>>,
    arguments: Arguments<T>,
    /// The first packed weight of each strip.
    weights: Vec<usize>,
    /// Pointers into the constants, which are the same at all steps of a run.
    fixed: Vec<(Pointer, Spot)>,
    /// Those that follow the rows.
    moving: Vec<(Pointer, Spot)>,
}

/// What kernels are called with.
struct Arguments<T> {
    segments: Vec<Segment<T>>,
    strips: Vec<Strip<T>>,
    instrs: Vec<KeptInstr<T>>,
}

/// One of the pointers of [`Arguments`], by the number of what it belongs to.
#[derive(Clone, Copy)]
enum Pointer {
    Segment(usize),
    Init(usize),
    Out(usize),
    Input(usize, usize),
    Result(usize),
}

struct KeptCall<T: 'static> {
    kernel: Product<T>,
    /// Among those of its product.
    strips: Range<usize>,
    cut: Cut<T>,
}

struct KeptProduct {
    matrix: usize,
    segments: Range<usize>,
    strips: Range<usize>,
    calls: Range<usize>,
}

struct KeptInstr<T> {
    /// Rows and units of the call: rows without a gap between them are one.
    rows: usize,
    units: usize,
    inputs: [Input<T>; 3],
    out: *mut T,
    out_row: usize,
}

/// The first element of each kind's memory, but for scratch, and the row of each kind.
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

impl<T> Arguments<T> {
    #[inline(always)]
    fn point(&mut self, pointer: Pointer, to: *mut T) {
        match pointer {
            Pointer::Segment(i) => self.segments[i].a = to,
            Pointer::Init(i) => self.strips[i].init = to,
            Pointer::Out(i) => self.strips[i].out = to,
            Pointer::Input(i, input) => self.instrs[i].inputs[input].at = to,
            Pointer::Result(i) => self.instrs[i].out = to,
        }
    }
}

impl<T: Real> Kept<T> {
    /// Nothing yet, with room for all that `stage` may come to.
    pub(super) fn new(stage: &StageCode<T>) -> Kept<T> {
        let segments = stage.products.iter().map(|p| p.segments.len()).sum();
        let strips = stage.products.iter().map(|p| p.members.len() * (p.units.div_ceil(LANES) + 1)).sum();
        let (products, instrs) = (stage.products.len(), stage.block.len());
        let pointers = segments + 2 * strips + 4 * instrs;
        Kept {
            rows: 0,
            units: (0, 0),
            can_be: false,
            backwards: false,
            run: 0,
            products: Vec::with_capacity(products),
            calls: Vec::with_capacity(strips * (AHEAD - 1)),
            arguments: Arguments {
                segments: Vec::with_capacity(segments),
                strips: Vec::with_capacity(strips),
                instrs: Vec::with_capacity(instrs),
            },
            weights: Vec::with_capacity(strips),
            fixed: Vec::with_capacity(pointers),
            moving: Vec::with_capacity(pointers),
        }
    }

    fn keep(&mut self, run: &Run<'_, T>, stage: &StageCode<T>, scratch: *mut T, rows: usize, units: (usize, usize)) {
        (self.rows, self.units, self.run) = (rows, units, 0);
        self.products.clear();
        self.calls.clear();
        self.arguments.segments.clear();
        self.arguments.strips.clear();
        self.arguments.instrs.clear();
        self.weights.clear();
        self.fixed.clear();
        self.moving.clear();
        let shape = stage.tile(rows, units.1 - units.0);
        let one = rows <= shape.rows && units.1 - units.0 <= shape.units;
        self.can_be = one && stage.block.iter().all(|instr| instr.attention().is_none());
        self.can_be &= stage.products.iter().all(|product| product.before.is_none());
        if self.can_be {
            let tile = Tile { stage, scratch, rows, first: units.0, units: units.1 - units.0 };
            stage.products.iter().for_each(|product| self.keep_product(run, &tile, product));
            stage.block.iter().for_each(|instr| self.keep_instr(&tile, instr));
        }
    }

    fn keep_pointer(&mut self, tile: &Tile<'_, T>, pointer: Pointer, spot: Spot) {
        match spot.kind {
            kind::SCRATCH => self.arguments.point(pointer, tile.scratch.wrapping_add(spot.offset)),
            kind::FIXED => self.fixed.push((pointer, spot)),
            _ => self.moving.push((pointer, spot)),
        }
    }

    fn keep_product(&mut self, run: &Run<'_, T>, tile: &Tile<'_, T>, product: &ProductCode) {
        let first = (self.arguments.segments.len(), self.arguments.strips.len(), self.calls.len());
        for (spot, k) in &product.segments {
            let (spot, row) = tile.place(spot, 0);
            self.arguments.segments.push(Segment { a: std::ptr::null(), row, k: *k });
            self.keep_pointer(tile, Pointer::Segment(self.arguments.segments.len() - 1), spot);
        }
        let packed = &run.matrices[product.matrix];
        let units = Units::of(product, tile.stage.whole_rows, (tile.first, tile.units));
        let members = product.members.len();
        for block in units.first / LANES..units.end.div_ceil(LANES) {
            let unit = block * LANES;
            for (member, (init, out)) in product.members.iter().enumerate() {
                let number = self.arguments.strips.len();
                let init = init.map(|init| tile.place(&init, unit));
                let (out, out_row) = tile.place(out, unit);
                self.weights.push(packed.strip(block * members + member).0);
                self.arguments.strips.push(Strip {
                    b: std::ptr::null(),
                    then: std::ptr::null(),
                    init: std::ptr::null(),
                    init_row: init.map_or(0, |(_, row)| row),
                    out: std::ptr::null_mut(),
                    out_row,
                    lanes: LANES.min(units.end - unit),
                });
                self.keep_pointer(tile, Pointer::Out(number), out);
                if let Some((init, _)) = init {
                    self.keep_pointer(tile, Pointer::Init(number), init);
                }
            }
        }
        let kernels = run.kernels;
        let strips = self.arguments.strips.len() - first.1;
        let spread = spread::<T>(kernels, packed, strips);
        blocks(packed, (kernels.rows, &spread), (units.strip, strips), tile.rows, |block| {
            let kernel = (kernels.product)(block.rows, block.panels, block.in_panel);
            self.calls.push(KeptCall { kernel, strips: block.strips, cut: Cut::new(block.width, block.row) });
        });
        self.products.push(KeptProduct {
            matrix: product.matrix,
            segments: first.0..self.arguments.segments.len(),
            strips: first.1..self.arguments.strips.len(),
            calls: first.2..self.calls.len(),
        });
    }

    fn keep_instr(&mut self, tile: &Tile<'_, T>, instr: &InstrCode<T>) {
        let number = self.arguments.instrs.len();
        let units = if tile.stage.whole_rows { instr.units } else { tile.units };
        let (out, out_row) = tile.place(&instr.out, tile.first);
        let mut gapless = out_row == units && matches!(instr.call, Call::Map(_));
        let places = [0, 1, 2].map(|i| match &instr.inputs[i] {
            Source::Spot(spot) => {
                let (spot, row) = tile.place(spot, tile.first);
                gapless &= row == units;
                Some((spot, row))
            }
            Source::PerRow(spot) => {
                let (spot, row) = tile.place(spot, if spot.kind == kind::SCRATCH { tile.first } else { 0 });
                gapless &= row == 0;
                Some((spot, row))
            }
            Source::Splat(_) => None,
        });
        let (rows, units) = if gapless { (1, tile.rows * units) } else { (tile.rows, units) };
        let inputs = places.map(|place| Input { at: std::ptr::null(), row: place.map_or(0, |(_, row)| row) });
        self.arguments.instrs.push(KeptInstr { rows, units, inputs, out: std::ptr::null_mut(), out_row });
        self.keep_pointer(tile, Pointer::Result(number), out);
        for (i, place) in places.into_iter().enumerate() {
            if let Some((spot, _)) = place {
                self.keep_pointer(tile, Pointer::Input(number, i), spot);
            }
        }
    }

    /// Points to what stays as it is in a run, but for scratch.
    fn begin(&mut self, run: &Run<'_, T>, stage: &StageCode<T>, at: &At<'_, T>) {
        self.run = run.number;
        for product in &self.products {
            let Storage::Full(data) = run.matrices[product.matrix].data() else { continue };
            let strips = &mut self.arguments.strips[product.strips.clone()];
            for (strip, first) in strips.iter_mut().zip(&self.weights[product.strips.clone()]) {
                strip.b = data.as_ptr().wrapping_add(*first);
            }
        }
        for (instr, code) in self.arguments.instrs.iter_mut().zip(&stage.block) {
            for (input, source) in instr.inputs.iter_mut().zip(&code.inputs) {
                if let Source::Splat(x) = source {
                    input.at = x;
                }
            }
        }
        self.fixed.iter().for_each(|(pointer, spot)| self.arguments.point(*pointer, at.of(spot)));
    }
}

/// The one tile of a stage.
struct Tile<'a, T: 'static> {
    stage: &'a StageCode<T>,
    scratch: *mut T,
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
        let Workspace { kept, scratch, .. } = workspace;
        let Some(kept) = kept.get_mut(stage.number) else { return false };
        if kept.rows != rows || kept.units != units {
            kept.keep(self, stage, scratch.first, rows, units);
        }
        if !kept.can_be {
            return false;
        }
        let mut bases = [self.memory; kind::ALL];
        bases[kind::FIXED] = self.constants.cast_mut();
        let at = At { bases, rows: at };
        if kept.run != self.number {
            kept.begin(self, stage, &at);
        }
        kept.moving.iter().for_each(|(pointer, spot)| kept.arguments.point(*pointer, at.of(spot)));
        kept.backwards = !kept.backwards;
        // Safety: the caller's promise.
        kept.products.iter().for_each(|product| unsafe { kept.product(product) });
        for (code, instr) in stage.block.iter().zip(&kept.arguments.instrs) {
            // Safety: the caller's promise.
            unsafe { instr.apply(&code.call) };
        }
        true
    }
}

impl<T: Real> Kept<T> {
    /// Safety: as [`Run::again`]; all pointers are those of the step.
    #[inline(always)]
    unsafe fn product(&self, product: &KeptProduct) {
        let segments = &self.arguments.segments[product.segments.clone()];
        let strips = &self.arguments.strips[product.strips.clone()];
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

impl<T: Real> KeptInstr<T> {
    /// Safety: as [`Kept::product`].
    #[inline(always)]
    unsafe fn apply(&self, call: &Call<T>) {
        // Safety: the caller's promise.
        unsafe {
            match call {
                Call::Map(map) => map(self.rows, self.units, &self.inputs, self.out, self.out_row),
                Call::Reduce(reduce) => reduce(self.rows, self.units, self.inputs[0], self.out, self.out_row),
                Call::Attend(_) => {}
            }
        }
    }
}
