//! A recurrent network: a cell, its layers and directions, its sizes, and the names of its tensors.

use std::sync::Arc;

use elman_cell::cell::{Cell, Init, ParamId};
use elman_cell::schedule::Schedule;
use elman_cell::{Dim, Sizes};

use crate::error::EngineError;
use crate::invariants::extent;

/// How the two directions of a layer become one output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merge {
    /// Forward units, then backward units.
    #[default]
    Concat,
    /// Their sum.
    Sum,
    /// Half their sum.
    Mean,
}

/// What a network is made of.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The cell.
    pub cell: Arc<Cell>,
    /// Layers; each reads the output of the one below.
    pub layers: usize,
    /// Each layer also runs from the end of each sequence.
    pub bidirectional: bool,
    /// How directions are merged.
    pub merge: Merge,
    /// Units of `x`.
    pub input: usize,
    /// Units of a state.
    pub hidden: usize,
    /// Units that nothing fixes (the rows of V in `y = V h`); `hidden` unless given.
    pub output: Option<usize>,
}

impl Spec {
    /// One layer, forward only.
    pub fn new(cell: Arc<Cell>, input: usize, hidden: usize) -> Spec {
        Spec { cell, layers: 1, bidirectional: false, merge: Merge::Concat, input, hidden, output: None }
    }

    /// 2 if bidirectional, else 1.
    pub fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }
}

/// A named tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name in files: `0.forward.W_f`, `shared.W`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl Tensor {
    /// How many numbers it has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The name of a direction in files.
pub fn direction_name(direction: usize) -> &'static str {
    if direction == 0 { "forward" } else { "backward" }
}

/// Immutable and cheap to clone.
#[derive(Clone, Debug)]
pub struct Network(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub spec: Spec,
    pub schedule: Arc<Schedule>,
    /// Per layer.
    pub sizes: Vec<Sizes>,
    pub parameters: Vec<Tensor>,
    /// Per parameter of the network: how it starts, and the hidden size for the default.
    pub inits: Vec<Option<Init>>,
    /// `[layer · directions + direction][param of the cell]` → parameter of the network.
    pub index: Vec<Vec<usize>>,
    pub states: Vec<Tensor>,
    pub inputs: Vec<Tensor>,
    pub memories: Vec<Tensor>,
    /// Per layer: units that one direction hands on.
    pub direction_output: Vec<usize>,
}

