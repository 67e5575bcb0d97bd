//! How well a model predicts a text: every token is scored, the state is carried along.

use crate::error::Error;
use crate::model::{Lm, State};
use crate::text::{Part, Window, Windows};
use elman_engine::Real;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// The loss of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// The sum of all losses, nats.
    pub nats: f64,
    /// Tokens scored, ends of lines among them.
    pub tokens: u64,
    /// Characters they stand for.
    pub characters: u64,
}

impl Score {
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
) -> Result<Option<Score>, Error> {
    let windows = Windows::scoring(&part.ids, end, batch, steps)?;
    let (mut window, mut state) = (Window::default(), State::default());
    let mut score = Score { characters: part.characters, ..Score::default() };
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
