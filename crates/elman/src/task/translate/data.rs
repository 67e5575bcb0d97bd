//! Files of pairs → pairs of subword ids.

use crate::data::pairs::{Columns, Pair, Pairs};
use crate::data::table::Reading;
use crate::error::Error;
use crate::run::Folder;
use crate::task::settings::Settings;
use crate::task::{Part, held_out};
use crate::text::vocabulary::Cut;
use crate::text::{Tokenizer, Unit};

/// Subwords of a side at most; a step's memory grows with its longest side.
pub const LONGEST: usize = 2000;

/// A text and what it becomes, as ids, each with its end, and as they stand in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The source.
    pub source: Vec<u32>,
    /// The target.
    pub target: Vec<u32>,
    /// The source's text.
    pub from: String,
    /// The target's text.
    pub to: String,
}

/// Pairs as they stand in their files.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    parts: [Vec<Pair>; 3],
    remarks: Vec<String>,
    /// Those of the tables, asked for or found.
    columns: Columns,
}

/// Examples of all parts.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    train: Vec<Example>,
    valid: Vec<Example>,
    test: Vec<Example>,
    /// What was decided unasked while reading.
    pub remarks: Vec<String>,
    /// The columns of the tables, asked for or found.
    pub columns: Columns,
}

impl Examples {
    /// Those of a part.
    pub fn of(&self, part: Part) -> &[Example] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }

    /// All training and validation examples, as bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let all = self.train.iter().chain(&self.valid);
        all.flat_map(|e| e.source.iter().chain(&e.target).flat_map(|id| id.to_le_bytes()))
    }
}

/// Reads all files of the settings; parts that have no file are taken from the training examples, a tenth each.
///
/// # Errors
/// What the readers say; too few pairs; targets' files that are not as many as the sources'.
pub fn read(settings: &Settings) -> Result<Raw, Error> {
    let d = &settings.data;
    let files = d.train.len() + d.valid.len() + d.test.len();
    if !d.beside.is_empty() && d.beside.len() != files {
        let found = d.beside.len();
        let message = format!(
            "{files} files of sources and {found} of targets: name a target's file for each of --data, --valid and --test"
        );
        return Err(Error::Refused(message));
    }
    let mut beside = d.files_beside();
    let columns = Columns { source: d.source.clone(), target: d.target.clone() };
    let mut raw = Raw { columns, ..Raw::default() };
    for (files, part) in [(&d.train, Part::Train), (&d.valid, Part::Valid), (&d.test, Part::Test)] {
        for file in files {
            let target = beside.next().flatten();
            let read = read_file(file, target, &raw.columns, settings)?;
            if target.is_none() {
                // Columns that were found in the first file are those of all.
                raw.columns = Columns { source: Some(read.source), target: Some(read.target) };
            }
            raw.parts[part as usize].extend(read.pairs);
            raw.remarks.extend(read.remarks);
        }
    }
    let gist = |pair: &Pair| Some(pair.source.clone());
    held_out::divide(&mut raw.parts, d, gist, "pairs", &mut raw.remarks);
    if raw.of(Part::Train).is_empty() || raw.of(Part::Valid).is_empty() {
        let message = "too few pairs: at least 10 are needed, or files for --data and --valid";
        return Err(Error::Refused(format!("{}: {message}", d.train.join(", "))));
    }
    Ok(raw)
}

fn read_file(file: &str, beside: Option<&str>, columns: &Columns, settings: &Settings) -> Result<Pairs, Error> {
    let d = &settings.data;
    if let Some(target) = beside {
        return Ok(Pairs::read_aligned(file, target, d.encoding.as_deref())?);
    }
    let reading = Reading { encoding: d.encoding.clone(), ..Reading::default() };
    Ok(Pairs::read(file, columns, &reading)?)
}

impl Raw {
    /// The pairs of a part.
    pub fn of(&self, part: Part) -> &[Pair] {
        &self.parts[part as usize]
    }

