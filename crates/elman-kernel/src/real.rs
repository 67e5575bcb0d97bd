//! The two number types: f32 for work, on every instruction set, and f64 for checking, on portable code.

use crate::buffer::Number;
use crate::code::{Binary, Unary};
use crate::isa::Isa;
use crate::kernels::{self, Kernels, Narrow};
use crate::narrow::Precision;
use crate::simd::scalar;

/// f32 or f64. The scalar functions give the same bits as the elementwise instructions.
pub trait Real: sealed::Kerneled + Number + PartialEq + PartialOrd + std::fmt::Debug + Send + Sync + 'static {
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

    /// √self, rounded once: the bits of [`Unary::Sqrt`], and in a loop as wide as the compiler's target is.
    fn sqrt(self) -> Self;
}

pub(crate) mod sealed {
    use super::*;

    /// Types that have kernels.
    #[allow(private_interfaces)]
    pub trait Kerneled: Sized {
        /// The kernels of an instruction set; `None` where the CPU lacks it.
        fn kernels(isa: Isa) -> Option<&'static Kernels<Self>>;

        /// The kernels of narrow weights; `None` where there are none.
        fn narrow(isa: Isa, precision: Precision) -> Option<&'static Narrow<Self>>;
    }
}

macro_rules! real {
    ($t:ty, $kernels:path, $narrow:expr, $token:expr) => {
        #[allow(private_interfaces)]
        impl sealed::Kerneled for $t {
            fn kernels(isa: Isa) -> Option<&'static Kernels<$t>> {
                $kernels(isa)
            }

            fn narrow(isa: Isa, precision: Precision) -> Option<&'static Narrow<$t>> {
                $narrow(isa, precision)
            }
        }

        impl Real for $t {
            const ZERO: $t = 0.0;
            const ONE: $t = 1.0;
            #[inline]
            fn from_f64(x: f64) -> $t {
                x as $t
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self.into()
            }
            fn unary(op: Unary, x: $t) -> $t {
                kernels::unary($token, op, x)
            }
            #[inline]
            fn binary(op: Binary, a: $t, b: $t) -> $t {
                kernels::binary($token, op, a, b)
            }
            #[inline]
            fn mul_add(self, b: $t, c: $t) -> $t {
                <$t>::mul_add(self, b, c)
            }
            #[inline]
            fn sqrt(self) -> $t {
                <$t>::sqrt(self)
            }
        }
    };
}

real!(f32, kernels::single, kernels::narrow, scalar::One);
real!(f64, kernels::double, |_, _| None, scalar::Double);
