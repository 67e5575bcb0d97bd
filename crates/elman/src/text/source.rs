//! A text, line by line: a file or standard input; plain, gzip or zstd, known by their first bytes; streamed.
//!
//! A line ends at `\n` or `\r\n`, which is not part of it; the last one may lack it. A byte-order mark is skipped (one of
//! UTF-16 is obeyed). What is handed out is UTF-8 without NUL; everything else is a [`TextError`] with its line.
//! Memory is taken for bytes that were read, never for a length that a file states; a zstd window is at most 128 MiB.

use super::encoding::{self, Transcoded};
use super::error::TextError;
use super::zstd::Zstd;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The longest line, in bytes.
pub const LINE_LIMIT: u64 = 1 << 30;
/// Bytes read at once.
const BLOCK: usize = 1 << 16;
/// The bytes that tell the form of a file.
const HEAD: usize = 16;

/// A text that is being read.
pub struct Source {
    file: String,
    reader: Box<dyn BufRead + Send>,
    format: Option<&'static str>,
    encoding: Option<&'static encoding_rs::Encoding>,
    ended: Arc<AtomicBool>,
    line: u64,
    offset: u64,
    multibyte: bool,
    bytes: Vec<u8>,
    limit: u64,
}

impl Source {
    /// Opens `file`, or standard input for `-`. `encoding` is a label such as `windows-1251`; without one the text is UTF-8.
    ///
    /// Errors: a missing file, a folder, a form that is not text, an unknown encoding.
    pub fn open(file: &str, encoding: Option<&str>) -> Result<Source, TextError> {
        if file == "-" {
            return Source::from_reader("standard input", io::stdin(), encoding);
        }
        Source::from_reader(file, opened(file)?, encoding)
    }

    /// Reads `bytes`; `file` is the name used in messages.
    pub fn from_reader(
        file: &str,
        bytes: impl Read + Send + 'static,
        encoding: Option<&str>,
    ) -> Result<Source, TextError> {
        let asked = encoding.map(encoding::named).transpose()?.flatten();
        let ended = Arc::new(AtomicBool::new(false));
        let mut raw = BufReader::with_capacity(BLOCK, Watched { inner: bytes, ended: ended.clone() });
        let head = read_head(&mut raw).map_err(|reason| TextError::Read { file: file.into(), line: 0, reason })?;
        let format = packing(&head);
        let mut source = Source {
            file: file.into(),
            reader: unpacked(format, Cursor::new(head).chain(raw)),
            format,
            encoding: asked,
            ended,
            line: 0,
            offset: 0,
            multibyte: false,
            bytes: Vec::new(),
            limit: LINE_LIMIT,
        };
        // Only looked at: a fault after these bytes belongs to a later line.
        let first = source.reader.fill_buf().map(|block| block[..block.len().min(HEAD)].to_vec());
        let head = first.map_err(|e| source.failed(e))?;
        refuse_other_forms(file, &head)?;
        source.encoding = asked.or_else(|| encoding::utf16_mark(&head));
        if let Some(encoding) = source.encoding {
            let rest = std::mem::replace(&mut source.reader, Box::new(io::empty()));
            source.reader = Box::new(BufReader::with_capacity(BLOCK, Transcoded::new(rest, encoding)));
        }
        Ok(source)
    }

    /// The same source with another limit on the length of a line, in bytes.
    pub fn with_line_limit(mut self, limit: u64) -> Source {
        self.limit = limit;
        self
    }

    /// The name used in messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What the text was packed with: `gzip` or `zstd`.
    pub fn packing(&self) -> Option<&'static str> {
        self.format
    }

    /// The encoding it is decoded from.
    pub fn encoding(&self) -> &'static str {
        self.encoding.unwrap_or(encoding_rs::UTF_8).name()
    }

    /// Lines handed out so far; the number of the last one, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Puts the next line into `line`, without its end; false when there is none left.
    ///
    /// Errors: bytes that are not of the encoding, NUL, a packed stream that stops early or is damaged, a line beyond the limit.
    pub fn next_line(&mut self, line: &mut String) -> Result<bool, TextError> {
        line.clear();
        self.bytes.clear();
        let read = (&mut self.reader).take(self.limit.saturating_add(1)).read_until(b'\n', &mut self.bytes);
        read.map_err(|e| self.failed(e))?;
        if self.bytes.is_empty() {
            return Ok(false);
        }
        let whole = self.bytes.len();
        if whole as u64 > self.limit {
            return Err(TextError::LongLine { file: self.file.clone(), line: self.line + 1, limit: self.limit });
        }
        let mark = if self.line == 0 && self.bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let end = whole - line_end(&self.bytes);
        if let Some(at) = self.bytes.iter().position(|b| *b == 0) {
            return Err(TextError::Binary { file: self.file.clone(), line: self.line + 1, byte: at as u64 + 1 });
        }
        match std::str::from_utf8(&self.bytes[mark.min(end)..end]) {
            Ok(text) => line.push_str(text),
            Err(fault) => {
                let cut = fault.error_len().is_none() && end == whole;
                return Err(self.not_utf8(mark + fault.valid_up_to(), cut));
            }
        }
        self.multibyte |= !line.is_ascii();
        self.line += 1;
        self.offset += whole as u64;
        Ok(true)
    }

    /// The whole text, each line ended by `\n` (the last one too).
    ///
    /// Errors: those of [`Source::next_line`], and a text of nothing but white space.
    pub fn read_all(mut self) -> Result<String, TextError> {
        let (mut text, mut line, mut blank) = (String::new(), String::new(), true);
        while self.next_line(&mut line)? {
            blank &= line.trim().is_empty();
            text.push_str(&line);
            text.push('\n');
        }
        if blank { Err(TextError::Empty { file: self.file }) } else { Ok(text) }
    }

    /// What a failed read means: only here do we know whether the raw bytes had ended.
    fn failed(&self, reason: io::Error) -> TextError {
        let (file, line) = (self.file.clone(), self.line);
        if let (true, Some(encoding)) = (encoding::is_malformed(&reason), self.encoding) {
            return TextError::NotInEncoding { file, line: line + 1, encoding: encoding.name() };
        }
        match self.format {
            Some(format) if self.ended.load(Ordering::Relaxed) => TextError::Truncated { file, format, line },
            Some(format) => TextError::Damaged { file, format, line, reason: reason.to_string() },
            None => TextError::Read { file, line: line + 1, reason },
        }
    }

    /// The error for the bad byte `at` of the line in `bytes`, with an encoding that fits what follows; `cut`: the text
    /// ends with the beginning of a character.
    fn not_utf8(&mut self, at: usize, cut: bool) -> TextError {
        let mut sample = self.bytes[at.saturating_sub(BLOCK)..].to_vec();
        sample.truncate(2 * BLOCK);
        // What follows is only looked at to name an encoding; a fault in it is not this line's.
        let _ = (&mut self.reader).take(BLOCK as u64).read_to_end(&mut sample);
        let way = encoding::way_out(&sample, self.multibyte);
        let cut_off = "the text ends amid a character, so the file may have been cut off: copy or download it again";
        TextError::NotUtf8 {
            file: self.file.clone(),
            line: self.line + 1,
            byte: at as u64 + 1,
            offset: self.offset + at as u64 + 1,
            value: self.bytes[at],
            way: if cut { format!("{cut_off}; else {way}") } else { way },
        }
    }
}

