//! A team of threads: fork and join by spinning for a bounded time, then parking; barriers inside a region.
//!
//! The caller owns the team; there is no global pool. A team of one spawns nothing. When a member panics, those who wait
//! for it at a barrier panic too, everyone is joined, and the caller gets the first panic.
//!
//! Where other programs hold the processors, a thread at a barrier waits for one that does not run. A team that waited for
//! more than half of two regions in a row is *crowded*: for a while, the caller does better alone.

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

/// Rounds of `spin_loop` before a waiting thread parks: some tens of microseconds.
const SPINS: u32 = 4_000;

/// Rounds at a barrier before a waiting thread lets others run: ten times what the fastest barrier takes.
const BARRIER_SPINS: u32 = 400;

/// Items that are not worth waking a thread for.
const FEW: usize = 4;

/// How often barriers are timed, so many of them at once.
const TRIALS: usize = 4;
const BARRIERS: u64 = 4;

/// Nanoseconds that no barrier takes whose threads have a processor each: after a start two may share one for some time.
const UNSETTLED: u64 = 2_000;

/// Questions after which a barrier is held to take as long as that.
const ENOUGH: u32 = 1 << 10;

/// Regions that are too short to say whether a team is crowded.
const SHORT: Duration = Duration::from_micros(100);

/// For how long a crowded team leaves regions to the caller before it tries again, at first: this many times the region.
const LEFT: u32 = 8;

/// The same, at most: in a longer region a thread that shares its processor gets about half of it, so that a trial costs
/// little.
const LONGEST: Duration = Duration::from_millis(50);

type Payload = Box<dyn Any + Send>;

/// How a worker calls the region: the closure's address and the worker's view.
type Call = unsafe fn(*const (), &Member<'_>);

/// One value a cache line, so that threads that wait for it do not disturb the others.
#[repr(align(128))]
struct Apart<T>(T);

struct Shared {
    threads: usize,
    /// The closure on the caller's stack, and the [`Call`] that knows its type; valid between fork and join.
    closure: AtomicPtr<()>,
    call: AtomicPtr<()>,
    /// Counts regions: a worker runs when it changes.
    epoch: Apart<AtomicUsize>,
    /// Threads that have not finished the region.
    running: Apart<AtomicUsize>,
    arrived: Apart<AtomicUsize>,
    /// Counts barriers passed.
    generation: Apart<AtomicUsize>,
    /// Nanoseconds that the caller waited at barriers of the region, long waits alone.
    waited: AtomicU64,
    broken: AtomicBool,
    stop: AtomicBool,
    asleep: Vec<Apart<AtomicBool>>,
    /// The caller, where it has parked.
    caller: Mutex<Option<Thread>>,
    panic: Mutex<Option<Payload>>,
}

/// Persistent threads, of which the caller is the first.
pub struct Team {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
    shares_all: bool,
    crowd: Cell<Crowd>,
    barrier: Cell<Timed>,
    /// One region at a time: a team is not shared between threads.
    alone: PhantomData<Cell<()>>,
}

/// How long a team is held to be crowded.
#[derive(Clone, Copy, Default)]
struct Crowd {
    /// The region before was waited for. One alone may be an accident, of a core whose other half is someone else's.
    suspected: bool,
    /// Until then regions are left to the caller.
    until: Option<Instant>,
    /// For how long they were the last time.
    last: Duration,
}

impl Crowd {
    /// After a region of which the caller waited a part.
    fn after(self, now: Instant, region: Duration, waited: Duration) -> Crowd {
        if region < SHORT {
            self
        } else if 2 * waited <= region {
            Crowd::default()
        } else if self.suspected {
            let last = (2 * self.last).max(LEFT * region).min(LONGEST);
            Crowd { until: Some(now + last), last, ..self }
        } else {
            Crowd { suspected: true, ..self }
        }
    }
}

/// What is known of barriers.
#[derive(Clone, Copy, Default)]
struct Timed {
    least: Option<u64>,
    /// How often it was asked for.
    asked: u32,
}

/// One thread's view of a region.
pub struct Member<'a> {
    shared: &'a Shared,
    /// 0 for the caller.
    pub index: usize,
}

impl Team {
    /// `threads` threads, the caller among them (0 counts as 1).
    ///
    /// Errors: the system gives no more threads.
    pub fn new(threads: usize) -> std::io::Result<Team> {
        let threads = threads.max(1);
        let shared = Arc::new(Shared::new(threads));
        let (handles, crowd, barrier) = (Vec::new(), Cell::default(), Cell::default());
        let mut team = Team { shared, handles, shares_all: false, crowd, barrier, alone: PhantomData };
        for index in 1..threads {
            let shared = team.shared.clone();
            let name = format!("elman-{index}");
            team.handles.push(std::thread::Builder::new().name(name).spawn(move || work(&shared, index))?);
        }
        Ok(team)
    }

