//! `cargo xtask tasks text [ROW …] [--seeds N]`: trains the language tasks on real data and prints the table of README.
//!
//! A row is a task on a data set: what is trained, what is measured, which figure is to be reached. Each seed is trained and its test
//! part read once; the table has mean and spread, minutes and the command. `ELMAN_DATA` names the folder of the data sets, laid out
//! as `docs/tasks.md` says; a row whose files are not there is skipped with a line. Hours for all rows.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

/// A task on a data set.
struct Row {
    name: &'static str,
    /// `elman train …`; `DATA` stands for the folder of the data.
    train: &'static str,
    /// The figure among the values of `elman eval --json`, and what it is multiplied with.
    figure: (&'static str, f64),
    /// Where the baselines' figures stand in that JSON (RFC 6901), each with its name.
    baselines: &'static [(&'static str, &'static str)],
    /// What is to be reached.
    reach: &'static str,
}

const LINEAR: (&str, &str) = ("linear", "/details/baseline/figures/accuracy/value");
const LINEAR_F1: (&str, &str) = ("linear", "/details/baseline/figures/macro_f1/value");

const TF_IDF: (&str, &str) = ("TF-IDF", "/details/baselines/tf_idf/mrr");
const CHARACTERS: (&str, &str) = ("runs of letters", "/details/baselines/characters/mrr");

const NEAREST: (&str, &str) = ("nearest picture", "/details/nearest/chrf");
const CRF: (&str, &str) = ("CRF", "/details/baseline/accuracy/value");

/// The settings of each row are those that the figures of README were made with.
const ROWS: &[Row] = &[
    Row {
        name: "sst2",
        train: "classify --data DATA/sst/binary.train.txt --valid DATA/sst/binary.dev.txt --test DATA/sst/binary.test.txt --dropout 0.5 --dropout-words 0.1 --epochs 5 --members 3",
        figure: ("accuracy", 100.0),
        baselines: &[LINEAR],
        reach: "82",
    },
    Row {
        name: "trec",
        train: "classify --data DATA/trec/TREC.train --test DATA/trec/TREC.test --encoding windows-1252 --also fine --dropout 0.5 --dropout-words 0.2 --rate 0.002 --epochs 12 --members 3 --linear",
        figure: ("accuracy", 100.0),
        baselines: &[LINEAR],
        reach: "92",
    },
    Row {
        name: "ru-tweets-banks",
        train: "classify --data DATA/ru-sentiment-tweets/banks-train.tsv --test DATA/ru-sentiment-tweets/banks-test.tsv --text text --label label --dropout 0.5 --dropout-words 0.2 --rate 0.002 --epochs 10 --ngrams 1048576 --members 3 --linear --choose macro-f1",
        figure: ("macro_f1", 100.0),
        baselines: &[LINEAR_F1],
        reach: "the baseline",
    },
    Row {
        name: "ru-tweets-telecoms",
        train: "classify --data DATA/ru-sentiment-tweets/telecoms-train.tsv --test DATA/ru-sentiment-tweets/telecoms-test.tsv --text text --label label --dropout 0.5 --dropout-words 0.2 --rate 0.002 --epochs 10 --ngrams 1048576 --members 3 --linear --choose macro-f1",
        figure: ("macro_f1", 100.0),
        baselines: &[LINEAR_F1],
        reach: "the baseline",
    },
    Row {
        name: "mr-polarity",
        train: "classify --data DATA/mr-polarity/rt-polarity.pos,DATA/mr-polarity/rt-polarity.neg --labels positive,negative --encoding windows-1252 --dropout 0.5 --dropout-words 0.1 --epochs 5 --members 3 --linear",
        figure: ("accuracy", 100.0),
        baselines: &[LINEAR],
        reach: "the baseline",
    },
    Row {
        name: "ru-rusentne",
        train: "classify --data DATA/ru-sentiment-rusentne/train_data.csv.gz --test DATA/ru-sentiment-rusentne/validation_data_labeled.csv --text sentence,entity --label label --dropout 0.5 --dropout-words 0.2 --epochs 8 --members 3 --linear --choose macro-f1",
        figure: ("macro_f1", 100.0),
        baselines: &[LINEAR_F1],
        reach: "the baseline",
    },
    Row {
        name: "ewt",
        train: "tag --data DATA/ud-english-ewt/en_ewt-ud-train.conllu.gz --valid DATA/ud-english-ewt/en_ewt-ud-dev.conllu.gz --test DATA/ud-english-ewt/en_ewt-ud-test.conllu.gz --characters 160 --dropout 0.4 --dropout-words 0.15 --epochs 14 --rate 0.002 --average-from 7 --members 3",
        figure: ("accuracy", 100.0),
        baselines: &[CRF],
        reach: "95.3",
    },
    Row {
        name: "ru-tags",
        train: "tag --data DATA/ru-pos-grameval/GramEval2020-RuEval2017-Lenta-news-dev.conllu,DATA/ru-pos-grameval/GramEval2020-RuEval2017-social-dev.conllu,DATA/ru-pos-grameval/GramEval2020-SynTagRus-dev.conllu,DATA/ru-pos-grameval/GramEval2020-Taiga-news-train.conllu,DATA/ru-pos-grameval/GramEval2020-Taiga-poetry-train.conllu,DATA/ru-pos-grameval/GramEval2020-Taiga-social-train.conllu,DATA/ru-pos-grameval/MorphoRuEval2017-JZ-gold.conllu,DATA/ru-pos-grameval/MorphoRuEval2017-Lenta-train.conllu,DATA/ru-pos-grameval/MorphoRuEval2017-VK-gold.conllu,DATA/ud-russian-taiga/ru_taiga-ud-dev.conllu.gz,DATA/ud-russian-poetry/ru_poetry-ud-dev.conllu,DATA/ud-russian-poetry/ru_poetry-ud-test.conllu --valid DATA/ud-russian-gsd/ru_gsd-ud-dev.conllu.gz --test DATA/ud-russian-gsd/ru_gsd-ud-test.conllu.gz --characters 160 --dropout 0.4 --dropout-words 0.25 --epochs 14 --rate 0.002 --batch 8 --average-from 7 --members 3",
        figure: ("accuracy", 100.0),
        baselines: &[CRF],
        reach: "the baseline",
    },
    Row {
        name: "multi30k",
        train: "translate --data DATA/multi30k/train.de.gz --target-data DATA/multi30k/train.en.gz --valid DATA/multi30k/val.de.gz --target-valid DATA/multi30k/val.en.gz --test DATA/multi30k/test_2016_flickr.de.gz --target-test DATA/multi30k/test_2016_flickr.en.gz --vocab-size 6000 --epochs 14 --average-from 11 --warmup 200",
        figure: ("bleu", 1.0),
        baselines: &[],
        reach: "33",
    },
    Row {
        name: "digits",
        train: "label --ctc --data DATA/mnist/train-images-idx3-ubyte.gz --labels DATA/mnist/train-labels-idx1-ubyte.gz,DATA/mnist/t10k-labels-idx1-ubyte.gz --test DATA/mnist/t10k-images-idx3-ubyte.gz --strings 40000 --epochs 3 --rate 0.002",
        figure: ("character_error_rate", 100.0),
        baselines: &[],
        reach: "at most 2",
    },
    Row {
        name: "spoken",
        train: "label --ctc --data DATA/spoken/train.csv --valid DATA/spoken/valid.csv --test DATA/spoken/test.csv --text file --label digits --rate 0.002 --batch 8 --epochs 20",
        figure: ("character_error_rate", 100.0),
        baselines: &[],
        reach: "at most 5",
    },
    Row {
        name: "mnist-rows",
        train: "classify --data DATA/mnist/train-images-idx3-ubyte.gz --labels DATA/mnist/train-labels-idx1-ubyte.gz,DATA/mnist/t10k-labels-idx1-ubyte.gz --test DATA/mnist/t10k-images-idx3-ubyte.gz --as rows --shift 2 --epochs 4",
        figure: ("accuracy", 100.0),
        baselines: &[],
        reach: "98.8",
    },
    Row {
        name: "mnist-pixels",
        train: "classify --data DATA/mnist/train-images-idx3-ubyte.gz --labels DATA/mnist/train-labels-idx1-ubyte.gz,DATA/mnist/t10k-labels-idx1-ubyte.gz --test DATA/mnist/t10k-images-idx3-ubyte.gz --as pixels --cell janet-chrono --directions 1 --layers 1 --batch 32 --epochs 12 --rate 0.002 --warmup 200 --clip 1 --dropout 0",
        figure: ("accuracy", 100.0),
        baselines: &[],
        reach: "97",
    },
    Row {
        name: "cifar",
        train: "classify --data DATA/cifar10-jpeg-subset/cifar10_train_5000.bin.gz --as rows --shift 2 --epochs 20",
        figure: ("accuracy", 100.0),
        baselines: &[],
        reach: "–",
    },
    Row {
        name: "splice",
        train: "classify --data DATA/splice/splice.data --unit char --folds 10 --cell gru --hidden 64 --embedding 16 --dropout 0.6 --rate 0.002 --epochs 15",
        figure: ("accuracy", 100.0),
        baselines: &[LINEAR],
        reach: "95.5",
    },
    Row {
        name: "emoji-en",
        train: "caption --data DATA/emoji-captions/train-images-idx4-ubyte.gz --test DATA/emoji-captions/valid-images-idx4-ubyte.gz --captions DATA/emoji-captions/train.tsv,DATA/emoji-captions/valid.tsv --text en",
        figure: ("chrf", 1.0),
        baselines: &[NEAREST],
        reach: "the baseline",
    },
    Row {
        name: "emoji-ru",
        train: "caption --data DATA/emoji-captions/train-images-idx4-ubyte.gz --test DATA/emoji-captions/valid-images-idx4-ubyte.gz --captions DATA/emoji-captions/train.tsv,DATA/emoji-captions/valid.tsv --text ru",
        figure: ("chrf", 1.0),
        baselines: &[NEAREST],
        reach: "the baseline",
    },
    Row {
        name: "tatoeba-rank",
        train: "rank --data DATA/mt-en-ru/tatoeba-train.tsv.gz --valid DATA/mt-en-ru/tatoeba-valid.tsv --test DATA/mt-en-ru/tatoeba-test.tsv",
        figure: ("mrr", 100.0),
        baselines: &[TF_IDF, CHARACTERS],
        reach: "both searches",
    },
];

pub fn report(arguments: &[String]) -> ExitCode {
    let Some(data) = std::env::var_os("ELMAN_DATA").map(PathBuf::from).filter(|d| d.is_dir()) else {
        eprintln!("ELMAN_DATA names no folder: set it to the folder of the data sets (docs/tasks.md)");
        return ExitCode::from(2);
    };
    let mut seeds = 3u64;
    let mut chosen: Vec<&str> = vec![];
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "text" => {}
            "--seeds" => match rest.next().and_then(|n| n.parse().ok()) {
                Some(n) if n > 0 => seeds = n,
                _ => return usage(),
            },
            name if ROWS.iter().any(|row| row.name == name) => chosen.push(name),
            _ => return usage(),
        }
    }
    println!("| task | test | baselines | reach | minutes, all seeds | command |\n|---|---|---|---|---|---|");
    let mut good = true;
    for row in ROWS.iter().filter(|row| chosen.is_empty() || chosen.contains(&row.name)) {
        match measured(row, &data, seeds) {
            Ok(line) => println!("{line}"),
            Err(why) => {
                eprintln!("{}: {why}", row.name);
                good = false;
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    eprintln!("usage: cargo xtask tasks text [ROW …] [--seeds N]\nrows: {}", names.join(", "));
    ExitCode::from(2)
}

/// Trains a row with each seed, reads the test part, and writes its line of the table.
fn measured(row: &Row, data: &Path, seeds: u64) -> Result<String, String> {
    let folder = data.to_str().ok_or("the folder's name is not UTF-8")?;
    let train = row.train.replace("DATA", folder);
    let lacks = train.split([' ', ',']).find(|w| w.starts_with(folder) && !Path::new(w).exists());
    if let Some(file) = lacks {
        return Err(format!("skipped, there is no {file}"));
    }
    let (mut figures, mut minutes, mut beside) = (vec![], 0.0, vec![]);
    // Shares of all examples give a spread of their own.
    let folds = train.contains("--folds");
    for seed in 1..=if folds { 1 } else { seeds } {
        let out = format!("runs/tasks/{}-{seed}", row.name);
        // A run from before is gone on with: one that is finished costs nothing.
        let began = Instant::now();
        let arguments = match Path::new(&out).exists() {
            true if folds => return Err(format!("{out} exists already: move it away to begin again")),
            true => format!("resume {out}"),
            false => format!("train {train} --seed {seed} --out {out}"),
        };
        let said = elman(&arguments)?;
        minutes += began.elapsed().as_secs_f64() / 60.0;
        if folds {
            let (name, minutes) = (row.name, minutes.round());
            let said = said.trim().replace('\n', "; ");
            return Ok(format!("| {name} | {said} | | {} | {minutes} | `{}` |", row.reach, shown(row)));
        }
        let json = elman(&format!("eval {out} --json"))?;
        let json: Value = serde_json::from_str(&json).map_err(|e| format!("elman eval {out} --json: {e}"))?;
        figures.push(row.figure.1 * figure(&json, row.figure.0).ok_or(format!("no figure `{}`", row.figure.0))?);
        beside = baselines(row, &json);
    }
    let mean = figures.iter().sum::<f64>() / figures.len() as f64;
    let squares: f64 = figures.iter().map(|f| (f - mean).powi(2)).sum();
    let spread = match figures.len() {
        1 => String::new(),
        n => format!(" ± {:.2}", (squares / (n as f64 - 1.0)).sqrt()),
    };
    let (name, figure, reach, beside) = (row.name, row.figure.0, row.reach, beside.join(", "));
    Ok(format!("| {name} | {figure} {mean:.2}{spread} | {beside} | {reach} | {minutes:.0} | `{}` |", shown(row)))
}

fn shown(row: &Row) -> String {
    format!("elman train {}", row.train.replace("DATA/", ""))
}

/// Each baseline with its figure, in the unit of the row's.
fn baselines(row: &Row, json: &Value) -> Vec<String> {
    let one = |(name, place): &(&str, &str)| {
        json.pointer(place).and_then(Value::as_f64).map(|figure| format!("{name} {:.2}", figure * row.figure.1))
    };
    row.baselines.iter().filter_map(one).collect()
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
    use super::{ROWS, baselines, figure};
    use serde_json::json;
    use std::path::Path;

    /// The first setting of a row that is no file and no column.
    const FIRST: [&str; 9] = [
        " --dropout ",
        " --also ",
        " --characters ",
        " --vocab-size ",
        " --strings ",
        " --rate ",
        " --shift ",
        " --cell ",
        " --epochs ",
    ];

    #[test]
    fn the_settings_of_each_row_stand_beside_its_figure() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
        let pages =
            ["README.md", "docs/tasks/tag.md", "docs/tasks/label.md", "docs/tasks/classify.md"].map(read).concat();
        let pages = pages.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let mut checked = 0;
        for row in ROWS {
            // Rows with the defaults have none.
            let Some(at) = FIRST.iter().filter_map(|flag| row.train.find(flag)).min() else { continue };
            let settings = row.train[at..].trim();
            assert!(pages.contains(settings), "{}: `{settings}` is in no page", row.name);
            checked += 1;
        }
        assert!(checked > 9, "{checked}");
    }

    #[test]
    fn figures_are_found_by_their_names() {
        let json = json!({ "score": 0.5, "values": [["accuracy", 0.8125], ["macro_f1", 0.5]],
            "details": { "baseline": { "figures": { "accuracy": { "value": 0.75 } } } } });
        assert_eq!(figure(&json, "accuracy"), Some(0.8125));
        assert_eq!(figure(&json, "macro_f1"), Some(0.5));
        assert_eq!(figure(&json, "bleu"), None);
        let sst = ROWS.iter().find(|row| row.name == "sst2").unwrap();
        assert_eq!(baselines(sst, &json), ["linear 75.00"]);
    }
}
