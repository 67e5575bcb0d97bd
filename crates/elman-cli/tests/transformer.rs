//! A transformer as a language model: the same commands, from training to a conversation.

mod common;

use common::{Folder, elman};
use std::io::Write;
use std::process::Stdio;

/// Lines of which each but the first follows from the one before it.
fn folder() -> Folder {
    let folder = Folder::new();
    let line = |i: usize| ["how many\nthree\n", "what colour\ngreen\n", "who is it\nthe cat\n"][i * i % 7 % 3];
    folder.text("a.txt", &(0..300).map(line).collect::<String>());
    folder
}

const SMALL: &str = "--data a.txt --model transformer --hidden 16 --heads 2 --batch 4 --steps 12 --epochs 8 --tied";

#[test]
fn every_command_takes_its_run() {
    let folder = folder();
    let run = folder.run(&format!("train lm {SMALL} --out x")).good();
    assert!(run.err.contains("1 x 16 transformer (2 heads)") && run.err.contains(" MB of memory"), "{run:?}");
    assert!(!folder.path().join("x/cell.cell").exists());
    let model = folder.open("x/model.safetensors");
    assert_eq!(model.shape("0.attention.query.weight").unwrap(), [16, 16]);
    let eval = folder.run("eval x --json").good().json();
    let one = folder.run("eval x --part valid --json").good().json()["perplexity"].as_f64().unwrap();
    assert!(eval["perplexity"].as_f64().unwrap() < 3.0 && one < 3.0, "{eval} {one}");
    let page = std::fs::read_to_string(folder.path().join("x/report.html")).unwrap();
    assert!(page.contains("transformer (2 heads)") && page.contains("The model writes"));
    let lines = folder.run("predict x --data a.txt --json").good().out;
    assert_eq!(lines.lines().count(), 600);
    let write = |flags: &str| folder.run(&format!("generate x --length 40 {flags}")).good().out;
    assert_eq!(write("--seed 3"), write("--seed 3"));
    assert!(write("--temperature 0 --prompt how").starts_with("how many"));
    folder.run("resume x").good();
    folder.run("eval x --dtype bf16").one_error(&["recurrent", "--dtype"]);
    let settings = std::fs::read_to_string(folder.path().join("x/config.toml")).unwrap();
    folder.text("x/config.toml", &settings.replace("heads = 2", "heads = 4"));
    folder.run("resume x").one_error(&["x/config.toml", "model.heads"]);
}

#[test]
fn it_answers_in_a_conversation() {
    let folder = folder();
    folder.run(&format!("train lm {SMALL} --out x")).good();
    let mut child = elman(&["chat", "x", "--temperature", "0"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // More turns than the window has room for.
    let turns = "what colour\nwho is it\nhow many\n".repeat(3);
    child.stdin.take().unwrap().write_all(turns.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let replies: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(replies, "green the cat three ".repeat(3).split_whitespace().collect::<Vec<_>>());
}

#[test]
fn it_learns_made_data_and_is_measured_on_longer_examples() {
    let folder = Folder::new();
    let flags = "--model transformer --hidden 32 --batch 32 --epochs 3 --epoch-steps 100 --held-out 200 --out x";
    let made = ["train", "lm", "--data", "synth:memorization?length=4"];
    let words: Vec<&str> = made.into_iter().chain(flags.split_whitespace()).collect();
    assert!(elman(&words).current_dir(folder.path()).output().unwrap().status.success());
    let eval = |data: &str| folder.run(&format!("eval x {data} --json")).good().json()["accuracy"].as_f64().unwrap();
    assert!(eval("") > 0.95, "{}", eval(""));
    assert!(eval("--data synth:memorization?length=6") < eval(""));
}

#[test]
fn what_it_has_not_is_refused() {
    let folder = folder();
    let refused = |flags: &str, parts: &[&str]| {
        folder.run(&format!("train lm --data a.txt --model transformer {flags} --out x")).one_error(parts);
    };
    refused("--cell gru", &["--cell", "recurrent", "leave it out"]);
    refused("--recompute", &["--recompute", "recurrent"]);
    refused("--zoneout 0.1", &["--zoneout", "recurrent"]);
    refused("--dropout-recurrent 0.1", &["--dropout-recurrent", "recurrent"]);
    refused("--variational", &["--variational", "recurrent"]);
    refused("--hidden 10 --heads 4", &["model.hidden is 10", "4 heads"]);
    refused("--tied --embedding 100", &["model.embedding"]);
    folder.text("s.toml", "[model]\nkind = \"transformer\"\ncell = \"gru\"\n[data]\ntrain = \"a.txt\"\n");
    folder.run("train lm --config s.toml --out x").one_error(&["model.cell", "recurrent"]);
    folder.run("train lm --data a.txt --heads 2 --out x").one_error(&["--heads", "--model transformer"]);
    assert!(!folder.path().join("x").exists());
}
