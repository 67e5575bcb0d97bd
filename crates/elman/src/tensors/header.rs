//! The header of a safetensors file, and the checks that it and the bytes agree.
//!
//! Ranges must follow each other without gap or overlap from the first byte to the last, and each must be as long as its
//! shape and dtype say. Memory grows with what was read, never with what a number in the file claims.

use super::TensorError;
use safetensors::tensor::{Dtype, TensorInfo};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::Read;
use std::ops::Range;

/// The longest header that is read, as in the reference implementation of the format.
const LONGEST_HEADER: u64 = 100_000_000;

/// One tensor's place in the bytes.
#[derive(Debug)]
pub(super) struct Entry {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Range<usize>,
}

pub(super) fn wrong(file: &str, tensor: &str, found: impl Display, wanted: impl Display) -> TensorError {
    let tensor = tensor.escape_debug().take(120).collect();
    TensorError::Tensor { file: file.into(), tensor, found: found.to_string(), wanted: wanted.to_string() }
}

/// Reads the header and checks each tensor by itself and against its neighbours.
pub(super) fn read(file: &str, source: &mut impl Read) -> Result<BTreeMap<String, Entry>, TensorError> {
    let format = |why: String| TensorError::Format { file: file.into(), why };
    let length: [u8; 8] = read_up_to(file, source, 8)?
        .try_into()
        .map_err(|short: Vec<u8>| format(format!("{} bytes, wanted at least 8", short.len())))?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST_HEADER {
        return Err(format(format!("a header of {length} bytes, wanted at most {LONGEST_HEADER}")));
    }
    let text = read_up_to(file, source, length)?;
    if (text.len() as u64) < length {
        return Err(format(format!("{} bytes of header, wanted {length}", text.len())));
    }
    let pairs: Pairs = serde_json::from_slice(&text).map_err(|e| format(format!("header: {e}")))?;
    entries(file, pairs)
}

/// Reads the bytes of all tensors: as many as the header says, and no more.
pub(super) fn read_data(
    file: &str,
    source: &mut impl Read,
    entries: &BTreeMap<String, Entry>,
) -> Result<Vec<u8>, TensorError> {
    let wanted = entries.values().map(|e| e.bytes.end).max().unwrap_or(0);
    let data = read_up_to(file, source, (wanted as u64).saturating_add(1))?;
    if data.len() == wanted {
        return Ok(data);
    }
    let found = if data.len() < wanted { data.len().to_string() } else { "more".into() };
    Err(TensorError::Format { file: file.into(), why: format!("{found} bytes of data, wanted {wanted}") })
}

fn read_up_to(file: &str, source: &mut impl Read, length: u64) -> Result<Vec<u8>, TensorError> {
    let mut bytes = Vec::new();
    let io = |source| TensorError::Io { file: file.into(), source };
    source.take(length).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn entries(file: &str, pairs: Pairs) -> Result<BTreeMap<String, Entry>, TensorError> {
    let mut found = Vec::new();
    for (name, value) in pairs.0 {
        if name == "__metadata__" {
            continue;
        }
        let info: TensorInfo = serde_json::from_value(value)
            .map_err(|e| wrong(file, &name, format!("an entry with {e}"), "dtype, shape and data_offsets"))?;
        check_size(file, &name, &info)?;
        found.push((name, info));
    }
    found.sort_by_key(|(_, info)| info.data_offsets);
    check_ranges(file, &found)?;
    let mut entries = BTreeMap::new();
    for (name, info) in found {
        let entry = Entry { dtype: info.dtype, shape: info.shape, bytes: info.data_offsets.0..info.data_offsets.1 };
        if entries.insert(name.clone(), entry).is_some() {
            return Err(wrong(file, &name, "the name twice", "each name once"));
        }
    }
    Ok(entries)
}

/// The range must be as long as shape and dtype say.
fn check_size(file: &str, name: &str, info: &TensorInfo) -> Result<(), TensorError> {
    let shape = || format!("shape {:?} of {:?}", info.shape, info.dtype);
    let elements = info.shape.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
    let bits = elements
        .and_then(|n| n.checked_mul(info.dtype.bitsize()))
        .ok_or_else(|| wrong(file, name, shape(), "a size that fits in memory"))?;
    let (start, end) = info.data_offsets;
    match end.checked_sub(start) {
        Some(length) if bits.is_multiple_of(8) && length == bits / 8 => Ok(()),
        Some(length) => Err(wrong(file, name, format!("{} in {length} bytes", shape()), format!("{} bytes", bits / 8))),
        None => Err(wrong(file, name, format!("bytes {start} to {end}"), "an end that is not before the start")),
    }
}

/// Ranges, sorted by start, must touch.
fn check_ranges(file: &str, found: &[(String, TensorInfo)]) -> Result<(), TensorError> {
    let mut next = 0;
    for (name, info) in found {
        let (start, end) = info.data_offsets;
        if start != next {
            return Err(wrong(file, name, format!("bytes from {start}"), format!("from {next}, where the last ends")));
        }
        next = end;
    }
    Ok(())
}

/// The members of a JSON object in their order, a name that comes twice included.
struct Pairs(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
