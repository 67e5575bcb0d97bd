//! What is said of memory before a run, against what the process takes.
#![cfg(target_os = "linux")]

mod common;

use common::Folder;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How far what is said may be from what is measured.
const NEAR: f64 = 0.1;

/// Runs of which the one that took most counts: a process is looked at from time to time, and a short one may end before
/// its peak was seen.
const RUNS: usize = 3;

/// The largest of some runs' peaks, and what the last one said.
fn peak(arguments: &[&str], folder: Option<&Path>) -> (f64, String) {
    let mut runs = (0..RUNS).map(|_| {
        if let Some(out) = arguments.iter().skip_while(|a| **a != "--out").nth(1) {
            let _ = std::fs::remove_dir_all(folder.unwrap_or(Path::new(".")).join(out));
        }
        one_peak(arguments, folder)
    });
    let first = runs.next().unwrap_or_default();
    runs.fold(first, |(most, _), (bytes, said)| (most.max(bytes), said))
}

/// Runs the program to its end: the most bytes that it had in memory, and what it said.
fn one_peak(arguments: &[&str], folder: Option<&Path>) -> (f64, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elman"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn().unwrap();
    let mut most = 0.0f64;
    while child.try_wait().unwrap().is_none() {
        most = most.max(anonymous(&child));
        std::thread::sleep(Duration::from_millis(1));
    }
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{arguments:?}: {said}");
    (most, said)
}

/// Bytes that a process has in memory, short of the pages of its own program: how many of those are there depends on what
/// the system has in its cache.
fn anonymous(child: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    1024.0 * kibibytes.unwrap_or(0.0)
}

/// A process that trains next to nothing.
fn idle() -> f64 {
    peak(&words("cell bench tanh --input 1 --hidden 1 --batch 1 --steps 1 --backward"), None).0
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn near(what: &str, said: f64, measured: f64) {
    let (said, measured) = (said / 1e6, measured / 1e6);
    assert!((said - measured).abs() <= NEAR * measured, "{what}: {said:.1} MB said, {measured:.1} MB measured");
}

#[test]
fn a_network_takes_what_is_explained() {
    let idle = idle();
    for line in [
        "lstm --input 256 --hidden 256 --batch 32 --steps 60",
        "gru --input 100 --hidden 170 --batch 16 --steps 40 --layers 2 --bidirectional",
        "gru-reset-after --input 400 --hidden 400 --batch 8 --steps 20",
        "antisymmetric-rnn --input 300 --hidden 300 --batch 16 --steps 60",
        "lstm --input 120 --hidden 120 --batch 24 --steps 300 --recompute",
        "gru --input 90 --hidden 150 --batch 24 --steps 200 --layers 3 --recompute",
    ] {
        let bench = format!("cell bench {line} --backward --threads 1");
        let explain = format!("cell explain {line} --threads 1 --json");
        let explained: serde_json::Value = serde_json::from_str(&peak(&words(&explain), None).1).unwrap();
        let measured = peak(&words(&bench), None).0 - idle;
        near(line, explained["training_bytes"].as_f64().unwrap(), measured);
    }
}

#[test]
fn a_training_takes_what_it_says_before_it_starts() {
    let folder = Folder::new();
    let text: String =
        (0..60_000u64).map(|k| format!("w{}{}", k * k % 4_999, if k % 15 == 14 { "\n" } else { " " })).collect();
    folder.text("text.txt", &text);
    let idle = idle();
    for (out, more) in [
        ("plain", ""),
        ("adam", "--optimiser adam"),
        ("recomputed", "--steps 150 --recompute"),
        ("attending", "--model transformer --steps 60"),
    ] {
        let line = format!(
            "train lm --data text.txt --out {out} --layers 2 --hidden 200 --max-steps 2 --threads 1 --optimiser sgd {more}"
        );
        let line = if more.contains("adam") { line.replace(" --optimiser sgd", "") } else { line };
        let (most, said) = peak(&words(&line), Some(folder.path()));
        let megabytes = said.split("about ").nth(1).and_then(|rest| rest.split(" MB").next()?.parse::<f64>().ok());
        near(&line, 1e6 * megabytes.unwrap(), most - idle);
    }
}
