//! What is measured of captions, and how it is shown.

use super::data::{Example, Size};
use crate::error::Error;
use crate::metrics::Estimate;
use crate::metrics::bleu::{bleu, bleu_estimate};
use crate::metrics::chrf::{chrf, chrf_estimate};
use crate::metrics::tokenize::Tokens;
use crate::report::{Picture, Sample, Section};
use crate::task::{Against, Beside, Shown};

/// Samples on the page.
const SAMPLES: usize = 20;

/// How like captions are to what they should be.
pub struct Likeness {
    /// 0 to 100.
    pub bleu: f64,
    /// 0 to 100.
    pub chrf: f64,
    /// The share that is right to the letter.
    pub exact: f64,
}

/// Of all captions.
///
/// # Errors
/// No caption.
pub fn likeness(said: &[String], wanted: &[String]) -> Result<Likeness, Error> {
    let right = said.iter().zip(wanted).filter(|(s, w)| s == w).count();
    Ok(Likeness {
        bleu: bleu(said, wanted, Tokens::default())?.score,
        chrf: chrf(said, wanted)?.score,
        exact: right as f64 / wanted.len().max(1) as f64,
    })
}

/// Words of a caption.
pub fn words(caption: &str) -> usize {
    caption.split(' ').count()
}

/// Intervals, the nearest picture's captions, chrF against length, and pictures with their captions.
pub fn shown(
    (all, size): (&[Example], Size),
    said: &[String],
    wanted: &[String],
    near: &Likeness,
) -> Result<Shown, Error> {
    let right = said.iter().zip(wanted).filter(|(s, w)| s == w).count();
    let mut intervals =
        vec![("chrf", chrf_estimate(said, wanted)?), ("bleu", bleu_estimate(said, wanted, Tokens::default())?)];
    intervals.extend(Estimate::share(right, wanted.len()).map(|e| ("exact", e)));
    let values = [("chrf", near.chrf), ("bleu", near.bleu), ("exact", near.exact)];
    let values = values.map(|(name, value)| (name.to_string(), value)).to_vec();
    let Size { height, width, channels } = size;
    let sample = |k: usize| Sample {
        wanted: Some(wanted[k].clone()),
        picture: Some(Picture { height, width, channels, pixels: all[k].pixels.clone() }),
        ..Sample::of("", &said[k])
    };
    let count = SAMPLES.min(all.len());
    let samples = (0..count).map(|k| sample(k * all.len() / count)).collect();
    let pairs = said.iter().zip(wanted).map(|(s, w)| (s.as_str(), w.as_str()));
    Ok(Shown {
        intervals,
        baselines: vec![Beside { name: "nearest picture".into(), values }],
        against: Some(Against::chrf(wanted.iter().map(|w| words(w)).collect(), pairs)),
        sections: vec![Section::samples("Samples", ["picture", "wanted", "given"], samples)],
        ..Shown::default()
    })
}
