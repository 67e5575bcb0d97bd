//! Pictures of one size: idx files, CIFAR records, folders of PNG.
//!
//! Pixels are bytes, [count, height, width, channels]; one channel is grey, three are red, green, blue.

mod cifar;
mod folder;
pub(super) mod idx;

use super::error::DataError;
use super::sniff::{Kind, sniff};

/// Pictures of one size, with labels or without.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// The name of the file or folder.
    pub file: String,
    /// How many there are.
    pub count: usize,
    /// Rows of each.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// [count, height, width, channels].
    pub pixels: Vec<u8>,
    /// The label of each.
    pub labels: Option<Vec<String>>,
    /// The file of each, where they have files of their own.
    pub names: Option<Vec<String>>,
}

impl Images {
    /// What picture `n` is called: by its own file, if it has one, else by its number from 1.
    pub fn place(&self, n: usize) -> String {
        let own = self.names.as_ref().and_then(|names| names.get(n));
        own.cloned().unwrap_or_else(|| format!("{}: picture {}", self.file, n + 1))
    }

    /// Reads an idx file, a file of CIFAR-10 records or a folder of PNG. `labels` is an idx file of labels, for idx pictures.
    ///
    /// A folder holds a folder of pictures for each label, or pictures without labels. CIFAR labels are named by the file
    /// `classes.txt` or `batches.meta.txt` beside, if there is one.
    ///
    /// Errors: another form, a header whose sizes are not the file's, labels of another number, pictures of unequal size.
    pub fn read(file: &str, labels: Option<&str>) -> Result<Images, DataError> {
        let mut images = match sniff(file)? {
            Kind::Idx { dims: 3 | 4 } => idx::pictures(file)?,
            Kind::Cifar => cifar::read(file)?,
            Kind::Pictures => folder::read(file)?,
            Kind::Idx { dims } => {
                let what = format!("this idx file has {dims} dimensions; pictures have 3 (grey) or 4 (colour)");
                return Err(DataError::file(file, what));
            }
            other => {
                let what = format!(
                    "this is {}, and pictures are idx files, CIFAR-10 records or a folder of PNG",
                    other.name()
                );
                return Err(DataError::file(file, what));
            }
        };
        if let Some(name) = labels {
            let labels = idx::labels(name)?;
            if labels.len() != images.count {
                let what = format!("it has {} labels, and {file} has {} pictures", labels.len(), images.count);
                return Err(DataError::file(name, what + "; they must be files of the same part"));
            }
            images.labels = Some(labels);
        }
        Ok(images)
    }

    /// The pixels of a picture, [height, width, channels].
    pub fn picture(&self, number: usize) -> &[u8] {
        let size = self.height * self.width * self.channels;
        self.pixels.get(number * size..(number + 1) * size).unwrap_or_default()
    }
}
