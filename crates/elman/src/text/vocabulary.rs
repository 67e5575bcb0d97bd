//! Vocabularies of words and of characters (Unicode scalar values), counted from a text.
//!
//! Ids: 0 is `<unk>`, 1 is `<eos>` (the end of a line), then by falling count, equal counts by text (in the order of
//! Unicode scalar values): the same text always gives the same ids. A word is what stands between white space; a word
//! `<unk>` or `<eos>` in the text is the special itself. This is how the Penn Treebank files are counted: their training
//! part has 929,589 tokens and 10,000 types. Subwords are in `subword.rs`.

use super::error::TextError;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The name of the special for what the vocabulary lacks.
pub const UNKNOWN: &str = "<unk>";
/// The name of the special for the end of a line.
pub const END: &str = "<eos>";
/// The id of [`UNKNOWN`].
pub const UNKNOWN_ID: u32 = 0;
/// The id of [`END`].
pub const END_ID: u32 = 1;
/// The largest vocabulary unless told otherwise.
pub const LIMIT: usize = 1 << 20;

const FORMAT: &str = "elman-vocabulary";
const VERSION: u32 = 1;
/// Counting stops when this many different entries were met: about 4 GiB of table.
const COUNTED: usize = 1 << 25;
/// What U+FFFD stands for when characters are decoded from `<unk>`.
const UNKNOWN_CHARACTER: char = '\u{FFFD}';

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What stands between white space.
    Word,
    /// A Unicode scalar value.
    Character,
}

/// Which entries to keep.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Entries met fewer times become `<unk>`.
    pub min_count: u64,
    /// At most this many entries, the two specials among them.
    pub max_size: Option<usize>,
    /// A vocabulary larger than this is refused rather than cut.
    pub limit: usize,
}

impl Default for Cut {
    fn default() -> Cut {
        Cut { min_count: 1, max_size: None, limit: LIMIT }
    }
}

