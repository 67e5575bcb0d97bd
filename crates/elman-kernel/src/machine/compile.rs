//! From phases as the engine writes them to phases as threads run them: kinds of rows as indices, functions as pointers.
//!
//! What is wrong whatever the timeline is found here.

use super::error::{CodeError, Site};
use crate::code::{Attend, Instr, LANES, Operand, Order, OuterRow, Phase, Place, Product, Rows, Score, Stage};
use crate::kernels::{Apply, BINARY, Kernels, Reduce, UNARY};
use crate::pack::MatrixShape;
use crate::real::Real;

/// Kinds of rows, as indices.
pub(super) mod kind {
    pub const FIXED: usize = 0;
    pub const BATCH: usize = 1;
    pub const TOKEN: usize = 2;
    pub const BEFORE: usize = 3;
    pub const AFTER: usize = 4;
    pub const EVEN: usize = 5;
    pub const ODD: usize = 6;
    pub const SCRATCH: usize = 7;
    /// How many there are.
    pub const ALL: usize = 8;
}

/// Slots that a memory may have: as many as f32 can count.
const SLOTS_OF_A_MEMORY: usize = 1 << 24;

/// Scratch slots a stage may have.
const SLOTS: usize = 4096;

/// A place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub kind: usize,
    pub offset: usize,
    pub stride: usize,
}

/// What an instruction reads.
#[derive(Clone, Copy)]
pub(super) enum Source<T> {
    Spot(Spot),
    /// Unit 0 of each row.
    PerRow(Spot),
    Splat(T),
}

pub(super) enum Call<T: 'static> {
    Map(Apply<T>),
    Reduce(Reduce<T>),
    Attend(Box<AttendCode>),
}

/// An attention's places.
pub(super) struct AttendCode {
    pub attend: Attend,
    pub query: Spot,
    pub weight: Option<Spot>,
    pub keys: Spot,
    pub values: Spot,
    pub lengths: Spot,
    /// By its result, where its gradient is taken.
    pub gradient: Option<Spot>,
    /// What scores are divided by.
    pub scale: Option<f64>,
}

pub(super) struct InstrCode<T: 'static> {
    pub call: Call<T>,
    /// Its arguments; those it has not are splats that are never read.
    pub inputs: [Source<T>; 3],
    pub out: Spot,
    pub units: usize,
}

pub(super) struct ProductCode {
    pub matrix: usize,
    /// The matrix that comes first, and how many of the segments are its.
    pub before: Option<(usize, usize)>,
    /// Operands and their widths.
    pub segments: Vec<(Spot, usize)>,
    /// Initial values and results.
    pub members: Vec<(Option<Spot>, Spot)>,
    pub units: usize,
}

pub(super) struct StageCode<T: 'static> {
    pub products: Vec<ProductCode>,
    pub block: Vec<InstrCode<T>>,
    /// The widest row.
    pub units: usize,
    pub whole_rows: bool,
    /// Scratch slots.
    pub slots: usize,
    /// Units that keep every product's panels whole.
    pub align: usize,
    /// Numbers in its products' matrices.
    pub weights: usize,
    /// Which of the machine's stages it is.
    pub number: usize,
}

pub(super) struct OuterCode {
    pub right: Spot,
    pub columns: usize,
    pub lefts: Vec<OuterRow>,
    pub left_spots: Vec<Spot>,
}

#[allow(clippy::large_enum_variant)] // A code has a few phases.
pub(super) enum PhaseCode<T: 'static> {
    Bulk { stages: Vec<StageCode<T>>, before: bool },
    Steps { order: Order, stages: Vec<StageCode<T>>, independent: bool },
    Outer(OuterCode),
    Total { value: Spot, units: usize, out: usize },
    Exponentials { value: Spot, units: usize, largest: usize, sum: usize },
    Memory { attend: AttendCode, gradient: Spot, d_keys: Spot, d_values: Spot },
}

