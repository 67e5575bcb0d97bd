//! The values of the elementwise primitives in `f64`.

use crate::op::{Binary, Unary};

/// f(x).
pub fn unary(f: Unary, x: f64) -> f64 {
    match f {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign if x > 0.0 => 1.0,
        Unary::Sign if x < 0.0 => -1.0,
        Unary::Sign => x * 0.0,
        Unary::Sqrt => x.sqrt(),
        Unary::Exp => x.exp(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Log => x.ln(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
        Unary::Sigmoid => sigmoid(x),
        Unary::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Unary::NormalCdf => normal_cdf(x),
    }
}

/// f(x, y). Of a tie, `Max` and `Min` give the second.
pub fn binary(f: Binary, x: f64, y: f64) -> f64 {
    match f {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        Binary::Max => choose(x > y, x, y),
        Binary::Min => choose(x < y, x, y),
    }
}

fn choose(first: bool, x: f64, y: f64) -> f64 {
    if first { x } else { y }
}

/// 1 / (1 + e⁻ˣ), from the side on which the power is small.
pub fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// Φ(x) = erfc(−x / √2) / 2.
pub fn normal_cdf(x: f64) -> f64 {
    let z = x.abs() * std::f64::consts::FRAC_1_SQRT_2;
    let tail = 0.5 * if z < 2.0 { 1.0 - erf_series(z) } else { erfc_fraction(z) };
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// erf z = 2/√π · e^(−z²) · Σ 2ⁿ z²ⁿ⁺¹ / (2n + 1)!! (Abramowitz & Stegun 7.1.6), for small z.
fn erf_series(z: f64) -> f64 {
    let (mut term, mut sum) = (z, z);
    for n in 1..60 {
        term *= 2.0 * z * z / f64::from(2 * n + 1);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp() * sum
}

/// erfc z = e^(−z²)/√π · 1/(z + ½/(z + 1/(z + 3⁄2/(z + …)))) (Abramowitz & Stegun 7.1.14), for z from 2 up.
fn erfc_fraction(z: f64) -> f64 {
    let fraction = (1..=120).rev().fold(z, |tail, k| z + 0.5 * f64::from(k) / tail);
    0.5 * std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp() / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_function_matches_its_table() {
        // Abramowitz & Stegun, table 26.1 (15 digits).
        for (x, p) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (2.0, 0.977_249_868_051_821)] {
            assert!((normal_cdf(x) - p).abs() < 1e-15, "{x}: {}", normal_cdf(x));
            assert!((normal_cdf(-x) - (1.0 - p)).abs() < 1e-15, "{x}");
        }
        assert!((normal_cdf(-5.0) / 2.866_515_718_791_94e-7 - 1.0).abs() < 1e-12);
        let (below, above) = (2.828_427_124_746, 2.828_427_124_747);
        assert!((normal_cdf(below) - normal_cdf(above)).abs() < 1e-14, "the two formulas meet at z = 2");
    }

    #[test]
    fn far_values_are_finite() {
        for x in [-1e4, -800.0, 800.0, 1e4] {
            assert!(sigmoid(x).is_finite() && unary(Unary::Softplus, x).is_finite() && normal_cdf(x).is_finite());
        }
        assert!(unary(Unary::Sign, f64::NAN).is_nan());
    }
}
