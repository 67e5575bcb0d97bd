//! Word vectors that somebody trained, in the text form of word2vec, GloVe and fastText: a word and its numbers a line, apart
//! by spaces, at the top perhaps a line with the count of words and of numbers. Plain, gzip or zstd.

use super::error::{DataError, shown};
use crate::text::TextError;
use crate::text::source::Source;
use std::collections::HashSet;

/// Numbers of a vector, where nobody says that it is one.
const FEWEST: usize = 8;

/// Words with a vector each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordVectors {
    /// The words, all different.
    pub words: Vec<String>,
    /// Numbers of a vector.
    pub width: usize,
    /// The vectors one after the other, [words, width].
    pub values: Vec<f32>,
}

impl WordVectors {
    /// Reads `file`, of which words are kept that `wanted` says yes to: it is given the number of words before, and the word.
    /// Of a word that stands there twice, the first counts.
    ///
    /// # Errors
    /// Those of [`Source`], a line with another count of numbers than the first, what is no number, no word that is wanted.
    pub fn read(file: &str, wanted: impl Fn(usize, &str) -> bool) -> Result<WordVectors, DataError> {
        let mut source = Source::open(file, None)?;
        let (mut all, mut known) = (WordVectors::default(), HashSet::new());
        let (mut line, mut before, mut stated) = (String::new(), 0, None);
        while source.next_line(&mut line).map_err(in_utf8)? {
            let fields = line.trim_end();
            if source.line() == 1 {
                stated = heading(fields);
            }
            if fields.is_empty() || (source.line() == 1 && stated.is_some()) {
                continue;
            }
            let wrong = |what: String| DataError::line(source.file(), source.line(), what);
            if all.width == 0 {
                all.width = width_of(fields).map_err(wrong)?;
                if let Some([_, width]) = stated.filter(|[_, width]| *width != all.width) {
                    let found = all.width;
                    return Err(wrong(format!("{found} numbers where the first line of the file says {width}")));
                }
            }
            let (word, numbers) = parted(fields, all.width).map_err(wrong)?;
            if wanted(before, word) && known.insert(word.to_string()) {
                all.take(word, &numbers).map_err(wrong)?;
            }
            before += 1;
        }
        if let Some([count, _]) = stated.filter(|[count, _]| *count > before) {
            let what = format!(
                "the first line says that there are {count} words, and there are {before}; is the file cut off?"
            );
            return Err(DataError::file(source.file(), what));
        }
        if all.words.is_empty() {
            let what = if before == 0 { "there is no word in it" } else { "none of its words is needed" };
            let way = "give a text with a word and its numbers a line, as GloVe, word2vec and fastText write them";
            return Err(DataError::file(source.file(), format!("{what}; {way}")));
        }
        Ok(all)
    }

    fn take(&mut self, word: &str, numbers: &[&str]) -> Result<(), String> {
        for (k, field) in numbers.iter().enumerate() {
            let number = field.parse::<f32>().ok().filter(|x| x.is_finite());
            let place = k + 1;
            let number = number.ok_or_else(|| {
                format!("number {place} of `{}` is `{}`, which is no finite number", shown(word), shown(field))
            })?;
            self.values.push(number);
        }
        self.words.push(word.to_string());
        Ok(())
    }
}

/// The counts of words and of numbers, where a line is the top of word2vec's and fastText's files.
fn heading(line: &str) -> Option<[usize; 2]> {
    let (words, numbers) = line.split_once(' ')?;
    Some([words.parse().ok()?, numbers.parse().ok()?])
}

/// Vectors are in UTF-8, whatever the examples are in.
fn in_utf8(error: TextError) -> DataError {
    match error {
        TextError::NotUtf8 { file, line, .. } => {
            let way = "`iconv -f ENCODING -t utf-8 FILE` converts a text; of word2vec's two forms take the text";
            DataError::line(&file, line, format!("word vectors are read as UTF-8, which this is not; {way}"))
        }
        other => other.into(),
    }
}

