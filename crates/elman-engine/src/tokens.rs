//! Sequences of unequal length, packed.
//!
//! Sequences are sorted by falling length (equal lengths keep their order), so that the rows active at a step are a
//! prefix; token `first[t] + row` holds step t of the sequence in that row. A backward direction sees each sequence
//! reversed from its own end: its step t is step `length − 1 − t`. Padding is never read.
//!
//! A masked step is skipped: the sequence runs as if it were not there, wherever it stands. Lengths are the masks that
//! end in padding.

use std::ops::Range;

use elman_kernel::code::Timeline;

use crate::error::EngineError;

/// Some steps of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segment {
    /// They alone: tokens and steps count from the first of them, rows are those of the batch.
    pub timeline: Timeline,
    first_step: usize,
    first_token: usize,
    /// Row → its steps here, for the rows that have any.
    pub lengths: Vec<usize>,
}

impl Segment {
    /// Rows that have steps in it.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Its tokens among those of the batch.
    pub fn tokens(&self) -> Range<usize> {
        self.first_token..self.first_token + self.timeline.tokens()
    }

    /// Whether a row's last step is in it.
    pub fn ends(&self, packing: &Packing, row: usize) -> bool {
        self.first_step + self.lengths[row] == packing.lengths[row]
    }
}

/// How the tokens of a batch are laid out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packing {
    pub steps: usize,
    pub batch: usize,
    /// Row → sequence of the caller.
    pub order: Vec<usize>,
    /// Row → length.
    pub lengths: Vec<usize>,
    /// Row → the caller's steps that are valid, where some are skipped.
    valid: Option<Vec<Vec<usize>>>,
    pub timeline: Timeline,
    /// The steps, cut into parts that follow each other.
    pub segments: Vec<Segment>,
    /// Per token: its place `step · batch + sequence` in the caller's layout; `None` where that is the token itself.
    pub caller: Option<Vec<usize>>,
    /// Rows of the caller's layout that hold no token, in rising order.
    pub padding: Vec<usize>,
    /// Per token: the token that the backward direction sees in its place.
    pub reversed: Vec<usize>,
    /// Per token of the backward direction: its place in the caller's layout.
    pub caller_reversed: Vec<usize>,
}

