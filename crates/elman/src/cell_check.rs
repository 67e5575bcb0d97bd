//! `elman cell check`: what a cell is made of, and what is wrong with it.
//!
//! Lengths are numbers where the sizes they depend on are given, else they are written out (`"hidden + input"`).

use crate::cells::{CellError, Text};
use elman_cell::cell::Shape;
use elman_cell::diag::{Diagnostic, Diagnostics, Severity};
use elman_cell::schedule::Schedule;
use elman_cell::{Cell, Dim, Sizes};
use serde::Serialize;

/// The code of the diagnostic that says that a text could not be had at all.
pub const UNREADABLE: &str = "E000";

/// Most bytes of diagnostics in a report.
const LONGEST: usize = 16 << 10;

/// Sizes at which a cell is looked at; those not given stay names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// Units of `x`.
    pub input: Option<usize>,
    /// Units of a state.
    pub hidden: Option<usize>,
    /// Units that nothing else fixes; `hidden` if not given.
    pub output: Option<usize>,
}

impl Given {
    fn sizes(self, input: usize, hidden: usize) -> Sizes {
        Sizes { input, hidden, output: self.output.unwrap_or(hidden) }
    }
}

/// A cell's tensors and diagnostics.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What is attended to: the length of a slot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memories: Vec<Value>,
    /// What is carried from step to step.
    pub states: Vec<Value>,
    /// What is learned.
    pub parameters: Vec<Parameter>,
    /// What the layer hands on; none where there is no cell.
    pub output: Option<Value>,
    /// The states are updated linearly, unit by unit: no product is left in the time loop.
    pub scan: bool,
    /// The form in which equal cells are equal texts; none where there is no cell.
    pub canonical: Option<String>,
    /// Errors, warnings and notes: at most 20, and at most 16 KiB.
    pub diagnostics: Vec<Finding>,
    /// Diagnostics beyond those.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A vector of a cell.
#[derive(Debug, Serialize)]
pub struct Value {
    /// Its name in files.
    pub name: String,
    /// Its units.
    pub dim: Length,
}

/// A parameter of a cell.
#[derive(Debug, Serialize)]
pub struct Parameter {
    /// Its name in files.
    pub name: String,
    /// Its shape.
    pub shape: Vec<Length>,
    /// Its numbers.
    pub count: Length,
}

/// A number, or what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Length {
    /// The number.
    Known(usize),
    /// Sizes that are not given: `hidden + input`.
    Open(String),
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Length::Known(n) => n.fmt(f),
            Length::Open(text) => text.fmt(f),
        }
    }
}

/// A diagnostic without its place in bytes.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Stable code.
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// From 1; 0 where no place in the text is meant.
    pub line: usize,
    /// In characters from 1; 0 where no place in the text is meant.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// A report, and the same diagnostics as a person reads them.
#[derive(Debug)]
pub struct Checked {
    /// For programs.
    pub report: Report,
    /// For people: the diagnostics with the lines they point at, or why there is no text.
    pub rendered: String,
    /// No error among them.
    pub good: bool,
}

/// Looks at the cell that a name or a path stands for.
pub fn check(cell: &str, given: Given) -> Checked {
    let text = match Text::find(cell) {
        Ok(text) => text,
        Err(error) => return unreadable(&error),
    };
    let sizes = given.input.zip(given.hidden).map(|(input, hidden)| given.sizes(input, hidden));
    let (parsed, mut diagnostics) = match elman_cell::parse_for(&text.name, &text.source, sizes) {
        Ok(cell) => (Some(cell), Diagnostics::default()),
        Err(diagnostics) => (None, diagnostics),
    };
    let mut report = Report::default();
    if let Some(cell) = &parsed {
        report = describe(cell, given);
        if let Some(sizes) = sizes.or_else(|| enough(cell, given)) {
            diagnostics = cell.check_sizes(sizes).err().unwrap_or_default();
        }
        diagnostics.0.extend(cell.diagnostics.iter().cloned());
    }
    let good = diagnostics.0.iter().all(|d| d.severity != Severity::Error);
    (report.diagnostics, report.omitted) = findings(&diagnostics);
    Checked { report, rendered: diagnostics.render(&text.file, &text.source), good }
}

/// The warnings of the cell that a name or a path stands for, as [`check`] renders them; empty where there are none, or no
/// cell.
pub fn warnings(cell: &str) -> String {
    let Ok(text) = Text::find(cell) else { return String::new() };
    let Ok(parsed) = elman_cell::parse(&text.name, &text.source) else { return String::new() };
    let warnings = parsed.diagnostics.into_iter().filter(|d| d.severity == Severity::Warning);
    Diagnostics(warnings.collect()).render(&text.file, &text.source)
}

