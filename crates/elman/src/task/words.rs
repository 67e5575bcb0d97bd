//! Texts as words with their spelling, and the vectors that a model reads them as.
//!
//! A word's vector is its embedding beside what a small bidirectional layer reads from its characters, so that a word that
//! was never seen still says something (Ling et al. 2015, arXiv:1508.02096; Lample et al. 2016, arXiv:1603.01360).

use super::columns::{columns, places};
use super::lexicon::Lexicon;
use super::settings::Settings;
use super::vectors::Vectors;
use crate::cells;
use crate::error::Error;
use crate::run::Folder;
use elman_cell::cell::Init;
use elman_engine::tape::{Blueprint, Layer, Layout, NO_ROW, Parameter, Pool, Tape, Var};
use elman_engine::{EngineError, Spec};
use std::collections::HashMap;
use std::sync::Arc;

/// Characters of a word beyond these are not read.
const LONGEST: usize = 30;
/// Units of a character's embedding.
const CHARACTER: usize = 32;
/// Units of what says where a word stands among several columns.
const PLACE: usize = 16;

/// Marks that stand for unknown ones, the first that is known.
const MARKS: [&str; 6] = ["\"", "«", "'", "-", ",", "."];

const WORDS: &str = "words.json";
const CHARACTERS: &str = "characters.json";

/// Words and characters by number.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// Known words, in small letters if so set.
    pub words: Lexicon,
    /// Known characters.
    pub characters: Lexicon,
    lowercase: bool,
    vectors: Option<Arc<Vectors>>,
    /// Columns that a text is joined from.
    columns: usize,
}

/// A text as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelled {
    /// The words.
    pub words: Vec<u32>,
    /// The characters of each.
    pub characters: Vec<Vec<u32>>,
    /// Where the vector of each stands that was trained elsewhere; nothing where the model has none.
    vectors: Vec<u32>,
    /// Of a text of several columns, twice the column of each, and one more where another column has the word too.
    places: Vec<u32>,
}

impl Spelled {
    /// Of a text of several columns, the last word of the first one that another has too.
    pub fn meeting(&self) -> Option<usize> {
        self.places.iter().rposition(|place| *place == 1)
    }
}

