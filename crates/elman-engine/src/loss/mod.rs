//! Losses that are primitives of their own: value and gradient by hand, each checked against differences.

mod crf;
mod ctc;
mod linear;
mod softmax;

pub use crf::{Crf, CrfGradients};
pub use ctc::{BLANK, ctc_loss, ctc_loss_and_gradient, log_softmax, shortest_input};
pub use linear::LinearHead;
pub use softmax::{HeadGradients, SoftmaxHead, TokenLosses};

/// log Σ exp x, summed in order; −∞ of nothing or of −∞ alone, NaN where a number is NaN.
pub fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if most.is_infinite() {
        return values.fold(most, |sum, x| sum + x);
    }
    most + values.map(|x| (x - most).exp()).sum::<f64>().ln()
}
