//! What a language model is made of, the names of its parameters, how they start, and what memory it needs.

use super::transformer::Design;
use elman_cell::Cell;
use elman_cell::cell::Init;
use elman_engine::explain::Workload;
use elman_engine::loss::SoftmaxHead;
use elman_engine::{EngineError, Network, Random, Spec, Tensor, Weights, initial, memory, zoned};
use std::sync::Arc;

/// Embeddings start uniform in ± this, unless told otherwise.
const EMBEDDING_BOUND: f64 = 0.1;

/// What a model reads and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Ids through an embedding; a softmax over the vocabulary.
    Symbols,
    /// `embedding` numbers a step, straight into the first layer; `vocabulary` numbers from a linear layer.
    Numbers,
}

/// What a language model is made of.
#[derive(Clone, Debug)]
pub struct LmSpec {
    /// What it reads and answers.
    pub ends: Ends,
    /// What its layers are.
    pub body: Body,
    /// Layers.
    pub layers: usize,
    /// Units of a state; tied, those of the last layer are `embedding` instead. Units of each step of a transformer.
    pub hidden: usize,
    /// Units of the embedding.
    pub embedding: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// The embedding is the output matrix too.
    pub tied: bool,
}

/// What stands between the embedding and the output.
#[derive(Clone, Debug)]
pub enum Body {
    /// Recurrent layers, whose states go on from window to window.
    Recurrent {
        /// The cell of every layer; it has no further input.
        cell: Arc<Cell>,
        /// The probability that a unit of a state keeps its old value.
        zoneout: f64,
    },
    /// The layers of a transformer, each step of which sees itself and those before it in its window.
    Transformer {
        /// Heads, which divide the units.
        heads: usize,
        /// Steps of a window.
        window: usize,
    },
}

impl Body {
    /// The equations, where there are any.
    pub fn cell(&self) -> Option<&Cell> {
        match self {
            Body::Recurrent { cell, .. } => Some(cell),
            Body::Transformer { .. } => None,
        }
    }

    /// What the shapes of parameters do not tell: the equations, or the heads.
    pub fn unshaped(&self) -> String {
        match self {
            Body::Recurrent { cell, .. } => cell.source.clone(),
            Body::Transformer { heads, .. } => format!("{heads} heads"),
        }
    }
}

/// Layers before they have numbers.
pub(super) enum Sketch {
    /// A network of one layer for each layer.
    Recurrent(Vec<Network>),
    Transformer(Box<Design>),
}

/// How parameters start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Start {
    /// The seed.
    pub seed: u64,
    /// Uniform in ± this, where the cell says nothing. Absent: layers ±1/√hidden, the embedding ±0.1, the output matrix
    /// ±1/√units and its bias 0.
    pub bound: Option<f64>,
}

/// What a model takes, in `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Numbers that are learned.
    pub parameters: usize,
    /// Bytes to train it.
    pub bytes: usize,
}

