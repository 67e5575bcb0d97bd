//! One layer in one direction: its plan, its packed weights, its work memory.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use elman_cell::Sizes;
use elman_cell::program::NodeId;
use elman_cell::schedule::Schedule;
use elman_kernel::code::{Place, Rows, Slots, Split, Timeline};
use elman_kernel::{Buffer, Isa, Machine, Precision, Real, Team};

use crate::batch::Memory;
use crate::error::EngineError;
use crate::packed::{Invariants, Packed};
use crate::plan::{Frame, MemoryPlan, Mode, Plan, rounds};
use crate::tokens::Segment;

/// Batches with at least this many rows a thread are split by rows.
pub(crate) const ROWS_A_THREAD: usize = 4;

/// Bytes of weights that a step forward reads, above which threads share its units, so that each reads a part of them: a
/// second cache would not hold all.
pub(crate) const SHARED_WEIGHTS: usize = 2 << 20;

/// What computes, and from weights of how many bits.
#[derive(Clone, Copy)]
pub(crate) struct Arithmetic {
    pub isa: Isa,
    pub precision: Precision,
}

impl Arithmetic {
    /// What a plan for it is laid out for.
    fn frame<T>(self, mode: Mode, batch: usize, tokens: usize, slots: usize) -> Frame {
        Frame { batch, tokens, slots, mode, weight_bytes: self.weight_bytes::<T>() }
    }

    /// Of a packed number.
    fn weight_bytes<T>(self) -> usize {
        match self.precision {
            Precision::Full => size_of::<T>(),
            Precision::Bf16 => 2,
            Precision::Int8 => 1,
        }
    }
}

const NO_GRADIENTS: EngineError = EngineError::Order("a layer without gradients was asked for them");

pub(crate) struct Layer<T: Real> {
    schedule: Arc<Schedule>,
    sizes: Sizes,
    arithmetic: Arithmetic,
    mode: Mode,
    traced: Vec<NodeId>,
    frame: Option<Frame>,
    /// Whether threads share units forward, however many rows there are.
    shares_weights: bool,
    pub plan: Plan,
    forward: Option<Machine<T>>,
    backward: Option<Machine<T>>,
    /// Gradients of parameters, behind the backward code: all of them, or, over parts of a batch, in rounds.
    gradients: Vec<Machine<T>>,
    pub packed: Arc<Packed<T>>,
    memory: Buffer<T>,
}

impl<T: Real> Layer<T> {
    /// `params` are in the cell's order.
    pub fn new(
        schedule: Arc<Schedule>,
        sizes: Sizes,
        arithmetic: Arithmetic,
        mode: Mode,
        traced: Vec<NodeId>,
        params: &[&[T]],
    ) -> Result<Layer<T>, EngineError> {
        let plan = Plan::new(&schedule, sizes, arithmetic.frame::<T>(mode, 1, 1, 1), &traced);
        let packed =
            Arc::new(Packed::new(arithmetic.isa, arithmetic.precision, &plan.weights, &schedule, sizes, params)?);
        Ok(Layer::with_packed(schedule, sizes, arithmetic, mode, traced, plan, packed))
    }

    /// A further user of the same packed weights, with work memory of its own.
    pub fn share(&self) -> Layer<T> {
        let frame = self.arithmetic.frame::<T>(self.mode, 1, 1, 1);
        let plan = Plan::new(&self.schedule, self.sizes, frame, &self.traced);
        let (schedule, traced) = (self.schedule.clone(), self.traced.clone());
        Layer::with_packed(schedule, self.sizes, self.arithmetic, self.mode, traced, plan, self.packed.clone())
    }

    fn with_packed(
        schedule: Arc<Schedule>,
        sizes: Sizes,
        arithmetic: Arithmetic,
        mode: Mode,
        traced: Vec<NodeId>,
        plan: Plan,
        packed: Arc<Packed<T>>,
    ) -> Layer<T> {
        let (frame, shares_weights) = (None, false);
        let (forward, backward, gradients) = (None, None, vec![]);
        Layer {
            schedule,
            sizes,
            arithmetic,
            mode,
            traced,
            frame,
            shares_weights,
            plan,
            forward,
            backward,
            gradients,
            packed,
            memory: Buffer::new(0),
        }
    }

    /// Bytes of work memory that each token takes.
    pub fn token_bytes(&self) -> usize {
        let frame = |tokens| self.arithmetic.frame::<T>(self.mode, 1, tokens, 1);
        Plan::numbers_a_token(frame, &self.schedule, self.sizes, &self.traced) * size_of::<T>()
    }

    /// Packs other weights, into the same memory where nobody shares it.
    pub fn set_weights(&mut self, team: &Team, params: &[&[T]]) -> Result<(), EngineError> {
        let Arithmetic { isa, precision } = self.arithmetic;
        match Arc::get_mut(&mut self.packed) {
            Some(own) => own.repack(Some(team), &self.plan.weights, &self.schedule, self.sizes, params),
            None => {
                let plan = &self.plan.weights;
                self.packed = Arc::new(Packed::new(isa, precision, plan, &self.schedule, self.sizes, params)?);
                Ok(())
            }
        }
    }

