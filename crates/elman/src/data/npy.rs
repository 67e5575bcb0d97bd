//! Arrays that NumPy saved: `.npy`, and `.npz` with several by name.
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>
//!
//! Takes little-endian f4, f8, signed and unsigned whole numbers and bool, row by row (C order). All become f32, which holds
//! whole numbers exactly up to 2²⁴; a larger one is refused. Does not run pickled objects.

use super::bytes::Bytes;
use super::error::{DataError, shown};
use crate::text::source::opened;
use std::io::Read;

/// The most bytes of a header, of an array and of members in an archive.
const HEADER: usize = 1 << 16;
const MOST: u64 = 16 << 30;
const MEMBERS: usize = 1 << 12;

/// Numbers in a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The name in the archive; empty for a `.npy` file.
    pub name: String,
    /// NumPy's word for the type in the file, such as `<f4`.
    pub dtype: String,
    /// The sizes; none for a single number.
    pub shape: Vec<usize>,
    /// The numbers, the last index running fastest.
    pub data: Vec<f32>,
}

impl Array {
    /// Reads a `.npy` file: plain, gzip, zstd, or standard input for `-`.
    ///
    /// Errors: another form, a type or order that is not taken, a shape that is not the file's.
    pub fn read(file: &str) -> Result<Array, DataError> {
        parse(file, "", &Bytes::open(file)?.rest()?)
    }

    /// Reads all arrays of a `.npz` file, by name.
    ///
    /// Errors: those of [`Array::read`], a damaged archive.
    pub fn read_all(file: &str) -> Result<Vec<Array>, DataError> {
        let fault = |e: zip::result::ZipError| {
            DataError::file(file, format!("this is no whole .npz ({e}); save it with np.savez or copy it again"))
        };
        let mut archive = zip::ZipArchive::new(opened(file)?).map_err(fault)?;
        if archive.len() > MEMBERS {
            return Err(DataError::file(
                file,
                format!("the archive has {} members; at most {MEMBERS} are read", archive.len()),
            ));
        }
        let mut arrays = Vec::new();
        for at in 0..archive.len() {
            let member = archive.by_index(at).map_err(fault)?;
            let name = member.name().map_err(fault)?.into_owned();
            let Some(name) = name.strip_suffix(".npy").map(String::from) else { continue };
            let mut bytes = Vec::new();
            let read = member.take(MOST).read_to_end(&mut bytes);
            read.map_err(|e| {
                DataError::file(file, format!("array `{}` is damaged ({e}); save or copy it again", shown(&name)))
            })?;
            arrays.push(parse(file, &name, &bytes)?);
        }
        if arrays.is_empty() {
            return Err(DataError::file(file, "there is no array in it; save some with np.savez"));
        }
        arrays.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(arrays)
    }
}

/// An array out of its bytes.
fn parse(file: &str, name: &str, bytes: &[u8]) -> Result<Array, DataError> {
    let whose = if name.is_empty() { String::new() } else { format!("array `{}`: ", shown(name)) };
    let bad = |what: String| DataError::file(file, whose.clone() + &what);
    let start = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => Some((10, usize::from(u16::from_le_bytes([*a, *b])))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            Some((12, u32::from_le_bytes([*a, *b, *c, *d]) as usize))
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            return Err(bad("the file ends in its header, or is of a later version".into()));
        }
        _ => None,
    };
    let Some((begin, length)) = start else {
        return Err(bad("it does not begin as .npy files do; save it with np.save".into()));
    };
    if length > HEADER {
        return Err(bad(format!("its header says that it is {length} bytes long; it is damaged")));
    }
    let header =
        bytes.get(begin..begin + length).ok_or_else(|| bad("the file ends in its header; copy it again".into()))?;
    let header = String::from_utf8_lossy(header);
    let dtype = value(&header, "descr").map(|v| v.trim_matches(['\'', '"']).to_string());
    let order = value(&header, "fortran_order");
    let shape = value(&header, "shape").and_then(sizes);
    let (Some(dtype), Some(order), Some(shape)) = (dtype, order, shape) else {
        return Err(bad(format!("its header `{}` is not one that np.save writes", shown(header.trim()))));
    };
    if order != "False" && shape.len() > 1 {
        return Err(bad("the array lies column by column; save np.ascontiguousarray(array)".into()));
    }
    let data = &bytes[begin + length..];
    let numbers =
        numbers(&dtype).ok_or_else(|| bad(format!("type {} is not read; save array.astype('<f4')", shown(&dtype))))?;
    let count = shape.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
    let wanted = count.and_then(|n| n.checked_mul(numbers.width));
    if wanted != Some(data.len()) {
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        let wanted = wanted.map_or("more bytes than there can be".into(), |n| format!("{n} bytes"));
        return Err(bad(format!(
            "its header says {shape} numbers, {wanted}, and {} follow; save or copy it again",
            data.len()
        )));
    }
    let data: Vec<f32> = data.chunks_exact(numbers.width).map(numbers.read).collect();
    if numbers.whole && data.iter().any(|x| x.abs() > 16_777_216.0) {
        return Err(bad(
            "whole numbers beyond 2^24 are not held exactly; save array.astype('<f4') if that is meant".into()
        ));
    }
    Ok(Array { name: name.into(), dtype, shape, data })
}

/// What stands behind `key` in the header, a Python dictionary.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let rest = ['\'', '"'].iter().find_map(|q| header.split_once(&format!("{q}{key}{q}"))).map(|(_, rest)| rest)?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let end = if rest.starts_with('(') { rest.find(')')? + 1 } else { rest.find([',', '}'])? };
    Some(rest[..end].trim())
}

fn sizes(written: &str) -> Option<Vec<usize>> {
    let inside = written.strip_prefix('(')?.strip_suffix(')')?;
    inside.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
}

/// How numbers of a type are read.
struct Numbers {
    width: usize,
    whole: bool,
    read: fn(&[u8]) -> f32,
}

fn numbers(dtype: &str) -> Option<Numbers> {
    /// The first bytes, as many as are wanted; all callers give as many.
    fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&bytes[..N]);
        out
    }
    let of = |width, whole, read| Some(Numbers { width, whole, read });
    match dtype {
        "<f4" => of(4, false, |b| f32::from_le_bytes(first(b))),
        "<f8" => of(8, false, |b| f64::from_le_bytes(first(b)) as f32),
        "|u1" | "|b1" => of(1, true, |b| f32::from(b[0])),
        "|i1" => of(1, true, |b| f32::from(b[0] as i8)),
        "<u2" => of(2, true, |b| f32::from(u16::from_le_bytes(first(b)))),
        "<i2" => of(2, true, |b| f32::from(i16::from_le_bytes(first(b)))),
        "<u4" => of(4, true, |b| u32::from_le_bytes(first(b)) as f32),
        "<i4" => of(4, true, |b| i32::from_le_bytes(first(b)) as f32),
        "<u8" => of(8, true, |b| u64::from_le_bytes(first(b)) as f32),
        "<i8" => of(8, true, |b| i64::from_le_bytes(first(b)) as f32),
        _ => None,
    }
}
