//! CIFAR-10's binary form: records of a label byte (0 to 9) and 3 × 32 × 32 bytes, the red plane, the green, the blue.
//! Krizhevsky 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>.

use super::Images;
use crate::data::bytes::Bytes;
use crate::data::error::DataError;
use std::path::Path;

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
/// Bytes of a record.
pub(in crate::data) const RECORD: usize = 1 + 3 * PLANE;
/// Names of the classes, a line each, in a file beside.
const NAMES: [&str; 2] = ["classes.txt", "batches.meta.txt"];

/// Reads all records.
pub(super) fn read(file: &str) -> Result<Images, DataError> {
    let bytes = Bytes::open(file)?.rest()?;
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        let what = format!(
            "{} bytes are no whole number of CIFAR-10 records of {RECORD}; copy or download it again",
            bytes.len()
        );
        return Err(DataError::file(file, what));
    }
    let names = names(file);
    let (mut labels, mut pixels) = (Vec::new(), Vec::with_capacity(bytes.len()));
    for (number, record) in (1..).zip(bytes.chunks_exact(RECORD)) {
        let (label, planes) = (record[0], &record[1..]);
        if label > 9 {
            let what =
                format!("record {number} has label {label}, and CIFAR-10 has 0 to 9; the file is damaged or another's");
            return Err(DataError::file(file, what));
        }
        labels.push(names.get(usize::from(label)).cloned().unwrap_or_else(|| label.to_string()));
        pixels.extend((0..PLANE).flat_map(|at| [planes[at], planes[PLANE + at], planes[2 * PLANE + at]]));
    }
    let count = labels.len();
    Ok(Images {
        file: file.into(),
        count,
        height: SIDE,
        width: SIDE,
        channels: 3,
        pixels,
        labels: Some(labels),
        names: None,
    })
}

/// The names beside the file, if ten are there.
fn names(file: &str) -> Vec<String> {
    let beside = NAMES.iter().filter_map(|name| std::fs::read_to_string(Path::new(file).with_file_name(name)).ok());
    let lines = beside.map(|text| text.split_whitespace().map(String::from).collect::<Vec<_>>());
    lines.into_iter().find(|names| names.len() == 10).unwrap_or_default()
}
