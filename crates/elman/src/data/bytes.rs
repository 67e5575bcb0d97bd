//! A file of bytes, plain, gzip or zstd. Memory is taken for bytes that were read, never for a length that the file states.

use super::error::DataError;
use crate::text::source::{opened, unpacking};
use std::io::{self, BufRead, Read};

/// The most bytes that are held of one file, unpacked.
const MOST: u64 = 16 << 30;

/// A file that is being read.
pub(super) struct Bytes {
    /// The name used in messages.
    pub file: String,
    /// What it was packed with.
    pub packing: Option<&'static str>,
    reader: Box<dyn BufRead + Send>,
}

impl Bytes {
    /// Opens `file`, or standard input for `-`. Errors: a missing file, a folder, what the system says.
    pub fn open(file: &str) -> Result<Bytes, DataError> {
        let (name, opened) = match file {
            "-" => ("standard input", unpacking(io::stdin())),
            _ => (file, unpacking(opened(file)?)),
        };
        let (reader, packing) = opened.map_err(|reason| DataError::file(name, reason.to_string()))?;
        Ok(Bytes { file: name.into(), packing, reader })
    }

    /// The next bytes, as many as `count` or as there are.
    pub fn up_to(&mut self, count: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(count).read_to_end(&mut bytes);
        let packing = self.packing;
        read.map_err(|reason| match packing {
            Some(form) => DataError::file(
                &self.file,
                format!("the {form} data is cut off or damaged ({reason}); copy or download it again"),
            ),
            None => DataError::file(&self.file, reason.to_string()),
        })?;
        Ok(bytes)
    }

    /// All that is left. Errors: more than is held of one file.
    pub fn rest(&mut self) -> Result<Vec<u8>, DataError> {
        let bytes = self.up_to(MOST + 1)?;
        if bytes.len() as u64 > MOST {
            return Err(DataError::file(
                &self.file,
                format!("the file has more than {MOST} bytes; cut it into several"),
            ));
        }
        Ok(bytes)
    }
}
