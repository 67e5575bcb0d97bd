//! A layer of a transformer's decoder: steps look at those before, then at a memory. Vaswani et al. 2017, arXiv:1706.03762.
//!
//!   x ← x + attention of norm(x) to itself, steps after left out
//!   x ← x + attention of norm(x) to the memory
//!   x ← x + W₂ gelu(W₁ norm(x))
//!
//! It runs over whole sequences, or a step at a time after the keys and values of the steps before, to the same numbers.

use super::{Attention, Block};
use crate::model::queries::{Likeness, Queries};
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Tape, Var};

/// A layer.
#[derive(Clone, Copy, Debug)]
pub struct Masked {
    block: Block,
    across: Attention,
}

/// Keys and values.
pub type Keyed = [Var; 2];

/// What a layer gives.
pub struct Run {
    /// [rows, width].
    pub x: Var,
    /// Of a step: keys and values of all steps so far, [sequences, steps · width].
    pub so_far: Option<Keyed>,
    /// Per query and head: a weight for each step of the memory.
    pub weights: Vec<Vec<f32>>,
}

impl Attention {
    fn keyed(&self, tape: &mut Tape<'_, f32>, source: Var) -> Result<Keyed, EngineError> {
        Ok([tape.linear(source, self.key)?, tape.linear(source, self.value)?])
    }

    fn scale(&self) -> f64 {
        1.0 / ((self.width / self.heads) as f64).sqrt()
    }

    /// x + W mixed
    fn joined(&self, tape: &mut Tape<'_, f32>, x: Var, mixed: Var, drop: f64) -> Result<Var, EngineError> {
        let out = tape.linear(mixed, self.out)?;
        let out = tape.dropout(out, drop);
        tape.add(x, out)
    }

    /// One step of attention to the steps before and itself.
    fn step(&self, tape: &mut Tape<'_, f32>, x: Var, before: Keyed) -> Result<(Var, Keyed), EngineError> {
        let normed = self.norm.run(tape, x)?;
        let query = tape.linear(normed, self.query)?;
        let [key, value] = self.keyed(tape, normed)?;
        let sequences = tape.count(x);
        let steps = tape.width(before[0]) / self.width + 1;
        let ((keys, all_keys), (values, all_values)) = (longer(tape, before[0], key)?, longer(tape, before[1], value)?);
        let (one, all) = (Layout::new(vec![1; sequences]), Layout::new(vec![steps; sequences]));
        let mixed = tape.attention((query, &one), (keys, values, &all), self.heads, self.scale(), false)?.mixed;
        Ok((self.joined(tape, x, mixed, 0.0)?, [all_keys, all_values]))
    }
}

/// A row more after each sequence of `before`, [sequences, steps · width]: time first, and as it was given.
fn longer(tape: &mut Tape<'_, f32>, before: Var, new: Var) -> Result<(Var, Var), EngineError> {
    let (width, had, sequences) = (tape.width(new), tape.width(before), tape.count(new));
    let (old, rows) = (tape.value(before), tape.value(new));
    let mut all = Vec::with_capacity(sequences * (had + width));
    for (b, row) in rows.chunks_exact(width).enumerate() {
        all.extend_from_slice(&old[b * had..][..had]);
        all.extend_from_slice(row);
    }
    let mut by_time = Vec::with_capacity(all.len());
    for step in 0..had / width + 1 {
        let of = |b: usize| &all[b * (had + width) + step * width..][..width];
        (0..sequences).for_each(|b| by_time.extend_from_slice(of(b)));
    }
    Ok((tape.given(by_time, width)?, tape.given(all, had + width)?))
}

impl Masked {
    /// Declares it.
    pub fn declare(blueprint: &mut Blueprint, name: &str, width: usize, heads: usize) -> Masked {
        let block = Block::declare(blueprint, name, width, heads);
        Masked { block, across: Attention::declare(blueprint, &format!("{name}.across"), width, heads) }
    }

    /// Keys and values of a memory, the same at all steps.
    ///
    /// # Errors
    /// A memory of another width.
    pub fn remember(&self, tape: &mut Tape<'_, f32>, memory: Var) -> Result<Keyed, EngineError> {
        self.across.keyed(tape, memory)
    }

    /// Runs over whole sequences, or with `before` over a step of each.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn run(
        &self,
        tape: &mut Tape<'_, f32>,
        (x, layout): (Var, &Layout),
        before: Option<Keyed>,
        (memory, of, queries): (Keyed, &Layout, &Queries),
        drop: f64,
    ) -> Result<Run, EngineError> {
        let (x, so_far) = match before {
            None => (self.block.attention.run(tape, (x, layout), None, true, drop)?, None),
            Some(before) => self.block.attention.step(tape, x, before).map(|(x, all)| (x, Some(all)))?,
        };
        let normed = self.across.norm.run(tape, x)?;
        let query = tape.linear(normed, self.across.query)?;
        let likeness = Likeness::Products { heads: self.across.heads, scale: self.across.scale() };
        let found = queries.attend(tape, query, (memory[0], memory[1], of), likeness)?;
        let x = self.across.joined(tape, x, found.mixed, drop)?;
        Ok(Run { x: self.block.inner(tape, x, drop)?, so_far, weights: found.weights })
    }
}
