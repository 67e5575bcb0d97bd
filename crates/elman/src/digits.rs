//! Strings of digits, made from pictures of single ones: long inputs with short labellings, for training without alignment.
//!
//! Some pictures, each number of them as likely as another, drawn with replacement, stand side by side. A step is a column of
//! pixels, from the left. String k depends on the seed and k alone. Labels need not be digits, nor pictures square.

use crate::error::Error;
use crate::synth::draw::{below, between};
use elman_engine::Random;

/// Keeps these numbers apart from those that a run with the same seed draws for its weights and masks.
const PURPOSE: u64 = u64::from_be_bytes(*b"elmandig");

/// Pictures of one size and what they show.
#[derive(Clone, Copy, Debug)]
pub struct Pictures<'a> {
    rows: usize,
    columns: usize,
    /// [pictures, rows, columns], a whole number of them.
    pixels: &'a [u8],
    /// At least one.
    labels: &'a [u8],
}

/// Pictures side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct DigitString {
    /// Pixels from 0 to 1, [steps, rows]: a column a step.
    pub columns: Vec<f32>,
    /// What they show, from the left.
    pub digits: Vec<u8>,
}

impl<'a> Pictures<'a> {
    /// `pixels` are [pictures, rows, columns], `labels` one a picture.
    ///
    /// # Errors
    /// No pictures, pictures without pixels, or other numbers of pixels than the labels ask for.
    pub fn new(rows: usize, columns: usize, pixels: &'a [u8], labels: &'a [u8]) -> Result<Pictures<'a>, Error> {
        if labels.is_empty() || rows == 0 || columns == 0 {
            let found = format!("{} pictures of {rows} by {columns} pixels", labels.len());
            return Err(Error::Refused(format!("{found}: strings are made of at least one, of at least one pixel")));
        }
        let wanted = labels.len().checked_mul(rows).and_then(|n| n.checked_mul(columns));
        if wanted != Some(pixels.len()) {
            let found = format!("{} pixels for {} labels of pictures {rows} by {columns}", pixels.len(), labels.len());
            return Err(Error::Refused(format!("{found}: give the pictures and the labels of the same part")));
        }
        Ok(Pictures { rows, columns, pixels, labels })
    }

    /// String `index` of `seed`, of `fewest` to `most` pictures.
    pub fn string(&self, seed: u64, index: u64, [fewest, most]: [usize; 2]) -> DigitString {
        let mut random = Random::new(seed ^ PURPOSE, index);
        let count = between(&mut random, fewest as u64, most.max(fewest) as u64);
        let (mut columns, mut digits) = (vec![], vec![]);
        for _ in 0..count {
            let picture = below(&mut random, self.labels.len() as u64) as usize;
            let size = self.rows * self.columns;
            let pixels = &self.pixels[picture * size..(picture + 1) * size];
            for column in 0..self.columns {
                columns.extend((0..self.rows).map(|row| f32::from(pixels[row * self.columns + column]) / 255.0));
            }
            digits.push(self.labels[picture]);
        }
        DigitString { columns, digits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 3;
    const COLUMNS: usize = 2;

    /// Picture n has the pixels 10 n + 2 row + column.
    fn pixels() -> Vec<u8> {
        (0..5u8).flat_map(|n| (0..6).map(move |i| 10 * n + i)).collect()
    }

    #[test]
    fn columns_stand_side_by_side() {
        let (pixels, labels) = (pixels(), [7, 1, 0, 9, 4]);
        let pictures = Pictures::new(ROWS, COLUMNS, &pixels, &labels).unwrap();
        let mut counts = [0; 9];
        let mut shown = [0; 10];
        for index in 0..3500 {
            let string = pictures.string(3, index, [2, 8]);
            counts[string.digits.len()] += 1;
            assert_eq!(string.columns.len(), string.digits.len() * COLUMNS * ROWS);
            for (picture, digit) in string.columns.chunks(COLUMNS * ROWS).zip(&string.digits) {
                shown[*digit as usize] += 1;
                let n = labels.iter().position(|l| l == digit).unwrap() as u8;
                let wanted = [0, 2, 4, 1, 3, 5].map(|i| f32::from(10 * n + i) / 255.0);
                assert_eq!(picture, wanted);
            }
        }
        // 500 of each length, 3500 of each digit: four deviations are 83 and 230.
        assert!(counts[..2] == [0, 0] && counts[2..].iter().all(|n: &i32| (n - 500).abs() < 90), "{counts:?}");
        assert!(labels.iter().all(|l| (shown[*l as usize] - 3500i32).abs() < 240), "{shown:?}");
    }

    #[test]
    fn a_string_is_that_of_its_seed_and_number() {
        let (pixels, labels) = (pixels(), [7, 1, 0, 9, 4]);
        let pictures = Pictures::new(ROWS, COLUMNS, &pixels, &labels).unwrap();
        assert_eq!(pictures.string(1, 9, [2, 8]), pictures.string(1, 9, [2, 8]));
        assert_ne!(pictures.string(1, 9, [2, 8]), pictures.string(2, 9, [2, 8]));
        assert_ne!(pictures.string(1, 9, [2, 8]), pictures.string(1, 8, [2, 8]));
    }

    #[test]
    fn pictures_that_are_none_are_refused() {
        assert!(Pictures::new(3, 2, &[], &[]).is_err());
        assert!(Pictures::new(3, 2, &[0; 7], &[1]).is_err());
        assert!(Pictures::new(0, 2, &[], &[1]).is_err());
        assert!(Pictures::new(usize::MAX, 2, &[0; 6], &[1]).is_err());
    }
}
