//! Multinomial logistic regression with L2, trained to convergence by L-BFGS.
//!
//!   minimise  − Σᵢ ln p(yᵢ | xᵢ) + ‖W‖² / 2C        p(· | x) = softmax(W x + b)
//!
//! b is the weight of a column that is 1 in each row, and counts in ‖W‖.

use super::features::Rows;
use crate::baseline::lbfgs::{self, Settings, dot};

/// Seldom reached: the tolerance stops it before.
const SETTINGS: Settings = Settings { memory: 7, steps: 300, tolerance: 1e-4 };

/// A trained model.
#[derive(Clone, Debug)]
pub(super) struct Logistic {
    classes: usize,
    /// [columns + 1, classes]; the last row is b.
    weights: Vec<f64>,
}

impl Logistic {
    /// All weights 0.
    pub fn zero(columns: usize, classes: usize) -> Logistic {
        Logistic { classes, weights: vec![0.0; (columns + 1) * classes] }
    }

    /// [columns + 1, classes]; the last row is b.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// With weights that were trained before; `None` where they are not so many.
    pub fn of_weights(columns: usize, classes: usize, weights: Vec<f64>) -> Option<Logistic> {
        (weights.len() == (columns + 1) * classes).then_some(Logistic { classes, weights })
    }

    /// Trains on, from the weights that there are.
    pub fn fit(&mut self, rows: &Rows, labels: &[usize], strength: f64) {
        let mut at_zero = vec![0.0; self.weights.len()];
        objective(&vec![0.0; self.weights.len()], &mut at_zero, rows, labels, self.classes, strength);
        let scale = dot(&at_zero, &at_zero).sqrt();
        let classes = self.classes;
        lbfgs::minimise(&mut self.weights, SETTINGS, scale, |w, g| objective(w, g, rows, labels, classes, strength));
    }

    /// The probability of each class for row `row`.
    pub fn probabilities(&self, rows: &Rows, row: usize) -> Vec<f64> {
        let mut p = vec![0.0; self.classes];
        scores(&self.weights, rows, row, &mut p);
        softmax(&mut p);
        p
    }
}

/// The value; the gradient goes to `gradient`.
fn objective(
    weights: &[f64],
    gradient: &mut [f64],
    rows: &Rows,
    labels: &[usize],
    classes: usize,
    strength: f64,
) -> f64 {
    gradient.iter_mut().zip(weights).for_each(|(g, w)| *g = w / strength);
    let mut value = dot(weights, weights) / (2.0 * strength);
    let mut p = vec![0.0; classes];
    for (row, label) in labels.iter().enumerate() {
        scores(weights, rows, row, &mut p);
        let right = p[*label];
        value += softmax(&mut p) - right;
        p[*label] -= 1.0;
        let (columns, values) = rows.row(row);
        for (column, v) in columns.iter().zip(values) {
            let g = &mut gradient[*column as usize * classes..][..classes];
            g.iter_mut().zip(&p).for_each(|(g, d)| *g += f64::from(*v) * d);
        }
        let bias = gradient.len() - classes;
        gradient[bias..].iter_mut().zip(&p).for_each(|(g, d)| *g += d);
    }
    value
}

fn scores(weights: &[f64], rows: &Rows, row: usize, scores: &mut [f64]) {
    let classes = scores.len();
    scores.copy_from_slice(&weights[weights.len() - classes..]);
    let (columns, values) = rows.row(row);
    for (column, v) in columns.iter().zip(values) {
        let w = &weights[*column as usize * classes..][..classes];
        scores.iter_mut().zip(w).for_each(|(s, w)| *s += f64::from(*v) * w);
    }
}

/// Scores become probabilities; returns ln Σ exp(score).
pub(crate) fn softmax(scores: &mut [f64]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|s| *s = (*s - most).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|s| *s /= sum);
    most + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::ngrams::features::{Columns, Features, Weights};

    fn made() -> (Columns, Rows, Vec<usize>) {
        let features = Features { words: 2, characters: 0, positions: 0, weights: Weights::TfIdf, least: 1 };
        let texts = ["a b c", "b b d", "c a", "d e a b", "e"];
        let columns = Columns::of(features, texts);
        let rows = columns.rows(texts);
        (columns, rows, vec![0, 1, 2, 1, 0])
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        let (columns, rows, labels) = made();
        let size = (columns.len() + 1) * 3;
        let at: Vec<f64> = (0..size).map(|i| ((i * 7919) % 13) as f64 / 6.5 - 1.0).collect();
        let value = |w: &[f64]| objective(w, &mut vec![0.0; size], &rows, &labels, 3, 0.7);
        let mut gradient = vec![0.0; size];
        objective(&at, &mut gradient, &rows, &labels, 3, 0.7);
        for i in 0..size {
            let moved = |by: f64| {
                let mut w = at.clone();
                w[i] += by;
                value(&w)
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((difference - gradient[i]).abs() < 1e-7, "{i}: {} {difference}", gradient[i]);
        }
    }

    #[test]
    fn training_ends_where_the_gradient_vanishes() {
        let (columns, rows, labels) = made();
        let mut model = Logistic::zero(columns.len(), 3);
        model.fit(&rows, &labels, 100.0);
        let mut gradient = vec![0.0; model.weights.len()];
        objective(&model.weights, &mut gradient, &rows, &labels, 3, 100.0);
        assert!(dot(&gradient, &gradient).sqrt() < 1e-3);
        for (row, label) in labels.iter().enumerate() {
            let p = model.probabilities(&rows, row);
            assert!(p[*label] > 0.8 && (p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{row}: {p:?}");
        }
    }
}
