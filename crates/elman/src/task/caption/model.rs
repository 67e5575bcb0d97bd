//! The model of `caption`: a picture as rows of patches, and a decoder that attends to them.
//!
//! ```text
//! patches ─▶ linear + place ─▶ (3 × 3 patches ─▶ linear ─▶ gelu, added) × n ─▶ memory ─────────────┐
//!                                                              mean, max ─▶ first states           ▼
//! words before ─▶ embedding ─▶ layers: h ─▶ query ─▶ attention: a ─▶ tanh(W [h; a]) ─▶ softmax over words
//! ```
//!
//! Xu et al. 2015, arXiv:1502.03044 (soft attention); the score is Luong's `general` (arXiv:1508.04025), scaled.

use super::data::Size;
use crate::cells;
use crate::error::Error;
use crate::task::lexicon::Lexicon;
use crate::task::settings::{Dropout, Kind, Settings};
use elman_cell::cell::Init;
use elman_engine::tape::{Blueprint, Layer, Layout, Linear, NO_ROW, Parameter, Pool, Tape, Var};
use elman_engine::{EngineError, Spec};
use std::sync::Arc;

/// The number of the word that begins and ends a caption.
pub const END: u32 = 1;

/// Layers and how they start.
pub struct Model {
    /// What it is made of.
    pub blueprint: Blueprint,
    size: Size,
    patch: usize,
    input: Linear,
    places: Parameter,
    convolutions: Vec<Linear>,
    embedding: Parameter,
    layers: Vec<Layer>,
    /// Per layer, per state.
    starts: Vec<Vec<Linear>>,
    query: Linear,
    combine: Linear,
    output: Linear,
}

/// What is seen of some pictures.
pub struct Seen {
    /// [patches × pictures, units].
    pub memory: Var,
    /// Per layer, per state of it: [pictures, units].
    pub states: Vec<Vec<Var>>,
}

impl Model {
    /// For pictures of a size and `words`.
    ///
    /// # Errors
    /// A cell that cannot be used; a transformer; patches larger than pictures.
    pub fn new(settings: &Settings, size: Size, words: &Lexicon) -> Result<Model, Error> {
        let m = &settings.model;
        if m.kind == Kind::Transformer {
            return Err(Error::Refused("caption has no transformer: take --model recurrent".into()));
        }
        if m.patch > size.height.max(size.width) {
            let (w, h) = (size.width, size.height);
            return Err(Error::Refused(format!(
                "model.patch is {}: at most the side of a picture, {w} × {h}",
                m.patch
            )));
        }
        let mut b = Blueprint::new();
        let width = m.embedding;
        let input = b.linear("patch", m.patch * m.patch * size.channels, width);
        let (down, across) = (size.height.div_ceil(m.patch), size.width.div_ceil(m.patch));
        let places = b.parameter("places", &[down * across, width], Init::Normal(0.1));
        let convolutions =
            (0..m.convolutions).map(|k| b.linear(&format!("convolution.{k}"), 9 * width, width)).collect();
        let embedding = b.parameter("embedding", &[words.len(), m.embedding], Init::Normal(0.1));
        let cell = Arc::new(cells::find(&m.cell)?);
        let (mut layers, mut starts, mut inner) = (vec![], vec![], m.embedding);
        for l in 0..m.layers {
            let layer = b.recurrent(&format!("decoder.{l}"), Spec::new(cell.clone(), inner, m.hidden))?;
            inner = b.network(layer).output_size();
            let states: Vec<usize> = b.network(layer).states().iter().map(|t| t.count()).collect();
            let start = |(k, units)| b.linear(&format!("start.{l}.{k}"), 2 * width, units);
            starts.push(states.into_iter().enumerate().map(start).collect());
            layers.push(layer);
        }
        let query = b.linear("query", inner, width);
        let combine = b.linear("combine", inner + width, m.hidden);
        let output = b.linear("output", m.hidden, words.len());
        let patch = m.patch;
        Ok(Model {
            blueprint: b,
            size,
            patch,
            input,
            places,
            convolutions,
            embedding,
            layers,
            starts,
            query,
            combine,
            output,
        })
    }

    fn grid(&self) -> (usize, usize) {
        (self.size.height.div_ceil(self.patch), self.size.width.div_ceil(self.patch))
    }

    /// How the patches of some pictures lie: pictures are sequences, patches are steps.
    pub fn layout(&self, pictures: usize) -> Layout {
        let (down, across) = self.grid();
        Layout::new(vec![down * across; pictures])
    }