/// Whether a text looks like word vectors: its first lines have a word and equally many numbers, of which there are some.
pub(super) fn are_vectors(text: &str) -> bool {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let counts = lines.enumerate().filter(|(at, line)| *at > 0 || heading(line).is_none()).take(5);
    let counts: Vec<usize> = counts.map(|(_, line)| width_of(line).unwrap_or(0)).collect();
    counts.len() > 1 && counts[0] >= FEWEST && counts.iter().all(|count| *count == counts[0])
}

/// Numbers of the first line.
fn width_of(line: &str) -> Result<usize, String> {
    let numbers = line.rsplit(' ').take_while(|field| field.parse::<f32>().is_ok()).count();
    // A word may look like a number.
    let fields = line.split(' ').count();
    match numbers.min(fields - 1) {
        0 => Err(format!("a word and its numbers with spaces between were expected, found `{}`", shown(line))),
        numbers => Ok(numbers),
    }
}

/// The word of a line, which may have spaces, and its numbers.
fn parted(line: &str, width: usize) -> Result<(&str, Vec<&str>), String> {
    let mut fields = line.rsplitn(width + 1, ' ');
    let mut numbers: Vec<&str> = fields.by_ref().take(width).collect();
    numbers.reverse();
    match fields.next() {
        Some(word) if !word.is_empty() => Ok((word, numbers)),
        _ => {
            let found = line.split(' ').count().saturating_sub(1);
            Err(format!("{found} numbers where the first word has {width}; is the file cut off?"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{WordVectors, are_vectors};
    use std::io::Write;

    fn read(name: &str, text: &str) -> Result<WordVectors, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        let whole = path.to_str().unwrap();
        let message = |e: super::DataError| e.to_string().replace(whole, name);
        WordVectors::read(whole, |before, word| before < 2 || word == "far").map_err(message)
    }

    #[test]
    fn the_first_words_and_those_that_are_needed_are_kept() {
        let text = "5 2\na 1 2\n. . -0.5 1e-1\nb 3 4\nfar 5 6\na 7 8\n";
        let all = read("a.vec", text).unwrap();
        assert_eq!(all.words, ["a", ". .", "far"]);
        assert_eq!((all.width, all.values), (2, vec![1.0, 2.0, -0.5, 0.1, 5.0, 6.0]));
        assert_eq!(read("b.txt", "7 1 2\nx 3 4").unwrap().words, ["7", "x"]);
    }

    #[test]
    fn vectors_are_told_from_other_texts() {
        let numbers = "0.1 -2 3 4e-2 5 6 7 8";
        assert!(are_vectors(&format!("the {numbers}\n, {numbers}\n")));
        assert!(are_vectors(&format!("2 8\nthe {numbers}\nof {numbers}\n")));
        assert!(!are_vectors(&format!("the {numbers}\n")));
        assert!(!are_vectors(&format!("the {numbers}\nof {numbers} 9\n")));
        assert!(!are_vectors("good 1 2\nbad 3 4\n"));
        assert!(!are_vectors("in 1812 it began\nand went on\n"));
    }

    #[test]
    fn spoiled_vectors_are_refused_by_line() {
        let refused = |text: &str| read("a.vec", text).unwrap_err();
        assert_eq!(refused("a 1 2\nb 1\n"), "a.vec:2: 1 numbers where the first word has 2; is the file cut off?");
        assert_eq!(refused("a 1 2\nb 1 x\n"), "a.vec:2: number 2 of `b` is `x`, which is no finite number");
        assert_eq!(refused("a 1 inf\n"), "a.vec:1: number 2 of `a` is `inf`, which is no finite number");
        assert_eq!(refused("a b\n"), "a.vec:1: a word and its numbers with spaces between were expected, found `a b`");
        assert!(refused("\n").starts_with("a.vec: there is no word in it; give a text"));
        let cut = "a.vec: the first line says that there are 3 words, and there are 1; is the file cut off?";
        assert_eq!(refused("3 2\na 1 2\n"), cut);
        assert_eq!(refused("1 3\na 1 2\n"), "a.vec:2: 2 numbers where the first line of the file says 3");
        assert!(refused("a 1\nb\n").starts_with("a.vec:2: 0 numbers where the first word has 1"));
    }
}
