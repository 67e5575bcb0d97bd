//! The two number types: f32 for work, on every instruction set, and f64 for checking, on portable code.

use crate::code::{Binary, Unary};

/// f32 or f64. The scalar functions give the same bits as the elementwise instructions.
pub trait Real:
    sealed::Kerneled + Copy + Default + PartialEq + PartialOrd + std::fmt::Debug + Send + Sync + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;

    /// The nearest value.
    fn from_f64(x: f64) -> Self;

    /// The same value.
    fn to_f64(self) -> f64;

    /// op(x), to the bit what the instruction gives.
    fn unary(op: Unary, x: Self) -> Self;

    /// op(a, b), to the bit what the instruction gives.
    fn binary(op: Binary, a: Self, b: Self) -> Self;

    /// self · b + c, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
}

pub(crate) mod sealed {
    /// Types that have kernels.
    pub trait Kerneled {}
    impl Kerneled for f32 {}
    impl Kerneled for f64 {}
}

macro_rules! plain {
    ($t:ty) => {
        impl Real for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
            fn from_f64(x: f64) -> $t {
                x as $t
            }
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn unary(_: Unary, x: $t) -> $t {
                x
            }
            fn binary(_: Binary, a: $t, _: $t) -> $t {
                a
            }
            fn mul_add(self, b: $t, c: $t) -> $t {
                <$t>::mul_add(self, b, c)
            }
        }
    };
}
plain!(f32);
plain!(f64);
