//! One query's attention to the slots of a memory, and its gradients.
//!
//! ```text
//! sₛ = q · kₛ     or q · kₛ / √n     or w · tanh(q + kₛ)       over 16 virtual lanes
//! αₛ = exp(sₛ − max s) / Σ exp(s − max s)                      the sum over 16 virtual lanes of slots
//! a  = Σ αₛ vₛ                                                 one chain a unit, slots in order
//! gₛ = da · vₛ     dsₛ = αₛ (gₛ − Σ α g)    (/ √n)
//! dq = Σ dsₛ kₛ    or Σ dsₛ (w (1 − t²)), t = tanh(q + kₛ)     one chain a unit, slots in order
//! dw = Σ dsₛ t
//! dkₛ += dsₛ q     or dsₛ (w (1 − t²))      dvₛ += αₛ da
//! ```
//!
//! (Luong et al. 2015, arXiv:1508.04025; Vaswani et al. 2017, arXiv:1706.03762; Bahdanau et al. 2015, arXiv:1409.0473.)

use super::reduce::{Largest, Sum, fold};
use super::{Attend, Input};
use crate::code::{LANES, Unary};
use crate::simd::Lanes;

const EXP: u8 = Unary::Exp as u8;
const TANH: u8 = Unary::Tanh as u8;

/// Slots, or registers of units, side by side: enough chains to hide the latency of an addition.
const ABREAST: usize = 4;

/// The first n lanes at p, or the whole register.
///
/// Safety: n elements at p are readable.
#[inline(always)]
unsafe fn load<S: Lanes>(s: S, p: *const S::Elem, n: usize) -> S::F {
    // Safety: the caller's promise.
    unsafe { if n == S::WIDTH { s.load(p) } else { s.load_part(p, n) } }
}

/// Safety: n elements at p are writable.
#[inline(always)]
unsafe fn store<S: Lanes>(s: S, p: *mut S::Elem, n: usize, v: S::F) {
    // Safety: the caller's promise.
    unsafe { if n == S::WIDTH { s.store(p, v) } else { s.store_part(p, n, v) } }
}

/// The first n lanes of `new`, the others of `old`.
#[inline(always)]
fn first<S: Lanes>(s: S, n: usize, new: S::F, old: S::F) -> S::F {
    let mut values = [std::mem::MaybeUninit::<S::Elem>::uninit(); LANES];
    let values = values.as_mut_ptr().cast::<S::Elem>();
    // Safety: the array holds a register.
    unsafe {
        s.store(values, old);
        s.store_part(values, n, new);
        s.load(values)
    }
}

/// Two vectors whose product is summed.
trait Pair<S: Lanes>: Copy {
    /// Units u .. u + n of both.
    ///
    /// Safety: they are readable.
    unsafe fn at(self, s: S, u: usize, n: usize) -> (S::F, S::F);
}

/// Two vectors as they lie.
struct Plain<T>(*const T, *const T);

/// A weight, and t = tanh(q + k), which is kept for gradients if `KEEP`: that is cheaper than a tanh.
struct Bent<T, const KEEP: bool> {
    weight: *const T,
    query: *const T,
    key: *const T,
    kept: *mut T,
}

impl<T> Clone for Plain<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Plain<T> {}
impl<T, const KEEP: bool> Clone for Bent<T, KEEP> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, const KEEP: bool> Copy for Bent<T, KEEP> {}

impl<S: Lanes> Pair<S> for Plain<S::Elem> {
    #[inline(always)]
    unsafe fn at(self, s: S, u: usize, n: usize) -> (S::F, S::F) {
        // Safety: the caller's promise.
        unsafe { (load(s, self.0.add(u), n), load(s, self.1.add(u), n)) }
    }
}

