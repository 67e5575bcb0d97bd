//! Syntax to checked cell: names, cycles, ranks, dimensions, and what only deserves a warning.
//!
//! ```text
//! Tree ─ names ─▶ meanings ─ graph ─▶ order ─ rank ─▶ ranks ─ shape, solve ─▶ dimensions ─ build ─▶ Cell
//! ```
//!
//! Each pass reports all that it finds and goes on with what is left, so that one run names every error.

mod advice;
mod attend;
mod build;
mod declared;
mod doubts;
mod fold;
mod graph;
mod names;
mod rank;
mod shape;
mod sizes;
mod solve;

use crate::cell::Cell;
use crate::diag::{Diagnostics, Report};
use crate::dim::{Dim, Sizes};
use crate::nearest::nearest;
use crate::syntax;
use crate::syntax::tree::{Time, Tree};
use names::{Meanings, Role};

/// Values that the layer hands on where nothing is said, in this order; else the first state.
pub(crate) const OUTPUTS: &[&str] = &["y", "y_hat", "out", "h"];

/// Reads and checks a cell. `name` is only printed.
///
/// # Errors
/// All errors of the text at once, and its warnings and notes with them. Those of a right cell are in
/// [`Cell::diagnostics`].
pub fn parse(name: &str, source: &str) -> Result<Cell, Diagnostics> {
    parse_for(name, source, None)
}

/// The same for a use at known sizes, if they are given: messages tell every dimension with its size. Whether a right
/// cell fits them is told by [`Cell::check_sizes`].
///
/// # Errors
/// As [`parse`].
pub fn parse_for(name: &str, source: &str, sizes: Option<Sizes>) -> Result<Cell, Diagnostics> {
    let mut report = Report::new(source).at(sizes);
    let cell = check(name, source, &mut report);
    let diagnostics = report.finish();
    match cell {
        Some(mut cell) if !diagnostics.has_errors() => {
            cell.diagnostics = diagnostics.0;
            Ok(cell)
        }
        _ => Err(diagnostics),
    }
}

fn check<'s>(name: &str, source: &'s str, report: &mut Report<'s>) -> Option<Cell> {
    let tree = syntax::read(source, report);
    let mut meanings = names::resolve(&tree, report);
    attend::check(source, &tree, &mut meanings, report);
    report_cycles(&tree, &meanings, report);
    let order = graph::order(&meanings.needs);
    let output = output(&tree, &meanings, report);
    if !tree.partial && !meanings.is_state.contains(&true) && report.errors() == 0 {
        let hint = "a state is a value whose previous value is read: `h' = tanh(W x + U h + b)`";
        report.error("E108", crate::cell::Span::default(), "the cell has no state").hint(hint);
    }
    let ranker = rank::Ranker { source, tree: &tree, meanings: &meanings, order: &order, output, report };
    let ranks = ranker.run();
    let folded = fold::fold(source, &tree, &meanings, report);
    let inputs = inputs(&tree, &meanings);
    let states = state_dims(&tree, &meanings);
    let memories = memories(&tree, &meanings);
    let shaper = shape::Shaper {
        source,
        tree: &tree,
        meanings: &meanings,
        ranks: &ranks,
        order: &order,
        inputs: &inputs,
        memories: &memories,
        states: &states,
        report,
    };
    let mut shapes = shaper.run();
    let mut forced = std::mem::take(&mut shapes.forced);
    declared::input_of_declared_size(&tree, &mut forced);
    sizes::contradictions(&tree, source, &forced, report);
    advice::advise(&advice::Advice { source, tree: &tree, meanings: &meanings, ranks: &ranks, output }, report);
    let output = output?;
    let checked = build::Checked {
        source,
        tree: &tree,
        meanings: &meanings,
        ranks: &ranks,
        folded: &folded,
        order: &order,
        output,
        inputs,
        states,
        shapes,
        forced,
    };
    checked.cell(name, report)
}

