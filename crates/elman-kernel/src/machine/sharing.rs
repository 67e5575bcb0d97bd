//! Which phases are worth sharing among threads: waking a thread and waiting for it cost time too.
//!
//! What a phase costs is estimated in multiply-adds, from sizes alone; what a barrier costs is timed, for it differs between
//! cores that share a cache and others. No result depends on what is decided here.

use super::calendar::Calendar;
use super::compile::{OuterCode, PhaseCode, StageCode};
use super::run::BULK_ROWS;
use crate::code::{LANES, Split};
use crate::isa::Isa;
use crate::team::Team;

/// Barriers that the time between two of them must be worth, for sharing to pay: half of it is won, and what the other
/// threads wrote takes longer to come than the barrier itself.
const BARRIERS: u64 = 5;

/// Time between two barriers in ns, above which sharing pays whatever they take, and below which it never does.
const SURELY: u64 = 4_000;
const NEVER: u64 = 500;

/// Time of a run below which its threads are not called, in ns, if all of them are awake.
const AWAKE: u64 = 3_000;

/// The same if one must be woken, which takes tens of microseconds.
const ASLEEP: u64 = 15_000;

/// Time of a step below which one thread runs all of them and what comes before: a cache line that another core wrote
/// takes some 50 ns, which so short a step does not hide.
const SHORT_STEP: u64 = 400;

/// A unit of an elementwise instruction costs as much as this many multiply-adds.
const INSTR_UNIT: u64 = 8;

/// The call of an instruction, likewise.
const INSTR: u64 = 400;

/// Weights that serve one row are read at half the speed of multiply-adds.
const LEAST_ROWS: usize = 2;

/// What is shared of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// Whether phase i is.
    pub phases: Vec<bool>,
    /// How long the shared phases take one thread, in ns.
    time: u64,
    /// It depends on how long barriers take, which is not known yet.
    pub unsure: bool,
}

impl Sharing {
    /// Shares what is worth it among the threads of a team.
    pub(super) fn new<T>(phases: &[PhaseCode<T>], calendar: &Calendar, split: Split, team: &Team, isa: Isa) -> Sharing {
        let threads = team.threads();
        let mut sharing = Sharing::default();
        // From the last on: what a phase leaves may be waited for by the one behind it.
        let mut waits = false;
        for phase in phases.iter().rev() {
            let (cost, intervals) = phase.cost(calendar, split, threads);
            let time = cost / rate::<T>(isa);
            let shared = threads > 1 && !waits && sharing.pays(time / intervals, team);
            waits = matches!(phase, PhaseCode::Steps { .. })
                && !shared
                && time < SHORT_STEP.saturating_mul(calendar.timeline.active.len() as u64);
            sharing.phases.push(shared);
            sharing.time += if shared { time } else { 0 };
        }
        sharing.phases.reverse();
        sharing
    }

    /// Whether so many nanoseconds between two barriers are worth sharing.
    fn pays(&mut self, between: u64, team: &Team) -> bool {
        if !(NEVER..SURELY).contains(&between) {
            return between >= SURELY;
        }
        let barrier = team.barrier_time();
        self.unsure |= barrier.is_none();
        barrier.is_some_and(|barrier| between >= BARRIERS * barrier)
    }

    /// Shares every phase.
    pub(super) fn all<T>(phases: &[PhaseCode<T>]) -> Sharing {
        Sharing { phases: vec![true; phases.len()], time: u64::MAX, unsure: false }
    }

    /// Whether the other threads of the team are called.
    pub(super) fn calls(&self, team: &Team) -> bool {
        let worth = self.time >= if self.time >= ASLEEP || team.awake() { AWAKE } else { ASLEEP };
        team.threads() > 1 && worth && !team.crowded()
    }
}

/// Multiply-adds a nanosecond, roughly.
fn rate<T>(isa: Isa) -> u64 {
    match isa {
        Isa::Avx512 | Isa::Avx2 if size_of::<T>() == 4 => 50,
        _ => 8,
    }
}

impl<T> PhaseCode<T> {
    /// Multiply-adds, and how often threads wait for each other.
    fn cost(&self, calendar: &Calendar, split: Split, threads: usize) -> (u64, u64) {
        let of = |stages: &[StageCode<T>], rows: usize| stages.iter().map(|stage| stage.cost(rows)).sum::<u64>();
        match self {
            PhaseCode::Bulk { stages, .. } => {
                let few = calendar.tokens < BULK_ROWS * threads;
                (of(stages, calendar.tokens), if few { stages.len() as u64 } else { 1 })
            }
            PhaseCode::Steps { stages, independent, .. } => {
                let cost = calendar.timeline.active.iter().map(|&rows| of(stages, rows)).sum();
                let waits = !independent && split == Split::Units;
                (cost, if waits { (stages.len() * calendar.timeline.active.len()) as u64 } else { 1 })
            }
            PhaseCode::Outer(OuterCode { columns, lefts, .. }) => {
                let rows: usize = lefts.iter().map(|left| left.rows).sum();
                ((rows * columns) as u64 * calendar.tokens as u64, 1)
            }
            PhaseCode::Total { units, .. } => (*units as u64 * calendar.tokens as u64, 1),
            PhaseCode::Memory { attend, .. } => (4 * attend.cost() * calendar.tokens as u64, 1),
            PhaseCode::Exponentials { units, .. } => (INSTR_UNIT * *units as u64 * calendar.tokens as u64, 1),
        }
    }
}

impl<T> StageCode<T> {
    /// Multiply-adds of one pass over `rows` rows.
    fn cost(&self, rows: usize) -> u64 {
        let products = self.products.iter().map(|p| {
            let k: usize = p.segments.iter().map(|(_, k)| k).sum();
            (p.units.next_multiple_of(LANES) * p.members.len() * k) as u64 * rows.max(LEAST_ROWS) as u64
        });
        let block = self.block.iter().map(|i| match i.attention() {
            Some(a) => INSTR + 2 * a.cost() * rows as u64,
            None => INSTR + INSTR_UNIT * i.units as u64 * rows as u64,
        });
        products.sum::<u64>() + block.sum::<u64>()
    }
}
