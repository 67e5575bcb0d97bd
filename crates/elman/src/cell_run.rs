//! `elman cell run`: any cell over the tensors of a file, with outputs, final states and gradients in another.
//!
//! The forms are in `docs/commands.md`. Reads `x` [steps, batch, input], optional `lengths`, further inputs, initial
//! states and, for gradients, `dy` and gradients of the final states; writes `y`, final states, traces and gradients.
//! Everything is read and checked before anything is computed, and written whole or not at all. Does not train.

mod collect;
mod inputs;
pub mod sizes;

use crate::error::Error;
use crate::memory;
use crate::tensors::{self, Named, Number, TensorFile};
use crate::whole_file::{WholeFile, shown};
use elman_cell::Cell;
use elman_engine::{Batch, Isa, Merge, Network, Options, Real, Runner, Spec, Weights};
use inputs::Inputs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to run, on what, to where.
#[derive(Debug)]
pub struct Request {
    /// The cell.
    pub cell: Arc<Cell>,
    /// Tensors to run on.
    pub input: PathBuf,
    /// Where results go.
    pub output: PathBuf,
    /// Parameters; without them they start as their initialisers say.
    pub weights: Option<PathBuf>,
    /// Where the parameters used are written.
    pub save_weights: Option<PathBuf>,
    /// Layers, at least 1.
    pub layers: usize,
    /// Both directions in every layer.
    pub bidirectional: bool,
    /// How the outputs of two directions become one.
    pub merge: Merge,
    /// Whether gradients are wanted.
    pub grad: bool,
    /// The size of a state, where tensors do not tell.
    pub hidden: Option<usize>,
    /// Seed of the initialisers.
    pub seed: u64,
    /// Threads, at least 1.
    pub threads: usize,
    /// Instruction set.
    pub isa: Isa,
    /// Names of values to write at every step.
    pub trace: Vec<String>,
}

/// Runs in the arithmetic of `T`; what was written, in words.
pub fn run<T: Real + Number>(request: &Request) -> Result<String, Error> {
    refuse_one_file_for_two(request)?;
    let input = TensorFile::open(&request.input)?;
    let weights_file = request.weights.as_deref().map(TensorFile::open).transpose()?;
    let network = build(request, &input, weights_file.as_ref())?;
    let inputs = Inputs::<T>::read(&network, &input, request.grad)?;
    memory::refuse_too_much(&network, inputs.steps, inputs.batch, size_of::<T>())?;
    let weights = match &weights_file {
        Some(file) => read_weights(&network, file)?,
        None => Weights::init(&network, request.seed),
    };
    let results = compute(request, &network, &weights, &inputs)?;
    write(request, &network, &weights, &results)
}

/// No file is read and written, or written twice.
fn refuse_one_file_for_two(request: &Request) -> Result<(), Error> {
    let read = [("--input", Some(&request.input)), ("--weights", request.weights.as_ref())];
    let written = [("--output", Some(&request.output)), ("--save-weights", request.save_weights.as_ref())];
    let all: Vec<(&str, &PathBuf)> = read.into_iter().chain(written).filter_map(|(n, p)| Some((n, p?))).collect();
    for (i, (name, path)) in all.iter().enumerate() {
        let other = all[..i].iter().find(|(n, p)| !(is_read(n) && is_read(name)) && one_file(p, path));
        if let Some((other, _)) = other {
            return Err(Error::Refused(format!("{other} and {name} name the same file, {}", shown(path))));
        }
    }
    Ok(())
}

fn is_read(option: &str) -> bool {
    matches!(option, "--input" | "--weights")
}

/// Both name one regular file, or one that is yet to be made.
fn one_file(a: &Path, b: &Path) -> bool {
    let resolved = |p: &Path| {
        let folder = p.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        p.canonicalize()
            .or_else(|_| Ok::<_, std::io::Error>(folder.canonicalize()?.join(p.file_name().unwrap_or_default())))
    };
    let special = |p: &Path| p.metadata().is_ok_and(|m| !m.is_file());
    !special(a) && matches!((resolved(a), resolved(b)), (Ok(a), Ok(b)) if a == b)
}

