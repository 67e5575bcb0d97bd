//! `elman cell list`: the built-in cells in two lines each.

use crate::cells;
use crate::error::Error;
use elman_cell::builtin;
use elman_cell::cell::{Cell, Shape};
use serde::Serialize;

/// A built-in cell at a glance.
#[derive(Debug, Serialize)]
pub struct Glance {
    /// What commands call it.
    pub name: String,
    /// The first line of its documentation.
    pub about: String,
    /// The shapes of its parameters: `4 of hidden x (hidden + input), 4 of hidden`.
    pub parameters: String,
}

/// All built-in cells, in the order of the list.
pub fn built_in() -> Result<Vec<Glance>, Error> {
    let glance = |name: &&str| {
        let cell = cells::find(name)?;
        let about = cell.doc.lines().next().unwrap_or_default().trim().to_string();
        Ok(Glance { name: name.to_string(), about, parameters: shapes(&cell) })
    };
    builtin::names().iter().map(glance).collect()
}

/// Each shape once, in the order of first appearance, with the number of parameters that have it.
fn shapes(cell: &Cell) -> String {
    let mut counts: Vec<(String, usize)> = vec![];
    for param in &cell.params {
        let shape = written(param.shape);
        match counts.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, count)) => *count += 1,
            None => counts.push((shape, 1)),
        }
    }
    let each = counts.iter().map(|(shape, n)| if *n == 1 { shape.clone() } else { format!("{n} of {shape}") });
    let all = each.collect::<Vec<_>>().join(", ");
    if all.is_empty() { "no parameters".into() } else { all }
}

fn written(shape: Shape) -> String {
    let side = |dim: elman_cell::Dim| {
        let text = dim.to_string();
        if text.contains(" + ") { format!("({text})") } else { text }
    };
    match shape {
        Shape::Scalar => "1".into(),
        Shape::Vector(dim) => dim.to_string(),
        Shape::Matrix(rows, columns) => format!("{} x {}", side(rows), side(columns)),
    }
}
