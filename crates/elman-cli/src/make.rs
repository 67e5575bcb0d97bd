//! `elman make`

use crate::outcome::Outcome;
use clap::{Args, ValueEnum};
use elman::made::{Kind, make};
use std::io::{self, BufWriter, Write};

/// Arguments of `elman make`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman make dialogue --count 2\n\nPrints examples to standard output; the same seed gives the same ones. Use other seeds for training, validation and test."
)]
pub struct Arguments {
    /// What to make
    #[arg(value_name = "KIND")]
    kind: KindName,
    /// Examples
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: u64,
    /// Words of a marked text
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = crate::values::few)]
    length: usize,
    /// All random numbers follow from it
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    /// Conversations of ten turns for `train lm` and `chat`: a line each, an empty line after each conversation
    Dialogue,
    /// Texts with marked parts, a tab, the parts: for `train translate --copy`
    Marked,
    /// Questions, a tab, the sentence that answers: for `train rank`
    Questions,
}

impl Arguments {
    /// Prints them.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let kind = match self.kind {
            KindName::Dialogue => Kind::Dialogue,
            KindName::Marked => Kind::Marked,
            KindName::Questions => Kind::Questions,
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let mut written = Ok(());
        make(kind, self.count, self.length, self.seed, |line| {
            written = writeln!(out, "{line}");
            written.is_ok()
        });
        match written.and_then(|()| out.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(elman::Error::Write { file: "standard output".into(), source })
            }
            _ => Ok(Outcome::good("")),
        }
    }
}
