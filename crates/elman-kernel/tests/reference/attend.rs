//! What attention means, number by number.

use super::{Random, Reference};
use elman_kernel::Real;
use elman_kernel::code::*;

/// What an attention reads at a step of a sequence.
struct Seen<T> {
    query: Vec<T>,
    weight: Option<Vec<T>>,
    keys: Vec<Vec<T>>,
    values: Vec<Vec<T>>,
    scale: Option<T>,
}

fn mul<T: Real>(a: T, b: T) -> T {
    T::binary(Binary::Mul, a, b)
}

/// 16 lanes of fused multiply-adds, then a tree.
fn product<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; 16];
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        lanes[i % 16] = a.mul_add(*b, lanes[i % 16]);
    }
    tree(lanes)
}

fn sum<T: Real>(a: &[T]) -> T {
    let mut lanes = [T::ZERO; 16];
    for (i, a) in a.iter().enumerate() {
        lanes[i % 16] = T::binary(Binary::Add, lanes[i % 16], *a);
    }
    tree(lanes)
}

fn tree<T: Real>(mut lanes: [T; 16]) -> T {
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            lanes[l] = T::binary(Binary::Add, lanes[l], lanes[l + half]);
        }
    }
    lanes[0]
}

impl<T: Real> Seen<T> {
    /// tanh(q + k)
    fn bent(&self, key: &[T]) -> Vec<T> {
        let sum = |(q, k): (&T, &T)| T::unary(Unary::Tanh, T::binary(Binary::Add, *q, *k));
        self.query.iter().zip(key).map(sum).collect()
    }

    fn divided(&self, x: T) -> T {
        self.scale.map_or(x, |s| T::binary(Binary::Div, x, s))
    }

    fn shares(&self) -> Vec<T> {
        let score = |k: &Vec<T>| match &self.weight {
            Some(w) => product(w, &self.bent(k)),
            None => self.divided(product(&self.query, k)),
        };
        let scores: Vec<T> = self.keys.iter().map(score).collect();
        let most = scores.iter().fold(T::from_f64(f64::NEG_INFINITY), |m, &s| if s > m { s } else { m });
        let powers: Vec<T> = scores.iter().map(|s| T::unary(Unary::Exp, T::binary(Binary::Sub, *s, most))).collect();
        let sum = sum(&powers);
        powers.iter().map(|e| T::binary(Binary::Div, *e, sum)).collect()
    }

    fn by_scores(&self, gradient: &[T]) -> (Vec<T>, Vec<T>) {
        let shares = self.shares();
        let g: Vec<T> = self.values.iter().map(|v| product(gradient, v)).collect();
        let mean = product(&shares, &g);
        let ds = |(a, g): (&T, &T)| self.divided(mul(*a, T::binary(Binary::Sub, *g, mean)));
        (shares.iter().zip(&g).map(ds).collect(), shares)
    }

    /// w (1 − t²)
    fn slope(&self, key: &[T], weight: &[T]) -> Vec<T> {
        let one = |(t, w): (&T, &T)| mul(*w, T::unary(Unary::Neg, *t).mul_add(*t, T::ONE));
        self.bent(key).iter().zip(weight).map(one).collect()
    }
}

/// to ← to + x · v
fn add<T: Real>(to: &mut [T], x: T, v: &[T]) {
    to.iter_mut().zip(v).for_each(|(to, v)| *to = x.mul_add(*v, *to));
}

impl<T: Real> Reference<'_, T> {
    fn seen(&self, a: &Attend, t: usize, b: usize) -> Seen<T> {
        let vector = |p: &Place, units: usize| (0..units).map(|u| self.read(p, t, b, u)).collect::<Vec<T>>();
        let length = self.read(&a.lengths, t, b, 0).to_f64() as usize;
        let slots = |m: &Slots| {
            let slot = |s| Place { offset: m.place.offset + s * m.stride, ..m.place };
            (0..length.min(a.slots)).map(|s| vector(&slot(s), m.units)).collect::<Vec<_>>()
        };
        Seen {
            query: vector(&a.query, a.keys.units),
            weight: a.weight.as_ref().map(|w| vector(w, a.keys.units)),
            keys: slots(&a.keys),
            values: slots(&a.values),
            scale: (a.score == Score::Scaled).then(|| T::from_f64((a.keys.units as f64).sqrt())),
        }
    }

    pub fn attend(&mut self, a: &Attend, out: &Place, t: usize, b: usize) {
        let seen = self.seen(a, t, b);
        let mut sum = vec![T::ZERO; a.values.units];
        for (share, value) in seen.shares().iter().zip(&seen.values) {
            add(&mut sum, *share, value);
        }
        sum.into_iter().enumerate().for_each(|(u, x)| self.write(out, t, b, u, x));
    }

    pub fn attend_gradient(&mut self, a: &Attend, gradient: &Place, out: &Place, t: usize, b: usize) {
        let seen = self.seen(a, t, b);
        let gradient: Vec<T> = (0..a.values.units).map(|u| self.read(gradient, t, b, u)).collect();
        let (ds, _) = seen.by_scores(&gradient);
        let (mut dq, mut dw) = (vec![T::ZERO; a.keys.units], vec![]);
        match &seen.weight {
            None => ds.iter().zip(&seen.keys).for_each(|(ds, k)| add(&mut dq, *ds, k)),
            Some(w) => {
                dw = vec![T::ZERO; a.keys.units];
                for (ds, k) in ds.iter().zip(&seen.keys) {
                    add(&mut dq, *ds, &seen.slope(k, w));
                    add(&mut dw, *ds, &seen.bent(k));
                }
            }
        }
        dq.into_iter().chain(dw).enumerate().for_each(|(u, x)| self.write(out, t, b, u, x));
    }

    /// Sequence by sequence, steps in order.
    pub fn memories(&mut self, a: &Attend, gradient: &Place, d_keys: &Place, d_values: &Place) {
        for (t, b) in self.tokens() {
            let seen = self.seen(a, t, b);
            let gradient: Vec<T> = (0..a.values.units).map(|u| self.read(gradient, t, b, u)).collect();
            let (ds, shares) = seen.by_scores(&gradient);
            for (s, (ds, key)) in ds.iter().zip(&seen.keys).enumerate() {
                let at = d_keys.offset + b * d_keys.stride + s * a.keys.stride;
                let by = seen.weight.as_ref().map_or(seen.query.clone(), |w| seen.slope(key, w));
                add(&mut self.memory[at..at + a.keys.units], *ds, &by);
            }
            for (s, share) in shares.iter().enumerate() {
                let at = d_values.offset + b * d_values.stride + s * a.values.stride;
                add(&mut self.memory[at..at + a.values.units], *share, &gradient);
            }
        }
    }
}

/// Numbers of slots of sequences: one of each from 1 on, in no order.
pub fn lengths<T: Real>(memory: &mut [T], lengths: &Place, batch: usize, slots: usize, random: &mut Random) {
    for b in 0..batch {
        memory[lengths.offset + b * lengths.stride] = T::from_f64((1 + random.below(slots)) as f64);
    }
}
