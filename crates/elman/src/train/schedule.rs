//! How the rate changes.
//!
//!   ηₜ = η · warm-up(t) · share        warm-up(t) = min(1, (t + 1) / w)
//!
//! plateau: share ← share · f after evaluations without improvement (halving after three such epochs, then each epoch, is
//! Jozefowicz et al. 2015). step: share = f^(epochs after the first ones), as in Zaremba et al. 2014. cosine:
//! share = l + (1 − l)(1 + cos πp)/2 at the part p of all steps (Loshchilov & Hutter 2017, arXiv:1608.03983).

use crate::run::config::{Schedule, ScheduleName};
use serde::{Deserialize, Serialize};

/// What a plateau remembers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    share: f64,
    waited: u64,
    begun: bool,
}

impl Default for Plateau {
    fn default() -> Plateau {
        Plateau { share: 1.0, waited: 0, begun: false }
    }
}

impl Plateau {
    /// After an evaluation.
    pub fn evaluated(&mut self, schedule: &Schedule, improved: bool) {
        if schedule.kind != ScheduleName::Plateau {
            return;
        }
        self.waited = if improved { 0 } else { self.waited + 1 };
        if self.waited > schedule.patience || (self.begun && schedule.keep_going) {
            self.share = (self.share * schedule.factor).max(schedule.lowest);
            (self.waited, self.begun) = (0, true);
        }
    }
}

/// Where training is.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Steps so far.
    pub step: u64,
    /// Steps in all.
    pub steps: u64,
    /// Epochs so far.
    pub epoch: u64,
}

/// The rate of the next step.
pub fn rate(base: f64, schedule: &Schedule, plateau: &Plateau, at: Moment) -> f64 {
    let share = match schedule.kind {
        ScheduleName::Constant => 1.0,
        ScheduleName::Plateau => plateau.share,
        ScheduleName::Step => {
            let after = (at.epoch + 1).saturating_sub(schedule.hold.max(1));
            schedule.factor.powf(after as f64).max(schedule.lowest)
        }
        ScheduleName::Cosine => {
            let part = at.step as f64 / at.steps.max(1) as f64;
            schedule.lowest + (1.0 - schedule.lowest) * (1.0 + (std::f64::consts::PI * part).cos()) / 2.0
        }
    };
    let warm = if at.step < schedule.warmup { (at.step + 1) as f64 / schedule.warmup as f64 } else { 1.0 };
    base * share * warm
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64, epoch: u64) -> Moment {
        Moment { step, steps: 100, epoch }
    }

    #[test]
    fn a_plateau_is_borne_then_halves_and_may_keep_halving() {
        let share = |keep_going, evaluations: &[bool]| {
            let schedule = Schedule { patience: 1, keep_going, ..Schedule::default() };
            let mut plateau = Plateau::default();
            evaluations.iter().for_each(|e| plateau.evaluated(&schedule, *e));
            rate(1.0, &schedule, &plateau, at(5, 5))
        };
        assert_eq!(share(false, &[true, false, true, false]), 1.0);
        assert_eq!(share(false, &[true, false, false, true, false]), 0.5);
        assert_eq!(share(true, &[true, false, false, true, true]), 0.125);
    }

    #[test]
    fn steps_cosines_and_warm_up() {
        let step = Schedule { kind: ScheduleName::Step, hold: 4, ..Schedule::default() };
        let of = |s: &Schedule, step, epoch| rate(2.0, s, &Plateau::default(), at(step, epoch));
        assert_eq!([of(&step, 0, 0), of(&step, 0, 3), of(&step, 0, 4), of(&step, 0, 5)], [2.0, 2.0, 1.0, 0.5]);
        let cosine = Schedule { kind: ScheduleName::Cosine, lowest: 0.1, ..Schedule::default() };
        assert_eq!(of(&cosine, 0, 0), 2.0);
        assert!((of(&cosine, 50, 0) - 1.1).abs() < 1e-12 && (of(&cosine, 100, 0) - 0.2).abs() < 1e-12);
        let warm = Schedule { kind: ScheduleName::Constant, warmup: 4, ..Schedule::default() };
        assert_eq!([of(&warm, 0, 0), of(&warm, 1, 0), of(&warm, 4, 0)], [0.5, 1.0, 2.0]);
    }
}
