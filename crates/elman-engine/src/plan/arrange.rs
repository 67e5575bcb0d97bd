//! Where arrays lie in work memory: those whose lives do not meet share it.
//!
//! ```text
//! in one phase      a row of a token that has been read for the last time takes the next value of that token: the sum of
//!                   an input's products becomes the gate, and the gate its gradient, as soon as nothing waits for it
//! between phases    any memory whose values nobody reads any more
//! ```
//!
//! Plans are written as if every array had memory of its own; lives are read off the code, and offsets moved here.

use elman_kernel::code::{Phase, Place, Rows};

use super::uses::{Time, Use, each_place};
use super::{Array, MatrixPlan};

/// From the first use of an array to the last.
#[derive(Clone, Debug)]
struct Life {
    array: usize,
    first: Time,
    /// It begins with this use, not with the caller.
    made: Option<Use>,
    last: Time,
    /// All uses at the end are this one.
    last_use: Option<Use>,
    /// When its units are last read across.
    across: Option<Time>,
    /// Of all uses by the code, where they are of one width.
    width: Option<usize>,
    /// All uses by the code are whole rows of tokens.
    tokens: bool,
}

/// Arrays that follow each other in the same memory.
struct Group {
    members: Vec<usize>,
    len: usize,
    first: usize,
    last: usize,
    tail: Life,
}

/// Lives of all arrays, as they are found.
pub(super) struct Lives<'a> {
    arrays: &'a [Array],
    lives: Vec<Option<Life>>,
}

impl<'a> Lives<'a> {
    pub fn new(arrays: &'a [Array]) -> Lives<'a> {
        Lives { arrays, lives: vec![None; arrays.len()] }
    }

    /// The caller reads or writes a place at a phase of its own.
    pub fn touch(&mut self, offset: usize, phase: usize) {
        let Some(array) = find(self.arrays, offset) else { return };
        let when = (phase, 0, 0);
        let life = self.lives[array].get_or_insert_with(|| Life::new(array, when));
        if when <= life.first {
            (life.first, life.made) = (when, None);
        }
        if when >= life.last {
            (life.last, life.last_use) = (when, None);
        }
    }

    /// The code's uses, its first phase being number `first`.
    pub fn read(&mut self, phases: &mut [Phase], first: usize, matrices: &[MatrixPlan]) {
        each_place(phases, first, matrices, &mut |place, width, how, when| self.add(*place, width, how, when));
    }

    fn add(&mut self, place: Place, width: usize, how: Use, when: Time) {
        let Some(array) = find(self.arrays, place.offset) else { return };
        let life = self.lives[array].get_or_insert_with(|| Life { made: Some(how), ..Life::new(array, when) });
        if when < life.first {
            (life.first, life.made) = (when, Some(how));
        }
        if when > life.last {
            (life.last, life.last_use) = (when, Some(how));
        } else if when == life.last && life.last_use != Some(how) {
            life.last_use = None;
        }
        if how == Use::ReadAcross {
            life.across = life.across.max(Some(when));
        }
        life.tokens &= place.offset == self.arrays[array].start && place.rows == Rows::Token;
        life.width = match life.width {
            Some(w) if w != width => Some(0),
            _ => Some(width),
        };
    }

    /// Where each array begins, and how much memory there is.
    pub fn place(self) -> (Vec<usize>, usize) {
        let mut starts = vec![0; self.arrays.len()];
        let mut groups = self.groups();
        groups.sort_by_key(|g| (std::cmp::Reverse(g.len), g.first, g.members[0]));
        let mut placed: Vec<(usize, &Group)> = vec![];
        let mut end = 0;
        for group in &groups {
            let mut taken: Vec<(usize, usize)> = placed
                .iter()
                .filter(|(_, other)| other.first <= group.last && group.first <= other.last)
                .map(|(start, other)| (*start, start + other.len))
                .collect();
            taken.sort_unstable();
            let start = taken.iter().fold(0, |at, &(from, to)| if at + group.len <= from { at } else { at.max(to) });
            placed.push((start, group));
            end = end.max(start + group.len);
            group.members.iter().for_each(|m| starts[*m] = start);
        }
        (starts, end)
    }

    fn groups(&self) -> Vec<Group> {
        let mut lives: Vec<Life> = self.lives.iter().flatten().cloned().collect();
        lives.sort_by_key(|l| (l.first, l.array));
        let mut groups: Vec<Group> = vec![];
        for life in lives {
            let array = &self.arrays[life.array];
            let fits = |g: &&mut Group| g.len == array.len && life.follows(&g.tail);
            match groups.iter_mut().filter(fits).max_by_key(|g| g.tail.last) {
                Some(g) => {
                    g.members.push(life.array);
                    g.last = life.last.0;
                    g.tail = life;
                }
                None => groups.push(Group {
                    members: vec![life.array],
                    len: array.len,
                    first: life.first.0,
                    last: life.last.0,
                    tail: life,
                }),
            }
        }
        groups
    }
}

impl Life {
    fn new(array: usize, at: Time) -> Life {
        let (made, last_use, across, width) = (None, None, None, None);
        Life { array, first: at, made, last: at, last_use, across, width, tokens: true }
    }

    /// Whether it may take a dead array's rows within the phase in which that dies: each token's row is written when
    /// nothing waits for the old one, neither at that place of the code nor, across units, in that stage.
    fn follows(&self, dead: &Life) -> bool {
        let (phase, stage, _) = self.first;
        let alike = self.tokens && dead.tokens && self.width == dead.width && self.width.is_some_and(|w| w > 0);
        let at_once = dead.last == self.first && self.made == Some(Use::Write) && dead.last_use == Some(Use::Read);
        alike
            && matches!(self.made, Some(Use::Write | Use::WriteProduct))
            && dead.last.0 == phase
            && (dead.last < self.first || at_once)
            && dead.across.is_none_or(|(p, s, _)| p < phase || s < stage)
    }
}

/// The array that an offset lies in.
pub(super) fn find(arrays: &[Array], offset: usize) -> Option<usize> {
    let array = arrays.partition_point(|a| a.start <= offset).checked_sub(1)?;
    (offset < arrays[array].start + arrays[array].len).then_some(array)
}
