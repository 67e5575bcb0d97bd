//! `elman cell explain`

use crate::outcome::Outcome;
use crate::values::{Machine, Shape, size};
use clap::Args;
use elman::engine::explain::{self, Figures, Workload};
use elman::engine::{Limits, Network, Spec};
use serde::Serialize;
use std::sync::Arc;

/// Arguments of `elman cell explain`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman cell explain lstm --hidden 200 --batch 20 --steps 35")]
pub struct Arguments {
    /// A built-in cell or a .cell file
    cell: String,
    /// Units of a state
    #[arg(long, value_name = "H", default_value = "128", value_parser = size, help_heading = "Sizes")]
    hidden: usize,
    /// Units of the input [default: as hidden]
    #[arg(long, value_name = "I", value_parser = size, help_heading = "Sizes")]
    input: Option<usize>,
    /// Units that nothing else fixes [default: as hidden]
    #[arg(long, value_name = "O", value_parser = size, help_heading = "Sizes")]
    output: Option<usize>,
    /// Steps
    #[arg(long, value_name = "T", default_value = "100", value_parser = size, help_heading = "Sizes")]
    steps: usize,
    /// Sequences
    #[arg(long, value_name = "B", default_value = "1", value_parser = size, help_heading = "Sizes")]
    batch: usize,
    #[command(flatten)]
    shape: Shape,
    /// Count memory as with `cell bench --recompute`
    #[arg(long)]
    recompute: bool,
    #[command(flatten)]
    machine: Machine,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    cell: &'a str,
    steps: usize,
    batch: usize,
    input: usize,
    hidden: usize,
    layers: usize,
    bidirectional: bool,
    threads: usize,
    isa: &'static str,
    parameters: usize,
    bulk_flops: f64,
    loop_flops: f64,
    loop_bytes: usize,
    forward_bytes: usize,
    training_bytes: usize,
    kept_per_token: usize,
    bound_us: f64,
    peak_gflops: f64,
    /// [bytes, GB/s] of one core, from the smallest memory to the largest.
    read_gbs: Vec<(usize, f64)>,
}

impl Arguments {
    /// Explains how the cell is run.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let network = self.network()?;
        let isa = self.machine.isa()?;
        let threads = self.machine.threads();
        let work = Workload { threads, recompute: self.recompute, ..Workload::new(self.steps, self.batch) };
        let limits = Limits::measure(isa);
        if self.json {
            let figures = explain::figures(&network, work, &limits);
            return Outcome::json(&self.json(&network, work, isa.name(), &limits, figures));
        }
        let text = explain::explain(&network, work, &limits);
        Ok(Outcome::good(format!("{text}Instruction set: {isa}; the figures of the machine were measured just now\n")))
    }

    fn network(&self) -> Result<Network, elman::Error> {
        Ok(Network::new(Spec {
            cell: Arc::new(elman::cells::find(&self.cell)?),
            layers: self.shape.layers,
            bidirectional: self.shape.bidirectional,
            merge: self.shape.merge.into(),
            input: self.input.unwrap_or(self.hidden),
            hidden: self.hidden,
            output: self.output,
        })?)
    }

    fn json(&self, network: &Network, work: Workload, isa: &'static str, limits: &Limits, f: Figures) -> Json<'_> {
        Json {
            cell: &self.cell,
            steps: work.steps,
            batch: work.batch,
            input: network.spec().input,
            hidden: self.hidden,
            layers: self.shape.layers,
            bidirectional: self.shape.bidirectional,
            threads: work.threads,
            isa,
            parameters: f.parameters,
            bulk_flops: f.bulk_flops,
            loop_flops: f.loop_flops,
            loop_bytes: f.loop_bytes,
            forward_bytes: f.forward_bytes,
            training_bytes: f.training_bytes,
            kept_per_token: f.kept_per_token,
            bound_us: f.bound * 1e6,
            peak_gflops: limits.flops / 1e9,
            read_gbs: limits.levels.iter().map(|l| (l.bytes, l.bandwidth / 1e9)).collect(),
        }
    }
}
