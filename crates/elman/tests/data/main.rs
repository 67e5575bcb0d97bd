//! Readers: what they take, what they refuse and in which words, and the real files of each form.

mod arrays;
mod conllu;
mod images;
mod inspect;
mod labelled;
mod pairs;
mod series;
mod sound;
mod table;

use std::path::{Path, PathBuf};

/// A folder that goes away, and files in it.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// What a reader is given, and what it must say; `F` stands for the file's path.
struct Spoiled {
    name: &'static str,
    bytes: &'static [u8],
    says: &'static str,
}

/// Reads each spoiled file and compares the words; then a folder and a file that is not there.
fn refuses<T>(cases: &[Spoiled], read: impl Fn(&str) -> Result<T, elman::data::DataError>) {
    let files = Files::new();
    let told = |path: &str| match read(path) {
        Ok(_) => "no error".to_string(),
        Err(error) => error.to_string().replace(path, "F"),
    };
    let mut wrong = Vec::new();
    for case in cases {
        let found = told(&files.write(case.name, case.bytes));
        if found != case.says {
            wrong.push(format!(
                "{} {:?}\n found {found}\nwanted {}",
                case.name,
                case.bytes.escape_ascii().to_string(),
                case.says
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(told(&files.path("")).ends_with("this is a folder; name one file in it"), "{}", told(&files.path("")));
    assert_eq!(told(&files.path("missing")), "F: there is no such file; check the path");
}

/// A real file, or none with a line that says what is missing. ELMAN_DATA is a folder with the data sets.
fn real(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("ELMAN_DATA").map(PathBuf::from) else {
        eprintln!("skipped: ELMAN_DATA is not set (a folder with {name} and its like)");
        return None;
    };
    let path = Path::new(&folder).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is missing", path.display());
        return None;
    }
    Some(path.to_string_lossy().into_owned())
}
