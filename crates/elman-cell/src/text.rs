//! Pieces of written equations that know how tightly they bind.

/// A sum.
pub(crate) const SUM: u8 = 0;
/// An elementwise product.
pub(crate) const PRODUCT: u8 = 1;
/// A matrix product.
pub(crate) const MATRIX: u8 = 2;
/// A name, a call, brackets.
pub(crate) const ATOM: u8 = 3;

/// A text, and how tightly it binds.
#[derive(Clone)]
pub(crate) struct Text(pub String, pub u8);

impl Text {
    /// In brackets, unless it binds at least as tightly as `level`.
    pub fn at(&self, level: u8) -> String {
        if self.1 >= level { self.0.clone() } else { format!("({})", self.0) }
    }
}

/// left + right, or left − what stands behind right's minus sign.
pub(crate) fn plus(left: &str, right: &str) -> Text {
    match right.strip_prefix('-') {
        Some(positive) => Text(format!("{left} - {positive}"), SUM),
        None => Text(format!("{left} + {right}"), SUM),
    }
}
