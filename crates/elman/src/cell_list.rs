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
    /// Its documentation up to the first line that ends a sentence.
    pub about: String,
    /// The shapes of its parameters: `4 of hidden x (hidden + input), 4 of hidden`.
    pub parameters: String,
}

/// All built-in cells, in the order of the list.
pub fn built_in() -> Result<Vec<Glance>, Error> {
    let glance = |name: &&str| {
        let cell = cells::find(name)?;
        Ok(Glance { name: name.to_string(), about: about(&cell.doc), parameters: shapes(&cell) })
    };
    builtin::names().iter().map(glance).collect()
}

/// The lines up to the first that ends with a full stop, as one.
fn about(doc: &str) -> String {
    let lines: Vec<&str> = doc.lines().map(str::trim).collect();
    let end = lines.iter().position(|line| line.ends_with('.')).map_or(lines.len(), |last| last + 1);
    lines[..end].join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_cell_ends_with_its_sentence() {
        for glance in built_in().unwrap() {
            assert!(glance.about.ends_with('.') && glance.about.len() < 200, "{}: {}", glance.name, glance.about);
        }
        assert_eq!(
            about("A cell that asks for\ninput = hidden.\nSomebody 2017."),
            "A cell that asks for input = hidden."
        );
        assert_eq!((about("no stop").as_str(), about("").as_str()), ("no stop", ""));
    }
}
