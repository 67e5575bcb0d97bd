//! Bulk phases and time loops, shared among the threads of a team.

use super::calendar::Calendar;
use super::compile::{PhaseCode, StageCode, kind};
use super::tile::{Run, Workspace};
use crate::code::{LANES, Order, Split};
use crate::real::Real;
use crate::team::Member;

/// Tokens below which threads share the units of bulk stages, a thread.
pub(super) const BULK_ROWS: usize = 6;

/// Tokens that go through all stages of a bulk phase before the next do.
const BULK_CHUNK: usize = 96;

/// Rows a thread below which a stage of whole rows is not shared.
const WHOLE_ROWS: usize = 2;

/// One thread's view of a run.
pub(super) struct Worker<'a, T: 'static> {
    pub run: &'a Run<'a, T>,
    pub calendar: &'a Calendar,
    /// Steps that ran before.
    pub start: usize,
    pub member: &'a Member<'a>,
    /// Threads that share the phase: those of the team, or one.
    pub threads: usize,
    pub split: Split,
}

impl<T: Real> Worker<'_, T> {
    /// This thread's part of a phase.
    ///
    /// Safety: the code was checked for the calendar, and every thread of the team runs the same phase.
    pub(super) unsafe fn phase(&self, phase: &PhaseCode<T>, workspace: &mut Workspace<T>) {
        // Safety: the caller's promise.
        unsafe {
            match phase {
                PhaseCode::Bulk { stages, before } => self.bulk(stages, *before, workspace),
                PhaseCode::Steps { order, stages, independent: true } => self.independent(*order, stages, workspace),
                PhaseCode::Steps { order, stages, .. } => match self.split {
                    Split::Rows => self.steps_by_rows(*order, stages, workspace),
                    Split::Units => self.steps_by_units(*order, stages, workspace),
                },
                PhaseCode::Outer(outer) => self.outer(outer, workspace),
                PhaseCode::Total { value, units, out } => self.total(value, *units, *out),
                PhaseCode::Exponentials { value, units, largest, sum } => {
                    self.exponentials(value, *units, *largest, *sum);
                }
                PhaseCode::Memory { attend, gradient, d_keys, d_values } => {
                    self.memory(attend, gradient, (d_keys, d_values), workspace);
                }
            }
        }
    }

    /// Stages over all tokens: threads share the tokens, or, if there are few, the units.
    ///
    /// Safety: as [`Worker::phase`].
    unsafe fn bulk(&self, stages: &[StageCode<T>], before: bool, workspace: &mut Workspace<T>) {
        let (tokens, threads) = (self.calendar.tokens, self.threads);
        if threads > 1 && tokens < BULK_ROWS * threads {
            for stage in stages {
                let units =
                    if stage.whole_rows { (0, stage.units) } else { unit_share(stage, threads, self.member.index) };
                let tokens = if stage.whole_rows { share(tokens, threads, self.member.index, 1) } else { (0, tokens) };
                if tokens.0 < tokens.1 && units.0 < units.1 {
                    // Safety: these tokens and units are this thread's in this stage.
                    unsafe { self.token_range(stage, before, workspace, tokens.0, tokens.1, units) };
                }
                self.wait();
            }
            return;
        }
        let (first, end) = share(tokens, threads, self.member.index, 1);
        let chunk = if stages.len() == 1 { tokens } else { BULK_CHUNK };
        for begin in (first..end).step_by(chunk.max(1)) {
            for stage in stages {
                let end = end.min(begin + chunk);
                // Safety: these tokens are this thread's.
                unsafe { self.token_range(stage, before, workspace, begin, end, (0, stage.units)) };
            }
        }
    }

    /// A stage over tokens `first .. end`.
    ///
    /// Safety: as [`Run::stage`].
    unsafe fn token_range(
        &self,
        stage: &StageCode<T>,
        before: bool,
        workspace: &mut Workspace<T>,
        first: usize,
        end: usize,
        units: (usize, usize),
    ) {
        let mut at = [0; kind::ALL];
        let mut go = |begin: usize, end: usize, distance: usize| {
            at[kind::TOKEN] = begin;
            at[kind::BEFORE] = begin + distance;
            at[kind::AFTER] = begin + self.calendar.timeline.batch;
            // Safety: the caller's promise.
            unsafe { self.run.stage(stage, workspace, &at, end - begin, units) };
        };
        if !before {
            return go(first, end, 0);
        }
        for run in &self.calendar.runs {
            let (begin, end) = (run.first.max(first), run.end.min(end));
            if begin < end {
                go(begin, end, run.before);
            }
        }
    }

    /// Each thread takes rows and runs all their steps.
    ///
    /// Safety: as [`Worker::phase`].
    unsafe fn steps_by_rows(&self, order: Order, stages: &[StageCode<T>], workspace: &mut Workspace<T>) {
        let (index, threads) = (self.member.index, self.threads);
        let (first, end) = (self.calendar.share(index, threads), self.calendar.share(index + 1, threads));
        self.each_step(order, first, end, |at, rows| {
            for stage in stages {
                // Safety: these rows are this thread's at every step.
                unsafe { self.run.stage(stage, workspace, at, rows, (0, stage.units)) };
            }
        });
    }

    /// Each thread takes units of every stage, and waits for the others after each.
    ///
    /// Safety: as [`Worker::phase`].
    unsafe fn steps_by_units(&self, order: Order, stages: &[StageCode<T>], workspace: &mut Workspace<T>) {
        self.each_step(order, 0, usize::MAX, |at, rows| {
            for stage in stages {
                // Safety: the caller's promise.
                unsafe { self.stage_by_units(stage, workspace, at, rows) };
                self.wait();
            }
        });
    }

    /// This thread's units of a stage, or, in stages of whole rows, its rows.
    ///
    /// Safety: as [`Worker::phase`]; a barrier follows.
    unsafe fn stage_by_units(
        &self,
        stage: &StageCode<T>,
        workspace: &mut Workspace<T>,
        at: &[usize; kind::ALL],
        rows: usize,
    ) {
        let (index, threads) = (self.member.index, self.threads);
        if !stage.whole_rows {
            let (first, end) = unit_share(stage, threads, index);
            if first < end {
                // Safety: these units are this thread's.
                unsafe { self.run.stage(stage, workspace, at, rows, (first, end)) };
            }
            return;
        }
        let sharers = if rows >= WHOLE_ROWS * threads { threads } else { 1 };
        let (first, end) = if index < sharers { share(rows, sharers, index, 1) } else { (0, 0) };
        if first < end {
            let mut at = *at;
            at[kind::BATCH..kind::SCRATCH].iter_mut().for_each(|row| *row += first);
            // Safety: these rows are this thread's in this stage.
            unsafe { self.run.stage(stage, workspace, &at, end - first, (0, stage.units)) };
        }
    }

    /// Each tile of rows and units runs all its steps while it is hot; threads share the tiles.
    ///
    /// Safety: as [`Worker::phase`].
    unsafe fn independent(&self, order: Order, stages: &[StageCode<T>], workspace: &mut Workspace<T>) {
        let Some(stage) = stages.iter().max_by_key(|stage| stage.units) else { return };
        let rows = self.calendar.before_row.len() - 1;
        let threads = self.threads;
        let mut shape = stage.tile(rows, stage.units);
        while shape.units > LANES && rows.div_ceil(shape.rows) * stage.units.div_ceil(shape.units) < threads {
            shape.units = (shape.units / 2).next_multiple_of(LANES);
        }
        let across = stage.units.div_ceil(shape.units);
        let (first, end) = share(rows.div_ceil(shape.rows) * across, threads, self.member.index, 1);
        for tile in first..end {
            let (row, unit) = (tile / across * shape.rows, tile % across * shape.units);
            self.each_step(order, row, row + shape.rows, |at, rows| {
                for stage in stages {
                    let units = (unit.min(stage.units), (unit + shape.units).min(stage.units));
                    // Safety: these rows and units are this thread's at every step.
                    unsafe { self.run.stage(stage, workspace, at, rows, units) };
                }
            });
        }
    }

    /// Waits for those that share the phase.
    fn wait(&self) {
        if self.threads > 1 {
            self.member.barrier();
        }
    }

    /// Calls `step` with the first row of each kind and the number of rows, at each step that has rows among
    /// `first .. end`.
    fn each_step(&self, order: Order, first: usize, end: usize, mut step: impl FnMut(&[usize; kind::ALL], usize)) {
        let active = &self.calendar.timeline.active;
        for i in 0..active.len() {
            let t = if order == Order::Ascending { i } else { active.len() - 1 - i };
            let rows = active[t].min(end).saturating_sub(first);
            if rows > 0 {
                let mut at = self.calendar.step(t, self.start);
                at[kind::BATCH..kind::SCRATCH].iter_mut().for_each(|row| *row += first);
                step(&at, rows);
            }
        }
    }
}

/// Part `index` of `parts` of 0 .. n, in multiples of `unit`.
pub(super) fn share(n: usize, parts: usize, index: usize, unit: usize) -> (usize, usize) {
    let blocks = n.div_ceil(unit);
    let at = |i: usize| (blocks * i / parts * unit).min(n);
    (at(index), at(index + 1))
}

/// A thread's units of a stage: whole panels where there are enough of them, else strips.
fn unit_share<T>(stage: &StageCode<T>, threads: usize, index: usize) -> (usize, usize) {
    let unit = if stage.units >= 4 * threads * stage.align { stage.align } else { LANES };
    share(stage.units, threads, index, unit)
}
