//! The plain words against the instructions: millions of patterns, and the layout of AVX-512 on kernels for AVX2.

use super::*;
use crate::isa::Isa;
use crate::kernels::narrow::portable::{Fours, Pairs};
use crate::narrow::{INT8_HEAD, Precision, to_bf16};
use crate::simd::scalar::One;
use crate::simd::several::Several;

struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// A pair of bf16 that is zero or normal, each with an exponent of `range`.
fn pair_of(random: &mut Random, range: std::ops::Range<u32>) -> u32 {
    let bits = random.bits();
    let half = |bits: u64| {
        let exponent = range.start + (bits >> 16) as u32 % range.len() as u32;
        let half = bits as u32 & 0x807f | exponent << 7;
        if exponent == 0 { half & 0x8000 } else { half }
    };
    half(bits) << 16 | half(bits >> 32)
}

/// A pair of the operand with 16 pairs of weights, added to numbers.
///
/// Safety: the CPU has what `d` needs.
unsafe fn run<D: Dots<Head = ()>>(d: D, pair: u32, weights: &[u32; 16], first: &[f32; 16]) -> [u32; 16] {
    let numbers = [pair & !0xffff, pair << 16];
    let operand = if D::GROUP == 1 { &raw const pair } else { numbers.as_ptr() };
    let groups = Groups { count: 1, operands: [operand], panels: [weights.as_ptr()], width: 0 };
    let mut out = [0f32; 16];
    // Safety: all memory is that of arrays of 16, and of a group.
    unsafe {
        let s = d.lanes();
        let [[[sum]]] = d.chain([[[d.start(s.load(first.as_ptr()))]]], groups);
        s.store(out.as_mut_ptr(), d.finish(sum, s.splat(0.0), (), 0.0));
    }
    out.map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() })
}

/// What plain Rust gives, and every instruction set there is.
fn sums(operand: u32, weights: &[u32; 16], first: &[f32; 16]) -> [u32; 16] {
    // Safety: each is run only where the CPU has it.
    unsafe {
        let wanted = run(Pairs(Several::<_, 16>(One)), operand, weights, first);
        #[cfg(target_arch = "x86_64")]
        {
            let said = || format!("{operand:x} {weights:x?} {first:?}");
            if Isa::Avx2.is_available() {
                assert_eq!(run(x86::Flagged::new(), operand, weights, first), wanted, "AVX2: {}", said());
            }
            if std::arch::is_x86_feature_detected!("avx512bf16") {
                assert_eq!(run(x86::Bf16::new(), operand, weights, first), wanted, "bf16: {}", said());
            }
        }
        wanted
    }
}

/// Adds random pairs with every instruction set.
fn compare(random: &mut Random, count: usize, x: std::ops::Range<u32>, w: std::ops::Range<u32>, before: [u32; 2]) {
    for _ in 0..count {
        let operand = pair_of(random, x.clone());
        let weights: [u32; 16] = std::array::from_fn(|_| pair_of(random, w.clone()));
        let first: [f32; 16] = std::array::from_fn(|_| {
            let bits = random.bits();
            f32::from_bits(bits as u32 & 0x807f_ffff | (before[0] + (bits >> 32) as u32 % before[1]) << 23)
        });
        sums(operand, &weights, &first);
    }
}

#[test]
fn pairs_are_what_the_instruction_gives() {
    let mut random = Random(1);
    let count = if cfg!(miri) { 3 } else { 40_000 };
    // All exponents; ordinary ones; sums about the smallest normal number.
    compare(&mut random, count, 0..256, 0..256, [0, 256]);
    compare(&mut random, count, 120..130, 120..130, [118, 14]);
    compare(&mut random, count, 40..44, 60..88, [0, 8]);
    compare(&mut random, count, 60..64, 60..66, [0, 4]);
}

#[test]
fn a_sum_that_is_small_until_it_is_rounded_counts_as_zero() {
    // 2⁻¹²⁶ − 1.5 · 2⁻¹⁵¹: 2⁻¹²⁶ to the bits of numbers below the normal ones, less than that to 24 bits.
    let (x, w) = (to_bf16(-1.5 * 2f32.powi(-75)), to_bf16(2f32.powi(-76)));
    let [x, w] = [x, w].map(|half| u32::from(half) << 16);
    assert_eq!(sums(x, &[w; 16], &[f32::MIN_POSITIVE; 16]), [0; 16]);
    assert_eq!(sums(0, &[w; 16], &[f32::MIN_POSITIVE; 16]), [f32::MIN_POSITIVE.to_bits(); 16]);
}

