//! One file → examples: texts with labels, pictures, series.

use super::data::{Grid, RawExample, RawInput};
use crate::data::labelled::{Columns, Labelled, column_names};
use crate::data::pairs::{Pairs, lines};
use crate::data::table::Reading;
use crate::data::{Images, Kind, SeriesSet, sniff};
use crate::error::Error;
use crate::task::Settings;
use crate::task::settings::PictureSteps;
use std::path::Path;

/// What a file holds.
pub enum Numbers {
    /// Pictures, each with its label if there are labels.
    Pictures(Images),
    /// Series, each with its label if there are labels, and what stands before the number of each in messages.
    Series(SeriesSet, &'static str),
}

/// Reads a file of numbers; `None` if it holds something else. `labels` is a file of labels beside it.
///
/// # Errors
/// What the readers say.
pub fn numbers(file: &str, labels: Option<&str>) -> Result<Option<Numbers>, Error> {
    if file == "-" {
        return Ok(None);
    }
    // A text in another encoding cannot be told by its first bytes; its own reader says what is wrong with it.
    Ok(match sniff(file) {
        Ok(Kind::Idx { .. } | Kind::Cifar | Kind::Pictures) => Some(Numbers::Pictures(Images::read(file, labels)?)),
        Ok(Kind::Ts) => Some(Numbers::Series(SeriesSet::read(file)?, ":")),
        Ok(Kind::Npy | Kind::Npz) => Some(Numbers::Series(SeriesSet::of_arrays(file, labels)?, ": series ")),
        Ok(kind @ Kind::Wav) => {
            let message =
                "give texts with labels, pictures (idx, CIFAR-10, folders of PNG) or series (.ts, .npy, .npz)";
            return Err(Error::Refused(format!("{file}: this is {}: {message}", kind.name())));
        }
        Ok(kind @ Kind::Vectors) => {
            let message = "they stand beside examples, --vectors FILE";
            return Err(Error::Refused(format!("{file}: this is {}: {message}", kind.name())));
        }
        Ok(kind @ Kind::Conllu) => {
            let message = "its words have tags, and `elman train tag` learns them";
            return Err(Error::Refused(format!("{file}: this is {}: {message}", kind.name())));
        }
        _ => None,
    })
}

/// Whether the first of some files holds pictures.
pub fn are_pictures(files: &[String]) -> bool {
    let kind = files.first().filter(|file| *file != "-").and_then(|file| sniff(file).ok());
    matches!(kind, Some(Kind::Idx { .. } | Kind::Cifar | Kind::Pictures))
}

impl Numbers {
    /// Each with its place and its label.
    pub fn examples(self, steps: PictureSteps) -> Vec<(String, Grid, Option<String>)> {
        match self {
            Numbers::Pictures(images) => (0..images.count)
                .map(|i| {
                    let (height, width, channels) = (images.height, images.width, images.channels);
                    let label = images.labels.as_ref().and_then(|labels| labels.get(i).cloned());
                    let values: Vec<f32> = images.picture(i).iter().map(|p| f32::from(*p) / 255.0).collect();
                    let of_step = match steps {
                        PictureSteps::Rows => width * channels,
                        PictureSteps::Pixels => channels,
                        PictureSteps::Whole => height * width * channels,
                    };
                    let grid = Grid { picture: Some([height, width, channels]), width: of_step, values };
                    (images.place(i), grid, label)
                })
                .collect(),
            Numbers::Series(set, before) => set
                .series
                .into_iter()
                .map(|s| {
                    let grid = Grid { picture: None, width: s.channels, values: s.values };
                    (format!("{}{before}{}", set.file, s.line), grid, s.label)
                })
                .collect(),
        }
    }
}

/// Reads the examples of a file, and what was decided unasked.
///
/// # Errors
/// What the readers say, numbers without labels.
pub fn read(
    file: &str,
    labels: Option<&str>,
    columns: &mut Columns,
    settings: &Settings,
) -> Result<(Vec<RawExample>, Vec<String>), Error> {
    let d = &settings.data;
    if let Some(numbers) = numbers(file, labels)? {
        let of = |(place, grid, label): (String, Grid, Option<String>)| match label {
            Some(label) => Ok(RawExample { place, input: RawInput::Numbers(grid), label, also: None }),
            None => {
                let way = "--labels names a file of labels (idx, .npy); a case of a .ts has its label last; a folder of PNG has a \
                           folder for each label";
                Err(Error::Refused(format!("{place} has no label: {way}")))
            }
        };
        return Ok((numbers.examples(d.pictures).into_iter().map(of).collect::<Result<_, Error>>()?, vec![]));
    }
    if let Some(labels) = labels {
        return lines_with(file, labels, d.encoding.as_deref());
    }
    let reading = Reading { encoding: d.encoding.clone(), ..Reading::default() };
    let read = Labelled::read(file, columns, &reading)?;
    let one_that_reads_like_two = |asked: &String| column_names(&read.text).len() < column_names(asked).len();
    if columns.text.as_ref().is_none_or(one_that_reads_like_two) {
        columns.text = Some(read.text.clone());
    }
    columns.label.get_or_insert_with(|| read.label.clone());
    let remarks = read.remarks();
    let name = &read.file;
    let examples = read.examples.into_iter().map(|e| RawExample {
        place: format!("{name}:{}", e.line),
        input: RawInput::text(&e.text),
        label: e.label,
        also: e.also,
    });
    Ok((examples.collect(), remarks))
}

/// The lines of a text, with a file of labels beside it, line by line, or one label for all.
fn lines_with(file: &str, labels: &str, encoding: Option<&str>) -> Result<(Vec<RawExample>, Vec<String>), Error> {
    let example = |(line, text, label): (u64, String, String)| RawExample {
        place: format!("{file}:{line}"),
        input: RawInput::text(&text),
        label,
        also: None,
    };
    if Path::new(labels).exists() {
        let read = Pairs::read_aligned(file, labels, encoding)?;
        return Ok((read.pairs.into_iter().map(|p| example((p.line, p.source, p.target))).collect(), read.remarks));
    }
    if labels.contains(['.', '/']) {
        let way = "--labels names files of labels, or the label of all lines";
        return Err(Error::Refused(format!("{labels}: there is no such file; {way}")));
    }
    let full = (1..).zip(lines(file, encoding)?).filter(|(_, text)| !text.is_empty());
    let examples = full.map(|(line, text)| example((line, text, labels.to_string()))).collect();
    Ok((examples, vec![format!("{file}: label `{labels}` for all its lines")]))
}
