//! A network over whole batches: forward, then backward, through layers and directions.

use elman_cell::program::NodeId;
use elman_kernel::code::Rows;
use elman_kernel::{Isa, Real, Team};

use crate::error::EngineError;
use crate::layer::Layer;
use crate::network::{Merge, Network, direction_name};
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

/// Sequences of a batch.
#[derive(Clone, Debug)]
pub struct Batch<'a, T> {
    /// Steps of the longest sequence, or more.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Per input of the network: [steps, batch, dim]. What lies beyond a sequence's length is never read.
    pub inputs: Vec<&'a [T]>,
    /// Per sequence: its length, 1 to `steps`; all `steps` long if absent.
    pub lengths: Option<&'a [usize]>,
    /// Per state of the network: [batch, dim]. Absent: zero, or the learned initial value.
    pub initial: Option<&'a [Vec<T>]>,
}

impl<'a, T> Batch<'a, T> {
    /// Equal lengths, initial states of zero.
    pub fn new(steps: usize, batch: usize, x: &'a [T]) -> Batch<'a, T> {
        Batch { steps, batch, inputs: vec![x], lengths: None, initial: None }
    }
}

/// What forward gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs<T> {
    /// [steps, batch, output]; zero beyond a sequence's length.
    pub y: Vec<T>,
    /// Per state of the network: [batch, dim], after the last valid step of each sequence in that direction.
    pub states: Vec<Vec<T>>,
    /// The traced values, layer by layer, forward before backward.
    pub traces: Vec<Trace<T>>,
}

/// A named value at every step.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace<T> {
    /// `0.forward.f`.
    pub name: String,
    /// Its units.
    pub dim: usize,
    /// [steps, batch, dim], by the caller's steps in both directions; zero beyond a sequence's length.
    pub values: Vec<T>,
}

/// What backward gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients<T> {
    /// Per input of the network: [steps, batch, dim]; zero beyond a sequence's length.
    pub inputs: Vec<Vec<T>>,
    /// Per parameter of the network.
    pub parameters: Vec<Vec<T>>,
    /// Per state of the network: by its initial value, [batch, dim].
    pub initial: Vec<Vec<T>>,
}