    /// The parameters whose numbers gradients need: those of values computed from them.
    pub fn read_params(&self) -> Vec<usize> {
        self.plan.read_params(&self.schedule)
    }

    /// Lays out memory for a batch of this shape, and memories of so many slots; nothing happens where it has it already.
    pub fn prepare(&mut self, timeline: &Timeline, slots: usize) -> Result<(), EngineError> {
        let frame = self.arithmetic.frame::<T>(self.mode, timeline.batch, timeline.tokens(), slots);
        if self.frame == Some(frame) {
            return Ok(());
        }
        self.plan = Plan::new(&self.schedule, self.sizes, frame, &self.traced);
        let machine = |code: &Vec<elman_kernel::code::Phase>| {
            let shapes = self.plan.weights.matrices.iter().map(crate::plan::MatrixPlan::shape).collect();
            let (memory, constants) = (self.plan.memory, self.plan.weights.memory);
            Machine::new(self.arithmetic.isa, code.clone(), memory, constants, shapes)
                .map_err(|e| EngineError::Kernel(e.to_string()))
        };
        self.forward = Some(machine(&self.plan.forward)?);
        self.backward = match self.mode {
            mode if mode.trains() => Some(machine(&self.plan.backward)?),
            _ => None,
        };
        let code = match self.mode {
            Mode::TrainParts => rounds(&self.plan.gradient),
            mode if mode.trains() => vec![self.plan.gradient.clone()],
            _ => vec![],
        };
        self.gradients = code.iter().map(machine).collect::<Result<_, _>>()?;
        self.memory.resize(self.plan.memory);
        let weights = self.plan.step_weights() * self.arithmetic.weight_bytes::<T>();
        self.shares_weights = weights > SHARED_WEIGHTS;
        self.frame = Some(frame);
        Ok(())
    }

    pub fn run_forward(&mut self, timeline: &Timeline, team: &Team) -> Result<(), EngineError> {
        let split = if self.shares_weights { Split::Units } else { split(timeline, team) };
        match &mut self.forward {
            Some(m) => run(m, timeline, &self.packed, &mut self.memory, team, split),
            None => Err(EngineError::Order("a layer ran before it was prepared")),
        }
    }

    /// What the forward run kept is gone afterwards, but for what gradients of parameters need.
    pub fn run_backward(&mut self, timeline: &Timeline, team: &Team) -> Result<(), EngineError> {
        let split = split(timeline, team);
        match &mut self.backward {
            Some(pass) => run(pass, timeline, &self.packed, &mut self.memory, team, split),
            None => Err(NO_GRADIENTS),
        }
    }

    /// How often gradients of parameters go through all steps.
    pub fn rounds(&self) -> usize {
        self.gradients.len()
    }

    /// Adds to the gradients of parameters that belong to a round; to zero where they are `fresh`.
    pub fn run_gradients(
        &mut self,
        timeline: &Timeline,
        team: &Team,
        round: usize,
        fresh: bool,
    ) -> Result<(), EngineError> {
        if fresh {
            self.zero_gradients();
        }
        let split = split(timeline, team);
        match self.gradients.get_mut(round) {
            Some(gradients) => run(gradients, timeline, &self.packed, &mut self.memory, team, split),
            None => Ok(()),
        }
    }

    /// Where gradients of parameters are added up becomes zero. In a plan for whole batches that memory holds other values
    /// until the backward run is over.
    pub fn zero_gradients(&mut self) {
        for (at, shape) in self.plan.gradients.iter().zip(&self.schedule.program.params) {
            let (r, c) = crate::invariants::extent(*shape, self.sizes);
            if let Some(at) = at {
                self.memory[*at..at + r * c].fill(T::ZERO);
            }
        }
        for (_, at, rows, columns) in &self.plan.totals {
            self.memory[*at..at + rows * columns].fill(T::ZERO);
        }
        let batch = self.frame.map_or(0, |f| f.batch);
        for place in self.plan.memories.iter().filter_map(|m| m.gradient) {
            self.memory[place.offset..place.offset + batch * place.stride].fill(T::ZERO);
        }
    }

    /// Units of input i.
    pub fn input_units(&self, i: usize) -> usize {
        self.schedule.program.inputs[i].at(self.sizes)
    }

    /// Copies the slots that sequences have, row `row` from sequence `order[row]` of `batch`.
    pub fn load_memory(&mut self, m: usize, memory: &Memory<T>, order: &[usize]) {
        let MemoryPlan { slots: Slots { place, units, stride }, lengths, .. } = self.plan.memories[m];
        for (row, &sequence) in order.iter().enumerate() {
            let length = memory.length(sequence);
            self.row_mut(lengths, row, 1)[0] = T::from_f64(length as f64);
            for slot in 0..length {
                let from = (slot * order.len() + sequence) * units;
                let to = place.offset + row * place.stride + slot * stride;
                self.memory[to..to + units].copy_from_slice(&memory.values[from..from + units]);
            }
        }
    }

