//! idx, the form of MNIST: 0, 0, a type, the number of dimensions, a big-endian u32 for each, then the values row by row.
//! <http://yann.lecun.com/exdb/mnist>. Of the types only u8 (8) is read.

use super::Images;
use crate::data::bytes::Bytes;
use crate::data::error::DataError;

/// More values than this are no picture file of ours.
const MOST: u64 = 1 << 34;

/// Pictures: 3 dimensions (count, height, width), or 4 with the channels last.
pub(super) fn pictures(file: &str) -> Result<Images, DataError> {
    let (sizes, pixels) = read(file, "pictures")?;
    let (count, height, width, channels) = match sizes[..] {
        [n, h, w] => (n, h, w, 1),
        [n, h, w, c @ (1 | 3)] => (n, h, w, c),
        [_, _, _, c] => {
            return Err(DataError::file(
                file,
                format!("the pictures have {c} channels; 1 (grey) and 3 (colour) are read"),
            ));
        }
        _ => {
            return Err(DataError::file(
                file,
                format!("this idx file has {} dimensions; pictures have 3 or 4", sizes.len()),
            ));
        }
    };
    Ok(Images { file: file.into(), count, height, width, channels, pixels, labels: None, names: None })
}

/// Labels: 1 dimension.
pub(in crate::data) fn labels(file: &str) -> Result<Vec<String>, DataError> {
    let (sizes, bytes) = read(file, "labels")?;
    if sizes.len() != 1 {
        return Err(DataError::file(file, format!("this idx file has {} dimensions; labels have 1", sizes.len())));
    }
    Ok(bytes.iter().map(u8::to_string).collect())
}

/// The sizes and the bytes.
fn read(file: &str, what: &str) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut bytes = Bytes::open(file)?;
    let magic = bytes.up_to(4)?;
    let dims = match magic[..] {
        [0, 0, 8, dims @ 1..=4] => dims,
        [0, 0, 8, dims] => {
            return Err(DataError::file(
                file,
                format!("an idx file of {dims} dimensions is not read; {what} have 1 to 4"),
            ));
        }
        [0, 0, 9..=14, _] => {
            return Err(DataError::file(file, "the idx values are no bytes; save them as u8, from 0 to 255"));
        }
        _ => return Err(DataError::file(file, format!("it does not begin as idx {what} do (0, 0, 8, dimensions)"))),
    };
    let header = bytes.up_to(4 * u64::from(dims))?;
    if header.len() < 4 * usize::from(dims) {
        return Err(DataError::file(file, "the file ends in its header; copy or download it again"));
    }
    let sizes: Vec<u64> =
        header.chunks_exact(4).map(|b| u64::from(u32::from_be_bytes([b[0], b[1], b[2], b[3]]))).collect();
    let shape = sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" × ");
    let wanted = sizes.iter().try_fold(1u64, |n, size| n.checked_mul(*size)).filter(|n| *n <= MOST);
    let Some(wanted) = wanted else {
        return Err(DataError::file(
            file,
            format!("its header says {shape}, more than any file of {what} holds; it is damaged"),
        ));
    };
    if wanted == 0 {
        return Err(DataError::file(file, format!("its header says {shape}: there is nothing in it")));
    }
    let values = bytes.up_to(wanted)?;
    if (values.len() as u64) < wanted {
        let what =
            format!("its header says {shape}, {wanted} bytes, and {} follow; copy or download it again", values.len());
        return Err(DataError::file(file, what));
    }
    if !bytes.up_to(1)?.is_empty() {
        return Err(DataError::file(
            file,
            format!("its header says {shape}, {wanted} bytes, and more follow; the header is wrong"),
        ));
    }
    Ok((sizes.iter().map(|size| *size as usize).collect(), values))
}
