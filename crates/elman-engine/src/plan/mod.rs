//! A plan: a schedule at given sizes, as the code that the kernel runs.
//!
//! Sizes become widths, nodes become places in one work memory (offsets, never pointers), merged products become packed
//! matrices, and stages become tiles' blocks:
//!
//! ```text
//! a value read only in its own stage      scratch of the running thread
//! … in a later stage of the same step     a row per sequence
//! … in another phase, or kept             a row per token
//! a state                                 a row per token behind its initial rows, or two alternating rows
//! ```
//!
//! and arrays whose lives do not meet share memory (`arrange.rs`): what is kept for the backward pass is gone after it.

mod arrange;
mod backward;
mod emit;
mod homes;
mod join;
mod memory;
mod pass;
mod rounds;
mod uses;
mod weights;

use elman_cell::cell::Attention;
use elman_cell::program::{NodeId, Op};
use elman_cell::schedule::Schedule;
use elman_cell::{Dim, Sizes};
use elman_kernel::code::{self, LANES, Order, Phase, Place, Product, Rows, Slots};

use crate::invariants::{Arena, Nodes};
use arrange::{Lives, find};
use memory::Array;
pub(crate) use memory::Memory;
use pass::Carry;
pub(crate) use rounds::rounds;
use uses::each_place;
pub(crate) use weights::{MatrixPlan, WeightPlan};

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Forward, with all that the backward pass needs kept.
    Train,
    /// The same over some of the steps at a time; gradients of parameters are kept in between.
    TrainParts,
    /// Forward over whole sequences.
    Whole,
    /// Forward, one step a call.
    Stream,
}

impl Mode {
    /// A backward pass follows.
    pub fn trains(self) -> bool {
        matches!(self, Mode::Train | Mode::TrainParts)
    }
}

/// The place of a value that has none: the kernel refuses a code with it.
const NOWHERE: Place = Place { offset: usize::MAX / 2, rows: Rows::Token, stride: 0 };

/// The rows that memory is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub batch: usize,
    pub tokens: usize,
    /// Of the memory that has the most; 1 where there is none.
    pub slots: usize,
    pub mode: Mode,
    /// Bytes of a packed weight.
    pub weight_bytes: usize,
}

/// Where a state lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StatePlan {
    pub units: usize,
    /// Read as the value before a step.
    pub before: Place,
    /// Written as the value after a step.
    pub after: Place,
}

/// Where a memory lies, a row of all its slots per sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MemoryPlan {
    pub slots: Slots,
    /// How many of them a sequence has.
    pub lengths: Place,
    /// Its gradient, where there is one.
    pub gradient: Option<Place>,
}

impl MemoryPlan {
    fn new(units: usize, frame: Frame, memory: &mut Memory) -> MemoryPlan {
        let stride = units.next_multiple_of(LANES);
        let place = memory.rows(Rows::Batch, frame.batch, frame.slots * stride);
        let lengths = memory.rows(Rows::Batch, frame.batch, 1);
        MemoryPlan { slots: Slots { place, units, stride }, lengths, gradient: None }
    }
}

/// What an attention reads, in the words of the kernel.
fn attend(
    how: Attention,
    (query, weight): (Place, Option<Place>),
    memories: &[MemoryPlan],
    frame: Frame,
) -> code::Attend {
    let (keys, values) = (&memories[how.keys.index()], &memories[how.values.index()]);
    let (score, lengths) = (crate::convert::score(how.score), keys.lengths);
    code::Attend { score, query, weight, keys: keys.slots, values: values.slots, lengths, slots: frame.slots }
}

/// The code of one layer and direction, and where everything is.
#[derive(Debug)]
pub(crate) struct Plan {
    pub forward: Vec<Phase>,
    pub backward: Vec<Phase>,
    /// Behind `backward`, once the places of gradients are zero.
    pub gradient: Vec<Phase>,
    /// Numbers of work memory.
    pub memory: usize,
    pub inputs: Vec<Place>,
    pub memories: Vec<MemoryPlan>,
    pub states: Vec<StatePlan>,
    pub output: Place,
    /// The nodes asked for, a row per token.
    pub traces: Vec<Place>,
    pub weights: WeightPlan,
    pub output_gradient: Option<Place>,
    pub input_gradients: Vec<Option<Place>>,
    /// Per state: the gradient carried from step to step.
    pub state_gradients: Vec<Place>,
    /// Per parameter: its gradient, row-major and unpadded, where steps add to it directly.
    pub gradients: Vec<Option<usize>>,
    /// Gradients of computed invariants, for the epilogue: target, offset, rows, columns.
    pub totals: Vec<(NodeId, usize, usize, usize)>,
}

