//! Weights in 16 and in 8 bits, for inference: what the numbers are, and what a product with them is.
//!
//! Inner indices go in *groups* of 32 bits: two of bf16, four of int8. A segment's last group is filled up with zeros. All
//! states, biases, sums and elementwise work stay f32. Each precision has one arithmetic, on every instruction set and
//! for every batch, tile and number of threads:
//!
//! - **bf16.** Weights and operands are rounded to nearest even. An element is one chain of fused multiply-adds in f32,
//!   from its initial value, over k in order: acc = fma(w[k], x[k], acc), as `vdpbf16ps` does it: numbers below the
//!   smallest normal one count as zero, in arguments and in what each addition gives.
//! - **int8.** A unit's weights of a segment are q[k] = round(w[k] / s), s = max |w| / 127; so is the segment of each row
//!   of the operand, with a scale of its own, found when the product runs. Products are summed as integers, which is
//!   exact in any order, and each segment in turn makes acc = fma(Σ q·p, s·t, acc), rounded to f32 at each operation.
//!   A row that holds an infinity or NaN gives NaN.
//!
//! So a chain may be paused between two segments, as in full precision. Does not train.

use crate::code::LANES;
use crate::pack::{MatrixShape, View};
use crate::real::Real;

/// How weights are kept, and the arithmetic of products with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// As they are.
    #[default]
    Full,
    /// 16 bits: the upper half of an f32.
    Bf16,
    /// 8 bits, with a scale for each unit and segment.
    Int8,
}

/// Most inner indices of a segment in int8: 127 · 127 times as many stay below 2³¹.
pub(crate) const LONGEST: usize = 1 << 17;

/// What is added to a quantised operand, so that it is never negative: `vpdpbusd` wants it so.
pub(crate) const SHIFT: i32 = 128;

/// Below this the largest of a row counts as zero: its reciprocal stays finite.
const SMALLEST: f32 = f32::from_bits(27 << 23);

/// 2³² and the smallest normal number times that.
pub(crate) const FAR: f32 = 4_294_967_296.0;
pub(crate) const FAR_SMALLEST: f32 = f32::MIN_POSITIVE * FAR;

/// 1.5 · 2²³: added to a small number, its last bit is 1, so that the sum is rounded to a whole number.
const WHOLE: f32 = 12_582_912.0;

impl Precision {
    /// Its name in options.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Full => "f32",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
        }
    }

    /// Groups of `k` inner indices.
    pub(crate) fn groups(self, k: usize) -> usize {
        match self {
            Precision::Full => k,
            Precision::Bf16 => k.div_ceil(2),
            Precision::Int8 => k.div_ceil(4),
        }
    }

    /// Rows of a packed panel that a segment takes: its groups, in int8 behind scales and starting values.
    pub(crate) fn rows(self, k: usize) -> usize {
        match self {
            Precision::Full | Precision::Bf16 => self.groups(k),
            Precision::Int8 => INT8_HEAD + self.groups(k),
        }
    }
}

/// Rows before the groups of a segment in int8: the scale of each column, then what its sum starts from, −128 · Σ q.
pub(crate) const INT8_HEAD: usize = 2;

/// The nearest bf16; even where two are as near; a zero of the same sign for a number below the smallest normal one.
#[inline(always)]
pub(crate) fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    let rounded = if bits & 0x7f80_0000 == 0 { bits >> 16 & 0x8000 } else { rounded };
    (if x.is_nan() { bits >> 16 | 0x40 } else { rounded }) as u16
}

/// A group of two: the first in the upper half, for the instruction takes that first.
#[inline(always)]
pub(crate) fn pair(first: f32, second: f32) -> u32 {
    u32::from(to_bf16(first)) << 16 | u32::from(to_bf16(second))
}

/// How a row becomes whole numbers, from the largest magnitude in it.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// What one whole number stands for: NaN where the row holds an infinity or NaN.
    pub step: f32,
    /// By what a number is multiplied before it is rounded.
    pub inverse: f32,
}

impl Scale {
    /// `largest`: the bits of the largest magnitude, which are in the order of the magnitudes, NaN above infinity.
    #[inline(always)]
    pub fn of(largest: u32) -> Scale {
        let largest = f32::from_bits(largest);
        if !largest.is_finite() {
            Scale { step: f32::NAN, inverse: 0.0 }
        } else if largest < SMALLEST {
            Scale { step: 0.0, inverse: 0.0 }
        } else {
            Scale { step: largest / 127.0, inverse: 127.0 / largest }
        }
    }

    /// The whole number nearest to x, −127 to 127; anything where the step is NaN.
    #[inline(always)]
    pub fn whole(self, x: f32) -> i32 {
        (x * self.inverse + WHOLE).to_bits() as i32 - WHOLE.to_bits() as i32
    }
}

/// The bits of the magnitude of x.
#[inline(always)]
pub(crate) fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// Fills the columns of strip `s` of a panel, `width` columns wide, for each segment in turn: [rows][width].
pub(crate) fn fill<T: Real>(
    precision: Precision,
    shape: &MatrixShape,
    views: &[View<'_, T>],
    (block, s): (usize, usize),
    data: &mut [u32],
    width: usize,
) {
    let units = LANES.min(shape.units - block * LANES);
    let mut rows = 0;
    for (view, &k) in views.iter().zip(&shape.segments) {
        for lane in 0..units {
            let first = view.offset + (block * LANES + lane) * view.unit_stride;
            let weight = |i: usize| if i < k { view.data[first + i * view.k_stride].to_f64() as f32 } else { 0.0 };
            let at = |row: usize| (rows + row) * width + s * LANES + lane;
            match precision {
                Precision::Int8 => {
                    let scale = Scale::of((0..k).map(|i| magnitude(weight(i))).max().unwrap_or(0));
                    data[at(0)] = scale.step.to_bits();
                    let mut sum = 0i32;
                    for group in 0..precision.groups(k) {
                        let q: [i32; 4] = std::array::from_fn(|i| scale.whole(weight(4 * group + i)));
                        sum = q.iter().fold(sum, |sum, q| sum.wrapping_add(*q));
                        data[at(INT8_HEAD + group)] = u32::from_le_bytes(q.map(|q| q as i8 as u8));
                    }
                    data[at(1)] = sum.wrapping_mul(-SHIFT) as u32;
                }
                _ => {
                    for group in 0..precision.groups(k) {
                        data[at(group)] = pair(weight(2 * group), weight(2 * group + 1));
                    }
                }
            }
        }
        rows += precision.rows(k);
    }
}
