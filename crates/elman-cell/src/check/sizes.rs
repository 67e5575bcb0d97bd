//! Sizes: whether a cell fits the sizes it is used at, and whether any sizes fit it.

use super::shape::Forced;
use crate::cell::{Cell, Requirement, Shape};
use crate::diag::{Diagnostics, Report, quote, with_size};
use crate::dim::{Dim, Sizes};
use crate::syntax::tree::Tree;

/// Numbers of a parameter or value that are still addressed: more do not fit into memory on any machine.
const MOST: usize = 1 << 40;

impl Cell {
    /// Whether the cell can be used at these sizes.
    ///
    /// # Errors
    /// A size of 0, two dimensions that the equations force to be equal and are not (input = hidden in MUT1), a size
    /// that overflows. Each names the equation, every dimension with its size, and what to change.
    pub fn check_sizes(&self, sizes: Sizes) -> Result<(), Diagnostics> {
        let mut report = Report::new(&self.source);
        for (name, size) in [("input", sizes.input), ("hidden", sizes.hidden), ("output", sizes.output)] {
            if size == 0 {
                let message = format!("the cell is used with {name} = 0");
                report.error("E207", Default::default(), message).hint("a dimension is at least 1");
            }
        }
        for requirement in &self.requirements {
            self.check_requirement(requirement, sizes, &mut report);
        }
        self.check_overflow(sizes, &mut report);
        let diagnostics = report.finish();
        if diagnostics.0.is_empty() { Ok(()) } else { Err(diagnostics) }
    }

    fn check_requirement(&self, requirement: &Requirement, sizes: Sizes, report: &mut Report) {
        let (left, right) = (requirement.left, requirement.right);
        if left.checked_at(sizes) == right.checked_at(sizes) {
            return;
        }
        let equation = &self.equations[requirement.equation.index()];
        let what = quote(&self.source, requirement.span);
        let name = &equation.name;
        let line = report.line(equation.span.start);
        let message = format!(
            "{what} has {} units where {} are needed: the equation of `{name}` (line {line}) forces {left} = {right}",
            with_size(left, sizes),
            with_size(right, sizes)
        );
        let mut because: Vec<String> =
            requirement.labels.iter().take(2).map(|l| format!("line {}: {}", l.line, l.message)).collect();
        because.push(advice(left, right, &what));
        let mut entry = report.error("E206", requirement.span, message).hint(because.join("; "));
        for label in &requirement.labels {
            entry = entry.label(label.span, label.message.clone());
        }
    }

    fn check_overflow(&self, sizes: Sizes, report: &mut Report) {
        let count = |shape: Shape| match shape {
            Shape::Scalar => Some(1),
            Shape::Vector(d) => d.checked_at(sizes),
            Shape::Matrix(r, c) => r.checked_at(sizes)?.checked_mul(c.checked_at(sizes)?),
        };
        let fits = |shape: Shape| count(shape).is_some_and(|n| n <= MOST);
        let shapes = self.params.iter().map(|p| (p.span, p.name.as_str(), p.shape));
        let states =
            self.states.iter().map(|s| (self.equations[s.next.index()].span, s.name.as_str(), Shape::Vector(s.dim)));
        let values = self.equations.iter().map(|e| (e.span, e.name.as_str(), self.exprs[e.value.index()].shape));
        for (span, name, shape) in shapes.chain(states).chain(values).filter(|(_, _, shape)| !fits(*shape)) {
            let dims = match shape {
                Shape::Matrix(r, c) => format!("{} x {}", with_size(r, sizes), with_size(c, sizes)),
                Shape::Vector(d) => with_size(d, sizes),
                Shape::Scalar => String::new(),
            };
            report
                .error("E208", span, format!("the size of `{name}` is too large: {dims}"))
                .hint("use the cell with smaller sizes");
        }
    }
}

/// What to change where two dimensions clash.
fn advice(left: Dim, right: Dim, what: &str) -> String {
    let pair = [left, right];
    if pair.contains(&Dim::INPUT) && pair.contains(&Dim::HIDDEN) {
        let name = what.trim_matches('`').split('_').next().unwrap_or("x");
        return format!(
            "write a matrix before it, as in `tanh(W_x {name})`, project the input to hidden units, or, above a bidirectional layer, take the `sum` merge"
        );
    }
    "use sizes that are equal, or put a matrix between the two (`W_x x`), which is a projection; above a bidirectional layer the `sum` merge halves the input".into()
}

/// Reports sizes that several equations force to different numbers.
pub(super) fn contradictions(tree: &Tree, source: &str, forced: &[Forced], report: &mut Report) {
    let mut known: Vec<(Dim, usize, &Forced)> = Vec::new();
    for force in forced {
        let (dim, number) = match (force.left, force.right) {
            (d, n) if is_number(n) && is_variable(d) => (d, n.fixed),
            (n, d) if is_number(n) && is_variable(d) => (d, n.fixed),
            _ => continue,
        };
        match known.iter().find(|k| k.0 == dim) {
            Some(&(_, other, before)) if other != number => {
                let line = report.line(before.span.start);
                let what = quote(source, force.span);
                let name = tree.equations.get(force.equation).map_or("", |e| tree.names.file(e.name));
                let message = format!(
                    "{what}, in the equation of `{name}`, forces {dim} = {number}, but line {line} forces {dim} = {other}"
                );
                let hint = "no sizes fit both; put a matrix between the two (`W v`) in one of them";
                report
                    .error("E205", force.span, message)
                    .hint(hint)
                    .label(before.span, format!("forces {dim} = {other}"));
            }
            Some(_) => {}
            None => known.push((dim, number, force)),
        }
    }
}

fn is_number(d: Dim) -> bool {
    d.input + d.hidden + d.output == 0
}

fn is_variable(d: Dim) -> bool {
    [Dim::INPUT, Dim::HIDDEN, Dim::OUTPUT].contains(&d)
}
