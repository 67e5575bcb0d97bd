//! What the documents name exists.

use std::path::Path;

/// Words between backticks that look like paths: a known folder first, or a known file.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let folders = ["crates/", "docs/", "reference", "bench", ".ci/", ".github/"];
    quoted.filter(|word| !word.contains([' ', '<', '*']) && folders.iter().any(|f| word.starts_with(f))).collect()
}

#[test]
fn every_path_in_the_documents_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (document, least) in [("ARCHITECTURE.md", 30), ("CONTRIBUTING.md", 5)] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let named = paths(&text);
        assert!(named.len() >= least, "{document} names only {named:?}");
        for path in named {
            assert!(root.join(path).exists(), "{document} names `{path}`, which is not there");
        }
    }
}
