//! Averages of parameters over steps. Polyak & Juditsky 1992; NT-ASGD (Merity, Keskar & Socher 2018, arXiv:1708.02182)
//! starts one when the validation loss has not improved for some evaluations.
//!
//!   a ← a + (θ − a) / n

use elman_kernel::Real;
use elman_kernel::code::Binary;

use super::multiply_add;

/// The mean of the parameters seen so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Average<T> {
    /// The mean.
    pub parameters: Vec<Vec<T>>,
    /// How many were averaged.
    pub count: u64,
}

impl<T: Real> Average<T> {
    /// Starts at these parameters.
    pub fn start(parameters: &[Vec<T>]) -> Average<T> {
        Average { parameters: parameters.to_vec(), count: 1 }
    }

    /// Takes in one more.
    pub fn add(&mut self, parameters: &[Vec<T>]) {
        self.count += 1;
        let share = T::from_f64(1.0 / self.count as f64);
        for (mean, parameter) in self.parameters.iter_mut().zip(parameters) {
            for (a, p) in mean.iter_mut().zip(parameter) {
                *a = multiply_add(share, T::binary(Binary::Sub, *p, *a), *a);
            }
        }
    }
}
