//! The tensors of the input file, checked against the network they are for.

use super::Request;
use super::sizes::Observed;
use crate::error::Error;
use crate::tensors::{Number, TensorFile};
use elman_cell::cell::{Shape, State};
use elman_engine::{Memory, Merge, Network, Real, Tensor};

/// `x` as [steps, batch, input].
pub struct XShape {
    pub steps: usize,
    pub batch: usize,
    pub input: usize,
}

/// What a run reads; shapes are those the network wants.
pub struct Inputs<T> {
    pub steps: usize,
    pub batch: usize,
    /// `x` and any further input, each [steps, batch, its size].
    pub inputs: Vec<Vec<T>>,
    /// [batch]
    pub lengths: Option<Vec<usize>>,
    /// What the cell attends to.
    pub memories: Vec<Slots<T>>,
    /// Per state [batch, size], where the file has any of them; those it does not have are zero.
    pub initial: Option<Vec<Vec<T>>>,
    /// Where gradients are wanted: what comes from above.
    pub gradients: Option<FromAbove<T>>,
}

/// A memory.
pub struct Slots<T> {
    pub slots: usize,
    /// [slots, batch, its size]
    pub values: Vec<T>,
    /// [batch]
    pub lengths: Option<Vec<usize>>,
}

impl<T> Slots<T> {
    /// As the engine takes it.
    pub fn memory(&self) -> Memory<'_, T> {
        Memory { slots: self.slots, values: &self.values, lengths: self.lengths.as_deref() }
    }
}

/// Gradients of the loss by what the network gives.
pub struct FromAbove<T> {
    /// [steps, batch, output]
    pub dy: Vec<T>,
    /// Per state [batch, size], where the file has any of them.
    pub states: Option<Vec<Vec<T>>>,
}

/// The shape of `x`; each of its sizes is at least 1.
pub fn shape_of_x(file: &TensorFile) -> Result<XShape, Error> {
    let wanted = "shape [steps, batch, input], each at least 1";
    match file.shape("x") {
        Some(&[steps, batch, input]) if steps * batch * input > 0 => Ok(XShape { steps, batch, input }),
        Some(other) => Err(file.wrong("x", format!("shape {other:?}"), wanted).into()),
        None => Err(file.wrong("x", "no such tensor", wanted).into()),
    }
}

/// Every length that the two files show of the network.
pub fn observe(
    request: &Request,
    input: &TensorFile,
    weights: Option<&TensorFile>,
    x_units: usize,
) -> Option<Observed> {
    let cell = &request.cell;
    let directions: &[&str] = if request.bidirectional { &["forward", "backward"] } else { &["forward"] };
    let widen = if request.merge == Merge::Concat { directions.len() } else { 1 };
    let mut seen = Observed::new(cell, x_units, request.layers, widen)?;
    let places = || (0..request.layers).flat_map(|l| directions.iter().map(move |d| (l, d)));
    for (layer, direction) in places() {
        for param in &cell.params {
            let own = format!("{layer}.{direction}.{}", param.name);
            let name = if param.shared { format!("shared.{}", param.name) } else { own };
            match (param.shape, weights.and_then(|w| w.shape(&name))) {
                (Shape::Vector(dim), Some(&[n])) => seen.length(layer, dim, n),
                (Shape::Matrix(rows, columns), Some(&[r, c])) => {
                    seen.length(layer, rows, r);
                    seen.length(layer, columns, c);
                }
                _ => {}
            }
        }
        for state in &cell.states {
            for name in [format!("{layer}.{direction}.{}", state.name), format!("d.{layer}.{direction}.{}", state.name)]
            {
                if let Some(&[_, n]) = input.shape(&name) {
                    seen.length(layer, state.dim, n);
                }
            }
        }
    }
    for further in &cell.inputs[1..] {
        if let Some(&[_, _, n]) = input.shape(&further.name) {
            seen.length(0, further.dim, n);
        }
    }
    for memory in &cell.memories {
        if let Some(&[_, _, n]) = input.shape(&memory.name) {
            seen.length(0, memory.dim, n);
        }
    }
    if let Some(&[_, _, n]) = input.shape("dy") {
        seen.output(n);
    }
    Some(seen)
}