    /// The pairs with numbers for subwords. Training pairs that are too long are left out.
    ///
    /// # Errors
    /// What the tokeniser says; a part of which no pair is left.
    pub fn encoded(&self, speller: &Speller) -> Result<Examples, Error> {
        let mut remarks = self.remarks.clone();
        let mut all = |raw: &[Pair], part: Part| -> Result<Vec<Example>, Error> {
            let mut examples = Vec::with_capacity(raw.len());
            for pair in raw {
                let (source, target) = (speller.ids(&pair.source)?, speller.ids(&pair.target)?);
                if source.len() <= LONGEST && target.len() <= LONGEST {
                    examples.push(Example { source, target, from: pair.source.clone(), to: pair.target.clone() });
                } else if part != Part::Train {
                    let (name, line) = (part.name(), pair.line);
                    let message =
                        format!("the pair of line {line} of the {name} part is longer than {LONGEST} subwords");
                    return Err(Error::Refused(format!("{message}: cut it into sentences")));
                }
            }
            let left_out = raw.len() - examples.len();
            if left_out > 0 {
                remarks.push(format!("{left_out} training pairs longer than {LONGEST} subwords are left out"));
            }
            if examples.is_empty() && part == Part::Train {
                return Err(Error::Refused("no training pair is left: cut the texts into sentences".into()));
            }
            Ok(examples)
        };
        let mut of = |part: Part| all(self.of(part), part);
        let (train, valid, test) = (of(Part::Train)?, of(Part::Valid)?, of(Part::Test)?);
        Ok(Examples { train, valid, test, remarks, columns: self.columns.clone() })
    }
}

/// Texts to subword ids and back, the same ids for both sides.
#[derive(Clone, Debug)]
pub struct Speller {
    tokenizer: Tokenizer,
    lowercase: bool,
    /// A space stands before each text, so that its first word is cut as it would be within another: what is copied from one
    /// place to the beginning is the same subwords.
    spaced: bool,
}

impl Speller {
    /// Learns subwords from both sides of the training pairs.
    ///
    /// # Errors
    /// A vocabulary too small for all bytes.
    pub fn learn(raw: &Raw, settings: &Settings) -> Result<Speller, Error> {
        let d = &settings.data;
        let spaced = settings.model.copy;
        let mut text = String::new();
        for side in raw.of(Part::Train).iter().flat_map(|p| [&p.source, &p.target]) {
            text.push_str(if spaced { " " } else { "" });
            text.push_str(&case(side, d.lowercase));
            text.push('\n');
        }
        let cut = Cut { min_count: d.min_count, max_size: Some(d.vocabulary), ..Cut::default() };
        Ok(Speller { tokenizer: Tokenizer::learn(Unit::Subword, &text, cut)?, lowercase: d.lowercase, spaced })
    }

    /// Those of a run.
    ///
    /// # Errors
    /// No such file, or a damaged one.
    pub fn read(folder: &Folder, settings: &Settings) -> Result<Speller, Error> {
        let tokenizer = Tokenizer::load(&folder.join(FILE))?;
        Ok(Speller { tokenizer, lowercase: settings.data.lowercase, spaced: settings.model.copy })
    }

    /// Writes them into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        folder.write(FILE, self.tokenizer.to_json()?.into_bytes())
    }

    /// The ids of a text, and its end. Line breaks within become spaces.
    ///
    /// # Errors
    /// What the tokeniser says.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, Error> {
        let mut text = case(text.trim(), self.lowercase).replace(['\n', '\r'], " ");
        if self.spaced && !text.is_empty() {
            text.insert(0, ' ');
        }
        let mut ids = self.tokenizer.encode(&text)?;
        ids.push(self.end());
        Ok(ids)
    }

    /// The text of ids without end.
    ///
    /// # Errors
    /// What the tokeniser says.
    pub fn text(&self, ids: &[u32]) -> Result<String, Error> {
        Ok(self.tokenizer.decode(ids)?.trim().to_string())
    }

    /// What ends a text, and begins a translation.
    pub fn end(&self) -> u32 {
        self.tokenizer.end()
    }

    /// How many ids there are.
    pub fn size(&self) -> usize {
        self.tokenizer.size()
    }
}

const FILE: &str = "tokenizer.json";

fn case(text: &str, lowercase: bool) -> String {
    if lowercase { text.to_lowercase() } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Part, read};
    use crate::task::held_out::tests::holds_copies_together;

    #[test]
    fn pairs_of_one_source_are_held_out_together() {
        holds_copies_together(|settings| {
            let raw = read(settings)?;
            let of = |part| raw.of(part).iter().map(|pair| pair.source.clone()).collect();
            Ok(([Part::Train, Part::Valid, Part::Test].map(of), raw.remarks.clone()))
        });
    }
}