    /// The same, for all work on it to be shared, however small: slower, and the same bits. For tests.
    ///
    /// Errors: as [`Team::new`].
    pub fn sharing_all(threads: usize) -> std::io::Result<Team> {
        let mut team = Team::new(threads)?;
        team.shares_all = true;
        Ok(team)
    }

    /// Whether all work on it is shared, however small.
    pub fn shares_all(&self) -> bool {
        self.shares_all
    }

    /// Whether a region would begin at once on every thread.
    pub(crate) fn awake(&self) -> bool {
        self.shared.asleep.iter().all(|asleep| !asleep.0.load(Relaxed))
    }

    /// Whether the next region is better left to the caller.
    pub(crate) fn crowded(&self) -> bool {
        !self.shares_all && self.crowd.get().until.is_some_and(|until| Instant::now() < until)
    }

    /// Nanoseconds that a barrier takes at best; `None` while threads seem to wait for a processor. Timed when it is asked
    /// for, until it is known: the first time, the second, the fourth, …
    pub(crate) fn barrier_time(&self) -> Option<u64> {
        let Timed { least, asked } = self.barrier.get();
        if least.is_some() {
            return least;
        }
        let asked = asked + 1;
        let least = AtomicU64::new(UNSETTLED);
        if asked.is_power_of_two() {
            self.run(|member| {
                for _ in 0..TRIALS {
                    let began = Instant::now();
                    (0..BARRIERS).for_each(|_| member.barrier());
                    if member.index == 0 {
                        least.fetch_min(began.elapsed().as_nanos() as u64 / BARRIERS, Relaxed);
                    }
                }
            });
        }
        let least = Some(least.into_inner()).filter(|least| *least < UNSETTLED || asked == ENOUGH);
        self.barrier.set(Timed { least, asked });
        least
    }