    /// Patches of pictures that are moved down and right, [patches × pictures, numbers of a patch]: 0 for white, which is
    /// also beyond the edge, 1 for black.
    fn patches(&self, pictures: &[&[u8]], moved: &[(isize, isize)], layout: &Layout) -> Vec<f32> {
        let Size { height, width, channels } = self.size;
        let ((_, across), numbers) = (self.grid(), self.patch * self.patch * channels);
        let mut all = vec![0.0; layout.rows() * numbers];
        for (b, (picture, (down, right))) in pictures.iter().zip(moved).enumerate() {
            for (patch, row) in layout.of(b).enumerate() {
                let to = &mut all[row * numbers..][..numbers];
                for (i, to) in to.chunks_exact_mut(channels).enumerate() {
                    let y = (patch / across * self.patch + i / self.patch) as isize - down;
                    let x = (patch % across * self.patch + i % self.patch) as isize - right;
                    if (0..height as isize).contains(&y) && (0..width as isize).contains(&x) {
                        let place = (y as usize * width + x as usize) * channels;
                        let from = &picture[place..][..channels];
                        to.iter_mut().zip(from).for_each(|(to, p)| *to = 1.0 - f32::from(*p) / 255.0);
                    }
                }
            }
        }
        all
    }

    /// For each patch of some pictures, the rows of the 3 × 3 patches around it; none beyond the edge.
    fn around(&self, layout: &Layout) -> Vec<u32> {
        let (down, across) = self.grid();
        let mut rows = Vec::with_capacity(layout.rows() * 9);
        for patch in 0..down * across {
            for b in 0..layout.sequences() {
                for near in 0..9 {
                    let (y, x) = (patch / across + near / 3, patch % across + near % 3);
                    let inside = (1..=down).contains(&y) && (1..=across).contains(&x);
                    rows.push(if inside { layout.row((y - 1) * across + x - 1, b) as u32 } else { NO_ROW });
                }
            }
        }
        rows
    }

    /// Looks at pictures.
    ///
    /// # Errors
    /// What the engine says.
    pub fn see(
        &self,
        tape: &mut Tape<'_, f32>,
        pictures: &[&[u8]],
        moved: &[(isize, isize)],
        drop: &Dropout,
    ) -> Result<Seen, EngineError> {
        let layout = self.layout(pictures.len());
        let numbers = self.patch * self.patch * self.size.channels;
        let x = tape.given(self.patches(pictures, moved, &layout), numbers)?;
        let x = tape.linear(x, self.input)?;
        let places = tape.embed(self.places, &layout.fill(NO_ROW, |patch, _| patch as u32))?;
        let mut memory = tape.add(x, places)?;
        let around = self.around(&layout);
        for convolution in &self.convolutions {
            let width = tape.width(memory);
            let near = tape.rows(memory, &around)?;
            let near = tape.reshape(near, 9 * width)?;
            let z = tape.linear(near, *convolution)?;
            let z = tape.gelu(z);
            let z = tape.dropout(z, drop.between);
            memory = tape.add(memory, z)?;
        }
        let (mean, most) = (tape.pool(memory, &layout, Pool::Mean)?, tape.pool(memory, &layout, Pool::Max)?);
        let whole = tape.concat(&[mean, most])?;
        let mut states = vec![];
        for layer in &self.starts {
            let mut own = vec![];
            for start in layer {
                let z = tape.linear(whole, *start)?;
                own.push(tape.tanh(z));
            }
            states.push(own);
        }
        Ok(Seen { memory, states })
    }

    /// A number for each word after the words before, which are laid out by `layout`, a sequence a picture; and the last
    /// states.
    ///
    /// # Errors
    /// What the engine says.
    pub fn say(
        &self,
        tape: &mut Tape<'_, f32>,
        (before, layout): (&[u32], &Layout),
        seen: &Seen,
        drop: &Dropout,
    ) -> Result<(Var, Vec<Vec<Var>>), EngineError> {
        let x = tape.embed(self.embedding, before)?;
        let x = tape.drop_rows(x, drop.words);
        let mut h = tape.dropout(x, drop.input);
        let mut after = vec![];
        for (layer, states) in self.layers.iter().zip(&seen.states) {
            let run = tape.recurrent(*layer, h, layout, states)?;
            h = tape.dropout(run.y, drop.between);
            after.push(run.states);
        }
        let query = tape.linear(h, self.query)?;
        let scale = 1.0 / (tape.width(query) as f64).sqrt();
        let patches = self.layout(layout.sequences());
        let mixed = tape.attention((query, layout), (seen.memory, seen.memory, &patches), 1, scale, false)?.mixed;
        let both = tape.concat(&[h, mixed])?;
        let z = tape.linear(both, self.combine)?;
        let z = tape.tanh(z);
        let z = tape.dropout(z, drop.output);
        Ok((tape.linear(z, self.output)?, after))
    }
}
