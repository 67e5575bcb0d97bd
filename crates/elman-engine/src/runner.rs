//! A network over whole batches: forward, then backward, through layers and directions.

mod options;
mod passes;

pub use options::Options;

use elman_cell::program::NodeId;
use elman_kernel::{Precision, Real, Team};

use crate::batch::{Batch, Gradients, Outputs, check_batch, check_states};
use crate::error::{EngineError, check};
use crate::flow;
use crate::layer::{Arithmetic, Layer};
use crate::network::Network;
use crate::plan::Mode;
use crate::tokens::Packing;
use crate::weights::Weights;
use passes::{Above, At, Source};

/// Bytes of a segment's work memory, a thread, where nothing is kept: as much as a second cache. The time loop reads what was
/// computed ahead of it for every token; of a long batch that would come back from memory.
const SEGMENT_BYTES: usize = 1 << 20;

/// Tokens a thread that such a segment has at least, so that products of all its tokens read their weights seldom.
const SEGMENT_TOKENS: usize = 128;

/// Tokens of a segment where nothing is kept, each of so many bytes.
pub(crate) fn segment_tokens(token_bytes: usize, threads: usize) -> usize {
    (SEGMENT_BYTES / token_bytes.max(1)).max(SEGMENT_TOKENS) * threads
}

/// Steps of a segment where values are recomputed: its values and the states between segments take about as much.
pub(crate) fn segment_steps(steps: usize) -> usize {
    (steps as f64).sqrt().ceil() as usize
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
    /// Per memory: slots of the last batch.
    slots: Vec<usize>,
    /// What layers hand to each other, a row per token.
    sheets: Vec<Vec<T>>,
    /// Per layer and direction, per segment, per state: a row each, where the segment starts. Segments that are not run
    /// again leave only where the next one starts.
    starts: Vec<Vec<Vec<Vec<T>>>>,
    gave_initial: bool,
    /// Of work memory, by the layer with the most.
    token_bytes: usize,
    backward: bool,
    recompute: bool,
    ran: bool,
}

impl<T: Real> Runner<T> {
    /// Packs the weights.
    ///
    /// # Errors
    /// Weights of other shapes, a traced name that the cell does not define, threads that cannot be started; gradients or
    /// f64 in narrow precision.
    pub fn new(network: &Network, weights: &Weights<T>, options: Options) -> Result<Runner<T>, EngineError> {
        weights.check(network)?;
        if options.backward && options.precision != Precision::Full {
            let message = "weights in bf16 or int8 give outputs, not gradients: train in f32";
            return Err(EngineError::Unsupported(message.into()));
        }
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
        let recompute = options.backward && options.recompute;
        let mode = match (options.backward, recompute) {
            (_, true) => Mode::TrainParts,
            (true, _) => Mode::Train,
            _ => Mode::Whole,
        };
        let team = Team::new(options.threads.max(1)).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
        let mut layers = vec![];
        let arithmetic = Arithmetic { isa: options.isa, precision: options.precision };
        for (k, index) in network.0.index.iter().enumerate() {
            let params: Vec<&[T]> = index.iter().map(|i| weights.0[*i].as_slice()).collect();
            let sizes = network.sizes(k / network.spec().directions());
            layers.push(Layer::new(schedule.clone(), sizes, arithmetic, mode, traced.clone(), &params)?);
        }
        let (network, backward) = (network.clone(), options.backward);
        let (packing, starts) = (None, vec![vec![]; layers.len()]);
        let sheets = vec![vec![]; if recompute { network.spec().layers + 1 } else { 2 }];
        let (gave_initial, ran) = (false, false);
        let token_bytes = layers.iter().map(Layer::token_bytes).max().unwrap_or(0);
        let mut runner = Runner {
            network,
            weights: vec![],
            layers,
            team: Some(team),
            trace,
            packing,
            slots: vec![],
            sheets,
            starts,
            gave_initial,
            token_bytes,
            backward,
            recompute,
            ran,
        };
        let all: Vec<&[T]> = weights.0.iter().map(Vec::as_slice).collect();
        runner.keep_read(&all);
        Ok(runner)
    }