    /// Adds the gradient of a memory to `out`, [slots, batch, dim], for the slots that sequences have.
    pub fn add_memory_gradient(&self, m: usize, order: &[usize], out: &mut [T]) {
        let MemoryPlan { slots: Slots { units, stride, .. }, lengths, gradient } = self.plan.memories[m];
        let Some(place) = gradient else { return };
        for (row, &sequence) in order.iter().enumerate() {
            let length = self.row(lengths, row, 1)[0].to_f64() as usize;
            for slot in 0..length {
                let to = (slot * order.len() + sequence) * units;
                let from = place.offset + row * place.stride + slot * stride;
                crate::flow::add_to(&mut out[to..to + units], &self.memory[from..from + units]);
            }
        }
    }

    /// Row `row` of a place: `units` numbers. States and alternating rows count from their first.
    pub fn row(&self, place: Place, row: usize, units: usize) -> &[T] {
        let at = place.offset + row * place.stride;
        &self.memory[at..at + units]
    }

    pub fn row_mut(&mut self, place: Place, row: usize, units: usize) -> &mut [T] {
        let at = place.offset + row * place.stride;
        &mut self.memory[at..at + units]
    }

    /// The rows of so many tokens, a stride apart; the last ends with its units.
    pub fn rows(&self, place: Place, tokens: usize, units: usize) -> &[T] {
        &self.memory[self.extent(place, tokens, units)]
    }

    pub fn rows_mut(&mut self, place: Place, tokens: usize, units: usize) -> &mut [T] {
        let extent = self.extent(place, tokens, units);
        &mut self.memory[extent]
    }

    fn extent(&self, place: Place, tokens: usize, units: usize) -> Range<usize> {
        let at = |token| place.offset + self.token_row(place, token) * place.stride;
        tokens.checked_sub(1).map_or(0..0, |last| at(0)..at(last) + units)
    }

    /// The first of the rows that count by tokens: behind the initial rows, in the array of a kept state.
    fn token_row(&self, place: Place, token: usize) -> usize {
        let batch = self.frame.map_or(0, |f| f.batch);
        token + if place.rows == Rows::After { batch } else { 0 }
    }

    /// The row with the value after the last step of `row`.
    pub fn final_row(&self, place: Place, segment: &Segment, row: usize) -> usize {
        let last = segment.lengths[row];
        match place.rows {
            Rows::After => self.token_row(place, segment.timeline.first[last - 1] + row),
            _ => self.initial_row(place, row, last),
        }
    }

    /// The row with the value before step 0 of `row`.
    pub fn initial_row(&self, place: Place, row: usize, start: usize) -> usize {
        match place.rows {
            Rows::Parity { .. } => (start % 2) * self.frame.map_or(0, |f| f.batch) + row,
            _ => row,
        }
    }

    /// Adds the gradients of the cell's parameters to `out`, in the cell's order.
    pub fn add_gradients(&self, params: &[&[T]], out: &mut dyn FnMut(usize, &[T])) {
        let backward = &self.schedule.backward;
        let mut behind = vec![];
        for (p, at) in self.plan.gradients.iter().enumerate() {
            let (r, c) = crate::invariants::extent(self.schedule.program.params[p], self.sizes);
            match (at, backward.params[p]) {
                (Some(at), _) => out(p, &self.memory[*at..at + r * c]),
                (None, Some(n)) => behind.push((p, n)),
                (None, None) => {}
            }
        }
        if behind.is_empty() {
            return;
        }
        let totals: HashMap<NodeId, Rc<Vec<T>>> =
            self.plan.totals.iter().map(|(n, at, r, c)| (*n, Rc::new(self.memory[*at..at + r * c].to_vec()))).collect();
        let wanted: Vec<NodeId> = behind.iter().map(|b| b.1).collect();
        let values = Invariants::new(&self.schedule, self.sizes, params).epilogue(&totals, &wanted);
        for ((p, _), v) in behind.iter().zip(values) {
            out(*p, &v);
        }
    }
}

fn run<T: Real>(
    machine: &mut Machine<T>,
    timeline: &Timeline,
    packed: &Packed<T>,
    memory: &mut Buffer<T>,
    team: &Team,
    split: Split,
) -> Result<(), EngineError> {
    machine
        .run(timeline, &packed.constants, &packed.matrices, memory, team, split)
        .map_err(|e| EngineError::Kernel(e.to_string()))
}

/// Rows where there are enough of them for every thread: then nobody waits inside the loop.
fn split(timeline: &Timeline, team: &Team) -> Split {
    if timeline.batch >= ROWS_A_THREAD * team.threads() { Split::Rows } else { Split::Units }
}
