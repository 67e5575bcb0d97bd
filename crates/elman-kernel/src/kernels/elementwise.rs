//! Elementwise functions over rows of units: registers of lanes, a masked rest.

use super::Input;
use crate::code::{Binary, Unary};
use crate::simd::Lanes;
use crate::simd::several::Several;

/// Registers side by side.
const ABREAST: usize = 4;

/// A function of N registers.
pub(super) trait Function<const N: usize> {
    /// Its value.
    fn call<S: Lanes>(s: S, x: [S::F; N]) -> S::F;
}

/// [`Unary`] by number.
pub(super) struct One<const OP: u8>;

/// [`Binary`] by number.
pub(super) struct Two<const OP: u8>;

/// a · b + c
pub(super) struct Fma;

/// a > 0 ? b : c
pub(super) struct Select;

impl<const OP: u8> Function<1> for One<OP> {
    #[inline(always)]
    fn call<S: Lanes>(s: S, [x]: [S::F; 1]) -> S::F {
        s.unary::<OP>(x)
    }
}

impl<const OP: u8> Function<2> for Two<OP> {
    #[inline(always)]
    fn call<S: Lanes>(s: S, [a, b]: [S::F; 2]) -> S::F {
        const ADD: u8 = Binary::Add as u8;
        const SUB: u8 = Binary::Sub as u8;
        const MUL: u8 = Binary::Mul as u8;
        const DIV: u8 = Binary::Div as u8;
        const MAX: u8 = Binary::Max as u8;
        match OP {
            ADD => s.add(a, b),
            SUB => s.sub(a, b),
            MUL => s.mul(a, b),
            DIV => s.div(a, b),
            MAX => s.max(a, b),
            _ => s.min(a, b),
        }
    }
}

impl Function<3> for Fma {
    #[inline(always)]
    fn call<S: Lanes>(s: S, [a, b, c]: [S::F; 3]) -> S::F {
        s.fma(a, b, c)
    }
}

impl Function<3> for Select {
    #[inline(always)]
    fn call<S: Lanes>(s: S, [a, b, c]: [S::F; 3]) -> S::F {
        s.select(s.gt(a, s.splat64(0.0)), b, c)
    }
}

/// out = F(inputs), where bit i of `MODE` says that argument i is one number a row.
///
/// Safety: as [`super::Apply`].
#[inline(always)]
pub(super) unsafe fn map<S: Lanes, F: Function<N>, const N: usize, const MODE: u8>(
    s: S,
    rows: usize,
    units: usize,
    inputs: &[Input<S::Elem>; 3],
    out: *mut S::Elem,
    out_row: usize,
) {
    for row in 0..rows {
        let mut at = [inputs[0].at; N];
        for i in 0..N {
            // Safety: the caller promises this row of every argument.
            at[i] = unsafe { inputs[i].at.add(row * inputs[i].row) };
        }
        // Safety: the caller promises this row of the result.
        let out = unsafe { out.add(row * out_row) };
        // Safety: the units of this row, whole registers.
        let done = unsafe { run::<_, F, N, MODE>(Several::<S, ABREAST>(s), &at, out, 0, units) };
        // Safety: as above.
        let full = unsafe { run::<_, F, N, MODE>(s, &at, out, done, units) };
        if full < units {
            // Safety: the numbers that are one a row are readable.
            let mut x = unsafe { splat::<S, N, MODE>(s, &at) };
            for i in 0..N {
                if MODE >> i & 1 == 0 {
                    // Safety: the units that are left.
                    x[i] = unsafe { s.load_part(at[i].add(full), units - full) };
                }
            }
            // Safety: the units that are left.
            unsafe { s.store_part(out.add(full), units - full, F::call(s, x)) };
        }
    }
}

/// Whole registers of units from `first` on; the unit where they end.
///
/// Safety: as [`super::Apply`], for one row.
#[inline(always)]
unsafe fn run<S: Lanes, F: Function<N>, const N: usize, const MODE: u8>(
    s: S,
    at: &[*const S::Elem; N],
    out: *mut S::Elem,
    first: usize,
    units: usize,
) -> usize {
    // Safety: the numbers that are one a row are readable.
    let fixed = unsafe { splat::<S, N, MODE>(s, at) };
    let mut u = first;
    while u + S::WIDTH <= units {
        let mut x = fixed;
        for i in 0..N {
            if MODE >> i & 1 == 0 {
                // Safety: u + WIDTH ≤ units.
                x[i] = unsafe { s.load(at[i].add(u)) };
            }
        }
        // Safety: as above.
        unsafe { s.store(out.add(u), F::call(s, x)) };
        u += S::WIDTH;
    }
    u
}

/// The numbers that are one a row, in all lanes.
///
/// Safety: they are readable.
#[inline(always)]
unsafe fn splat<S: Lanes, const N: usize, const MODE: u8>(s: S, at: &[*const S::Elem; N]) -> [S::F; N] {
    let mut x = [s.splat64(0.0); N];
    for i in 0..N {
        if MODE >> i & 1 == 1 {
            // Safety: the caller's promise.
            x[i] = s.splat(unsafe { *at[i] });
        }
    }
    x
}

/// op(x) for one number.
pub(crate) fn unary<S: Lanes<F = E>, E: Copy>(s: S, op: Unary, x: E) -> E {
    macro_rules! choose {
        ($($name:ident)*) => {
            match op {
                $(Unary::$name => s.unary::<{ Unary::$name as u8 }>(x),)*
            }
        };
    }
    choose!(Copy Neg Abs Sign Sqrt Exp Expm1 Log Sin Cos Tanh Sigmoid Softplus NormalCdf)
}

/// op(a, b) for one number each.
#[inline]
pub(crate) fn binary<S: Lanes<F = E>, E: Copy>(s: S, op: Binary, a: E, b: E) -> E {
    match op {
        Binary::Add => s.add(a, b),
        Binary::Sub => s.sub(a, b),
        Binary::Mul => s.mul(a, b),
        Binary::Div => s.div(a, b),
        Binary::Max => s.max(a, b),
        Binary::Min => s.min(a, b),
    }
}