    /// Keeps the parameters that are initial states, and those that gradients of computed values need.
    fn keep_read(&mut self, weights: &[&[T]]) {
        let mut read = vec![false; weights.len()];
        for (layer, index) in self.layers.iter().zip(&self.network.0.index) {
            let starts = self.network.spec().cell.states.iter().filter_map(|s| s.initial);
            starts.for_each(|p| read[index[p.index()]] = true);
            layer.read_params().into_iter().for_each(|p| read[index[p]] = true);
        }
        self.weights.resize_with(weights.len(), Vec::new);
        for ((kept, given), read) in self.weights.iter_mut().zip(weights).zip(read) {
            if read {
                kept.clear();
                kept.extend_from_slice(given);
            }
        }
    }

    /// On the runner's own threads.
    fn on_own(&mut self, work: impl FnOnce(&mut Self, &Team) -> Result<(), EngineError>) -> Result<(), EngineError> {
        let team = self.team.take().ok_or(LOST)?;
        let done = work(self, &team);
        self.team = Some(team);
        done
    }

    /// Replaces the weights and packs them.
    ///
    /// # Errors
    /// Weights of other shapes.
    pub fn set_weights(&mut self, weights: &Weights<T>) -> Result<(), EngineError> {
        let all: Vec<&[T]> = weights.0.iter().map(Vec::as_slice).collect();
        self.set_parameters(&all)
    }

    /// The same from slices, one a parameter in the order of [`Network::parameters`].
    ///
    /// # Errors
    /// Slices of other lengths.
    pub fn set_parameters(&mut self, parameters: &[&[T]]) -> Result<(), EngineError> {
        self.on_own(|runner, team| runner.set_parameters_on(team, parameters))
    }

    /// The same on the threads of a team that runners share.
    ///
    /// # Errors
    /// As [`Runner::set_parameters`].
    pub fn set_parameters_on(&mut self, team: &Team, parameters: &[&[T]]) -> Result<(), EngineError> {
        check("weights (tensors)", parameters.len(), self.network.parameters().len())?;
        for (given, t) in parameters.iter().zip(self.network.parameters()) {
            check(&t.name, given.len(), t.count())?;
        }
        self.keep_read(parameters);
        for (layer, index) in self.layers.iter_mut().zip(&self.network.0.index) {
            let params: Vec<&[T]> = index.iter().map(|i| parameters[*i]).collect();
            layer.set_weights(team, &params)?;
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
        self.on_own(|runner, team| runner.forward_on(team, batch, out))
    }

    /// The same on threads that several runners share, one after another.
    ///
    /// # Errors
    /// As [`Runner::forward`].
    pub fn forward_on(&mut self, team: &Team, batch: &Batch<T>, out: &mut Outputs<T>) -> Result<(), EngineError> {
        check_batch(&self.network, batch)?;
        let fits = |p: &Packing| batch.mask.is_none() && p.is_for(batch.steps, batch.batch, batch.lengths);
        let packing = match self.packing.take().filter(fits) {
            Some(p) => p,
            None => self.packing_of(batch, team)?,
        };
        let done = self.run_layers(team, batch, &packing, out);
        self.gave_initial = batch.initial.is_some();
        self.ran = done.is_ok();
        self.packing = Some(packing);
        done
    }

    /// A run without gradients goes in segments that stay in the caches; one that keeps its values is one segment.
    fn packing_of(&self, batch: &Batch<T>, team: &Team) -> Result<Packing, EngineError> {
        let whole = Packing::new(batch.steps, batch.batch, batch.lengths, batch.mask)?;
        let steps = whole.lengths[0];
        Ok(match (self.backward, self.recompute) {
            (_, true) => whole.in_segments(segment_steps(steps)),
            (true, false) => whole,
            (false, false) => whole.in_segments_of_tokens(segment_tokens(self.token_bytes, team.threads())),
        })
    }

    fn run_layers(
        &mut self,
        team: &Team,
        batch: &Batch<T>,
        packing: &Packing,
        out: &mut Outputs<T>,
    ) -> Result<(), EngineError> {
        let (layers, directions) = (self.network.spec().layers, self.network.spec().directions());
        let cells = batch.steps * batch.batch;
        let slots = batch.memories.iter().map(|m| m.slots).max().unwrap_or(1);
        self.slots.clear();
        self.slots.extend(batch.memories.iter().map(|m| m.slots));
        let mut sheets = std::mem::take(&mut self.sheets);
        out.states.resize_with(self.network.states().len(), Vec::new);
        out.traces.clear();
        for layer in 0..layers {
            let (last, width) = (layer + 1 == layers, self.network.layer_output(layer));
            let mut own = match last {
                true => std::mem::take(&mut out.y),
                false => std::mem::take(&mut sheets[self.sheet_of(layer)]),
            };
            let rows = if last { cells } else { packing.tokens() };
            flow::reset(&mut own, rows * width, false);
            if last {
                flow::clear_padding(&mut own, width, packing);
            }
            for direction in 0..directions {
                let at = At { layer, direction };
                let source = match layer {
                    0 => Source::Caller(batch),
                    _ => Source::Sheet(&sheets[self.sheet_of(layer - 1)], batch),
                };
                let own_layer = &mut self.layers[layer * directions + direction];
                own_layer.prepare(packing.largest(), slots)?;
                batch
                    .memories
                    .iter()
                    .enumerate()
                    .for_each(|(m, memory)| own_layer.load_memory(m, memory, &packing.order));
                self.forward_layer(team, at, source, packing, &mut own, out)?;
            }
            match last {
                true => out.y = own,
                false => sheets[self.sheet_of(layer)] = own,
            }
        }
        self.sheets = sheets;
        Ok(())
    }

    /// Which sheet holds a layer's output: they take turns, unless all are read again.
    fn sheet_of(&self, layer: usize) -> usize {
        if self.recompute { layer } else { layer % 2 }
    }

    /// Runs all layers backward over the batch of the last `forward`, once: what was kept for it is gone then. `dy` is the
    /// gradient of a loss by `y`, [steps, batch, output]; `d_states` by the final states, per state [batch, dim] (zero if
    /// absent).
    ///
    /// # Errors
    /// No `forward` before, a runner made without gradients, one that recomputes, slices of other lengths.
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
        self.on_own(|runner, team| runner.check_and_return(team, None, dy, d_states, out))
    }

