//! What stands for words, characters, labels: entries with numbers.

use crate::error::Error;
use crate::run::Folder;
use crate::whole_file::shown;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Entries by number; 0 stands for all that are not known, where there is one.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    entries: Vec<String>,
    ids: HashMap<String, u32>,
}

/// How a lexicon lies in a file.
#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    entries: Vec<String>,
}

/// What stands for unknown words.
pub const UNKNOWN: &str = "<unk>";

impl Lexicon {
    /// From entries that differ, in this order.
    pub fn from_entries(entries: Vec<String>) -> Lexicon {
        let ids = entries.iter().enumerate().map(|(id, entry)| (entry.clone(), id as u32)).collect();
        Lexicon { entries, ids }
    }

    /// [`UNKNOWN`], then the words that occur at least `min_count` times, the commonest first, at most `limit` of them.
    pub fn of_words<'w>(words: impl IntoIterator<Item = &'w str>, min_count: u64, limit: usize) -> Lexicon {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        words.into_iter().for_each(|w| *counts.entry(w).or_default() += 1);
        let mut known: Vec<(&str, u64)> =
            counts.into_iter().filter(|(w, n)| *n >= min_count && *w != UNKNOWN).collect();
        known.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let words = known.into_iter().take(limit).map(|(w, _)| w.to_string());
        Lexicon::from_entries(std::iter::once(UNKNOWN.to_string()).chain(words).collect())
    }

    /// All different values, sorted.
    pub fn of_labels<'w>(labels: impl IntoIterator<Item = &'w str>) -> Lexicon {
        let all: std::collections::BTreeSet<&str> = labels.into_iter().collect();
        Lexicon::from_entries(all.into_iter().map(str::to_string).collect())
    }

    /// The number of an entry.
    pub fn id(&self, entry: &str) -> Option<u32> {
        self.ids.get(entry).copied()
    }

    /// The number of an entry, 0 for one that is not known.
    pub fn id_or_unknown(&self, entry: &str) -> u32 {
        self.id(entry).unwrap_or(0)
    }

    /// An entry; empty for a number that there is not.
    pub fn entry(&self, id: u32) -> &str {
        self.entries.get(id as usize).map_or("", String::as_str)
    }

    /// All of them.
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Writes it into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder, name: &str) -> Result<(), Error> {
        let written = Written { format: 1, entries: self.entries.clone() };
        let json = serde_json::to_string_pretty(&written).map_err(|e| Error::Refused(format!("{name}: {e}")))?;
        folder.write(name, json.into_bytes())
    }

    /// Reads it back.
    ///
    /// # Errors
    /// No such file, one that is no lexicon, an entry that stands twice.
    pub fn read(folder: &Folder, name: &str) -> Result<Lexicon, Error> {
        let path = folder.join(name);
        let way = "put the file back as it was, or train again";
        let wrong = |why: String| Error::Refused(format!("{}: {why}; {way}", shown(&path)));
        let json = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        let written: Written = serde_json::from_str(&json).map_err(|e| wrong(e.to_string()))?;
        let count = written.entries.len();
        let lexicon = Lexicon::from_entries(written.entries);
        if lexicon.ids.len() != count {
            return Err(wrong("an entry stands there twice".into()));
        }
        Ok(lexicon)
    }
}
