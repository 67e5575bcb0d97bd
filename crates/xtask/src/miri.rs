//! `cargo xtask miri`: the kernels' tests at small sizes under Miri, which finds reads and writes outside what is allowed,
//! races between threads, and unaligned or uninitialised memory. Of the instruction sets it has the portable one.
//!
//! Needs a nightly toolchain: `rustup toolchain install nightly --component miri --component rust-src`. Takes two to
//! three hours of a core.

use std::process::{Command, ExitCode};

/// The functions of `math/` are safe code whose tests take samples that an interpreter needs hours for; limits are measured.
const LEFT_OUT: [&str; 3] = ["math::", "exhaustive::", "limits::"];

pub fn report() -> ExitCode {
    let mut command = Command::new("cargo");
    command.args(["+nightly", "miri", "test", "-p", "elman-kernel", "--lib", "--tests", "--"]);
    command.args(LEFT_OUT.iter().flat_map(|name| ["--skip", name]));
    // The tests read the clock. Of the standard library's functions, such as `exp` in f64, Miri would give a neighbour of the
    // result at random; kernel and reference have to see the same.
    match command.env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-deterministic-floats").status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
