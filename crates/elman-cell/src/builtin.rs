//! The built-in cells: the files of the folder `cells`, under their names. A further cell is one more file there.

include!(concat!(env!("OUT_DIR"), "/cells.rs"));

/// The names of all built-in cells, sorted.
pub fn names() -> &'static [&'static str] {
    NAMES
}

/// The text of a built-in cell.
pub fn source(name: &str) -> Option<&'static str> {
    let place = NAMES.iter().position(|n| *n == name)?;
    SOURCES.get(place).copied()
}
