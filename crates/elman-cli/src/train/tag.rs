//! `elman train tag`

use super::common::{Common, set};
use crate::outcome::Outcome;
use clap::Args;
use elman::task::settings::TaskName;

/// Arguments of `elman train tag`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Example:\n  elman train tag --data train.conllu.gz --valid dev.conllu.gz --test test.conllu.gz --out runs/tagger\n\nThe files are CoNLL-U; the tag is its fourth field, UPOS."
)]
pub struct Tag {
    /// Choose the tags of a sentence together (a conditional random field)
    #[arg(long, help_heading = "Model")]
    crf: bool,
    /// Word vectors trained elsewhere, read beside the learned ones: a word and its numbers a line (GloVe, word2vec, fastText)
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    vectors: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Tag {
    /// Trains.
    pub fn run(&self) -> Result<Outcome, elman::Error> {
        let mut s = self.common.settings(TaskName::Tag)?;
        s.model.crf |= self.crf;
        set! { self.vectors => s.data.vectors }
        self.common.train(s)
    }
}
