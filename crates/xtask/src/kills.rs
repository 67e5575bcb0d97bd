//! `cargo xtask kills [--kills N] [--seed N]`: runs that are killed again and again end in the bits of runs that were not.
//!
//! A text is made from the seed. Each variant is trained straight to its end, with one thread and with two; then the same
//! runs are killed (SIGKILL) at random moments and resumed, on one thread and two in turn, a checkpoint at every step,
//! until there were N kills. A third of the kills wait for a file that is being written. At the end of every run the
//! sha256 of `model.safetensors`, and `metrics.jsonl` without its times, must be those of the straight run, and nothing
//! half written may be left. Any difference is exit code 1. The text is printed nowhere and nothing is kept.

mod left;
mod runs;

use crate::random::Random;
use runs::{Place, Variant, What};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Together they have everything that a checkpoint must keep.
const VARIANTS: [Variant; 3] = [
    Variant {
        name: "lstm-adam",
        flags: "--cell lstm --layers 2 --hidden 24 --embedding 20 --tied --optimiser adam --average-from 2 \
                --dropout 0.3 --dropout-recurrent 0.2 --schedule cosine --warmup 20",
    },
    Variant {
        name: "gru-nt-asgd",
        flags: "--cell gru --hidden 28 --optimiser nt-asgd --nonmonotone 0 --rate 0.5 --decay 0.0001 \
                --dropout 0.2 --variational --dropout-embedding 0.1 --zoneout 0.1",
    },
    Variant {
        name: "mut1-rmsprop",
        flags: "--cell mut1 --hidden 21 --unit char --optimiser rmsprop --momentum 0.5 --rate 0.001 --keep-going",
    },
];

/// So that a slow machine, too, comes to many runs.
const KILLS_OF_A_RUN: usize = 15;

/// What went wrong apart from a difference.
#[derive(Debug, thiserror::Error)]
enum KillsError {
    #[error("{0}")]
    Usage(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("`{command}` failed: {said}")]
    Failed { command: String, said: String },
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> KillsError {
    |source| KillsError::Io { what: what.into(), source }
}

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Asked {
    kills: usize,
    seed: u64,
}

impl Asked {
    fn read(words: &[String]) -> Result<Asked, KillsError> {
        let mut asked = Asked { kills: 100, seed: 1 };
        for pair in words.chunks(2) {
            let wrong = || KillsError::Usage(format!("`{}`: wanted --kills N or --seed N", pair.join(" ")));
            let [flag, number] = pair else { return Err(wrong()) };
            let number: u64 = number.parse().map_err(|_| wrong())?;
            match flag.as_str() {
                "--kills" => asked.kills = number as usize,
                "--seed" => asked.seed = number,
                _ => return Err(wrong()),
            }
        }
        Ok(asked)
    }
}

/// What all runs together came to.
#[derive(Default)]
struct Tally {
    kills: usize,
    in_writes: usize,
    unnamed: usize,
    runs: usize,
    different: usize,
}

/// Kills, compares, and prints the verdict.
pub fn report(words: &[String]) -> ExitCode {
    match Asked::read(words).and_then(|asked| kills(&asked)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, KillsError::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn kills(asked: &Asked) -> Result<bool, KillsError> {
    let began = Instant::now();
    let folder = tempfile::tempdir().map_err(io("a temporary folder"))?;
    let place = Place { program: build(folder.path())?, folder: folder.path().to_path_buf() };
    let mut random = Random::new(asked.seed);
    place.write_text(&mut random)?;

    let mut tally = Tally::default();
    let mut straight = vec![];
    for variant in &VARIANTS {
        let [one, two] = [place.straight(variant, 1)?, place.straight(variant, 2)?];
        let verdict = tally.compare(&one, &two);
        println!("{:14} straight, 1 and 2 threads: {verdict}  sha256 {}", variant.name, one.sha256);
        straight.push(one);
    }
    while tally.kills < asked.kills {
        let k = tally.runs % VARIANTS.len();
        let most = (asked.kills - tally.kills).min(KILLS_OF_A_RUN);
        let killed = place.killed(&VARIANTS[k], tally.runs, most, &mut random)?;
        tally.runs += 1;
        tally.kills += killed.kills;
        tally.in_writes += killed.in_writes;
        tally.unnamed += killed.unnamed;
        let verdict = tally.compare(&straight[k], &killed.what);
        let (name, kills, in_writes) = (VARIANTS[k].name, killed.kills, killed.in_writes);
        println!(
            "{name:14} {kills:3} kills, {in_writes:3} of them in a write: {verdict}  sha256 {}",
            killed.what.sha256
        );
    }
    tally.print(began);
    Ok(tally.different == 0)
}

impl Tally {
    fn compare(&mut self, straight: &What, other: &What) -> &'static str {
        let verdict = straight.against(other);
        self.different += usize::from(verdict != runs::EQUAL);
        verdict
    }

    fn print(&self, began: Instant) {
        let Tally { kills, in_writes, unnamed, runs, different } = self;
        println!(
            "{kills} kills, {in_writes} of them in a write ({unnamed} before the run had its name); {runs} killed runs \
             finished; {different} differences; {:.0} s",
            began.elapsed().as_secs_f64()
        );
    }
}

/// The program, built as everybody builds it, in `folder`, where no other build replaces it.
fn build(folder: &Path) -> Result<PathBuf, KillsError> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let arguments = ["build", "--release", "--quiet", "--bin", "elman"];
    let status = Command::new(&cargo).args(arguments).current_dir(root).status().map_err(io(cargo.as_str()))?;
    if !status.success() {
        let said = status.to_string();
        return Err(KillsError::Failed { command: arguments.join(" "), said });
    }
    let name = format!("elman{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().map_err(io("this program"))?.with_file_name(&name);
    let own = folder.join(name);
    std::fs::copy(&beside, &own).map_err(io(beside.display().to_string()))?;
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Asked, KillsError> {
        Asked::read(&words.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_numbers_with_their_names() {
        assert_eq!(read("").unwrap(), Asked { kills: 100, seed: 1 });
        assert_eq!(read("--seed 3 --kills 7").unwrap(), Asked { kills: 7, seed: 3 });
        for wrong in ["--kills", "--kills x", "--threads 1", "7"] {
            assert!(matches!(read(wrong), Err(KillsError::Usage(_))), "{wrong}");
        }
    }
}
