//! `elman cell bench`

use crate::outcome::Outcome;
use crate::values::{LengthsName, Machine, Shape, WeightType, size};
use clap::Args;
use elman::cell_bench::{self, Timing};
use elman::engine::{Network, Options, Spec};
use serde::Serialize;
use std::sync::Arc;

/// Arguments of `elman cell bench`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman cell bench mut1 --input 64 --hidden 64 --batch 8 --steps 20 --backward")]
pub struct Arguments {
    /// A built-in cell or a .cell file
    cell: String,
    /// Units of the input
    #[arg(long, value_name = "I", value_parser = size, help_heading = "Sizes")]
    input: usize,
    /// Units of a state
    #[arg(long, value_name = "H", value_parser = size, help_heading = "Sizes")]
    hidden: usize,
    /// Sequences
    #[arg(long, value_name = "B", value_parser = size, help_heading = "Sizes")]
    batch: usize,
    /// Steps
    #[arg(long, value_name = "T", value_parser = size, help_heading = "Sizes")]
    steps: usize,
    /// Lengths of the sequences
    #[arg(long, value_name = "HOW", default_value = "equal", help_heading = "Sizes")]
    lengths: LengthsName,
    #[command(flatten)]
    shape: Shape,
    /// Time forward and backward, with all gradients
    #[arg(long)]
    backward: bool,
    /// With --backward: keep states at some steps only, and compute the rest again
    #[arg(long, requires = "backward")]
    recompute: bool,
    /// Time one step a call, with carried state
    #[arg(long, conflicts_with = "backward")]
    stream: bool,
    #[command(flatten)]
    weights: WeightType,
    #[command(flatten)]
    machine: Machine,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Json {
    cell: String,
    steps: usize,
    batch: usize,
    input: usize,
    hidden: usize,
    layers: usize,
    bidirectional: bool,
    backward: bool,
    threads: usize,
    dtype: &'static str,
    isa: &'static str,
    median_us: f64,
    min_us: f64,
    p99_us: f64,
    gflops: f64,
    repeats: usize,
}

impl Arguments {
    /// Times the cell.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let (threads, isa) = (self.machine.threads(), self.machine.isa()?);
        let request = cell_bench::Request {
            network: self.network()?,
            steps: self.steps,
            batch: self.batch,
            lengths: self.lengths.into(),
            stream: self.stream,
            options: Options {
                threads,
                isa,
                backward: self.backward,
                recompute: self.recompute,
                precision: self.weights.precision(),
                ..Options::new()
            },
        };
        let timing = cell_bench::time::<f32>(&request)?;
        if self.json { Outcome::json(&self.json(threads, isa.name(), timing)) } else { Ok(self.sentence(&timing)) }
    }

    fn network(&self) -> Result<Network, elman::Error> {
        Ok(Network::new(Spec {
            cell: Arc::new(elman::cells::find(&self.cell)?),
            layers: self.shape.layers,
            bidirectional: self.shape.bidirectional,
            merge: self.shape.merge.into(),
            input: self.input,
            hidden: self.hidden,
            output: None,
        })?)
    }

    fn sentence(&self, timing: &Timing) -> Outcome {
        let Timing { median_us, min_us, p99_us, gflops, repeats } = timing;
        let call = if self.stream { "a step" } else { "a batch" };
        Outcome::good(format!(
            "{call}: median {median_us:.2} µs, least {min_us:.2} µs, p99 {p99_us:.2} µs of {repeats}; {gflops:.1} GFLOP/s\n"
        ))
    }

    fn json(self, threads: usize, isa: &'static str, timing: Timing) -> Json {
        Json {
            cell: self.cell,
            steps: self.steps,
            batch: self.batch,
            input: self.input,
            hidden: self.hidden,
            layers: self.shape.layers,
            bidirectional: self.shape.bidirectional,
            backward: self.backward,
            threads,
            dtype: self.weights.precision().name(),
            isa,
            median_us: timing.median_us,
            min_us: timing.min_us,
            p99_us: timing.p99_us,
            gflops: timing.gflops,
            repeats: timing.repeats,
        }
    }
}