    /// The same with the batch that `forward` was given: one that recomputes reads it again.
    ///
    /// # Errors
    /// As [`Runner::backward`], and a batch of another shape.
    pub fn backward_with(
        &mut self,
        batch: &Batch<T>,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        self.on_own(|runner, team| runner.check_and_return(team, Some(batch), dy, d_states, out))
    }

    /// The same on threads that several runners share, one after another; only a runner that recomputes needs the batch,
    /// and no initial states in it.
    ///
    /// # Errors
    /// As [`Runner::backward_with`].
    pub fn backward_on(
        &mut self,
        team: &Team,
        batch: Option<&Batch<T>>,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        self.check_and_return(team, batch, dy, d_states, out)
    }

    fn check_and_return(
        &mut self,
        team: &Team,
        batch: Option<&Batch<T>>,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        if !self.backward {
            return Err(EngineError::Order("this runner was made without gradients: set `backward` in its options"));
        }
        if self.recompute && batch.is_none() {
            return Err(EngineError::Order(
                "this runner recomputes, and must be given its batch again: `backward_with`",
            ));
        }
        let Some(packing) = self.packing.take().filter(|_| self.ran) else {
            return Err(EngineError::Order("`backward` was called before `forward`, or twice after it"));
        };
        let fits = self.check_return(batch, dy, d_states, &packing);
        self.ran = fits.is_err();
        let done = fits.and_then(|()| self.run_back(team, batch, dy, d_states, &packing, out));
        self.packing = Some(packing);
        done
    }

    fn check_return(
        &self,
        batch: Option<&Batch<T>>,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        packing: &Packing,
    ) -> Result<(), EngineError> {
        let cells = packing.steps * packing.batch;
        check("dy", dy.len(), cells * self.network.output_size())?;
        check_states("d.", &self.network, d_states, packing.batch)?;
        if let Some(batch) = batch {
            check("steps again", batch.steps, packing.steps)?;
            check("batch again", batch.batch, packing.batch)?;
            check_batch(&self.network, batch)?;
        }
        Ok(())
    }

