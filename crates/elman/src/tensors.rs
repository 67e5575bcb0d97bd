//! Named tensors in files, in the safetensors format: read with nothing taken on trust, written so that equal tensors
//! are equal files.
//!
//! A file is 8 bytes (the header's length, little-endian), the header (JSON: per tensor its dtype, shape and the range of
//! its bytes), and the bytes. Whatever a header claims, no more memory is taken than the file has bytes; every error
//! names the file, the tensor, what was found and what was wanted. NaN and infinities are read like any other number.
//! Written files have sorted names and no metadata. Reads no other format, and does not map files into memory.

mod header;
#[cfg(test)]
mod tests;

use crate::whole_file::{WholeFile, shown};
use elman_cell::nearest::nearest;
use header::Entry;
use safetensors::tensor::{Dtype, View};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::path::Path;

/// Why a tensor file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TensorError {
    /// The file system said no.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What it said.
        source: std::io::Error,
    },
    /// The file as a whole is not what it should be.
    #[error("{file}: not a safetensors file: {why}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// One tensor is not what it should be.
    #[error("{file}: tensor `{tensor}`: found {found}, wanted {wanted}")]
    Tensor {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// What is there.
        found: String,
        /// What should be there.
        wanted: String,
    },
}

/// A number that tensors are made of: `f32` or `f64`.
pub trait Number: Copy + Send + Sync {
    /// Its name in the format.
    const DTYPE: Dtype;
    /// Reads little-endian bytes of `dtype`; `None` where that dtype is not read as this type.
    fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<Self>>;
    /// Its little-endian bytes.
    fn encode(values: &[Self]) -> Vec<u8>;
    /// What `decode` takes, in words.
    const WANTED: &'static str;
}

fn each<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
}

impl Number for f32 {
    const DTYPE: Dtype = Dtype::F32;
    const WANTED: &'static str = "F32";
    fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
        (dtype == Dtype::F32).then(|| each(bytes, f32::from_le_bytes))
    }
    fn encode(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
}

impl Number for f64 {
    const DTYPE: Dtype = Dtype::F64;
    const WANTED: &'static str = "F64 or F32";
    fn decode(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
        match dtype {
            Dtype::F64 => Some(each(bytes, f64::from_le_bytes)),
            Dtype::F32 => Some(each(bytes, |b| f64::from(f32::from_le_bytes(b)))),
            _ => None,
        }
    }
    fn encode(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
}

/// The tensors of one file, checked against its size but not yet against what a reader wants.
#[derive(Debug)]
pub struct TensorFile {
    file: String,
    entries: BTreeMap<String, Entry>,
    data: Vec<u8>,
}

impl TensorFile {
    /// Reads a file and checks that its header and its bytes agree.
    pub fn open(path: &Path) -> Result<TensorFile, TensorError> {
        let file = shown(path);
        let opened = std::fs::File::open(path).map_err(|source| TensorError::Io { file: file.clone(), source })?;
        TensorFile::read(file, opened)
    }

    /// The same from the bytes of a file; `path` is the name used in messages.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<TensorFile, TensorError> {
        TensorFile::read(shown(path), bytes)
    }

    fn read(file: String, mut source: impl std::io::Read) -> Result<TensorFile, TensorError> {
        let entries = header::read(&file, &mut source)?;
        let data = header::read_data(&file, &mut source, &entries)?;
        Ok(TensorFile { file, entries, data })
    }

    /// The file's name, as errors print it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The names of its tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of a tensor, if it is there.
    pub fn shape(&self, tensor: &str) -> Option<&[usize]> {
        self.entries.get(tensor).map(|e| e.shape.as_slice())
    }

    /// The elements of `tensor`, row-major. Errors: it is missing, or has another shape or dtype.
    pub fn numbers<T: Number>(&self, tensor: &str, shape: &[usize]) -> Result<Vec<T>, TensorError> {
        let entry = self.entry(tensor, &format!("shape {shape:?}"))?;
        if entry.shape != shape {
            return Err(self.wrong(tensor, format!("shape {:?}", entry.shape), format!("shape {shape:?}")));
        }
        T::decode(entry.dtype, &self.data[entry.bytes.clone()])
            .ok_or_else(|| self.wrong(tensor, format!("dtype {:?}", entry.dtype), format!("dtype {}", T::WANTED)))
    }

    /// Lengths of sequences, `[batch]` of I64. Errors: as [`TensorFile::numbers`], or a length is not in 1 ..= `steps`.
    pub fn lengths(&self, tensor: &str, batch: usize, steps: usize) -> Result<Vec<usize>, TensorError> {
        self.counts(tensor, batch, steps, "the steps of `x`")
    }

    /// Slots that sequences have of a memory of that name, `[batch]` of I64. Errors: as [`TensorFile::lengths`].
    pub fn lengths_up_to(
        &self,
        tensor: &str,
        batch: usize,
        slots: usize,
        memory: &str,
    ) -> Result<Vec<usize>, TensorError> {
        self.counts(tensor, batch, slots, &format!("the slots of `{memory}`"))
    }

