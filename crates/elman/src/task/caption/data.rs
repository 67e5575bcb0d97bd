//! Files of pictures, and tables of captions beside them.

use crate::data::images::Images;
use crate::data::table::{Reading, Table};
use crate::error::Error;
use crate::run::Folder;
use crate::task::settings::Settings;
use crate::task::{Part, held_out};
use crate::whole_file::shown;
use serde::{Deserialize, Serialize};

const SIZE: &str = "pictures.json";

/// The size of all pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// 1 or 3.
    pub channels: usize,
}

impl Size {
    /// Numbers of a picture.
    pub fn numbers(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Writes it into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(self, folder: &Folder) -> Result<(), Error> {
        let json = serde_json::to_string_pretty(&self).map_err(|e| Error::Refused(format!("{SIZE}: {e}")))?;
        folder.write(SIZE, json.into_bytes())
    }

    /// Reads it back.
    ///
    /// # Errors
    /// No such file, one that holds no size.
    pub fn read(folder: &Folder) -> Result<Size, Error> {
        let path = folder.join(SIZE);
        let way = "put the file back as it was, or train again";
        let wrong = |why: String| Error::Refused(format!("{}: {why}; {way}", shown(&path)));
        let json = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        let size: Size = serde_json::from_str(&json).map_err(|e| wrong(e.to_string()))?;
        let sides = 1..=8192;
        if !(sides.contains(&size.height) && sides.contains(&size.width) && [1, 3].contains(&size.channels)) {
            return Err(wrong("this is no size of a picture".into()));
        }
        Ok(size)
    }
}

/// A picture and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// [height, width, channels].
    pub pixels: Vec<u8>,
    /// Its words, with single spaces between them.
    pub caption: String,
}

/// Pictures with captions, per part.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Of every picture.
    pub size: Size,
    parts: [Vec<Example>; 3],
    /// What was decided unasked while reading.
    pub remarks: Vec<String>,
}

impl Examples {
    /// Those of a part.
    pub fn of(&self, part: Part) -> &[Example] {
        &self.parts[part as usize]
    }

    /// Training and validation examples, as bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let all = self.of(Part::Train).iter().chain(self.of(Part::Valid));
        all.flat_map(|e| e.pixels.iter().copied().chain(e.caption.bytes()).chain([0]))
    }
}

/// Reads all files of the settings; a part that has no file is a tenth of the training pictures.
///
/// # Errors
/// What the readers say; files that do not belong together; too few pictures.
pub fn read(settings: &Settings) -> Result<Examples, Error> {
    let d = &settings.data;
    let files = d.train.len() + d.valid.len() + d.test.len();
    if d.beside.len() != files {
        let way = "name a table for each file of --data, --valid and --test, in this order";
        return Err(Error::Refused(format!("{} tables of captions beside {files} of pictures: {way}", d.beside.len())));
    }
    let (mut size, mut parts, mut remarks) = (None, [vec![], vec![], vec![]], vec![]);
    let mut beside = d.files_beside();
    for (files, part) in [(&d.train, Part::Train), (&d.valid, Part::Valid), (&d.test, Part::Test)] {
        for (file, table) in files.iter().zip(&mut beside) {
            let Some(table) = table else {
                return Err(Error::Refused(format!(
                    "{file}: the table of its captions is missing: --captions names it"
                )));
            };
            let images = Images::read(file, None)?;
            let own = Size { height: images.height, width: images.width, channels: images.channels };
            let wanted = *size.get_or_insert(own);
            if own != wanted {
                let say = |s: Size| format!("{} × {}, {} channels", s.width, s.height, s.channels);
                let message = format!("its pictures are {}, those before {}", say(own), say(wanted));
                return Err(Error::Refused(format!("{file}: {message}; make all the same size")));
            }
            parts[part as usize].extend(pairs(&images, table, settings, &mut remarks)?);
        }
    }
    let Some(size) = size.filter(|s| s.numbers() > 0) else {
        return Err(Error::Refused(format!("{}: pictures without pixels", d.train.join(", "))));
    };
    held_out::divide(&mut parts, d, |_| None, "pictures", &mut remarks);
    let examples = Examples { size, parts, remarks };
    if examples.of(Part::Train).is_empty() || examples.of(Part::Valid).is_empty() {
        let message = "too few pictures: at least 10 are needed, or files for --data and --valid";
        return Err(Error::Refused(format!("{}: {message}", d.train.join(", "))));
    }
    Ok(examples)
}

