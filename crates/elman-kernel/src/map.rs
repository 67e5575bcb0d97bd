//! One elementwise function over a slice, outside any code.

use crate::code::Unary;
use crate::isa::Isa;
use crate::kernels::{Input, UNARY};
use crate::real::Real;

/// out = op(x), to the bit what the instruction gives, over as many numbers as both have.
pub fn map<T: Real>(isa: Isa, op: Unary, x: &[T], out: &mut [T]) {
    let count = x.len().min(out.len());
    match (T::kernels(isa), UNARY.iter().position(|&known| known == op)) {
        (Some(kernels), Some(place)) => {
            let input = Input { at: x.as_ptr(), row: 0 };
            // Safety: both slices have `count` numbers, and rows follow nothing.
            unsafe { kernels.unary[place][0](1, count, &[input; 3], out.as_mut_ptr(), 0) };
        }
        _ => out.iter_mut().zip(x).for_each(|(out, x)| *out = T::unary(op, *x)),
    }
}