    fn counts(&self, tensor: &str, batch: usize, most: usize, what: &str) -> Result<Vec<usize>, TensorError> {
        let entry = self.entry(tensor, &format!("shape [{batch}]"))?;
        if entry.shape != [batch] {
            return Err(self.wrong(tensor, format!("shape {:?}", entry.shape), format!("shape [{batch}]")));
        }
        if entry.dtype != Dtype::I64 {
            return Err(self.wrong(tensor, format!("dtype {:?}", entry.dtype), "dtype I64"));
        }
        let check = |(row, length): (usize, i64)| match usize::try_from(length) {
            Ok(fits) if (1..=most).contains(&fits) => Ok(fits),
            _ => Err(self.wrong(tensor, format!("{length} at [{row}]"), format!("1 to {most} ({what})"))),
        };
        each(&self.data[entry.bytes.clone()], i64::from_le_bytes).into_iter().enumerate().map(check).collect()
    }

    /// An error for the first tensor that is none of `known`.
    pub fn refuse_others<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Result<(), TensorError> {
        let known: std::collections::BTreeSet<&str> = known.into_iter().collect();
        let Some(other) = self.names().find(|name| !known.contains(name)) else { return Ok(()) };
        let unread: Vec<&str> = known.iter().copied().filter(|name| !self.entries.contains_key(*name)).collect();
        let list = || known.iter().take(8).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let wanted = match nearest(other, unread) {
            Some(meant) => format!("`{meant}`"),
            None if known.len() > 8 => format!("one of {} and {} others", list(), known.len() - 8),
            None => format!("one of {}", list()),
        };
        Err(self.wrong(other, "a name that nothing reads", wanted))
    }

    /// An error about one tensor of this file.
    pub fn wrong(&self, tensor: &str, found: impl Display, wanted: impl Display) -> TensorError {
        header::wrong(&self.file, tensor, found, wanted)
    }

    fn entry(&self, tensor: &str, wanted: &str) -> Result<&Entry, TensorError> {
        self.entries.get(tensor).ok_or_else(|| self.wrong(tensor, "no such tensor", wanted))
    }
}

/// A tensor to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    /// Its name in the file.
    pub name: String,
    /// Its shape; the product is the number of elements.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub data: Vec<T>,
}

impl<T: Number> View for &Named<T> {
    fn dtype(&self) -> Dtype {
        T::DTYPE
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(T::encode(&self.data))
    }
    fn data_len(&self) -> usize {
        size_of_val(self.data.as_slice())
    }
}

/// The same, lent: nothing is copied but a tensor at a time, while it is written.
#[derive(Clone, Debug)]
pub struct Lent<'a, T> {
    /// Its name in the file.
    pub name: String,
    /// Its shape; the product is the number of elements.
    pub shape: Vec<usize>,
    /// Its elements, row-major.
    pub data: &'a [T],
}

/// What a header says of a tensor.
struct Outline<'a, T>(&'a Lent<'a, T>);

impl<T: Number> View for Outline<'_, T> {
    fn dtype(&self) -> Dtype {
        T::DTYPE
    }
    fn shape(&self) -> &[usize] {
        &self.0.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }
    fn data_len(&self) -> usize {
        size_of_val(self.0.data)
    }
}

/// Numbers that are encoded at once.
const PIECE: usize = 1 << 14;

/// Writes lent tensors beside `path`, a piece at a time; they get that name when the returned file is published.
pub fn write_lent<T: Number>(path: &Path, tensors: &[Lent<T>]) -> Result<WholeFile, TensorError> {
    // Without data it is the header alone. Of one dtype, tensors follow by their names.
    let header = safetensors::serialize(tensors.iter().map(|t| (t.name.as_str(), Outline(t))), None)
        .map_err(|e| TensorError::Format { file: shown(path), why: e.to_string() })?;
    let mut sorted: Vec<&Lent<T>> = tensors.iter().collect();
    sorted.sort_by_key(|t| t.name.as_str());
    let fill = |to: &mut dyn io::Write| {
        to.write_all(&header)?;
        sorted.iter().flat_map(|t| t.data.chunks(PIECE)).try_for_each(|piece| to.write_all(&T::encode(piece)))
    };
    WholeFile::write_by(path, fill).map_err(|source| TensorError::Io { file: shown(path), source })
}

/// Writes tensors beside `path`; they get that name when the returned file is published.
pub fn write<T: Number>(path: &Path, tensors: &[Named<T>]) -> Result<WholeFile, TensorError> {
    WholeFile::write(path, bytes(path, tensors)?).map_err(|source| TensorError::Io { file: shown(path), source })
}

/// Tensors as the bytes of a file; `path` is the name used in messages.
pub fn bytes<T: Number>(path: &Path, tensors: &[Named<T>]) -> Result<Vec<u8>, TensorError> {
    safetensors::serialize(tensors.iter().map(|t| (t.name.as_str(), t)), None)
        .map_err(|e| TensorError::Format { file: shown(path), why: e.to_string() })
}