    /// Runs `part` on the caller's thread alone.
    pub(crate) fn alone(&self, part: impl FnOnce(&Member<'_>)) {
        part(&Member { shared: &self.shared, index: 0 });
    }

    /// How many threads, the caller among them.
    pub fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Runs `region` on every thread and returns when all are done. A panic of any of them comes out here.
    pub fn run<F: Fn(&Member<'_>) + Sync>(&self, region: F) {
        let shared = &*self.shared;
        let caller = Member { shared, index: 0 };
        if shared.threads == 1 {
            return region(&caller);
        }
        let began = Instant::now();
        self.fork((&raw const region).cast(), call::<F>);
        shared.enter(|| region(&caller));
        let done = Instant::now();
        shared.join();
        let now = Instant::now();
        let waited = now - done + Duration::from_nanos(shared.waited.load(Relaxed));
        self.crowd.set(self.crowd.get().after(now, now - began, waited));
        let panic = lock(&shared.panic).take();
        if let Some(payload) = panic {
            std::panic::resume_unwind(payload);
        }
    }

    /// Does `work` on every item: threads take the next one as they become free. Few items stay with the caller.
    pub fn each<I: Send>(&self, items: Vec<I>, work: impl Fn(I) + Sync) {
        self.each_in_order(items, |_, item| work(item));
    }

    /// The same, with the thread's view of the region: items are begun in order, so that the work on one may wait for
    /// what is done with those before it ([`Member::until`]).
    pub fn each_in_order<I: Send>(&self, items: Vec<I>, work: impl Fn(&Member<'_>, I) + Sync) {
        if self.threads() == 1 || (items.len() < FEW && !self.shares_all) || self.crowded() {
            return self.alone(|caller| items.into_iter().for_each(|item| work(caller, item)));
        }
        let items = Mutex::new(items.into_iter());
        self.run(|member| {
            // The lock is given back before the work begins.
            let next = || lock(&items).next();
            while let Some(item) = next() {
                work(member, item);
            }
        });
    }

    fn fork(&self, closure: *const (), call: Call) {
        let shared = &*self.shared;
        shared.closure.store(closure.cast_mut(), Relaxed);
        shared.call.store(call as *mut (), Relaxed);
        shared.running.0.store(shared.threads, Relaxed);
        shared.arrived.0.store(0, Relaxed);
        shared.broken.store(false, Relaxed);
        shared.waited.store(0, Relaxed);
        self.wake();
    }

    fn wake(&self) {
        self.shared.epoch.0.fetch_add(1, SeqCst);
        for (handle, asleep) in self.handles.iter().zip(&self.shared.asleep) {
            if asleep.0.load(SeqCst) {
                handle.thread().unpark();
            }
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        self.wake();
        for handle in self.handles.drain(..) {
            // A worker catches every panic, so that there is nothing to hear from it.
            let _ = handle.join();
        }
    }
}

impl Member<'_> {
    /// How many threads are in the region.
    pub fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Waits until every thread of the region is here.
    pub fn barrier(&self) {
        let shared = self.shared;
        if shared.threads == 1 {
            return;
        }
        let generation = shared.generation.0.load(Acquire);
        if shared.arrived.0.fetch_add(1, AcqRel) + 1 == shared.threads {
            shared.arrived.0.store(0, Relaxed);
            shared.generation.0.store(generation.wrapping_add(1), Release);
            return;
        }
        self.until(|| shared.generation.0.load(Acquire) != generation);
    }

    /// Waits until `done`, which another thread of the region brings about; panics if one of them does.
    pub fn until(&self, done: impl Fn() -> bool) {
        let shared = self.shared;
        if (0..BARRIER_SPINS).any(|_| {
            let done = done();
            std::hint::spin_loop();
            done
        }) {
            return;
        }
        let began = Instant::now();
        while !done() {
            if shared.broken.load(Relaxed) {
                std::panic::resume_unwind(Box::new("another thread of the team panicked"));
            }
            std::thread::yield_now();
        }
        if self.index == 0 {
            shared.waited.fetch_add(began.elapsed().as_nanos() as u64, Relaxed);
        }
    }
}

impl Shared {
    fn new(threads: usize) -> Shared {
        Shared {
            threads,
            closure: AtomicPtr::default(),
            call: AtomicPtr::default(),
            epoch: Apart(AtomicUsize::new(0)),
            running: Apart(AtomicUsize::new(0)),
            arrived: Apart(AtomicUsize::new(0)),
            generation: Apart(AtomicUsize::new(0)),
            waited: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            asleep: (1..threads).map(|_| Apart(AtomicBool::new(false))).collect(),
            caller: Mutex::new(None),
            panic: Mutex::new(None),
        }
    }

    /// One thread's part of a region: keeps the first panic, and wakes the caller when it was the last to finish.
    fn enter(&self, part: impl FnOnce()) {
        if let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(part)) {
            lock(&self.panic).get_or_insert(payload);
            self.broken.store(true, Release);
        }
        if self.running.0.fetch_sub(1, SeqCst) == 1
            && let Some(caller) = lock(&self.caller).take()
        {
            caller.unpark();
        }
    }

    /// Waits for the last thread: spins, then parks.
    fn join(&self) {
        for _ in 0..SPINS {
            if self.running.0.load(Acquire) == 0 {
                return;
            }
            std::hint::spin_loop();
        }
        *lock(&self.caller) = Some(std::thread::current());
        while self.running.0.load(SeqCst) != 0 {
            std::thread::park();
        }
        *lock(&self.caller) = None;
    }

    /// Waits until the epoch is no longer `seen`: spins, then parks.
    fn wait(&self, seen: usize, asleep: &AtomicBool) -> usize {
        for _ in 0..SPINS {
            let epoch = self.epoch.0.load(Acquire);
            if epoch != seen {
                return epoch;
            }
            std::hint::spin_loop();
        }
        asleep.store(true, SeqCst);
        while self.epoch.0.load(SeqCst) == seen {
            std::thread::park();
        }
        asleep.store(false, SeqCst);
        self.epoch.0.load(SeqCst)
    }
}

/// A worker's life.
fn work(shared: &Shared, index: usize) {
    let mut seen = 0;
    loop {
        seen = shared.wait(seen, &shared.asleep[index - 1].0);
        if shared.stop.load(SeqCst) {
            return;
        }
        let member = Member { shared, index };
        shared.enter(|| {
            let closure = shared.closure.load(Relaxed);
            // Safety: `fork` stored a `Call`, and the closure it belongs to, before it moved the epoch on; the caller
            // keeps the closure alive until all have left `enter`.
            unsafe { std::mem::transmute::<*mut (), Call>(shared.call.load(Relaxed))(closure, &member) }
        });
    }
}

/// Safety: `closure` points to a live `F`.
unsafe fn call<F: Fn(&Member<'_>) + Sync>(closure: *const (), member: &Member<'_>) {
    // Safety: the caller's promise.
    unsafe { (*closure.cast::<F>())(member) }
}

/// What a mutex holds, also after a thread panicked with it: the panic comes out of the region ([`Team::run`]).
pub fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_runs_every_region() {
        for threads in 1..4 {
            let team = Team::new(threads).unwrap();
            let count = AtomicUsize::new(0);
            for _ in 0..50 {
                team.run(|member| {
                    count.fetch_add(1 << (8 * member.index), Relaxed);
                });
            }
            assert_eq!(count.into_inner(), (0..threads).map(|i| 50 << (8 * i)).sum());
        }
    }