impl Plan {
    /// Lays out memory and writes the code. `traced` are nodes whose value at every step is asked for.
    pub fn new(schedule: &Schedule, sizes: Sizes, frame: Frame, traced: &[NodeId]) -> Plan {
        let nodes = Nodes { forward: &schedule.program.nodes, backward: &schedule.backward.nodes, sizes };
        let mut memory = Memory::default();
        let mut weights = WeightPlan::default();
        let at = |d: Dim| d.at(sizes);
        let inputs: Vec<Place> =
            schedule.program.inputs.iter().map(|d| memory.rows(Rows::Token, frame.tokens, at(*d))).collect();
        let memories: Vec<MemoryPlan> =
            schedule.program.memories.iter().map(|d| MemoryPlan::new(at(*d), frame, &mut memory)).collect();
        let states = states(schedule, sizes, frame, traced, &mut memory);
        let mut delivered = vec![schedule.program.output];
        delivered.extend(traced);
        if frame.mode.trains() {
            delivered.extend(&schedule.saved);
        }
        let leaves = |op: &Op| match op {
            Op::Input(i) => Some(inputs[i.index()]),
            Op::State(s) => Some(states[s.index()].before),
            _ => None,
        };
        let carried = schedule.program.next.iter().zip(&states);
        let carried = carried.map(|(n, s)| Carry { node: Some(*n), to: s.after, units: s.units }).collect();
        let mut forward = pass::plan(
            pass::PassTask {
                nodes,
                arena: Arena::Forward,
                pass: &schedule.forward_pass,
                frame,
                order: Order::Ascending,
                leaves: &leaves,
                memories: &memories,
                carried,
                delivered: &delivered,
            },
            &mut memory,
            &mut weights,
        );
        join::join(&mut forward.phases, &weights.matrices, frame);
        let mut plan = Plan {
            output: forward.place(schedule.program.output),
            traces: traced.iter().map(|n| forward.place(*n)).collect(),
            forward: forward.phases.clone(),
            backward: vec![],
            gradient: vec![],
            memory: 0,
            inputs,
            memories,
            states,
            weights,
            output_gradient: None,
            input_gradients: vec![],
            state_gradients: vec![],
            gradients: vec![],
            totals: vec![],
        };
        if frame.mode.trains() {
            plan.add_backward(schedule, nodes, frame, &forward, &mut memory);
        }
        plan.arrange(&memory, frame.mode == Mode::TrainParts);
        plan
    }

    /// Numbers of work memory that each token takes more, in a frame of so many tokens.
    pub fn numbers_a_token(
        frame: impl Fn(usize) -> Frame,
        schedule: &Schedule,
        sizes: Sizes,
        traced: &[NodeId],
    ) -> usize {
        let memory = |tokens| Plan::new(schedule, sizes, frame(tokens), traced).memory;
        memory(2).saturating_sub(memory(1))
    }

    /// Moves all places to where arrays lie that share memory. Phase 0 is the caller's before the forward code; another one
    /// follows each part of the code.
    fn arrange(&mut self, memory: &Memory, keep_gradients: bool) {
        let between = 1 + self.forward.len();
        let behind = between + 1 + self.backward.len();
        let end = behind + 1 + self.gradient.len();
        let mut lives = Lives::new(&memory.arrays);
        self.inputs.iter().for_each(|p| lives.touch(p.offset, 0));
        // A memory is loaded once, and there for all that runs.
        for p in self.memories.iter().flat_map(|m| [m.slots.place, m.lengths]) {
            [0, end].into_iter().for_each(|phase| lives.touch(p.offset, phase));
        }
        for p in self.states.iter().flat_map(|s| [s.before, s.after]) {
            [0, between].into_iter().for_each(|phase| lives.touch(p.offset, phase));
        }
        self.traces
            .iter()
            .chain([&self.output])
            .chain(&self.output_gradient)
            .for_each(|p| lives.touch(p.offset, between));
        for p in &self.state_gradients {
            [between, end].into_iter().for_each(|phase| lives.touch(p.offset, phase));
        }
        self.input_gradients.iter().flatten().for_each(|p| lives.touch(p.offset, end));
        let of_memories = self.memories.iter().filter_map(|m| m.gradient.map(|p| p.offset));
        for at in self.gradients.iter().flatten().copied().chain(self.totals.iter().map(|t| t.1)).chain(of_memories) {
            [if keep_gradients { 0 } else { behind }, end].into_iter().for_each(|phase| lives.touch(at, phase));
        }
        let matrices = std::mem::take(&mut self.weights.matrices);
        for (code, first) in self.code().into_iter().zip([1, between + 1, behind + 1]) {
            lives.read(code, first, &matrices);
        }
        let (starts, len) = lives.place();
        let moved = |at: usize| find(&memory.arrays, at).map_or(at, |a| starts[a] + at - memory.arrays[a].start);
        for code in self.code() {
            each_place(code, 0, &matrices, &mut |place, _, _, _| place.offset = moved(place.offset));
        }
        self.weights.matrices = matrices;
        self.move_all(moved);
        self.memory = len;
    }

