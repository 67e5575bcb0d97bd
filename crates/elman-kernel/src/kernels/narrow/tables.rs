//! The tables of narrow kernels: each body, compiled for each instruction set.

use super::portable::{Fours, Pairs, to_bf16s, to_fours};
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Cut, Dots, Narrow, Product, Segment, Strip, product};
use crate::isa::Isa;
use crate::narrow::{Precision, SHIFT};
use crate::simd::scalar::One;
use crate::simd::several::Several;

/// The kernels of a precision on an instruction set; `None` for full precision, and where the CPU lacks it. A CPU with
/// AVX-512 but without the instructions for pairs or fours uses those for AVX2, on the same layout.
pub(crate) fn narrow(isa: Isa, precision: Precision) -> Option<&'static Narrow<f32>> {
    if !isa.is_available() || precision == Precision::Full {
        return None;
    }
    let bf16 = precision == Precision::Bf16;
    #[cfg(target_arch = "x86_64")]
    {
        if isa == Isa::Avx512 && bf16 && has_pairs() {
            return Some(&bf16_avx512::TABLE);
        }
        if isa == Isa::Avx512 && !bf16 && std::arch::is_x86_feature_detected!("avx512vnni") {
            return Some(&int8_avx512::TABLE);
        }
        if isa != Isa::Portable {
            return Some(if bf16 { &bf16_avx2::TABLE } else { &int8_avx2::TABLE });
        }
    }
    Some(if bf16 { &bf16_portable::TABLE } else { &int8_portable::TABLE })
}

#[cfg(target_arch = "x86_64")]
fn has_pairs() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16") && std::arch::is_x86_feature_detected!("avx512vl")
}

/// A module with the functions of one precision and instruction set: `$new` makes the token of type `$dots`.
macro_rules! narrow {
    ($module:ident, $dots:ty: $new:expr, $(#[$feature:meta])?, rows $most:literal [$($mr:literal)*], strips [$($nv:literal)*],
     several [$($smr:literal $snp:literal $snv:literal),*], spread $spread:expr, convert $convert:expr) => {
        mod $module {
            use super::*;

            $(#[$feature])?
            unsafe fn multiply<const MR: usize, const NP: usize, const NV: usize>(
                segments: &[Segment<u32>],
                strips: &[Strip<f32, u32>],
                cut: &Cut<u32>,
            ) {
                // Safety: the caller's promise; the table is given out only where the CPU has the instructions.
                unsafe { product::<$dots, MR, NP, NV>($new, segments, strips, cut) }
            }

            $(#[$feature])?
            unsafe fn convert(rows: usize, k: usize, from: *const f32, stride: usize, to: *mut u32, length: usize) {
                // Safety: as above.
                unsafe { $convert(rows, k, from, stride, to, length) }
            }

            fn choose(rows: usize, panels: usize, strips: usize) -> Product<f32, u32> {
                match (rows, panels, strips) {
                    $(($smr, $snp, $snv) => multiply::<$smr, $snp, $snv>,)*
                    (rows, _, strips) => choose_one(rows, strips),
                }
            }

            fn choose_one(rows: usize, strips: usize) -> Product<f32, u32> {
                narrow!(@rows rows strips [$($mr)*] [$($nv)*])
            }

            pub(super) static TABLE: Narrow<f32> = Narrow { rows: $most, spread: $spread, group: <$dots as Dots>::GROUP, product: choose, convert };
        }
    };
    (@rows $rows:ident $strips:ident [$($mr:literal)*] $nv:tt) => {
        match $rows {
            $($mr => narrow!(@strips $mr $strips $nv),)*
            _ => unreachable!("more rows than a kernel has"),
        }
    };
    (@strips $mr:literal $strips:ident [$($nv:literal)*]) => {
        match $strips {
            $($nv => multiply::<$mr, 1, $nv>,)*
            _ => unreachable!("more strips than a panel has"),
        }
    };
}

// 6 rows of 4 registers: 24 sums, 4 registers of weights and a broadcast of 32, as in full precision.
#[cfg(target_arch = "x86_64")]
narrow!(bf16_avx512, x86::Bf16: x86::Bf16::new(), #[target_feature(enable = "avx512f,avx512vl,avx512bf16,avx2,fma")],
    rows 6 [1 2 3 4 5 6], strips [1 2 3 4], several [1 4 4, 1 2 4, 2 2 4], spread [4, 2, 1],
    convert x86::to_pairs);

// A row reads weights faster from two panels at once than from four: h = 256 in 465 µs for 100 steps, not 550.
#[cfg(target_arch = "x86_64")]
narrow!(int8_avx512, x86::Vnni: x86::Vnni::new(), #[target_feature(enable = "avx512f,avx512vnni,avx2,fma")],
    rows 6 [1 2 3 4 5 6], strips [1 2 3 4], several [1 2 4, 2 2 4], spread [2, 2, 1],
    convert x86::to_fours);

// 5 rows of a strip: 10 sums, 4 halves of weights, one number of the operand and a zero: 16. Four strips are a panel of AVX-512.
#[cfg(target_arch = "x86_64")]
narrow!(bf16_avx2, x86::Flagged: x86::Flagged::new(), #[target_feature(enable = "avx2,fma")],
    rows 5 [1 2 3 4 5], strips [1 2 3 4], several [1 4 1, 1 2 1, 2 2 1], spread [4, 2, 1],
    convert to_bf16s);

// A strip is 2 sums a row, 2 magnitudes of weights and their signs.
#[cfg(target_arch = "x86_64")]
narrow!(int8_avx2, x86::Signed: x86::Signed::new(), #[target_feature(enable = "avx2,fma")],
    rows 4 [1 2 3 4], strips [1 2 3 4], several [], spread [1, 1, 1],
    convert to_fours::<0>);

narrow!(bf16_portable, Pairs<Several<One, 16>>: Pairs(Several(One)), , rows 2 [1 2], strips [1], several [], spread [1, 1, 1],
    convert to_bf16s);

narrow!(int8_portable, Fours: Fours, , rows 2 [1 2], strips [1], several [], spread [1, 1, 1], convert to_fours::<SHIFT>);
