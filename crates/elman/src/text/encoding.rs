//! Texts that are not UTF-8: decoding on request, and the encoding to suggest. Names are those of the WHATWG list.

use super::error::TextError;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, BufRead, Read};

/// The encoding that `label` names; none for UTF-8, which needs no decoding.
pub(super) fn named(label: &str) -> Result<Option<&'static Encoding>, TextError> {
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        None => Err(TextError::UnknownEncoding { label: label.into() }),
        Some(encoding) => Ok((encoding != UTF_8).then_some(encoding)),
    }
}

/// UTF-16, if `head` begins with its byte-order mark.
pub(super) fn utf16_mark(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [0xFF, 0xFE, ..] => Some(UTF_16LE),
        [0xFE, 0xFF, ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// What to do about bytes that are not UTF-8. `sample` begins at the line of the fault; `multibyte` says that valid
/// characters beyond ASCII came before it.
pub(super) fn way_out(sample: &[u8], multibyte: bool) -> String {
    if sample.contains(&0) {
        return "NUL bytes follow, so this is probably not a text: export it as plain text".into();
    }
    let (mut valid, mut faults) = (usize::from(multibyte), 0);
    for chunk in sample.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    if valid > faults || (multibyte && faults == 1) {
        return "the rest looks like UTF-8, so the text is damaged here: repair or remove the line".into();
    }
    match guess(sample) {
        Some(encoding) => format!("it looks like {0}: give `--encoding {0}`", encoding.name().to_lowercase()),
        None => "give `--encoding NAME` (such as windows-1251), or convert it with `iconv -t utf-8`".into(),
    }
}

/// The encoding that most likely wrote `sample`, if it decodes without a fault.
fn guess(sample: &[u8]) -> Option<&'static Encoding> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    // The sample may end inside a character, so a fault in its last bytes does not count.
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut out = String::with_capacity(decoder.max_utf8_buffer_length(sample.len())?);
    let (result, ..) = decoder.decode_to_string_without_replacement(sample, &mut out, false);
    (result == DecoderResult::InputEmpty && encoding != UTF_8).then_some(encoding)
}

/// The marker inside an `io::Error` that says: bytes the encoding does not have.
#[derive(Debug, thiserror::Error)]
#[error("malformed")]
struct Malformed;

/// Whether `error` came from bytes that the encoding does not have.
pub(super) fn is_malformed(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|e| e.is::<Malformed>())
}

/// `R` decoded to UTF-8. What comes before a fault is handed out before the fault.
pub(super) struct Transcoded<R> {
    inner: R,
    decoder: Decoder,
    text: Vec<u8>,
    given: usize,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Reading,
    Fault,
    Done,
}

impl<R: BufRead> Transcoded<R> {
    /// A reader of `inner`, which is in `encoding`; its byte-order mark is skipped.
    pub(super) fn new(inner: R, encoding: &'static Encoding) -> Transcoded<R> {
        let decoder = encoding.new_decoder_with_bom_removal();
        Transcoded { inner, decoder, text: Vec::new(), given: 0, state: State::Reading }
    }

    /// Decodes one block of `inner` into `text`.
    fn fill(&mut self) -> io::Result<()> {
        let block = self.inner.fill_buf()?;
        let last = block.is_empty();
        self.text.resize(block.len() * 3 + 16, 0);
        self.given = 0;
        let (result, taken, written) = self.decoder.decode_to_utf8_without_replacement(block, &mut self.text, last);
        self.text.truncate(written);
        self.inner.consume(taken);
        self.state = match result {
            DecoderResult::Malformed(..) => State::Fault,
            DecoderResult::InputEmpty if last => State::Done,
            _ => State::Reading,
        };
        Ok(())
    }
}

impl<R: BufRead> Read for Transcoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            match self.state {
                State::Reading => self.fill()?,
                State::Fault => return Err(io::Error::other(Malformed)),
                State::Done => return Ok(0),
            }
        }
        let n = out.len().min(self.text.len() - self.given);
        out[..n].copy_from_slice(&self.text[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}
