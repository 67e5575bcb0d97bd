//! The tables: each body, compiled once for each instruction set.

use super::attend::{attend, attend_gradient, attend_memory};
use super::elementwise::{Fma, One, Select, Two, map};
use super::exponentials::exponentials;
use super::product::product;
use super::reduce::{Largest, Sum, fold, total};
use super::{Attend, Cut, Input, Kernels, Product, Segment, Strip};
use crate::isa::Isa;
use crate::simd::scalar;

/// The f32 kernels of an instruction set; `None` where the CPU lacks it.
pub(crate) fn single(isa: Isa) -> Option<&'static Kernels<f32>> {
    if !isa.is_available() {
        return None;
    }
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => Some(&avx512::TABLE),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Some(&avx2::TABLE),
        #[cfg(not(target_arch = "x86_64"))]
        Isa::Avx512 | Isa::Avx2 => None,
        Isa::Portable => Some(&portable::TABLE),
    }
}

/// The f64 kernels: portable code, compiled a second time for CPUs that multiply and add in one instruction.
pub(crate) fn double(isa: Isa) -> Option<&'static Kernels<f64>> {
    if !isa.is_available() {
        return None;
    }
    #[cfg(target_arch = "x86_64")]
    if Isa::Avx2.is_available() {
        return Some(&double_fma::TABLE);
    }
    Some(&double_plain::TABLE)
}

