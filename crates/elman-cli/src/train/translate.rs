//! `elman train translate`

use super::columns::SourceAndTarget;
use super::common::{Common, KindName, set};
use crate::outcome::Outcome;
use crate::values::size;
use clap::{Args, ValueEnum};
use elman::task::settings::{Attention, Kind, TaskName};

/// Arguments of `elman train translate`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Examples:\n  elman train translate --data pairs.tsv --source german --target english --out runs/de-en\n  elman train translate --data train.de.gz --target-data train.en.gz --valid val.de.gz --target-valid val.en.gz\n  elman train translate --data texts.tsv --source text --target summary --copy\n\nA file is a table (CSV, TSV, JSON lines) with a column of each side, or one side, line by line, of which --target-data is the other."
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
    /// The decoder may also copy words of the source: for summaries, names, numbers
    #[arg(long, help_heading = "Model")]
    copy: bool,
    /// The decoder's kind, where it is another than the encoder's, --model [default: as --model]
    #[arg(long, value_name = "KIND", help_heading = "Model")]
    decoder: Option<KindName>,
    /// How a recurrent decoder compares its state with the memory [default: scaled]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    attention: Option<AttentionName>,
    /// The decoder attends within its cell and knows what it attended to before: gru-attention or lstm-attention, by --cell
    #[arg(long, help_heading = "Model")]
    input_feeding: bool,
    /// The same with a cell of one's own that attends to a memory, built in or a .cell file
    #[arg(long, value_name = "CELL", help_heading = "Model")]
    decoder_cell: Option<String>,
    /// Texts that a search follows at once, after training [default: 5]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    beam: Option<usize>,
    /// 0 prefers short translations, more speaks for longer ones [default: 1]
    #[arg(long, value_name = "A", help_heading = "Model")]
    length_penalty: Option<f64>,
    #[command(flatten)]
    common: Common,
}

/// [`Attention`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum AttentionName {
    /// (W h) · m / √units
    Scaled,
    /// (W h) · m
    Dot,
    /// v · tanh(W h + U m)
    Additive,
}

impl From<AttentionName> for Attention {
    fn from(name: AttentionName) -> Attention {
        match name {
            AttentionName::Scaled => Attention::Scaled,
            AttentionName::Dot => Attention::Dot,
            AttentionName::Additive => Attention::Additive,
        }
    }
}

/// Subwords of a run that copies.
const SUBWORDS_TO_COPY: usize = 1000;

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
        s.model.copy |= self.copy;
        if self.copy && self.common.config.is_none() {
            // Small pieces of numbers and names are copied surely, large ones are too rare to learn from; a flag wins.
            s.data.vocabulary = self.common.vocab_size.unwrap_or(SUBWORDS_TO_COPY);
        }
        s.model.input_feeding |= self.input_feeding;
        if let Some(kind) = self.decoder.map(Kind::from).or(self.common.kind()) {
            s.model.decoder = kind;
        }
        set! { self.attention => s.model.attention, self.decoder_cell => s.model.decoder_cell }
        set! { self.beam => s.search.beam, self.length_penalty => s.search.length_penalty }
        self.common.train(s)
    }
}
