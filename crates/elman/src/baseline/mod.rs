//! Baselines: what a network has to beat. Each gets the same training part as the network, and its own settings are chosen
//! on the same validation part; none ever sees the test part before it predicts.
//!
//! | file | for | what it does |
//! |---|---|---|
//! | `ngrams` | classes of texts | logistic regression on n-grams of words and characters, or on positions |
//! | `crf` | tags of words | a linear-chain conditional random field on features of words |
//! | `retrieve` | documents for a query | the nearest by TF-IDF |
//! | `nearest` | classes and captions of pictures | the nearest picture by its pixels |
//!
//! All run on one thread and give the same bits everywhere.

pub mod crf;
mod error;
mod lbfgs;
pub mod nearest;
pub mod ngrams;
pub mod retrieve;

pub use error::BaselineError;

/// Strengths of regularisation from the least C on: the weakest model comes first, and the next goes on from it.
fn ascending(strengths: &[f64]) -> Result<Vec<f64>, BaselineError> {
    let wrong = |s: &&f64| !(s.is_finite() && **s > 0.0);
    if let Some(value) = strengths.iter().find(wrong) {
        return Err(BaselineError::Setting { what: "the strength C", value: *value });
    }
    if strengths.is_empty() {
        return Err(BaselineError::NoChoice { what: "strength" });
    }
    let mut strengths = strengths.to_vec();
    strengths.sort_by(f64::total_cmp);
    Ok(strengths)
}