/// A file that can be read, or why it cannot.
pub(crate) fn opened(file: &str) -> Result<File, TextError> {
    let path = Path::new(file);
    if path.is_dir() {
        return Err(TextError::Folder { file: file.into() });
    }
    File::open(path).map_err(|reason| match reason.kind() {
        io::ErrorKind::NotFound => TextError::Missing { file: file.into() },
        _ => TextError::Read { file: file.into(), line: 0, reason },
    })
}

/// The unpacked bytes of `raw`, and what they were packed with.
pub(crate) fn unpacking(
    raw: impl Read + Send + 'static,
) -> io::Result<(Box<dyn BufRead + Send>, Option<&'static str>)> {
    let mut raw = BufReader::with_capacity(BLOCK, raw);
    let head = read_head(&mut raw)?;
    let format = packing(&head);
    Ok((unpacked(format, Cursor::new(head).chain(raw)), format))
}

/// The length of the line's end: `\n`, `\r\n` or nothing.
fn line_end(line: &[u8]) -> usize {
    match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}

/// `packed` as the bytes of a text.
fn unpacked(format: Option<&str>, packed: impl BufRead + Send + 'static) -> Box<dyn BufRead + Send> {
    match format {
        Some("gzip") => Box::new(BufReader::with_capacity(BLOCK, flate2::bufread::MultiGzDecoder::new(packed))),
        Some(_) => Box::new(BufReader::with_capacity(BLOCK, Zstd::new(packed))),
        None => Box::new(packed),
    }
}

/// The first bytes, up to a line's end: a line typed at a terminal is not kept waiting for more.
fn read_head(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    while head.len() < HEAD && head.last() != Some(&b'\n') {
        let block = reader.fill_buf()?;
        let Some(byte) = block.first().copied() else { break };
        reader.consume(1);
        head.push(byte);
    }
    Ok(head)
}

/// gzip (RFC 1952) and zstd (RFC 8878, also its skippable frames) by their first bytes.
fn packing(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1F, 0x8B, ..] => Some("gzip"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some("zstd"),
        _ => None,
    }
}

/// Forms that are often given by mistake, by their first bytes.
fn refuse_other_forms(file: &str, head: &[u8]) -> Result<(), TextError> {
    const UNPACK: &str = "unpack it and give the text inside";
    const PLAIN: &str = "export it as plain text";
    let forms: [(&[u8], &str, &str); 13] = [
        (b"PK\x03\x04", "a zip archive (or an office document)", UNPACK),
        (b"\xFD7zXZ\0", "an xz file", UNPACK),
        (b"7z\xBC\xAF\x27\x1C", "a 7z archive", UNPACK),
        (b"Rar!\x1A\x07", "a rar archive", UNPACK),
        (b"\x04\x22\x4D\x18", "an lz4 file", UNPACK),
        (b"\x1F\x8B", "a gzip file packed twice", UNPACK),
        (b"\x28\xB5\x2F\xFD", "a zstd file packed twice", UNPACK),
        (b"%PDF-", "a PDF document", PLAIN),
        (b"SQLite format 3\0", "an SQLite database", PLAIN),
        (b"\x89PNG", "a picture", "give a text"),
        (b"\xFF\xD8\xFF", "a picture", "give a text"),
        (b"\x89HDF", "an HDF5 file", PLAIN),
        (b"\x93NUMPY", "a NumPy array", PLAIN),
    ];
    let bzip2 = head.starts_with(b"BZh") && head.get(4..10) == Some(b"1AY&SY");
    let found = forms.iter().find(|(magic, ..)| head.starts_with(magic)).map(|(_, form, way)| (*form, *way));
    match found.or(bzip2.then_some(("a bzip2 file", UNPACK))) {
        Some((form, way)) => Err(TextError::Form { file: file.into(), form, way }),
        None => Ok(()),
    }
}

/// Remembers that the raw bytes have ended, which tells a stream cut off from one that is damaged.
struct Watched<R> {
    inner: R,
    ended: Arc<AtomicBool>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        if n == 0 && !out.is_empty() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Ok(n)
    }
}