/// Pictures and the captions of a table, row by row.
fn pairs(images: &Images, file: &str, settings: &Settings, remarks: &mut Vec<String>) -> Result<Vec<Example>, Error> {
    let reading = Reading { encoding: settings.data.encoding.clone(), ..Reading::default() };
    let table = Table::read(file, &reading)?;
    let letters = |column: usize| table.fields(column).map(|f| f.chars().count()).sum::<usize>();
    let column = match &settings.data.text {
        Some(name) => table.column(name)?,
        None => (0..table.columns.len()).rev().max_by_key(|c| letters(*c)).unwrap_or(0),
    };
    if table.rows.len() != images.count {
        let (rows, pictures) = (table.rows.len(), images.count);
        let message = format!("it has {rows} rows, and {} has {pictures} pictures", images.file);
        return Err(Error::Refused(format!("{file}: {message}; row n must belong to picture n")));
    }
    if settings.data.text.is_none() && table.columns.len() > 1 {
        remarks.push(format!("{file}: the caption is column `{}`; --text takes another", table.columns[column]));
    }
    let mut all = vec![];
    for (n, caption) in table.fields(column).enumerate() {
        let caption = caption.split_whitespace().collect::<Vec<_>>().join(" ");
        if !caption.is_empty() {
            let caption = if settings.data.lowercase { caption.to_lowercase() } else { caption };
            all.push(Example { pixels: images.picture(n).to_vec(), caption });
        }
    }
    if all.len() < images.count {
        remarks.push(format!("{file}: {} pictures have no caption and are left out", images.count - all.len()));
    }
    Ok(all)
}

/// A picture of any size in another: each pixel the mean of those it covers. `channels` become as many as are wanted.
pub fn resized(pixels: &[u8], from: Size, to: Size) -> Vec<u8> {
    if from == to {
        return pixels.to_vec();
    }
    let span = |i: usize, to: usize, from: usize| {
        let first = i * from / to;
        first..((i + 1) * from).div_ceil(to).max(first + 1).min(from)
    };
    let mut all = Vec::with_capacity(to.numbers());
    for y in 0..to.height {
        for x in 0..to.width {
            let mut sums = [0usize; 3];
            let mut count = 0;
            for row in span(y, to.height, from.height) {
                for column in span(x, to.width, from.width) {
                    let place = (row * from.width + column) * from.channels;
                    let of = |k: usize| usize::from(pixels[place + k.min(from.channels - 1)]);
                    (0..3).for_each(|k| sums[k] += of(k));
                    count += 1;
                }
            }
            let mean = sums.map(|s| (s + count / 2) / count.max(1));
            match to.channels {
                1 => all.push(((mean[0] + mean[1] + mean[2]) / 3) as u8),
                _ => all.extend(mean.map(|m| m as u8)),
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_picture_has_the_means() {
        let (from, to) = (Size { height: 2, width: 4, channels: 1 }, Size { height: 1, width: 2, channels: 3 });
        let small = resized(&[10, 20, 0, 4, 30, 40, 8, 12], from, to);
        assert_eq!(small, [25, 25, 25, 6, 6, 6]);
        let large = Size { height: 4, width: 8, channels: 1 };
        assert_eq!(resized(&resized(&[1, 2, 3, 4, 5, 6, 7, 8], from, large), large, from), [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
