//! The nearest picture by its pixels: its label or its caption is the answer. Distance is the sum of squared differences.

use super::BaselineError;

/// Pictures to compare with.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// Values of a picture: height · width · channels.
    pixels: usize,
    values: Vec<u8>,
}

impl Pictures {
    /// `values`: [pictures, pixels], from 0 to 255.
    ///
    /// # Errors
    /// No picture, pictures of no pixels, or values that are no whole number of pictures.
    pub fn new(values: Vec<u8>, pixels: usize) -> Result<Pictures, BaselineError> {
        match () {
            () if values.is_empty() => Err(BaselineError::Empty { part: "training" }),
            () if pixels == 0 || !values.len().is_multiple_of(pixels) => {
                Err(BaselineError::Pictures { values: values.len(), pixels })
            }
            () => Ok(Pictures { pixels, values }),
        }
    }

    /// The picture nearest to `picture`, and its distance; of equally near ones the first.
    ///
    /// # Errors
    /// A picture of another size.
    pub fn nearest(&self, picture: &[u8]) -> Result<(usize, u64), BaselineError> {
        if picture.len() != self.pixels {
            return Err(BaselineError::Pictures { values: picture.len(), pixels: self.pixels });
        }
        let mut best = (0, u64::MAX);
        for (k, other) in self.values.chunks_exact(self.pixels).enumerate() {
            let far = distance(picture, other);
            if far < best.1 {
                best = (k, far);
            }
        }
        Ok(best)
    }
}

/// Pieces are so short that their sum fits 32 bits: 65,536 · 255² < 2³².
fn distance(a: &[u8], b: &[u8]) -> u64 {
    const PIECE: usize = 1 << 16;
    let piece = |(a, b): (&[u8], &[u8])| {
        let squares = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2));
        u64::from(squares.sum::<u32>())
    };
    a.chunks(PIECE).zip(b.chunks(PIECE)).map(piece).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_found() {
        let pictures = Pictures::new(vec![0, 0, 255, 255, 10, 20, 0, 0], 2).unwrap();
        assert_eq!(pictures.nearest(&[9, 22]).unwrap(), (2, 5));
        assert_eq!(pictures.nearest(&[0, 1]).unwrap(), (0, 1));
        assert!(pictures.nearest(&[1]).is_err() && Pictures::new(vec![1, 2, 3], 2).is_err());
        assert!(Pictures::new(Vec::new(), 2).is_err() && Pictures::new(vec![1], 0).is_err());
        let (black, white) = (vec![0; 70_000], vec![255; 70_000]);
        assert_eq!(distance(&black, &white), 70_000 * 255 * 255);
    }
}
