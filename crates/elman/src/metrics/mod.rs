//! How good predictions are, as the field counts it. Wanted and given in, figures out; every figure is serialisable, and the
//! same numbers come from the same input on every machine.
//!
//! | file | figures |
//! |---|---|
//! | `classification` | accuracy, F1, confusion; tags in sentences in `tagging` |
//! | `bleu`, `chrf`, `rouge` | texts against reference texts |
//! | `edit` | edit distance, character and word error rate, exact match |
//! | `ranking` | recall@k, MRR, nDCG |
//! | `by_length` | any of these against length |
//!
//! Does not print and does not draw: see `report`.

pub mod bleu;
pub mod by_length;
pub mod chrf;
pub mod classification;
pub mod edit;
mod error;
pub mod estimate;
pub mod ranking;
pub mod rouge;
pub mod tagging;
pub mod tokenize;

pub use error::MetricError;
pub use estimate::Estimate;

/// Who computed, for signatures: these are not sacreBLEU's own numbers, though equal to them.
const VERSION: &str = concat!("elman-", env!("CARGO_PKG_VERSION"));

/// The least that every metric asks for: as many predictions as there are wanted, and at least one.
fn paired(given: usize, wanted: usize, what: &'static str) -> Result<(), MetricError> {
    match () {
        () if given != wanted => Err(MetricError::Unpaired { what, given, wanted }),
        () if wanted == 0 => Err(MetricError::Nothing { what }),
        () => Ok(()),
    }
}
