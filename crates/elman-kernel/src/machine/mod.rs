//! The machine: runs phases over a timeline.
//!
//! [`Machine::new`] checks a code against its shapes, [`Machine::run`] checks it against a timeline (the last one that
//! passed is remembered) and runs it. Whatever a code says, running it touches nothing outside the memory given, and no
//! result depends on tiles, threads or the way they share the work: a code for which it could is an error.
//!
//! What is written may meet other places of its phase in these ways only:
//! - in other columns of the same rows (the same stride, no common column);
//! - the same rows of the same sequences (`Token`, `Before` and `After` are one family, the two parities another), unit by
//!   unit in any order of instructions, and in any way from another stage of a step or within a stage of whole rows;
//! - not: a product's operand or a number a row, written in the same stage unless that is of whole rows; a product's own
//!   operand or another member's initial value; `Before` rows in a bulk phase; another unit in independent steps;
//! - results of gradients meet nothing.

mod calendar;
mod check;
mod compile;
mod error;
mod gradient;
mod kept;
mod memory;
mod multiply;
mod operands;
mod run;
mod sharing;
mod tile;

pub use error::CodeError;
pub(crate) use multiply::{prefetch, prefetch_second};

use crate::buffer::Buffer;
use crate::code::{Phase, Split, Timeline};
use crate::isa::Isa;
use crate::kernels::Kernels;
use crate::narrow::Precision;
use crate::pack::{MatrixShape, PackedMatrix};
use crate::real::Real;
use crate::team::{Member, Team};
use calendar::Calendar;
use check::Lengths;
use compile::{Compiler, PhaseCode, StageCode};
use kept::Kept;
use operands::Converted;
use run::Worker;
use sharing::Sharing;
use tile::{Run, Scratch, Workspace};

/// A checked code with its scratch memory.
pub struct Machine<T: Real> {
    isa: Isa,
    kernels: &'static Kernels<T>,
    phases: Vec<PhaseCode<T>>,
    lengths: Lengths,
    shapes: Vec<MatrixShape>,
    /// The last timeline that passed the checks.
    calendar: Option<Calendar>,
    /// What the last run shared, with what that depends on: the split, the threads, and whether they share all.
    sharing: Option<((Split, usize, bool), Sharing)>,
    /// One for each thread.
    workspaces: Vec<Workspace<T>>,
    /// How often it ran.
    runs: usize,
}

impl<T: Real> Machine<T> {
    /// Takes a code that runs over `memory_len` numbers of work memory and `constants_len` of constants, with packed
    /// matrices of these `shapes`.
    ///
    /// Errors: an instruction set that the CPU lacks; every way in which the code is wrong whatever the timeline.
    pub fn new(
        isa: Isa,
        phases: Vec<Phase>,
        memory_len: usize,
        constants_len: usize,
        shapes: Vec<MatrixShape>,
    ) -> Result<Machine<T>, CodeError> {
        let kernels = T::kernels(isa).ok_or(CodeError::Isa(isa))?;
        let compiler = Compiler { kernels, shapes: &shapes };
        let mut phases = phases.iter().enumerate().map(|(i, p)| compiler.phase(i, p)).collect::<Result<Vec<_>, _>>()?;
        let stages = phases.iter_mut().flat_map(PhaseCode::stages_mut);
        stages.enumerate().for_each(|(number, stage)| stage.number = number);
        let lengths = Lengths { memory: memory_len, constants: constants_len };
        Ok(Machine {
            isa,
            kernels,
            phases,
            lengths,
            shapes,
            calendar: None,
            sharing: None,
            workspaces: Vec::new(),
            runs: 0,
        })
    }

    /// Checks the code against a timeline, as [`Machine::run`] does before it runs.
    ///
    /// Errors: a timeline that is inconsistent, and places that leave the memory or meet other places in it.
    pub fn check(&mut self, timeline: &Timeline) -> Result<(), CodeError> {
        if self.calendar.as_ref().is_some_and(|known| known.fits(timeline)) {
            return Ok(());
        }
        let calendar = Calendar::new(timeline)?;
        check::check(&self.phases, &calendar, &self.lengths)?;
        self.calendar = Some(calendar);
        self.sharing = None;
        Ok(())
    }