/// A two-way table between entries and ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Vocabulary {
    kind: Kind,
    /// Begins with the two specials; no entry twice.
    entries: Vec<String>,
    counts: Vec<u64>,
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// Counts `text` and keeps what `cut` allows.
    ///
    /// Errors: more entries than `cut.limit`; a `max_size` without room for one entry beside the specials.
    pub fn count(kind: Kind, text: &str, cut: Cut) -> Result<Vocabulary, TextError> {
        if let Some(size) = cut.max_size.filter(|size| *size < 3) {
            return Err(TextError::SmallVocabulary { size, unit: "<unk>, <eos> and one entry", least: 3 });
        }
        let mut counts = match kind {
            Kind::Word => count_words(text)?,
            Kind::Character => count_characters(text),
        };
        let unknown = counts.remove(UNKNOWN).filter(|_| kind == Kind::Word).unwrap_or(0);
        let ends = counts.remove(END).unwrap_or(0) + text.matches('\n').count() as u64;
        let mut kept: Vec<(String, u64)> = counts.into_iter().filter(|(_, n)| *n >= cut.min_count).collect();
        kept.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(cut.max_size.map_or(usize::MAX, |size| size - 2));
        if kept.len() + 2 > cut.limit {
            return Err(too_large(kind, kept.len().to_string(), cut.limit));
        }
        let specials = [(UNKNOWN.to_string(), unknown), (END.to_string(), ends)];
        Ok(Vocabulary::of(kind, specials.into_iter().chain(kept)))
    }

    /// The table of `entries`, which begin with the specials and have none twice.
    fn of(kind: Kind, entries: impl IntoIterator<Item = (String, u64)>) -> Vocabulary {
        let (entries, counts): (Vec<String>, Vec<u64>) = entries.into_iter().unzip();
        let ids = entries.iter().zip(0..).map(|(e, id)| (e.clone(), id)).collect();
        Vocabulary { kind, entries, counts, ids }
    }

    /// What an entry is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The number of entries, the specials among them.
    pub fn size(&self) -> usize {
        self.entries.len()
    }

    /// All entries in the order of their ids.
    pub fn entries(&self) -> &[String] {
        &self.entries
    }

    /// How often the entry `id` stood in the text that was counted.
    pub fn times(&self, id: u32) -> Option<u64> {
        self.counts.get(id as usize).copied()
    }

    /// The id of `entry`, `<unk>` if there is none.
    pub fn id(&self, entry: &str) -> u32 {
        self.ids.get(entry).copied().unwrap_or(UNKNOWN_ID)
    }

    /// Appends the ids of `text` to `ids`; each `\n` is `<eos>`.
    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        match self.kind {
            Kind::Word => {
                for line in text.split_inclusive('\n') {
                    ids.extend(line.split_whitespace().map(|word| self.id(word)));
                    ids.extend(line.ends_with('\n').then_some(END_ID));
                }
            }
            Kind::Character => ids.extend(text.chars().map(|c| match c {
                '\n' => END_ID,
                c => self.id(c.encode_utf8(&mut [0; 4])),
            })),
        }
    }

    /// The text of `ids`: characters as they stand (`<unk>` as U+FFFD), words with one space between them, `<eos>` as `\n`.
    /// An id beyond the vocabulary reads as `<unk>`.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        for &id in ids {
            let entry = self.entries.get(id as usize).map_or(UNKNOWN, String::as_str);
            match (self.kind, id) {
                (_, END_ID) => text.push('\n'),
                (Kind::Character, _) if entry == UNKNOWN => text.push(UNKNOWN_CHARACTER),
                (Kind::Character, _) => text.push_str(entry),
                (Kind::Word, _) => {
                    if !text.is_empty() && !text.ends_with('\n') {
                        text.push(' ');
                    }
                    text.push_str(entry);
                }
            }
        }
        text
    }

    /// The vocabulary as JSON, the same bytes for equal vocabularies.
    pub fn to_json(&self) -> Result<String, TextError> {
        let written = Written {
            format: FORMAT.into(),
            version: VERSION,
            kind: self.kind,
            entries: self.entries.clone(),
            counts: self.counts.clone(),
        };
        Ok(serde_json::to_string(&written)?)
    }

    /// Reads what [`Vocabulary::to_json`] wrote; `file` is the name used in messages.
    pub fn from_json(json: &str, file: &Path) -> Result<Vocabulary, TextError> {
        let bad = |reason: String| TextError::File { file: file.to_path_buf(), reason };
        let w: Written = serde_json::from_str(json).map_err(|e| bad(format!("not a vocabulary of ours: {e}")))?;
        if w.format != FORMAT || w.version != VERSION {
            let (format, version) = (w.format, w.version);
            return Err(bad(format!("this is {format} version {version}; we read {FORMAT} version {VERSION}")));
        }
        if w.entries.len() != w.counts.len() {
            let (entries, counts) = (w.entries.len(), w.counts.len());
            return Err(bad(format!("{entries} entries but {counts} counts; the file was changed by hand")));
        }
        if !w.entries.iter().take(2).eq([UNKNOWN, END].iter()) {
            return Err(bad(format!("the first two entries must be {UNKNOWN} and {END}")));
        }
        if let Some((i, entry)) = (0..).zip(&w.entries).skip(2).find(|(_, e)| !fits(w.kind, e)) {
            return Err(bad(format!("entry {i} ({entry:?}) is not one {}", unit(w.kind).trim_end_matches('s'))));
        }
        let vocabulary = Vocabulary::of(w.kind, w.entries.into_iter().zip(w.counts));
        match (0..).zip(&vocabulary.entries).find(|(i, e)| vocabulary.ids.get(*e) != Some(i)) {
            Some((i, entry)) => Err(bad(format!("entry {i} ({entry:?}) stands twice"))),
            None => Ok(vocabulary),
        }
    }
}

/// The form on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    version: u32,
    kind: Kind,
    entries: Vec<String>,
    counts: Vec<u64>,
}

/// Whether `entry` can come out of a text.
fn fits(kind: Kind, entry: &str) -> bool {
    match kind {
        Kind::Word => !entry.is_empty() && !entry.contains(char::is_whitespace),
        Kind::Character => entry.chars().count() == 1 && entry != "\n",
    }
}

fn unit(kind: Kind) -> &'static str {
    match kind {
        Kind::Word => "words",
        Kind::Character => "characters",
    }
}

fn too_large(kind: Kind, found: String, limit: usize) -> TextError {
    TextError::LargeVocabulary { found, unit: unit(kind), limit }
}

fn count_words(text: &str) -> Result<HashMap<String, u64>, TextError> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for word in text.split_whitespace() {
        match counts.get_mut(word) {
            Some(n) => *n += 1,
            None => drop(counts.insert(word.to_string(), 1)),
        }
        if counts.len() > COUNTED {
            return Err(too_large(Kind::Word, format!("more than {COUNTED}"), COUNTED));
        }
    }
    Ok(counts)
}

/// All characters but the line's end.
fn count_characters(text: &str) -> HashMap<String, u64> {
    let mut counts: HashMap<char, u64> = HashMap::new();
    for c in text.chars().filter(|c| *c != '\n') {
        *counts.entry(c).or_default() += 1;
    }
    counts.into_iter().map(|(c, n)| (c.to_string(), n)).collect()
}