/// Runs a network over batches; keeps its packed weights and work memory between calls.
pub struct Runner<T: Real> {
    network: Network,
    weights: Weights<T>,
    /// `layer · directions + direction`.
    layers: Vec<Layer<T>>,
    team: Team,
    trace: Vec<(String, usize)>,
    packing: Option<Packing>,
    gave_initial: bool,
    backward: bool,
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
            trace.push((name.clone(), traced.len()));
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
        let (network, weights, backward) = (network.clone(), weights.clone(), options.backward);
        Ok(Runner { network, weights, layers, team, trace, packing: None, gave_initial: false, backward })
    }

    /// Replaces the weights and packs them.
    ///
    /// # Errors
    /// Weights of other shapes.
    pub fn set_weights(&mut self, weights: &Weights<T>) -> Result<(), EngineError> {
        weights.check(&self.network)?;
        self.weights.clone_from(weights);
        for (layer, index) in self.layers.iter_mut().zip(&self.network.0.index) {
            let params: Vec<&[T]> = index.iter().map(|i| self.weights.0[*i].as_slice()).collect();
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
        let packing = Packing::new(batch.steps, batch.batch, batch.lengths)?;
        check_batch(&self.network, batch)?;
        let rows = packing.caller_rows();
        let reversed = packing.reversed();
        let dims: Vec<usize> = self.network.inputs().iter().map(|t| t.shape[0]).collect();
        let mut inputs: Vec<Vec<T>> =
            batch.inputs.iter().zip(&dims).map(|(x, d)| gather(x, &rows, *d)).collect();
        let (spec_layers, directions) = (self.network.spec().layers, self.network.spec().directions());
        let (mut states, mut traces) = (vec![], vec![]);
        for l in 0..spec_layers {
            let mut outs = vec![];
            for d in 0..directions {
                let k = l * directions + d;
                let map = (d == 1).then_some(reversed.as_slice());
                self.layers[k].prepare(&packing.timeline)?;
                self.load_inputs(k, &inputs, map);
                self.load_states(k, batch, &packing);
                self.layers[k].run_forward(&packing.timeline, &self.team)?;
                let layer = &self.layers[k];
                let units = self.network.0.direction_output;
                outs.push(read_tokens(layer, layer.plan.output, units, map, packing.tokens()));
                states.extend(final_states(layer, &packing));
                for (name, index) in &self.trace {
                    let dim = self.trace_units(l, *index);
                    let tokens = read_tokens(layer, layer.plan.traces[*index], dim, map, packing.tokens());
                    let values = scatter(&tokens, &rows, dim, batch.steps * batch.batch);
                    traces.push(Trace { name: format!("{l}.{}.{name}", direction_name(d)), dim, values });
                }
            }
            inputs = vec![merge(self.network.spec().merge, outs, self.network.0.direction_output)];
        }
        let y = scatter(&inputs[0], &rows, self.network.output_size(), batch.steps * batch.batch);
        self.gave_initial = batch.initial.is_some();
        self.packing = Some(packing);
        Ok(Outputs { y, states, traces })
    }

    /// Runs all layers backward over the batch of the last `forward`. `dy` is the gradient of a loss by `y`,
    /// [steps, batch, output]; `d_states` by the final states, per state [batch, dim] (zero if absent).
    ///
    /// # Errors
    /// No `forward` before, a runner made without gradients, slices of other lengths.
    pub fn backward(&mut self, dy: &[T], d_states: Option<&[Vec<T>]>) -> Result<Gradients<T>, EngineError> {
        if !self.backward {
            return Err(EngineError::Order("this runner was made without gradients: set `backward` in its options"));
        }
        let Some(packing) = self.packing.clone() else {
            return Err(EngineError::Order("`backward` was called before `forward`"));
        };
        let cells = packing.steps * packing.batch;
        check("dy", dy.len(), cells * self.network.output_size())?;
        check_states("d.", &self.network, d_states, packing.batch)?;
        let rows = packing.caller_rows();
        let reversed = packing.reversed();
        let mut upper = gather(dy, &rows, self.network.output_size());
        let mut parameters = Weights::<T>::zeros(&self.network).0;
        let mut initial: Vec<Vec<T>> = self.network.states().iter().map(|_| vec![]).collect();
        let directions = self.network.spec().directions();
        let mut inputs: Vec<Vec<T>> = vec![];
        for l in (0..self.network.spec().layers).rev() {
            let mut below: Vec<Vec<T>> = vec![];
            for d in 0..directions {
                let k = l * directions + d;
                let map = (d == 1).then_some(reversed.as_slice());
                let own = part(&upper, self.network.spec().merge, d, directions, self.network.0.direction_output);
                self.load_gradients(k, &own, map, d_states, &packing);
                self.layers[k].run_backward(&packing.timeline, &self.team)?;
                self.read_initial(k, &packing, &mut initial);
                add_inputs(&mut below, self.input_gradients(k, map, &packing));
            }
            upper = below.first().cloned().unwrap_or_default();
            inputs = below;
        }
        for k in 0..self.layers.len() {
            self.add_parameters(k, &mut parameters, &initial);
        }
        let dims = self.network.inputs().iter().map(|t| t.shape[0]);
        let inputs = inputs.iter().zip(dims).map(|(x, d)| scatter(x, &rows, d, cells)).collect();
        Ok(Gradients { inputs, parameters, initial })
    }

    fn trace_units(&self, l: usize, index: usize) -> usize {
        let schedule = self.network.schedule();
        let name = &self.trace[index].0;
        let node = schedule.program.named.iter().find(|(n, _)| n == name).map(|(_, n)| *n);
        node.map_or(0, |n| crate::invariants::units(schedule.program.nodes[n.index()].shape, self.network.sizes(l)))
    }

    fn load_inputs(&mut self, k: usize, inputs: &[Vec<T>], map: Option<&[usize]>) {
        for (i, x) in inputs.iter().enumerate() {
            let place = self.layers[k].plan.inputs[i];
            write_tokens(&mut self.layers[k], place, x, map);
        }
    }

    /// The states of this layer and direction among those of the network.
    fn states_of(&self, k: usize) -> std::ops::Range<usize> {
        let count = self.network.spec().cell.states.len();
        k * count..(k + 1) * count
    }

    fn load_states(&mut self, k: usize, batch: &Batch<T>, packing: &Packing) {
        let range = self.states_of(k);
        for (s, state) in range.enumerate() {
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
                    (None, Some(p)) => to.copy_from_slice(&self.weights.0[p]),
                    (None, None) => to.fill(T::ZERO),
                }
            }
        }
    }

    fn load_gradients(
        &mut self,
        k: usize,
        dy: &[T],
        map: Option<&[usize]>,
        d_states: Option<&[Vec<T>]>,
        packing: &Packing,
    ) {
        if let Some(place) = self.layers[k].plan.output_gradient {
            write_tokens(&mut self.layers[k], place, dy, map);
        }
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
            let layer = &self.layers[k];
            let (place, units) = (layer.plan.state_gradients[s], layer.plan.states[s].units);
            let mut out = vec![T::ZERO; packing.batch * units];
            for row in 0..packing.batch {
                let to = packing.order[row] * units;
                out[to..to + units].copy_from_slice(layer.row(place, layer.initial_row(place, row, 0), units));
            }
            initial[state] = out;
        }
    }

    fn input_gradients(&self, k: usize, map: Option<&[usize]>, packing: &Packing) -> Vec<Vec<T>> {
        let layer = &self.layers[k];
        let dim = |i: usize| self.network.spec().cell.inputs[i].dim.at(self.network.sizes(k / self.network.spec().directions()));
        let read = |(i, place): (usize, &Option<elman_kernel::code::Place>)| match place {
            Some(p) => read_tokens(layer, *p, dim(i), map, packing.tokens()),
            None => vec![T::ZERO; packing.tokens() * dim(i)],
        };
        layer.plan.input_gradients.iter().enumerate().map(read).collect()
    }

    /// Adds what layer k says of its parameters, and of learned initial values, to the network's.
    fn add_parameters(&self, k: usize, parameters: &mut [Vec<T>], initial: &[Vec<T>]) {
        let index = &self.network.0.index[k];
        let params: Vec<&[T]> = index.iter().map(|i| self.weights.0[*i].as_slice()).collect();
        self.layers[k].add_gradients(&params, &mut |p, g| add_to(&mut parameters[index[p]], g));
        for (s, state) in self.states_of(k).enumerate() {
            if let Some(p) = self.network.spec().cell.states[s].initial.filter(|_| !self.gave_initial) {
                let total = &mut parameters[index[p.index()]];
                let units = total.len();
                initial[state].chunks(units).for_each(|row| add_to(total, row));
            }
        }
    }
}