impl Spelling {
    /// Columns that a text is joined from.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The words of training texts that occur often enough, and all of their characters.
    ///
    /// # Errors
    /// A file of word vectors that cannot be read.
    pub fn of<'w>(words: impl Iterator<Item = &'w str> + Clone, settings: &Settings) -> Result<Spelling, Error> {
        let d = &settings.data;
        let small: Vec<String> = words.clone().map(|w| lower(w, d.lowercase)).collect();
        let known = Lexicon::of_words(small.iter().map(String::as_str), d.min_count, d.vocabulary);
        let vectors = Vectors::of(words.clone(), settings)?.map(Arc::new);
        let letters: Vec<String> = words.flat_map(str::chars).map(String::from).collect();
        let characters = Lexicon::of_words(letters.iter().map(String::as_str), d.min_count, d.vocabulary);
        let columns = columns(settings);
        Ok(Spelling { words: known, characters, lowercase: d.lowercase, vectors, columns })
    }

    /// A text of no word: one that is unknown.
    pub fn nothing(&self) -> Spelled {
        let vectors = self.vectors.iter().map(|_| NO_ROW).collect();
        let places = if self.columns > 1 { vec![0] } else { vec![] };
        Spelled { words: vec![0], characters: vec![vec![]], vectors, places }
    }

    /// A few words on how much is known.
    pub fn told(&self) -> String {
        let counts = format!("{} words and {} characters known", self.words.len(), self.characters.len());
        match &self.vectors {
            Some(vectors) => {
                let known = &self.words.entries()[1..];
                let (count, have) = (known.len(), known.iter().filter(|word| vectors.row(word) != NO_ROW).count());
                format!("{counts}, vectors of {} words, of {have} of the {count} known ones among them", vectors.len())
            }
            None => counts,
        }
    }

    /// The numbers of some words.
    pub fn spell<'w>(&self, words: impl Iterator<Item = &'w str> + Clone) -> Spelled {
        let places = if self.columns > 1 { places(words.clone(), self.columns) } else { vec![] };
        let mut spelled = Spelled { words: vec![], characters: vec![], vectors: vec![], places };
        for word in words {
            spelled.vectors.extend(self.vectors.as_ref().map(|vectors| vectors.row(word)));
            let word = self.known_mark(word);
            spelled.words.push(self.words.id_or_unknown(&lower(word, self.lowercase)));
            let letters = word.chars().take(LONGEST);
            let ids = letters.map(|c| self.character(c)).collect();
            spelled.characters.push(ids);
        }
        spelled
    }

    /// A run of one mark that is not known is read as the mark alone, or, where that is not known either, as one that is.
    fn known_mark<'w>(&self, word: &'w str) -> &'w str {
        let known = |mark: &str| self.words.id(mark).is_some();
        let mark = |c: &char| c.is_ascii_punctuation() || matches!(c, '«' | '»' | '\u{2010}'..='\u{205e}');
        let Some(first) = word.chars().next().filter(mark) else { return word };
        if known(word) || !word.chars().all(|c| c == first) {
            return word;
        }
        let alone = &word[..first.len_utf8()];
        if known(alone) { alone } else { MARKS.into_iter().find(|mark| known(mark)).unwrap_or(word) }
    }

    /// The number of a character; where it is not known, that of one of its kind, so that a mark is still read as a mark and a
    /// digit as a digit.
    fn character(&self, c: char) -> u32 {
        let id = |c: char| self.characters.id(c.encode_utf8(&mut [0; 4]));
        let alike = || match c {
            _ if c.is_alphabetic() => c.to_lowercase().chain(c.to_uppercase()).find_map(id),
            _ if c.is_numeric() => ('0'..='9').find_map(id),
            _ => MARKS.into_iter().find_map(|mark| self.characters.id(mark)),
        };
        id(c).or_else(alike).unwrap_or(0)
    }

    /// Writes it into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.write_of("", folder)
    }

    /// The same for one of several, whose files begin with `side`.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write_of(&self, side: &str, folder: &Folder) -> Result<(), Error> {
        self.vectors.as_ref().map_or(Ok(()), |vectors| vectors.write(folder))?;
        self.words.write(folder, &format!("{side}{WORDS}"))?;
        self.characters.write(folder, &format!("{side}{CHARACTERS}"))
    }

    /// Reads it back.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn read(folder: &Folder, settings: &Settings) -> Result<Spelling, Error> {
        Spelling::read_of("", folder, settings)
    }

    /// The same of one of several, whose files begin with `side`.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn read_of(side: &str, folder: &Folder, settings: &Settings) -> Result<Spelling, Error> {
        let read = |name: &str| Lexicon::read(folder, &format!("{side}{name}"));
        let (words, characters) = (read(WORDS)?, read(CHARACTERS)?);
        let vectors = Vectors::read(folder, settings)?.map(Arc::new);
        let (lowercase, columns) = (settings.data.lowercase, columns(settings));
        Ok(Spelling { words, characters, lowercase, vectors, columns })
    }
}

fn lower(word: &str, lowercase: bool) -> String {
    if lowercase { word.to_lowercase() } else { word.into() }
}

/// The words of a raw text: runs of letters, digits and apostrophes; any other visible character by itself.
pub fn split(text: &str) -> impl Iterator<Item = &str> + Clone {
    let word = |c: char| c.is_alphanumeric() || c == '\'' || c == '’' || c == '_' || is_mark(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = match word(first) {
            true => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (token, left) = rest.split_at(end);
        rest = left;
        Some(token)
    })
}

/// A mark that stands over or under the letter before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}')
}

/// What turns words into vectors.
#[derive(Clone, Debug)]
pub struct WordLayer {
    table: Parameter,
    characters: Option<(Parameter, Layer)>,
    vectors: Option<Arc<Vectors>>,
    places: Option<Parameter>,
    /// Units of a word's vector.
    pub width: usize,
}

