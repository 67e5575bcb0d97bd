//! Cross-validation: each share of the examples is the test part once.
//!
//! Each fold is a run like any other, in a folder `1`, `2` … of the given one; its validation part is a tenth of what is left.

use super::settings::FOLDS;
use super::{Ended, Part, Settings, evaluate, open, resume, train};
use crate::baseline::ngrams::Choose;
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
    /// What the scores are.
    pub figure: &'static str,
    /// In order.
    pub scores: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, by n − 1.
    pub deviation: f64,
    /// The mean of the baseline on the same parts, where there is one.
    pub baseline: Option<f64>,
    /// How many folds are above the baseline, where there is one.
    pub ahead: Option<usize>,
}

impl fmt::Display for Folds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} folds, {} on the share left out: mean {:.4}, standard deviation {:.4}",
            self.scores.len(),
            self.figure,
            self.mean,
            self.deviation
        )?;
        let Some((baseline, ahead)) = self.baseline.zip(self.ahead) else { return Ok(()) };
        let folds = self.scores.len();
        writeln!(
            f,
            "baseline, linear, tuned alike: mean {baseline:.4}; the model is above it on {ahead} of {folds} folds"
        )
    }
}

/// How cross-validation ended.
pub enum Outcome {
    /// All folds were tested.
    Finished(Folds),
    /// By a signal, in this fold, with all saved: the same call goes on.
    Stopped(usize),
}

/// Trains and tests every fold, and goes on where an earlier call with the same settings was stopped.
///
/// # Errors
/// As [`train()`] and [`evaluate`]; a fold that cannot be, a folder with folds of other settings.
pub fn folds(
    settings: &Settings,
    folds: usize,
    out: &Path,
    machine: Machine,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event),
) -> Result<Outcome, Error> {
    if !(2..=FOLDS).contains(&folds) {
        return Err(Error::Refused(format!("--folds is {folds}: shares of the examples, from 2 to {FOLDS}")));
    }
    let (figure, key) = match settings.train.choose {
        Choose::Accuracy => ("accuracy", "accuracy"),
        Choose::MacroF1 => ("macro F1", "macro_f1"),
    };
    let (mut scores, mut baselines) = (vec![], vec![]);
    let write = |source| Error::Write { file: crate::whole_file::shown(out), source };
    std::fs::create_dir_all(out).map_err(write)?;
    for fold in 1..=folds {
        let mut own = settings.clone();
        own.data.fold = Some([fold, folds]);
        let folder = out.join(fold.to_string());
        let mut watch_one = |event: super::Event| watch(Event::Training(fold, event));
        let ended = match folder.exists() {
            false => train(own, &folder, machine, &mut watch_one, stop)?,
            true => {
                let (trained, mut own) = (open(&folder)?.settings, own.resolved());
                // Columns that nobody asked for are those that were found.
                own.data.text = own.data.text.or_else(|| trained.data.text.clone());
                own.data.label = own.data.label.or_else(|| trained.data.label.clone());
                if trained != own {
                    let name = crate::whole_file::shown(&folder);
                    return Err(Error::Refused(format!("{name}: a run of other settings; take another --out")));
                }
                resume(&folder, false, machine, &mut watch_one, stop)?
            }
        };
        if let Ended::Stopped { .. } = ended {
            return Ok(Outcome::Stopped(fold));
        }
        let figures = evaluate(&folder, None, Part::Test, machine, stop)?;
        watch(Event::Tested(fold, figures.score));
        scores.push(figures.score);
        baselines.extend(figures.details["baseline"]["figures"][key]["value"].as_f64());
    }
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let deviation = (scores.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
    let all = baselines.len() == scores.len();
    let baseline = all.then(|| baselines.iter().sum::<f64>() / n);
    let ahead = all.then(|| scores.iter().zip(&baselines).filter(|(score, other)| score > other).count());
    Ok(Outcome::Finished(Folds { figure, scores, mean, deviation, baseline, ahead }))
}