    fn run_back(
        &mut self,
        team: &Team,
        batch: Option<&Batch<T>>,
        dy: &[T],
        d_states: Option<&[Vec<T>]>,
        packing: &Packing,
        out: &mut Gradients<T>,
    ) -> Result<(), EngineError> {
        let (layers, directions) = (self.network.spec().layers, self.network.spec().directions());
        let cells = packing.steps * packing.batch;
        let mut sheets = std::mem::take(&mut self.sheets);
        let own = sheets.len() - 2;
        // Those below are read again by the layers above them.
        let [mut upper, mut below] = [own, own + 1].map(|k| std::mem::take(&mut sheets[k]));
        out.inputs.resize_with(self.network.inputs().len(), Vec::new);
        out.initial.resize_with(self.network.states().len(), Vec::new);
        out.memories.resize_with(self.network.memories().len(), Vec::new);
        for ((d, t), slots) in out.memories.iter_mut().zip(self.network.memories()).zip(&self.slots) {
            flow::reset(d, slots * packing.batch * t.count(), true);
        }
        for layer in (0..layers).rev() {
            let rows = if layer == 0 { cells } else { packing.tokens() };
            let to = if layer == 0 { &mut out.inputs[..] } else { std::slice::from_mut(&mut below) };
            for (i, to) in to.iter_mut().enumerate() {
                let width = self.layer_inputs(layer, i);
                let unread = self.layers[layer * directions].plan.input_gradients[i].is_none();
                flow::reset(to, rows * width, unread);
                if layer == 0 {
                    flow::clear_padding(to, width, packing);
                }
            }
            for direction in 0..directions {
                let at = At { layer, direction };
                let source = match (batch.filter(|_| self.recompute), layer) {
                    (None, _) => Source::Held,
                    (Some(batch), 0) => Source::Caller(batch),
                    (Some(batch), _) => Source::Sheet(&sheets[layer - 1], batch),
                };
                let above = if layer + 1 == layers { Above::Caller(dy) } else { Above::Sheet(&upper) };
                self.backward_layer(team, at, (source, above), d_states, packing, to, &mut out.initial)?;
                for (m, d) in out.memories.iter_mut().enumerate() {
                    self.layers[layer * directions + direction].add_memory_gradient(m, &packing.order, d);
                }
            }
            std::mem::swap(&mut upper, &mut below);
        }
        sheets[own] = upper;
        sheets[own + 1] = below;
        self.sheets = sheets;
        self.collect_parameters(team, out);
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

    /// What every layer and direction says of its parameters, and of learned initial values: the first is copied, further
    /// ones are added to it.
    fn collect_parameters(&self, team: &Team, out: &mut Gradients<T>) {
        let tensors = self.network.parameters();
        out.parameters.resize_with(tensors.len(), Vec::new);
        out.parameters.iter_mut().zip(tensors).for_each(|(g, t)| flow::reset(g, t.count(), false));
        let mut written = vec![false; tensors.len()];
        let mut add = |p: usize, g: &[T]| {
            flow::collect(team, &mut out.parameters[p], g, std::mem::replace(&mut written[p], true));
        };
        for (k, index) in self.network.0.index.iter().enumerate() {
            let params: Vec<&[T]> = index.iter().map(|i| self.weights[*i].as_slice()).collect();
            self.layers[k].add_gradients(&params, &mut |p, g| add(index[p], g));
            for (s, state) in self.states_of(k).enumerate() {
                if let Some(p) = self.network.spec().cell.states[s].initial.filter(|_| !self.gave_initial) {
                    let units = self.network.states()[state].count().max(1);
                    out.initial[state].chunks(units).for_each(|row| add(index[p.index()], row));
                }
            }
        }
        // Nothing depends on the others.
        let unwritten = out.parameters.iter_mut().zip(written).filter(|(_, written)| !written);
        unwritten.for_each(|(g, _)| g.fill(T::ZERO));
    }
}