impl LmSpec {
    /// The layers without numbers.
    pub(super) fn sketch(&self) -> Result<Sketch, EngineError> {
        for (what, n) in [("layers", self.layers), ("vocabulary", self.vocabulary), ("embedding", self.embedding)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        if self.tied && self.ends == Ends::Numbers {
            return Err(EngineError::Unsupported("a model that reads numbers has no embedding to tie".into()));
        }
        let sketch = match &self.body {
            Body::Recurrent { cell, zoneout } => Sketch::Recurrent(self.networks(cell, *zoneout)?),
            Body::Transformer { heads, window } => Sketch::Transformer(Box::new(Design::new(self, *heads, *window)?)),
        };
        let units = self.output_units(&sketch);
        if self.tied && units != self.embedding {
            let message = format!("a tied output needs as many units as the embedding: {units} and {}", self.embedding);
            return Err(EngineError::Unsupported(message));
        }
        Ok(sketch)
    }

    fn networks(&self, cell: &Arc<Cell>, zoneout: f64) -> Result<Vec<Network>, EngineError> {
        if cell.inputs.len() > 1 {
            let name = &cell.inputs[1].name;
            let message = format!("a language model has no second input `{name}`: take a cell that reads `x` alone");
            return Err(EngineError::Unsupported(message));
        }
        if let Some(memory) = cell.memories.first() {
            let message = format!(
                "a language model has nothing to attend to, and the cell has the memory `{}`: take a cell without",
                memory.name
            );
            return Err(EngineError::Unsupported(message));
        }
        let cell = if zoneout > 0.0 { Arc::new(zoned(cell)) } else { cell.clone() };
        let mut networks: Vec<Network> = vec![];
        let mut input = self.embedding;
        for layer in 0..self.layers {
            let last = layer + 1 == self.layers;
            let hidden = if self.tied && last { self.embedding } else { self.hidden };
            networks.push(Network::new(Spec::new(cell.clone(), input, hidden))?);
            input = networks[layer].output_size();
        }
        Ok(networks)
    }

    pub(super) fn output_units(&self, sketch: &Sketch) -> usize {
        match sketch {
            Sketch::Recurrent(networks) => networks.last().map_or(self.embedding, Network::output_size),
            Sketch::Transformer(design) => design.units(),
        }
    }

    /// All parameters, and per layer those of its network among them; a transformer counts as one layer.
    pub(super) fn parameters(&self, sketch: &Sketch) -> (Vec<Tensor>, Vec<Vec<usize>>) {
        let mut all = vec![];
        if self.ends == Ends::Symbols {
            all.push(Tensor { name: "embedding".into(), shape: vec![self.vocabulary, self.embedding] });
        }
        let index = match sketch {
            Sketch::Recurrent(networks) => networks.iter().enumerate().map(|(l, n)| of_layer(l, n, &mut all)).collect(),
            Sketch::Transformer(design) => {
                let first = all.len();
                all.extend_from_slice(design.parameters());
                vec![(first..all.len()).collect()]
            }
        };
        if !self.tied {
            let shape = vec![self.vocabulary, self.output_units(sketch)];
            all.push(Tensor { name: "output.weight".into(), shape });
        }
        all.push(Tensor { name: "output.bias".into(), shape: vec![self.vocabulary] });
        (all, index)
    }

    /// The places of the output matrix and its bias.
    pub(super) fn head_parameters(&self, parameters: &[Tensor]) -> [usize; 2] {
        let last = parameters.len() - 1;
        if self.tied { [super::EMBEDDING, last] } else { [last - 1, last] }
    }

    /// Parameter k draws from stream k of the seed.
    pub(super) fn initial<T: elman_engine::Real>(
        &self,
        sketch: &Sketch,
        parameters: &[Tensor],
        index: &[Vec<usize>],
        start: Start,
    ) -> Vec<Vec<T>> {
        let default = |t: &Tensor| match (t.name.as_str(), start.bound) {
            ("output.bias", _) => Init::Constant(0.0),
            (_, Some(a)) => Init::Uniform(a),
            ("embedding", None) => Init::Uniform(EMBEDDING_BOUND),
            _ => Init::Uniform(1.0 / (t.shape.get(1).copied().unwrap_or(1) as f64).sqrt()),
        };
        let draw = |(k, t): (usize, &Tensor)| initial(default(t), &t.shape, &mut Random::new(start.seed, k as u64));
        let mut weights: Vec<Vec<T>> = parameters.iter().enumerate().map(draw).collect();
        match sketch {
            Sketch::Recurrent(networks) => {
                for (network, own) in networks.iter().zip(index) {
                    let bound = start.bound.unwrap_or(1.0 / (network.spec().hidden as f64).sqrt());
                    let first = own.first().copied().unwrap_or(0) as u64;
                    let drawn = Weights::init_as(network, start.seed, first, Init::Uniform(bound));
                    for (k, w) in own.iter().zip(drawn.0) {
                        weights[*k] = w;
                    }
                }
            }
            Sketch::Transformer(design) => {
                for (k, init) in index.iter().flatten().zip(design.inits(start.bound)) {
                    let mut random = Random::new(start.seed, *k as u64);
                    weights[*k] = initial(init, &parameters[*k].shape, &mut random);
                }
            }
        }
        weights
    }

    /// What training takes over windows of equal lengths; `copies` of all parameters are kept beside them (moments, averages).
    ///
    /// # Errors
    /// Sizes that the cell forbids, or that overflow.
    pub fn memory(&self, work: Workload, copies: usize) -> Result<Memory, EngineError> {
        let overflow = || EngineError::Overflow { what: "the model is larger than any memory".into() };
        self.vocabulary.checked_mul(self.embedding.max(self.hidden)).filter(fits).ok_or_else(overflow)?;
        self.hidden.checked_mul(self.hidden.max(self.embedding)).filter(fits).ok_or_else(overflow)?;
        let tokens = work.steps.checked_mul(work.batch).ok_or_else(overflow)?;
        tokens.checked_mul(self.embedding.max(self.hidden)).filter(fits).ok_or_else(overflow)?;
        let sketch = self.sketch()?;
        let units = self.output_units(&sketch);
        let parameters: usize = self.parameters(&sketch).0.iter().map(Tensor::count).sum();
        let mut numbers = parameters.saturating_mul(2 + copies);
        // Inputs of the first layer, outputs of each, and the gradients that go down.
        let (mut rows, mut widest) = (self.embedding, self.embedding);
        match &sketch {
            Sketch::Recurrent(networks) => {
                for network in networks {
                    numbers = numbers.saturating_add(memory::training_runner(network, work));
                    (rows, widest) = (rows + network.output_size(), widest.max(network.output_size()));
                }
            }
            Sketch::Transformer(design) => {
                numbers = numbers.saturating_add(design.memory(work));
                (rows, widest) = (rows + units, widest.max(units));
            }
        }
        numbers = numbers.saturating_add((rows + 2 * widest).saturating_mul(tokens));
        numbers = numbers.saturating_add(SoftmaxHead::<f32>::memory(self.vocabulary, units, work.threads));
        Ok(Memory { parameters, bytes: numbers.saturating_mul(4) })
    }
}

/// Adds the parameters of a layer that no layer below shares; the places of all its own.
fn of_layer(layer: usize, network: &Network, all: &mut Vec<Tensor>) -> Vec<usize> {
    let mut own = vec![];
    for t in network.parameters() {
        let name = match t.name.strip_prefix("0.") {
            Some(rest) => format!("{layer}.{rest}"),
            None => t.name.clone(),
        };
        let known = all.iter().position(|a: &Tensor| a.name == name);
        own.push(known.unwrap_or(all.len()));
        if known.is_none() {
            all.push(Tensor { name, shape: t.shape.clone() });
        }
    }
    own
}

fn fits(n: &usize) -> bool {
    *n < isize::MAX as usize / 64
}
