//! Captions of the training pictures that look most alike, mixed into what the decoder says.
//!
//!   p(w | before) = (1 − λ) p_decoder(w | before) + λ Σ weight of the neighbours that go on from `before` with w / Σ of those
//!   that go on from `before`,       weight ∝ exp(cosine of what the encoder sees in both / τ)
//!
//! Khandelwal et al. 2020, arXiv:1911.00172, with whole pictures in the place of contexts. Where no neighbour goes on from what
//! was said, the decoder speaks alone. The training pictures lie in the run: `neighbours.pixels` has their bytes one after the
//! other, `neighbours.json` their captions as numbers of words.

use super::data::Size;
use super::model::Model;
use super::predict::NOTHING;
use crate::error::Error;
use crate::run::Folder;
use crate::whole_file::shown;
use elman_engine::tape::{Mode, Store, Tape};

const PIXELS: &str = "neighbours.pixels";
const CAPTIONS: &str = "neighbours.json";

/// λ, what the neighbours weigh.
const SHARE: f32 = 0.5;
/// τ
const TEMPERATURE: f32 = 0.05;
/// Pictures that are looked at side by side.
const SIDE_BY_SIDE: usize = 64;

/// Training pictures as the encoder sees them.
pub struct Neighbours {
    /// How many are asked.
    count: usize,
    width: usize,
    /// [pictures, width], each of length 1.
    seen: Vec<f32>,
    /// With the end.
    captions: Vec<Vec<u32>>,
}

/// The captions of a picture's neighbours, each with its weight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Near<'c> {
    all: Vec<(f32, &'c [u32])>,
}

impl Neighbours {
    /// Looks at the training pictures.
    ///
    /// # Errors
    /// What the engine says.
    pub fn of(
        (model, store): (&Model, &mut Store<f32>),
        pictures: &[&[u8]],
        captions: Vec<Vec<u32>>,
        count: usize,
    ) -> Result<Neighbours, Error> {
        let (mut seen, mut width) = (vec![], 1);
        for some in pictures.chunks(SIDE_BY_SIDE) {
            let mut tape = Tape::new(store, Mode::Infer);
            let whole = model.see(&mut tape, some, &vec![(0, 0); some.len()], &NOTHING)?.whole;
            width = tape.width(whole);
            seen.extend(tape.value(whole).chunks_exact(width).flat_map(unit));
        }
        Ok(Neighbours { count, width, seen, captions })
    }

    /// Writes training pictures and their captions into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(folder: &Folder, pictures: &[&[u8]], captions: &[Vec<u32>]) -> Result<(), Error> {
        let json = serde_json::to_string(captions).map_err(|e| Error::Refused(format!("{CAPTIONS}: {e}")))?;
        folder.write(CAPTIONS, json.into_bytes())?;
        folder.write(PIXELS, pictures.concat())
    }

    /// Reads them back and looks at them.
    ///
    /// # Errors
    /// Files that are not there or do not belong together, what the engine says.
    pub fn read(
        folder: &Folder,
        (model, store): (&Model, &mut Store<f32>),
        (size, words): (Size, usize),
        count: usize,
    ) -> Result<Neighbours, Error> {
        let wrong = |file: &str, why: String| {
            let file = shown(&folder.join(file));
            Error::Refused(format!("{file}: {why}; put the file back as it was, or train again"))
        };
        let json = std::fs::read_to_string(folder.join(CAPTIONS)).map_err(|e| wrong(CAPTIONS, e.to_string()))?;
        let captions: Vec<Vec<u32>> = serde_json::from_str(&json).map_err(|e| wrong(CAPTIONS, e.to_string()))?;
        if captions.iter().flatten().any(|word| *word as usize >= words) {
            return Err(wrong(CAPTIONS, format!("a number that none of the {words} words has")));
        }
        let pixels = std::fs::read(folder.join(PIXELS)).map_err(|e| wrong(PIXELS, e.to_string()))?;
        if pixels.len() != captions.len() * size.numbers() {
            let (bytes, pictures) = (pixels.len(), captions.len());
            return Err(wrong(PIXELS, format!("{bytes} bytes are not {pictures} pictures")));
        }
        let pictures: Vec<&[u8]> = pixels.chunks_exact(size.numbers()).collect();
        Neighbours::of((model, store), &pictures, captions, count)
    }

    /// Those of a picture, which the encoder sees as `whole`.
    pub fn near(&self, whole: &[f32]) -> Near<'_> {
        let own = unit(whole);
        let cosine = |row: &[f32]| row.iter().zip(&own).map(|(a, b)| a * b).sum::<f32>();
        let mut all: Vec<(f32, usize)> =
            self.seen.chunks_exact(self.width).enumerate().map(|(i, row)| (cosine(row), i)).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(self.count);
        let nearest = all.first().map_or(0.0, |(cosine, _)| *cosine);
        let weight =
            |(cosine, i): (f32, usize)| (((cosine - nearest) / TEMPERATURE).exp(), self.captions[i].as_slice());
        Near { all: all.into_iter().map(weight).collect() }
    }
}

impl Near<'_> {
    /// Nobody is asked.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Mixes their next words into `p`, the decoder's after the words `before`.
    pub fn mix(&self, before: &[u32], p: &mut [f32]) {
        let next = |(weight, caption): &(f32, &[u32])| {
            let rest = caption.strip_prefix(before)?;
            rest.first().map(|word| (*weight, *word as usize))
        };
        let going_on: Vec<(f32, usize)> = self.all.iter().filter_map(next).collect();
        let sum: f32 = going_on.iter().map(|(weight, _)| weight).sum();
        if sum > 0.0 {
            p.iter_mut().for_each(|p| *p *= 1.0 - SHARE);
            going_on.iter().for_each(|(weight, word)| p[*word] += SHARE * weight / sum);
        }
    }
}

/// A vector of length 1 in the same direction.
fn unit(row: &[f32]) -> Vec<f32> {
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    row.iter().map(|x| x / length).collect()
}
