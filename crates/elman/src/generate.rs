//! Text from a language model, a token at a time.
//!
//!   pᵢ ∝ exp(zᵢ / τ), cut to the k likeliest (top-k), then to the fewest that hold the share p (top-p; Holtzman et al.
//!   2020, arXiv:1904.09751)
//!
//! Each draw depends on the seed and on the place of the token alone.

use crate::error::Error;
use crate::model::State;
use crate::model::{Tokens, Trained};
use crate::text::vocabulary::UNKNOWN;
use crate::text::{Unit, Window};
use elman_engine::dropout::{MaskKey, Purpose};

/// How tokens are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// τ; at 0 the likeliest token is taken.
    pub temperature: f64,
    /// Only this many of the likeliest.
    pub top_k: Option<usize>,
    /// Only the likeliest that hold this share of the probability.
    pub top_p: Option<f64>,
    /// The seed.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { temperature: 1.0, top_k: None, top_p: None, seed: 1 }
    }
}

/// The prompt and `length` tokens after it, as text. `<unk>` is never drawn.
///
/// # Errors
/// Settings outside their range; a prompt that the tokeniser refuses; made data that is no text.
pub fn generate(trained: &mut Trained, prompt: &str, length: usize, sampling: Sampling) -> Result<String, Error> {
    check(sampling)?;
    let (mut ids, first, never) = begin(&trained.tokens, prompt)?;
    let mut state = State::default();
    let mut logits = read(trained, &[first], &mut state)?;
    if !ids.is_empty() {
        logits = read(trained, &ids.clone(), &mut state)?;
    }
    for place in 0..length {
        let next = draw(&logits, never, sampling, place as u64);
        ids.push(next);
        logits = read(trained, &[next], &mut state)?;
    }
    Ok(match &trained.tokens {
        Tokens::Text(tokenizer) => tokenizer.decode(&ids)?,
        Tokens::Made(made) => made.text(&ids),
    })
}

/// The words (characters, of a vocabulary of characters) of a prompt that the vocabulary lacks, which are read as `<unk>`:
/// each once, in the order of the prompt. None for made data, where [`generate`] refuses them.
///
/// # Errors
/// A prompt that the tokeniser refuses.
pub fn unknown(tokens: &Tokens, prompt: &str) -> Result<Vec<String>, Error> {
    let Tokens::Text(tokenizer) = tokens else { return Ok(vec![]) };
    let Some(unknown) = tokenizer.unknown() else { return Ok(vec![]) };
    let pieces: Vec<String> = match tokenizer.unit() {
        Unit::Character => prompt.chars().map(String::from).collect(),
        Unit::Word | Unit::Subword => prompt.split_whitespace().map(String::from).collect(),
    };
    let mut found = vec![];
    for piece in pieces {
        if piece != UNKNOWN && !found.contains(&piece) && tokenizer.encode(&piece)?.contains(&unknown) {
            found.push(piece);
        }
    }
    Ok(found)
}

/// The prompt's ids, what stands before it, and what is never drawn.
fn begin(tokens: &Tokens, prompt: &str) -> Result<(Vec<u32>, u32, Option<u32>), Error> {
    match tokens {
        Tokens::Text(t) => Ok((t.encode(prompt)?, t.end(), t.unknown())),
        Tokens::Made(made) => {
            let name = made.row().name;
            let first = made.before().ok_or_else(|| {
                let message = format!("`{name}` asks questions, it is no text to go on with");
                Error::Refused(format!("{message}: `elman eval` tells how many it answers"))
            })?;
            let id = |c: char| made.symbols().iter().position(|s| *s == c).map(|i| i as u32);
            let unknown = |c: char| {
                let all: String = made.symbols().iter().collect();
                Error::Refused(format!("`{name}` has no symbol `{c}`: a prompt is made of {all}"))
            };
            let ids = prompt.chars().map(|c| id(c).ok_or_else(|| unknown(c)));
            Ok((ids.collect::<Result<_, _>>()?, first, None))
        }
    }
}

