//! `elman train translate`

use super::columns::SourceAndTarget;
use super::common::{Common, set};
use crate::outcome::Outcome;
use crate::values::size;
use clap::Args;
use elman::task::settings::TaskName;

/// Arguments of `elman train translate`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Examples:\n  elman train translate --data pairs.tsv --source german --target english --out runs/de-en\n  elman train translate --data train.de.gz --target-data train.en.gz --valid val.de.gz --target-valid val.en.gz\n\nA file is a table (CSV, TSV, JSON lines) with a column of each side, or one side, line by line, of which --target-data is the other."
)]
pub struct Translate {
    #[command(flatten)]
    columns: SourceAndTarget,
    /// The targets of --data, line by line
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    target_data: Vec<String>,
    /// The targets of --valid
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    target_valid: Vec<String>,
    /// The targets of --test
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    target_test: Vec<String>,
    /// Make all letters small on both sides
    #[arg(long, help_heading = "Data")]
    lowercase: bool,
    /// Texts that a search follows at once, after training [default: 5]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    beam: Option<usize>,
    /// 0 prefers short translations, more speaks for longer ones [default: 1]
    #[arg(long, value_name = "A", help_heading = "Model")]
    length_penalty: Option<f64>,
    #[command(flatten)]
    common: Common,
}

impl Translate {
    /// Trains.
    pub fn run(&self) -> Result<Outcome, elman::Error> {
        let mut s = self.common.settings(TaskName::Translate)?;
        self.columns.apply(&mut s.data);
        let beside = [&self.target_data, &self.target_valid, &self.target_test];
        let sources = [("data", &s.data.train), ("valid", &s.data.valid), ("test", &s.data.test)];
        if beside.iter().any(|files| !files.is_empty()) {
            for (files, (flag, of)) in beside.iter().zip(sources) {
                if files.len() != of.len() {
                    let (found, wanted) = (files.len(), of.len());
                    let message =
                        format!("--target-{flag} names {found} files and --{flag} {wanted}: each needs its other side");
                    return Err(elman::Error::Refused(message));
                }
            }
            s.data.beside = beside.into_iter().flatten().cloned().collect();
        }
        s.data.lowercase |= self.lowercase;
        set! { self.beam => s.search.beam, self.length_penalty => s.search.length_penalty }
        self.common.train(s)
    }
}
