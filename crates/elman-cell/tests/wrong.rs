//! Wrong and doubtful cells: `wrong/<name>.cell` is told what `wrong/<name>.txt` says, word for word. With `BLESS=1`
//! in the environment the texts are written anew; read the difference.

use std::path::Path;
use std::{env, fs};

use elman_cell::{Diagnostics, Sizes, parse};

/// What is said of a cell: by the checker, and else at the sizes 10 → 20.
fn told(name: &str, source: &str) -> String {
    match parse(name, source) {
        Err(errors) => errors.render(name, source),
        Ok(cell) => {
            let mut text = Diagnostics(cell.diagnostics.clone()).render(name, source);
            if let Err(errors) = cell.check_sizes(Sizes { input: 10, hidden: 20, output: 5 }) {
                text.push_str("\nat input = 10, hidden = 20, output = 5:\n");
                text.push_str(&errors.render(name, source));
            }
            text
        }
    }
}

#[test]
fn wrong_cells_are_told_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut seen = 0;
    let mut failures = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "cell") {
            continue;
        }
        seen += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = told(&name, &fs::read_to_string(&path).unwrap());
        assert!(!text.is_empty(), "{name}: nothing is said");
        let expected = path.with_extension("txt");
        if env::var_os("BLESS").is_some() {
            fs::write(&expected, &text).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != text {
            failures.push(format!("{name} is told\n{text}"));
        }
    }
    assert!(seen > 30, "{seen} cells found");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_code_of_an_error_is_shown_by_some_cell() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let texts: String = fs::read_dir(folder).unwrap().map(|e| fs::read_to_string(e.unwrap().path()).unwrap()).collect();
    // Limits are tested with generated texts, in `hostile.rs`.
    let elsewhere = ["E007", "E009", "E011", "E209"];
    for (code, meaning) in elman_cell::diag::CODES {
        let shown = texts.contains(&format!("[{code}]"));
        assert!(shown || elsewhere.contains(code), "no cell shows {code}: {meaning}");
    }
}
