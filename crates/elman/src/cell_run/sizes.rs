//! The sizes of a network, from the shapes of the tensors at hand.
//!
//! A dimension is linear in `input`, `hidden` and `output`. The input is known from `x`, so each observed length is an
//! equation in `hidden` and `output`; a layer above the first has the output below it as its input, which is linear in
//! the same two. What the equations of the cell force to be equal (input = hidden in MUT1) is an equation as well.
//! Equations in one unknown vote, so that one wrong tensor does not mislead; whether the tensors agree is not checked
//! here: every shape is compared with its wanted one afterwards.

use elman_cell::{Cell, Dim, Sizes};
use std::collections::BTreeMap;

/// `hidden · a + output · b + n`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Form {
    hidden: i128,
    output: i128,
    number: i128,
}

impl Form {
    const fn number(n: usize) -> Form {
        Form { hidden: 0, output: 0, number: n as i128 }
    }

    /// `None` where it overflows: no network has such sizes.
    fn times(self, k: i128) -> Option<Form> {
        Some(Form {
            hidden: self.hidden.checked_mul(k)?,
            output: self.output.checked_mul(k)?,
            number: self.number.checked_mul(k)?,
        })
    }

    fn plus(self, o: Form) -> Option<Form> {
        Some(Form {
            hidden: self.hidden.checked_add(o.hidden)?,
            output: self.output.checked_add(o.output)?,
            number: self.number.checked_add(o.number)?,
        })
    }

    /// A dimension in a layer whose input is `input`.
    fn of(dim: Dim, input: Form) -> Option<Form> {
        let own = Form { hidden: dim.hidden.into(), output: dim.output.into(), number: dim.fixed as i128 };
        input.times(dim.input.into())?.plus(own)
    }

    fn with_hidden(self, hidden: i128) -> Option<Form> {
        let number = self.hidden.checked_mul(hidden)?.checked_add(self.number)?;
        Some(Form { hidden: 0, output: self.output, number })
    }

    fn with_output(self, output: i128) -> Option<Form> {
        let number = self.output.checked_mul(output)?.checked_add(self.number)?;
        Some(Form { hidden: self.hidden, output: 0, number })
    }
}

/// What is observed of a network: forms that are 0 at the right sizes.
#[derive(Debug)]
pub struct Observed {
    inputs: Vec<Form>,
    zeros: Vec<Form>,
}

impl Observed {
    /// A network of `layers` on an `x` of `input` units; the output of a layer is `widen` times the cell's (2 where both
    /// directions are concatenated). `None` where no such network can be.
    pub fn new(cell: &Cell, input: usize, layers: usize, widen: usize) -> Option<Observed> {
        let output = output_dim(cell);
        let mut inputs = vec![Form::number(input)];
        for layer in 0..layers {
            inputs.push(Form::of(output, inputs[layer])?.times(widen as i128)?);
        }
        let mut observed = Observed { inputs, zeros: Vec::new() };
        for layer in 0..layers {
            for requirement in &cell.requirements {
                observed.equal(layer, requirement.left, requirement.right);
            }
        }
        Some(observed)
    }

    /// A dimension of the cell in `layer` was seen to be `found`.
    pub fn length(&mut self, layer: usize, dim: Dim, found: usize) {
        self.equal(layer, dim, Dim::fixed(found));
    }

    /// The output of the last layer, both directions merged, was seen to be `found`.
    pub fn output(&mut self, found: usize) {
        let top = self.inputs.len() - 1;
        self.equal(top, Dim::INPUT, Dim::fixed(found));
    }

    fn equal(&mut self, layer: usize, left: Dim, right: Dim) {
        let difference = || {
            let input = *self.inputs.get(layer)?;
            Form::of(left, input)?.plus(Form::of(right, input)?.times(-1)?)
        };
        self.zeros.extend(difference());
    }

    /// The sizes of the first layer, `output` being `hidden` where nothing tells. `None` if `hidden` is not given and
    /// nothing tells it.
    pub fn solve(&self, hidden: Option<usize>) -> Option<Sizes> {
        let input = usize::try_from(self.inputs[0].number).ok()?;
        let hidden = match hidden {
            Some(given) => Some(given),
            None => self.vote_hidden(|f| (f.output == 0).then_some(f)).or_else(|| self.hidden_beside_output()),
        }?;
        let at_hidden = self.zeros.iter().filter_map(|f| f.with_hidden(hidden as i128));
        let output = vote(at_hidden.map(|f| (f.output, f.number))).unwrap_or(hidden);
        Some(Sizes { input, hidden, output })
    }

