//! How many steps training had, and what follows from it: how they become one answer.

use crate::error::Error;
use crate::run::Folder;
use crate::task::settings::{PoolName, Settings, UnitName};
use crate::whole_file::shown;
use serde::{Deserialize, Serialize};

const FILE: &str = "steps.json";

/// What training texts, pictures or series have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Steps {
    /// How all steps become one answer; never `auto`.
    pub pool: PoolName,
    /// Steps of the longest training example.
    pub places: usize,
}

impl Steps {
    /// Of training examples with so many steps: strings of one length, character by character, have places that mean
    /// something.
    pub fn of(settings: &Settings, lengths: &[usize]) -> Steps {
        let places = lengths.iter().copied().max().unwrap_or(0).max(1);
        let alike = lengths.iter().all(|n| *n == places);
        let pool = match settings.model.pool {
            PoolName::Auto if settings.data.unit == UnitName::Char && alike => PoolName::Places,
            PoolName::Auto => PoolName::Max,
            other => other,
        };
        Steps { pool, places }
    }

    /// Refuses an example that has steps beyond the last place, if places count.
    ///
    /// # Errors
    /// It says how many there are.
    pub fn check(self, steps: usize, place: &str) -> Result<(), Error> {
        if self.pool != PoolName::Places || steps <= self.places {
            return Ok(());
        }
        let places = self.places;
        Err(Error::Refused(format!(
            "{place}: {steps} steps, and the model has weights for {places} places: cut it, or train with --pool max"
        )))
    }

    /// Writes it into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(self, folder: &Folder) -> Result<(), Error> {
        let json = serde_json::to_string_pretty(&self).map_err(|e| Error::Refused(format!("{FILE}: {e}")))?;
        folder.write(FILE, json.into_bytes())
    }

    /// Reads it back. A run without the file was trained with the pooling of its settings.
    ///
    /// # Errors
    /// A damaged file.
    pub fn read(folder: &Folder, settings: &Settings) -> Result<Steps, Error> {
        let path = folder.join(FILE);
        let Ok(json) = std::fs::read_to_string(&path) else { return Ok(Steps::of(settings, &[])) };
        let steps: Steps = serde_json::from_str(&json).map_err(|e| {
            Error::Refused(format!("{}: {e}; put the file back as it was, or train again", shown(&path)))
        })?;
        Ok(Steps { places: steps.places.clamp(1, 1 << 24), ..steps })
    }
}
