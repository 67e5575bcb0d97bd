//! The layers of a transformer that looks back alone: the yardstick beside recurrent ones. Vaswani et al. 2017,
//! arXiv:1706.03762; normalised before each part, Xiong et al. 2020, arXiv:2002.04745.
//!
//!   x ← √d x + positions      x ← x + attention(norm(x))      x ← x + W₂ gelu(W₁ norm(x))      y = norm(x)
//!
//! x: [steps · columns, d], positions sines and cosines of the step in its window. √d stands for symbols alone; where the
//! units are not d, W x + b comes before the positions.
//!
//! There is no state. In training each window stands alone: its first step sees itself, its last one all of it. Otherwise
//! what a span hands to the next is what was read, up to a window; where that is full, its older half is left behind and the
//! places count anew. So the n-th step since the start always sees the same steps, at least half a window (but for the first
//! ones), however spans are cut. Sequences of several lengths (made examples) are seen whole. Keeps no keys and values: a
//! step costs a pass over its window.

#[cfg(test)]
mod tests;

use super::super::dropout::Draw;
use super::{Ends, LmSpec, State};
use crate::model::transformer::{Block, Norm, positions};
use elman_cell::cell::Init;
use elman_engine::explain::Workload;
use elman_engine::tape::{Blueprint, Layout, Linear, Mode, Store, Tape, Var, Written};
use elman_engine::{EngineError, Isa, Real, Team, Tensor};

/// Rows that a product takes at once, for which it has memory of its own.
const PRODUCT_ROWS: usize = 256;
/// Numbers a token of a layer, in widths: normed, query, key, value, mixed, out, sum; normed, up, gelu and its slope, down,
/// sum. Layer norms keep their normalised rows, too.
const LAYER_ROWS: usize = 2 + 6 + 2 + 4 + 8 + 2;
/// The same of gradients that are held at once: of what a layer was given, of its inner units and of what they come from, of
/// query, key and value.
const GRADIENT_ROWS: usize = 14;
/// What a list of weights of attention takes beside them: where it lies, and the allocator's own.
const LIST: usize = 10;

/// The layers without numbers.
#[derive(Clone, Debug)]
pub(super) struct Design {
    blueprint: Blueprint,
    /// Of what is read.
    embedding: usize,
    width: usize,
    /// What is read is multiplied by this.
    scale: f64,
    input: Option<Linear>,
    blocks: Vec<Block>,
    norm: Norm,
    heads: usize,
    window: usize,
}

impl Design {
    pub fn new(spec: &LmSpec, heads: usize, window: usize) -> Result<Design, EngineError> {
        let (embedding, width) = (spec.embedding, spec.hidden);
        for (what, n) in [("hidden", width), ("heads", heads), ("window", window)] {
            if n == 0 {
                return Err(EngineError::Zero { what });
            }
        }
        if !width.is_multiple_of(heads) {
            let message = format!("{heads} heads do not divide {width} units: take a multiple of the heads");
            return Err(EngineError::Unsupported(message));
        }
        let mut blueprint = Blueprint::new();
        let scale = if spec.ends == Ends::Symbols { (embedding as f64).sqrt() } else { 1.0 };
        let input = (embedding != width).then(|| blueprint.linear("input", embedding, width));
        let block = |l: usize| Block::declare(&mut blueprint, &l.to_string(), width, heads);
        let blocks = (0..spec.layers).map(block).collect();
        let norm = Norm::declare(&mut blueprint, "norm", width);
        Ok(Design { blueprint, embedding, width, scale, input, blocks, norm, heads, window })
    }

    /// Units of the output.
    pub fn units(&self) -> usize {
        self.width
    }

    /// Names and shapes.
    pub fn parameters(&self) -> &[Tensor] {
        self.blueprint.parameters()
    }

    /// How each parameter starts: matrices uniform in ± `bound`, where it is given.
    pub fn inits(&self, bound: Option<f64>) -> impl Iterator<Item = Init> + '_ {
        self.blueprint.inits().iter().map(move |init| match (init, bound) {
            (Init::Uniform(_), Some(a)) => Init::Uniform(a),
            _ => *init,
        })
    }

    /// Numbers that training takes over windows of equal lengths, beside parameters and their gradients.
    pub fn memory(&self, work: Workload) -> usize {
        let tokens = work.steps.saturating_mul(work.batch);
        // The store's own copy; packed in two ways, and a sum of gradients.
        let product = |t: &Tensor| match t.shape[..] {
            [units, inner] => 3 * (units * inner + PRODUCT_ROWS * (units + inner)),
            _ => 0,
        };
        let own = self.blueprint.count() + self.parameters().iter().map(product).sum::<usize>();
        let weights = self.heads * (work.steps.div_ceil(2) + LIST);
        let layer = LAYER_ROWS * self.width + weights;
        // What is given, scaled, with its place; the last norm; a layer's weights of attention are handed out once more.
        let ends = 2 * self.embedding + (5 + GRADIENT_ROWS) * self.width + weights;
        own.saturating_add(tokens.saturating_mul(self.blocks.len() * layer + ends))
    }

    /// The place of each step, the same in all columns: [rows of the layout, width].
    fn places<T: Real>(&self, layout: &Layout) -> Vec<T> {
        let one = positions(&Layout::new(vec![layout.steps]), self.width);
        let mut all = Vec::with_capacity(layout.rows() * self.width);
        for step in one.chunks_exact(self.width) {
            let step: Vec<T> = step.iter().map(|p| T::from_f64(f64::from(*p))).collect();
            (0..layout.sequences()).for_each(|_| all.extend_from_slice(&step));
        }
        all
    }

    fn run<T: Real>(&self, tape: &mut Tape<'_, T>, given: Var, layout: &Layout, drop: f64) -> Result<Var, EngineError> {
        let mut x = if self.scale == 1.0 { given } else { tape.scale(given, self.scale) };
        if let Some(input) = self.input {
            x = tape.linear(x, input)?;
        }
        let places = tape.given(self.places(layout), self.width)?;
        x = tape.add(x, places)?;
        for block in &self.blocks {
            x = block.run(tape, x, layout, true, drop)?;
        }
        self.norm.run(tape, x)
    }
}

