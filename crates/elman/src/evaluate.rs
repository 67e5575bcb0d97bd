//! `elman eval`: the figures of a trained language model on a text.

use crate::error::Error;
use crate::model::trained::Trained;
use crate::text::{Corpus, Part};
use crate::train::score::score;
use serde::Serialize;
use std::sync::atomic::AtomicBool;

/// Which text is scored.
#[derive(Clone, Debug, PartialEq)]
pub enum Chosen {
    /// A file, or standard input for `-`.
    File(String),
    /// The run's own validation part.
    Valid,
    /// The run's own test part.
    Test,
}

/// What is said of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// A file's name, `valid` or `test`.
    pub text: String,
    /// Tokens scored, ends of lines among them.
    pub tokens: u64,
    /// Those that the vocabulary lacks.
    pub unknown: u64,
    /// Characters, ends of lines among them.
    pub characters: u64,
    /// The sum of all losses.
    pub nats: f64,
    /// Nats per token.
    pub loss: f64,
    /// exp of the loss.
    pub perplexity: f64,
    /// Bits per token.
    pub bits_per_token: f64,
    /// Bits per character.
    pub bits_per_character: f64,
}

/// Scores every token, in `batch` columns; with 1 the state is never cut.
///
/// # Errors
/// A text that cannot be read, a part that the run does not have.
pub fn evaluate(trained: &mut Trained, chosen: &Chosen, batch: usize, stop: &AtomicBool) -> Result<Figures, Error> {
    let (text, part) = part(trained, chosen)?;
    let (end, steps) = (trained.tokenizer.end(), trained.config.train.steps.max(64));
    let scored = score(&mut trained.lm, &part, end, [batch, steps], stop)?;
    let score = scored.ok_or_else(|| Error::Refused("stopped before the text was scored".into()))?;
    Ok(Figures {
        text,
        tokens: score.tokens,
        unknown: part.unknown,
        characters: score.characters,
        nats: score.nats,
        loss: score.loss(),
        perplexity: score.perplexity(),
        bits_per_token: score.loss() / std::f64::consts::LN_2,
        bits_per_character: score.bits_per_character(),
    })
}

fn part(trained: &Trained, chosen: &Chosen) -> Result<(String, Part), Error> {
    let (data, tokenizer) = (&trained.config.data, &trained.tokenizer);
    if let Chosen::File(file) = chosen {
        return Ok((file.clone(), Part::read(file, data.encoding.as_deref(), tokenizer)?));
    }
    let corpus = Corpus::load_with(&data.files(), tokenizer.clone())?;
    match (chosen, corpus.test) {
        (Chosen::Test, Some(test)) => Ok(("test".into(), test)),
        (Chosen::Test, None) => {
            Err(Error::Refused("this run has no test part: name a text with --data, or take --part valid".into()))
        }
        _ => Ok(("valid".into(), corpus.valid)),
    }
}
