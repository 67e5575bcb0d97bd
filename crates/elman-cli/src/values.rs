//! Values that several commands take, and how they are read.

use clap::{Args, ValueEnum};
use elman::engine::{Isa, Merge, Precision};
use elman::generate::Sampling;
use elman::lengths::Lengths;

/// The largest size that is taken from the command line.
const LARGEST: usize = 1 << 31;

/// A size: a whole number from 1.
pub fn size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=LARGEST).contains(&n) => Ok(n),
        _ => Err(format!("wanted a whole number from 1 to {LARGEST}")),
    }
}

/// A number of layers or threads.
pub fn few(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=1024).contains(&n) => Ok(n),
        _ => Err("wanted a whole number from 1 to 1024".into()),
    }
}

/// Two numbers from 1, the second not smaller: `2-8`, or `5` for both.
pub fn range(text: &str) -> Result<[usize; 2], String> {
    let (fewest, most) = text.split_once('-').unwrap_or((text, text));
    match (few(fewest), few(most)) {
        (Ok(fewest), Ok(most)) if fewest <= most => Ok([fewest, most]),
        _ => Err("wanted two whole numbers from 1 to 1024, such as 2-8".into()),
    }
}

/// How a cell becomes a network.
#[derive(Clone, Args)]
pub struct Shape {
    /// Layers, each on the output of the one below
    #[arg(long, value_name = "N", default_value = "1", value_parser = few, help_heading = "Network")]
    pub layers: usize,
    /// Run each layer in both directions
    #[arg(long, help_heading = "Network")]
    pub bidirectional: bool,
    /// What becomes of the outputs of two directions
    #[arg(long, value_name = "HOW", default_value = "concat", help_heading = "Network")]
    pub merge: MergeName,
}

/// Threads and instruction set.
#[derive(Args, Default)]
pub struct Machine {
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Machine")]
    threads: Option<usize>,
}

impl Machine {
    /// The threads asked for, or as many as there are cores.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The instruction set that `ELMAN_ISA` names, or the best there is.
    pub fn isa(&self) -> Result<Isa, elman::Error> {
        Isa::from_env().map_err(|e| elman::Error::Refused(e.to_string()))
    }
}

/// How weights are kept.
#[derive(Args)]
pub struct WeightType {
    /// Weights of the recurrent layers; bf16 and int8 do not train
    #[arg(long, value_name = "TYPE", default_value = "f32", help_heading = "Machine")]
    dtype: Dtype,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    /// 32 bits
    F32,
    /// 16 bits
    Bf16,
    /// 8 bits, with a scale for each unit
    Int8,
}

impl WeightType {
    /// The precision asked for.
    pub fn precision(&self) -> Precision {
        match self.dtype {
            Dtype::F32 => Precision::Full,
            Dtype::Bf16 => Precision::Bf16,
            Dtype::Int8 => Precision::Int8,
        }
    }
}

/// [`Merge`] by name.
#[derive(Clone, Copy, ValueEnum)]
pub enum MergeName {
    /// Forward units, then backward units
    Concat,
    /// Their sum
    Sum,
    /// Half their sum
    Mean,
}

impl From<MergeName> for Merge {
    fn from(name: MergeName) -> Merge {
        match name {
            MergeName::Concat => Merge::Concat,
            MergeName::Sum => Merge::Sum,
            MergeName::Mean => Merge::Mean,
        }
    }
}

/// [`Lengths`] by name.
#[derive(Clone, Copy, ValueEnum)]
pub enum LengthsName {
    /// Drawn uniformly from 1 to the number of steps
    Uniform,
    /// All as long as there are steps
    Equal,
}

impl From<LengthsName> for Lengths {
    fn from(name: LengthsName) -> Lengths {
        match name {
            LengthsName::Uniform => Lengths::Uniform,
            LengthsName::Equal => Lengths::Equal,
        }
    }
}

/// How tokens are drawn.
#[derive(Args)]
pub struct SamplingFlags {
    /// Below 1 likelier, above 1 wilder; 0 takes the likeliest [default: 1; of chat 0]
    #[arg(long, value_name = "T", help_heading = "Sampling")]
    temperature: Option<f64>,
    /// Only the K likeliest tokens
    #[arg(long, value_name = "K", value_parser = size, help_heading = "Sampling")]
    top_k: Option<usize>,
    /// Only the likeliest tokens that hold this share
    #[arg(long, value_name = "P", help_heading = "Sampling")]
    top_p: Option<f64>,
    /// The same seed gives the same text
    #[arg(long, value_name = "S", default_value = "1", help_heading = "Sampling")]
    seed: u64,
}

impl SamplingFlags {
    /// What was asked for; where nothing was said, this temperature.
    pub fn sampling(&self, temperature: f64) -> Sampling {
        let temperature = self.temperature.unwrap_or(temperature);
        Sampling { temperature, top_k: self.top_k, top_p: self.top_p, seed: self.seed }
    }
}

/// Refuses the run of a task with examples, where only a language model will do.
pub fn only_language_model(run: &std::path::Path) -> Result<(), elman::Error> {
    match elman::task::task_of(run) {
        None => Ok(()),
        Some(task) => {
            let (run, task) = (run.display(), task.name());
            let message =
                format!("{run}: this run is of the task `{task}`, not a language model; elman predict {run} answers");
            Err(elman::Error::Refused(message))
        }
    }
}
