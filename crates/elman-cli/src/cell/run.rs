//! `elman cell run`

use crate::outcome::Outcome;
use crate::values::{Machine, Shape, size};
use clap::{Args, ValueEnum};
use elman::cell_run::{self, Request};
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `elman cell run`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman cell run tanh --input reference/data/tanh.in.safetensors --output out.safetensors --layers 2 --bidirectional --dtype f64 --grad\n\nThe names in the files are in docs/commands.md."
)]
pub struct Arguments {
    /// A built-in cell or a .cell file
    cell: String,
    /// Tensors to run on: x, lengths, initial states, dy
    #[arg(long, value_name = "IN", help_heading = "Files (safetensors)")]
    input: PathBuf,
    /// Where outputs, final states and gradients go
    #[arg(long, value_name = "OUT", help_heading = "Files (safetensors)")]
    output: PathBuf,
    /// Parameters [default: as initialised with --seed]
    #[arg(long, value_name = "W", help_heading = "Files (safetensors)")]
    weights: Option<PathBuf>,
    /// Write the parameters that were used
    #[arg(long, value_name = "W", help_heading = "Files (safetensors)")]
    save_weights: Option<PathBuf>,
    #[command(flatten)]
    shape: Shape,
    /// Units of a state, where no tensor tells
    #[arg(long, value_name = "H", value_parser = size, help_heading = "Network")]
    hidden: Option<usize>,
    /// Seed of the initialisers
    #[arg(long, value_name = "S", default_value = "0", help_heading = "Network")]
    seed: u64,
    /// Write gradients as well; IN holds dy
    #[arg(long)]
    grad: bool,
    /// Write these values at every step
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    trace: Vec<String>,
    /// The arithmetic, and the type of the tensors
    #[arg(long, value_name = "TYPE", default_value = "f32", help_heading = "Machine")]
    dtype: Dtype,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    /// 32 bits
    F32,
    /// 64 bits; f32 tensors are read as well
    F64,
}

impl Arguments {
    /// Runs the cell and writes what it gives.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let request = Request {
            cell: Arc::new(elman::cells::find(&self.cell)?),
            input: self.input,
            output: self.output,
            weights: self.weights,
            save_weights: self.save_weights,
            layers: self.shape.layers,
            bidirectional: self.shape.bidirectional,
            merge: self.shape.merge.into(),
            grad: self.grad,
            hidden: self.hidden,
            seed: self.seed,
            threads: self.machine.threads(),
            isa: self.machine.isa()?,
            trace: self.trace,
        };
        let written = match self.dtype {
            Dtype::F32 => cell_run::run::<f32>(&request)?,
            Dtype::F64 => cell_run::run::<f64>(&request)?,
        };
        Ok(Outcome::good("").with_remarks(written + "\n"))
    }
}