impl Spot {
    pub(super) fn new(place: &Place) -> Spot {
        let kind = match place.rows {
            Rows::Fixed => kind::FIXED,
            Rows::Batch => kind::BATCH,
            Rows::Token => kind::TOKEN,
            Rows::Before => kind::BEFORE,
            Rows::After => kind::AFTER,
            Rows::Parity { flip } => kind::EVEN + flip % 2,
            Rows::Scratch => kind::SCRATCH,
        };
        Spot { kind, offset: place.offset, stride: place.stride }
    }
}

/// Compiles phases.
pub(super) struct Compiler<'a, T: 'static> {
    pub kernels: &'static Kernels<T>,
    pub shapes: &'a [MatrixShape],
}

impl<T: Real> Compiler<'_, T> {
    pub(super) fn phase(&self, index: usize, phase: &Phase) -> Result<PhaseCode<T>, CodeError> {
        let site = Site::phase(index);
        let stages = |stages: &[Stage]| -> Result<Vec<_>, CodeError> {
            stages.iter().enumerate().map(|(s, stage)| self.stage(site.stage(s), stage)).collect()
        };
        match phase {
            Phase::Bulk(list) => {
                let stages = stages(list)?;
                let spots = || stages.iter().flat_map(StageCode::spots);
                if spots().any(|spot| matches!(spot.kind, kind::BATCH | kind::EVEN | kind::ODD)) {
                    return site
                        .rule("a bulk phase has no rows of sequences: only Token, Before, After, Fixed, Scratch");
                }
                let before = spots().any(|spot| spot.kind == kind::BEFORE);
                Ok(PhaseCode::Bulk { stages, before })
            }
            Phase::Steps { order, stages: list, independent } => {
                let stages = stages(list)?;
                if *independent && stages.iter().any(|s| s.whole_rows || !s.products.is_empty()) {
                    return site.rule("independent steps have no products and no whole rows");
                }
                Ok(PhaseCode::Steps { order: *order, stages, independent: *independent })
            }
            Phase::Outer { right, columns, lefts } => {
                let left_spots: Vec<_> = lefts.iter().map(|l| Spot::new(&l.left)).collect();
                self.gradient(site, std::iter::once(Spot::new(right)).chain(left_spots.iter().copied()))?;
                if *columns == 0 || lefts.iter().any(|l| l.rows == 0 || l.stride < *columns) {
                    return site.rule("a result has no rows, no columns, or rows that overlap");
                }
                Ok(PhaseCode::Outer(OuterCode {
                    right: Spot::new(right),
                    columns: *columns,
                    lefts: lefts.clone(),
                    left_spots,
                }))
            }
            Phase::Total { value, units, out } => {
                self.gradient(site, std::iter::once(Spot::new(value)))?;
                if *units == 0 {
                    return site.rule("a width is 0");
                }
                Ok(PhaseCode::Total { value: Spot::new(value), units: *units, out: *out })
            }
            Phase::Memory { attend, gradient, d_keys, d_values } => {
                let code = AttendCode::new(site, attend, Some(gradient))?;
                let gradient = Spot::new(gradient);
                let vectors = [Some(code.query), code.weight].into_iter().flatten().filter(|s| s.kind != kind::FIXED);
                self.gradient(site, vectors.chain([gradient]))?;
                for (to, from) in [(d_keys, &attend.keys), (d_values, &attend.values)] {
                    if to.rows != Rows::Batch || to.stride != from.place.stride {
                        return site.rule("the gradient of a memory lies as the memory does");
                    }
                }
                let (d_keys, d_values) = (Spot::new(d_keys), Spot::new(d_values));
                Ok(PhaseCode::Memory { attend: code, gradient, d_keys, d_values })
            }
            Phase::Exponentials { value, units, largest, sum } => {
                let spot = Spot::new(value);
                if spot.kind != kind::TOKEN {
                    return site.rule("exponentials are taken of a Token place");
                }
                if *units == 0 || units % LANES != 0 || value.stride < *units {
                    return site.rule("its width is 0, no multiple of 16, or its rows overlap");
                }
                Ok(PhaseCode::Exponentials { value: spot, units: *units, largest: *largest, sum: *sum })
            }
        }
    }

    /// The operands of gradients are rows of tokens.
    fn gradient(&self, site: Site, mut spots: impl Iterator<Item = Spot>) -> Result<(), CodeError> {
        if spots.any(|spot| !matches!(spot.kind, kind::TOKEN | kind::BEFORE | kind::AFTER)) {
            return site.rule("the operands of a gradient are Token, Before or After places");
        }
        Ok(())
    }

    fn stage(&self, site: Site, stage: &Stage) -> Result<StageCode<T>, CodeError> {
        let mut written = Written { slots: Vec::new(), whole_rows: stage.whole_rows };
        let mut code = StageCode {
            products: Vec::new(),
            block: Vec::new(),
            units: stage.units,
            whole_rows: stage.whole_rows,
            slots: 0,
            align: LANES,
            weights: 0,
            number: 0,
        };
        for (p, product) in stage.products.iter().enumerate() {
            let product = self.product(site.product(p), product, &mut written)?;
            if !stage.whole_rows && product.units != stage.units {
                return site.product(p).rule("its width differs from the stage's, which is not of whole rows");
            }
            code.units = code.units.max(product.units);
            let panel = LANES * self.kernels.panel / gcd(self.kernels.panel, product.members.len());
            code.align = code.align.max(panel);
            let matrices = product.before.iter().map(|(matrix, _)| *matrix).chain([product.matrix]);
            code.weights += matrices.filter_map(|m| self.shapes.get(m)).map(MatrixShape::numbers).sum::<usize>();
            code.products.push(product);
        }
        for (i, instr) in stage.block.iter().enumerate() {
            let instr = self.instr(site.instr(i), instr, &mut written)?;
            if !stage.whole_rows && instr.units != stage.units {
                return site.instr(i).rule("its width differs from the stage's, which is not of whole rows");
            }
            code.units = code.units.max(instr.units);
            code.block.push(instr);
        }
        code.slots = written.slots.len();
        Ok(code)
    }

    fn product(&self, site: Site, product: &Product, written: &mut Written) -> Result<ProductCode, CodeError> {
        let mut segments = Vec::new();
        let mut factor = |matrix: usize, places: &[Place]| {
            let Some(shape) = self.shapes.get(matrix) else {
                return Err(CodeError::NoMatrix { at: site.to_string(), index: matrix });
            };
            if shape.members != product.members.len() || shape.segments.len() != places.len() {
                return site.rule("the matrix has another number of members or segments");
            }
            for (place, &k) in places.iter().zip(&shape.segments) {
                let spot = Spot::new(place);
                if spot.kind == kind::SCRATCH && !written.whole_rows {
                    return site.rule("a product reads whole rows, which scratch holds in stages of whole rows only");
                }
                written.read(site, spot, k)?;
                segments.push((spot, k));
            }
            Ok(shape)
        };
        let before = product.before.as_ref().map(|b| factor(b.matrix, &b.segments)).transpose()?;
        let shape = factor(product.matrix, &product.segments)?;
        if before.is_some_and(|before| before.units != shape.units) {
            return site.rule("the matrix that comes first has another number of units");
        }
        let before = product.before.as_ref().map(|b| (b.matrix, b.segments.len()));
        let mut members = Vec::new();
        for member in &product.members {
            let init = member.init.as_ref().map(Spot::new);
            if let Some(init) = init {
                written.read(site, init, shape.units)?;
            }
            members.push((init, Spot::new(&member.out)));
        }
        for (_, out) in &members {
            written.write(site, *out, shape.units)?;
        }
        Ok(ProductCode { matrix: product.matrix, before, segments, members, units: shape.units })
    }

    fn instr(&self, site: Site, instr: &Instr, written: &mut Written) -> Result<InstrCode<T>, CodeError> {
        let zero = Source::Splat(T::ZERO);
        if let Instr::Attend { attend, .. } | Instr::AttendGradient { attend, .. } = instr {
            let (gradient, out, width) = match instr {
                Instr::AttendGradient { gradient, out, .. } => (Some(gradient), out, attend.gradient_units()),
                Instr::Attend { out, .. } => (None, out, attend.values.units),
                _ => return site.rule("no attention"),
            };
            if !written.whole_rows {
                return site.rule("an attention needs a stage of whole rows");
            }
            let code = AttendCode::new(site, attend, gradient)?;
            for (spot, width, _) in code.reads() {
                written.read(site, spot, width)?;
            }
            let out = Spot::new(out);
            written.write(site, out, width)?;
            let units = width.max(attend.keys.units).max(attend.values.units);
            return Ok(InstrCode { call: Call::Attend(Box::new(code)), inputs: [zero, zero, zero], out, units });
        }
        let source = |operand: &Operand| match operand {
            Operand::Units(place) => Source::Spot(Spot::new(place)),
            Operand::PerRow(place) => Source::PerRow(Spot::new(place)),
            Operand::Splat(x) => Source::Splat(T::from_f64(*x)),
        };
        let table = self.kernels;
        let (call, inputs, out, units) = match instr {
            Instr::Unary { op, a, out, units } => {
                let inputs = [source(a), zero, zero];
                let op = UNARY.iter().position(|o| o == op).unwrap_or_default();
                (Call::Map(table.unary[op][mode(&inputs) & 1]), inputs, out, *units)
            }
            Instr::Binary { op, a, b, out, units } => {
                let inputs = [source(a), source(b), zero];
                let op = BINARY.iter().position(|o| o == op).unwrap_or_default();
                (Call::Map(table.binary[op][mode(&inputs) & 3]), inputs, out, *units)
            }
            Instr::Fma { a, b, c, out, units } => {
                let inputs = [source(a), source(b), source(c)];
                (Call::Map(table.fma[mode(&inputs)]), inputs, out, *units)
            }
            Instr::Select { condition, positive, otherwise, out, units } => {
                let inputs = [source(condition), source(positive), source(otherwise)];
                (Call::Map(table.select[mode(&inputs)]), inputs, out, *units)
            }
            Instr::Sum { a, out, units } => {
                (Call::Reduce(table.sum), [Source::Spot(Spot::new(a)), zero, zero], out, *units)
            }
            Instr::Largest { a, out, units } => {
                (Call::Reduce(table.largest), [Source::Spot(Spot::new(a)), zero, zero], out, *units)
            }
            Instr::Attend { .. } | Instr::AttendGradient { .. } => return site.rule("no elementwise instruction"),
        };
        if units == 0 {
            return site.rule("a width is 0");
        }
        let crosses = matches!(call, Call::Reduce(_));
        if crosses && !written.whole_rows {
            return site.rule("Sum and Largest need a stage of whole rows");
        }
        for input in &inputs {
            match input {
                Source::Spot(spot) => written.read(site, *spot, units)?,
                Source::PerRow(spot) if spot.kind == kind::SCRATCH && !written.whole_rows => {
                    return site.rule("unit 0 of a scratch row is there in stages of whole rows only");
                }
                Source::PerRow(spot) => written.read(site, *spot, 1)?,
                Source::Splat(_) => {}
            }
        }
        let out = Spot::new(out);
        written.write(site, out, if crosses { 1 } else { units })?;
        Ok(InstrCode { call, inputs, out, units })
    }
}

