//! Beam search for many texts side by side: all beams of all sources are asked at once, a token at a time.

use super::decoder::Memory;
use super::model::Model;
use crate::decode::beam::{Beam, Found, Search};
use crate::error::Error;
use crate::model::queries::Queries;
use crate::task::settings::Dropout;
use elman_engine::tape::{Layout, Mode, NO_ROW, Store, Tape, Var};

/// Nothing is dropped.
pub const KEPT: Dropout = Dropout { input: 0.0, between: 0.0, output: 0.0, words: 0.0 };

/// Subwords of a translation at most.
fn longest(source: &[u32]) -> usize {
    2 * source.len() + 20
}

/// What each source becomes, the best first.
///
/// # Errors
/// A beam that cannot be, and what the engine says.
pub fn search(
    model: &Model,
    store: &mut Store<f32>,
    sources: &[&[u32]],
    end: u32,
    width: usize,
    best: usize,
    length_penalty: f64,
) -> Result<Vec<Vec<Found>>, Error> {
    let beam = |s: &&[u32]| Beam { width, best, length_penalty, longest: longest(s), begin: end, end };
    let mut searches = sources.iter().map(|s| Search::new(beam(s))).collect::<Result<Vec<_>, _>>()?;
    let mut held = Held::of(model, store, sources)?;
    // Where the beams of each search stood among all rows of the step before.
    let mut first: Vec<usize> = (0..sources.len()).collect();
    loop {
        let asked = Asked::by(&searches, &mut first);
        if asked.tokens.is_empty() {
            break;
        }
        let written: Vec<&[u32]> = searches.iter().filter(|s| s.asks().is_some()).flat_map(Search::written).collect();
        let scores = held.step(model, store, sources, (&asked, &written), &first)?;
        let entries = scores.len() / asked.tokens.len();
        for (s, search) in searches.iter_mut().enumerate().filter(|(s, _)| asked.counts[*s] > 0) {
            search.take(&scores[first[s] * entries..][..asked.counts[s] * entries])?;
        }
    }
    Ok(searches.into_iter().map(Search::found).collect())
}

/// What all searches ask of a step, a row each.
struct Asked {
    /// The row of the step before that each goes on from.
    parents: Vec<u32>,
    tokens: Vec<u32>,
    /// The source of each.
    sources: Vec<u32>,
    /// Rows of each source.
    counts: Vec<usize>,
}

impl Asked {
    fn by(searches: &[Search], first: &mut [usize]) -> Asked {
        let mut asked = Asked { parents: vec![], tokens: vec![], sources: vec![], counts: vec![0; searches.len()] };
        for (s, search) in searches.iter().enumerate() {
            let Some((from, next)) = search.asks() else { continue };
            asked.counts[s] = next.len();
            asked.parents.extend(from.iter().map(|p| (first[s] + p) as u32));
            asked.tokens.extend_from_slice(next);
            asked.sources.resize(asked.tokens.len(), s as u32);
            first[s] = asked.tokens.len() - next.len();
        }
        asked
    }
}

/// What is kept between steps.
struct Held {
    values: Kept,
    beside: Vec<Kept>,
    layout: Layout,
    carried: Vec<Kept>,
}

impl Held {
    fn of(model: &Model, store: &mut Store<f32>, sources: &[&[u32]]) -> Result<Held, Error> {
        let mut tape = Tape::new(store, Mode::Infer);
        let memory = model.encode(&mut tape, sources, &KEPT)?;
        let all = |vars: &[Var]| vars.iter().map(|v| Kept::of(&tape, *v)).collect();
        let (beside, carried) = (all(&memory.beside), all(&memory.carried));
        Ok(Held { values: Kept::of(&tape, memory.values), beside, carried, layout: memory.layout })
    }

    fn memory(&self, tape: &mut Tape<'_, f32>, parents: &[u32]) -> Result<Memory, Error> {
        let carried = self.carried.iter().map(|k| k.chosen(parents).given(tape)).collect::<Result<_, _>>()?;
        let values = self.values.clone().given(tape)?;
        let beside = self.beside.iter().map(|k| k.clone().given(tape)).collect::<Result<_, _>>()?;
        Ok(Memory { values, beside, layout: self.layout.clone(), carried })
    }

    /// ln p of every token after each row.
    fn step(
        &mut self,
        model: &Model,
        store: &mut Store<f32>,
        sources: &[&[u32]],
        (asked, written): (&Asked, &[&[u32]]),
        first: &[usize],
    ) -> Result<Vec<f32>, Error> {
        let mut tape = Tape::new(store, Mode::Infer);
        let memory = self.memory(&mut tape, &asked.parents)?;
        let layout = Layout::new(asked.counts.clone());
        let from = layout.fill(NO_ROW, |beam, s| (first[s] + beam) as u32);
        let mut back = vec![0; asked.tokens.len()];
        for (query, row) in from.iter().enumerate().filter(|(_, row)| **row != NO_ROW) {
            back[*row as usize] = query as u32;
        }
        let queries = Queries::Chosen { layout: &layout, from: &from, back: &back, sources: &asked.sources };
        let steps = Layout::new(vec![1; asked.tokens.len()]);
        let decoded = model.decode(&mut tape, (&asked.tokens, &steps), &memory, &queries, &KEPT)?;
        let of = (sources, asked.sources.as_slice());
        let scores = model.log_probabilities(&mut tape, decoded.top, &memory, &queries, of, written)?;
        self.carried = decoded.carried.iter().map(|v| Kept::of(&tape, *v)).collect();
        Ok(scores)
    }
}

/// Rows that are kept between two tapes.
#[derive(Clone)]
struct Kept {
    rows: Vec<f32>,
    width: usize,
}

impl Kept {
    fn of(tape: &Tape<'_, f32>, var: Var) -> Kept {
        Kept { rows: tape.value(var).to_vec(), width: tape.width(var) }
    }

    fn chosen(&self, rows: &[u32]) -> Kept {
        let row = |r: &u32| self.rows[*r as usize * self.width..][..self.width].iter().copied();
        Kept { rows: rows.iter().flat_map(row).collect(), width: self.width }
    }

    fn given(self, tape: &mut Tape<'_, f32>) -> Result<Var, Error> {
        Ok(tape.given(self.rows, self.width)?)
    }
}
