//! Series out of arrays of NumPy.
//!
//! ```text
//! series   [series, steps] or [series, steps, channels]      a .npy, or the array `x` of a .npz
//! labels   [series], whole numbers                           another .npy, or the array `y` of the same .npz
//! ```
//!
//! Names are of any case; `data` stands for `x` and `labels` for `y`. Without such names the one array of two or three
//! dimensions is the series. All series of an array are equally long: for others write a .ts file.

use super::error::{DataError, shown};
use super::images::idx;
use super::npy::Array;
use super::series::{Series, SeriesSet};
use super::sniff::{Kind, sniff};

impl SeriesSet {
    /// Reads series from a `.npy` or `.npz` file; `labels` is a `.npy` or idx file of their labels.
    ///
    /// Errors: those of [`Array::read`], arrays of other shapes or names, numbers that are not finite, labels that are no
    /// whole numbers or of another count.
    pub fn of_arrays(file: &str, labels: Option<&str>) -> Result<SeriesSet, DataError> {
        let (values, within) = match sniff(file)? {
            Kind::Npz => parts(file, Array::read_all(file)?)?,
            _ => (Array::read(file)?, None),
        };
        let labels = match labels {
            Some(name) => Some((name, labels_of(name)?)),
            None => within.map(|array| whole(file, &array)).transpose()?.map(|labels| (file, labels)),
        };
        let series = cut(file, &values)?;
        if let Some((name, labels)) = &labels
            && labels.len() != series.len()
        {
            let what = format!("there are {} labels, and {} series in {file}", labels.len(), series.len());
            return Err(DataError::file(name, what + "; they must be of the same part"));
        }
        let channels = values.shape.get(2).copied().unwrap_or(1);
        let mut labels = labels.into_iter().flat_map(|(_, labels)| labels);
        let series =
            series.into_iter().zip(1..).map(|(values, line)| Series { line, channels, values, label: labels.next() });
        Ok(SeriesSet { file: file.into(), channels, classes: vec![], series: series.collect() })
    }
}

/// The series and the labels of an archive.
fn parts(file: &str, arrays: Vec<Array>) -> Result<(Array, Option<Array>), DataError> {
    let names: Vec<String> =
        arrays.iter().map(|a| format!("`{}` of {} dimensions", shown(&a.name), a.shape.len())).collect();
    let is = |array: &Array, names: [&str; 2]| names.iter().any(|name| array.name.eq_ignore_ascii_case(name));
    let (labels, rest): (Vec<Array>, Vec<Array>) = arrays.into_iter().partition(|a| is(a, ["y", "labels"]));
    let (named, rest): (Vec<Array>, Vec<Array>) = rest.into_iter().partition(|a| is(a, ["x", "data"]));
    let (named, rest) = (named.into_iter(), rest.into_iter().filter(|a| matches!(a.shape.len(), 2 | 3)));
    let mut found: Vec<Array> = if named.len() > 0 { named.collect() } else { rest.collect() };
    match (found.pop(), found.is_empty()) {
        (Some(values), true) => Ok((values, labels.into_iter().next())),
        _ => {
            let what =
                "the series must be the array `x`, or the only one of two or three dimensions, and their labels `y`";
            Err(DataError::file(file, format!("it holds {}: {what}", names.join(", "))))
        }
    }
}

/// Each series, [steps, channels].
fn cut(file: &str, array: &Array) -> Result<Vec<Vec<f32>>, DataError> {
    let (count, steps, channels) = match array.shape[..] {
        [count, steps] => (count, steps, 1),
        [count, steps, channels] => (count, steps, channels),
        _ => {
            let shape: Vec<String> = array.shape.iter().map(usize::to_string).collect();
            let what = "series are [series, steps] or [series, steps, channels]";
            return Err(DataError::file(file, format!("an array of [{}], and {what}", shape.join(", "))));
        }
    };
    if count == 0 || steps == 0 || channels == 0 {
        return Err(DataError::file(file, "the array is empty"));
    }
    if let Some(at) = array.data.iter().position(|x| !x.is_finite()) {
        let (series, step, channel) = (at / (steps * channels), at / channels % steps, at % channels);
        let x = array.data[at];
        let what = format!("series {}, step {}, channel {} is {x}", series + 1, step + 1, channel + 1);
        return Err(DataError::file(file, what + ": fill or leave out what was not measured"));
    }
    Ok(array.data.chunks(steps * channels).map(<[f32]>::to_vec).collect())
}

fn labels_of(file: &str) -> Result<Vec<String>, DataError> {
    match sniff(file)? {
        Kind::Npy => whole(file, &Array::read(file)?),
        _ => idx::labels(file),
    }
}

/// Whole numbers as labels.
fn whole(file: &str, array: &Array) -> Result<Vec<String>, DataError> {
    if array.shape.len() != 1 {
        return Err(DataError::file(file, format!("labels are [series], not of {} dimensions", array.shape.len())));
    }
    let one = |(at, x): (usize, &f32)| match x.fract() == 0.0 {
        true => Ok(format!("{x}")),
        false => Err(DataError::file(file, format!("label {} is {x}: labels are whole numbers", at + 1))),
    };
    array.data.iter().enumerate().map(one).collect()
}
