//! Pictures and series as numbers of like size: (x − mean) / deviation, both of the training part, a pair for each channel.

use super::data::{Grid, Input};
use crate::error::Error;
use crate::run::Folder;
use crate::whole_file::shown;
use serde::{Deserialize, Serialize};

const FILE: &str = "numbers.json";

/// What is known of the numbers that a model reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    format: u32,
    /// Of pictures: height, width, channels.
    pub picture: Option<[usize; 3]>,
    /// Numbers of a step.
    pub width: usize,
    /// Of each channel.
    mean: Vec<f64>,
    /// Of each channel; above 0.
    deviation: Vec<f64>,
}

impl Numbers {
    /// Those of training examples; `None` if there is none.
    pub fn of<'g>(grids: impl Iterator<Item = &'g Grid> + Clone) -> Option<Numbers> {
        let first = grids.clone().next()?;
        let channels = first.picture.map_or(first.width, |[.., channels]| channels).max(1);
        let (mut count, mut sums, mut squares) = (0.0, vec![0.0; channels], vec![0.0; channels]);
        for row in grids.flat_map(|g| g.values.chunks_exact(channels)) {
            count += 1.0;
            for (channel, x) in row.iter().enumerate() {
                sums[channel] += f64::from(*x);
                squares[channel] += f64::from(*x) * f64::from(*x);
            }
        }
        let mean: Vec<f64> = sums.iter().map(|s| s / f64::max(count, 1.0)).collect();
        let spread = |(square, mean): (&f64, &f64)| match (square / f64::max(count, 1.0) - mean * mean).max(0.0).sqrt()
        {
            // A channel that never changes says nothing, and stays 0.
            d if d > 1e-6 => d,
            _ => 1.0,
        };
        let deviation = squares.iter().zip(&mean).map(spread).collect();
        Some(Numbers { format: 1, picture: first.picture, width: first.width, mean, deviation })
    }

    /// A picture or a series as the model reads it.
    ///
    /// # Errors
    /// Another shape than that of the training examples, nothing at all.
    pub fn input(&self, grid: Grid, place: &str) -> Result<Input, Error> {
        let size = |picture: [usize; 3]| picture.map(|n| n.to_string()).join(" × ");
        let refuse = |found: String, wanted: String| {
            Err(Error::Refused(format!("{place}: {found}, and the model reads {wanted}; bring it to that form")))
        };
        match (grid.picture, self.picture) {
            (Some(found), Some(wanted)) if found != wanted => {
                return refuse(
                    format!("a picture of {} numbers", size(found)),
                    format!("pictures of {}", size(wanted)),
                );
            }
            (None, Some(_)) => return refuse("a series".into(), "pictures".into()),
            (Some(_), None) => return refuse("a picture".into(), "series".into()),
            _ if grid.width != self.width => {
                let (found, wanted) = (grid.width, self.width);
                return refuse(format!("{found} numbers a step"), format!("{wanted}"));
            }
            _ => {}
        }
        if grid.values.is_empty() || grid.values.iter().any(|x| !x.is_finite()) {
            return refuse("no numbers, or one that is not finite".into(), "numbers".into());
        }
        let channels = self.mean.len();
        let scaled =
            |(i, x): (usize, &f32)| ((f64::from(*x) - self.mean[i % channels]) / self.deviation[i % channels]) as f32;
        let values: Vec<f32> = grid.values.iter().enumerate().map(scaled).collect();
        Ok(Input::Numbers { steps: values.len() / self.width, values })
    }

    /// A picture moved down and to the right by so many pixels; what comes in is 0 as it stood in the file.
    pub fn moved(&self, input: &Input, by: [i64; 2]) -> Input {
        let (Input::Numbers { steps, values }, Some([height, width, channels])) = (input, self.picture) else {
            return input.clone();
        };
        let empty: Vec<f32> = self.mean.iter().zip(&self.deviation).map(|(m, d)| (-m / d) as f32).collect();
        let mut to = Vec::with_capacity(values.len());
        for row in 0..height as i64 {
            for column in 0..width as i64 {
                let (y, x) = (row - by[0], column - by[1]);
                let inside = (0..height as i64).contains(&y) && (0..width as i64).contains(&x);
                match inside {
                    true => to.extend_from_slice(&values[(y as usize * width + x as usize) * channels..][..channels]),
                    false => to.extend_from_slice(&empty),
                }
            }
        }
        Input::Numbers { steps: *steps, values: to }
    }

    /// Writes it into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        let json = serde_json::to_string_pretty(self).map_err(|e| Error::Refused(format!("{FILE}: {e}")))?;
        folder.write(FILE, json.into_bytes())
    }

    /// Reads it back; `None` in a run on texts.
    ///
    /// # Errors
    /// A damaged file.
    pub fn read(folder: &Folder) -> Result<Option<Numbers>, Error> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let wrong = |why: String| {
            Error::Refused(format!("{}: {why}; put the file back as it was, or train again", shown(&path)))
        };
        let json = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
        let numbers: Numbers = serde_json::from_str(&json).map_err(|e| wrong(e.to_string()))?;
        let channels = numbers.mean.len();
        let pixels = numbers.picture.map(|[h, w, c]| (h.checked_mul(w).and_then(|n| n.checked_mul(c)), c));
        let fits =
            pixels.is_none_or(|(all, c)| c == channels && all.is_some_and(|n| n.is_multiple_of(numbers.width.max(1))));
        let positive = numbers.deviation.iter().all(|d| *d > 0.0 && d.is_finite());
        match () {
            () if channels == 0 || numbers.deviation.len() != channels || !positive || numbers.width == 0 || !fits => {
                Err(wrong("its numbers do not belong together".into()))
            }
            () if numbers.width > 1 << 24 => Err(wrong(format!("{} numbers a step", numbers.width))),
            () => Ok(Some(numbers)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_moves_and_its_numbers_are_scaled() {
        let grid = Grid { picture: Some([2, 3, 1]), width: 3, values: vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0] };
        let numbers = Numbers::of([&grid].into_iter()).unwrap();
        let deviation = (35f64 / 3.0).sqrt();
        let input = numbers.input(grid.clone(), "a").unwrap();
        let at = |x: f64| ((x - 5.0) / deviation) as f32;
        assert_eq!(input, Input::Numbers { steps: 2, values: [0.0, 2.0, 4.0, 6.0, 8.0, 10.0].map(at).to_vec() });
        let moved = numbers.moved(&input, [1, -1]);
        assert_eq!(moved, Input::Numbers { steps: 2, values: [0.0, 0.0, 0.0, 2.0, 4.0, 0.0].map(at).to_vec() });
        let other = Grid { picture: Some([3, 2, 1]), ..grid };
        let message = numbers.input(other, "b.png").unwrap_err().to_string();
        assert_eq!(
            message,
            "b.png: a picture of 3 × 2 × 1 numbers, and the model reads pictures of 2 × 3 × 1; bring it to that form"
        );
    }
}
