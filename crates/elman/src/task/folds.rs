//! Cross-validation: each share of the examples is the test part once.
//!
//! Each fold is a run like any other, in a folder `1`, `2` … of the given one; its validation part is a tenth of what is left.

use super::{Ended, Part, Settings, evaluate, train};
use crate::error::Error;
use crate::train::Machine;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Something that happened.
pub enum Event<'a> {
    /// In the training of a fold, from 1.
    Training(usize, super::Event<'a>),
    /// A fold was tested, with this score.
    Tested(usize, f64),
}

/// Scores of all folds on their test parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Folds {
    /// In order.
    pub scores: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, by n − 1.
    pub deviation: f64,
    /// The mean accuracy of the baseline on the same parts, where there is one.
    pub baseline: Option<f64>,
}

impl fmt::Display for Folds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} folds: mean {:.4}, standard deviation {:.4}", self.scores.len(), self.mean, self.deviation)?;
        self.baseline.map_or(Ok(()), |accuracy| writeln!(f, "baseline, linear, tuned alike: mean {accuracy:.4}"))
    }
}

/// Trains and tests every fold. A fold whose folder exists is refused as any run's is.
///
/// # Errors
/// As [`train()`] and [`evaluate`]; being stopped.
pub fn folds(
    settings: &Settings,
    folds: usize,
    out: &Path,
    machine: Machine,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event),
) -> Result<Folds, Error> {
    let (mut scores, mut baselines) = (vec![], vec![]);
    let write = |source| Error::Write { file: crate::whole_file::shown(out), source };
    std::fs::create_dir_all(out).map_err(write)?;
    for fold in 1..=folds {
        let mut own = settings.clone();
        own.data.fold = Some([fold, folds]);
        let folder = out.join(fold.to_string());
        let ended = train(own, &folder, machine, &mut |event| watch(Event::Training(fold, event)), stop)?;
        if let Ended::Stopped { .. } = ended {
            return Err(Error::Refused(format!("stopped in fold {fold}; take another --out to begin again")));
        }
        let figures = evaluate(&folder, None, Part::Test, machine, stop)?;
        watch(Event::Tested(fold, figures.score));
        scores.push(figures.score);
        baselines.extend(figures.details["baseline"]["figures"]["accuracy"]["value"].as_f64());
    }
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let deviation = (scores.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
    let baseline = (baselines.len() == scores.len()).then(|| baselines.iter().sum::<f64>() / n);
    Ok(Folds { scores, mean, deviation, baseline })
}