/// Sizes to check a cell at where the one that is not given takes part in nothing that can be wrong.
fn enough(cell: &Cell, given: Given) -> Option<Sizes> {
    let uses = |counts: fn(Dim) -> u32| cell.requirements.iter().any(|r| counts(r.left) + counts(r.right) > 0);
    let without_hidden = given.hidden.is_none() && !uses(|d| d.hidden + d.output);
    let without_input = given.input.is_none() && !uses(|d| d.input);
    match (given.input, given.hidden) {
        (Some(input), None) if without_hidden => Some(given.sizes(input, 1)),
        (None, Some(hidden)) if without_input => Some(given.sizes(1, hidden)),
        _ => None,
    }
}

fn unreadable(error: &CellError) -> Checked {
    let finding = Finding {
        code: UNREADABLE.into(),
        severity: "error".into(),
        line: 0,
        column: 0,
        message: error.to_string(),
        hint: None,
    };
    let report = Report { diagnostics: vec![finding], ..Report::default() };
    Checked { report, rendered: format!("error[{UNREADABLE}]: {error}\n"), good: false }
}

/// States, parameters and output at the sizes given.
pub fn describe(cell: &Cell, given: Given) -> Report {
    let given = Given { output: given.output.or(given.hidden), ..given };
    let program = elman_cell::lower(cell);
    let schedule = Schedule::new(&program, &elman_cell::derive(&program), &[]);
    let states = cell.states.iter().map(|s| Value { name: s.name.clone(), dim: length(s.dim, given) });
    let memories = cell.memories.iter().map(|m| Value { name: m.name.clone(), dim: length(m.dim, given) });
    let parameters = cell.params.iter().map(|p| {
        let (shape, count) = extent(p.shape, given);
        Parameter { name: p.name.clone(), shape, count }
    });
    Report {
        memories: memories.collect(),
        states: states.collect(),
        parameters: parameters.collect(),
        output: Some(Value {
            name: cell.equations[cell.output.index()].name.clone(),
            dim: length(crate::cell_run::sizes::output_dim(cell), given),
        }),
        scan: schedule.is_scan(),
        canonical: Some(elman_cell::canonical(cell)),
        diagnostics: vec![],
        omitted: 0,
    }
}

fn extent(shape: Shape, given: Given) -> (Vec<Length>, Length) {
    match shape {
        Shape::Scalar => (vec![Length::Known(1)], Length::Known(1)),
        Shape::Vector(dim) => (vec![length(dim, given)], length(dim, given)),
        Shape::Matrix(rows, columns) => {
            let sides = (length(rows, given), length(columns, given));
            let count = match &sides {
                (Length::Known(r), Length::Known(c)) => r.checked_mul(*c).map(Length::Known),
                _ => None,
            };
            let written = || Length::Open(format!("{} * {}", factor(&sides.0), factor(&sides.1)));
            let count = count.unwrap_or_else(written);
            (vec![sides.0, sides.1], count)
        }
    }
}

/// As it stands in a product.
fn factor(length: &Length) -> String {
    let text = length.to_string();
    if text.contains(" + ") { format!("({text})") } else { text }
}

/// A number if every size it depends on is given and it does not overflow, else a sum of what is not given.
fn length(dim: Dim, given: Given) -> Length {
    known(dim, given).map_or_else(
        || Length::Open(dim.to_string()),
        |dim| match dim {
            Dim { input: 0, hidden: 0, output: 0, fixed } => Length::Known(fixed),
            open => Length::Open(open.to_string()),
        },
    )
}

/// The same with given sizes added up; `None` where they overflow.
fn known(dim: Dim, given: Given) -> Option<Dim> {
    let sizes =
        Sizes { input: given.input.unwrap_or(0), hidden: given.hidden.unwrap_or(0), output: given.output.unwrap_or(0) };
    let open = |uses: u32, size: Option<usize>| if size.is_some() { 0 } else { uses };
    Some(Dim {
        input: open(dim.input, given.input),
        hidden: open(dim.hidden, given.hidden),
        output: open(dim.output, given.output),
        fixed: dim.checked_at(sizes)?,
    })
}

/// Those that fit the limits, and how many do not.
fn findings(diagnostics: &Diagnostics) -> (Vec<Finding>, usize) {
    let (shown, _) = diagnostics.shown();
    let mut room = LONGEST;
    let mut findings = vec![];
    for finding in shown.iter().map(finding) {
        let size = serde_json::to_string(&finding).map_or(usize::MAX, |json| json.len() + 1);
        if size > room {
            break;
        }
        room -= size;
        findings.push(finding);
    }
    let omitted = diagnostics.0.len() - findings.len();
    (findings, omitted)
}

fn finding(d: &Diagnostic) -> Finding {
    Finding {
        code: d.code.into(),
        severity: d.severity.to_string(),
        line: d.line,
        column: d.column,
        message: d.message.clone(),
        hint: d.hint.clone(),
    }
}
