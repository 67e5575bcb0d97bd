//! What a model is given: steps of several sequences side by side, time first, and which of them are scored.

use crate::synth::{Block, Series};
use crate::text::Window;
use std::borrow::Cow;

/// Steps of several sequences, time first.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// Steps.
    pub steps: usize,
    /// Sequences.
    pub columns: usize,
    /// What is read: [steps, columns], or [steps, columns, width] numbers.
    pub inputs: Values<'a>,
    /// What is wanted, in the same order; without meaning where it is not scored.
    pub targets: Values<'a>,
    /// The places that are scored, [steps, columns]; all if absent.
    pub scored: Option<&'a [bool]>,
    /// Valid steps of each sequence; all if absent.
    pub lengths: Option<&'a [usize]>,
}

/// Ids or numbers.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    /// Ids of a vocabulary.
    Symbols(Cow<'a, [u32]>),
    /// Numbers, the same count at each place.
    Numbers(Cow<'a, [f32]>),
}

impl<'a> From<&'a Window> for Span<'a> {
    fn from(w: &'a Window) -> Span<'a> {
        let symbols = |ids: &'a [u32]| Values::Symbols(ids.into());
        let (inputs, targets) = (symbols(&w.inputs), symbols(&w.targets));
        Span { steps: w.steps, columns: w.columns, inputs, targets, scored: None, lengths: None }
    }
}

impl<'a> From<&'a Block> for Span<'a> {
    fn from(b: &'a Block) -> Span<'a> {
        let (inputs, targets) = (Values::from(&b.inputs), Values::from(&b.targets));
        let (scored, lengths) = (Some(b.scored.as_slice()), Some(b.lengths.as_slice()));
        Span { steps: b.steps, columns: b.columns, inputs, targets, scored, lengths }
    }
}

impl<'a> From<&'a Series> for Values<'a> {
    fn from(series: &'a Series) -> Values<'a> {
        match series {
            Series::Symbols(ids) => Values::Symbols(ids.into()),
            Series::Real { values, .. } => Values::Numbers(values.into()),
        }
    }
}

impl Span<'_> {
    /// Steps times sequences.
    pub fn places(&self) -> usize {
        self.steps * self.columns
    }

    /// Steps of all sequences, padding apart.
    pub fn tokens(&self) -> usize {
        self.lengths.map_or(self.places(), |lengths| lengths.iter().sum())
    }

    /// How many places are scored.
    pub fn scored_places(&self) -> usize {
        self.scored.map_or(self.places(), |scored| scored.iter().filter(|s| **s).count())
    }

    /// The places that are scored, rising; `None` for all.
    pub(super) fn chosen(&self) -> Option<Vec<usize>> {
        self.scored.map(|s| s.iter().enumerate().filter(|(_, scored)| **scored).map(|(place, _)| place).collect())
    }

    /// The targets of the chosen places.
    pub(super) fn wanted(&self, chosen: Option<&[usize]>) -> Values<'_> {
        match &self.targets {
            Values::Symbols(ids) => Values::Symbols(gather(ids, chosen, 1)),
            Values::Numbers(n) => Values::Numbers(gather(n, chosen, n.len() / self.places().max(1))),
        }
    }
}

/// The chosen rows of `values`, [places, width].
pub(super) fn gather<'v, T: Copy>(values: &'v [T], chosen: Option<&[usize]>, width: usize) -> Cow<'v, [T]> {
    match chosen {
        None => values.into(),
        Some(places) => places.iter().flat_map(|p| &values[p * width..(p + 1) * width]).copied().collect(),
    }
}
