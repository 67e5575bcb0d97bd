//! A rate to start from. Smith 2017, arXiv:1506.01186: the rate grows at each step, and the loss tells where it helps.
//!
//!   ηₖ = η₀ · (η₁/η₀)^(k/n)        l̄ₖ = β l̄ₖ₋₁ + (1 − β) lₖ, divided by 1 − βᵏ
//!
//! What is proposed is the rate at which l̄ falls fastest on a logarithmic axis of rates. Ends when l̄ is far above its
//! lowest. Nothing is written.

use super::feed::Feed;
use super::plan::body;
use super::training::{Machine, Training};
use crate::cells;
use crate::error::Error;
use crate::model::State;
use crate::run::Config;
use std::sync::atomic::{AtomicBool, Ordering};

/// The rates that are tried, from and to.
const RATES: [f64; 2] = [1e-6, 100.0];
/// β of the smoothed loss.
const SMOOTHING: f64 = 0.9;
/// The sweep ends where the smoothed loss is this many times its lowest.
const FAR: f64 = 1.5;
/// Points on each side of one whose slope is taken.
const REACH: usize = 4;

/// The loss at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The rate.
    pub rate: f64,
    /// The smoothed loss: nats per token or scored symbol, or squared errors.
    pub loss: f64,
}

/// What a sweep found.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Rates, rising, and their losses.
    pub points: Vec<Point>,
    /// The rate to start from; `None` where the loss fell nowhere.
    pub rate: Option<f64>,
}

/// Sweeps `steps` rates over the training data, from the initial parameters.
///
/// # Errors
/// Settings, texts and cells that cannot work.
pub fn find_rate(config: Config, machine: Machine, steps: usize, stop: &AtomicBool) -> Result<Sweep, Error> {
    config.check()?;
    let body = body(&config, || Ok(cells::find(&config.model.cell)?))?;
    let feed = Feed::load(&config)?;
    let mut training = Training::new(config.resolved(), body, feed, machine)?;
    let (mut points, mut smooth, mut before) = (vec![], 0.0, (0.0, 0));
    for k in 0..steps.max(2) {
        let rate = RATES[0] * (RATES[1] / RATES[0]).powf(k as f64 / (steps.max(2) - 1) as f64);
        if training.progress.window >= training.plan.windows {
            training.progress.window = 0;
            training.state = State::default();
        }
        match training.step_at(rate) {
            Ok(_) => {}
            Err(Error::Diverged(_)) => break,
            Err(e) => return Err(e),
        }
        let now = (training.progress.loss, training.progress.loss_tokens);
        let loss = (now.0 - before.0) / (now.1 - before.1) as f64;
        before = now;
        smooth = SMOOTHING * smooth + (1.0 - SMOOTHING) * loss;
        points.push(Point { rate, loss: smooth / (1.0 - SMOOTHING.powi(k as i32 + 1)) });
        let lowest = points.iter().map(|p| p.loss).fold(f64::INFINITY, f64::min);
        if points[k].loss > FAR * lowest || stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let rate = steepest(&points);
    Ok(Sweep { points, rate })
}

/// The rate where the loss falls fastest.
fn steepest(points: &[Point]) -> Option<f64> {
    let slope = |k: usize| points[k + REACH].loss - points[k - REACH].loss;
    let inner = REACH..points.len().saturating_sub(REACH);
    let best = inner.min_by(|a, b| slope(*a).total_cmp(&slope(*b)))?;
    (slope(best) < 0.0).then_some(points[best].rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_fall_is_found_and_a_rise_is_none() {
        let at = |loss: fn(f64) -> f64| -> Vec<Point> {
            (0..60).map(|k| Point { rate: f64::from(k), loss: loss(f64::from(k)) }).collect()
        };
        let falls = steepest(&at(|k| 5.0 - ((k - 30.0) / 5.0).tanh())).unwrap();
        assert!((29.0..=31.0).contains(&falls), "{falls}");
        assert_eq!(steepest(&at(|k| k)), None);
        assert_eq!(steepest(&[]), None);
    }
}
