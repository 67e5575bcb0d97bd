//! When parameters begin to be averaged.
//!
//! NT-ASGD (Merity, Keskar & Socher 2018, arXiv:1708.02182): at an evaluation whose loss is above the lowest of all but
//! the last n evaluations before it.

use super::progress::Progress;
use crate::run::config::{Optimiser, RuleName};

/// Whether an average starts after this evaluation, which `history` ends with.
pub fn starts(optimiser: &Optimiser, progress: &Progress, ends_epoch: bool) -> bool {
    let next = progress.epoch + 1 + u64::from(ends_epoch);
    optimiser.average_from.is_some_and(|from| next >= from)
        || (optimiser.rule == RuleName::NtAsgd && not_monotone(&progress.history, optimiser.nonmonotone))
}

fn not_monotone(history: &[f64], n: usize) -> bool {
    let Some((last, before)) = history.split_last() else { return false };
    let old = &before[..before.len().saturating_sub(n)];
    !old.is_empty() && *last > old.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::not_monotone;

    #[test]
    fn the_last_evaluations_do_not_count() {
        assert!(!not_monotone(&[3.0, 2.0, 2.5], 2));
        assert!(!not_monotone(&[3.0, 2.0, 2.5, 2.6], 2));
        assert!(not_monotone(&[3.0, 2.0, 2.4, 2.5, 2.6], 2));
        assert!(not_monotone(&[2.0, 2.1], 0));
        assert!(!not_monotone(&[], 0));
    }
}
