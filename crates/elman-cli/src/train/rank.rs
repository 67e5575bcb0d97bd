//! `elman train rank`

use super::classify::Pool;
use super::columns::SourceAndTarget;
use super::common::{Common, set};
use crate::outcome::Outcome;
use crate::values::size;
use clap::Args;
use elman::task::settings::TaskName;

/// Arguments of `elman train rank`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Examples:\n  elman train rank --data questions.csv --query question --document answer --out runs/answers\n  elman train rank --data train.de,… --documents train.en,…\n\nA file is a table with a query and a document a row; or queries and documents stand in two files, line by line."
)]
pub struct Rank {
    #[command(flatten)]
    columns: SourceAndTarget,
    /// Files of documents, line by line beside those of --data, --valid and --test, in this order
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    documents: Vec<String>,
    /// How all steps become one answer [default: max]
    #[arg(long, value_name = "HOW", help_heading = "Model")]
    pool: Option<Pool>,
    /// Queries and documents share vocabulary and layers
    #[arg(long, help_heading = "Model")]
    joint: bool,
    /// Units of the space in which queries and documents meet [default: 256]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    space: Option<usize>,
    /// What likenesses are divided by before the softmax [default: 0.07]
    #[arg(long, value_name = "T", help_heading = "Training")]
    temperature: Option<f64>,
    #[command(flatten)]
    common: Common,
}

impl Rank {
    /// Trains.
    pub fn run(&self) -> Result<Outcome, elman::Error> {
        let mut s = self.common.settings(TaskName::Rank)?;
        self.columns.apply(&mut s.data);
        if !self.documents.is_empty() {
            s.data.beside.clone_from(&self.documents);
        }
        set! { self.pool => s.model.pool, self.space => s.model.space, self.temperature => s.model.temperature }
        s.model.joint |= self.joint;
        self.common.train(s)
    }
}
