//! The licences of dependencies, against a list of those that may stand beside MIT OR Apache-2.0.

use serde_json::Value;
use std::process::{Command, ExitCode};

/// SPDX names of the licences that a dependency may choose. All are permissive.
const ALLOWED: [&str; 11] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Why the licences could not be judged, or were not good.
#[derive(Debug, thiserror::Error)]
enum LicenceError {
    #[error("cargo metadata: {0}")]
    Metadata(String),
    #[error("{name} {version}: licence `{licence}` is not in the list of crates/xtask/src/licences.rs")]
    NotAllowed { name: String, version: String, licence: String },
}

/// Prints what is wrong, or how many crates are right.
pub fn report() -> ExitCode {
    let errors = match read_metadata() {
        Ok(metadata) => match check(&metadata) {
            Ok(crates) => {
                println!("licences: {crates} crates, all allowed");
                return ExitCode::SUCCESS;
            }
            Err(errors) => errors,
        },
        Err(error) => vec![error],
    };
    for error in errors {
        eprintln!("error: {error}");
    }
    ExitCode::FAILURE
}

fn read_metadata() -> Result<Value, LicenceError> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let run = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .output()
        .map_err(|e| LicenceError::Metadata(e.to_string()))?;
    if !run.status.success() {
        return Err(LicenceError::Metadata(String::from_utf8_lossy(&run.stderr).trim().to_string()));
    }
    serde_json::from_slice(&run.stdout).map_err(|e| LicenceError::Metadata(e.to_string()))
}

/// The number of crates, or one error for each whose licence is not allowed.
fn check(metadata: &Value) -> Result<usize, Vec<LicenceError>> {
    let missing = || vec![LicenceError::Metadata("no list of packages in it".into())];
    let packages = metadata["packages"].as_array().filter(|p| !p.is_empty()).ok_or_else(missing)?;
    let errors: Vec<LicenceError> = packages.iter().filter_map(judge).collect();
    if errors.is_empty() { Ok(packages.len()) } else { Err(errors) }
}

fn judge(package: &Value) -> Option<LicenceError> {
    let field = |name: &str| package[name].as_str().unwrap_or("none").to_string();
    let licence = field("license");
    (!allowed(&licence)).then(|| LicenceError::NotAllowed { name: field("name"), version: field("version"), licence })
}

/// Whether an SPDX expression (or the older `MIT/Apache-2.0`) can be met from the list.
fn allowed(licence: &str) -> bool {
    let Ok(expression) = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) else { return false };
    expression.evaluate(|need| {
        let id = need.license.id();
        need.addition.is_none() && id.is_some_and(|id| ALLOWED.contains(&id.name))
            || need.to_string() == "Apache-2.0 WITH LLVM-exception"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_met_from_the_list() {
        struct Case {
            licence: &'static str,
            good: bool,
        }
        let cases = [
            Case { licence: "MIT", good: true },
            Case { licence: "MIT/Apache-2.0", good: true },
            Case { licence: "Unlicense OR MIT", good: true },
            Case { licence: "GPL-3.0-only OR MIT", good: true },
            Case { licence: "(MIT OR Apache-2.0) AND Unicode-3.0", good: true },
            Case { licence: "Apache-2.0 WITH LLVM-exception", good: true },
            Case { licence: "GPL-3.0-only", good: false },
            Case { licence: "MIT AND GPL-2.0-or-later", good: false },
            Case { licence: "MPL-2.0", good: false },
            Case { licence: "none", good: false },
            Case { licence: "", good: false },
        ];
        for case in cases {
            assert_eq!(allowed(case.licence), case.good, "{}", case.licence);
        }
    }

    #[test]
    fn a_wrong_licence_names_its_crate() {
        let metadata = json!({"packages": [
            {"name": "good", "version": "1.0.0", "license": "MIT"},
            {"name": "bad", "version": "2.0.0", "license": "GPL-3.0-only"},
            {"name": "silent", "version": "3.0.0", "license": null},
        ]});
        let errors: Vec<String> = check(&metadata).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 2);
        assert!(errors[0].contains("bad 2.0.0") && errors[0].contains("GPL-3.0-only"), "{}", errors[0]);
        assert!(errors[1].contains("silent 3.0.0"), "{}", errors[1]);
    }

    #[test]
    fn an_empty_list_is_an_error() {
        assert!(check(&json!({})).is_err());
        assert!(check(&json!({"packages": []})).is_err());
    }
}