impl<T: Real + Number> Inputs<T> {
    /// Reads what the network wants. Errors: a tensor is missing, misshapen, of another dtype, or nothing reads it.
    pub fn read(network: &Network, file: &TensorFile, grad: bool) -> Result<Inputs<T>, Error> {
        let XShape { steps, batch, .. } = shape_of_x(file)?;
        refuse_unknown(network, file)?;
        let inputs: Result<Vec<Vec<T>>, _> = network
            .inputs()
            .iter()
            .map(|i| file.numbers(&i.name, &[&[steps, batch], i.shape.as_slice()].concat()))
            .collect();
        let memories = network.memories().iter().map(|m| slots(file, m, batch)).collect::<Result<_, Error>>()?;
        let lengths = file.shape("lengths").is_some().then(|| file.lengths("lengths", batch, steps)).transpose()?;
        let initial = states(network, file, batch, "")?;
        let gradients = match grad {
            true => Some(FromAbove {
                dy: file.numbers("dy", &[steps, batch, network.output_size()])?,
                states: states(network, file, batch, "d.")?,
            }),
            false => None,
        };
        Ok(Inputs { steps, batch, inputs: inputs?, lengths, memories, initial, gradients })
    }
}

/// A memory under its name, its lengths beside it.
fn slots<T: Real + Number>(file: &TensorFile, memory: &Tensor, batch: usize) -> Result<Slots<T>, Error> {
    let (name, units) = (&memory.name, memory.count());
    let slots = match file.shape(name) {
        Some(&[slots, rows, n]) if slots > 0 && (rows, n) == (batch, units) => slots,
        found => {
            let found = found.map_or("no such tensor".to_string(), |shape| format!("shape {shape:?}"));
            let wanted = format!("shape [slots, {batch}, {units}]: what the cell attends to");
            return Err(file.wrong(name, found, wanted).into());
        }
    };
    let values = file.numbers(name, &[slots, batch, units])?;
    let lengths = lengths_of(name);
    let lengths =
        file.shape(&lengths).is_some().then(|| file.lengths_up_to(&lengths, batch, slots, name)).transpose()?;
    Ok(Slots { slots, values, lengths })
}

fn lengths_of(memory: &str) -> String {
    format!("{memory}.lengths")
}

/// `dy` and the gradients of states are known names without `--grad` as well: one file serves both ways.
fn refuse_unknown(network: &Network, file: &TensorFile) -> Result<(), Error> {
    let states = network.states().iter().flat_map(|s| [s.name.clone(), format!("d.{}", s.name)]);
    let inputs = network.inputs().iter().map(|i| i.name.clone());
    let memories = network.memories().iter().flat_map(|m| [m.name.clone(), lengths_of(&m.name)]);
    let known: Vec<String> = inputs.chain(["lengths".into(), "dy".into()]).chain(memories).chain(states).collect();
    Ok(file.refuse_others(known.iter().map(String::as_str))?)
}

/// All states, if the file has any of them; `prefix` is that of the names. A learned initial state cannot be left out
/// beside given ones: it would no longer be learned.
fn states<T: Real + Number>(
    network: &Network,
    file: &TensorFile,
    batch: usize,
    prefix: &str,
) -> Result<Option<Vec<Vec<T>>>, Error> {
    let names: Vec<String> = network.states().iter().map(|s| format!("{prefix}{}", s.name)).collect();
    if !names.iter().any(|n| file.shape(n).is_some()) {
        return Ok(None);
    }
    let own = network.spec().cell.states.iter().cycle();
    let read = |((name, tensor), state): ((&String, &Tensor), &State)| match file.shape(name) {
        None if state.initial.is_some() && prefix.is_empty() => {
            Err(file.wrong(name, "no such tensor", "a value for each learned initial state, or for no state").into())
        }
        None => Ok(vec![T::ZERO; batch * tensor.count()]),
        Some(_) => Ok(file.numbers(name, &[&[batch], tensor.shape.as_slice()].concat())?),
    };
    Ok(Some(names.iter().zip(network.states()).zip(own).map(read).collect::<Result<_, Error>>()?))
}
