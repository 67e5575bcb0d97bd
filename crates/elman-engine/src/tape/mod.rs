//! Models of any shape: a computation is written down on a tape as it happens, and differentiated backwards.
//!
//! ```text
//! Blueprint ─▶ Store (numbers, packed weights, threads) ─▶ Tape: op, op, … loss ─▶ backward ─▶ gradients
//! ```
//!
//! Values are matrices [rows, width]; steps of sequences are rows, time first ([`Layout`]). An operation is large (a whole
//! recurrent layer over a batch, a whole attention), stands in one file with its derivative written beside it, and each is
//! compared with differences by one test. No value depends on the number of threads, and none of a row on other rows of its
//! batch, but where an operation says so (a loss).
//!
//! ```
//! use elman_engine::tape::{Blueprint, Layout, Mode, Store, Tape};
//! use elman_engine::{Isa, Spec};
//! use std::sync::Arc;
//!
//! let cell = Arc::new(elman_cell::parse("rnn", "h' = tanh(W x + U h + b)").map_err(|d| d.to_string())?);
//! let mut blueprint = Blueprint::new();
//! let embedding = blueprint.parameter("embedding", &[10, 4], elman_cell::cell::Init::Normal(0.1));
//! let layer = blueprint.recurrent("encoder", Spec::new(cell, 4, 8)).map_err(|e| e.to_string())?;
//! let output = blueprint.linear("output", 8, 2);
//! let mut store = Store::<f32>::new(blueprint, 1, Isa::detect(), 1).map_err(|e| e.to_string())?;
//!
//! // Two sequences, of 3 and 2 steps.
//! let layout = Layout::new(vec![3, 2]);
//! let mut tape = Tape::new(&mut store, Mode::Infer);
//! let run = |tape: &mut Tape<f32>| -> Result<_, elman_engine::EngineError> {
//!     let x = tape.embed(embedding, &[1, 7, 2, 8, 3, 0])?;
//!     let h = tape.recurrent(layer, x, &layout, &[])?.y;
//!     let last = tape.rows(h, &layout.last())?;
//!     let logits = tape.linear(last, output)?;
//!     tape.cross_entropy(logits, &[0, 1], 0.0, 0.5)
//! };
//! let loss = run(&mut tape).map_err(|e| e.to_string())?;
//! assert!(tape.value(loss)[0] > 0.0);
//! let gradients = tape.backward(loss).map_err(|e| e.to_string())?;
//! assert_eq!(gradients[0].len(), 40);
//! # Ok::<(), String>(())
//! ```

mod additive;
mod attention;
mod bag;
mod copying;
mod dense;
mod elementwise;
mod layout;
mod linear;
mod losses;
mod norm;
mod onward;
mod pool;
mod recurrent;
mod rows;
mod store;
mod structured;
#[cfg(test)]
mod tests;
mod transpose;

pub use attention::Attended;
pub use copying::Mixture;
pub use layout::Layout;
pub use losses::NO_TARGET;
pub use pool::Pool;
pub use recurrent::Recurred;
pub use rows::NO_ROW;
pub use store::{Blueprint, Layer, Linear, Parameter, Store};
pub use structured::Chain;

use elman_kernel::Real;
use elman_kernel::code::Binary;

use crate::dropout::{MaskKey, Purpose};
use crate::error::{EngineError, check};

/// A value on a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var(usize);

/// What a computation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is dropped.
    Infer,
    /// Units are dropped, by masks that follow from the seed and the step of training.
    Train {
        /// The run's seed.
        seed: u64,
        /// Steps of training before this one.
        clock: u64,
    },
}

/// How a value's gradient goes on to what it was made of.
pub trait Operation<T: Real> {
    /// `d` is the gradient by the value. Adds to those of its sources and parameters.
    ///
    /// # Errors
    /// What the kernels say.
    fn backward(&mut self, d: &[T], back: &mut Back<'_, T>) -> Result<(), EngineError>;

    /// Hands back what was borrowed from the store, whether or not it went backward.
    fn close(&mut self, _store: &mut Store<T>) {}
}

struct Node<T: Real> {
    value: Vec<T>,
    width: usize,
    operation: Option<Box<dyn Operation<T>>>,
}

/// A computation, written down.
pub struct Tape<'s, T: Real> {
    /// The model's numbers.
    pub store: &'s mut Store<T>,
    nodes: Vec<Node<T>>,
    mode: Mode,
    /// Masks drawn so far.
    masks: u64,
}

