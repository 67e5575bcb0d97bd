//! `elman cell grad`

use crate::outcome::Outcome;
use crate::values::{LengthsName, Shape, size};
use clap::Args;
use elman::engine::gradcheck::{DENOMINATOR, GradientPoint, GradientReport, TensorError, check_gradients};
use elman::engine::{Network, Random, Spec};
use serde::Serialize;
use std::fmt::Write;
use std::sync::Arc;

/// Arguments of `elman cell grad`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman cell grad lstm --hidden 4 --input 3 --layers 2 --bidirectional")]
pub struct Arguments {
    /// A built-in cell or a .cell file
    cell: String,
    /// Units of a state
    #[arg(long, value_name = "H", default_value = "5", value_parser = size, help_heading = "Sizes")]
    hidden: usize,
    /// Units of the input [default: as hidden]
    #[arg(long, value_name = "I", value_parser = size, help_heading = "Sizes")]
    input: Option<usize>,
    /// Units that nothing else fixes [default: as hidden]
    #[arg(long, value_name = "O", value_parser = size, help_heading = "Sizes")]
    output: Option<usize>,
    /// Steps
    #[arg(long, value_name = "T", default_value = "6", value_parser = size, help_heading = "Sizes")]
    steps: usize,
    /// Sequences
    #[arg(long, value_name = "B", default_value = "3", value_parser = size, help_heading = "Sizes")]
    batch: usize,
    /// Lengths of the sequences
    #[arg(long, value_name = "HOW", default_value = "uniform", help_heading = "Sizes")]
    lengths: LengthsName,
    #[command(flatten)]
    shape: Shape,
    /// The largest relative error that passes
    #[arg(long, value_name = "E", default_value = "1e-6", value_parser = tolerance)]
    tolerance: f64,
    /// Seed of weights, inputs and what is tried
    #[arg(long, value_name = "S", default_value = "0")]
    seed: u64,
    /// Most entries of a tensor that are compared, spread evenly
    #[arg(long, value_name = "N", default_value = "64", value_parser = size)]
    entries: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    cell: &'a str,
    dtype: &'static str,
    steps: usize,
    batch: usize,
    input: usize,
    hidden: usize,
    layers: usize,
    bidirectional: bool,
    tolerance: f64,
    denominator: &'static str,
    passed: bool,
    worst: f64,
    parameters: Vec<Row<'a>>,
    inputs: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    memories: Vec<Row<'a>>,
    states: Vec<Row<'a>>,
}

/// One tensor. An error that is no finite number is null in JSON.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    error: f64,
    entries: usize,
}

fn rows(errors: &[TensorError]) -> Vec<Row<'_>> {
    errors.iter().map(|e| Row { name: &e.name, error: e.error, entries: e.entries }).collect()
}

fn tolerance(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|t: &f64| t.is_finite() && *t > 0.0).ok_or_else(|| "wanted a positive number".into())
}

impl Arguments {
    /// Checks every derivative; not good where one is over the tolerance.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let cell = Arc::new(elman::cells::find(&self.cell)?);
        let input = self.input.unwrap_or(self.hidden);
        let Shape { layers, bidirectional, merge } = self.shape.clone();
        let spec =
            Spec { cell, layers, bidirectional, merge: merge.into(), input, hidden: self.hidden, output: self.output };
        let network = Network::new(spec)?;
        let lengths = elman::lengths::Lengths::from(self.lengths);
        let point = GradientPoint {
            steps: self.steps,
            batch: self.batch,
            lengths: lengths.draw(self.steps, self.batch, &mut Random::new(self.seed, u64::MAX)),
            seed: self.seed,
            entries: self.entries,
        };
        elman::memory::refuse_too_much(&network, self.steps, self.batch, size_of::<f64>())?;
        let report = check_gradients(&network, &point)?;
        let passed = report.worst() <= self.tolerance;
        let outcome = match self.json {
            true => Outcome::json(&self.json(input, &report))?,
            false => Outcome::good(table(&report, self.tolerance)),
        };
        Ok(outcome.with_good(passed))
    }

    fn json<'a>(&'a self, input: usize, report: &'a GradientReport) -> Json<'a> {
        Json {
            cell: &self.cell,
            dtype: "f64",
            steps: self.steps,
            batch: self.batch,
            input,
            hidden: self.hidden,
            layers: self.shape.layers,
            bidirectional: self.shape.bidirectional,
            tolerance: self.tolerance,
            denominator: DENOMINATOR,
            passed: report.worst() <= self.tolerance,
            worst: report.worst(),
            parameters: rows(&report.parameters),
            inputs: rows(&report.inputs),
            memories: rows(&report.memories),
            states: rows(&report.states),
        }
    }
}

/// A line a tensor, then the worst.
fn table(report: &GradientReport, tolerance: f64) -> String {
    let mut text = String::new();
    let all = report.parameters.iter().chain(&report.inputs).chain(&report.memories).chain(&report.states);
    let width = all.clone().map(|r| r.name.len()).max().unwrap_or(0);
    for TensorError { name, error, entries } in all {
        let verdict = if *error <= tolerance { "" } else { "   over the tolerance" };
        let _ = writeln!(text, "{name:width$}  {error:8.1e}  {entries} entries{verdict}");
    }
    let _ = writeln!(text, "worst relative error {:.1e}, tolerance {tolerance:.1e}", report.worst());
    let _ = writeln!(text, "relative to {DENOMINATOR}");
    text
}