impl<S: Lanes, const KEEP: bool> Pair<S> for Bent<S::Elem, KEEP> {
    #[inline(always)]
    unsafe fn at(self, s: S, u: usize, n: usize) -> (S::F, S::F) {
        // Safety: the caller's promise; there is room for what is kept.
        unsafe {
            let t = s.unary::<TANH>(s.add(load(s, self.query.add(u), n), load(s, self.key.add(u), n)));
            if KEEP {
                store(s, self.kept.add(u), n, t);
            }
            (load(s, self.weight.add(u), n), t)
        }
    }
}

impl<T> Bent<T, true> {
    /// Units u .. u + n of t, and the derivative of the score by those of q or k.
    ///
    /// Safety: they are readable, and t was kept.
    #[inline(always)]
    unsafe fn slope<S: Lanes<Elem = T>>(self, s: S, u: usize, n: usize) -> (S::F, S::F) {
        // Safety: the caller's promise.
        let (w, t) = unsafe { (load(s, self.weight.add(u), n), load(s, self.kept.add(u), n)) };
        (t, s.mul(w, s.fnma(t, t, s.splat64(1.0))))
    }
}

/// N sums of products, each over 16 virtual lanes.
///
/// Safety: `units` units of each pair are readable, N numbers at `out` writable.
#[inline(always)]
unsafe fn products<S: Lanes, P: Pair<S>, const N: usize>(s: S, units: usize, pairs: [P; N], out: *mut S::Elem) {
    let registers = LANES / S::WIDTH;
    let mut lanes = [[s.splat64(0.0); LANES]; N];
    let full = units - units % LANES;
    for u in (0..full).step_by(LANES) {
        for r in 0..registers {
            for (lanes, pair) in lanes.iter_mut().zip(pairs) {
                // Safety: u + 16 ≤ units.
                let (a, b) = unsafe { pair.at(s, u + r * S::WIDTH, S::WIDTH) };
                lanes[r] = s.fma(a, b, lanes[r]);
            }
        }
    }
    for r in 0..registers {
        let at = full + r * S::WIDTH;
        if at < units {
            let n = (units - at).min(S::WIDTH);
            for (lanes, pair) in lanes.iter_mut().zip(pairs) {
                // Safety: the units that are left.
                let (a, b) = unsafe { pair.at(s, at, n) };
                let sum = s.fma(a, b, lanes[r]);
                lanes[r] = if n == S::WIDTH { sum } else { first(s, n, sum, lanes[r]) };
            }
        }
    }
    for (i, lanes) in lanes.iter().enumerate() {
        // Safety: the caller's promise.
        unsafe { tree(s, &lanes[..registers], out.add(i)) };
    }
}

/// Adds lanes l and l + 8, l + 4, l + 2, l + 1, and stores what is left.
///
/// Safety: `out` is writable.
#[inline(always)]
unsafe fn tree<S: Lanes>(s: S, lanes: &[S::F], out: *mut S::Elem) {
    let mut values = [std::mem::MaybeUninit::<S::Elem>::uninit(); LANES];
    let values = values.as_mut_ptr().cast::<S::Elem>();
    // Safety: the array holds 16 elements, all of them stored first.
    unsafe {
        for (r, &lane) in lanes.iter().enumerate() {
            s.store(values.add(r * S::WIDTH), lane);
        }
        for half in [8, 4, 2, 1] {
            let n = S::WIDTH.min(half);
            for l in (0..half).step_by(n) {
                let sum = s.add(load(s, values.add(l), n), load(s, values.add(l + half), n));
                store(s, values.add(l), n, sum);
            }
        }
        store(s, out, 1.min(S::WIDTH), load(s, values, 1.min(S::WIDTH)));
    }
}

/// out(slot) = Σ over units of the pair of each slot.
///
/// Safety: as [`products`], for all slots.
#[inline(always)]
unsafe fn each_slot<S: Lanes, P: Pair<S>>(
    s: S,
    units: usize,
    slots: usize,
    pair: impl Fn(usize) -> P,
    out: *mut S::Elem,
) {
    let mut slot = 0;
    // Narrow registers have lanes enough to be chains of their own.
    while S::WIDTH > 1 && slot + ABREAST <= slots {
        let pairs: [P; ABREAST] = [pair(slot), pair(slot + 1), pair(slot + 2), pair(slot + 3)];
        // Safety: the caller's promise, for these slots.
        unsafe { products(s, units, pairs, out.add(slot)) };
        slot += ABREAST;
    }
    for slot in slot..slots {
        // Safety: the caller's promise, for this slot.
        unsafe { products(s, units, [pair(slot)], out.add(slot)) };
    }
}