    /// Runs all phases, in order.
    ///
    /// `constants`, `matrices` and `memory` have the lengths and shapes given to [`Machine::new`].
    ///
    /// Errors: lengths or shapes that differ, and those of [`Machine::check`]; nothing has run then.
    pub fn run(
        &mut self,
        timeline: &Timeline,
        constants: &[T],
        matrices: &[PackedMatrix<T>],
        memory: &mut [T],
        team: &Team,
        split: Split,
    ) -> Result<(), CodeError> {
        length("memory", memory.len(), self.lengths.memory)?;
        length("constants", constants.len(), self.lengths.constants)?;
        length("matrices", matrices.len(), self.shapes.len())?;
        let wrong = |(m, shape): (&PackedMatrix<T>, &MatrixShape)| m.shape() != shape || m.isa() != self.isa;
        if let Some(index) = matrices.iter().zip(&self.shapes).position(wrong) {
            return Err(CodeError::Matrix { index });
        }
        let full = matrices.iter().all(|matrix| matrix.precision() == Precision::Full);
        let products = self.phases.iter().flat_map(PhaseCode::stages).flat_map(|stage| &stage.products);
        let mut pairs = products.filter_map(|product| product.before.map(|(first, _)| (first, product.matrix)));
        let differ = |(a, b): &(usize, usize)| matrices[*a].precision() != matrices[*b].precision();
        if let Some((index, _)) = pairs.find(differ) {
            return Err(CodeError::Matrix { index });
        }
        self.check(timeline)?;
        self.prepare(team.threads(), matrices);
        self.share(team, split);
        let Some(calendar) = self.calendar.as_ref().filter(|calendar| calendar.tokens > 0) else { return Ok(()) };
        let Some((_, sharing)) = &self.sharing else { return Ok(()) };
        let narrow = [Precision::Bf16, Precision::Int8].map(|precision| T::narrow(self.isa, precision));
        let (memory, constants) = (memory.as_mut_ptr(), constants.as_ptr());
        self.runs = self.runs.wrapping_add(1).max(1);
        let run = Run { number: self.runs, kernels: self.kernels, narrow, matrices, full, memory, constants };
        let phases = &self.phases;
        let workspaces = Workspaces(self.workspaces.as_mut_ptr());
        let work = |member: &Member<'_>, threads: usize| {
            // Safety: there is a workspace for each thread, and each takes its own.
            let workspace = unsafe { &mut *workspaces.of(member.index) };
            let mut before = false;
            for (phase, &shared) in phases.iter().zip(&sharing.phases) {
                // What one thread alone does needs no barrier before what it does next.
                if threads > 1 && (shared || before) {
                    member.barrier();
                }
                before = shared;
                let threads = if shared { threads } else { 1 };
                let worker = Worker { run: &run, calendar, start: timeline.start, member, threads, split };
                if member.index < threads {
                    // Safety: the code passed the checks for this calendar, and `threads` threads run this phase.
                    unsafe { worker.phase(phase, workspace) };
                }
            }
        };
        if sharing.calls(team) {
            team.run(|member| work(member, member.threads()));
        } else {
            team.alone(|caller| work(caller, 1));
        }
        Ok(())
    }

    /// Numbers of scratch memory that each thread takes.
    pub fn scratch(&self) -> usize {
        self.slots() + self.room()
    }

    /// Numbers of all slots, or of packed operands.
    fn slots(&self) -> usize {
        let stages = || self.phases.iter().flat_map(PhaseCode::stages);
        let slots = stages().map(|stage| stage.slots * stage.slot()).max().unwrap_or(0);
        let packed = self.phases.iter().map(|phase| match phase {
            PhaseCode::Outer(outer) => gradient::scratch(outer.columns),
            _ => 0,
        });
        slots.max(packed.max().unwrap_or(0))
    }

    /// Numbers that each thread takes for the shares of attentions.
    fn room(&self) -> usize {
        let of = |phase: &PhaseCode<T>| match phase {
            PhaseCode::Memory { attend, .. } => attend.room(),
            phase => {
                let instrs = phase.stages().iter().flat_map(|stage| &stage.block);
                instrs.filter_map(|i| i.attention().map(|a| a.room())).max().unwrap_or(0)
            }
        };
        self.phases.iter().map(of).max().unwrap_or(0)
    }

    /// Decides what the threads of a team share.
    fn share(&mut self, team: &Team, split: Split) {
        let Some(calendar) = &self.calendar else { return };
        let threads = team.threads();
        let question = (split, threads, team.shares_all());
        if self.sharing.as_ref().is_some_and(|(known, sharing)| *known == question && !sharing.unsure) {
            return;
        }
        let sharing = if team.shares_all() {
            Sharing::all(&self.phases)
        } else {
            Sharing::new(&self.phases, calendar, split, team, self.isa)
        };
        self.sharing = Some((question, sharing));
    }

    /// Scratch memory for all stages, so that no loop has to ask for any.
    fn prepare(&mut self, threads: usize, matrices: &[PackedMatrix<T>]) {
        let scratch = self.slots();
        let stages = || self.phases.iter().flat_map(PhaseCode::stages);
        let products = || stages().flat_map(|stage| &stage.products);
        let room = self.room();
        let segments = products().map(|p| p.segments.len()).max().unwrap_or(0);
        let strips = products().map(|p| p.members.len() * p.units.div_ceil(crate::code::LANES)).max().unwrap_or(0);
        self.workspaces.resize_with(self.workspaces.len().max(threads), || Workspace {
            scratch: Scratch::new(scratch),
            segments: Vec::with_capacity(segments),
            strips: Vec::with_capacity(strips),
            converted: Converted::new(),
            room: Buffer::new(room),
            narrow_strips: Vec::new(),
            kept: stages().map(Kept::new).collect(),
        });
        if matrices.iter().all(|matrix| matrix.precision() == Precision::Full) {
            return;
        }
        let rows = self.calendar.as_ref().map_or(0, |calendar| calendar.tokens);
        for workspace in &mut self.workspaces {
            workspace.narrow_strips.clear();
            workspace.narrow_strips.reserve(strips);
            for stage in self.phases.iter().flat_map(PhaseCode::stages) {
                workspace.converted.grow(self.isa, stage, matrices, rows);
            }
        }
    }
}