/// Reports each cycle within a step once, with the equations on it.
fn report_cycles(tree: &Tree, meanings: &Meanings, report: &mut Report) {
    let component = graph::components(&meanings.needs);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); tree.equations.len()];
    for (equation, &c) in component.iter().enumerate() {
        members[c].push(equation);
    }
    for cycle in members {
        let Some(&first) = cycle.first() else { continue };
        if cycle.len() == 1 && !meanings.needs[first].contains(&first) {
            continue;
        }
        let equation = &tree.equations[first];
        let name = tree.names.file(equation.name);
        let others: Vec<String> =
            cycle.iter().skip(1).take(4).map(|&e| format!("`{}`", tree.names.file(tree.equations[e].name))).collect();
        let message = match others.is_empty() {
            true => format!("`{name}` needs its own new value within the step"),
            false => format!("`{name}` needs {} within the step, and is needed by it: a cycle", others.join(", ")),
        };
        let hint = match equation.time {
            _ if cycle.len() > 1 => way_out(tree, meanings, &cycle, report),
            Time::Plain => format!("write `{name}' = …` on the left: then `{name}` is the value of the step before"),
            Time::Prime => format!("read the value of the step before: `{name}`"),
            _ => format!("read the value of the step before: `{name}_{{t-1}}`"),
        };
        let mut entry = report.error("E107", equation.name_span, message).hint(hint);
        for &e in cycle.iter().skip(1).take(4) {
            entry = entry.label(tree.equations[e].name_span, "on the cycle");
        }
    }
}

/// How a cycle could be broken: one of its values, the output's if it is on it, read from the step before.
fn way_out(tree: &Tree, meanings: &Meanings, cycle: &[usize], report: &Report) -> String {
    let name = |e: usize| tree.names.file(tree.equations[e].name);
    let output = OUTPUTS.iter().find_map(|o| cycle.iter().copied().find(|&e| name(e) == *o));
    let value = output.unwrap_or(cycle[cycle.len() - 1]);
    let reader = cycle.iter().copied().find(|&e| meanings.needs[e].binary_search(&value).is_ok()).unwrap_or(cycle[0]);
    let (line, name) = (report.line(tree.equations[reader].span.start), name(value));
    let own = report.line(tree.equations[value].span.start);
    let read = match tree.equations[value].time {
        Time::Plain => format!("write `{name}' = …` on the left of line {own}, so that `{name}` is its previous value"),
        Time::Prime => format!("read `{name}` instead of `{name}'` in line {line}"),
        Time::Next => format!("read `{name}_t` in line {line}"),
        _ => format!("read `{name}_{{t-1}}` in line {line}"),
    };
    format!("let one of them be read from the step before: {read}, say")
}

/// The equation that is handed on.
fn output(tree: &Tree, meanings: &Meanings, report: &mut Report) -> Option<usize> {
    let equation = |symbol: crate::name::Symbol| match meanings.roles[symbol.index()] {
        Role::Equation(e) => Some(e),
        _ => None,
    };
    let declared = &tree.declarations.outputs;
    for twice in declared.iter().skip(1) {
        let hint = format!("line {} declares it too; delete one of the two", report.line(declared[0].span.start));
        report
            .error("E101", twice.span, "the output is declared twice")
            .hint(hint)
            .label(declared[0].span, "declared here first");
    }
    if let Some(output) = declared.first() {
        let found = equation(output.name);
        if found.is_none() {
            let name = tree.names.file(output.name);
            let near = nearest(name, tree.equations.iter().take(1000).map(|e| tree.names.file(e.name)));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("an output is a value that an equation defines: `{name} = …`"),
            };
            report.error("E110", output.span, format!("the output `{name}` has no equation")).hint(hint);
        }
        return found;
    }
    let named = OUTPUTS.iter().find_map(|name| tree.names.find(name).and_then(equation));
    named.or_else(|| meanings.is_state.iter().position(|&s| s))
}

/// The dimension of each input; the first is `x`.
fn inputs(tree: &Tree, meanings: &Meanings) -> Vec<Dim> {
    let mut inputs = vec![Dim::INPUT];
    for input in &tree.declarations.inputs {
        if meanings.roles[input.name.index()] == Role::Input(inputs.len()) {
            inputs.push(input.value);
        }
    }
    inputs
}

/// The declared dimension of each memory.
fn memories(tree: &Tree, meanings: &Meanings) -> Vec<Option<Dim>> {
    let mut memories = Vec::new();
    for memory in &tree.declarations.memories {
        if meanings.roles[memory.name.index()] == Role::Memory(memories.len()) {
            memories.push(memory.value);
        }
    }
    memories
}

/// Per equation, the dimension of the state it updates; `hidden` where none is declared.
fn state_dims(tree: &Tree, meanings: &Meanings) -> Vec<Dim> {
    let mut dims = vec![Dim::HIDDEN; tree.equations.len()];
    for state in &tree.declarations.states {
        if let (Role::Equation(e), Some(dim)) = (meanings.roles[state.name.index()], state.value) {
            dims[e] = dim;
        }
    }
    dims
}
