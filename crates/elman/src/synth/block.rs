//! Examples side by side, time first: padded batches, and endless streams for truncated backpropagation through time.

use super::task::{Example, Form, Series};
use super::{Made, Split};

/// Steps of several examples, time first.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Steps.
    pub steps: usize,
    /// Columns.
    pub columns: usize,
    /// What is read: [steps, columns] ids or [steps, columns, width] numbers; 0 in padding.
    pub inputs: Series,
    /// What is wanted, in the same order; 0 in padding.
    pub targets: Series,
    /// Where it counts: [steps, columns].
    pub scored: Vec<bool>,
    /// Where an example begins: [steps, columns]. A stream's state may be carried over it, or set to zero there.
    pub begins: Vec<bool>,
    /// Valid steps of each column: `[columns]`.
    pub lengths: Vec<usize>,
}

impl Block {
    /// `examples` side by side, padded to the longest.
    pub(super) fn padded(examples: Vec<Example>, form: Form) -> Block {
        let steps = examples.iter().map(Example::steps).max().unwrap_or(0);
        let mut block = Block::empty(steps, examples.len(), form);
        for (column, example) in examples.iter().enumerate() {
            block.lengths[column] = example.steps();
            for step in 0..example.steps() {
                block.put(step, column, example, step);
            }
        }
        block
    }

    fn empty(steps: usize, columns: usize, form: Form) -> Block {
        let size = steps * columns;
        let series = |width| match width {
            None => Series::Symbols(vec![0; size]),
            Some(width) => Series::Real { width, values: vec![0.0; size * width] },
        };
        let (inputs, targets) = match form {
            Form::Symbols => (None, None),
            Form::Real { inputs, targets } => (Some(inputs), Some(targets)),
        };
        let (scored, begins) = (vec![false; size], vec![false; size]);
        Block {
            steps,
            columns,
            inputs: series(inputs),
            targets: series(targets),
            scored,
            begins,
            lengths: vec![0; columns],
        }
    }

    /// Puts step `from` of `example` at (`step`, `column`).
    fn put(&mut self, step: usize, column: usize, example: &Example, from: usize) {
        let at = step * self.columns + column;
        set(&mut self.inputs, at, &example.inputs, from);
        set(&mut self.targets, at, &example.targets, from);
        self.scored[at] = example.scored[from];
        self.begins[at] = from == 0;
    }
}

/// Copies step `from` of `source` to place `at` of `to`, a series of the same kind.
fn set(to: &mut Series, at: usize, source: &Series, from: usize) {
    match (to, source) {
        (Series::Symbols(to), Series::Symbols(source)) => to[at] = source[from],
        (Series::Real { width, values }, Series::Real { values: source, .. }) => {
            let w = *width;
            values[at * w..(at + 1) * w].copy_from_slice(&source[from * w..(from + 1) * w]);
        }
        _ => {}
    }
}

/// Where a column of a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// The example.
    pub example: u64,
    /// The step in it that comes next.
    pub step: usize,
}

/// An endless stream: column c reads examples c, c + columns, c + 2 columns, … one after another.
#[derive(Debug)]
pub struct Stream<'a> {
    made: &'a Made,
    split: Split,
    cursors: Vec<Cursor>,
    /// The examples that the cursors stand in.
    open: Vec<Example>,
}

impl<'a> Stream<'a> {
    /// The stream of `split` from its beginning.
    pub fn new(made: &'a Made, split: Split, columns: usize) -> Stream<'a> {
        let cursors = (0..columns as u64).map(|example| Cursor { example, step: 0 }).collect();
        Stream::at(made, split, cursors)
    }

    /// The stream where [`Stream::cursors`] said it stood.
    pub fn at(made: &'a Made, split: Split, cursors: Vec<Cursor>) -> Stream<'a> {
        let open = cursors.iter().map(|c| made.example(split, c.example)).collect();
        Stream { made, split, cursors, open }
    }

    /// Where each column stands: what a checkpoint keeps.
    pub fn cursors(&self) -> &[Cursor] {
        &self.cursors
    }

    /// The next `steps` of every column.
    pub fn next(&mut self, steps: usize) -> Block {
        let columns = self.cursors.len();
        let mut block = Block::empty(steps, columns, self.made.form());
        block.lengths.fill(steps);
        for column in 0..columns {
            for step in 0..steps {
                let Cursor { example, step: from } = self.cursors[column];
                if from >= self.open[column].steps() {
                    self.cursors[column] = Cursor { example: example + columns as u64, step: 0 };
                    self.open[column] = self.made.example(self.split, self.cursors[column].example);
                }
                let cursor = &mut self.cursors[column];
                block.put(step, column, &self.open[column], cursor.step);
                cursor.step += 1;
            }
        }
        block
    }
}
