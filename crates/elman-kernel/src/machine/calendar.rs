//! A timeline, checked, with what running needs to know of it.

use super::compile::kind;
use super::error::CodeError;
use crate::code::Timeline;

/// Tokens in a row for which `Before` rows lie at a constant distance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub first: usize,
    pub end: usize,
    /// `Before` row minus token.
    pub before: usize,
}

pub(super) struct Calendar {
    pub timeline: Timeline,
    pub tokens: usize,
    /// All tokens, cut where the distance to `Before` rows changes.
    pub runs: Vec<Run>,
    /// Tokens of rows 0 .. b, for each b up to the rows active at first.
    pub before_row: Vec<usize>,
    /// The end of `Before` rows.
    before_end: usize,
}

impl Calendar {
    pub(super) fn new(timeline: &Timeline) -> Result<Calendar, CodeError> {
        let Timeline { batch, active, first, .. } = timeline;
        if active.len() != first.len() {
            return Err(CodeError::Timeline("there must be one first token a step"));
        }
        let (mut tokens, mut last) = (0usize, *batch);
        for (&a, &f) in active.iter().zip(first) {
            if a == 0 || a > last {
                return Err(CodeError::Timeline("active rows rise, are 0, or more than the batch"));
            }
            if f != tokens {
                return Err(CodeError::Timeline("a first token is not where the step before it ends"));
            }
            last = a;
            tokens = tokens.checked_add(a).ok_or(CodeError::Timeline("more tokens than can be counted"))?;
        }
        if tokens.checked_add(*batch).is_none() || batch.checked_mul(2).is_none() {
            return Err(CodeError::Timeline("more rows than can be counted"));
        }
        let mut calendar = Calendar {
            timeline: timeline.clone(),
            tokens,
            runs: Vec::new(),
            before_row: Vec::new(),
            before_end: active.first().copied().unwrap_or(0),
        };
        calendar.find_runs();
        calendar.count_rows();
        Ok(calendar)
    }

    fn find_runs(&mut self) {
        let Timeline { batch, active, first, .. } = &self.timeline;
        for t in 0..active.len() {
            let before = if t == 0 { 0 } else { batch - active[t - 1] };
            let end = first[t] + active[t];
            self.before_end = self.before_end.max(end + before);
            match self.runs.last_mut() {
                Some(run) if run.before == before => run.end = end,
                _ => self.runs.push(Run { first: first[t], end, before }),
            }
        }
    }

    fn count_rows(&mut self) {
        let active = &self.timeline.active;
        let (mut sum, mut steps) = (0, active.len());
        self.before_row.push(0);
        for b in 0..active.first().copied().unwrap_or(0) {
            while active[steps - 1] <= b {
                steps -= 1;
            }
            sum += steps;
            self.before_row.push(sum);
        }
    }

    /// Whether a timeline differs from this one by no more than where it starts.
    pub(super) fn fits(&self, timeline: &Timeline) -> bool {
        let known = &self.timeline;
        known.batch == timeline.batch && known.active == timeline.active && known.first == timeline.first
    }

    /// First row and end of the rows of a kind.
    pub(super) fn rows(&self, kind: usize) -> (usize, usize) {
        let batch = self.timeline.batch;
        match kind {
            kind::FIXED => (0, 1),
            kind::BATCH => (0, self.timeline.active.first().copied().unwrap_or(0)),
            kind::TOKEN => (0, self.tokens),
            kind::BEFORE => (0, self.before_end),
            kind::AFTER => (batch, batch + self.tokens),
            _ => (0, 2 * batch),
        }
    }

    /// The row of each kind that belongs to row 0 at a step.
    pub(super) fn step(&self, t: usize, start: usize) -> [usize; kind::ALL] {
        let Timeline { batch, first, .. } = &self.timeline;
        let odd = (start ^ t) & 1;
        let mut rows = [0; kind::ALL];
        rows[kind::TOKEN] = first[t];
        rows[kind::BEFORE] = if t == 0 { 0 } else { batch + first[t - 1] };
        rows[kind::AFTER] = batch + first[t];
        rows[kind::EVEN] = odd * batch;
        rows[kind::ODD] = (1 - odd) * batch;
        rows
    }

    /// Where thread `index` of `threads` begins, so that each has about as many tokens: rows.
    pub(super) fn share(&self, index: usize, threads: usize) -> usize {
        let rows = self.before_row.len() - 1;
        if index >= threads {
            return rows;
        }
        let wanted = (self.tokens as u128 * index as u128 / threads as u128) as usize;
        let at = self.before_row.partition_point(|&sum| sum < wanted);
        // The nearer of the two neighbours.
        if at > 0 && wanted - self.before_row[at - 1] <= self.before_row[at].saturating_sub(wanted) {
            at - 1
        } else {
            at
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_runs() {
        let calendar = Calendar::new(&Timeline::from_active(4, vec![3, 3, 2, 1, 1])).unwrap();
        assert_eq!(calendar.before_row, [0, 5, 8, 10]);
        assert_eq!((0..3).map(|i| calendar.share(i, 2)).collect::<Vec<_>>(), [0, 1, 3]);
        let runs: Vec<_> = calendar.runs.iter().map(|r| (r.first, r.end, r.before)).collect();
        assert_eq!(runs, [(0, 3, 0), (3, 8, 1), (8, 9, 2), (9, 10, 3)]);
        for t in 0..5 {
            let rows = calendar.step(t, 1);
            let run = runs.iter().find(|r| r.0 <= rows[kind::TOKEN] && rows[kind::TOKEN] < r.1).unwrap();
            assert_eq!(rows[kind::BEFORE], rows[kind::TOKEN] + run.2);
            assert_eq!(rows[kind::EVEN] / 4, (1 + t) % 2);
        }
        assert_eq!(calendar.rows(kind::BEFORE), (0, 13));
    }

    #[test]
    fn wrong_timelines_are_refused() {
        let wrong = |batch, active: &[usize], first: &[usize]| {
            let timeline = Timeline { batch, active: active.to_vec(), first: first.to_vec(), start: 0 };
            matches!(Calendar::new(&timeline), Err(CodeError::Timeline(_)))
        };
        assert!(wrong(2, &[3], &[0]));
        assert!(wrong(2, &[1, 2], &[0, 1]));
        assert!(wrong(2, &[2, 0], &[0, 2]));
        assert!(wrong(2, &[2, 1], &[0, 1]));
        assert!(wrong(2, &[2], &[1]));
        assert!(wrong(2, &[2], &[]));
        assert!(wrong(usize::MAX, &[usize::MAX, 1], &[0, usize::MAX]));
        assert!(!wrong(2, &[2, 1], &[0, 2]));
        assert!(!wrong(0, &[], &[]));
    }
}
