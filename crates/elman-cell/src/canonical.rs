//! The form of a cell that decides whether two cells are one.
//!
//! Concatenations are split, products are columns, names are positions. The text is independent of names, of the order
//! of equations and of the operands of +, *, max and min, of intermediate values having names, and of the spelling:
//! `W [h, x] + b` is `W₁ h + W₂ x + b`, `h W` is `W h` with W transposed, a − b is a + (−b), (V − W) h is V h − W h.
//! A weight used in two places is one weight in both, so a cell that shares one differs from a cell that does not.
//! What is declared and matters stays: dimensions, initialisers, learned initial states, sharing across layers.
//!
//! Method: the program becomes a graph of sums, products and functions (`form.rs`); leaves are coloured by what is done
//! with them and all else by what it does, refined round by round (Weisfeiler & Leman 1968; `colour.rs`); commutative
//! operands are sorted by colour; a walk from the output and the states numbers what it meets (`walk.rs`).
//! Two cells with one text are the same. Two spellings of one cell have one text unless the cell is so symmetric that
//! the colours leave a choice; then they may be told apart.

mod colour;
mod form;
mod walk;

use crate::cell::Cell;
use crate::lower::lower;

/// The canonical text of a cell.
pub fn canonical(cell: &Cell) -> String {
    let mut forms = form::Forms::of(&lower(cell));
    colour::sort(cell, &mut forms);
    walk::Walk::new(cell, &forms).text()
}
