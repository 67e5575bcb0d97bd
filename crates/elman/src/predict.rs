//! Lines as they come, each scored by itself: how likely a language model finds it.

use crate::error::Error;
use crate::model::State;
use crate::model::trained::Trained;
use crate::text::{Source, Window};
use serde::Serialize;

/// Tokens that are scored at once.
const STEPS: usize = 64;

/// The encoding of what is predicted: the one `asked` for, else UTF-8 of standard input and that of training of a file.
pub fn encoding_of<'e>(file: &str, asked: Option<&'e str>, trained_with: Option<&'e str>) -> Option<&'e str> {
    asked.or(trained_with.filter(|_| file != "-"))
}

/// The score of a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Its number, from 1.
    pub line: u64,
    /// The sum of the losses of its tokens and of its end, nats.
    pub nats: f64,
    /// Its tokens, its end among them.
    pub tokens: usize,
    /// exp of the loss per token.
    pub perplexity: f64,
    /// The line.
    pub text: String,
}

/// Scores each line of `source` and hands it to `each` before the next one is read. Each line starts afresh, after the
/// end of a line; with `carry`, from where the line before it ended.
///
/// # Errors
/// A model of made data, what the source says, and what `each` returns.
pub fn predict(
    trained: &mut Trained,
    source: &mut Source,
    carry: bool,
    each: &mut dyn FnMut(&Line) -> Result<(), Error>,
) -> Result<(), Error> {
    trained.tokenizer()?;
    let (mut text, mut state) = (String::new(), State::default());
    while source.next_line(&mut text)? {
        if !carry {
            state = State::default();
        }
        let ids = trained.tokenizer()?.encode(&format!("{text}\n"))?;
        let nats = score(trained, &ids, &mut state)?;
        let perplexity = (nats / ids.len() as f64).exp();
        each(&Line { line: source.line(), nats, tokens: ids.len(), perplexity, text: text.clone() })?;
    }
    Ok(())
}

/// The losses of `ids` after the end of a line, nats.
fn score(trained: &mut Trained, ids: &[u32], state: &mut State<f32>) -> Result<f64, Error> {
    let mut before = trained.tokenizer()?.end();
    let mut nats = 0.0;
    for targets in ids.chunks(STEPS) {
        let inputs = std::iter::once(before).chain(targets[..targets.len() - 1].iter().copied()).collect();
        let window = Window { steps: targets.len(), columns: 1, inputs, targets: targets.to_vec() };
        nats += trained.lm.score(&window, state)?.iter().sum::<f64>();
        before = targets[targets.len() - 1];
    }
    Ok(nats)
}