impl<T> PhaseCode<T> {
    fn stages(&self) -> &[StageCode<T>] {
        match self {
            PhaseCode::Bulk { stages, .. } | PhaseCode::Steps { stages, .. } => stages,
            PhaseCode::Outer(_)
            | PhaseCode::Total { .. }
            | PhaseCode::Exponentials { .. }
            | PhaseCode::Memory { .. } => &[],
        }
    }

    fn stages_mut(&mut self) -> &mut [StageCode<T>] {
        match self {
            PhaseCode::Bulk { stages, .. } | PhaseCode::Steps { stages, .. } => stages,
            PhaseCode::Outer(_)
            | PhaseCode::Total { .. }
            | PhaseCode::Exponentials { .. }
            | PhaseCode::Memory { .. } => &mut [],
        }
    }
}

/// The threads' workspaces.
struct Workspaces<T: 'static>(*mut Workspace<T>);

// Safety: each thread follows the pointer to its own workspace alone.
unsafe impl<T: Send + 'static> Sync for Workspaces<T> {}

impl<T> Workspaces<T> {
    fn of(&self, index: usize) -> *mut Workspace<T> {
        self.0.wrapping_add(index)
    }
}

fn length(what: &'static str, given: usize, wanted: usize) -> Result<(), CodeError> {
    if given == wanted { Ok(()) } else { Err(CodeError::Length { what, given, wanted }) }
}
