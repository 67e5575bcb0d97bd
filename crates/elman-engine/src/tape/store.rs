//! What a model is made of, its numbers, and the machinery that runs its layers.

use std::sync::Arc;

use elman_cell::cell::Init;
use elman_kernel::{Isa, Real, Team};

use super::dense::Dense;
use crate::error::{EngineError, check};
use crate::loss::SoftmaxHead;
use crate::network::{Network, Spec, Tensor};
use crate::random::Random;
use crate::runner::{Options, Runner};
use crate::weights::{Weights, initial};

/// A parameter of a blueprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parameter(pub(super) usize);

/// A recurrent layer of a blueprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer(pub(super) usize);

/// A linear layer of a blueprint: W [units, inner] and b `[units]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    /// W
    pub weight: Parameter,
    /// b
    pub bias: Option<Parameter>,
}

/// What a model is made of: named parameters, how they start, and its recurrent layers.
#[derive(Clone, Debug, Default)]
pub struct Blueprint {
    parameters: Vec<Tensor>,
    inits: Vec<Init>,
    /// With the place of the first parameter of each.
    layers: Vec<(Network, usize)>,
}

impl Blueprint {
    /// Nothing yet.
    pub fn new() -> Blueprint {
        Blueprint::default()
    }

    /// A parameter of a shape.
    pub fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Parameter {
        self.parameters.push(Tensor { name: name.into(), shape: shape.to_vec() });
        self.inits.push(init);
        Parameter(self.parameters.len() - 1)
    }

    /// A linear layer from `inner` to `units`, with a bias: `NAME.weight`, uniform in ±1/√inner, and `NAME.bias`, 0.
    pub fn linear(&mut self, name: &str, inner: usize, units: usize) -> Linear {
        let bound = Init::Uniform(1.0 / (inner as f64).sqrt());
        let weight = self.parameter(&format!("{name}.weight"), &[units, inner], bound);
        let bias = self.parameter(&format!("{name}.bias"), &[units], Init::Constant(0.0));
        Linear { weight, bias: Some(bias) }
    }

    /// A recurrent layer, or several; its parameters are named `NAME.forward.W_f`, with more than one layer
    /// `NAME.0.forward.W_f`.
    ///
    /// # Errors
    /// Sizes that the cell forbids.
    pub fn recurrent(&mut self, name: &str, spec: Spec) -> Result<Layer, EngineError> {
        let network = Network::new(spec)?;
        let first = self.parameters.len();
        let bound = Init::Uniform(1.0 / (network.spec().hidden as f64).sqrt());
        for (k, t) in network.parameters().iter().enumerate() {
            let own = if network.spec().layers == 1 { t.name.strip_prefix("0.") } else { None };
            let own = own.unwrap_or(&t.name);
            self.parameters.push(Tensor { name: format!("{name}.{own}"), shape: t.shape.clone() });
            self.inits.push(network.0.inits[k].unwrap_or(bound));
        }
        self.layers.push((network, first));
        Ok(Layer(self.layers.len() - 1))
    }

    /// Names and shapes, in order.
    pub fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    /// How each starts.
    pub fn inits(&self) -> &[Init] {
        &self.inits
    }

    /// The network of a recurrent layer.
    pub fn network(&self, layer: Layer) -> &Network {
        &self.layers[layer.0].0
    }

    /// Numbers that are learned.
    pub fn count(&self) -> usize {
        self.parameters.iter().map(Tensor::count).sum()
    }

    /// Parameter k draws from stream k of the seed.
    fn initial<T: Real>(&self, seed: u64) -> Vec<Vec<T>> {
        let one =
            |(k, (t, init)): (usize, (&Tensor, &Init))| initial(*init, &t.shape, &mut Random::new(seed, k as u64));
        self.parameters.iter().zip(&self.inits).enumerate().map(one).collect()
    }
}

/// A runner with the weights it holds.
pub(super) struct Held<T: Real> {
    pub runner: Runner<T>,
    version: u64,
}

/// The numbers of a blueprint, and what runs them: packed weights, work memory, threads.
pub struct Store<T: Real> {
    blueprint: Arc<Blueprint>,
    weights: Vec<Vec<T>>,
    /// Counts changes of the weights.
    version: u64,
    options: Options,
    pub(super) team: Team,
    /// Per layer: runners that no computation holds.
    idle: Vec<Vec<Held<T>>>,
    /// Per parameter.
    dense: Vec<Option<Dense<T>>>,
    heads: Vec<Option<(SoftmaxHead<T>, u64)>>,
}

