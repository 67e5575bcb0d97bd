//! The numbers of a network's parameters, and how they start.

use elman_cell::cell::Init;
use elman_kernel::Real;

use crate::error::EngineError;
use crate::network::{Network, Tensor};
use crate::random::Random;

/// One row-major tensor per parameter, in the order of [`Network::parameters`].
#[derive(Clone, Debug, PartialEq)]
pub struct Weights<T>(pub Vec<Vec<T>>);

impl<T: Real> Weights<T> {
    /// Starts every parameter as its cell says; by default uniform in ±1/√hidden. Parameter k draws from stream k of
    /// `seed`, so the numbers depend on nothing else; `f32` weights are the `f64` ones rounded.
    pub fn init(network: &Network, seed: u64) -> Weights<T> {
        let bound = 1.0 / (network.spec().hidden as f64).sqrt();
        Weights::init_as(network, seed, 0, Init::Uniform(bound))
    }

    /// The same, with parameter k drawing from stream `first + k`, and `default` where the cell says nothing.
    pub fn init_as(network: &Network, seed: u64, first: u64, default: Init) -> Weights<T> {
        let one = |(k, t): (usize, &Tensor)| {
            let init = network.0.inits[k].unwrap_or(default);
            initial(init, &t.shape, &mut Random::new(seed, first + k as u64))
        };
        Weights(network.parameters().iter().enumerate().map(one).collect())
    }

    /// Zeros of the same shapes.
    pub fn zeros(network: &Network) -> Weights<T> {
        Weights(network.parameters().iter().map(|t| vec![T::ZERO; t.count()]).collect())
    }

    /// Checks the number and lengths of the tensors.
    ///
    /// # Errors
    /// Names the first tensor that is missing or misshapen.
    pub fn check(&self, network: &Network) -> Result<(), EngineError> {
        let wanted = network.parameters();
        if self.0.len() != wanted.len() {
            return Err(EngineError::Length {
                what: "weights (tensors)".into(),
                found: self.0.len(),
                wanted: wanted.len(),
            });
        }
        for (found, t) in self.0.iter().zip(wanted) {
            if found.len() != t.count() {
                return Err(EngineError::Length { what: t.name.clone(), found: found.len(), wanted: t.count() });
            }
        }
        Ok(())
    }
}

/// A tensor of this shape as an initialiser draws it.
pub fn initial<T: Real>(init: Init, shape: &[usize], random: &mut Random) -> Vec<T> {
    fill(init, shape, random).into_iter().map(T::from_f64).collect()
}

fn fill(init: Init, shape: &[usize], random: &mut Random) -> Vec<f64> {
    let n = shape.iter().product();
    let (rows, columns) = (shape.first().copied().unwrap_or(1), shape.get(1).copied().unwrap_or(1));
    let mut uniform = |a: f64| (0..n).map(|_| (2.0 * random.uniform() - 1.0) * a).collect();
    match init {
        Init::Constant(c) => vec![c; n],
        Init::Uniform(a) => uniform(a),
        Init::Xavier => uniform((6.0 / (rows + columns) as f64).sqrt()),
        Init::Normal(s) => (0..n).map(|_| random.normal() * s).collect(),
        Init::He => (0..n).map(|_| random.normal() * (2.0 / columns as f64).sqrt()).collect(),
        Init::Identity => (0..n).map(|i| if i / columns == i % columns { 1.0 } else { 0.0 }).collect(),
        Init::Orthogonal => orthogonal(rows, columns, random),
    }
}

/// Gram-Schmidt, done twice, on normal rows (on columns where there are more rows).
fn orthogonal(rows: usize, columns: usize, random: &mut Random) -> Vec<f64> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = vec![];
    while basis.len() < count {
        let mut v: Vec<f64> = (0..length).map(|_| random.normal()).collect();
        for b in basis.iter().chain(&basis) {
            let dot: f64 = v.iter().zip(b).map(|(x, y)| x * y).sum();
            v.iter_mut().zip(b).for_each(|(x, y)| *x -= dot * y);
        }
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 1e-6 {
            v.iter_mut().for_each(|x| *x /= norm);
            basis.push(v);
        }
    }
    let at = |i: usize| if rows <= columns { basis[i / columns][i % columns] } else { basis[i % columns][i / columns] };
    (0..rows * columns).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_columns_are_orthonormal() {
        let (rows, columns) = (7, 4);
        let w = orthogonal(rows, columns, &mut Random::new(3, 1));
        for a in 0..columns {
            for b in 0..columns {
                let dot: f64 = (0..rows).map(|i| w[i * columns + a] * w[i * columns + b]).sum();
                assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-12);
            }
        }
    }
}
