//! `cargo xtask exhaustive [FUNCTION …]`: every elementwise function on all 2³² numbers, on every instruction set that
//! this processor has: equal bits, and the largest error against double precision.

use std::process::ExitCode;

use elman_kernel::code::Unary::{self, *};
use elman_kernel::exhaustive::check;

const FUNCTIONS: [(&str, Unary); 13] = [
    ("neg", Neg),
    ("abs", Abs),
    ("sign", Sign),
    ("sqrt", Sqrt),
    ("exp", Exp),
    ("expm1", Expm1),
    ("log", Log),
    ("sin", Sin),
    ("cos", Cos),
    ("tanh", Tanh),
    ("sigmoid", Sigmoid),
    ("softplus", Softplus),
    ("normal_cdf", NormalCdf),
];

/// Checks the functions asked for, or all.
pub fn report(asked: &[String]) -> ExitCode {
    if let Some(unknown) = asked.iter().find(|a| FUNCTIONS.iter().all(|(name, _)| name != a)) {
        let names = FUNCTIONS.map(|(name, _)| name).join(", ");
        eprintln!("error: no function `{unknown}`; there are {names}");
        return ExitCode::from(2);
    }
    let mut good = true;
    for (name, function) in FUNCTIONS.iter().filter(|(name, _)| asked.is_empty() || asked.iter().any(|a| a == name)) {
        let r = check(*function);
        good &= r.differing == 0 && r.wrong == 0;
        println!(
            "{name:10}  {} numbers  largest error {:.2} ulp at {:e}  {} differ between instruction sets  {} wrong at special values",
            r.tried, r.max_ulp, r.worst, r.differing, r.wrong
        );
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
