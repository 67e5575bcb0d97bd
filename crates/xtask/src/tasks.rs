//! `cargo xtask tasks text [ROW …] [--seeds N | --seed K] [--recorded]`: trains the language tasks on real data and makes the table of README.
//!
//! A row is a task on a data set: what is trained, what is measured, which figure is to be reached. Each seed is trained and its test
//! part read once. Figures are kept in `docs/tasks/figures.json`, so that rows can be measured one by one: README's table is made of
//! them. `ELMAN_DATA` names the folder of the data sets, laid out as `docs/tasks.md` says; a row whose files are not there is skipped
//! with a line. Hours for all rows. With `--recorded` nothing is trained: the table is made again.

mod record;
mod rows;

use record::{Measured, Record, line};
use rows::{ROWS, Row};
use serde_json::Value;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The repository: of the package that `cargo run` runs, which need not be where this was built.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).join("../..")
}

pub fn report(arguments: &[String]) -> ExitCode {
    let (mut seeds, mut recorded) = (1..=3usize, false);
    let mut chosen: Vec<&str> = vec![];
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "text" => {}
            "--recorded" => recorded = true,
            "--seeds" | "--seed" => match rest.next().and_then(|n| n.parse().ok()) {
                Some(n) if n > 0 => seeds = if argument == "--seed" { n..=n } else { 1..=n },
                _ => return usage(),
            },
            name if ROWS.iter().any(|row| row.name == name) => chosen.push(name),
            _ => return usage(),
        }
    }
    let rows = ROWS.iter().filter(|row| chosen.is_empty() || chosen.contains(&row.name));
    let done = match recorded {
        true => Record::read(&root()).and_then(|record| publish(&record)).map(|()| true),
        false => measure_all(&rows.collect::<Vec<_>>(), &seeds),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    eprintln!("usage: cargo xtask tasks text [ROW …] [--seeds N | --seed K] [--recorded]\nrows: {}", names.join(", "));
    ExitCode::from(2)
}

/// Measures rows, each into the record as it is done; whether all could be.
fn measure_all(rows: &[&Row], seeds: &RangeInclusive<usize>) -> Result<bool, String> {
    let data = std::env::var_os("ELMAN_DATA").map(PathBuf::from).filter(|folder| folder.is_dir());
    let data = data.ok_or("ELMAN_DATA names no folder: set it to the folder of the data sets (docs/tasks.md)")?;
    let mut record = Record::read(&root())?;
    let mut good = true;
    println!("| task, on its test part | this | to beat | | reach |\n|---|---|---|---|---|");
    for row in rows {
        match measured(row, &data, seeds) {
            Ok(new) => {
                record.put(row, new);
                publish(&record)?;
                println!("{} {} |", record.of(row).map_or(String::new(), |all| line(row, all)), row.reach);
            }
            Err(why) => {
                eprintln!("{}: {why}", row.name);
                good = false;
            }
        }
    }
    Ok(good)
}

/// Writes the record, and its table into README.
fn publish(record: &Record) -> Result<(), String> {
    record.write(&root())?;
    let readme = root().join("README.md");
    let wrong = |e: &dyn std::fmt::Display| format!("README.md: {e}");
    let text = std::fs::read_to_string(&readme).map_err(|e| wrong(&e))?;
    let text = record.put_into(&text).map_err(|e| wrong(&e))?;
    std::fs::write(&readme, text).map_err(|e| wrong(&e))
}

