//! `elman chat`

use crate::outcome::Outcome;
use crate::values::{Machine, SamplingFlags, WeightType, only_language_model};
use clap::Args;
use elman::chat::Chat;
use elman::model::Trained;
use elman::text::Source;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// The temperature of replies: always the likeliest word.
const LIKELIEST: f64 = 0.0;

/// Arguments of `elman chat`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman chat runs/talk\n\nReads a turn a line from standard input and prints the reply; what was said is remembered until an empty line or the end. The model is a language model (`elman train lm`) of texts in which turns and replies stand a line each."
)]
pub struct Arguments {
    /// The run's folder
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// Measure replies on a file of conversations: turn, reply, turn, reply …, an empty line between two conversations
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sampling: SamplingFlags,
    #[command(flatten)]
    weights: WeightType,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    /// Talks, or measures.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        only_language_model(&self.run)?;
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        let trained = Trained::load_in(&self.run, machine, self.weights.precision())?;
        let encoding = trained.config.data.encoding.clone();
        let mut chat = Chat::new(trained, self.sampling.sampling(LIKELIEST))?;
        let mut source = Source::open(self.data.as_deref().unwrap_or("-"), encoding.as_deref())?;
        let mut turn = String::new();
        if let Some(file) = &self.data {
            let mut text = String::new();
            while source.next_line(&mut turn)? {
                text += &turn;
                text.push('\n');
            }
            let found = chat.measure(file, &text)?;
            let share = found.exact as f64 / found.replies.max(1) as f64;
            let table = format!(
                "conversations       {}\nreplies             {}\nexact match         {share:.4}\n",
                found.conversations, found.replies
            );
            return if self.json { Outcome::json(&found) } else { Ok(Outcome::good(table)) };
        }
        let prompts = io::stdin().is_terminal();
        loop {
            if prompts {
                eprint!("> ");
            }
            if !source.next_line(&mut turn)? {
                return Ok(Outcome::good(""));
            }
            if turn.trim().is_empty() {
                chat.forget();
                continue;
            }
            let reply = chat.say(&turn)?;
            let line = if self.json { serde_json::json!({ "turn": turn, "reply": reply }).to_string() } else { reply };
            let mut out = io::stdout().lock();
            match writeln!(out, "{line}").and_then(|()| out.flush()) {
                Err(source) if source.kind() == io::ErrorKind::BrokenPipe => return Ok(Outcome::good("")),
                Err(source) => return Err(elman::Error::Write { file: "standard output".into(), source }),
                Ok(()) => {}
            }
        }
    }
}
