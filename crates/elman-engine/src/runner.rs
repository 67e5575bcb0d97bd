//! A network over whole batches: forward, then backward, through layers and directions.

use elman_cell::program::NodeId;
use elman_kernel::{Isa, Real, Team};

use crate::batch::{Batch, Gradients, Outputs, Trace, check_batch, check_states};
use crate::error::{EngineError, check};
use crate::flow::{self, Columns};
use crate::layer::Layer;
use crate::network::{Network, direction_name};
use crate::plan::Mode;
use crate::tokens::Packing;
use crate::weights::Weights;

/// How a network is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads, the caller's included.
    pub threads: usize,
    /// The instruction set of `f32` kernels.
    pub isa: Isa,
    /// Whether gradients will be asked for.
    pub backward: bool,
    /// Named values whose value at every step is kept.
    pub trace: Vec<String>,
}

impl Options {
    /// One thread, the fastest instruction set, no gradients.
    pub fn new() -> Options {
        Options { threads: 1, isa: Isa::detect(), backward: false, trace: vec![] }
    }

    /// The same with gradients.
    pub fn with_backward(self) -> Options {
        Options { backward: true, ..self }
    }

    /// The same with a number of threads.
    pub fn with_threads(self, threads: usize) -> Options {
        Options { threads, ..self }
    }

    /// The same with an instruction set.
    pub fn with_isa(self, isa: Isa) -> Options {
        Options { isa, ..self }
    }

