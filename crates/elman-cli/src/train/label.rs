//! `elman train label`

use super::columns::TextAndLabel;
use super::common::{Common, set};
use crate::outcome::Outcome;
use crate::values::{few, range, size};
use clap::Args;
use elman::task::settings::TaskName;

/// Arguments of `elman train label`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Example:\n  elman train label --ctc --data train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --strings 20000 --out runs/digits\n\nWith --strings the files are pictures (idx) and their labels, and strings of pictures side by side are made of them. Else a file is a table with a column of WAV files (--text) and one of what is said in them (--label)."
)]
pub struct Label {
    /// Without alignment: connectionist temporal classification, which is the only way there is
    #[arg(long)]
    ctc: bool,
    /// Make so many training strings of pictures side by side
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Data")]
    strings: Option<usize>,
    /// The labels of the pictures: of --data, --valid and --test in turn, with commas between
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    labels: Vec<String>,
    /// Pictures of a string [default: 2-8]
    #[arg(long, value_name = "MIN-MAX", value_parser = range, help_heading = "Data")]
    string_length: Option<[usize; 2]>,
    #[command(flatten)]
    columns: TextAndLabel,
    /// Steps that are read at once [default: 2]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    stack: Option<usize>,
    #[command(flatten)]
    common: Common,
}

impl Label {
    /// Trains.
    pub fn run(&self) -> Result<Outcome, elman::Error> {
        let mut s = self.common.settings(TaskName::Label)?;
        if !self.labels.is_empty() {
            s.data.beside.clone_from(&self.labels);
        }
        self.columns.apply(&mut s.data);
        set! { self.strings => s.data.strings, self.string_length => s.data.string_length,
        self.stack => s.model.stack }
        self.common.train(s)
    }
}