impl Packing {
    /// # Errors
    /// No step or sequence, lengths outside 1..=steps, a mask of another size or with a sequence that has no valid step.
    pub fn new(
        steps: usize,
        batch: usize,
        lengths: Option<&[usize]>,
        mask: Option<&[bool]>,
    ) -> Result<Packing, EngineError> {
        for (what, n) in [("steps", steps), ("batch", batch)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        let mut counts = vec![steps; batch];
        if let Some(lengths) = lengths {
            if lengths.len() != batch {
                return Err(EngineError::Length { what: "lengths".into(), found: lengths.len(), wanted: batch });
            }
            if let Some(index) = lengths.iter().position(|l| *l == 0 || *l > steps) {
                return Err(EngineError::SequenceLength { index, found: lengths[index], steps });
            }
            counts.copy_from_slice(lengths);
        }
        let mut valid = None;
        if let Some(mask) = mask {
            let lists = valid_steps(steps, &counts, mask)?;
            counts = lists.iter().map(Vec::len).collect();
            valid = Some(lists);
        }
        let mut order: Vec<usize> = (0..batch).collect();
        order.sort_by_key(|b| std::cmp::Reverse(counts[*b]));
        let sorted: Vec<usize> = order.iter().map(|b| counts[*b]).collect();
        let active = (0..sorted[0]).map(|t| sorted.partition_point(|l| *l > t)).collect();
        let valid = valid.map(|lists| order.iter().map(|b| lists[*b].clone()).collect());
        let timeline = Timeline::from_active(batch, active);
        let (segments, caller) = (vec![], None);
        let (padding, reversed, caller_reversed) = (vec![], vec![], vec![]);
        let lengths = sorted;
        let mut p = Packing {
            steps,
            batch,
            order,
            lengths,
            valid,
            timeline,
            segments,
            caller,
            padding,
            reversed,
            caller_reversed,
        };
        p.segments = p.cut(steps, usize::MAX);
        let rows = p.caller_rows();
        p.padding = rows_without(&rows, steps * batch);
        p.reversed = p.reversed_tokens();
        p.caller_reversed = p.reversed.iter().map(|t| rows[*t]).collect();
        p.caller = rows.iter().enumerate().any(|(k, r)| k != *r).then_some(rows);
        Ok(p)
    }

    /// Whether it was made for these, without a mask.
    pub fn is_for(&self, steps: usize, batch: usize, lengths: Option<&[usize]>) -> bool {
        let same = |l: &[usize]| l.len() == batch && self.order.iter().zip(&self.lengths).all(|(b, n)| l[*b] == *n);
        let shape = self.valid.is_none() && self.steps == steps && self.batch == batch;
        shape && lengths.map_or(self.tokens() == steps * batch, same)
    }

    pub fn tokens(&self) -> usize {
        self.timeline.tokens()
    }

    /// The same, in segments of so many steps.
    pub fn in_segments(mut self, steps: usize) -> Packing {
        self.segments = self.cut(steps, usize::MAX);
        self
    }

    /// The same, in segments of about as many tokens each: at least so many, but for the last.
    pub fn in_segments_of_tokens(mut self, tokens: usize) -> Packing {
        self.segments = self.cut(usize::MAX, even(self.tokens(), tokens));
        self
    }

    /// A segment ends with its step number `steps`, or where it has so many tokens.
    fn cut(&self, steps: usize, tokens: usize) -> Vec<Segment> {
        let mut segments: Vec<Segment> = vec![];
        let mut rest = 0..self.lengths[0];
        while !rest.is_empty() {
            let first_token = self.timeline.first[rest.start];
            let full = |t: &usize| self.timeline.first[*t] - first_token >= tokens;
            let most = rest.start.saturating_add(steps.max(1)).min(rest.end);
            let end = (rest.start + 1..most).find(full).unwrap_or(most);
            let active = &self.timeline.active[rest.start..end];
            let here = |row: usize| (self.lengths[row] - rest.start).min(active.len());
            segments.push(Segment {
                timeline: Timeline::from_active(self.batch, active.to_vec()),
                first_step: rest.start,
                first_token,
                lengths: (0..active[0]).map(here).collect(),
            });
            rest.start = end;
        }
        segments
    }

    /// That of the segment with the most tokens.
    pub fn largest(&self) -> &Timeline {
        let timelines = self.segments.iter().map(|s| &s.timeline);
        timelines.max_by_key(|t| t.tokens()).unwrap_or(&self.timeline)
    }

    /// Calls `f(token, row, t)` for each token, in order.
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        for (t, (&first, &active)) in self.timeline.first.iter().zip(&self.timeline.active).enumerate() {
            for row in 0..active {
                f(first + row, row, t);
            }
        }
    }

    fn caller_rows(&self) -> Vec<usize> {
        let mut rows = vec![0; self.tokens()];
        let step = |row: usize, t: usize| self.valid.as_ref().map_or(t, |v| v[row][t]);
        self.each(|token, row, t| rows[token] = step(row, t) * self.batch + self.order[row]);
        rows
    }

    fn reversed_tokens(&self) -> Vec<usize> {
        let mut tokens = vec![0; self.tokens()];
        self.each(|token, row, t| tokens[token] = self.timeline.first[self.lengths[row] - 1 - t] + row);
        tokens
    }
}

/// Tokens of a part, where all are cut into even parts of at least `wanted`.
pub(crate) fn even(tokens: usize, wanted: usize) -> usize {
    tokens.div_ceil((tokens / wanted.max(1)).max(1))
}

/// Those below `count` that are not among `rows`, each of which is there once.
fn rows_without(rows: &[usize], count: usize) -> Vec<usize> {
    if rows.len() == count {
        return vec![];
    }
    let mut free = vec![true; count];
    rows.iter().for_each(|r| free[*r] = false);
    (0..count).filter(|r| free[*r]).collect()
}