#[test]
fn rounding_to_bf16_is_what_the_instruction_gives() {
    let mut random = Random(2);
    let numbers: Vec<f32> = (0..100_000).map(|_| f32::from_bits(random.bits() as u32)).collect();
    for x in numbers.iter().chain(&[0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NAN, 1e-45]) {
        let back = f32::from_bits(u32::from(to_bf16(*x)) << 16);
        let near = (back - x).abs() <= x.abs() / 256.0 || x.abs() < f32::MIN_POSITIVE && back == 0.0;
        assert!(near || back.is_nan() && x.is_nan() || x.abs() > 3.38e38, "{x:e} {back:e}");
    }
    let k = numbers.len();
    let converted = |narrow: &Narrow<f32>| {
        let length = narrow.row_length(k.div_ceil(2));
        let mut to = vec![0u32; length];
        // Safety: one row of k numbers, and room for it.
        unsafe { (narrow.convert)(1, k, numbers.as_ptr(), k, to.as_mut_ptr(), length) };
        let to = &to[ROW_HEAD..ROW_HEAD + k.div_ceil(2) * narrow.group];
        if narrow.group == 1 { to.to_vec() } else { to.chunks(2).map(|two| two[0] | two[1] >> 16).collect() }
    };
    let all = Isa::available().into_iter().filter_map(|isa| narrow(isa, Precision::Bf16));
    let rows: Vec<_> = all.map(converted).collect();
    assert!(rows.windows(2).all(|two| two[0] == two[1]));
}

/// Panels of up to four strips, as AVX-512 packs them, on the kernels that a CPU without pairs and fours has.
#[test]
#[cfg(target_arch = "x86_64")]
fn kernels_for_avx2_read_the_layout_of_avx512() {
    if !Isa::Avx2.is_available() {
        return;
    }
    let mut random = Random(3);
    // Ordinary numbers; in bf16 also such as have sums below the smallest normal number among larger ones.
    for (precision, exponents) in [(Precision::Bf16, 120..130), (Precision::Bf16, 60..67), (Precision::Int8, 0..0)] {
        let Some(fast) = narrow(Isa::Avx2, precision) else { continue };
        let k = 5;
        let head = if precision == Precision::Int8 { INT8_HEAD } else { 0 };
        for (rows, strips) in (1..=fast.rows).flat_map(|rows| (1..=4).map(move |strips| (rows, strips))) {
            let width = strips * LANES;
            let ordinary = |random: &mut Random| match precision {
                Precision::Bf16 => pair_of(random, exponents.clone()),
                _ => (random.bits() as u32) & 0x7f7f_7f7f,
            };
            let weight = |random: &mut Random| match precision {
                Precision::Bf16 => ordinary(random),
                _ => random.bits() as u32,
            };
            let mut packed: Vec<u32> = (0..(head + k) * width).map(|_| weight(&mut random)).collect();
            if head > 0 {
                packed[..width].fill(0.25f32.to_bits());
                // Operands below are not shifted.
                packed[width..2 * width].fill(0);
            }
            let length = fast.row_length(k);
            let mut operand: Vec<u32> = (0..rows * length).map(|_| ordinary(&mut random)).collect();
            if precision == Precision::Bf16 {
                operand.iter_mut().for_each(|number| *number &= !0xffff);
            }
            (0..rows).for_each(|row| operand[row * length] = 0.5f32.to_bits());
            let run = |kernel: Product<f32, u32>, strip: usize, count: usize, first: usize| {
                let mut out = vec![0f32; rows * width];
                let to = out.as_mut_ptr();
                let segment = [Segment { a: operand.as_ptr(), row: length, k }];
                let strip = |s: usize| Strip {
                    b: packed.as_ptr().wrapping_add((strip + s) * LANES),
                    then: std::ptr::null(),
                    init: std::ptr::null(),
                    init_row: 0,
                    out: to.wrapping_add((strip + s) * LANES),
                    out_row: width,
                    lanes: LANES,
                };
                let all: Vec<_> = (0..count).map(strip).collect();
                // Safety: packed weights, converted rows and results are as wide as the strips say.
                unsafe { kernel(&segment, &all, &Cut::new(width, first)) };
                out
            };
            let got = run((fast.product)(rows, 1, strips), 0, strips, 0);
            for (strip, row) in (0..strips).flat_map(|s| (0..rows).map(move |r| (s, r))) {
                let plain: Product<f32, u32> = match precision {
                    Precision::Bf16 => |s, t, cut| {
                        // Safety: the caller's promise.
                        unsafe { product::<_, 1, 1, 1>(Pairs(Several::<_, 16>(One)), s, t, cut) }
                    },
                    // Safety: the caller's promise.
                    _ => |s, t, cut| unsafe { product::<_, 1, 1, 1>(Fours, s, t, cut) },
                };
                let wanted = run(plain, strip, 1, row);
                let at = row * width + strip * LANES;
                assert_eq!(got[at..at + LANES], wanted[at..at + LANES], "{precision:?} {rows} {strips} {strip} {row}");
            }
        }
    }
}
