//! A recurrent layer over a batch of sequences: the engine's runner as one operation.

use elman_kernel::Real;

use super::store::Held;
use super::{Back, Layer, Layout, Operation, Store, Tape, Var, add};
use crate::batch::{Batch, Gradients, Memory, Outputs};
use crate::error::{EngineError, check};

/// What a recurrent layer gives.
#[derive(Clone, Debug)]
pub struct Recurred {
    /// [rows of the layout, output]; zero beyond a sequence's length.
    pub y: Var,
    /// Per state of the network: [sequences, dim], after each sequence's last valid step in that direction.
    pub states: Vec<Var>,
}

struct Recurrent<T: Real> {
    layer: Layer,
    held: Option<Held<T>>,
    x: Var,
    initial: Vec<Var>,
    memories: Vec<Var>,
    /// Recorded right after the output.
    states: Vec<Var>,
}

impl<T: Real> Operation<T> for Recurrent<T> {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        let Some(mut held) = self.held.take() else { return Ok(()) };
        let of = |back: &mut Back<'_, T>, v: &Var| back.take(*v).unwrap_or_else(|| vec![T::ZERO; back.value(*v).len()]);
        let d_states: Vec<Vec<T>> = self.states.iter().map(|v| of(back, v)).collect();
        let mut gradients = Gradients::default();
        let done = held.runner.backward_on(&back.store.team, None, d, Some(&d_states), &mut gradients);
        back.store.give_back(self.layer, held);
        done?;
        let own = back.store.parameters_of(self.layer);
        for (to, g) in back.parameters[own].iter_mut().zip(&gradients.parameters) {
            add(to, g);
        }
        back.add(self.x, gradients.inputs.swap_remove(0));
        for (v, g) in self.initial.iter().zip(gradients.initial) {
            back.add(*v, g);
        }
        for (v, g) in self.memories.iter().zip(gradients.memories) {
            back.add(*v, g);
        }
        Ok(())
    }

    fn close(&mut self, store: &mut Store<T>) {
        if let Some(held) = self.held.take() {
            store.give_back(self.layer, held);
        }
    }
}

/// A state is a part of what the layer gave: its gradient waits for the layer.
struct State {
    y: Var,
    own: usize,
}

impl<T: Real> Operation<T> for State {
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError> {
        // Put back where the layer finds it; and the layer runs even where nothing asks for its output.
        back.values[self.own] = Some(d.to_vec());
        back.sum(self.y);
        Ok(())
    }
}

impl<T: Real> Tape<'_, T> {
    /// Runs a layer over `x`, [rows of the layout, input]. `initial` is empty or has each state of the network,
    /// [sequences, dim].
    ///
    /// # Errors
    /// Shapes that are not the network's.
    pub fn recurrent(
        &mut self,
        layer: Layer,
        x: Var,
        layout: &Layout,
        initial: &[Var],
    ) -> Result<Recurred, EngineError> {
        self.attending(layer, x, layout, initial, &[])
    }

    /// The same of a cell that attends: each of its memories, [rows of a layout, dim], with the layout, whose steps are
    /// the slots.
    ///
    /// # Errors
    /// Shapes that are not the network's.
    pub fn attending(
        &mut self,
        layer: Layer,
        x: Var,
        layout: &Layout,
        initial: &[Var],
        memories: &[(Var, &Layout)],
    ) -> Result<Recurred, EngineError> {
        check("rows of a recurrent layer's input", self.count(x), layout.rows())?;
        let mut held = self.store.take(layer)?;
        let start: Vec<Vec<T>> = initial.iter().map(|v| self.value(*v).to_vec()).collect();
        let mut batch = Batch::new(layout.steps, layout.sequences(), self.nodes[x.0].value.as_slice());
        batch.lengths = Some(&layout.lengths);
        batch.initial = (!start.is_empty()).then_some(start.as_slice());
        batch.memories = memories.iter().map(|(v, of)| self.memory(*v, of)).collect();
        let mut out = Outputs::default();
        held.runner.forward_on(&self.store.team, &batch, &mut out)?;
        let network = held.runner.network().clone();
        let y = Var(self.nodes.len());
        let states: Vec<Var> = (1..=out.states.len()).map(|k| Var(y.0 + k)).collect();
        let (initial, memories) = (initial.to_vec(), memories.iter().map(|m| m.0).collect());
        let operation = Recurrent { layer, held: Some(held), x, initial, memories, states: states.clone() };
        self.record(out.y, network.output_size(), operation);
        for (t, value) in network.states().iter().zip(out.states) {
            let own = self.nodes.len();
            self.record(value, t.count(), State { y, own });
        }
        Ok(Recurred { y, states })
    }

    fn memory<'v>(&'v self, value: Var, of: &'v Layout) -> Memory<'v, T> {
        Memory { slots: of.steps, values: &self.nodes[value.0].value, lengths: Some(&of.lengths) }
    }
}