/// Trains a row with each seed, and reads the test part.
fn measured(row: &Row, data: &Path, seeds: &RangeInclusive<usize>) -> Result<Measured, String> {
    let folder = data.to_str().ok_or("the folder's name is not UTF-8")?;
    let train = row.train(folder);
    let lacks = train.split([' ', ',']).find(|w| w.starts_with(folder) && !Path::new(w).exists());
    if let Some(file) = lacks {
        return Err(format!("skipped, there is no {file}"));
    }
    let mut all = Measured { train: row.train("DATA"), ..Measured::default() };
    for seed in if row.folds().is_some() { 1..=1 } else { seeds.clone() } {
        let out = format!("runs/tasks/{}-{seed}", row.name);
        // A run from before is gone on with: one that is finished costs nothing.
        match Path::new(&out).exists() && row.folds().is_none() {
            true => elman(&format!("resume {out}"))?,
            false => elman(&format!("train {train} --seed {seed} --out {out}"))?,
        };
        match row.folds() {
            None => read(row, &out, seed, &mut all)?,
            Some(folds) => (1..=folds).try_for_each(|k| read(row, &format!("{out}/{k}"), k, &mut all))?,
        }
    }
    Ok(all)
}

/// Reads the figures of a finished run.
fn read(row: &Row, out: &str, number: usize, all: &mut Measured) -> Result<(), String> {
    let json = elman(&format!("eval {out} --json"))?;
    let json: Value = serde_json::from_str(&json).map_err(|e| format!("elman eval {out} --json: {e}"))?;
    let own = figure(&json, row.figure.name).ok_or(format!("{out}: no figure `{}`", row.figure.name))?;
    all.figures.insert(number, rounded(own * row.figure.times));
    for (name, place) in row.baselines {
        let beside = json.pointer(place).and_then(Value::as_f64).ok_or(format!("{out}: no figure {place}"))?;
        all.beside.entry((*name).into()).or_default().insert(number, rounded(beside * row.figure.times));
    }
    let metrics = format!("{out}/metrics.jsonl");
    let lines = std::fs::read_to_string(&metrics).map_err(|e| format!("{metrics}: {e}"))?;
    all.minutes.insert(number, rounded(seconds(&lines).ok_or(format!("{metrics}: no seconds"))? / 60.0));
    Ok(())
}

/// To four digits after the point.
fn rounded(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

/// Seconds of training. Each process that went on with it counted its own.
fn seconds(metrics: &str) -> Option<f64> {
    let (mut all, mut last) = (0.0, 0.0);
    for line in metrics.lines() {
        let now = serde_json::from_str::<Value>(line).ok()?["seconds"].as_f64()?;
        if now < last {
            all += last;
        }
        last = now;
    }
    Some(all + last)
}

/// Runs the program; what it prints.
fn elman(arguments: &str) -> Result<String, String> {
    eprintln!("elman {arguments}");
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--bin", "elman", "--"]).args(arguments.split(' '));
    let output = command.stderr(std::process::Stdio::inherit()).output().map_err(|e| format!("cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("elman {arguments}: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A figure by its name.
fn figure(json: &Value, name: &str) -> Option<f64> {
    json["values"].as_array()?.iter().find(|pair| pair[0] == name)?[1].as_f64()
}

#[cfg(test)]
mod tests {
    use super::{ROWS, figure, seconds};
    use serde_json::json;

    #[test]
    fn figures_are_found_by_their_names() {
        let json = json!({ "score": 0.5, "values": [["accuracy", 0.8125], ["macro_f1", 0.5]] });
        assert_eq!(figure(&json, "accuracy"), Some(0.8125));
        assert_eq!(figure(&json, "macro_f1"), Some(0.5));
        assert_eq!(figure(&json, "bleu"), None);
    }

    #[test]
    fn seconds_of_all_processes_count() {
        assert_eq!(seconds("{\"seconds\":2.0}\n{\"seconds\":5.0}\n{\"seconds\":1.5}\n"), Some(6.5));
    }

    #[test]
    fn rows_say_how_they_are_trained() {
        let row = |name: &str| ROWS.iter().find(|row| row.name == name).unwrap();
        assert_eq!(row("splice").folds(), Some(10));
        assert_eq!(row("sst2").folds(), None);
        let rank = "rank --data d/mt-en-ru/tatoeba-train.tsv.gz --valid d/mt-en-ru/tatoeba-valid.tsv --test d/mt-en-ru/tatoeba-test.tsv";
        assert_eq!(row("tatoeba-rank").train("d"), rank);
    }
}