/// The network that the tensors fit.
fn build(request: &Request, input: &TensorFile, weights: Option<&TensorFile>) -> Result<Network, Error> {
    let x = inputs::shape_of_x(input)?;
    let sizes = inputs::observe(request, input, weights, x.input)
        .ok_or_else(|| Error::Refused(format!("layers of {} units and more cannot be", x.input)))?
        .solve(request.hidden)
        .ok_or_else(|| Error::Refused("no tensor tells how many hidden units there are: give --hidden".into()))?;
    let (layers, bidirectional, merge) = (request.layers, request.bidirectional, request.merge);
    let cell = request.cell.clone();
    let spec = Spec {
        cell,
        layers,
        bidirectional,
        merge,
        input: sizes.input,
        hidden: sizes.hidden,
        output: Some(sizes.output),
    };
    Ok(Network::new(spec)?)
}

/// All parameters of the network, and no other tensor.
fn read_weights<T: Real + Number>(network: &Network, file: &TensorFile) -> Result<Weights<T>, Error> {
    let parameters = network.parameters();
    let values: Result<Vec<Vec<T>>, _> = parameters.iter().map(|p| file.numbers(&p.name, &p.shape)).collect();
    file.refuse_others(parameters.iter().map(|p| p.name.as_str()))?;
    Ok(Weights(values?))
}

fn compute<T: Real + Number>(
    request: &Request,
    network: &Network,
    weights: &Weights<T>,
    inputs: &Inputs<T>,
) -> Result<Vec<Named<T>>, Error> {
    let trace = request.trace.clone();
    let options =
        Options { threads: request.threads, isa: request.isa, backward: request.grad, trace, ..Options::new() };
    let mut runner = Runner::new(network, weights, options)?;
    let batch = Batch {
        steps: inputs.steps,
        batch: inputs.batch,
        inputs: inputs.inputs.iter().map(Vec::as_slice).collect(),
        lengths: inputs.lengths.as_deref(),
        initial: inputs.initial.as_deref(),
        mask: None,
        memories: inputs.memories.iter().map(inputs::Slots::memory).collect(),
    };
    let outputs = runner.forward(&batch)?;
    let mut results = collect::outputs(network, inputs, outputs);
    if let Some(wanted) = &inputs.gradients {
        let gradients = runner.backward(&wanted.dy, wanted.states.as_deref())?;
        results.extend(collect::gradients(network, inputs, gradients));
    }
    Ok(results)
}

/// Both files are written beside their targets before either gets its name.
fn write<T: Real + Number>(
    request: &Request,
    network: &Network,
    weights: &Weights<T>,
    results: &[Named<T>],
) -> Result<String, Error> {
    let saved = request.save_weights.as_deref().map(|path| {
        let pairs = network.parameters().iter().zip(&weights.0);
        let named: Vec<Named<T>> =
            pairs.map(|(p, data)| Named { name: p.name.clone(), shape: p.shape.clone(), data: data.clone() }).collect();
        Ok::<_, Error>((path, tensors::write(path, &named)?))
    });
    let saved = saved.transpose()?;
    let results_file = tensors::write(&request.output, results)?;
    let publish =
        |path: &Path, file: WholeFile| file.publish().map_err(|source| Error::Write { file: shown(path), source });
    if let Some((path, file)) = saved {
        publish(path, file)?;
    }
    publish(&request.output, results_file)?;
    let y = results.iter().find(|t| t.name == "y").map(|t| t.shape.clone()).unwrap_or_default();
    Ok(format!("{}: y {:?} and {} other tensors", shown(&request.output), y, results.len().saturating_sub(1)))
}
