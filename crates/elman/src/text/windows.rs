//! Windows over a stream of ids, for truncated backpropagation through time with carried state.
//!
//! A stream of n tokens is n predictions: the first token is predicted from `<eos>`, as if a line had ended before it,
//! every other one from the token before it. The predictions are cut into `batch` columns of consecutive ones, and the
//! columns into windows of `steps`; a column's state is carried from window to window and starts at zero.
//!
//! - Training ([`Windows::training`]): columns of n / batch predictions; the n mod batch last tokens of the stream are left
//!   out, as in the field's recipes (Zaremba et al. 2014). The last window may be shorter.
//! - Scoring ([`Windows::scoring`]): every token is scored exactly once. The first n mod batch columns are one prediction
//!   longer, so a last window of one step may have fewer columns than the others; these are always the first ones. The
//!   first token of a column is predicted from the token before it in the stream, but with a fresh state: with batch 1
//!   nothing is lost, and that is what the field's figures use.

use super::error::TextError;

/// The windows of one pass over a stream.
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    ids: &'a [u32],
    end: u32,
    batch: usize,
    steps: usize,
    /// The first predictions of the columns, and after them the end of the last; batch + 1 rising numbers.
    starts: Vec<usize>,
}

/// One window, time first. Reused from call to call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Steps in this window.
    pub steps: usize,
    /// Columns in this window: the first ones of the batch.
    pub columns: usize,
    /// The tokens read: [steps, columns].
    pub inputs: Vec<u32>,
    /// The tokens to predict: [steps, columns].
    pub targets: Vec<u32>,
}

impl<'a> Windows<'a> {
    /// For training: equal columns, the rest left out. `end` is the id of `<eos>`.
    ///
    /// Errors: fewer tokens than columns; a batch or a number of steps of 0.
    pub fn training(ids: &'a [u32], end: u32, batch: usize, steps: usize) -> Result<Windows<'a>, TextError> {
        check(ids, batch, steps, "train")?;
        let length = ids.len() / batch;
        Ok(Windows { ids, end, batch, steps, starts: (0..=batch).map(|c| c * length).collect() })
    }

    /// For scoring: every token once. A batch larger than the stream is lowered to it.
    ///
    /// Errors: an empty stream; a batch or a number of steps of 0.
    pub fn scoring(ids: &'a [u32], end: u32, batch: usize, steps: usize) -> Result<Windows<'a>, TextError> {
        let batch = batch.min(ids.len().max(1));
        check(ids, batch, steps, "scored")?;
        let (length, longer) = (ids.len() / batch, ids.len() % batch);
        Ok(Windows { ids, end, batch, steps, starts: (0..=batch).map(|c| c * length + c.min(longer)).collect() })
    }

    /// Columns.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Predictions in the longest column.
    pub fn length(&self) -> usize {
        self.starts[1]
    }

    /// Predictions in all columns.
    pub fn predictions(&self) -> usize {
        self.starts[self.batch]
    }

    /// Windows in a pass. A shorter column's missing step never shares a window with others' steps.
    pub fn count(&self) -> usize {
        let even = self.shortest().div_ceil(self.steps);
        even + usize::from(self.length() > self.shortest())
    }

    /// Puts window `k` into `window`; false if there is none.
    pub fn window(&self, k: usize, window: &mut Window) -> bool {
        let shortest = self.shortest();
        if k >= self.count() {
            return false;
        }
        let first = (k * self.steps).min(shortest);
        if first == shortest {
            self.at(first, 1, window);
        } else {
            self.at(first, self.steps.min(shortest - first), window);
        }
        true
    }

    /// The window of `steps` predictions from prediction `first` of each column, for windows of varying length; only the
    /// columns that reach that far, and no more steps than all of these have.
    pub fn at(&self, first: usize, steps: usize, window: &mut Window) {
        window.columns = (0..self.batch).take_while(|c| self.starts[*c] + first < self.starts[c + 1]).count();
        let last = window.columns.max(1) - 1;
        window.steps = match window.columns {
            0 => 0,
            _ => steps.min(self.starts[last + 1] - self.starts[last] - first),
        };
        window.inputs.clear();
        window.targets.clear();
        for step in first..first + window.steps {
            for column in 0..window.columns {
                let at = self.starts[column] + step;
                window.inputs.push(if at == 0 { self.end } else { self.ids[at - 1] });
                window.targets.push(self.ids[at]);
            }
        }
    }

    fn shortest(&self) -> usize {
        self.starts[self.batch] - self.starts[self.batch - 1]
    }
}

fn check(ids: &[u32], batch: usize, steps: usize, part: &'static str) -> Result<(), TextError> {
    if batch == 0 || steps == 0 {
        return Err(TextError::Parts(format!("a batch of {batch} and {steps} steps: both must be at least 1")));
    }
    if ids.len() < batch {
        let need = format!("a batch of {batch} columns needs one each");
        return Err(TextError::Short { part, tokens: ids.len(), need, smaller: Some("--batch") });
    }
    Ok(())
}
