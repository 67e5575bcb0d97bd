//! `elman eval`: the figures of a trained model on a text, or on made data.

use crate::error::Error;
use crate::memory;
use crate::model::{Tokens, Trained};
use crate::run::config::{HELD_OUT, SYNTH};
use crate::synth::{Level, Made, Split};
use crate::text::{Corpus, Part};
use crate::train::Right;
use crate::train::made::longest;
use crate::train::score::score;
use elman_engine::explain::Workload;
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

/// What is said of made data: of symbols or of numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MadeFigures {
    /// The task with all its options.
    pub data: String,
    /// `valid` or `test`.
    pub part: String,
    /// Examples.
    pub examples: u64,
    /// Scored symbols or numbers.
    pub scored: u64,
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
}

/// How good the answers were, beside the level of a model that ignores all but the present input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Found {
    /// Symbols.
    Symbols {
        /// The sum of all losses.
        nats: f64,
        /// Nats per scored symbol.
        loss: f64,
        /// The share of scored symbols that are right.
        accuracy: f64,
        /// The share of examples that are right from end to end.
        whole_accuracy: f64,
        /// The accuracy that needs no learning.
        trivial_accuracy: f64,
    },
    /// Numbers.
    Numbers {
        /// The mean squared error.
        squared_error: f64,
        /// The one that needs no learning.
        trivial_squared_error: f64,
    },
}

/// The figures of a text or of made data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Evaluated {
    /// A text.
    Text(Figures),
    /// Made data.
    Made(MadeFigures),
}

/// Scores every token, in `batch` columns; with 1 the state is never cut. Of made data each example starts afresh, and the
/// batch changes nothing but the speed.
///
/// # Errors
/// A text that cannot be read, a part that the run does not have; a text for a model of made data, and the reverse.
pub fn evaluate(trained: &mut Trained, chosen: &Chosen, batch: usize, stop: &AtomicBool) -> Result<Evaluated, Error> {
    match &trained.tokens {
        Tokens::Text(_) => Ok(Evaluated::Text(evaluate_text(trained, chosen, batch, stop)?)),
        Tokens::Made(own) => {
            let other = other_made(own, chosen)?;
            Ok(Evaluated::Made(evaluate_made(trained, other, chosen, batch, stop)?))
        }
    }
}

/// The made data that is chosen in place of the run's own; it must have the same symbols.
fn other_made(own: &Made, chosen: &Chosen) -> Result<Option<Made>, Error> {
    let Chosen::File(name) = chosen else { return Ok(None) };
    let Some(name) = name.strip_prefix(SYNTH) else {
        let message = "the model was trained on made data, and cannot read a text";
        return Err(Error::Refused(format!("{name}: {message}; name made data with --data synth:…")));
    };
    let made = Made::parse(name)?;
    if (made.form(), made.symbols()) != (own.form(), own.symbols()) {
        let (made, own) = (made.spelled(), own.spelled());
        return Err(Error::Refused(format!("{made} has other symbols than {own}, which the model was trained on")));
    }
    Ok(Some(made))
}

fn evaluate_made(
    trained: &mut Trained,
    other: Option<Made>,
    chosen: &Chosen,
    batch: usize,
    stop: &AtomicBool,
) -> Result<MadeFigures, Error> {
    let Trained { config, tokens, lm } = trained;
    let made = match (&other, &*tokens) {
        (Some(made), _) => made,
        (None, Tokens::Made(own)) => own,
        (None, Tokens::Text(_)) => return Err(Error::Refused("the model was trained on a text".into())),
    };
    let (split, part) = if *chosen == Chosen::Valid { (Split::Valid, "valid") } else { (Split::Test, "test") };
    let (examples, batch) = (config.data.held_out.unwrap_or(HELD_OUT), batch.max(config.train.eval_batch));
    let needed = lm.spec().memory(Workload::new(longest(made), batch), 0)?;
    memory::refuse_bytes(needed.bytes as u128, "shorter examples, or a smaller train.eval_batch, take less")?;
    let right = Right::of(lm, made, split, examples, batch, stop)?;
    let right = right.ok_or_else(|| Error::Refused("stopped before all examples were scored".into()))?;
    let found = match made.trivial() {
        Level::Accuracy(trivial_accuracy) => Found::Symbols {
            nats: right.loss,
            loss: right.mean_loss(),
            accuracy: right.accuracy(),
            whole_accuracy: right.whole_accuracy(),
            trivial_accuracy,
        },
        Level::SquaredError(trivial_squared_error) => {
            Found::Numbers { squared_error: right.mean_loss(), trivial_squared_error }
        }
    };
    let (data, part) = (format!("{SYNTH}{}", made.spelled()), part.into());
    Ok(MadeFigures { data, part, examples, scored: right.scored, found })
}

fn evaluate_text(trained: &mut Trained, chosen: &Chosen, batch: usize, stop: &AtomicBool) -> Result<Figures, Error> {
    let (text, part) = part(trained, chosen)?;
    let (end, steps) = (trained.tokenizer()?.end(), trained.config.train.steps.max(64));
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
    let (data, tokenizer) = (&trained.config.data, trained.tokenizer()?);
    if let Chosen::File(file) = chosen {
        if file.starts_with(SYNTH) {
            let message = "the model was trained on a text, and has not the symbols of made data";
            return Err(Error::Refused(format!("{file}: {message}; name a text with --data FILE")));
        }
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