fn add_to<T: Real>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t = crate::invariants::add(*t, *f));
}

/// Both directions read the same inputs: their gradients add up, forward first.
fn add_inputs<T: Real>(below: &mut Vec<Vec<T>>, new: Vec<Vec<T>>) {
    if below.is_empty() {
        *below = new;
    } else {
        below.iter_mut().zip(&new).for_each(|(b, n)| add_to(b, n));
    }
}

/// The rows `rows` of a [rows, dim] slice.
fn gather<T: Real>(from: &[T], rows: &[usize], dim: usize) -> Vec<T> {
    rows.iter().flat_map(|r| &from[r * dim..(r + 1) * dim]).copied().collect()
}

/// Puts row k at row `rows[k]` of `count`; the others are zero.
fn scatter<T: Real>(from: &[T], rows: &[usize], dim: usize, count: usize) -> Vec<T> {
    let mut out = vec![T::ZERO; count * dim];
    for (k, r) in rows.iter().enumerate() {
        out[r * dim..(r + 1) * dim].copy_from_slice(&from[k * dim..(k + 1) * dim]);
    }
    out
}

/// The tokens of a layer in forward order: [tokens, units].
fn read_tokens<T: Real>(
    layer: &Layer<T>,
    place: elman_kernel::code::Place,
    units: usize,
    map: Option<&[usize]>,
    tokens: usize,
) -> Vec<T> {
    let mut out = vec![T::ZERO; tokens * units];
    for (token, to) in out.chunks_mut(units).enumerate() {
        let from = map.map_or(token, |m| m[token]);
        to.copy_from_slice(layer.row(place, layer.token_row(place, from), units));
    }
    out
}