/// Registers of 0 .. units, the last one in part: calls `f` with the first unit and the number of units of each.
#[inline(always)]
fn registers<S: Lanes>(units: usize, mut f: impl FnMut(usize, usize)) {
    for u in (0..units).step_by(S::WIDTH) {
        f(u, S::WIDTH.min(units - u));
    }
}

/// out(u) = Σ over slots of shares(slot) · rows(slot, u), slots in order.
///
/// Safety: all of it is readable, and the result writable.
#[inline(always)]
unsafe fn weighted<S: Lanes>(
    s: S,
    shares: *const S::Elem,
    slots: usize,
    (rows, row): (*const S::Elem, usize),
    units: usize,
    out: *mut S::Elem,
) {
    let mut u = 0;
    while u + ABREAST * S::WIDTH <= units {
        let mut sums = [s.splat64(0.0); ABREAST];
        for slot in 0..slots {
            // Safety: the caller's promise.
            let share = s.splat(unsafe { *shares.add(slot) });
            for (i, sum) in sums.iter_mut().enumerate() {
                // Safety: the caller's promise.
                *sum = s.fma(share, unsafe { s.load(rows.add(slot * row + u + i * S::WIDTH)) }, *sum);
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            // Safety: the caller's promise.
            unsafe { s.store(out.add(u + i * S::WIDTH), sum) };
        }
        u += ABREAST * S::WIDTH;
    }
    while u < units {
        let n = S::WIDTH.min(units - u);
        let mut sum = s.splat64(0.0);
        for slot in 0..slots {
            // Safety: the caller's promise.
            unsafe { sum = s.fma(s.splat(*shares.add(slot)), load(s, rows.add(slot * row + u), n), sum) };
        }
        // Safety: the caller's promise.
        unsafe { store(s, out.add(u), n, sum) };
        u += n;
    }
}

impl<T> Attend<T> {
    fn additive(&self) -> bool {
        !self.weight.is_null()
    }

    fn key(&self, slot: usize) -> *const T {
        self.keys.wrapping_add(slot * self.key_row)
    }

    fn bent<const KEEP: bool>(&self, slot: usize) -> Bent<T, KEEP> {
        let kept = self.bent.wrapping_add(slot * self.bent_row);
        Bent { weight: self.weight, query: self.query, key: self.key(slot), kept }
    }

    /// Second half of the room.
    fn far(&self) -> *mut T {
        self.room.wrapping_add(self.room_row)
    }

    fn far_end(&self) -> *mut T {
        self.far().wrapping_add(self.room_row)
    }
}

/// The shares α, at the beginning of the room; what gradients need is kept if `KEEP`.
///
/// Safety: as [`super::AttendTo`].
#[inline(always)]
unsafe fn shares<S: Lanes, const KEEP: bool>(s: S, a: &Attend<S::Elem>) {
    let (room, last) = (a.room, a.far_end());
    let row = || Input { at: a.room.cast_const(), row: 0 };
    // Safety: the caller's promise; the room holds a number a slot twice, and 16 more.
    unsafe {
        if a.additive() {
            each_slot(s, a.units, a.slots, |slot| a.bent::<KEEP>(slot), room);
        } else {
            each_slot(s, a.units, a.slots, |slot| Plain(a.query, a.key(slot)), room);
        }
        if let Some(scale) = a.scale {
            let scale = s.splat64(scale);
            registers::<S>(a.slots, |u, n| store(s, room.add(u), n, s.div(load(s, room.add(u), n), scale)));
        }
        fold::<S, Largest>(s, 1, a.slots, row(), last, 0);
        let largest = s.splat(*last);
        registers::<S>(a.slots, |u, n| {
            store(s, room.add(u), n, s.unary::<EXP>(s.sub(load(s, room.add(u), n), largest)));
        });
        fold::<S, Sum>(s, 1, a.slots, row(), last, 0);
        let sum = s.splat(*last);
        registers::<S>(a.slots, |u, n| store(s, room.add(u), n, s.div(load(s, room.add(u), n), sum)));
    }
}

/// The shares at the beginning of the room, and the gradients by the scores in its second half.
///
/// Safety: as [`super::AttendTo`].
#[inline(always)]
unsafe fn through_shares<S: Lanes>(s: S, a: &Attend<S::Elem>, gradient: *const S::Elem) {
    let (room, far, last) = (a.room, a.far(), a.far_end());
    // Safety: the caller's promise.
    unsafe {
        shares::<S, true>(s, a);
        each_slot(s, a.value_units, a.slots, |slot| Plain(gradient, a.values.add(slot * a.value_row)), far);
        products(s, a.slots, [Plain(room.cast_const(), far.cast_const())], last);
        let mean = s.splat(*last);
        registers::<S>(a.slots, |u, n| {
            let ds = s.mul(load(s, room.add(u), n), s.sub(load(s, far.add(u), n), mean));
            store(s, far.add(u), n, a.scale.map_or(ds, |scale| s.div(ds, s.splat64(scale))));
        });
    }
}

/// Safety: as [`super::AttendTo`].
#[inline(always)]
pub(super) unsafe fn attend<S: Lanes>(s: S, a: &Attend<S::Elem>, out: *mut S::Elem) {
    // Safety: the caller's promise.
    unsafe {
        shares::<S, false>(s, a);
        weighted(s, a.room, a.slots, (a.values, a.value_row), a.value_units, out);
    }
}

/// Safety: as [`super::AttendGradient`].
#[inline(always)]
pub(super) unsafe fn attend_gradient<S: Lanes>(s: S, a: &Attend<S::Elem>, gradient: *const S::Elem, out: *mut S::Elem) {
    // Safety: the caller's promise.
    unsafe {
        through_shares(s, a, gradient);
        if !a.additive() {
            return weighted(s, a.far(), a.slots, (a.keys, a.key_row), a.units, out);
        }
        registers::<S>(a.units, |u, n| {
            let (mut dq, mut dw) = (s.splat64(0.0), s.splat64(0.0));
            for slot in 0..a.slots {
                let ds = s.splat(*a.far().add(slot));
                let (t, slope) = a.bent(slot).slope(s, u, n);
                dq = s.fma(ds, slope, dq);
                dw = s.fma(ds, t, dw);
            }
            store(s, out.add(u), n, dq);
            store(s, out.add(a.units + u), n, dw);
        });
    }
}

/// Safety: as [`super::AttendMemory`].
#[inline(always)]
pub(super) unsafe fn attend_memory<S: Lanes>(
    s: S,
    a: &Attend<S::Elem>,
    gradient: *const S::Elem,
    d_keys: *mut S::Elem,
    d_values: *mut S::Elem,
) {
    // Safety: the caller's promise.
    unsafe {
        through_shares(s, a, gradient);
        for slot in 0..a.slots {
            let (ds, to) = (s.splat(*a.far().add(slot)), d_keys.add(slot * a.key_row));
            registers::<S>(a.units, |u, n| {
                let by = if a.additive() { a.bent(slot).slope(s, u, n).1 } else { load(s, a.query.add(u), n) };
                store(s, to.add(u), n, s.fma(ds, by, load(s, to.add(u), n)));
            });
        }
        for slot in 0..a.slots {
            let (share, to) = (s.splat(*a.room.add(slot)), d_values.add(slot * a.value_row));
            registers::<S>(a.value_units, |u, n| {
                store(s, to.add(u), n, s.fma(share, load(s, gradient.add(u), n), load(s, to.add(u), n)));
            });
        }
    }
}