    #[test]
    fn each_item_is_done_once() {
        for (team, count) in [(Team::new(2).unwrap(), 3), (Team::new(3).unwrap(), 50), (Team::new(1).unwrap(), 7)] {
            let mut numbers = vec![1usize; count];
            team.each(numbers.iter_mut().enumerate().collect(), |(i, n)| *n += i);
            assert!(numbers.iter().enumerate().all(|(i, n)| *n == i + 1));
        }
    }

    #[test]
    fn an_item_may_wait_for_those_before_it() {
        for (team, count) in
            [(Team::sharing_all(3).unwrap(), 2), (Team::new(2).unwrap(), 60), (Team::new(1).unwrap(), 7)]
        {
            let (turn, order) = (AtomicUsize::new(0), Mutex::new(vec![]));
            team.each_in_order((0..count).collect(), |member, i| {
                // The earlier one is the slower.
                std::thread::sleep(Duration::from_micros(if i % 2 == 0 { 200 } else { 0 }));
                member.until(|| turn.load(Acquire) == i);
                lock(&order).push(i);
                turn.store(i + 1, Release);
            });
            assert_eq!(order.into_inner().unwrap(), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn barriers_order_what_they_separate() {
        let team = Team::new(3).unwrap();
        let values: Vec<AtomicUsize> = (0..3).map(|_| AtomicUsize::new(0)).collect();
        team.run(|member| {
            for step in 1..200 {
                values[member.index].store(step, Relaxed);
                member.barrier();
                assert!(values.iter().all(|v| v.load(Relaxed) == step));
                member.barrier();
            }
        });
    }

    #[test]
    fn a_team_that_waits_is_crowded_for_a_while() {
        let (now, region) = (Instant::now(), Duration::from_millis(1));
        let mut crowd = Crowd::default();
        let mut after = |waited: u64| {
            crowd = crowd.after(now, region, Duration::from_micros(waited));
            crowd.until.map_or(0, |until| (until - now).as_millis())
        };
        assert_eq!([after(900), after(501), after(900), after(900), after(900)], [0, 8, 16, 32, 50]);
        assert_eq!([after(900), after(499), after(501), after(501)], [50, 0, 0, 8]);
        let short = crowd.after(now, SHORT / 2, SHORT / 2);
        assert_eq!((short.until, short.last), (crowd.until, crowd.last));
    }

    #[test]
    fn what_a_barrier_takes_is_found_once() {
        let team = Team::new(2).unwrap();
        // On one processor for both threads it is never known.
        if let Some(time) = (0..64).find_map(|_| team.barrier_time()) {
            assert!(0 < time && time < UNSETTLED, "{time}");
            assert_eq!(team.barrier_time(), Some(time));
        }
        let asked = team.barrier.get().asked;
        assert!(asked.is_power_of_two(), "{asked}: timed between powers of two");
    }

    #[test]
    fn sleeping_threads_wake() {
        let team = Team::new(2).unwrap();
        let count = AtomicUsize::new(0);
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            team.run(|member| {
                if member.index == 1 {
                    std::thread::sleep(std::time::Duration::from_millis(3));
                }
                count.fetch_add(1, Relaxed);
            });
        }
        assert_eq!(count.into_inner(), 6);
    }

    #[test]
    fn a_panic_comes_out_and_the_team_lives_on() {
        let team = Team::new(3).unwrap();
        for culprit in 0..3 {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                team.run(|member| {
                    if member.index == culprit {
                        std::panic::resume_unwind(Box::new(7usize));
                    }
                    member.barrier();
                })
            }));
            assert_eq!(result.unwrap_err().downcast_ref::<usize>(), Some(&7));
            let count = AtomicUsize::new(0);
            team.run(|member| {
                member.barrier();
                count.fetch_add(1, Relaxed);
                member.barrier();
            });
            assert_eq!(count.into_inner(), 3);
        }
    }
}
