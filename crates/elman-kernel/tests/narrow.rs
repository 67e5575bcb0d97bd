//! Products with narrow weights against a plain reference, bit for bit: odd sizes, every instruction set, 1 and 2 threads.

use elman_kernel::code::*;
use elman_kernel::{Isa, Machine, MatrixShape, PackError, PackedMatrix, Precision, Team, View};
use std::ops::Range;

/// Numbers of every size that matters.
struct Random {
    state: u64,
    /// Exponents of 2: the least, and how many.
    exponents: (i32, u64),
}

impl Random {
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn numbers(&mut self, n: usize) -> Vec<f32> {
        let (least, many) = self.exponents;
        let mut one = || {
            let bits = self.bits();
            let exponent = least + (bits >> 40) as i32 % many as i32;
            let sign = if bits & 1 == 1 { -1.0 } else { 1.0 };
            match bits >> 1 & 31 {
                0 => 0f32.copysign(sign as f32),
                _ => (sign * (1.0 + (bits >> 6 & 0x7f_ffff) as f64 / 8_388_608.0) * 2f64.powi(exponent)) as f32,
            }
        };
        (0..n).map(|_| one()).collect()
    }
}

/// The nearest bf16, in f64: 8 bits of mantissa, ties to even; zero below the smallest normal number.
fn bf16(x: f32) -> f32 {
    if !x.is_normal() {
        return if x.is_finite() { 0f32.copysign(x) } else { x };
    }
    let bits = u64::from(x.to_bits());
    f32::from_bits(((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000) as u32)
}

/// a · b + c, flushed as `vdpbf16ps` does: the sum rounded at 2⁶⁴ times its size, where no number is below the normal ones.
fn fma(a: f32, b: f32, c: f32) -> f32 {
    let plain = a.mul_add(b, c);
    if plain.abs() > 2.0 * f32::MIN_POSITIVE {
        return plain;
    }
    let far = 18_446_744_073_709_551_616f64;
    let scaled = (f64::from(a) * far * f64::from(b) + f64::from(c) * far) as f32;
    if f64::from(scaled.abs()) < f64::from(f32::MIN_POSITIVE) * far { 0f32.copysign(plain) } else { plain }
}

/// One segment of one row by one unit, from `before`.
fn dot(precision: Precision, x: &[f32], w: &[f32], before: f32) -> f32 {
    match precision {
        Precision::Full => x.iter().zip(w).fold(before, |sum, (x, w)| x.mul_add(*w, sum)),
        Precision::Bf16 => {
            let start = if before.is_subnormal() { 0f32.copysign(before) } else { before };
            let sum = x.iter().zip(w).fold(start, |sum, (x, w)| fma(bf16(*x), bf16(*w), sum));
            if x.len() % 2 == 1 { fma(0.0, 0.0, sum) } else { sum }
        }
        Precision::Int8 => {
            let largest = |v: &[f32]| v.iter().fold(0f32, |m, x| if x.is_finite() { m.max(x.abs()) } else { f32::NAN });
            let all_finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
            let quantised = |v: &[f32]| {
                let most = if all_finite(v) { largest(v) } else { f32::NAN };
                let small = most < 2f32.powi(-100);
                let inverse = if small || most.is_nan() { 0.0 } else { 127.0 / most };
                let whole = v.iter().map(|x| (x * inverse).round_ties_even() as i64).collect::<Vec<_>>();
                (if small { 0.0 } else { most / 127.0 }, whole)
            };
            let ((s, p), (t, q)) = (quantised(w), quantised(x));
            let sum: i64 = p.iter().zip(&q).map(|(p, q)| p * q).sum();
            (sum as f32).mul_add(s * t, before)
        }
    }
}

#[derive(Debug)]
struct Case {
    rows: usize,
    units: usize,
    members: usize,
    segments: Vec<usize>,
    /// How many of them a matrix of their own has, which comes first.
    first: usize,
    precision: Precision,
    /// Of the exponents of the numbers.
    exponents: (i32, u64),
}

impl Case {
    /// A product and a block that doubles its results, over rows of a batch, or of tokens in bulk.
    fn check(&self, steps: bool) {
        let Case { rows, units, members, segments, first, precision, exponents } = self;
        let mut random = Random { state: (rows * 131 + units * 17 + members) as u64, exponents: *exponents };
        let inner: usize = segments.iter().sum();
        let kind = if steps { Rows::Batch } else { Rows::Token };
        let weights = random.numbers(members * units * inner);
        let constants = random.numbers(units + 3);
        let stride = inner + 1;
        let outs = rows * stride;
        let mut memory = random.numbers(outs + rows * members * units);
        let view = |m: usize, s: usize| {
            let before: usize = segments[..s].iter().sum();
            View { data: &weights, offset: m * units * inner + before, unit_stride: inner, k_stride: 1 }
        };
        let parts: Vec<_> = [0..*first, *first..segments.len()].into_iter().filter(|part| !part.is_empty()).collect();
        let views = |part: &Range<usize>| -> Vec<_> {
            (0..*members).flat_map(|m| part.clone().map(move |s| view(m, s))).collect()
        };
        let place = |offset, rows, stride| Place { offset, rows, stride };
        let out = |m: usize| place(outs + m * units, kind, members * units);
        let member = |m: usize| {
            let init = [Some(place(2, Rows::Fixed, 0)), None, Some(out(m))][m % 3];
            Member { init, out: out(m) }
        };
        let operand = |s: usize| place(segments[..s].iter().sum(), kind, stride);
        let product = Product {
            before: (*first > 0).then(|| Factor { matrix: 0, segments: (0..*first).map(operand).collect() }),
            matrix: parts.len() - 1,
            segments: (*first..segments.len()).map(operand).collect(),
            members: (0..*members).map(member).collect(),
        };
        let double = |m: usize| {
            let value = Operand::Units(out(m));
            Instr::Binary { op: Binary::Add, a: value, b: value, out: out(m), units: *units }
        };
        let block = if steps { (0..*members).map(double).collect() } else { vec![] };
        let stage = Stage { products: vec![product], block, units: *units, whole_rows: false };
        let phase = match steps {
            true => Phase::Steps { order: Order::Ascending, stages: vec![stage], independent: false },
            false => Phase::Bulk(vec![stage]),
        };
        let wanted = self.reference(&weights, &constants, &memory, outs, if steps { 2.0 } else { 1.0 });
        let shape = |part: &Range<usize>| MatrixShape {
            members: *members,
            units: *units,
            segments: segments[part.clone()].to_vec(),
        };
        for isa in Isa::available() {
            let pack = |part| PackedMatrix::pack_in(isa, *precision, &shape(part), &views(part)).unwrap();
            let packed: Vec<_> = parts.iter().map(pack).collect();
            let shapes = parts.iter().map(shape).collect();
            let mut machine = Machine::new(isa, vec![phase.clone()], memory.len(), constants.len(), shapes).unwrap();
            for (threads, split) in [(1, Split::Rows), (2, Split::Rows), (2, Split::Units)] {
                let team = Team::sharing_all(threads).unwrap();
                let before = memory.clone();
                machine.run(&Timeline::equal(1, *rows), &constants, &packed, &mut memory, &team, split).unwrap();
                for (i, (got, want)) in memory[outs..].iter().zip(&wanted).enumerate() {
                    let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                    assert!(same, "{isa} {threads} {split:?} {self:?} element {i}: {got:e} for {want:e}");
                }
                memory = before;
            }
        }
    }

    fn reference(&self, weights: &[f32], constants: &[f32], memory: &[f32], outs: usize, factor: f32) -> Vec<f32> {
        let Case { rows, units, members, segments, precision, .. } = self;
        let inner: usize = segments.iter().sum();
        let mut wanted = vec![];
        for row in 0..*rows {
            for m in 0..*members {
                for unit in 0..*units {
                    let at = row * members * units + m * units + unit;
                    let mut value = [constants[2 + unit], 0.0, memory[outs + at]][m % 3];
                    let mut from = 0;
                    for k in segments {
                        let x = &memory[row * (inner + 1) + from..][..*k];
                        let w = &weights[(m * units + unit) * inner + from..][..*k];
                        value = dot(*precision, x, w, value);
                        from += k;
                    }
                    wanted.push(value * factor);
                }
            }
        }
        wanted
    }
}

/// From numbers a third of whose products vanish to those that overflow.
const EXPONENTS: [(i32, u64); 4] = [(-3, 5), (-66, 8), (-130, 30), (56, 20)];

#[test]
fn every_shape_in_both_precisions() {
    for precision in [Precision::Bf16, Precision::Int8] {
        let mut count = 0usize;
        for rows in [1, 2, 3, 4, 5, 6, 7, 13, 40] {
            for units in [1usize, 17, 37, 70, 130] {
                for k in [1, 2, 3, 5, 31, 64] {
                    count += 1;
                    let segments = [vec![k], vec![k, 3], vec![1, k, 2]][count % 3].clone();
                    let first = count / 3 % segments.len();
                    let (exponents, members) = (EXPONENTS[count % 4], 1 + count % 4);
                    // Miri interprets: many rows of few units and few of many have the same code.
                    let lanes = units.next_multiple_of(LANES);
                    if cfg!(miri) && rows * lanes * members * segments.iter().sum::<usize>() > 3000 {
                        continue;
                    }
                    let case = Case { rows, units, members, segments, first, precision, exponents };
                    case.check(count.is_multiple_of(2));
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore)]
fn a_long_segment_of_the_largest_numbers_does_not_overflow() {
    for k in [70_001, 131_072] {
        let (weights, x) = (vec![1f32; k], vec![-1f32; k]);
        let shape = MatrixShape { members: 1, units: 1, segments: vec![k] };
        let view = View { data: &weights, offset: 0, unit_stride: k, k_stride: 1 };
        for isa in Isa::available() {
            let packed = PackedMatrix::pack_in(isa, Precision::Int8, &shape, &[view]).unwrap();
            let place = |offset, stride| Place { offset, rows: Rows::Token, stride };
            let product = Product {
                before: None,
                matrix: 0,
                segments: vec![place(0, k)],
                members: vec![Member { init: None, out: place(k, 1) }],
            };
            let stage = Stage { products: vec![product], block: vec![], units: 1, whole_rows: false };
            let mut machine = Machine::new(isa, vec![Phase::Bulk(vec![stage])], k + 1, 0, vec![shape.clone()]).unwrap();
            let mut memory = x.clone();
            memory.push(0.0);
            let team = Team::new(1).unwrap();
            machine.run(&Timeline::equal(1, 1), &[], &[packed], &mut memory, &team, Split::Rows).unwrap();
            let step = 1f32 / 127.0;
            assert_eq!(memory[k], (-16_129.0 * k as f64) as f32 * (step * step), "{isa} {k}");
        }
    }
}

#[test]
fn infinities_and_nan_are_not_silent() {
    for precision in [Precision::Bf16, Precision::Int8] {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for isa in Isa::available() {
                let (weights, k) = (vec![0.5f32; 5], 5);
                let shape = MatrixShape { members: 1, units: 1, segments: vec![k] };
                let view = View { data: &weights, offset: 0, unit_stride: k, k_stride: 1 };
                let packed = PackedMatrix::pack_in(isa, precision, &shape, &[view]).unwrap();
                let place = |offset, stride| Place { offset, rows: Rows::Token, stride };
                let members = vec![Member { init: None, out: place(2 * k, 1) }];
                let product = Product { before: None, matrix: 0, segments: vec![place(0, k)], members };
                let stage = Stage { products: vec![product], block: vec![], units: 1, whole_rows: false };
                let phases = vec![Phase::Bulk(vec![stage])];
                let mut machine = Machine::new(isa, phases, 2 * k + 2, 0, vec![shape.clone()]).unwrap();
                let mut memory = vec![1f32; 2 * k + 2];
                memory[3] = bad;
                let team = Team::new(1).unwrap();
                machine.run(&Timeline::equal(2, 1), &[], &[packed], &mut memory, &team, Split::Rows).unwrap();
                assert!(!memory[2 * k].is_finite(), "{isa} {precision:?} {bad}: {}", memory[2 * k]);
                assert!((memory[2 * k + 1] - 2.5).abs() < 1e-5, "{isa} {precision:?}: another row");
            }
        }
    }
}

#[test]
fn what_cannot_be_narrow_is_refused() {
    let weights = vec![0f64; 4];
    let shape = MatrixShape { members: 1, units: 1, segments: vec![4] };
    let view = View { data: &weights, offset: 0, unit_stride: 4, k_stride: 1 };
    let isa = Isa::detect();
    let refused = |e: Result<_, PackError>| matches!(e, Err(PackError::Precision(..)));
    assert!(refused(PackedMatrix::pack_in(isa, Precision::Bf16, &shape, &[view]).map(drop)));
    let long = MatrixShape { members: 1, units: 1, segments: vec![131_073] };
    assert!(refused(PackedMatrix::<f32>::zero_in(isa, Precision::Int8, &long).map(drop)));
    assert!(PackedMatrix::<f32>::zero_in(isa, Precision::Bf16, &long).is_ok());
}
