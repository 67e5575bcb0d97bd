//! Streaming: one step a call, with carried state.
//!
//! A [`Model`] holds packed weights and is shared between threads; each [`Stream`] has the state of its own sequences.
//! A stream gives the bits of the whole sequence run at once.

use std::sync::Arc;

use elman_kernel::code::Timeline;
use elman_kernel::{Isa, Precision, Real, Team};

use crate::batch::{Memory, check_memories};
use crate::error::{EngineError, check};
use crate::layer::{Arithmetic, Layer};
use crate::network::Network;
use crate::plan::Mode;
use crate::weights::Weights;

/// A network and its packed weights, ready to stream. Cheap to clone.
#[derive(Clone)]
pub struct Model<T: Real>(Arc<Inner<T>>);

struct Inner<T: Real> {
    network: Network,
    layers: Vec<Layer<T>>,
    initial: Vec<Option<Vec<T>>>,
}

impl<T: Real> Model<T> {
    /// Packs the weights.
    ///
    /// # Errors
    /// Weights of other shapes, and a bidirectional network: its backward direction begins at the end.
    pub fn new(network: &Network, weights: &Weights<T>, isa: Isa) -> Result<Model<T>, EngineError> {
        Model::new_in(network, weights, isa, Precision::Full)
    }

    /// The same in a given precision.
    ///
    /// # Errors
    /// As [`Model::new`]; also f64 in narrow precision.
    pub fn new_in(
        network: &Network,
        weights: &Weights<T>,
        isa: Isa,
        precision: Precision,
    ) -> Result<Model<T>, EngineError> {
        weights.check(network)?;
        if network.spec().bidirectional {
            let message =
                "a bidirectional network cannot stream: its backward direction begins at the end of a sequence";
            return Err(EngineError::Unsupported(message.into()));
        }
        let mut layers = vec![];
        let mut initial = vec![];
        let schedule = network.schedule_for(&[]);
        let arithmetic = Arithmetic { isa, precision };
        for (k, index) in network.0.index.iter().enumerate() {
            let params: Vec<&[T]> = index.iter().map(|i| weights.0[*i].as_slice()).collect();
            layers.push(Layer::new(schedule.clone(), network.sizes(k), arithmetic, Mode::Stream, vec![], &params)?);
            for s in &network.spec().cell.states {
                initial.push(s.initial.map(|p| params[p.index()].to_vec()));
            }
        }
        Ok(Model(Arc::new(Inner { network: network.clone(), layers, initial })))
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.0.network
    }
}

/// The state of a batch of running sequences.
pub struct Stream<T: Real> {
    model: Model<T>,
    layers: Vec<Layer<T>>,
    batch: usize,
    timeline: Timeline,
    team: Team,
    /// Nothing is missing that the cell attends to.
    remembers: bool,
}

impl<T: Real> Stream<T> {
    /// `batch` sequences side by side, at their initial states, on `threads` threads.
    ///
    /// # Errors
    /// A batch of 0, or threads that cannot be started.
    pub fn new(model: &Model<T>, batch: usize, threads: usize) -> Result<Stream<T>, EngineError> {
        let team = Team::new(threads.max(1)).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
        Stream::on(model, batch, team)
    }

    /// The same on a given team.
    ///
    /// # Errors
    /// A batch of 0.
    pub fn on(model: &Model<T>, batch: usize, team: Team) -> Result<Stream<T>, EngineError> {
        if batch == 0 {
            return Err(EngineError::Zero { what: "batch" });
        }
        let timeline = Timeline::equal(1, batch);
        let mut layers: Vec<Layer<T>> = model.0.layers.iter().map(Layer::share).collect();
        for l in &mut layers {
            l.prepare(&timeline, 1)?;
        }
        let remembers = model.0.network.memories().is_empty();
        let mut stream = Stream { model: model.clone(), layers, batch, timeline, team, remembers };
        stream.reset();
        Ok(stream)
    }

    /// Back to the initial states.
    pub fn reset(&mut self) {
        self.timeline.start = 0;
        let count = self.model.0.network.spec().cell.states.len();
        for (k, layer) in self.layers.iter_mut().enumerate() {
            for s in 0..count {
                let plan = layer.plan.states[s];
                for row in 0..self.batch {
                    let at = layer.initial_row(plan.before, row, 0);
                    let to = layer.row_mut(plan.before, at, plan.units);
                    match &self.model.0.initial[k * count + s] {
                        Some(v) => to.copy_from_slice(v),
                        None => to.fill(T::ZERO),
                    }
                }
            }
        }
    }

