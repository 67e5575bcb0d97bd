//! L-BFGS: minimises a smooth function of many variables. Nocedal 1980; Nocedal & Wright 2006, algorithms 7.4 and 7.5.
//!
//! The step is found by bisection for the weak Wolfe conditions (Lewis & Overton 2013):
//!
//!   f(x + t d) ≤ f(x) + c₁ t dᵀ∇f(x)        dᵀ∇f(x + t d) ≥ c₂ dᵀ∇f(x)

/// Sufficient decrease and curvature: the values of Nocedal & Wright, p. 62.
const C: (f64, f64) = (1e-4, 0.9);
/// Trials of a line search; after as many halvings a step is below rounding.
const TRIALS: usize = 40;
/// Sums run in this many lanes, added in the end: the compiler may put them into one register, and the order is fixed.
const LANES: usize = 8;

/// When to stop, and how much to remember.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Pairs of differences that stand for the curvature.
    pub memory: usize,
    /// Steps at most.
    pub steps: usize,
    /// Stops when the gradient's norm is this share of what it is at zero.
    pub tolerance: f64,
}

/// A step that was taken and what it did to the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / stepᵀ change.
    rho: f64,
}

/// Minimises `f` from `x` on; `f` writes the gradient and returns the value. `scale` is the norm that the tolerance is a
/// share of. Returns the number of steps.
pub(super) fn minimise(
    x: &mut [f64],
    settings: Settings,
    scale: f64,
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> usize {
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(x, &mut gradient);
    let (mut tried, mut tried_gradient) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let mut pairs: Vec<Pair> = Vec::with_capacity(settings.memory);
    for steps in 0..settings.steps {
        let norm = dot(&gradient, &gradient).sqrt();
        if norm.is_nan() || norm <= settings.tolerance * scale {
            return steps;
        }
        let mut direction = downhill(&gradient, &pairs);
        if dot(&direction, &gradient) >= 0.0 {
            pairs.clear();
            direction = gradient.iter().map(|g| -g).collect();
        }
        let slope = dot(&direction, &gradient);
        // Without any curvature yet the first step has length 1.
        let mut t = if pairs.is_empty() { (1.0 / norm).min(1.0) } else { 1.0 };
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut found = None;
        for _ in 0..TRIALS {
            for ((y, x), d) in tried.iter_mut().zip(x.iter()).zip(&direction) {
                *y = x + t * d;
            }
            let there = f(&tried, &mut tried_gradient);
            // A value that is no number counts as too high.
            let low_enough = there <= value + C.0 * t * slope;
            if !low_enough {
                high = t;
            } else if dot(&direction, &tried_gradient) < C.1 * slope {
                low = t;
                found = Some(there);
            } else {
                found = Some(there);
                break;
            }
            t = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * low };
        }
        let Some(there) = found.filter(|there| *there < value) else { return steps };
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let (step, change) = (difference(&tried, x), difference(&tried_gradient, &gradient));
        let curvature = dot(&step, &change);
        if curvature > 0.0 {
            if pairs.len() == settings.memory {
                pairs.remove(0);
            }
            pairs.push(Pair { step, change, rho: 1.0 / curvature });
        }
        x.copy_from_slice(&tried);
        std::mem::swap(&mut gradient, &mut tried_gradient);
        value = there;
    }
    settings.steps
}

/// −H ∇f with H from the pairs: the two loops of algorithm 7.4.
fn downhill(gradient: &[f64], pairs: &[Pair]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.step, &q);
        add(&mut q, -alpha, &pair.change);
        alphas.push(alpha);
    }
    if let Some(last) = pairs.last() {
        let gamma = 1.0 / (last.rho * dot(&last.change, &last.change));
        q.iter_mut().for_each(|q| *q *= gamma);
    }
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = pair.rho * dot(&pair.change, &q);
        add(&mut q, alpha - beta, &pair.step);
    }
    q
}

fn add(sum: &mut [f64], factor: f64, x: &[f64]) {
    sum.iter_mut().zip(x).for_each(|(s, x)| *s += factor * x);
}

/// The sum of products, in a fixed order.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badly_scaled_convex_function_is_minimised() {
        // Σ cᵢ (xᵢ − i)² with c from 1 to 10⁴, and a quartic term that makes it no quadratic.
        let f = |x: &[f64], g: &mut [f64]| {
            let mut value = 0.0;
            for (i, (x, g)) in x.iter().zip(g).enumerate() {
                let (c, d) = (10f64.powf(i as f64 / 5.0), x - i as f64);
                value += c * d * d + d.powi(4);
                *g = 2.0 * c * d + 4.0 * d.powi(3);
            }
            value
        };
        let mut x = vec![0.0; 21];
        let steps = minimise(&mut x, Settings { memory: 6, steps: 600, tolerance: 1e-8 }, 1e4, f);
        assert!(steps < 500, "{steps}");
        for (i, x) in x.iter().enumerate() {
            // The gradient is at most 1e-4, and the curvature at least 2.
            assert!((x - i as f64).abs() < 1e-4, "{i}: {x}");
        }
    }

    #[test]
    fn rosenbrock_is_minimised_from_the_usual_start() {
        let f = |x: &[f64], g: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * b * x[0];
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        };
        let mut x = [-1.2, 1.0];
        let steps = minimise(&mut x, Settings { memory: 5, steps: 200, tolerance: 1e-10 }, 1.0, f);
        assert!(steps < 100 && (x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8, "{steps} {x:?}");
    }
}
