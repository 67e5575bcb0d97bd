//! One layer in one direction over a batch, segment by segment.
//!
//! Segments hand their states on, as a stream does, so that the bits are those of the whole. A batch whose values are kept
//! is one segment. Where they are to be recomputed only the states between segments are kept, and the way back has two
//! sweeps:
//!
//! ```text
//! falling   each segment forward again, then backward without weights: the gradients by the states between segments
//! rising    each segment forward again, then backward with weights, whose sums go on from segment to segment; once more
//!           for each further use of a weight (`plan/rounds.rs`)
//! ```
//!
//! The second sweep is there because the gradient of a weight is one chain over all steps in rising order: so the bits are
//! those of a run that keeps everything.

use elman_kernel::code::Place;
use elman_kernel::{Real, Team};

use super::Runner;
use crate::batch::{Batch, Outputs, Trace};
use crate::error::EngineError;
use crate::flow::{self, Columns};
use crate::network::direction_name;
use crate::plan::StatePlan;
use crate::tokens::{Packing, Segment};

/// Which layer and direction.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub layer: usize,
    pub direction: usize,
}

/// What a layer reads.
#[derive(Clone, Copy)]
pub(super) enum Source<'a, T> {
    /// The caller's inputs.
    Caller(&'a Batch<'a, T>),
    /// The sheet of the layer below, and the batch.
    Sheet(&'a [T], &'a Batch<'a, T>),
    /// Nothing: it holds what it needs since its forward run.
    Held,
}

