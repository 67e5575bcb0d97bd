//! Gradient clipping. Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063.
//!
//!   g ← g · c / ‖g‖ where ‖g‖ > c          gᵢ ← max(−c, min(c, gᵢ))

use super::PIECE;
use elman_kernel::{Real, Team};

/// The Euclidean norm of all gradients: per tensor 16 lanes of `f64` in order, added as a tree, then tensor by tensor.
/// Threads share the tensors.
pub fn norm<T: Real>(team: &Team, gradients: &[Vec<T>]) -> f64 {
    let mut sums = vec![0.0; gradients.len()];
    let longest = gradients.iter().map(Vec::len).max().unwrap_or(0);
    let each: Vec<_> = gradients.iter().zip(&mut sums).collect();
    let sum = |(g, sum): (&Vec<T>, &mut f64)| *sum = squares(g);
    if longest < PIECE {
        each.into_iter().for_each(sum)
    } else {
        team.each(each, sum)
    }
    sums.iter().sum::<f64>().sqrt()
}

fn squares<T: Real>(g: &[T]) -> f64 {
    let mut lanes = [0f64; 16];
    for chunk in g.chunks(16) {
        lanes.iter_mut().zip(chunk).for_each(|(l, x)| *l += x.to_f64() * x.to_f64());
    }
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
    }
    lanes[0]
}

/// What gradients of this norm are multiplied with, so that it is at most `limit`.
pub fn clip_scale(norm: f64, limit: f64) -> f64 {
    if norm > limit { limit / norm } else { 1.0 }
}

/// Limits each gradient to ±`limit`. NaN stays NaN.
pub fn clip_value<T: Real>(gradients: &mut [Vec<T>], limit: f64) {
    let (low, high) = (T::from_f64(-limit), T::from_f64(limit));
    for g in gradients.iter_mut().flatten() {
        if *g > high {
            *g = high;
        } else if *g < low {
            *g = low;
        }
    }
}
