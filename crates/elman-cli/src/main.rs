//! The `elman` program: arguments in, exit code out.
fn main() {}
