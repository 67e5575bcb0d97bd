//! What can go wrong in this crate, each with the facts to mend it.

use crate::baseline::BaselineError;
use crate::cells::CellError;
use crate::data::DataError;
use crate::metrics::MetricError;
use crate::synth::SynthError;
use crate::tensors::TensorError;
use crate::text::TextError;
use elman_engine::EngineError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such cell, or its equations are wrong.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// A file of tensors is not what it should be.
    #[error(transparent)]
    Tensors(#[from] TensorError),
    /// The engine refuses.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A text, a vocabulary or a corpus is not what it should be.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A file of data is not what it should be.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Made data of a name or with options that there are not.
    #[error(transparent)]
    Synth(#[from] SynthError),
    /// A baseline has nothing to learn from or to choose among.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// Predictions cannot be scored.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// Training came to numbers that are no numbers.
    #[error("{0}")]
    Diverged(String),
    /// A file could not be written.
    #[error("{file}: {source}{}", way_out(.source))]
    Write {
        /// The file.
        file: String,
        /// What the file system said.
        source: std::io::Error,
    },
    /// What was asked for cannot be done.
    #[error("{0}")]
    Refused(String),
}

/// What to do about the commonest reasons.
fn way_out(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
            "; take a folder that can be written to"
        }
        std::io::ErrorKind::StorageFull => "; make room on the disk, nothing that stood there was lost",
        _ => "",
    }
}