/// Per sequence: its steps that the mask leaves, below its length.
fn valid_steps(steps: usize, lengths: &[usize], mask: &[bool]) -> Result<Vec<Vec<usize>>, EngineError> {
    let batch = lengths.len();
    if mask.len() != steps * batch {
        return Err(EngineError::Length { what: "mask".into(), found: mask.len(), wanted: steps * batch });
    }
    let list = |b: usize| (0..lengths[b]).filter(|t| mask[t * batch + b]).collect::<Vec<_>>();
    let lists: Vec<Vec<usize>> = (0..batch).map(list).collect();
    match lists.iter().position(Vec::is_empty) {
        Some(index) => Err(EngineError::Masked { index }),
        None => Ok(lists),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_tokens_are_packed_by_falling_length() {
        let p = Packing::new(4, 3, Some(&[2, 4, 1]), None).unwrap();
        assert_eq!(p.order, [1, 0, 2]);
        assert_eq!(p.timeline.active, [3, 2, 1, 1]);
        assert_eq!(p.caller_rows(), [1, 0, 2, 4, 3, 7, 10]);
        assert_eq!(p.padding, [5, 6, 8, 9, 11]);
        // Row 0 has 4 steps (tokens 0, 3, 5, 6), row 1 has 2 (1, 4), row 2 has 1 (2).
        assert_eq!(p.reversed, [6, 4, 2, 5, 1, 3, 0]);
    }

    #[test]
    fn masked_steps_are_skipped() {
        let (t, f) = (true, false);
        let mask = [f, t, t, f, t, t, f, t];
        let p = Packing::new(4, 2, None, Some(&mask)).unwrap();
        // Sequence 1 has steps 0, 2, 3; sequence 0 has 1 and 2.
        assert_eq!(p.order, [1, 0]);
        assert_eq!(p.caller_rows(), [1, 2, 5, 4, 7]);
        assert!(Packing::new(4, 2, None, Some(&[f; 8])).is_err());
        assert!(Packing::new(4, 2, None, Some(&[t; 7])).is_err());
    }

    fn tokens_of(p: &Packing) -> Vec<usize> {
        let mut next = 0;
        let count = |s: &Segment| {
            let tokens = s.tokens();
            assert_eq!(tokens.start, std::mem::replace(&mut next, tokens.end));
            tokens.len()
        };
        p.segments.iter().map(count).collect()
    }

    #[test]
    fn segments_follow_each_other_and_are_about_as_long() {
        let equal = |steps, batch, tokens| {
            tokens_of(&Packing::new(steps, batch, None, None).unwrap().in_segments_of_tokens(tokens))
        };
        assert_eq!(equal(100, 1, 500), [100]);
        assert_eq!(equal(100, 32, 300), [320; 10]);
        assert_eq!(equal(35, 64, 96), [[128; 17].as_slice(), &[64]].concat());
        assert_eq!(equal(3, 1000, 96), [1000; 3]);
        assert_eq!(equal(1, 1, 0), [1]);
        // Active rows 4, 3, 3, 1, 1: 12 tokens.
        let ragged = Packing::new(5, 4, Some(&[3, 1, 5, 3]), None).unwrap();
        let four = ragged.clone().in_segments_of_tokens(4);
        assert_eq!(tokens_of(&four), [4, 6, 2]);
        assert_eq!(four.segments[1].lengths, [2, 2, 2]);
        assert_eq!(four.largest(), &four.segments[1].timeline);
        assert_eq!(tokens_of(&ragged.clone().in_segments(2)), [7, 4, 1]);
        assert_eq!(tokens_of(&ragged.in_segments_of_tokens(13)), [12]);
    }

    #[test]
    fn reversing_twice_is_the_identity() {
        let p = Packing::new(5, 4, Some(&[3, 5, 5, 2]), None).unwrap();
        let r = &p.reversed;
        assert!((0..p.tokens()).all(|i| r[r[i]] == i));
    }

    #[test]
    fn lengths_outside_the_steps_are_refused() {
        assert!(Packing::new(3, 2, Some(&[3, 4]), None).is_err());
        assert!(Packing::new(3, 2, Some(&[0, 3]), None).is_err());
        assert!(Packing::new(3, 2, Some(&[3]), None).is_err());
        assert!(Packing::new(0, 2, None, None).is_err());
    }
}