/// The logits after the last of `ids`.
pub(crate) fn read(trained: &mut Trained, ids: &[u32], state: &mut State<f32>) -> Result<Vec<f32>, Error> {
    let mut logits = vec![];
    for id in ids {
        let window = Window { steps: 1, columns: 1, inputs: vec![*id], targets: vec![*id] };
        logits = trained.lm.logits(&window, state)?;
    }
    Ok(logits)
}

pub(crate) fn check(s: Sampling) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::Refused(message));
    match s {
        _ if !(s.temperature.is_finite() && s.temperature >= 0.0) => {
            refuse(format!("temperature is {}: a number from 0", s.temperature))
        }
        Sampling { top_k: Some(0), .. } => refuse("top-k is 0: at least 1 token is needed".into()),
        Sampling { top_p: Some(p), .. } if !(p > 0.0 && p <= 1.0) => {
            refuse(format!("top-p is {p}: above 0, at most 1"))
        }
        _ => Ok(()),
    }
}

/// Draws a token; `never` is left out.
pub(crate) fn draw(logits: &[f32], never: Option<u32>, s: Sampling, place: u64) -> u32 {
    let ids = (0..logits.len() as u32).filter(|id| Some(*id) != never);
    let mut ranked: Vec<(u32, f64)> = ids.map(|id| (id, f64::from(logits[id as usize]))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let Some(&(first, largest)) = ranked.first() else { return 0 };
    if s.temperature == 0.0 {
        return first;
    }
    ranked.truncate(s.top_k.unwrap_or(usize::MAX));
    ranked.iter_mut().for_each(|(_, z)| *z = ((*z - largest) / s.temperature).exp());
    let total: f64 = ranked.iter().map(|r| r.1).sum();
    let mut held = 0.0;
    let share = s.top_p.unwrap_or(1.0) * total;
    let kept = ranked.iter().take_while(|r| {
        let before = held;
        held += r.1;
        before < share
    });
    let kept: Vec<(u32, f64)> = kept.copied().collect();
    let key = MaskKey { seed: s.seed, purpose: Purpose::Sampling, layer: 0, step: place, sequence: 0 };
    let mut left = key.random().uniform() * kept.iter().map(|r| r.1).sum::<f64>();
    for (id, p) in &kept {
        left -= p;
        if left < 0.0 {
            return *id;
        }
    }
    kept.last().map_or(first, |r| r.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 5] = [9.0, 0.0, 2.0, 1.0, -1.0];

    fn shares(s: Sampling) -> Vec<f64> {
        let mut counts = vec![0.0; LOGITS.len()];
        (0..20_000).for_each(|place| counts[draw(&LOGITS, Some(0), s, place) as usize] += 1.0 / 20_000.0);
        counts
    }

    #[test]
    fn tokens_come_with_their_probability() {
        let found = shares(Sampling { temperature: 0.5, ..Sampling::default() });
        let exps: Vec<f64> = LOGITS.iter().map(|z| (f64::from(*z) / 0.5).exp()).collect();
        let total: f64 = exps[1..].iter().sum();
        assert_eq!(found[0], 0.0);
        (1..5).for_each(|i| assert!((found[i] - exps[i] / total).abs() < 0.01, "{i} {found:?}"));
    }

    #[test]
    fn cuts_keep_the_likeliest() {
        let only = |s: Sampling| shares(s).iter().map(|p| *p > 0.0).collect::<Vec<_>>();
        assert_eq!(only(Sampling { temperature: 0.0, ..Sampling::default() }), [false, false, true, false, false]);
        assert_eq!(only(Sampling { top_k: Some(2), ..Sampling::default() }), [false, false, true, true, false]);
        // 0.64, 0.24, 0.09, 0.03
        assert_eq!(only(Sampling { top_p: Some(0.6), ..Sampling::default() }), [false, false, true, false, false]);
        assert_eq!(only(Sampling { top_p: Some(0.9), ..Sampling::default() }), [false, true, true, true, false]);
    }
}
