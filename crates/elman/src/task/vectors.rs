//! Word vectors that were trained elsewhere, as a run keeps them: read beside the embedding that it learns, and not changed.
//!
//! They say something of words that training lacks: the vectors of the commonest words of the file are kept too (Kim 2014,
//! arXiv:1408.5882, reads such vectors beside learned ones).

use super::lexicon::Lexicon;
use super::settings::Settings;
use crate::data::vectors::WordVectors;
use crate::error::Error;
use crate::run::Folder;
use crate::tensors::{self, Named, TensorFile};
use crate::whole_file::shown;
use elman_engine::tape::NO_ROW;
use std::collections::HashSet;

const WORDS: &str = "vector-words.json";
const VALUES: &str = "vectors.safetensors";
const TENSOR: &str = "vectors";

/// Words with vectors.
#[derive(Debug)]
pub struct Vectors {
    words: Lexicon,
    values: Vec<f32>,
    /// Numbers of a vector.
    pub width: usize,
}

impl Vectors {
    /// From the file of the settings, if there is one: as many of its first words as the vocabulary may have, and the words of
    /// training.
    ///
    /// # Errors
    /// As [`WordVectors::read`].
    pub fn of<'w>(words: impl Iterator<Item = &'w str>, settings: &Settings) -> Result<Option<Vectors>, Error> {
        let Some(file) = &settings.data.vectors else { return Ok(None) };
        let training: HashSet<String> = words.flat_map(|w| [w.to_string(), w.to_lowercase()]).collect();
        let wanted = |before: usize, word: &str| before < settings.data.vocabulary || training.contains(word);
        let WordVectors { words, width, values } = WordVectors::read(file, wanted)?;
        Ok(Some(Vectors { words: Lexicon::from_entries(words), values, width }))
    }

    /// Where the vector of a word stands: of the word as it is written, else in small letters; [`NO_ROW`] for one without.
    pub fn row(&self, word: &str) -> u32 {
        self.words.id(word).or_else(|| self.words.id(&word.to_lowercase())).unwrap_or(NO_ROW)
    }

    /// Writes vectors one after the other, [rows, width]; zeros for [`NO_ROW`].
    pub fn gather(&self, rows: &[u32]) -> Vec<f32> {
        let mut to = vec![0.0; rows.len() * self.width];
        for (to, row) in to.chunks_exact_mut(self.width).zip(rows).filter(|(_, row)| **row != NO_ROW) {
            to.copy_from_slice(&self.values[*row as usize * self.width..][..self.width]);
        }
        to
    }

    /// How many words have one.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Writes them into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.words.write(folder, WORDS)?;
        let shape = vec![self.words.len(), self.width];
        let tensor = Named { name: TENSOR.into(), shape, data: self.values.clone() };
        folder.write(VALUES, tensors::bytes(&folder.join(VALUES), &[tensor])?)
    }

    /// Reads them back, if the settings say that there are some.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn read(folder: &Folder, settings: &Settings) -> Result<Option<Vectors>, Error> {
        if settings.data.vectors.is_none() {
            return Ok(None);
        }
        let words = Lexicon::read(folder, WORDS)?;
        let path = folder.join(VALUES);
        let way =
            |e: &dyn std::fmt::Display| Error::Refused(format!("{e}; put the file back as it was, or train again"));
        let file = TensorFile::open(&path).map_err(|e| way(&e))?;
        let Some(&[count, width]) = file.shape(TENSOR).filter(|shape| shape.get(1).is_some_and(|w| *w > 0)) else {
            return Err(way(&format!("{}: `{TENSOR}` is no table of vectors", shown(&path))));
        };
        if count != words.len() {
            let words = words.len();
            return Err(way(&format!("{}: {count} vectors, and {WORDS} has {words} words", shown(&path))));
        }
        let values = file.numbers(TENSOR, &[count, width]).map_err(|e| way(&e))?;
        Ok(Some(Vectors { words, values, width }))
    }
}
