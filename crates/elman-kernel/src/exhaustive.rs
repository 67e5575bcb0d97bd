//! Measures a function on all f32: its error against f64, and whether every instruction set gives the same bits.

use crate::code::Unary;
use crate::isa::Isa;
use crate::kernels::{Input, UNARY};
use crate::real::{Real, sealed::Kerneled};

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The function.
    pub function: Unary,
    /// How many arguments were tried.
    pub tried: u64,
    /// The largest error in units of the last place of the f32 nearest to the true value.
    pub max_ulp: f64,
    /// Where it is.
    pub worst: f32,
    /// Arguments for which an instruction set differs from the portable code (NaN equals NaN).
    pub differing: u64,
    /// The first of them.
    pub first_differing: Option<(Isa, f32)>,
    /// Arguments where NaN, an infinity or a sign is wrong.
    pub wrong: u64,
    /// The first of them.
    pub first_wrong: Option<f32>,
}

/// Arguments at a time.
const BLOCK: usize = 4096;

/// Tries every f32. Takes minutes; see [`sample`].
pub fn check(function: Unary) -> Report {
    sample(function, 1)
}

/// Tries every `step`-th bit pattern, and the special values.
pub fn sample(function: Unary, step: u32) -> Report {
    let mut report = Report {
        function,
        tried: 0,
        max_ulp: 0.0,
        worst: 0.0,
        differing: 0,
        first_differing: None,
        wrong: 0,
        first_wrong: None,
    };
    let mut block: Vec<f32> = special().collect();
    let mut bits = 0u64;
    while bits <= u64::from(u32::MAX) {
        block.push(f32::from_bits(bits as u32));
        bits += u64::from(step.max(1));
        if block.len() >= BLOCK {
            report.try_block(&block);
            block.clear();
        }
    }
    report.try_block(&block);
    report
}

/// Zeros, infinities, NaN, the ends of the ranges, and where functions change their course.
fn special() -> impl Iterator<Item = f32> {
    let edges = [0.0, 1.0, 0.5, 2.0, 1e-45, 1e-38, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NAN, 30_000.0];
    let turns = [88.722_84, 88.722_83, 87.336_55, 103.972_08, 103.278_93, 17.328_68, 9.010_913, 14.16, 2.440_6e-4];
    let all = edges.into_iter().chain(turns).flat_map(|x| [x, f32::from_bits(x.to_bits() + 1)]);
    all.chain([f32::INFINITY]).flat_map(|x| [x, -x])
}

impl Report {
    fn try_block(&mut self, block: &[f32]) {
        let portable = evaluate(Isa::Portable, self.function, block);
        for isa in Isa::available() {
            let values = evaluate(isa, self.function, block);
            for ((&x, &a), &b) in block.iter().zip(&values).zip(&portable) {
                if a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()) {
                    self.differing += 1;
                    self.first_differing.get_or_insert((isa, x));
                }
            }
        }
        for (&x, &value) in block.iter().zip(&portable) {
            self.compare(x, value);
        }
    }

    fn compare(&mut self, x: f32, value: f32) {
        self.tried += 1;
        let want = f64::unary(self.function, f64::from(x));
        let nearest = want as f32;
        let alike = match (nearest.is_nan(), nearest.is_infinite()) {
            (true, _) => value.is_nan(),
            // One step below infinity is an error of one ulp.
            (_, true) => value.is_sign_positive() == nearest.is_sign_positive() && value.abs() >= f32::MAX,
            _ => value.is_finite() && (want != 0.0 || value.to_bits() == nearest.to_bits()) || value.abs() > f32::MAX,
        };
        if !alike {
            self.wrong += 1;
            self.first_wrong.get_or_insert(x);
            return;
        }
        if nearest.is_finite() && !value.is_nan() {
            let value = if value.is_infinite() { 2f64.powi(128).copysign(value.into()) } else { value.into() };
            let error = (value - want).abs() / ulp(nearest);
            if error > self.max_ulp {
                (self.max_ulp, self.worst) = (error, x);
            }
        }
    }
}

/// The distance of f32 around x.
fn ulp(x: f32) -> f64 {
    let exponent = (x.to_bits() >> 23 & 0xff).max(1) as i32;
    2f64.powi(exponent - 150)
}

fn evaluate(isa: Isa, function: Unary, x: &[f32]) -> Vec<f32> {
    let mut out = vec![0f32; x.len()];
    let op = UNARY.iter().position(|&f| f == function).unwrap_or_default();
    if let Some(kernels) = f32::kernels(isa) {
        let input = Input { at: x.as_ptr(), row: 0 };
        // Safety: both slices have as many units as are asked for.
        unsafe { kernels.unary[op][0](1, x.len(), &[input; 3], out.as_mut_ptr(), 0) };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the modules of `math` promise, in ulp.
    const PROMISED: [(Unary, f64); 14] = [
        (Unary::Copy, 0.0),
        (Unary::Neg, 0.0),
        (Unary::Abs, 0.0),
        (Unary::Sign, 0.0),
        (Unary::Sqrt, 0.5),
        (Unary::Exp, 1.0),
        (Unary::Expm1, 2.0),
        (Unary::Log, 1.0),
        (Unary::Sin, 2.0),
        (Unary::Cos, 2.0),
        (Unary::Tanh, 2.5),
        (Unary::Sigmoid, 2.5),
        (Unary::Softplus, 3.0),
        (Unary::NormalCdf, 5.0),
    ];

    #[test]
    fn promises_hold_on_a_sample() {
        for (function, promised) in PROMISED {
            let report = sample(function, 9973);
            println!("{function:?}: {:.3} ulp at {:e}", report.max_ulp, report.worst);
            assert!(report.max_ulp <= promised && report.wrong == 0 && report.differing == 0, "{report:?}");
        }
    }
}
