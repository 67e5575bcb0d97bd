//! Subwords: byte pairs learned from the text (`pairs.rs`), applied by the `tokenizers` crate, kept in its
//! `tokenizer.json`, which many other programs read. A `tokenizer.json` made elsewhere (byte pairs, unigram, word pieces)
//! can be used too, if it has a token for the end of a line.
//!
//! Ids of a learned model: 0 `<unk>` (never met: every byte is a token), 1 `<eos>`, 2-257 the bytes, then the merges in
//! order. Text is first cut into words as GPT-2 does (Radford et al. 2019), a space belonging to the word after it, so
//! decoding gives the text back, whatever it was. Learning is the same on every machine and any number of threads.

use super::boundary;
use super::error::TextError;
use super::pairs::{self, Pair};
use super::vocabulary::{Cut, END, UNKNOWN};
use std::collections::BTreeMap;
use std::path::Path;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

/// Entries of a learned model unless told otherwise.
pub const SIZE: usize = 8000;
/// The specials and the bytes.
const LEAST_SIZE: usize = 2 + 256;
/// A longer line is cut before a space, in bytes: the library holds 16 bytes beside each.
const PIECE: usize = 1 << 16;
/// Names of a line's end, and of the unknown, in models made elsewhere.
const ENDS: [&str; 4] = [END, "</s>", "<|endoftext|>", "<|end_of_text|>"];
const UNKNOWNS: [&str; 3] = [UNKNOWN, "[UNK]", "<|unk|>"];

/// A subword model.
#[derive(Clone, Debug)]
pub struct Subword {
    inner: tokenizers::Tokenizer,
    size: usize,
    end: u32,
    unknown: Option<u32>,
}

impl Subword {
    /// Learns byte pairs from `text`: `cut.max_size` entries ([`SIZE`] by default), fewer if no pair stands
    /// `cut.min_count` times (at least twice).
    ///
    /// Errors: a size below 258 or beyond `cut.limit`.
    pub fn learn(text: &str, cut: Cut) -> Result<Subword, TextError> {
        let size = cut.max_size.unwrap_or(SIZE);
        if size < LEAST_SIZE {
            return Err(TextError::SmallVocabulary { size, unit: "the specials and the 256 bytes", least: LEAST_SIZE });
        }
        if size > cut.limit {
            return Err(TextError::LargeVocabulary { found: size.to_string(), unit: "subwords", limit: cut.limit });
        }
        let merges = pairs::learn(&count_words(text)?, size - LEAST_SIZE);
        assemble(&merges)
    }

    /// Reads a `tokenizer.json`; `file` is the name used in messages.
    ///
    /// Errors: what the library refuses, and a model without a token for the end of a line.
    pub fn from_json(json: &str, file: &Path) -> Result<Subword, TextError> {
        let bad = |reason: String| TextError::File { file: file.to_path_buf(), reason };
        let inner: tokenizers::Tokenizer = json.parse().map_err(|e| bad(format!("not a tokenizer.json: {e}")))?;
        Subword::of(inner)
            .ok_or_else(|| bad(format!("no token for the end of a line; one of {} is needed", ENDS.join(" "))))
    }

    fn of(mut inner: tokenizers::Tokenizer) -> Option<Subword> {
        // A special's name in the text is text.
        inner.set_encode_special_tokens(true);
        let end = ENDS.iter().find_map(|name| inner.token_to_id(name))?;
        let unknown = UNKNOWNS.iter().find_map(|name| inner.token_to_id(name));
        let size = inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        Some(Subword { inner, size, end, unknown })
    }

    /// The model as JSON, the same bytes for equal models.
    pub fn to_json(&self) -> Result<String, TextError> {
        self.inner.to_string(false).map_err(failed)
    }

    /// The number of entries: one more than the largest id.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The id of a line's end.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The id of what the model cannot spell, if it has one.
    pub fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// Appends the ids of `text` to `ids`; each `\n` is the end of a line.
    pub fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), TextError> {
        for line in text.split_inclusive('\n') {
            for piece in pieces(line.trim_end_matches('\n')) {
                ids.extend_from_slice(self.inner.encode_fast(piece, false).map_err(failed)?.get_ids());
            }
            ids.extend(line.ends_with('\n').then_some(self.end));
        }
        Ok(())
    }

    /// The text of `ids`; bytes that are no UTF-8 (a character cut in two) read as U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> Result<String, TextError> {
        let lines = ids.split(|id| *id == self.end).map(|line| self.inner.decode(line, false).map_err(failed));
        Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }
}

fn failed(error: tokenizers::Error) -> TextError {
    TextError::Subword(error.to_string())
}

/// The cutting into words.
fn cutter() -> ByteLevel {
    ByteLevel::new(false, true, true)
}

/// The words of `text`, with their counts.
fn count_words(text: &str) -> Result<BTreeMap<Vec<u8>, u64>, TextError> {
    let (cutter, mut counts) = (cutter(), BTreeMap::new());
    for line in text.lines() {
        for piece in pieces(line) {
            let mut words = PreTokenizedString::from(piece);
            cutter.pre_tokenize(&mut words).map_err(failed)?;
            for (_, (start, end), _) in words.get_splits(OffsetReferential::Original, OffsetType::Byte) {
                let word = &piece.as_bytes()[start..end];
                match counts.get_mut(word) {
                    Some(n) => *n += 1,
                    None => drop(counts.insert(word.to_vec(), 1)),
                }
            }
        }
    }
    Ok(counts)
}

/// `line` in pieces of about [`PIECE`] bytes, cut before a space that a word follows, where the words are cut anyway;
/// without such a space, anywhere between two characters.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(piece_end(rest));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn piece_end(line: &str) -> usize {
    if line.len() <= PIECE {
        return line.len();
    }
    let most = boundary(line, PIECE);
    let bytes = line.as_bytes();
    let starts_word = |i: &usize| bytes[*i] == b' ' && bytes[i + 1].is_ascii_graphic();
    (1..most).rev().find(starts_word).unwrap_or(most)
}

/// The printable character that byte-level models write for a byte: itself where it is visible Latin-1, else one from
/// U+0100 on, in order.
fn letters() -> Vec<char> {
    let visible = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut spare = '\u{100}'..;
    (0..=u8::MAX).filter_map(|b| if visible(b) { Some(char::from(b)) } else { spare.next() }).collect()
}

/// The model of `merges`.
fn assemble(merges: &[Pair]) -> Result<Subword, TextError> {
    let mut names: Vec<String> = letters().into_iter().map(String::from).collect();
    let mut joins = Vec::with_capacity(merges.len());
    for (left, right) in merges {
        let (left, right) = (names[*left as usize].clone(), names[*right as usize].clone());
        names.push(format!("{left}{right}"));
        joins.push((left, right));
    }
    let specials = [UNKNOWN, END].map(String::from);
    let ids = specials.into_iter().chain(names).zip(0..).collect::<ahash::AHashMap<String, u32>>();
    let model = BPE::builder().vocab_and_merges(ids, joins).build().map_err(failed)?;
    let mut inner = tokenizers::Tokenizer::new(model);
    inner.with_pre_tokenizer(Some(cutter())).with_decoder(Some(cutter()));
    Subword::of(inner).ok_or_else(|| TextError::Subword(format!("{END} is missing")))
}