/// The gradient of a layer's output.
#[derive(Clone, Copy)]
pub(super) enum Above<'a, T> {
    Caller(&'a [T]),
    Sheet(&'a [T]),
}

/// Values of states: per state, a row each.
type Rows<T> = Vec<Vec<T>>;

impl<T: Real> Runner<T> {
    fn index(&self, at: At) -> usize {
        at.layer * self.network.spec().directions() + at.direction
    }

    /// Forward over all segments, into `to`, which is the caller's `y` above the last layer.
    pub(super) fn forward_layer(
        &mut self,
        team: &Team,
        at: At,
        source: Source<T>,
        packing: &Packing,
        to: &mut [T],
        out: &mut Outputs<T>,
    ) -> Result<(), EngineError> {
        let k = self.index(at);
        let units = self.network.0.direction_output[at.layer];
        let columns = Columns::of(self.network.spec().merge, at.direction, self.network.spec().directions(), units);
        let last = at.layer + 1 == self.network.spec().layers;
        let map = if last { flow::caller(packing, at.direction) } else { flow::tokens(packing, at.direction) };
        for state in self.states_of(k) {
            flow::reset(&mut out.states[state], packing.batch * self.network.states()[state].count(), false);
        }
        let first_trace = self.add_traces(at, packing, &mut out.traces);
        self.starts[k].clear();
        for (s, segment) in packing.segments.iter().enumerate() {
            self.run_segment(team, at, source, packing, (s, segment))?;
            self.read_states(k, packing, segment, &mut out.states);
            self.read_traces(team, at, packing, segment, &mut out.traces[first_trace..]);
            let layer = &self.layers[k];
            flow::store(team, layer, layer.plan.output, units, to, map, columns, segment.tokens());
        }
        Ok(())
    }

    /// Forward over one segment.
    fn run_segment(
        &mut self,
        team: &Team,
        at: At,
        source: Source<T>,
        packing: &Packing,
        (s, segment): (usize, &Segment),
    ) -> Result<(), EngineError> {
        let (k, d, tokens) = (self.index(at), at.direction, segment.tokens());
        let batch = match source {
            Source::Held => return Ok(()),
            Source::Caller(batch) => {
                for (i, x) in batch.inputs.iter().enumerate() {
                    flow::load_input(team, &mut self.layers[k], i, x, flow::caller(packing, d), tokens.clone());
                }
                batch
            }
            Source::Sheet(sheet, batch) => {
                flow::load_input(team, &mut self.layers[k], 0, sheet, flow::tokens(packing, d), tokens);
                batch
            }
        };
        let start = if self.recompute { s } else { 0 };
        match self.starts[k].get(start) {
            Some(_) => self.load_start(k, start),
            None => self.load_initial(k, batch, packing),
        }
        self.layers[k].run_forward(&segment.timeline, team)
    }

    fn load_start(&mut self, k: usize, start: usize) {
        for (plan, rows) in self.layers[k].plan.states.clone().iter().zip(&self.starts[k][start]) {
            for (row, from) in rows.chunks_exact(plan.units).enumerate() {
                let at = self.layers[k].initial_row(plan.before, row, 0);
                self.layers[k].row_mut(plan.before, at, plan.units).copy_from_slice(from);
            }
        }
    }

    /// Keeps where the first segment starts, if it will be run again.
    fn keep_initial(&mut self, k: usize, packing: &Packing) {
        let layer = &self.layers[k];
        let one = |plan: &StatePlan| {
            let row = |row| layer.row(plan.before, layer.initial_row(plan.before, row, 0), plan.units);
            (0..packing.batch).flat_map(row).copied().collect()
        };
        if self.recompute {
            self.starts[k].push(layer.plan.states.iter().map(one).collect());
        }
    }

    fn load_initial(&mut self, k: usize, batch: &Batch<T>, packing: &Packing) {
        for (s, state) in self.states_of(k).enumerate() {
            let plan = self.layers[k].plan.states[s];
            let learned = self.network.spec().cell.states[s].initial.map(|p| self.network.0.index[k][p.index()]);
            for row in 0..packing.batch {
                let at = self.layers[k].initial_row(plan.before, row, 0);
                let to = self.layers[k].row_mut(plan.before, at, plan.units);
                match (batch.initial, learned) {
                    (Some(given), _) => {
                        let from = packing.order[row] * plan.units;
                        to.copy_from_slice(&given[state][from..from + plan.units]);
                    }
                    (None, Some(p)) => to.copy_from_slice(&self.weights[p]),
                    (None, None) => to.fill(T::ZERO),
                }
            }
        }
        self.keep_initial(k, packing);
    }

    /// States after a segment: final ones to the caller, the others to where the next segment starts.
    fn read_states(&mut self, k: usize, packing: &Packing, segment: &Segment, states: &mut [Vec<T>]) {
        let mut starts: Rows<T> = vec![];
        for (s, state) in self.states_of(k).enumerate() {
            let plan = &self.layers[k].plan.states[s];
            let mut going = vec![];
            for row in 0..segment.rows() {
                let at = self.layers[k].final_row(plan.after, segment, row);
                let from = self.layers[k].row(plan.after, at, plan.units);
                if segment.ends(packing, row) {
                    let to = packing.order[row] * plan.units;
                    states[state][to..to + plan.units].copy_from_slice(from);
                } else {
                    going.extend_from_slice(from);
                }
            }
            starts.push(going);
        }
        if !self.recompute {
            self.starts[k].clear();
        }
        self.starts[k].push(starts);
    }

    /// Adds the traces of a layer, zero everywhere; the number of the first.
    fn add_traces(&self, at: At, packing: &Packing, traces: &mut Vec<Trace<T>>) -> usize {
        let first = traces.len();
        for (name, node) in &self.trace {
            let shape = self.network.schedule().program.nodes[node.index()].shape;
            let dim = crate::invariants::units(shape, self.network.sizes(at.layer));
            let name = format!("{}.{}.{name}", at.layer, direction_name(at.direction));
            traces.push(Trace { name, dim, values: vec![T::ZERO; packing.steps * packing.batch * dim] });
        }
        first
    }

    fn read_traces(&self, team: &Team, at: At, packing: &Packing, segment: &Segment, traces: &mut [Trace<T>]) {
        let layer = &self.layers[self.index(at)];
        for (place, trace) in layer.plan.traces.iter().zip(traces) {
            let (map, columns) = (flow::caller(packing, at.direction), Columns::sum(0, trace.dim));
            flow::store(team, layer, *place, trace.dim, &mut trace.values, map, columns, segment.tokens());
        }
    }

    /// Backward over all segments; gradients of inputs are stored in, or added to, `to`.
    pub(super) fn backward_layer(
        &mut self,
        team: &Team,
        at: At,
        (source, above): (Source<T>, Above<T>),
        d_states: Option<&[Vec<T>]>,
        packing: &Packing,
        to: &mut [Vec<T>],
        initial: &mut [Vec<T>],
    ) -> Result<(), EngineError> {
        let k = self.index(at);
        let segments = &packing.segments;
        // By the states between segments: number s is where segment s + 1 starts.
        let mut between: Vec<Rows<T>> = vec![vec![]; segments.len() - 1];
        for s in (1..segments.len()).rev() {
            self.run_segment(team, at, source, packing, (s, &segments[s]))?;
            self.load_gradients(team, at, above, d_states, packing, &segments[s], between.get(s));
            self.layers[k].run_backward(&segments[s].timeline, team)?;
            between[s - 1] = self.start_gradients(k, &segments[s]);
        }
        if self.recompute {
            self.layers[k].zero_gradients();
        }
        for round in 0..self.layers[k].rounds().max(1) {
            for (s, segment) in segments.iter().enumerate() {
                self.run_segment(team, at, source, packing, (s, segment))?;
                self.load_gradients(team, at, above, d_states, packing, segment, between.get(s));
                self.layers[k].run_backward(&segment.timeline, team)?;
                if round == 0 {
                    self.store_gradients(team, at, packing, segment, to);
                }
                if (round, s) == (0, 0) {
                    self.read_initial(k, packing, initial);
                }
                self.layers[k].run_gradients(&segment.timeline, team, round, !self.recompute)?;
            }
        }
        Ok(())
    }

    /// Stores or adds the gradients by a layer's inputs.
    fn store_gradients(&self, team: &Team, at: At, packing: &Packing, segment: &Segment, to: &mut [Vec<T>]) {
        let (layer, first) = (&self.layers[self.index(at)], at.layer == 0);
        let map = if first { flow::caller(packing, at.direction) } else { flow::tokens(packing, at.direction) };
        for (i, to) in to.iter_mut().enumerate() {
            let dim = self.layer_inputs(at.layer, i);
            if let Some(place) = layer.plan.input_gradients[i] {
                flow::store(team, layer, place, dim, to, map, Columns::sum(at.direction, dim), segment.tokens());
            }
        }
    }

    /// By the output at every step, and by the state after the last one, of a segment.
    fn load_gradients(
        &mut self,
        team: &Team,
        at: At,
        above: Above<T>,
        d_states: Option<&[Vec<T>]>,
        packing: &Packing,
        segment: &Segment,
        later: Option<&Rows<T>>,
    ) {
        let (k, units) = (self.index(at), self.network.0.direction_output[at.layer]);
        let columns = Columns::of(self.network.spec().merge, at.direction, self.network.spec().directions(), units);
        let (from, map) = match above {
            Above::Caller(dy) => (dy, flow::caller(packing, at.direction)),
            Above::Sheet(sheet) => (sheet, flow::tokens(packing, at.direction)),
        };
        flow::load_gradient(team, &mut self.layers[k], units, from, map, columns, segment.tokens());
        for (s, state) in self.states_of(k).enumerate() {
            let (place, units) = (self.layers[k].plan.state_gradients[s], self.layers[k].plan.states[s].units);
            for row in 0..segment.rows() {
                let at = self.layers[k].initial_row(place, row, segment.lengths[row]);
                let to = self.layers[k].row_mut(place, at, units);
                let from = packing.order[row] * units;
                match (later, d_states) {
                    (Some(later), _) if !segment.ends(packing, row) => {
                        to.copy_from_slice(&later[s][row * units..(row + 1) * units]);
                    }
                    (_, Some(d)) => to.copy_from_slice(&d[state][from..from + units]),
                    (_, None) => to.fill(T::ZERO),
                }
            }
        }
    }

    /// By the states before a segment's first step.
    fn start_gradients(&self, k: usize, segment: &Segment) -> Rows<T> {
        let layer = &self.layers[k];
        let one = |(place, plan): (&Place, &StatePlan)| {
            let row = |row| layer.row(*place, layer.initial_row(*place, row, 0), plan.units).to_vec();
            (0..segment.rows()).flat_map(row).collect()
        };
        layer.plan.state_gradients.iter().zip(&layer.plan.states).map(one).collect()
    }

    fn read_initial(&self, k: usize, packing: &Packing, initial: &mut [Vec<T>]) {
        for (s, state) in self.states_of(k).enumerate() {
            let (place, units) = (self.layers[k].plan.state_gradients[s], self.layers[k].plan.states[s].units);
            let at = |row: usize| self.layers[k].initial_row(place, row, 0);
            flow::read_rows(&self.layers[k], place, units, packing, at, &mut initial[state]);
        }
    }
}
