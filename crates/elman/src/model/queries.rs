//! Rows of a decoder that look at the memories of their sources.
//!
//! While training, a decoder's sequence stands beside its source. In a beam several rows look at one source; they are chosen
//! into a layout in which sources are sequences and their beams steps, and what they found is chosen back.

use elman_engine::EngineError;
use elman_engine::tape::{Attended, Layout, Parameter, Tape, Var};

/// Which source each row looks at.
pub enum Queries<'l> {
    /// A sequence for each source, laid out so.
    Own(&'l Layout),
    /// Several rows a source.
    Chosen {
        /// Sequences are sources, steps are beams.
        layout: &'l Layout,
        /// The row of each query; [`elman_engine::tape::NO_ROW`] for none.
        from: &'l [u32],
        /// The query of each row.
        back: &'l [u32],
        /// The source of each row.
        sources: &'l [u32],
    },
}

/// How queries and keys are compared.
#[derive(Clone, Copy, Debug)]
pub enum Likeness {
    /// By products, times a scale, each head on its own share of the units.
    Products {
        /// Heads.
        heads: usize,
        /// The scale.
        scale: f64,
    },
    /// By a layer, whose vector this is.
    Layer(Parameter),
}

impl Queries<'_> {
    fn asked<'q>(&'q self, tape: &mut Tape<'_, f32>, query: Var) -> Result<(Var, &'q Layout), EngineError> {
        match self {
            Queries::Own(layout) => Ok((query, layout)),
            Queries::Chosen { layout, from, .. } => Ok((tape.rows(query, from)?, layout)),
        }
    }

    fn answered(&self, tape: &mut Tape<'_, f32>, found: Var) -> Result<Var, EngineError> {
        match self {
            Queries::Own(_) => Ok(found),
            Queries::Chosen { back, .. } => tape.rows(found, back),
        }
    }

    /// What each row takes from the memory of its source; weights are per query.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn attend(
        &self,
        tape: &mut Tape<'_, f32>,
        query: Var,
        (keys, values, of): (Var, Var, &Layout),
        likeness: Likeness,
    ) -> Result<Attended<f32>, EngineError> {
        let asked = self.asked(tape, query)?;
        let found = match likeness {
            Likeness::Products { heads, scale } => tape.attention(asked, (keys, values, of), heads, scale, false)?,
            Likeness::Layer(vector) => tape.additive_attention(asked, (keys, values, of), vector)?,
        };
        Ok(Attended { mixed: self.answered(tape, found.mixed)?, weights: found.weights })
    }

    /// Where each row looks that goes onward from a place in its source, [rows, steps of the memory].
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn onward(
        &self,
        tape: &mut Tape<'_, f32>,
        (query, from): (Var, &[u32]),
        (keys, of): (Var, &Layout),
        bias: Parameter,
    ) -> Result<Var, EngineError> {
        let scale = 1.0 / (tape.width(query) as f64).sqrt();
        let asked = self.asked(tape, query)?;
        let from = match self {
            Queries::Own(_) => from.to_vec(),
            Queries::Chosen { from: rows, .. } => {
                rows.iter().map(|r| from.get(*r as usize).map_or(0, |f| *f)).collect()
            }
        };
        let weights = tape.onward(asked, (keys, of), bias, &from, scale)?;
        self.answered(tape, weights)
    }
}