    /// The same with values to trace.
    pub fn with_trace(self, trace: &[&str]) -> Options {
        Options { trace: trace.iter().map(|s| s.to_string()).collect(), ..self }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

/// A panic of an earlier call took the threads with it.
const LOST: EngineError = EngineError::Order("a call after one that panicked");

/// Runs a network over batches; keeps its packed weights and work memory between calls.
pub struct Runner<T: Real> {
    network: Network,
    /// Per parameter: its numbers, where they are read beyond their packing, else nothing.
    weights: Vec<Vec<T>>,
    /// `layer · directions + direction`.
    layers: Vec<Layer<T>>,
    /// Absent while a call runs on it.
    team: Option<Team>,
    trace: Vec<(String, NodeId)>,
    packing: Option<Packing>,
    /// What a layer hands to the next, a row per token: forward, and backward.
    sheet: Vec<T>,
    gradient_sheets: [Vec<T>; 2],
    gave_initial: bool,
    backward: bool,
    ran: bool,
}

impl<T: Real> Runner<T> {
    /// Packs the weights.
    ///
    /// # Errors
    /// Weights of other shapes, a traced name that the cell does not define, threads that cannot be started.
    pub fn new(network: &Network, weights: &Weights<T>, options: Options) -> Result<Runner<T>, EngineError> {
        weights.check(network)?;
        let mut trace = vec![];
        let mut traced: Vec<NodeId> = vec![];
        for name in &options.trace {
            let known = &network.schedule().program.named;
            let Some((_, node)) = known.iter().find(|(n, _)| n == name) else {
                return Err(EngineError::Trace { name: name.clone(), known: network.traceable().join(", ") });
            };
            trace.push((name.clone(), *node));
            traced.push(*node);
        }
        let schedule = network.schedule_for(&traced);
        let mode = if options.backward { Mode::Train } else { Mode::Whole };
        let team = Team::new(options.threads.max(1)).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
        let mut layers = vec![];
        for (k, index) in network.0.index.iter().enumerate() {
            let params: Vec<&[T]> = index.iter().map(|i| weights.0[*i].as_slice()).collect();
            let sizes = network.sizes(k / network.spec().directions());
            layers.push(Layer::new(schedule.clone(), sizes, options.isa, mode, traced.clone(), &params)?);
        }
        let (network, backward) = (network.clone(), options.backward);
        let (packing, sheet, gradient_sheets) = (None, vec![], [vec![], vec![]]);
        let (gave_initial, ran) = (false, false);
        let mut runner = Runner {
            network,
            weights: vec![],
            layers,
            team: Some(team),
            trace,
            packing,
            sheet,
            gradient_sheets,
            gave_initial,
            backward,
            ran,
        };
        runner.keep_read(&weights.0);
        Ok(runner)
    }

    /// Keeps the parameters that are initial states, and those that gradients of computed values need.
    fn keep_read(&mut self, weights: &[Vec<T>]) {
        let mut read = vec![false; weights.len()];
        for (layer, index) in self.layers.iter().zip(&self.network.0.index) {
            let starts = self.network.spec().cell.states.iter().filter_map(|s| s.initial);
            starts.for_each(|p| read[index[p.index()]] = true);
            if layer.reads_params() {
                index.iter().for_each(|i| read[*i] = true);
            }
        }
        self.weights.resize_with(weights.len(), Vec::new);
        for ((kept, given), read) in self.weights.iter_mut().zip(weights).zip(read) {
            if read {
                kept.clone_from(given);
            }
        }
    }

    /// Replaces the weights and packs them.
    ///
    /// # Errors
    /// Weights of other shapes.
    pub fn set_weights(&mut self, weights: &Weights<T>) -> Result<(), EngineError> {
        weights.check(&self.network)?;
        self.keep_read(&weights.0);
        for (layer, index) in self.layers.iter_mut().zip(&self.network.0.index) {
            let params: Vec<&[T]> = index.iter().map(|i| weights.0[*i].as_slice()).collect();
            layer.set_weights(&params)?;
        }
        Ok(())
    }

    /// The network that is run.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Runs all layers over a batch.
    ///
    /// # Errors
    /// Slices whose length is not that of their shape, and lengths outside 1..=steps.
    pub fn forward(&mut self, batch: &Batch<T>) -> Result<Outputs<T>, EngineError> {
        let mut out = Outputs::default();
        self.forward_into(batch, &mut out)?;
        Ok(out)
    }

    /// The same, into memory that is used again.
    ///
    /// # Errors
    /// As [`Runner::forward`].
    pub fn forward_into(&mut self, batch: &Batch<T>, out: &mut Outputs<T>) -> Result<(), EngineError> {
        let team = self.team.take().ok_or(LOST)?;
        let done = self.forward_on(&team, batch, out);
        self.team = Some(team);
        done
    }

    /// The same on threads that several runners share, one after another.
    ///
    /// # Errors
    /// As [`Runner::forward`].
    pub fn forward_on(&mut self, team: &Team, batch: &Batch<T>, out: &mut Outputs<T>) -> Result<(), EngineError> {
        let fits = |p: &Packing| batch.mask.is_none() && p.is_for(batch.steps, batch.batch, batch.lengths);
        let packing = match self.packing.take().filter(fits) {
            Some(p) => p,
            None => Packing::new(batch.steps, batch.batch, batch.lengths, batch.mask)?,
        };
        let done = self.check_and_run(team, batch, &packing, out);
        self.gave_initial = batch.initial.is_some();
        self.ran = done.is_ok();
        self.packing = Some(packing);
        done
    }

    fn check_and_run(
        &mut self,
        team: &Team,
        batch: &Batch<T>,
        packing: &Packing,
        out: &mut Outputs<T>,
    ) -> Result<(), EngineError> {
        check_batch(&self.network, batch)?;
        let (layers, directions) = (self.network.spec().layers, self.network.spec().directions());
        let merge = self.network.spec().merge;
        let cells = batch.steps * batch.batch;
        let mut sheet = std::mem::take(&mut self.sheet);
        out.states.resize_with(self.network.states().len(), Vec::new);
        out.traces.clear();
        for l in 0..layers {
            for d in 0..directions {
                let k = l * directions + d;
                self.layers[k].prepare(&packing.timeline)?;
                if l == 0 {
                    for (i, x) in batch.inputs.iter().enumerate() {
                        flow::load_input(&mut self.layers[k], i, x, flow::caller(packing, d));
                    }
                } else {
                    flow::load_input(&mut self.layers[k], 0, &sheet, flow::tokens(packing, d));
                }
                self.load_states(k, batch, packing);
                self.layers[k].run_forward(&packing.timeline, team)?;
                self.read_states(k, packing, &mut out.states);
                self.read_traces(l, d, packing, &mut out.traces);
            }
            let last = l + 1 == layers;
            let (units, width) = (self.network.0.direction_output[l], self.network.layer_output(l));
            let to = if last { &mut out.y } else { &mut sheet };
            flow::reset(to, if last { cells } else { packing.tokens() } * width, last && packing.tokens() < cells);
            for d in 0..directions {
                let layer = &self.layers[l * directions + d];
                let map = if last { flow::caller(packing, d) } else { flow::tokens(packing, d) };
                let columns = Columns::of(merge, d, directions, units);
                flow::store(layer, layer.plan.output, units, to, map, columns);
            }
        }
        self.sheet = sheet;
        Ok(())
    }

    /// Runs all layers backward over the batch of the last `forward`, once: what was kept for it is gone then. `dy` is the gradient of a loss by `y`,
    /// [steps, batch, output]; `d_states` by the final states, per state [batch, dim] (zero if absent).
    ///
    /// # Errors
    /// No `forward` before, a runner made without gradients, slices of other lengths.
    pub fn backward(&mut self, dy: &[T], d_states: Option<&[Vec<T>]>) -> Result<Gradients<T>, EngineError> {
        let mut out = Gradients::default();
        self.backward_into(dy, d_states, &mut out)?;
        Ok(out)
    }

    /// The same, into memory that is used again.
    ///
    /// # Errors
    /// As [`Runner::backward`].
    pub fn backward_into(
        &mut self,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        let team = self.team.take().ok_or(LOST)?;
        let done = self.backward_on(&team, dy, d_states, out);
        self.team = Some(team);
        done
    }

    /// The same on threads that several runners share, one after another.
    ///
    /// # Errors
    /// As [`Runner::backward`].
    pub fn backward_on(
        &mut self,
        team: &Team,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        if !self.backward {
            return Err(EngineError::Order("this runner was made without gradients: set `backward` in its options"));
        }
        let Some(packing) = self.packing.take().filter(|_| self.ran) else {
            return Err(EngineError::Order("`backward` was called before `forward`, or twice after it"));
        };
        let cells = packing.steps * packing.batch;
        let fits = check("dy", dy.len(), cells * self.network.output_size())
            .and_then(|()| check_states("d.", &self.network, d_states, packing.batch));
        self.ran = fits.is_err();
        let done = fits.and_then(|()| self.back(team, dy, d_states, &packing, out));
        self.packing = Some(packing);
        done
    }

    fn back(
        &mut self,
        team: &Team,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        packing: &Packing,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        let cells = packing.steps * packing.batch;
        let (layers, directions) = (self.network.spec().layers, self.network.spec().directions());
        let merge = self.network.spec().merge;
        let [mut upper, mut below] = std::mem::take(&mut self.gradient_sheets);
        out.inputs.resize_with(self.network.inputs().len(), Vec::new);
        out.initial.resize_with(self.network.states().len(), Vec::new);
        for l in (0..layers).rev() {
            let units = self.network.0.direction_output[l];
            for d in 0..directions {
                let k = l * directions + d;
                let columns = Columns::of(merge, d, directions, units);
                let (from, map) = if l + 1 == layers {
                    (dy, flow::caller(packing, d))
                } else {
                    (upper.as_slice(), flow::tokens(packing, d))
                };
                flow::load_gradient(&mut self.layers[k], units, from, map, columns);
                self.load_state_gradients(k, d_states, packing);
                self.layers[k].run_backward(&packing.timeline, team)?;
                self.read_initial(k, packing, &mut out.initial);
            }
            let count = if l == 0 { self.network.inputs().len() } else { 1 };
            for i in 0..count {
                let dim = self.layer_inputs(l, i);
                let to = if l == 0 { &mut out.inputs[i] } else { &mut below };
                flow::reset(to, dim * if l == 0 { cells } else { packing.tokens() }, true);
                for d in 0..directions {
                    let layer = &self.layers[l * directions + d];
                    let map = if l == 0 { flow::caller(packing, d) } else { flow::tokens(packing, d) };
                    if let Some(place) = layer.plan.input_gradients[i] {
                        flow::store(layer, place, dim, to, map, Columns::sum(d, dim));
                    }
                }
            }
            std::mem::swap(&mut upper, &mut below);
        }
        self.gradient_sheets = [upper, below];
        self.collect_parameters(out);
        Ok(())
    }

    /// Units of input i of layer l.
    fn layer_inputs(&self, l: usize, i: usize) -> usize {
        self.network.spec().cell.inputs[i].dim.at(self.network.sizes(l))
    }

    /// The states of this layer and direction among those of the network.
    fn states_of(&self, k: usize) -> std::ops::Range<usize> {
        let count = self.network.spec().cell.states.len();
        k * count..(k + 1) * count
    }

    fn load_states(&mut self, k: usize, batch: &Batch<T>, packing: &Packing) {
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
    }

    fn read_states(&self, k: usize, packing: &Packing, states: &mut [Vec<T>]) {
        for (s, state) in self.states_of(k).enumerate() {
            let plan = &self.layers[k].plan.states[s];
            let at = |row: usize| self.layers[k].final_row(plan.after, packing, row);
            flow::read_rows(&self.layers[k], plan.after, plan.units, packing, at, &mut states[state]);
        }
    }

    fn read_traces(&self, l: usize, d: usize, packing: &Packing, traces: &mut Vec<Trace<T>>) {
        let layer = &self.layers[l * self.network.spec().directions() + d];
        for (index, (name, node)) in self.trace.iter().enumerate() {
            let shape = self.network.schedule().program.nodes[node.index()].shape;
            let dim = crate::invariants::units(shape, self.network.sizes(l));
            let mut values = vec![T::ZERO; packing.steps * packing.batch * dim];
            flow::store(
                layer,
                layer.plan.traces[index],
                dim,
                &mut values,
                flow::caller(packing, d),
                Columns::sum(0, dim),
            );
            traces.push(Trace { name: format!("{l}.{}.{name}", direction_name(d)), dim, values });
        }
    }

    fn load_state_gradients(&mut self, k: usize, d_states: Option<&[Vec<T>]>, packing: &Packing) {
        for (s, state) in self.states_of(k).enumerate() {
            let (place, units) = (self.layers[k].plan.state_gradients[s], self.layers[k].plan.states[s].units);
            for row in 0..packing.batch {
                let at = self.layers[k].initial_row(place, row, packing.lengths[row]);
                let to = self.layers[k].row_mut(place, at, units);
                let from = packing.order[row] * units;
                match d_states {
                    Some(d) => to.copy_from_slice(&d[state][from..from + units]),
                    None => to.fill(T::ZERO),
                }
            }
        }
    }

    fn read_initial(&self, k: usize, packing: &Packing, initial: &mut [Vec<T>]) {
        for (s, state) in self.states_of(k).enumerate() {
            let (place, units) = (self.layers[k].plan.state_gradients[s], self.layers[k].plan.states[s].units);
            let at = |row: usize| self.layers[k].initial_row(place, row, 0);
            flow::read_rows(&self.layers[k], place, units, packing, at, &mut initial[state]);
        }
    }

    /// What every layer and direction says of its parameters, and of learned initial values.
    fn collect_parameters(&self, out: &mut Gradients<T>) {
        out.parameters.resize_with(self.network.parameters().len(), Vec::new);
        for (g, t) in out.parameters.iter_mut().zip(self.network.parameters()) {
            flow::reset(g, t.count(), true);
        }
        for (k, index) in self.network.0.index.iter().enumerate() {
            let params: Vec<&[T]> = index.iter().map(|i| self.weights[*i].as_slice()).collect();
            self.layers[k].add_gradients(&params, &mut |p, g| flow::add_to(&mut out.parameters[index[p]], g));
            for (s, state) in self.states_of(k).enumerate() {
                if let Some(p) = self.network.spec().cell.states[s].initial.filter(|_| !self.gave_initial) {
                    let total = &mut out.parameters[index[p.index()]];
                    let units = total.len();
                    out.initial[state].chunks(units).for_each(|row| flow::add_to(total, row));
                }
            }
        }
    }
}
