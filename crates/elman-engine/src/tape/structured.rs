//! Losses of whole sequences: a chain of tags, and labellings without alignment. One number, the scaled sum over sequences,
//! in their order.

use elman_cell::cell::Init;
use elman_kernel::Real;

use super::{Blueprint, Layout, Parameter, Store, Tape, Var};
use crate::error::{EngineError, check};
use crate::loss::{Crf, CrfGradients, ctc_loss_and_gradient};

/// The scores of a chain of tags ([`Crf`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// A, [tags, tags].
    pub transitions: Parameter,
    /// a, `[tags]`.
    pub start: Parameter,
    /// b, `[tags]`.
    pub end: Parameter,
}

impl Blueprint {
    /// The scores of a chain of `tags` tags, 0 at first: `NAME.transitions`, `NAME.start` and `NAME.end`.
    pub fn chain(&mut self, name: &str, tags: usize) -> Chain {
        let mut scores =
            |part: &str, shape: &[usize]| self.parameter(&format!("{name}.{part}"), shape, Init::Constant(0.0));
        let transitions = scores("transitions", &[tags, tags]);
        Chain { transitions, start: scores("start", &[tags]), end: scores("end", &[tags]) }
    }
}

impl<T: Real> Store<T> {
    /// A chain with its present scores.
    ///
    /// # Errors
    /// Parameters that are no chain.
    pub fn crf(&self, chain: Chain) -> Result<Crf, EngineError> {
        Crf::new(self.weight(chain.transitions), self.weight(chain.start), self.weight(chain.end))
    }
}

/// The rows of a sequence, one after another.
fn gathered<T: Real>(value: &[T], width: usize, rows: &[usize]) -> Vec<T> {
    rows.iter().flat_map(|row| &value[row * width..(row + 1) * width]).copied().collect()
}

/// The rows of a sequence, back where they came from.
fn scattered<T: Real>(from: &[T], width: usize, rows: &[usize], to: &mut [T]) {
    for (row, from) in rows.iter().zip(from.chunks_exact(width)) {
        to[row * width..(row + 1) * width].copy_from_slice(from);
    }
}

impl<T: Real> Tape<'_, T> {
    /// scale · Σ over sequences of −log p(targets) under a chain of tags, in nats ([`Crf`]). `emissions` and `targets` are
    /// the layout's rows; padding is not read.
    ///
    /// # Errors
    /// Shapes that do not belong together, a target that is no tag.
    pub fn crf(
        &mut self,
        emissions: Var,
        layout: &Layout,
        chain: Chain,
        targets: &[u32],
        scale: f64,
    ) -> Result<Var, EngineError> {
        let width = self.width(emissions);
        check("rows of a chain of tags", self.count(emissions), layout.rows())?;
        check("targets", targets.len(), layout.rows())?;
        let crf = self.store.crf(chain)?;
        check("start scores", self.store.weight(chain.start).len(), width)?;
        let parameters = [chain.transitions, chain.start, chain.end];
        let [mut transitions, mut start, mut end] = parameters.map(|p| vec![T::ZERO; self.store.weight(p).len()]);
        let value = self.value(emissions);
        let mut d = vec![T::ZERO; value.len()];
        let mut loss = 0.0;
        for b in 0..layout.sequences() {
            let rows: Vec<usize> = layout.of(b).collect();
            let target: Vec<u32> = rows.iter().map(|row| targets[*row]).collect();
            let mut own = vec![T::ZERO; rows.len() * width];
            let into =
                CrfGradients { emissions: &mut own, transitions: &mut transitions, start: &mut start, end: &mut end };
            loss += crf.loss_and_gradients(&gathered(value, width, &rows), &target, scale, into)?;
            scattered(&own, width, &rows, &mut d);
        }
        let parameters = parameters.into_iter().zip([transitions, start, end]).collect();
        Ok(self.known_loss(scale * loss, vec![(emissions, d)], parameters))
    }

    /// scale · Σ over sequences of −log of the probability of all paths that spell the target, in nats
    /// ([`crate::loss::ctc_loss`]). `logits` are the layout's rows, [rows, symbols], the blank symbol 0; a target a sequence.
    ///
    /// # Errors
    /// Shapes that do not belong together, a target that is no symbol or longer than its sequence can spell.
    pub fn ctc(&mut self, logits: Var, layout: &Layout, targets: &[Vec<u32>], scale: f64) -> Result<Var, EngineError> {
        let width = self.width(logits);
        check("rows of a labelling", self.count(logits), layout.rows())?;
        check("targets", targets.len(), layout.sequences())?;
        let value = self.value(logits);
        let mut d = vec![T::ZERO; value.len()];
        let mut loss = 0.0;
        for (b, target) in targets.iter().enumerate() {
            let rows: Vec<usize> = layout.of(b).collect();
            let mut own = vec![T::ZERO; rows.len() * width];
            loss += ctc_loss_and_gradient(&gathered(value, width, &rows), width, target, scale, &mut own)?;
            scattered(&own, width, &rows, &mut d);
        }
        Ok(self.known_loss(scale * loss, vec![(logits, d)], vec![]))
    }
}