    fn vote_hidden(&self, reduce: impl Fn(Form) -> Option<Form>) -> Option<usize> {
        vote(self.zeros.iter().filter_map(|f| reduce(*f)).map(|f| (f.hidden, f.number)))
    }

    /// No equation has `hidden` alone: `output` from those that have it alone, else `output` = `hidden`.
    fn hidden_beside_output(&self) -> Option<usize> {
        let alone = self.zeros.iter().filter(|f| f.hidden == 0);
        match vote(alone.map(|f| (f.output, f.number))) {
            Some(output) => self.vote_hidden(|f| f.with_output(output as i128)),
            None => self.vote_hidden(|f| Some(Form { hidden: f.hidden.checked_add(f.output)?, output: 0, ..f })),
        }
    }
}

/// The most frequent positive whole solution of `coefficient · unknown + number = 0`; the smaller of equals.
fn vote(equations: impl Iterator<Item = (i128, i128)>) -> Option<usize> {
    let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
    for (coefficient, number) in equations.filter(|&(coefficient, _)| coefficient != 0) {
        let solution = (number % coefficient == 0).then(|| -(number / coefficient));
        if let Some(size) = solution.and_then(|s| usize::try_from(s).ok()).filter(|&s| s > 0) {
            *votes.entry(size).or_default() += 1;
        }
    }
    votes.into_iter().rev().max_by_key(|&(_, count)| count).map(|(size, _)| size)
}

/// The length of what a cell hands on.
pub fn output_dim(cell: &Cell) -> Dim {
    match cell.exprs[cell.equations[cell.output.index()].value.index()].shape {
        elman_cell::cell::Shape::Vector(dim) => dim,
        _ => Dim::ONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: Dim = Dim::HIDDEN;
    const O: Dim = Dim::OUTPUT;
    const I: Dim = Dim::INPUT;

    /// Layers whose output is `output`, of one direction unless widened.
    fn observed(input: usize, output: Dim, layers: usize, widen: i128) -> Observed {
        let mut inputs = vec![Form::number(input)];
        for layer in 0..layers {
            inputs.push(Form::of(output, inputs[layer]).unwrap().times(widen).unwrap());
        }
        Observed { inputs, zeros: vec![] }
    }

    fn sizes(input: usize, hidden: usize, output: usize) -> Option<Sizes> {
        Some(Sizes { input, hidden, output })
    }

    #[test]
    fn nothing_tells_but_what_is_given() {
        assert_eq!(observed(3, H, 1, 1).solve(None), None);
        assert_eq!(observed(3, H, 1, 1).solve(Some(5)), sizes(3, 5, 5));
    }

    #[test]
    fn hidden_from_a_concatenation() {
        let mut seen = observed(3, H, 1, 1);
        seen.length(0, H + I, 8);
        assert_eq!(seen.solve(None), sizes(3, 5, 5));
    }

    #[test]
    fn the_majority_outvotes_a_wrong_tensor() {
        let mut seen = observed(3, H, 1, 1);
        for found in [6, 5, 5] {
            seen.length(0, H, found);
        }
        assert_eq!(seen.solve(None), sizes(3, 5, 5));
        assert_eq!(seen.solve(Some(6)), sizes(3, 6, 6));
    }

    #[test]
    fn an_output_of_its_own() {
        let mut seen = observed(3, O, 1, 2);
        seen.length(0, H, 5);
        seen.output(14);
        assert_eq!(seen.solve(None), sizes(3, 5, 7));
    }

    #[test]
    fn an_upper_layer_tells_by_its_input() {
        let mut seen = observed(3, H, 2, 2);
        seen.length(1, I, 10);
        assert_eq!(seen.solve(None), sizes(3, 5, 5));
    }

    #[test]
    fn sums_of_both_are_solved_by_either() {
        let mut seen = observed(3, O, 1, 1);
        seen.length(0, H + O, 12);
        assert_eq!(seen.solve(None), sizes(3, 6, 6));
        seen.output(7);
        assert_eq!(seen.solve(None), sizes(3, 5, 7));
    }

    #[test]
    fn what_is_no_size_does_not_vote() {
        let mut seen = observed(3, H, 1, 2);
        for (dim, found) in [(H + I, 2), (H + I, 3), (H + H, 5)] {
            seen.length(0, dim, found);
        }
        assert_eq!(seen.solve(None), None);
        seen.length(0, H, usize::MAX);
        assert_eq!(seen.solve(None), sizes(3, usize::MAX, usize::MAX));
    }

    #[test]
    fn layers_that_double_without_end_do_not_overflow() {
        let doubling = Form { hidden: 0, output: 0, number: i128::MAX / 2 };
        assert_eq!(Form::of(I + I, doubling).and_then(|f| f.times(2)), None);
    }
}
