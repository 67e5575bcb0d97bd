//! Series of numbers with a label each: `.ts`, the form of sktime and of the UEA archive.
//!
//! Lines of `@name value` come first, then after `@data` a case a line: its dimensions parted by `:`, the values of each by
//! `,`, the label last, `?` if it is not known. Dimensions of one case are equally long, cases need not be. `#` begins a comment. Does not read time
//! stamps and missing values (`?`).

use super::error::{DataError, shown};
use crate::text::Source;

/// A label that is not known.
const UNKNOWN: &str = "?";

/// Numbers over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The line in the file, from 1.
    pub line: u64,
    /// Numbers of a step.
    pub channels: usize,
    /// [steps, channels].
    pub values: Vec<f32>,
    /// Its label.
    pub label: Option<String>,
}

impl Series {
    /// The number of steps.
    pub fn steps(&self) -> usize {
        self.values.len() / self.channels.max(1)
    }
}

/// Series of equally many channels.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSet {
    /// The name of the file.
    pub file: String,
    /// Numbers of a step.
    pub channels: usize,
    /// The labels that the header lists.
    pub classes: Vec<String>,
    /// The series.
    pub series: Vec<Series>,
}

/// What the header says.
#[derive(Default)]
struct Header {
    dimensions: Option<usize>,
    classes: Option<Vec<String>>,
}

impl SeriesSet {
    /// Reads a `.ts` file: plain, gzip, zstd, or standard input for `-`.
    ///
    /// Errors: those of [`Source`], a header with what is not read, a case whose dimensions are not the header's or not
    /// equally long, a value that is no number, a label that the header does not list.
    pub fn read(file: &str) -> Result<SeriesSet, DataError> {
        let mut source = Source::open(file, None)?;
        let name = source.file().to_string();
        let (mut header, mut line, mut begun) = (Header::default(), String::new(), false);
        let mut series: Vec<Series> = Vec::new();
        while source.next_line(&mut line)? {
            let (written, number) = (line.trim(), source.line());
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            if begun {
                let wanted = header.dimensions.or(series.first().map(|s| s.channels));
                series.push(case(&name, number, written, wanted, header.classes.as_deref())?);
            } else if written.eq_ignore_ascii_case("@data") {
                begun = true;
            } else {
                header.take(&name, number, written)?;
            }
        }
        match series.first() {
            None if !begun => {
                Err(DataError::file(&name, "there is no line `@data` in it; a .ts file has one before its cases"))
            }
            None => Err(DataError::file(&name, "no case follows `@data`; the file was cut off, or is empty")),
            Some(first) => {
                let channels = first.channels;
                Ok(SeriesSet { file: name, channels, classes: header.classes.unwrap_or_default(), series })
            }
        }
    }
}

impl Header {
    fn take(&mut self, file: &str, line: u64, written: &str) -> Result<(), DataError> {
        let mut words = written.split_whitespace();
        let name = words.next().unwrap_or_default();
        let value = words.next().unwrap_or_default();
        match name.to_lowercase().as_str() {
            "@timestamps" if value.eq_ignore_ascii_case("true") => {
                Err(DataError::line(file, line, "time stamps are not read; save the values alone (@timeStamps false)"))
            }
            "@dimensions" | "@dimension" => match value.parse() {
                Ok(count) if count > 0 => {
                    self.dimensions = Some(count);
                    Ok(())
                }
                _ => Err(DataError::line(file, line, format!("`{}` is no number of dimensions from 1", shown(value)))),
            },
            "@classlabel" if value.eq_ignore_ascii_case("true") => {
                self.classes = Some(words.map(String::from).collect());
                Ok(())
            }
            _ if name.starts_with('@') => Ok(()),
            _ => {
                let what =
                    format!("`{}` is no line of a .ts header; they begin with @, and @data comes before the cases", {
                        shown(written)
                    });
                Err(DataError::line(file, line, what))
            }
        }
    }
}

/// One case.
fn case(
    file: &str,
    line: u64,
    written: &str,
    wanted: Option<usize>,
    classes: Option<&[String]>,
) -> Result<Series, DataError> {
    let mut parts: Vec<&str> = written.split(':').map(str::trim).collect();
    let label = classes.and_then(|_| parts.pop()).filter(|label| *label != UNKNOWN);
    if let (Some(label), Some(classes)) = (label, classes)
        && !classes.iter().any(|class| class == label)
    {
        let what = format!(
            "label `{}` is not in the header's @classLabel ({}); the label stands last, behind a `:`, `?` where it is not known",
            shown(label),
            classes.join(" ")
        );
        return Err(DataError::line(file, line, what));
    }
    let channels = parts.len();
    if channels == 0 || wanted.is_some_and(|wanted| wanted != channels) {
        let wanted = wanted.unwrap_or(1);
        let label = match classes {
            None if channels == wanted + 1 => {
                "; if the last is a label, the header says `@classLabel true` and all labels"
            }
            _ => "",
        };
        let what = format!("the case has {channels} dimensions, and {wanted} are wanted{label}");
        return Err(DataError::line(file, line, what));
    }
    let mut columns: Vec<Vec<f32>> = Vec::new();
    for (dimension, part) in (1..).zip(&parts) {
        let mut values = Vec::new();
        for value in part.split(',').map(str::trim) {
            match value.parse::<f32>() {
                Ok(number) if number.is_finite() => values.push(number),
                _ => {
                    let (place, value) = (values.len() + 1, shown(value));
                    let what = format!(
                        "`{value}` (value {place}) is no number; missing values are not read, fill them in first"
                    );
                    return Err(DataError::field(file, line, &format!("dimension {dimension}"), what));
                }
            }
        }
        let steps = columns.first().map_or(values.len(), Vec::len);
        if values.len() != steps {
            let what = format!("it has {} values, and dimension 1 has {steps}", values.len());
            return Err(DataError::field(file, line, &format!("dimension {dimension}"), what));
        }
        columns.push(values);
    }
    let steps = columns.first().map_or(0, Vec::len);
    let values = (0..steps).flat_map(|step| columns.iter().map(move |column| column[step])).collect();
    Ok(Series { line, channels, values, label: label.map(String::from) })
}