impl AttendCode {
    fn new(site: Site, attend: &Attend, gradient: Option<&Place>) -> Result<AttendCode, CodeError> {
        for slots in [&attend.keys, &attend.values] {
            let room = attend.slots.checked_mul(slots.stride).is_some_and(|all| all <= slots.place.stride);
            if slots.units == 0 || slots.stride < slots.units || slots.place.rows != Rows::Batch || !room {
                return site.rule("a memory has Batch rows that hold all its slots");
            }
        }
        if attend.slots == 0 || attend.slots > SLOTS_OF_A_MEMORY || attend.lengths.rows != Rows::Batch {
            return site.rule("a memory has 1 to 16777216 slots, and a Batch place that says how many there are");
        }
        if attend.weight.is_some() != (attend.score == Score::Additive) {
            return site.rule("additive scores have a weight, others have none");
        }
        Ok(AttendCode {
            attend: *attend,
            query: Spot::new(&attend.query),
            weight: attend.weight.as_ref().map(Spot::new),
            keys: Spot::new(&attend.keys.place),
            values: Spot::new(&attend.values.place),
            lengths: Spot::new(&attend.lengths),
            gradient: gradient.map(Spot::new),
            scale: (attend.score == Score::Scaled).then(|| (attend.keys.units as f64).sqrt()),
        })
    }

