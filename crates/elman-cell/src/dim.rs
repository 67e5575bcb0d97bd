//! Dimensions: sums of the three size variables of a cell and a number.
//!
//!   dim = input·a + hidden·b + output·c + n
//!
//! `W_f [h, x]` has hidden + input columns; `state m : 64` has 64 units. Sizes are filled in where a cell is used.

use std::fmt;
use std::ops::Add;

/// A length in units, symbolic in `input`, `hidden` and `output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim {
    /// How many times `input` is counted.
    pub input: u32,
    /// How many times `hidden` is counted.
    pub hidden: u32,
    /// How many times `output` is counted.
    pub output: u32,
    /// The number added to them.
    pub fixed: usize,
}

/// The three sizes a cell is used at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sizes {
    /// Units of the input vector `x`.
    pub input: usize,
    /// Units of a state whose dimension is not declared.
    pub hidden: usize,
    /// Units that nothing else fixes (the rows of V in `y_t = V h_t`).
    pub output: usize,
}

impl Dim {
    /// The size of the input vector.
    pub const INPUT: Dim = Dim { input: 1, hidden: 0, output: 0, fixed: 0 };
    /// The size of a state.
    pub const HIDDEN: Dim = Dim { input: 0, hidden: 1, output: 0, fixed: 0 };
    /// The size that nothing else fixes.
    pub const OUTPUT: Dim = Dim { input: 0, hidden: 0, output: 1, fixed: 0 };
    /// No units.
    pub const ZERO: Dim = Dim { input: 0, hidden: 0, output: 0, fixed: 0 };
    /// One unit.
    pub const ONE: Dim = Dim::fixed(1);

    /// A declared number of units.
    pub const fn fixed(n: usize) -> Dim {
        Dim { input: 0, hidden: 0, output: 0, fixed: n }
    }

    /// Whether it prints as a sum.
    pub fn is_sum(self) -> bool {
        let parts = [self.input as usize, self.hidden as usize, self.output as usize, self.fixed];
        parts.iter().filter(|&&n| n > 0).count() > 1
    }

    /// The sum; `None` where a count overflows.
    pub fn checked_add(self, o: Dim) -> Option<Dim> {
        Some(Dim {
            input: self.input.checked_add(o.input)?,
            hidden: self.hidden.checked_add(o.hidden)?,
            output: self.output.checked_add(o.output)?,
            fixed: self.fixed.checked_add(o.fixed)?,
        })
    }

    /// `times` such lengths one after another; `None` where a count overflows.
    pub fn checked_times(self, times: u32) -> Option<Dim> {
        Some(Dim {
            input: self.input.checked_mul(times)?,
            hidden: self.hidden.checked_mul(times)?,
            output: self.output.checked_mul(times)?,
            fixed: self.fixed.checked_mul(times as usize)?,
        })
    }

    /// The length at given sizes; `None` where it overflows.
    pub fn checked_at(self, s: Sizes) -> Option<usize> {
        let mul = |k: u32, n: usize| (k as usize).checked_mul(n);
        mul(self.input, s.input)?
            .checked_add(mul(self.hidden, s.hidden)?)?
            .checked_add(mul(self.output, s.output)?)?
            .checked_add(self.fixed)
    }

    /// The length at given sizes, which were checked with [`Dim::checked_at`] when the cell was instantiated.
    pub fn at(self, s: Sizes) -> usize {
        self.checked_at(s).unwrap_or(usize::MAX)
    }
}

impl Add for Dim {
    type Output = Dim;
    fn add(self, o: Dim) -> Dim {
        Dim {
            input: self.input + o.input,
            hidden: self.hidden + o.hidden,
            output: self.output + o.output,
            fixed: self.fixed + o.fixed,
        }
    }
}

/// Prints as `hidden + input`, `2 * hidden + 3`, `64`.
impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (k, name) in [(self.hidden, "hidden"), (self.input, "input"), (self.output, "output")] {
            if k == 0 {
                continue;
            }
            let plus = if first { "" } else { " + " };
            first = false;
            if k == 1 { write!(f, "{plus}{name}")? } else { write!(f, "{plus}{k} * {name}")? }
        }
        match (first, self.fixed) {
            (true, n) => write!(f, "{n}"),
            (false, 0) => Ok(()),
            (false, n) => write!(f, " + {n}"),
        }
    }
}