/// A module with the functions of one instruction set: `$new` makes the token; `$mr` rows, `$nv` registers of a panel's
/// `$panel` strips; `$half` and `$hnv` are the token and registers of eight columns, for `$hmr` rows;
/// `$several`: a turn of a product's loop takes several inner indices.
macro_rules! instruction_set {
    ($module:ident, $t:ty, $new:expr, $(#[$feature:meta])?, panel $panel:literal,
     several $several:literal, rows [$($mr:literal)*], narrow [$($strips:literal $nv:literal),*],
     half $half:expr, $hnv:literal [$($hmr:literal)*],
     spread [$($smr:literal $snp:literal $full:literal),*], $spread:expr) => {
        mod $module {
            use super::*;

            $(#[$feature])?
            unsafe fn multiply<const MR: usize, const NP: usize, const NV: usize, const ACROSS: bool>(
                segments: &[Segment<$t>],
                strips: &[Strip<$t>],
                cut: &Cut<$t>,
            ) {
                // Safety: the caller's promise; the table is given out only where the CPU has the instructions.
                unsafe { product::<_, MR, NP, NV, ACROSS, $several>($new, segments, strips, cut) }
            }

            $(#[$feature])?
            unsafe fn half<const MR: usize>(segments: &[Segment<$t>], strips: &[Strip<$t>], cut: &Cut<$t>) {
                // Two at once leave registers for the rows.
                for pair in strips.chunks(2) {
                    // Safety: as above.
                    unsafe {
                        match pair.len() {
                            2 => product::<_, MR, 2, $hnv, false, $several>($half, segments, pair, cut),
                            _ => product::<_, MR, 1, $hnv, false, $several>($half, segments, pair, cut),
                        }
                    }
                }
            }

            instruction_set!(@apply $t, $new, $(#[$feature])?, one<OP>, One<OP>, 1);
            instruction_set!(@apply $t, $new, $(#[$feature])?, two<OP>, Two<OP>, 2);
            instruction_set!(@apply $t, $new, $(#[$feature])?, fma, Fma, 3);
            instruction_set!(@apply $t, $new, $(#[$feature])?, select, Select, 3);
            instruction_set!(@reduce $t, $new, $(#[$feature])?, row_sum, fold::<_, Sum>);
            instruction_set!(@reduce $t, $new, $(#[$feature])?, row_largest, fold::<_, Largest>);
            instruction_set!(@reduce $t, $new, $(#[$feature])?, row_total, total);

            $(#[$feature])?
            unsafe fn columns(
                rows: usize,
                units: usize,
                at: *mut $t,
                stride: usize,
                largest: *mut $t,
                sum: *mut $t,
            ) {
                // Safety: the caller's promise; the table is given out only where the CPU has the instructions.
                unsafe { exponentials($new, rows, units, at, stride, largest, sum) }
            }

            $(#[$feature])?
            unsafe fn to_memory(a: &Attend<$t>, out: *mut $t) {
                // Safety: the caller's promise; the table is given out only where the CPU has the instructions.
                unsafe { attend($new, a, out) }
            }

            $(#[$feature])?
            unsafe fn to_query(a: &Attend<$t>, gradient: *const $t, out: *mut $t) {
                // Safety: as above.
                unsafe { attend_gradient($new, a, gradient, out) }
            }

            $(#[$feature])?
            unsafe fn to_slots(a: &Attend<$t>, gradient: *const $t, d_keys: *mut $t, d_values: *mut $t) {
                // Safety: as above.
                unsafe { attend_memory($new, a, gradient, d_keys, d_values) }
            }

            fn choose(rows: usize, panels: usize, strips: usize) -> Product<$t> {
                match (rows, panels, strips) {
                    $(($smr, $snp, $panel) => multiply::<$smr, $snp, $full, false>,)*
                    (rows, _, strips) => choose_one(rows, strips),
                }
            }

            fn choose_one(rows: usize, strips: usize) -> Product<$t> {
                instruction_set!(@match rows strips false [$($mr)*] [$($strips $nv),*])
            }

            fn choose_across(rows: usize, strips: usize) -> Product<$t> {
                instruction_set!(@match rows strips true [$($mr)*] [$($strips $nv),*])
            }

            fn choose_half(rows: usize, panels: usize, strips: usize) -> Product<$t> {
                match rows {
                    $($hmr => half::<$hmr>,)*
                    rows => choose(rows, panels, strips),
                }
            }

            pub(super) static TABLE: Kernels<$t> = Kernels {
                panel: $panel,
                rows: instruction_set!(@last $($mr)*),
                spread: $spread,
                product: choose,
                across: choose_across,
                half: choose_half,
                unary: instruction_set!(@unary one 0 1 2 3 4 5 6 7 8 9 10 11 12 13),
                binary: instruction_set!(@binary two 0 1 2 3 4 5),
                fma: instruction_set!(@modes fma),
                select: instruction_set!(@modes select),
                sum: row_sum,
                largest: row_largest,
                total: row_total,
                exponentials: columns,
                attend: to_memory,
                attend_gradient: to_query,
                attend_memory: to_slots,
            };
        }
    };
    (@apply $t:ty, $new:expr, $(#[$feature:meta])?, $name:ident $(<$op:ident>)?, $function:ty, $n:literal) => {
        $(#[$feature])?
        unsafe fn $name<$(const $op: u8,)? const MODE: u8>(
            rows: usize,
            units: usize,
            inputs: &[Input<$t>; 3],
            out: *mut $t,
            out_row: usize,
        ) {
            // Safety: the caller's promise; the table is given out only where the CPU has the instructions.
            unsafe { map::<_, $function, $n, MODE>($new, rows, units, inputs, out, out_row) }
        }
    };
    (@reduce $t:ty, $new:expr, $(#[$feature:meta])?, $name:ident, $body:expr) => {
        $(#[$feature])?
        unsafe fn $name(rows: usize, units: usize, input: Input<$t>, out: *mut $t, out_row: usize) {
            // Safety: the caller's promise; the table is given out only where the CPU has the instructions.
            unsafe { $body($new, rows, units, input, out, out_row) }
        }
    };
    (@unary $name:ident $($op:literal)*) => {
        [$([$name::<$op, 0>, $name::<$op, 1>]),*]
    };
    (@binary $name:ident $($op:literal)*) => {
        [$([$name::<$op, 0>, $name::<$op, 1>, $name::<$op, 2>, $name::<$op, 3>]),*]
    };
    (@modes $name:ident) => {
        [$name::<0>, $name::<1>, $name::<2>, $name::<3>, $name::<4>, $name::<5>, $name::<6>, $name::<7>]
    };
    (@match $rows:ident $strips:ident $across:literal [$($mr:literal)*] $narrow:tt) => {
        match $rows {
            $($mr => instruction_set!(@strips $mr $strips $across $narrow),)*
            _ => unreachable!("more rows than a kernel has"),
        }
    };
    (@strips $mr:literal $strips:ident $across:literal [$($n:literal $nv:literal),*]) => {
        match $strips {
            $($n => multiply::<$mr, 1, $nv, $across>,)*
            _ => unreachable!("more strips than a panel has"),
        }
    };
    (@last $first:literal $($rest:literal)+) => {
        instruction_set!(@last $($rest)+)
    };
    (@last $only:literal) => {
        $only
    };
}

// 6 rows of 4 registers: 24 accumulators, 4 weights and a broadcast of 32 registers. Half a strip is a register of AVX2: two
// of those cost what one of AVX-512 does.
#[cfg(target_arch = "x86_64")]
instruction_set!(avx512, f32, crate::simd::avx512::Avx512::new(), #[target_feature(enable = "avx512f,avx2,fma")],
    panel 4, several false, rows [1 2 3 4 5 6], narrow [1 1, 2 2, 3 3, 4 4],
    half crate::simd::avx2::Avx2::new(), 1 [4 5 6],
    spread [1 4 4, 1 2 4, 2 2 4], [4, 2, 1]);

// 6 rows of 2 registers: 12 accumulators, 2 weights and a broadcast of 16 registers.
#[cfg(target_arch = "x86_64")]
instruction_set!(avx2, f32, crate::simd::avx2::Avx2::new(), #[target_feature(enable = "avx2,fma")],
    panel 1, several true, rows [1 2 3 4 5 6], narrow [1 2],
    half crate::simd::avx2::Avx2::new(), 1 [4 5 6],
    spread [1 4 2, 1 2 2, 2 2 2], [4, 2, 1]);

instruction_set!(portable, f32, scalar::One, , panel 1, several false, rows [1 2 3 4], narrow [1 16],
    half scalar::One, 8 [4], spread [], [1, 1, 1]);

instruction_set!(double_plain, f64, scalar::Double, , panel 1, several false, rows [1 2 3 4], narrow [1 16],
    half scalar::Double, 8 [4], spread [], [1, 1, 1]);

#[cfg(target_arch = "x86_64")]
instruction_set!(double_fma, f64, scalar::Double, #[target_feature(enable = "avx2,fma")],
    panel 1, several false, rows [1 2], narrow [1 16], half scalar::Double, 8 [2], spread [], [1, 1, 1]);