    /// What it reads, how wide, and whether of that unit 0 alone.
    pub(super) fn reads(&self) -> impl Iterator<Item = (Spot, usize, bool)> {
        let Attend { keys, values, slots, .. } = self.attend;
        let vectors = [Some(self.query), self.weight].into_iter().flatten().map(move |s| (s, keys.units, false));
        let gradient = self.gradient.map(move |s| (s, values.units, false));
        let memories = [(self.keys, slots * keys.stride, false), (self.values, slots * values.stride, false)];
        vectors.chain(gradient).chain(memories).chain([(self.lengths, 1, true)])
    }

    /// Numbers of a thread's room: for shares and what is made of them, and for what gradients keep of additive scores.
    pub(super) fn room(&self) -> usize {
        let kept = self.gradient.is_some() && self.weight.is_some();
        self.bent() + if kept { self.attend.slots * self.bent_row() } else { 0 }
    }

    /// Where in the room that is kept.
    pub(super) fn bent(&self) -> usize {
        2 * self.room_row() + LANES
    }

    pub(super) fn bent_row(&self) -> usize {
        self.attend.keys.units.next_multiple_of(LANES)
    }

    pub(super) fn room_row(&self) -> usize {
        self.attend.slots.next_multiple_of(LANES)
    }

    /// Multiply-adds a row, roughly.
    pub(super) fn cost(&self) -> u64 {
        let bent = if self.weight.is_some() { 8 } else { 1 };
        (self.attend.slots * (bent * self.attend.keys.units + self.attend.values.units)) as u64
    }
}