impl WordLayer {
    /// Declares its parameters: `words`, and with characters `characters` and `spelling.…`.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn declare(blueprint: &mut Blueprint, spelling: &Spelling, settings: &Settings) -> Result<WordLayer, Error> {
        WordLayer::declare_of("", blueprint, spelling, settings)
    }

    /// The same for one of several, whose names begin with `side`.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn declare_of(
        side: &str,
        blueprint: &mut Blueprint,
        spelling: &Spelling,
        settings: &Settings,
    ) -> Result<WordLayer, Error> {
        let m = &settings.model;
        let table =
            blueprint.parameter(&format!("{side}words"), &[spelling.words.len(), m.embedding], Init::Normal(0.1));
        let vectors = spelling.vectors.clone();
        let several = spelling.columns > 1;
        let places =
            || blueprint.parameter(&format!("{side}places"), &[2 * spelling.columns, PLACE], Init::Normal(0.1));
        let places = several.then(places);
        let width = m.embedding + vectors.as_ref().map_or(0, |v| v.width) + places.map_or(0, |_| PLACE);
        if m.characters == 0 {
            return Ok(WordLayer { table, characters: None, vectors, places, width });
        }
        let letters = &[spelling.characters.len(), CHARACTER];
        let letters = blueprint.parameter(&format!("{side}characters"), letters, Init::Normal(0.3));
        let cell = Arc::new(cells::find(&m.cell)?);
        let half = m.characters.div_ceil(2);
        let spec = Spec { bidirectional: true, ..Spec::new(cell, CHARACTER, half) };
        let layer = blueprint.recurrent(&format!("{side}spelling"), spec)?;
        let width = width + blueprint.network(layer).output_size();
        Ok(WordLayer { table, characters: Some((letters, layer)), vectors, places, width })
    }

    /// The vectors of texts, [rows of the layout, width].
    ///
    /// # Errors
    /// What the engine says.
    pub fn vectors(
        &self,
        tape: &mut Tape<'_, f32>,
        texts: &[&Spelled],
        layout: &Layout,
        drop_words: f64,
    ) -> Result<Var, EngineError> {
        let ids = layout.fill(NO_ROW, |t, b| texts[b].words[t]);
        let mut parts = vec![tape.embed(self.table, &ids)?];
        if let Some(vectors) = &self.vectors {
            let rows = layout.fill(NO_ROW, |t, b| texts[b].vectors[t]);
            parts.push(tape.given(vectors.gather(&rows), vectors.width)?);
        }
        if let Some(places) = self.places {
            let rows = layout.fill(NO_ROW, |t, b| texts[b].places[t]);
            parts.push(tape.embed(places, &rows)?);
        }
        let Some((letters, layer)) = self.characters else { return tape.concat(&parts) };
        // A word that is dropped can still be read letter by letter.
        parts[0] = tape.drop_rows(parts[0], drop_words);
        let mut places: HashMap<&[u32], u32> = HashMap::new();
        let mut different: Vec<&[u32]> = vec![];
        let rows = layout.fill(NO_ROW, |t, b| {
            let word = texts[b].characters[t].as_slice();
            *places.entry(word).or_insert_with(|| {
                different.push(word);
                different.len() as u32 - 1
            })
        });
        let spelled = Layout::new(different.iter().map(|w| w.len().max(1)).collect());
        let ids = spelled.fill(NO_ROW, |t, b| different[b].get(t).copied().unwrap_or(0));
        let c = tape.embed(letters, &ids)?;
        let y = tape.recurrent(layer, c, &spelled, &[])?.y;
        let read = tape.pool(y, &spelled, Pool::Max)?;
        parts.push(tape.rows(read, &rows)?);
        tape.concat(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, Spelling, split};

    #[test]
    fn unknown_characters_are_read_as_known_ones_of_their_kind() {
        let spelling = Spelling::of(["ab\"", "ab\"", "70", "70"].into_iter(), &Settings::default()).unwrap();
        let of = |word: &str| spelling.spell([word].into_iter()).characters.remove(0);
        let known = of("ab\"07");
        assert!(!known.contains(&0), "{known:?}");
        assert_eq!(of("AB“9"), [known[0], known[1], known[2], known[3]]);
        assert_eq!(of("z"), [0]);
        assert_eq!(of("ab\"07"), known);
    }

    #[test]
    fn a_run_of_an_unknown_mark_is_read_as_a_known_one() {
        let known = ["!", "!", "...", "...", "-", "-", "a", "a"];
        let spelling = Spelling::of(known.into_iter(), &Settings::default()).unwrap();
        let of = |word: &str| spelling.spell([word].into_iter());
        assert_eq!(of("!!!"), of("!"));
        assert_ne!(of("..."), of("-"));
        assert_eq!(of("''"), of("-"));
        assert_eq!(of("“"), of("-"));
        assert_ne!(of("!?"), of("!"));
        assert_eq!(of("😀").words, [0]);
        assert_eq!(of("aa").words, [0]);
    }

    #[test]
    fn words_and_marks_stand_apart() {
        let words: Vec<&str> = split(" It's 3.5 stars—нет, «ёлка»! don't ").collect();
        assert_eq!(words, ["It's", "3", ".", "5", "stars", "—", "нет", ",", "«", "ёлка", "»", "!", "don't"]);
    }
}