impl<T: Real> Store<T> {
    /// With initial numbers.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn new(blueprint: Blueprint, seed: u64, isa: Isa, threads: usize) -> Result<Store<T>, EngineError> {
        let team = Team::new(threads.max(1)).map_err(|e| EngineError::Unsupported(format!("threads: {e}")))?;
        let weights = blueprint.initial(seed);
        Store::on(team, blueprint, weights, isa)
    }

    /// With numbers of every parameter's shape, on threads that there are already.
    ///
    /// # Errors
    /// Numbers of another shape.
    pub fn on(team: Team, blueprint: Blueprint, weights: Vec<Vec<T>>, isa: Isa) -> Result<Store<T>, EngineError> {
        let count = weights.len();
        check("parameters", count, blueprint.parameters.len())?;
        for (w, t) in weights.iter().zip(&blueprint.parameters) {
            check(&t.name, w.len(), t.count())?;
        }
        Ok(Store {
            idle: blueprint.layers.iter().map(|_| vec![]).collect(),
            weights,
            version: 0,
            options: Options { isa, backward: true, ..Options::new() },
            team,
            dense: (0..count).map(|_| None).collect(),
            heads: (0..count).map(|_| None).collect(),
            blueprint: Arc::new(blueprint),
        })
    }

    /// Counts changes of the numbers.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What it is made of.
    pub fn blueprint(&self) -> &Blueprint {
        &self.blueprint
    }

    /// Names and shapes of the parameters.
    pub fn parameters(&self) -> &[Tensor] {
        self.blueprint.parameters()
    }

    /// All numbers.
    pub fn weights(&self) -> &[Vec<T>] {
        &self.weights
    }

    /// The numbers of one parameter.
    pub fn weight(&self, parameter: Parameter) -> &[T] {
        &self.weights[parameter.0]
    }

    /// The shape of one parameter.
    pub fn shape(&self, parameter: Parameter) -> &[usize] {
        &self.blueprint.parameters[parameter.0].shape
    }

    /// Changes the numbers, not their lengths, with the threads at hand.
    pub fn update(&mut self, change: impl FnOnce(&mut [Vec<T>], &Team)) {
        change(&mut self.weights, &self.team);
        self.version += 1;
        self.dense.iter_mut().flatten().for_each(Dense::forget);
    }

    /// Sets the numbers of one parameter.
    ///
    /// # Errors
    /// Another count of numbers.
    pub fn set(&mut self, parameter: Parameter, to: &[T]) -> Result<(), EngineError> {
        check(&self.blueprint.parameters[parameter.0].name, to.len(), self.weights[parameter.0].len())?;
        self.update(|weights, _| weights[parameter.0].copy_from_slice(to));
        Ok(())
    }

    /// Its threads.
    pub fn team(&self) -> &Team {
        &self.team
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.options.isa
    }

    /// Gradients of zero.
    pub fn no_gradients(&self) -> Vec<Vec<T>> {
        self.weights.iter().map(|w| vec![T::ZERO; w.len()]).collect()
    }

    /// A runner of a layer with the present weights.
    pub(super) fn take(&mut self, layer: Layer) -> Result<Held<T>, EngineError> {
        let (network, first) = &self.blueprint.layers[layer.0];
        let own = &self.weights[*first..*first + network.parameters().len()];
        let slices: Vec<&[T]> = own.iter().map(Vec::as_slice).collect();
        let mut held = match self.idle[layer.0].pop() {
            Some(held) => held,
            None => {
                let runner = Runner::new(network, &Weights(own.to_vec()), self.options.clone())?;
                Held { runner, version: self.version }
            }
        };
        if held.version != self.version {
            held.runner.set_parameters_on(&self.team, &slices)?;
            held.version = self.version;
        }
        Ok(held)
    }

    pub(super) fn give_back(&mut self, layer: Layer, held: Held<T>) {
        self.idle[layer.0].push(held);
    }

    /// Where the parameters of a layer begin, and how many there are.
    pub(super) fn parameters_of(&self, layer: Layer) -> std::ops::Range<usize> {
        let (network, first) = &self.blueprint.layers[layer.0];
        *first..*first + network.parameters().len()
    }

    /// The products of a parameter [units, inner], with its numbers.
    pub(super) fn dense(&mut self, parameter: Parameter) -> (&mut Dense<T>, &[Vec<T>], &Team) {
        let shape = &self.blueprint.parameters[parameter.0].shape;
        let (units, isa) = (shape[0], self.options.isa);
        let inner = shape[1..].iter().product();
        let dense = self.dense[parameter.0].get_or_insert_with(|| Dense::new(isa, units, inner));
        (dense, &self.weights, &self.team)
    }

    /// The softmax layer of W [vocabulary, units] and b with its present numbers.
    pub(super) fn head(&mut self, w: Parameter, b: Parameter) -> Result<(&mut SoftmaxHead<T>, &Team), EngineError> {
        let shape = &self.blueprint.parameters[w.0].shape;
        let slot = &mut self.heads[w.0];
        let (head, version) = match slot {
            Some(known) => known,
            None => slot.insert((SoftmaxHead::new(self.options.isa, shape[0], shape[1])?, u64::MAX)),
        };
        if *version != self.version {
            head.set_weights(&self.weights[w.0], &self.weights[b.0], &self.team)?;
            *version = self.version;
        }
        Ok((head, &self.team))
    }
}