impl<T> InstrCode<T> {
    /// The attention that it is.
    pub(super) fn attention(&self) -> Option<&AttendCode> {
        if let Call::Attend(code) = &self.call { Some(code) } else { None }
    }
}

impl<T> StageCode<T> {
    /// Every place it names.
    pub(super) fn spots(&self) -> impl Iterator<Item = Spot> {
        let products = self.products.iter().flat_map(|p| {
            let members = p.members.iter().flat_map(|(init, out)| init.iter().chain(std::iter::once(out)).copied());
            p.segments.iter().map(|(spot, _)| *spot).chain(members)
        });
        let block = self.block.iter().flat_map(|instr| {
            let inputs = instr.inputs.iter().filter_map(|input| match input {
                Source::Spot(spot) | Source::PerRow(spot) => Some(*spot),
                Source::Splat(_) => None,
            });
            let attention = instr.attention().into_iter().flat_map(|a| a.reads().map(|(spot, ..)| spot));
            inputs.chain(attention).chain(std::iter::once(instr.out))
        });
        products.chain(block)
    }
}

/// Bit i: argument i is one number a row.
fn mode<T>(inputs: &[Source<T>; 3]) -> usize {
    (0..3).map(|i| usize::from(!matches!(inputs[i], Source::Spot(_))) << i).sum()
}

/// What a stage has written to scratch so far: the width of each slot.
struct Written {
    slots: Vec<usize>,
    whole_rows: bool,
}

impl Written {
    fn read(&self, site: Site, spot: Spot, width: usize) -> Result<(), CodeError> {
        if spot.kind == kind::SCRATCH && self.slots.get(spot.offset).is_none_or(|&w| w < width) {
            return site.rule("it reads scratch that nothing in this stage has written before");
        }
        Ok(())
    }

    fn write(&mut self, site: Site, spot: Spot, width: usize) -> Result<(), CodeError> {
        match spot.kind {
            kind::FIXED => site.rule("constants are not written"),
            kind::SCRATCH if spot.offset >= SLOTS => site.rule("a stage has at most 4096 scratch slots"),
            kind::SCRATCH => {
                if self.slots.len() <= spot.offset {
                    self.slots.resize(spot.offset + 1, 0);
                }
                self.slots[spot.offset] = self.slots[spot.offset].max(width);
                Ok(())
            }
            _ if spot.stride < width => site.rule("the rows of its result overlap"),
            _ => Ok(()),
        }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
