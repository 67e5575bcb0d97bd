//! Running the built program, folders that go away, tensors by name.
#![allow(dead_code)]

use elman::tensors::{self, Named, Number, TensorFile};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Run {
    /// The one JSON value on standard output.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Exit code 0, or the whole run in the panic.
    pub fn good(self) -> Run {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Exit code 1 and one line on standard error that holds all of `parts`.
    pub fn one_error(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not in {:?}", self.err);
        }
    }
}

/// A command that runs `elman` with these arguments.
pub fn elman(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elman"));
    command.args(arguments).env_remove("ELMAN_ISA");
    command
}

/// Runs `elman` with arguments parted by spaces, in `folder`.
pub fn run_in(folder: &Path, arguments: &str) -> Run {
    elman(&arguments.split_whitespace().collect::<Vec<_>>()).current_dir(folder).output().unwrap().into()
}

/// A folder that is removed when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("elman-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn run(&self, arguments: &str) -> Run {
        run_in(&self.0, arguments)
    }

    pub fn text(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    pub fn tensors<T: Number>(&self, name: &str, tensors: &[Named<T>]) {
        tensors::write(&self.0.join(name), tensors).unwrap().publish().unwrap();
    }

    pub fn open(&self, name: &str) -> TensorFile {
        TensorFile::open(&self.0.join(name)).unwrap()
    }

    /// The names of its files.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(&self.0).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A tensor of numbers that differ from each other, between −1 and 1.
pub fn tensor(name: &str, shape: &[usize]) -> Named<f64> {
    let count: usize = shape.iter().product();
    let seed = name.bytes().map(f64::from).sum::<f64>();
    let data = (0..count).map(|i| (seed + 1.7 * i as f64).sin()).collect();
    Named { name: name.into(), shape: shape.to_vec(), data }
}

/// The tensor, whatever its shape.
pub fn numbers(file: &TensorFile, name: &str) -> Vec<f64> {
    let shape =
        file.shape(name).unwrap_or_else(|| panic!("no {name} in {:?}", file.names().collect::<Vec<_>>())).to_vec();
    file.numbers(name, &shape).unwrap()
}
