//! Lists the cells of the folder `cells`: each `<name>.cell` is the built-in cell `<name>`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=cells");
    println!("cargo:rerun-if-changed=build.rs");
    let root = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("cells"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "cell") {
            names.extend(path.file_stem().map(|s| s.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("cells.rs"), list(&root, &names))
}

fn list(root: &Path, names: &[String]) -> String {
    let mut text = format!("const NAMES: &[&str] = &{names:?};\nconst SOURCES: &[&str] = &[\n");
    for name in names {
        let path = root.join("cells").join(format!("{name}.cell"));
        text.push_str(&format!("    include_str!({path:?}),\n"));
    }
    text.push_str("];\n");
    text
}