    /// What the sequences attend to from now on, per memory of the network. States stay as they are.
    ///
    /// # Errors
    /// Another number of memories, slices of other lengths, lengths outside 1..=slots, keys and values of different
    /// lengths; nothing has changed then.
    pub fn set_memories(&mut self, memories: &[Memory<T>]) -> Result<(), EngineError> {
        check_memories(&self.model.0.network, memories, self.batch)?;
        let slots = memories.iter().map(|m| m.slots).max().unwrap_or(1);
        let (states, order) = (self.states(), (0..self.batch).collect::<Vec<_>>());
        for layer in &mut self.layers {
            layer.prepare(&self.timeline, slots)?;
            memories.iter().enumerate().for_each(|(m, memory)| layer.load_memory(m, memory, &order));
        }
        self.remembers = true;
        self.set_states(&states)
    }

    /// One step: `inputs` per input of the network [batch, dim], `y` [batch, output].
    ///
    /// # Errors
    /// Slices of other lengths, memories that were not set; nothing has moved then.
    pub fn step(&mut self, inputs: &[&[T]], y: &mut [T]) -> Result<(), EngineError> {
        self.check(inputs, y)?;
        for (i, x) in inputs.iter().enumerate() {
            let place = self.layers[0].plan.inputs[i];
            let units = x.len() / self.batch;
            for row in 0..self.batch {
                self.layers[0].row_mut(place, row, units).copy_from_slice(&x[row * units..(row + 1) * units]);
            }
        }
        for l in 0..self.layers.len() {
            let units = self.model.0.network.0.direction_output[l];
            self.layers[l].run_forward(&self.timeline, &self.team)?;
            let (done, above) = self.layers.split_at_mut(l + 1);
            let (from, output) = (&done[l], done[l].plan.output);
            for row in 0..self.batch {
                let source = from.row(output, row, units);
                match above.first_mut() {
                    Some(next) => next.row_mut(next.plan.inputs[0], row, units).copy_from_slice(source),
                    None => y[row * units..(row + 1) * units].copy_from_slice(source),
                }
            }
        }
        self.timeline.start = (self.timeline.start + 1) % 2;
        Ok(())
    }

    /// Per state of the network: [batch, dim].
    pub fn states(&self) -> Vec<Vec<T>> {
        let start = self.timeline.start;
        let read = |layer: &Layer<T>| {
            let one = |s: &crate::plan::StatePlan| {
                let row = |r| layer.row(s.before, layer.initial_row(s.before, r, start), s.units).to_vec();
                (0..self.batch).flat_map(row).collect()
            };
            layer.plan.states.iter().map(one).collect::<Vec<Vec<T>>>()
        };
        self.layers.iter().flat_map(read).collect()
    }

    /// Goes on from given states, in the form that [`Stream::states`] gives.
    ///
    /// # Errors
    /// Another number of states, or slices of other lengths; nothing has changed then.
    pub fn set_states(&mut self, states: &[Vec<T>]) -> Result<(), EngineError> {
        let wanted = self.model.0.network.states();
        check("states (tensors)", states.len(), wanted.len())?;
        for (v, t) in states.iter().zip(wanted) {
            check(&t.name, v.len(), self.batch * t.count())?;
        }
        let count = self.model.0.network.spec().cell.states.len();
        let start = self.timeline.start;
        for (k, layer) in self.layers.iter_mut().enumerate() {
            for s in 0..count {
                let plan = layer.plan.states[s];
                for row in 0..self.batch {
                    let at = layer.initial_row(plan.before, row, start);
                    let from = &states[k * count + s][row * plan.units..(row + 1) * plan.units];
                    layer.row_mut(plan.before, at, plan.units).copy_from_slice(from);
                }
            }
        }
        Ok(())
    }

    fn check(&self, inputs: &[&[T]], y: &[T]) -> Result<(), EngineError> {
        if !self.remembers {
            return Err(EngineError::Order(
                "the cell attends to a memory: give it by `set_memories` before the first step",
            ));
        }
        let network = &self.model.0.network;
        check("inputs (tensors)", inputs.len(), network.inputs().len())?;
        for (x, t) in inputs.iter().zip(network.inputs()) {
            check(&t.name, x.len(), self.batch * t.count())?;
        }
        check("y", y.len(), self.batch * network.output_size())
    }
}
