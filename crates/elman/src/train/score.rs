//! How well a model did. Of a text every token is scored, and the state is carried along; for made data see `made.rs`.

use super::made::Right;
use crate::error::Error;
use crate::model::{Lm, State};
use crate::text::{Part, Window, Windows};
use elman_engine::Real;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// How well a model did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// On a text.
    Text(TextScore),
    /// On made data of symbols.
    Symbols(Right),
    /// On made data of numbers.
    Numbers(Right),
}

impl Score {
    /// Nats per token or scored symbol, or the mean squared error.
    pub fn loss(&self) -> f64 {
        match self {
            Score::Text(score) => score.loss(),
            Score::Symbols(right) | Score::Numbers(right) => right.mean_loss(),
        }
    }
}

/// The loss of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TextScore {
    /// The sum of all losses, nats.
    pub nats: f64,
    /// Tokens scored, ends of lines among them.
    pub tokens: u64,
    /// Characters they stand for.
    pub characters: u64,
}

impl TextScore {
    /// Nats per token.
    pub fn loss(&self) -> f64 {
        self.nats / self.tokens as f64
    }

    /// exp of the loss per token.
    pub fn perplexity(&self) -> f64 {
        self.loss().exp()
    }

    /// Bits per character.
    pub fn bits_per_character(&self) -> f64 {
        self.nats / std::f64::consts::LN_2 / self.characters as f64
    }
}

/// Scores a part, in `batch` columns and windows of `steps`; `None` if `stop` was raised.
///
/// # Errors
/// A token outside the model's vocabulary, an empty part.
pub fn score<T: Real>(
    lm: &mut Lm<T>,
    part: &Part,
    end: u32,
    [batch, steps]: [usize; 2],
    stop: &AtomicBool,
) -> Result<Option<TextScore>, Error> {
    let windows = Windows::scoring(&part.ids, end, batch, steps)?;
    let (mut window, mut state) = (Window::default(), State::default());
    let mut score = TextScore { characters: part.characters, ..TextScore::default() };
    for k in 0..windows.count() {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        windows.window(k, &mut window);
        let losses = lm.score(&window, &mut state)?;
        score.nats += losses.iter().sum::<f64>();
        score.tokens += losses.len() as u64;
    }
    Ok(Some(score))
}
