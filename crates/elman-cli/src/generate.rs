//! `elman generate`

use crate::outcome::Outcome;
use crate::values::{Machine, SamplingFlags, WeightType, only_language_model, size};
use clap::Args;
use elman::generate::{generate, unknown};
use elman::model::Trained;
use std::path::PathBuf;

/// Most unknown parts of a prompt that are named.
const NAMED: usize = 5;
/// Most characters of each.
const CHARACTERS: usize = 30;

/// Arguments of `elman generate`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman generate runs/readme --prompt Elman --temperature 0.8 --length 200")]
pub struct Arguments {
    /// The run's folder
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// What the text begins with
    #[arg(long, value_name = "TEXT", default_value = "")]
    prompt: String,
    /// Tokens after the prompt
    #[arg(long, value_name = "N", value_parser = size, default_value = "100")]
    length: usize,
    #[command(flatten)]
    sampling: SamplingFlags,
    #[command(flatten)]
    weights: WeightType,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    /// Writes a text.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        only_language_model(&self.run)?;
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        let mut trained = Trained::load_in(&self.run, machine, self.weights.precision())?;
        let remarks = lacking(&unknown(&trained.tokens, &self.prompt)?);
        let text = generate(&mut trained, &self.prompt, self.length, self.sampling.sampling(1.0))?;
        Ok(Outcome::good(text + "\n").with_remarks(remarks))
    }
}

/// A line on what the vocabulary lacks; empty where it lacks nothing.
fn lacking(unknown: &[String]) -> String {
    if unknown.is_empty() {
        return String::new();
    }
    let cut = |piece: &String| piece.chars().take(CHARACTERS).collect::<String>();
    let named: Vec<String> =
        unknown.iter().take(NAMED).map(|piece| format!("`{}`", cut(piece).escape_debug())).collect();
    let more = match unknown.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("warning: not in the vocabulary, so read as <unk>: {}{more}\n", named.join(", "))
}