/// The layers with their numbers.
pub(super) struct Transformer<T: Real> {
    design: Design,
    store: Store<T>,
    /// Its parameters among the model's.
    index: Vec<usize>,
    /// Whether the store holds the model's numbers.
    fresh: bool,
    /// The last pass of training, what it was given and what it gave.
    written: Option<(Written<T>, Var, Var)>,
}

impl<T: Real> Transformer<T> {
    pub fn new(
        design: Design,
        index: Vec<usize>,
        weights: &[Vec<T>],
        isa: Isa,
        team: Team,
    ) -> Result<Transformer<T>, EngineError> {
        let own = index.iter().map(|k| weights[*k].clone()).collect();
        let store = Store::on(team, design.blueprint.clone(), own, isa)?;
        Ok(Transformer { design, store, index, fresh: true, written: None })
    }

    /// Its threads.
    pub fn team(&self) -> &Team {
        self.store.team()
    }

    pub fn forget_packed(&mut self) {
        self.fresh = false;
    }

    /// Takes the model's numbers, where they have changed.
    pub fn pack(&mut self, weights: &[Vec<T>]) {
        if !self.fresh {
            let index = &self.index;
            self.store.update(|own, _| own.iter_mut().zip(index).for_each(|(w, k)| w.clone_from_slice(&weights[*k])));
            self.fresh = true;
        }
    }

    /// Runs all layers over `x`, [steps · columns, embedding]; [steps · columns, units].
    pub fn forward(
        &mut self,
        ([steps, columns], lengths): ([usize; 2], Option<&[usize]>),
        x: &[T],
        state: &mut State<T>,
        draw: Option<&Draw>,
    ) -> Result<Vec<T>, EngineError> {
        if draw.is_none() && lengths.is_none() {
            return self.go_on([steps, columns], x, state);
        }
        state.0.clear();
        let lengths = lengths.map_or_else(|| vec![steps; columns], <[usize]>::to_vec);
        self.pass(&Layout { steps, lengths: lengths.into() }, x.to_vec(), draw)
    }

    /// The same after the steps that `state` holds, in one pass or several, none of them longer than a window.
    fn go_on(&mut self, [steps, columns]: [usize; 2], x: &[T], state: &mut State<T>) -> Result<Vec<T>, EngineError> {
        let (window, row) = (self.design.window, columns * self.design.embedding);
        let mut read = state.0.pop().unwrap_or_default();
        read.iter_mut().for_each(|step| step.truncate(row));
        let mut new = x.chunks_exact(row.max(1));
        let mut y = Vec::with_capacity(steps * columns * self.design.width);
        while new.len() > 0 {
            if read.len() >= window {
                read.drain(..read.len() - window / 2);
            }
            let before = read.len();
            read.extend(new.by_ref().take(window - before).map(<[T]>::to_vec));
            let layout = Layout::new(vec![read.len(); columns]);
            let all = self.pass(&layout, read.concat(), None)?;
            y.extend_from_slice(&all[before * columns * self.design.width..]);
        }
        state.0 = vec![read];
        Ok(y)
    }

    /// One pass; in training it is kept for the way back.
    fn pass(&mut self, layout: &Layout, x: Vec<T>, draw: Option<&Draw>) -> Result<Vec<T>, EngineError> {
        let mode = draw.map_or(Mode::Infer, |d| Mode::Train { seed: d.seed, clock: d.clock });
        let drop = draw.map_or(0.0, |d| d.dropout.between);
        let mut tape = Tape::new(&mut self.store, mode);
        let given = tape.given(x, self.design.embedding)?;
        let y = self.design.run(&mut tape, given, layout, drop)?;
        let value = tape.value(y).to_vec();
        self.written = draw.map(|_| (tape.put_aside(), given, y));
        Ok(value)
    }

    /// `dy` is the gradient by the output of the last pass, and becomes that by its input. Gradients of the parameters are
    /// written over the model's.
    pub fn backward(&mut self, dy: &mut Vec<T>, gradients: &mut [Vec<T>]) -> Result<(), EngineError> {
        let Some((written, x, y)) = self.written.take() else {
            return Err(EngineError::Unsupported("there is no pass to go back through".into()));
        };
        let mut own: Vec<Vec<T>> = self.index.iter().map(|k| std::mem::take(&mut gradients[*k])).collect();
        own.iter_mut().for_each(|g| g.fill(T::ZERO));
        let tape = Tape::go_on(&mut self.store, written)?;
        let dx = tape.backward_from((y, std::mem::take(dy)), x, &mut own);
        for (k, g) in self.index.iter().zip(own) {
            gradients[*k] = g;
        }
        *dy = dx?;
        Ok(())
    }
}