    /// Numbers of weights that a step forward reads.
    pub fn step_weights(&self) -> usize {
        let numbers = |matrix: usize| self.weights.matrices[matrix].shape().numbers();
        self.step_products()
            .map(|p| numbers(p.matrix) + p.before.as_ref().map_or(0, |first| numbers(first.matrix)))
            .sum()
    }

    /// Whether a product of inputs has gone into the loop.
    pub fn joins(&self) -> bool {
        self.step_products().any(|p| p.before.is_some())
    }

    fn step_products(&self) -> impl Iterator<Item = &Product> {
        let steps = self.forward.iter().filter_map(|phase| match phase {
            Phase::Steps { stages, .. } => Some(stages),
            _ => None,
        });
        steps.flatten().flat_map(|stage| &stage.products)
    }

    /// The parameters whose numbers the epilogue reads.
    pub fn read_params(&self, schedule: &Schedule) -> Vec<usize> {
        let epilogue = &schedule.backward.epilogue;
        let forward = self.epilogue(schedule).into_iter().filter_map(|n| match &epilogue[n.index()].op {
            Op::Forward(n) => Some(params_below(schedule, *n)),
            _ => None,
        });
        forward.flatten().collect()
    }

    /// The nodes that are evaluated behind the backward run.
    pub fn epilogue(&self, schedule: &Schedule) -> Vec<NodeId> {
        let epilogue = &schedule.backward.epilogue;
        let behind = self.gradients.iter().zip(&schedule.backward.params).filter(|(at, _)| at.is_none());
        let mut todo: Vec<NodeId> = behind.filter_map(|(_, n)| *n).collect();
        let (mut seen, mut all) = (vec![false; epilogue.len()], vec![]);
        while let Some(n) = todo.pop() {
            if !std::mem::replace(&mut seen[n.index()], true) {
                all.push(n);
                todo.extend(epilogue[n.index()].op.operands());
            }
        }
        all
    }

    fn code(&mut self) -> [&mut Vec<Phase>; 3] {
        [&mut self.forward, &mut self.backward, &mut self.gradient]
    }

    /// Moves what the caller and gradients use.
    fn move_all(&mut self, moved: impl Fn(usize) -> usize) {
        let to = |p: &mut Place| p.offset = moved(p.offset);
        let states = self.states.iter_mut().flat_map(|s| [&mut s.before, &mut s.after]);
        let gradients = self.input_gradients.iter_mut().flatten().chain(&mut self.state_gradients);
        let own =
            self.inputs.iter_mut().chain(&mut self.traces).chain([&mut self.output]).chain(&mut self.output_gradient);
        let memories = self
            .memories
            .iter_mut()
            .flat_map(|m| [&mut m.slots.place, &mut m.lengths].into_iter().chain(&mut m.gradient));
        states.chain(gradients).chain(own).chain(memories).for_each(to);
        let results = self.gradient.iter_mut().flat_map(|phase| match phase {
            Phase::Outer { lefts, .. } => lefts.iter_mut().map(|l| &mut l.out).collect(),
            Phase::Total { out, .. } => vec![out],
            _ => vec![],
        });
        let arrays = self.gradients.iter_mut().flatten().chain(self.totals.iter_mut().map(|t| &mut t.1));
        results.chain(arrays).for_each(|at| *at = moved(*at));
    }
}

/// The parameters that an invariant node is made of.
fn params_below(schedule: &Schedule, node: NodeId) -> Vec<usize> {
    let mut seen = vec![false; schedule.program.nodes.len()];
    let mut todo = vec![node];
    let mut params = vec![];
    while let Some(n) = todo.pop() {
        if std::mem::replace(&mut seen[n.index()], true) {
            continue;
        }
        let op = &schedule.program.nodes[n.index()].op;
        if let Op::Param(p) = op {
            params.push(p.index());
        }
        todo.extend(op.operands());
    }
    params
}

/// A state is kept at every step for the backward pass, or where the caller gets all its values anyway.
fn states(schedule: &Schedule, sizes: Sizes, frame: Frame, traced: &[NodeId], memory: &mut Memory) -> Vec<StatePlan> {
    let program = &schedule.program;
    let plan = |(d, next): (&Dim, &NodeId)| {
        let units = d.at(sizes);
        let asked = *next == program.output || traced.contains(next);
        let kept = frame.mode.trains() || (frame.mode == Mode::Whole && asked);
        if kept {
            let before = memory.rows(Rows::Before, frame.batch + frame.tokens, units);
            StatePlan { units, before, after: Place { rows: Rows::After, ..before } }
        } else {
            let before = memory.rows(Rows::Parity { flip: 0 }, 2 * frame.batch, units);
            StatePlan { units, before, after: Place { rows: Rows::Parity { flip: 1 }, ..before } }
        }
    };
    program.states.iter().zip(&program.next).map(plan).collect()
}