impl Network {
    /// Checks the sizes, derives, and schedules.
    ///
    /// # Errors
    /// Sizes that the cell's equations forbid (MUT1 needs input = hidden), zero layers or sizes, sizes that overflow, and
    /// further inputs with more than one layer.
    pub fn new(spec: Spec) -> Result<Network, EngineError> {
        for (what, n) in [("layers", spec.layers), ("input", spec.input), ("hidden", spec.hidden)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        if spec.output == Some(0) {
            return Err(EngineError::Zero { what: "output" });
        }
        let cell = spec.cell.clone();
        if cell.inputs.len() > 1 && spec.layers > 1 {
            let message = format!(
                "`{}` is read by one layer only: a cell with further inputs takes `layers` 1",
                cell.inputs[1].name
            );
            return Err(EngineError::Unsupported(message));
        }
        let program = elman_cell::lower(&cell);
        let backward = elman_cell::derive(&program);
        let schedule = Arc::new(Schedule::new(&program, &backward, &[]));
        let output = spec.output.unwrap_or(spec.hidden);
        let out_shape = schedule.program.nodes[schedule.program.output.index()].shape;
        let mut sizes = vec![];
        let mut input = spec.input;
        let mut direction_output = vec![];
        for layer in 0..spec.layers {
            let s = Sizes { input, hidden: spec.hidden, output };
            cell.check_sizes(s).map_err(|d| EngineError::Sizes(layer_error(layer, spec.layers, &cell, &d)))?;
            check_overflow(&cell, s)?;
            sizes.push(s);
            let units = extent(out_shape, s).0;
            direction_output.push(units);
            input = if spec.bidirectional && spec.merge == Merge::Concat { 2 * units } else { units };
        }
        for m in &cell.memories {
            if let Some(layer) = sizes.iter().position(|s| m.dim.at(*s) != m.dim.at(sizes[0])) {
                let message = format!(
                    "the rows of memory `{}` have {} units in the first layer and {} in layer {layer}: give it a dimension that does not depend on the input",
                    m.name,
                    m.dim.at(sizes[0]),
                    m.dim.at(sizes[layer])
                );
                return Err(EngineError::Unsupported(message));
            }
        }
        let mut inner = Inner {
            memories: cell
                .memories
                .iter()
                .map(|m| Tensor { name: m.name.clone(), shape: vec![m.dim.at(sizes[0])] })
                .collect(),
            inputs: cell
                .inputs
                .iter()
                .map(|i| Tensor { name: i.name.clone(), shape: vec![i.dim.at(sizes[0])] })
                .collect(),
            spec,
            schedule,
            sizes,
            parameters: vec![],
            inits: vec![],
            index: vec![],
            states: vec![],
            direction_output,
        };
        inner.name_tensors()?;
        Ok(Network(Arc::new(inner)))
    }

    /// What it is made of.
    pub fn spec(&self) -> &Spec {
        &self.0.spec
    }

    /// The schedule of a step, the same for every layer.
    pub fn schedule(&self) -> &Schedule {
        &self.0.schedule
    }

    /// The sizes at which a layer uses the cell.
    pub fn sizes(&self, layer: usize) -> Sizes {
        self.0.sizes[layer]
    }

    /// A schedule that also computes `traced`, where nothing else reads them.
    pub(crate) fn schedule_for(&self, traced: &[elman_cell::program::NodeId]) -> Arc<Schedule> {
        let schedule = &self.0.schedule;
        if traced.is_empty() {
            return schedule.clone();
        }
        let backward = elman_cell::derive(&schedule.program);
        Arc::new(Schedule::new(&schedule.program, &backward, traced))
    }

    /// Units of `y`, after directions are merged.
    pub fn output_size(&self) -> usize {
        self.layer_output(self.0.spec.layers - 1)
    }

    /// Units that a layer hands on, after its directions are merged.
    pub(crate) fn layer_output(&self, layer: usize) -> usize {
        let units = self.0.direction_output[layer];
        if self.0.spec.bidirectional && self.0.spec.merge == Merge::Concat { 2 * units } else { units }
    }

    /// Parameters in their fixed order: layer by layer, forward before backward, in the cell's order; shared ones where
    /// they first appear.
    pub fn parameters(&self) -> &[Tensor] {
        &self.0.parameters
    }

    /// States, layer by layer, forward before backward.
    pub fn states(&self) -> &[Tensor] {
        &self.0.states
    }

    /// Per-step inputs; the first is `x`.
    pub fn inputs(&self) -> &[Tensor] {
        &self.0.inputs
    }

    /// Memories: every layer and direction attends to the same. The shape is that of a slot.
    pub fn memories(&self) -> &[Tensor] {
        &self.0.memories
    }

    /// The memories that are attended to together, as keys and values.
    pub(crate) fn attended(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.0.schedule.program.nodes.iter().filter_map(|n| match n.op {
            elman_cell::program::Op::Attend { how, .. } => Some((how.keys.index(), how.values.index())),
            _ => None,
        })
    }

    /// The names of values that can be traced: those that the cell's equations define.
    pub fn traceable(&self) -> Vec<String> {
        self.0.schedule.program.named.iter().map(|(n, _)| n.clone()).collect()
    }
}

fn layer_error(layer: usize, layers: usize, cell: &Cell, d: &elman_cell::diag::Diagnostics) -> String {
    let text = d.render(&format!("{}.cell", cell.name), &cell.source);
    if layers > 1 { format!("layer {layer}: {text}") } else { text }
}

fn check_overflow(cell: &Cell, sizes: Sizes) -> Result<(), EngineError> {
    let fits = |d: Dim| d.checked_at(sizes).filter(|n| *n <= u32::MAX as usize);
    for p in &cell.params {
        let count = match p.shape {
            elman_cell::cell::Shape::Scalar => Some(1),
            elman_cell::cell::Shape::Vector(d) => fits(d),
            elman_cell::cell::Shape::Matrix(r, c) => fits(r).zip(fits(c)).and_then(|(r, c)| r.checked_mul(c)),
        };
        if count.is_none_or(|n| n > isize::MAX as usize / 8) {
            return Err(EngineError::Overflow { what: format!("parameter `{}`", p.name) });
        }
    }
    Ok(())
}

impl Inner {
    fn name_tensors(&mut self) -> Result<(), EngineError> {
        let cell = self.spec.cell.clone();
        for layer in 0..self.spec.layers {
            for direction in 0..self.spec.directions() {
                let prefix = format!("{layer}.{}", direction_name(direction));
                let index =
                    (0..cell.params.len()).map(|p| self.name_parameter(&cell, ParamId(p as u32), layer, &prefix));
                let index = index.collect::<Result<_, _>>()?;
                self.index.push(index);
                for s in &cell.states {
                    let shape = vec![s.dim.at(self.sizes[layer])];
                    self.states.push(Tensor { name: format!("{prefix}.{}", s.name), shape });
                }
            }
        }
        Ok(())
    }

    fn name_parameter(&mut self, cell: &Cell, p: ParamId, layer: usize, prefix: &str) -> Result<usize, EngineError> {
        let param = &cell.params[p.index()];
        let shape = match (param.shape, extent(param.shape, self.sizes[layer])) {
            (elman_cell::cell::Shape::Matrix(..), (r, c)) => vec![r, c],
            (_, (n, _)) => vec![n],
        };
        let name = if param.shared { format!("shared.{}", param.name) } else { format!("{prefix}.{}", param.name) };
        if let Some(known) = self.parameters.iter().position(|t| t.name == name) {
            if self.parameters[known].shape != shape {
                let message = format!(
                    "`{}` is shared across layers, but is {:?} in the first and {shape:?} in layer {layer}: its sizes must not depend on the input",
                    param.name, self.parameters[known].shape
                );
                return Err(EngineError::Unsupported(message));
            }
            return Ok(known);
        }
        self.parameters.push(Tensor { name, shape });
        self.inits.push(param.init);
        Ok(self.parameters.len() - 1)
    }
}