fn write_tokens<T: Real>(layer: &mut Layer<T>, place: elman_kernel::code::Place, from: &[T], map: Option<&[usize]>) {
    let count = layer.tokens();
    let units = from.len() / count;
    for token in 0..count {
        let source = map.map_or(token, |m| m[token]);
        layer.row_mut(place, token, units).copy_from_slice(&from[source * units..(source + 1) * units]);
    }
}

/// Per state: [batch, dim], after each sequence's last step.
fn final_states<T: Real>(layer: &Layer<T>, packing: &Packing) -> Vec<Vec<T>> {
    let one = |s: &crate::plan::StatePlan| {
        let mut out = vec![T::ZERO; packing.batch * s.units];
        for row in 0..packing.batch {
            let last = packing.lengths[row];
            let at = match s.after.rows {
                Rows::After => layer.token_row(s.after, packing.timeline.first[last - 1] + row),
                _ => layer.initial_row(s.after, row, last),
            };
            let to = packing.order[row] * s.units;
            out[to..to + s.units].copy_from_slice(layer.row(s.after, at, s.units));
        }
        out
    };
    layer.plan.states.iter().map(one).collect()
}

/// One output of both directions.
fn merge<T: Real>(how: Merge, mut outs: Vec<Vec<T>>, units: usize) -> Vec<T> {
    let Some(backward) = (outs.len() == 2).then(|| outs.pop()).flatten() else {
        return outs.pop().unwrap_or_default();
    };
    let forward = outs.pop().unwrap_or_default();
    match how {
        Merge::Concat => {
            forward.chunks(units).zip(backward.chunks(units)).flat_map(|(f, b)| f.iter().chain(b)).copied().collect()
        }
        Merge::Sum => forward.iter().zip(&backward).map(|(f, b)| crate::invariants::add(*f, *b)).collect(),
        Merge::Mean => {
            forward.iter().zip(&backward).map(|(f, b)| half(crate::invariants::add(*f, *b))).collect()
        }
    }
}

fn half<T: Real>(x: T) -> T {
    T::binary(elman_kernel::code::Binary::Mul, x, T::from_f64(0.5))
}

/// What the gradient of the merged output says to one direction.
fn part<T: Real>(upper: &[T], how: Merge, direction: usize, directions: usize, units: usize) -> Vec<T> {
    match how {
        _ if directions == 1 => upper.to_vec(),
        Merge::Concat => upper.chunks(2 * units).flat_map(|r| &r[direction * units..(direction + 1) * units]).copied().collect(),
        Merge::Sum => upper.to_vec(),
        Merge::Mean => upper.iter().map(|x| half(*x)).collect(),
    }
}

fn check(what: &str, found: usize, wanted: usize) -> Result<(), EngineError> {
    if found == wanted { Ok(()) } else { Err(EngineError::Length { what: what.into(), found, wanted }) }
}

fn check_states<T>(prefix: &str, network: &Network, given: Option<&[Vec<T>]>, batch: usize) -> Result<(), EngineError> {
    let Some(given) = given else { return Ok(()) };
    check(&format!("{prefix}states (tensors)"), given.len(), network.states().len())?;
    for (v, t) in given.iter().zip(network.states()) {
        check(&format!("{prefix}{}", t.name), v.len(), batch * t.count())?;
    }
    Ok(())
}

fn check_batch<T>(network: &Network, batch: &Batch<T>) -> Result<(), EngineError> {
    check("inputs (tensors)", batch.inputs.len(), network.inputs().len())?;
    let cells = batch.steps.checked_mul(batch.batch);
    for (x, t) in batch.inputs.iter().zip(network.inputs()) {
        let Some(wanted) = cells.and_then(|c| c.checked_mul(t.count())) else {
            return Err(EngineError::Overflow { what: format!("input `{}`", t.name) });
        };
        check(&t.name, x.len(), wanted)?;
    }
    check_states("", network, batch.initial, batch.batch)
}