/// A computation that was put aside, so that its store is free meanwhile.
pub struct Written<T: Real> {
    nodes: Vec<Node<T>>,
    mode: Mode,
    masks: u64,
    /// Of the store's numbers.
    version: u64,
}

/// The way back: gradients so far.
pub struct Back<'t, T: Real> {
    /// The model's numbers.
    pub store: &'t mut Store<T>,
    nodes: &'t [Node<T>],
    /// Per value; absent is zero.
    values: Vec<Option<Vec<T>>>,
    /// Per parameter.
    parameters: Vec<Vec<T>>,
}

impl<T: Real> Drop for Tape<'_, T> {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(operation) = &mut node.operation {
                operation.close(self.store);
            }
        }
    }
}

impl<'s, T: Real> Tape<'s, T> {
    /// An empty tape.
    pub fn new(store: &'s mut Store<T>, mode: Mode) -> Tape<'s, T> {
        Tape { store, nodes: vec![], mode, masks: 0 }
    }

    /// Puts the computation aside.
    pub fn put_aside(mut self) -> Written<T> {
        let (nodes, version) = (std::mem::take(&mut self.nodes), self.store.version());
        Written { nodes, mode: self.mode, masks: self.masks, version }
    }

    /// Goes on with a computation that was put aside.
    ///
    /// # Errors
    /// The store's numbers have changed since.
    pub fn go_on(store: &'s mut Store<T>, written: Written<T>) -> Result<Tape<'s, T>, EngineError> {
        let Written { nodes, mode, masks, version } = written;
        if version != store.version() {
            return Err(EngineError::Unsupported("a computation goes on with the numbers it began with".into()));
        }
        Ok(Tape { store, nodes, mode, masks })
    }

    /// What the computation is for.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether units are dropped.
    pub fn trains(&self) -> bool {
        self.mode != Mode::Infer
    }

    /// Numbers from outside: [rows, width].
    ///
    /// # Errors
    /// No whole number of rows.
    pub fn given(&mut self, value: Vec<T>, width: usize) -> Result<Var, EngineError> {
        let rows = value.len() / width.max(1);
        check("given", value.len(), rows * width)?;
        Ok(self.push(value, width, None))
    }

    /// Writes down a value, [rows, width], and how its gradient goes on.
    pub fn record(&mut self, value: Vec<T>, width: usize, operation: impl Operation<T> + 'static) -> Var {
        self.push(value, width, Some(Box::new(operation)))
    }

    fn push(&mut self, value: Vec<T>, width: usize, operation: Option<Box<dyn Operation<T>>>) -> Var {
        self.nodes.push(Node { value, width, operation });
        Var(self.nodes.len() - 1)
    }

    /// A value's numbers, row by row.
    pub fn value(&self, var: Var) -> &[T] {
        &self.nodes[var.0].value
    }

    /// The numbers of a row.
    pub fn width(&self, var: Var) -> usize {
        self.nodes[var.0].width
    }

    /// Rows.
    pub fn count(&self, var: Var) -> usize {
        self.value(var).len() / self.width(var).max(1)
    }

    /// The next mask that scales `count` units: 0 with probability `drop`, else 1 / (1 − drop); `None` if nothing is
    /// dropped.
    fn mask(&mut self, drop: f64, count: usize) -> Option<Vec<T>> {
        let Mode::Train { seed, clock } = self.mode else { return None };
        if drop <= 0.0 {
            return None;
        }
        self.masks += 1;
        let key = MaskKey { seed, purpose: Purpose::Between, layer: self.masks, step: clock, sequence: 0 };
        let mut mask = vec![T::ZERO; count];
        key.fill(drop, &mut mask);
        Some(mask)
    }

    /// The gradients of a value of one number by all parameters.
    ///
    /// # Errors
    /// A value of more numbers, and what the kernels say.
    pub fn backward(self, loss: Var) -> Result<Vec<Vec<T>>, EngineError> {
        let mut gradients = self.store.no_gradients();
        self.backward_into(loss, &mut gradients)?;
        Ok(gradients)
    }

    /// The same, added to `gradients`.
    ///
    /// # Errors
    /// As [`Tape::backward`].
    pub fn backward_into(self, loss: Var, gradients: &mut Vec<Vec<T>>) -> Result<(), EngineError> {
        check("loss", self.value(loss).len(), 1)?;
        self.go_back((loss, vec![T::ONE]), None, gradients).map(|_| ())
    }

    /// The same from a value `y` in the midst of a larger computation, with the gradient `dy` by it; returns the gradient
    /// by `x`, in the shape of `x`.
    ///
    /// # Errors
    /// A `dy` of another length, and what the kernels say.
    pub fn backward_from(
        self,
        (y, dy): (Var, Vec<T>),
        x: Var,
        gradients: &mut Vec<Vec<T>>,
    ) -> Result<Vec<T>, EngineError> {
        check("gradient by a value", dy.len(), self.value(y).len())?;
        self.go_back((y, dy), Some(x), gradients)
    }

    fn go_back(
        mut self,
        (last, d): (Var, Vec<T>),
        wanted: Option<Var>,
        gradients: &mut Vec<Vec<T>>,
    ) -> Result<Vec<T>, EngineError> {
        let mut operations: Vec<_> = self.nodes.iter_mut().map(|n| n.operation.take()).collect();
        let mut values: Vec<Option<Vec<T>>> = self.nodes.iter().map(|_| None).collect();
        values[last.0] = Some(d);
        let parameters = std::mem::take(gradients);
        let mut back = Back { store: self.store, nodes: &self.nodes, values, parameters };
        let mut done = Ok(());
        let mut found = vec![];
        for place in (0..=last.0).rev() {
            let Some(d) = back.values[place].take() else { continue };
            if let (Some(operation), true) = (&mut operations[place], done.is_ok()) {
                done = operation.backward(&d, &mut back);
            }
            if wanted == Some(Var(place)) {
                found = d;
            }
        }
        *gradients = back.parameters;
        operations.iter_mut().flatten().for_each(|operation| operation.close(self.store));
        if let (Some(x), true) = (wanted, found.is_empty()) {
            found = vec![T::ZERO; self.value(x).len()];
        }
        done.map(|()| found)
    }
}

impl<T: Real> Back<'_, T> {
    /// A value's numbers.
    pub fn value(&self, var: Var) -> &[T] {
        &self.nodes[var.0].value
    }

    /// The numbers of a row.
    pub fn width(&self, var: Var) -> usize {
        self.nodes[var.0].width
    }

    /// Adds to the gradient by a value.
    pub fn add(&mut self, var: Var, d: Vec<T>) {
        match &mut self.values[var.0] {
            Some(sum) => add(sum, &d),
            none => *none = Some(d),
        }
    }

    /// The gradient by a value so far, to add to.
    pub fn sum(&mut self, var: Var) -> &mut [T] {
        let count = self.nodes[var.0].value.len();
        self.values[var.0].get_or_insert_with(|| vec![T::ZERO; count])
    }

    /// The gradient by a value so far, taken.
    fn take(&mut self, var: Var) -> Option<Vec<T>> {
        self.values[var.0].take()
    }

    /// The gradient by a parameter so far, to add to.
    pub fn parameter(&mut self, parameter: Parameter) -> &mut [T] {
        &mut self.parameters[parameter.0]
    }
}

/// to ← to + from
fn add<T: Real>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, d)| *to = T::binary(Binary::Add, *to, *d));
}

/// a b
fn mul<T: Real>(a: T, b: T) -> T {
    T::binary(Binary::Mul, a, b)
}
