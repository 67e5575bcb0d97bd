//! Checks of the repository itself, and checks that take too long for every test run.
//!
//! `cargo xtask licences`: every crate we depend on has a licence that ours may be used with. Reads `cargo metadata`, so it needs no network beyond what the build needs, and no tool that has to be built first.
//! Does not look into the crates: it believes the `license` field that they publish.
//!
//! The others, `exhaustive`, `kills`, `miri`, `spoken`, `tasks` and `vectors`, say in their files what they do.

mod exhaustive;
mod kills;
mod licences;
mod miri;
mod random;
mod spoken;
mod tasks;
mod vectors;

use std::process::ExitCode;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    match asked.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["licences"] => licences::report(),
        ["exhaustive", ..] => exhaustive::report(&asked[1..]),
        ["miri"] => miri::report(),
        ["spoken", ..] => spoken::report(&asked[1..]),
        ["tasks", ..] => tasks::report(&asked[1..]),
        ["vectors", ..] => vectors::report(&asked[1..]),
        ["kills", ..] => kills::report(&asked[1..]),
        _ => {
            eprintln!(
                "usage: cargo xtask licences\n       cargo xtask exhaustive [FUNCTION …]\n       cargo xtask kills [--kills N] [--seed N]\n       cargo xtask miri\n       cargo xtask spoken FOLDER [--count N]\n       cargo xtask tasks text [ROW …] [--seeds N | --seed K] [--recorded]\n       cargo xtask vectors FILE.txt [--senses]"
            );
            ExitCode::from(2)
        }
    }
}
