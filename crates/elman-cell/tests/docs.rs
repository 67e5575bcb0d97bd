//! The page that describes the language lists every code, and its examples say what the checker says.

use std::fs;
use std::path::Path;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/language.md")).unwrap()
}

#[test]
fn every_code_is_described() {
    let page = page();
    for (code, meaning) in elman_cell::diag::CODES {
        assert!(page.contains(&format!("| `{code}` | {meaning} |")), "{code} is missing or described otherwise");
    }
}

#[test]
fn examples_of_wrong_cells_are_up_to_date() {
    let page = page();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut shown = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|e| e == "cell") && page.contains(&format!("```text\n{}\n```", text.trim())) {
            shown += 1;
            let told = fs::read_to_string(path.with_extension("txt")).unwrap();
            assert!(
                page.contains(&format!("```text\n{}\n```", told.trim())),
                "{} is told something else",
                path.display()
            );
        }
    }
    assert_eq!(shown, 10);
}
