//! `elman train`, `resume`, `eval`, `predict`, `generate`: what they give, what they refuse, what a kill leaves.

mod common;

use common::{Folder, Run, elman};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A text of short lines that repeat, with Russian letters and words of one count.
fn text() -> String {
    let line = |i: usize| match i % 5 {
        0 => format!("the {} cat sat on the mat\n", ["old", "young", "grey"][i % 3]),
        1 => "кошка спит\n".into(),
        2 => format!("one two three {}\n", ["four", "five"][i % 2]),
        3 => format!("once{i} upon a time\n"),
        _ => "the end\n".into(),
    };
    (0..400).map(line).collect()
}

/// A folder with a text.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.text("a.txt", &text());
    folder
}

/// A model that trains in a second, with everything that a checkpoint must keep.
const SMALL: &str = "--data a.txt --cell lstm --layers 2 --hidden 12 --embedding 9 --tied --batch 4 --steps 7 --epochs 3 \
     --dropout 0.2 --dropout-recurrent 0.2 --dropout-embedding 0.1 --zoneout 0.1 --evaluate-every 31 --warmup 10 \
     --eval-batch 3";

/// The same on made data, with examples of unequal lengths.
const MADE: &str = "--data synth:sums?digits=2 --cell lstm --layers 2 --hidden 12 --batch 4 --epochs 3 --epoch-steps 60 \
     --held-out 30 --dropout 0.2 --dropout-recurrent 0.2 --zoneout 0.1 --evaluate-every 31 --warmup 10";

/// A transformer on the same text.
const TRANSFORMER: &str = "--data a.txt --model transformer --layers 2 --hidden 12 --heads 3 --tied --batch 4 --steps 7 --epochs 3 \
     --dropout 0.2 --dropout-embedding 0.1 --evaluate-every 31 --warmup 10 --eval-batch 3";

fn train_transformer(folder: &Folder, flags: &str, out: &str) -> Run {
    folder.run(&format!("train lm {TRANSFORMER} {flags} --out {out}"))
}

fn train_made(folder: &Folder, flags: &str, out: &str) -> Run {
    folder.run(&format!("train lm {MADE} {flags} --out {out}"))
}

fn train(folder: &Folder, flags: &str, out: &str) -> Run {
    folder.run(&format!("train lm {SMALL} {flags} --out {out}"))
}

fn bytes(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path().join(name)).unwrap()
}

/// Waits until a path exists, for ten seconds.
fn wait_for(path: &Path) {
    for _ in 0..5000 {
        if path.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("{} never came", path.display());
}

/// The lines of `metrics.jsonl` without what depends on the clock on the wall.
fn metrics(folder: &Folder, run: &str) -> Vec<serde_json::Value> {
    let text = String::from_utf8(bytes(folder, &format!("{run}/metrics.jsonl"))).unwrap();
    let line = |l: &str| {
        let mut v: serde_json::Value = serde_json::from_str(l).unwrap();
        let o = v.as_object_mut().unwrap();
        o.remove("seconds");
        o.remove("tokens_per_second");
        v
    };
    text.lines().map(line).collect()
}

#[test]
fn a_run_is_a_model_that_others_read() {
    let folder = folder();
    let run = train(&folder, "--threads 1", "x").good();
    assert!(run.out.contains("elman eval x"), "{run:?}");
    assert!(run.err.contains("parameters") && run.err.contains("perplexity"), "{run:?}");
    let model = folder.open("x/model.safetensors");
    assert_eq!(model.shape("embedding").unwrap()[1], 9);
    assert!(model.shape("output.weight").is_none() && model.shape("1.forward.W_f").is_some());
    let losses: Vec<f64> = metrics(&folder, "x").iter().map(|m| m["valid_loss"].as_f64().unwrap()).collect();
    assert!(losses.last().unwrap() < &losses[0], "{losses:?}");
    std::fs::remove_dir_all(folder.path().join("x/checkpoint")).unwrap();
    let eval = folder.run("eval x --json").good().json();
    assert_eq!(eval["text"], "test");
    let perplexity = eval["perplexity"].as_f64().unwrap();
    assert!(perplexity > 1.0 && perplexity < 40.0, "{eval}");
    folder.run("resume x").one_error(&["x/checkpoint/", "train again"]);
}

#[test]
fn threads_change_no_bit_of_a_model() {
    let folder = folder();
    let kinds: [(fn(&Folder, &str, &str) -> Run, &str); 3] =
        [(train, "text"), (train_made, "made"), (train_transformer, "transformer")];
    for (train, name) in kinds {
        let [one, two] = ["one", "two"].map(|threads| format!("{name}-{threads}"));
        train(&folder, "--threads 1", &one).good();
        train(&folder, "--threads 2", &two).good();
        let model = |run: &str| bytes(&folder, &format!("{run}/model.safetensors"));
        assert!(model(&one) == model(&two), "{name}");
        assert_eq!(metrics(&folder, &one), metrics(&folder, &two));
    }
}

#[test]
fn a_run_from_its_own_config_is_the_same_run() {
    let folder = folder();
    train(&folder, "--optimiser nt-asgd --nonmonotone 1", "x").good();
    folder.run("train --config x/config.toml --out y").good();
    assert!(bytes(&folder, "x/model.safetensors") == bytes(&folder, "y/model.safetensors"));
    folder.run("train --config x/config.toml --seed 5 --out z").good();
    assert!(bytes(&folder, "x/model.safetensors") != bytes(&folder, "z/model.safetensors"));
    train_transformer(&folder, "", "t").good();
    folder.run("train --config t/config.toml --out u").good();
    assert!(bytes(&folder, "t/model.safetensors") == bytes(&folder, "u/model.safetensors"));
}

/// Kills the process after each of these milliseconds, resumes, and lets it end.
fn killed(folder: &Folder, settings: &str, out: &str, moments: &[u64]) {
    let start = format!("train lm {settings} --checkpoint-seconds 0.02 --threads 1 --out {out}");
    let again = format!("resume {out} --threads 2");
    for after in moments {
        let arguments = if folder.path().join(out).exists() { &again } else { &start };
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let mut child =
            elman(&words).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(*after));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let arguments = if folder.path().join(out).exists() { again } else { start };
    folder.run(&arguments).good();
}

#[test]
fn a_killed_run_ends_in_the_bits_of_one_that_was_not() {
    let folder = folder();
    let averaged = format!("{SMALL} --optimiser nt-asgd --nonmonotone 0 --rate 0.5");
    for (name, settings) in [("adam", SMALL), ("sgd", averaged.as_str()), ("made", MADE), ("attending", TRANSFORMER)] {
        folder.run(&format!("train lm {settings} --out {name}-whole")).good();
        // Numbers that share no period with anything in the program.
        let moments: Vec<u64> = (0..8).map(|i| 11 + (i * 7919) % 173).collect();
        killed(&folder, settings, name, &moments);
        let whole = bytes(&folder, &format!("{name}-whole/model.safetensors"));
        assert!(whole == bytes(&folder, &format!("{name}/model.safetensors")), "{name}");
        assert_eq!(metrics(&folder, &format!("{name}-whole")), metrics(&folder, name));
        let left: Vec<PathBuf> = std::fs::read_dir(folder.path().join(name))
            .unwrap()
            .map(|f| f.unwrap().path())
            .filter(|p| p.to_string_lossy().ends_with(".partial"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_says_how_to_go_on_and_exits_130() {
    let folder = folder();
    train(&folder, "--epochs 60", "whole").good();
    for (name, signals) in [("int", vec!["-INT"]), ("term", vec!["-TERM"]), ("twice", vec!["-INT", "-INT"])] {
        let words = format!("train lm {SMALL} --epochs 60 --out {name}");
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut program = elman(&words);
        program.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = program.spawn().unwrap();
        let id = child.id().to_string();
        wait_for(&folder.path().join(name));
        std::thread::sleep(Duration::from_millis(50));
        for signal in signals {
            // The second may come when all is over.
            let sent = std::process::Command::new("kill").args([signal, &id]).stderr(Stdio::null()).status();
            assert!(sent.is_ok());
        }
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(130), "{run:?}");
        assert!(run.err.contains(&format!("elman resume {name}")), "{run:?}");
        folder.run(&format!("resume {name}")).good();
        assert!(bytes(&folder, "whole/model.safetensors") == bytes(&folder, &format!("{name}/model.safetensors")));
    }
}

#[test]
fn a_folder_that_exists_stays_as_it_is() {
    let folder = folder();
    folder.text("file", "mine");
    std::fs::create_dir(folder.path().join("full")).unwrap();
    folder.text("full/a", "mine");
    let before = folder.files();
    for out in ["file", "full"] {
        let run = train(&folder, "", out);
        run.one_error(&[out, "exists already", "--out"]);
    }
    assert_eq!(folder.files(), before);
    train(&folder, "--max-steps 3", "x").good();
    train(&folder, "--max-steps 3", "x").one_error(&["exists already", "elman resume x"]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    train(&folder, "--max-steps 3", "empty").good();
}

#[test]
fn what_cannot_work_is_one_line_and_leaves_nothing() {
    let folder = folder();
    folder.text("binary.txt", "a\0b\n");
    folder.text("empty.txt", " \n");
    folder.text("wrong.cell", "h' = tanh(W x + U q)\n");
    folder.text("run.toml", "[data]\ntrain = \"a.txt\"\n[model]\nhiden = 3\n");
    let before = folder.files();
    let refuses = |arguments: &str, parts: &[&str]| {
        folder.run(arguments).one_error(parts);
        assert_eq!(folder.files(), before, "{arguments}");
    };
    refuses("train lm --out x", &["--data"]);
    refuses("train lm --data nope.txt --out x", &["nope.txt"]);
    refuses("train lm --data binary.txt --out x", &["binary.txt:1", "NUL"]);
    refuses("train lm --data empty.txt --out x", &["empty.txt", "empty"]);
    refuses("train --config run.toml --out x", &["run.toml:4", "`hiden`", "`hidden`"]);
    refuses("train lm --data a.txt --cell lsmt --out x", &["lsmt", "`lstm`"]);
    refuses("train lm --data a.txt --dropout 1 --out x", &["dropout"]);
    refuses("train lm --data a.txt --nesterov --out x", &["nesterov"]);
    refuses("train lm --data a.txt --freeze embeding --out x", &["embeding", "`embedding`"]);
    refuses("train lm --data a.txt --batch 100000 --out x", &["--batch"]);
    refuses("train lm --data a.txt --hidden 50000 --out x", &["memory"]);
    refuses("train lm --data a.txt --vocab-limit 3 --out x", &["--vocab-size"]);
    refuses("train lm --data a.txt --out a.txt/x", &["a.txt/x"]);
    refuses("resume nope", &["nope"]);
    refuses("eval nope", &["nope"]);
    refuses("generate nope", &["nope"]);
    folder.text("eight.cell", "param W : 8 x 8\nh' = tanh(W x + U h + b)\n");
    let before = folder.files();
    for (flags, hint) in [
        ("--data a.txt --cell wrong.cell", "hint: "),
        ("--data a.txt --cell mut1 --hidden 8 --embedding 9", "with --embedding 8 the sizes fit"),
        ("--data a.txt --cell mut1 --hidden 8 --embedding 9 --layers 3", "with --embedding 8 the sizes fit"),
        ("--data a.txt --cell eight.cell --hidden 9 --embedding 5", "--embedding 5 is input, --hidden 9 is hidden"),
        ("--data a.txt --hidden 10000000", "take a smaller --hidden"),
        ("--data synth:adding --cell mut1 --hidden 8", "with --hidden 2 the sizes fit"),
    ] {
        let run = folder.run(&format!("train lm {flags} --out x"));
        assert!(run.code == Some(1) && run.err.starts_with("error[") && run.err.contains(hint), "{flags}: {run:?}");
        assert_eq!(folder.files(), before);
    }
}

#[test]
fn warnings_of_a_cell_come_once_before_its_training() {
    let folder = folder();
    folder.text("my.cell", "h' = tanh(W*x + U*h + b)\n");
    let checked = folder.run("cell check my.cell").good();
    let run = folder.run("train lm --data a.txt --cell my.cell --hidden 8 --batch 4 --max-steps 3 --out x").good();
    assert!(checked.err.contains("warning[W001]") && run.err.starts_with(&checked.err), "{checked:?} {run:?}");
    assert_eq!(run.err.matches("W001").count(), checked.err.matches("W001").count());
    assert!(run.err.contains("  rate 0.002  "), "{run:?}");
    folder.text("noted.cell", "h' = tanh(W x + U h + b)\ny = h' * h'\n");
    let run = folder.run("train lm --data a.txt --cell noted.cell --hidden 8 --batch 4 --max-steps 3 --out y").good();
    assert!(!run.err.contains("note["), "{run:?}");
}

#[test]
fn numbers_that_are_no_numbers_stop_and_keep_the_last_good_checkpoint() {
    let folder = folder();
    let flags = "--optimiser sgd --rate 1e39 --clip 0 --checkpoint-seconds 0";
    let run = train(&folder, flags, "x");
    assert_eq!(run.code, Some(1), "{run:?}");
    let last = run.err.lines().last().unwrap();
    assert!(last.contains("step ") && last.contains('`') && last.contains("checkpoint is kept"), "{last}");
    let pointer = String::from_utf8(bytes(&folder, "x/checkpoint/latest")).unwrap();
    let tensors = folder.open(&format!("x/checkpoint/{}/tensors.safetensors", pointer.trim()));
    assert!(common::numbers(&tensors, "weights.embedding").iter().all(|x| x.is_finite()));
}

/// A run of a few steps with two generations of checkpoints.
fn short_run() -> (Folder, PathBuf) {
    let folder = folder();
    train(&folder, "--max-steps 5 --checkpoint-seconds 0", "x").good();
    let text = std::fs::read_to_string(folder.path().join("x/checkpoint/latest")).unwrap();
    let newest = folder.path().join("x/checkpoint").join(text.trim());
    (folder, newest)
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_goes_on() {
    for file in ["tensors.safetensors", "state.json"] {
        let (folder, newest) = short_run();
        let model = bytes(&folder, "x/model.safetensors");
        cut(&newest.join(file));
        folder.run("resume x").one_error(&[file, "--previous"]);
        folder.run("resume x --previous").good();
        assert!(model == bytes(&folder, "x/model.safetensors"));
    }
}

#[test]
fn another_version_another_cell_another_text_are_named() {
    let (folder, newest) = short_run();
    let state = std::fs::read_to_string(newest.join("state.json")).unwrap();
    std::fs::write(newest.join("state.json"), state.replacen("\"format\": 1", "\"format\": 9", 1)).unwrap();
    folder.run("resume x").one_error(&["state.json", "form 9"]);
    std::fs::write(newest.join("state.json"), &state).unwrap();

    let cell = String::from_utf8(bytes(&folder, "x/cell.cell")).unwrap();
    folder.text("x/cell.cell", &format!("{cell}# changed\n"));
    folder.run("resume x").one_error(&["cell.cell", "changed"]);
    folder.text("x/cell.cell", &cell);

    folder.text("a.txt", &text().replace("cat", "dog"));
    folder.run("resume x").one_error(&["a.txt", "changed"]);
    folder.text("a.txt", &text());

    let config = String::from_utf8(bytes(&folder, "x/config.toml")).unwrap();
    folder.text("x/config.toml", &config.replace("hidden = 12", "hidden = 13"));
    folder.run("resume x").one_error(&["tensors.safetensors", "wanted"]);
    folder.run("eval x").one_error(&["model.safetensors", "wanted"]);
    folder.text("x/config.toml", &config.replace("format = 1", "format = 7"));
    folder.run("eval x").one_error(&["config.toml", "format is 7"]);
}

/// What docs/training.md says of texts: those for training and validation must stay.
#[test]
fn a_test_part_may_change_and_a_validation_part_may_not() {
    let folder = folder();
    folder.text("valid.txt", "the old cat sat\nthe end\n");
    folder.text("test.txt", "one two\nthe end\n");
    train(&folder, "--max-steps 5 --valid valid.txt --test test.txt", "x").good();
    folder.text("test.txt", "the end\n");
    folder.run("resume x").good();
    folder.text("valid.txt", "the old cat\nthe end\n");
    folder.run("resume x").one_error(&["a.txt or ", "valid.txt: the text has changed"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_is_written_by_one_process_at_a_time() {
    let folder = folder();
    let words: Vec<String> =
        format!("train lm {SMALL} --epochs 100000 --out x").split_whitespace().map(String::from).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut child = elman(&words).current_dir(folder.path()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&folder.path().join("x"));
    let run = folder.run("resume x");
    child.kill().unwrap();
    child.wait().unwrap();
    run.one_error(&["x", "another process"]);
}

#[test]
fn lines_are_scored_one_by_one_as_eval_scores_them() {
    let folder = folder();
    train(&folder, "", "x").good();
    folder.text("line.txt", "the old cat sat on the mat\n");
    let eval = folder.run("eval x --data line.txt --json").good().json();
    let lines = folder.run("predict x --data a.txt --json").good().out;
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["text"], "the old cat sat on the mat");
    assert_eq!(first["tokens"], 8);
    assert_eq!(first["nats"], eval["nats"]);
    assert_eq!(lines.lines().count(), 400);
    let plain = folder.run("predict x --data line.txt").good().out;
    assert_eq!(plain.split('\t').count(), 4, "{plain}");
    for flag in ["--top 3", "--beam 2", "--documents line.txt"] {
        let refused = folder.run(&format!("predict x --data line.txt {flag}"));
        refused.one_error(&["x: the run is a language model, which has no use for ", flag.split(' ').next().unwrap()]);
    }
}

#[test]
fn weights_of_fewer_bits_score_nearly_as_the_trained_ones() {
    let folder = folder();
    train(&folder, "", "x").good();
    folder.text("line.txt", "the old cat sat on the mat\n");
    let nats = |dtype: &str| {
        let eval = folder.run(&format!("eval x --data line.txt --json --dtype {dtype}")).good().json();
        let lines = folder.run(&format!("predict x --data line.txt --json --dtype {dtype}")).good().out;
        let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(line["nats"], eval["nats"], "{dtype}");
        folder.run(&format!("generate x --prompt the --length 3 --dtype {dtype}")).good();
        eval["nats"].as_f64().unwrap()
    };
    let full = nats("f32");
    for (dtype, near) in [("bf16", 0.02), ("int8", 0.05)] {
        let narrow = nats(dtype);
        assert!(narrow != full && (narrow / full - 1.0).abs() < near, "{dtype}: {narrow} for {full}");
    }
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    let folder = folder();
    train(&folder, "--max-steps 5", "x").good();
    let mut child = elman(&["predict", "x"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for text in ["the end", "one", "кошка спит"] {
        writeln!(to, "{text}").unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        assert!(answer.ends_with(&format!("\t{text}\n")), "{answer}");
    }
    drop(to);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_run_on_made_data_says_what_it_is_and_is_measured() {
    let folder = folder();
    let run = train_made(&folder, "", "x").good();
    assert!(run.err.contains("sums?digits=2&terms=2&seed=1") && run.err.contains("accuracy"), "{run:?}");
    let config = std::fs::read_to_string(folder.path().join("x/config.toml")).unwrap();
    assert!(config.contains("train = \"synth:sums?digits=2&terms=2&seed=1\""), "{config}");
    assert!(config.contains("epoch_steps = 60") && config.contains("held_out = 30"), "{config}");
    let metrics = metrics(&folder, "x");
    assert!(metrics.iter().all(|m| m["valid_accuracy"].is_f64() && m.get("valid_perplexity").is_none()), "{metrics:?}");
    let last = metrics.iter().rfind(|m| m["improved"] == true).unwrap();
    let valid = folder.run("eval x --part valid --json").good().json();
    assert_eq!(valid["accuracy"], last["valid_accuracy"]);
    assert_eq!((&valid["examples"], &valid["part"]), (&30.into(), &"valid".into()));
    let longer = folder.run("eval x --data synth:sums?digits=3 --json").good().json();
    assert_eq!(longer["data"], "synth:sums?digits=3&terms=2&seed=1");
    let table = folder.run("eval x").good().out;
    assert!(table.contains("trivial") && table.contains("\nexamples            30\nscored symbols      "), "{table}");
    let written = folder.run("generate x --prompt 12+34= --length 3").good().out;
    assert!(written.starts_with("12+34=") && written.trim_end().len() == 9, "{written}");
    folder.run("train --config x/config.toml --out y").good();
    assert!(bytes(&folder, "x/model.safetensors") == bytes(&folder, "y/model.safetensors"));
    folder.run("predict x --data a.txt").one_error(&["made data", "elman eval"]);
    folder.run("eval x --data a.txt").one_error(&["a.txt", "synth:"]);
    folder.run("eval x --data synth:copy").one_error(&["other symbols"]);
    folder.run("generate x --prompt a").one_error(&["`a`", "0123456789"]);
    let found = folder.run("train lm --data synth:parity?length=3 --hidden 8 --batch 4 --find-lr").good();
    assert!(found.out.contains("--rate "), "{found:?}");
    let tasks = "train lm --data synth:parity --hidden 4 --max-steps 2 --held-out 3";
    folder.run(tasks).good();
    folder.run("generate runs/parity-lstm").one_error(&["parity", "elman eval"]);
}

#[test]
fn made_data_that_cannot_be_is_one_line_and_leaves_nothing() {
    let folder = folder();
    folder.text("run.toml", "[data]\ntrain = \"synth:sums\"\nunit = \"char\"\n");
    let before = folder.files();
    let refuses = |arguments: &str, parts: &[&str]| {
        folder.run(&format!("train {arguments} --out x")).one_error(parts);
        assert_eq!(folder.files(), before, "{arguments}");
    };
    refuses("lm --data synth:coppy", &["`coppy`", "`copy`"]);
    refuses("lm --data synth:copy?dealy=3", &["`dealy`", "`delay`"]);
    refuses("lm --data synth:copy?delay=0", &["delay=0"]);
    refuses("lm --data synth:copy?delay=1000000 --hidden 2000", &["memory"]);
    for flag in ["--unit char", "--valid a.txt", "--test a.txt", "--min-count 2", "--vocab-size 9", "--steps 5"] {
        refuses(&format!("lm --data synth:copy {flag}"), &[flag.split(' ').next().unwrap(), "synth:"]);
    }
    refuses("lm --data synth:adding --tied", &["--tied", "numbers"]);
    refuses("lm --data synth:adding --embedding 4", &["--embedding", "numbers"]);
    refuses("lm --data a.txt --epoch-steps 4", &["--epoch-steps", "synth:"]);
    refuses("lm --data a.txt --held-out 4", &["--held-out", "synth:"]);
    refuses("lm --data synth:copy --held-out 0", &["data.held_out"]);
    refuses("--config run.toml", &["data.unit"]);
}

#[test]
fn a_cell_of_ones_own_goes_with_its_run() {
    let folder = folder();
    folder.text("my.cell", "h' = tanh(W x + U h + b)\n");
    folder.run("train lm --data a.txt --cell my.cell --hidden 8 --batch 4 --max-steps 9 --out x").good();
    folder.text("my.cell", "h' = tanh(W x)\n");
    folder.run("resume x").good();
    std::fs::remove_file(folder.path().join("my.cell")).unwrap();
    folder.run("eval x").good();
    folder.run("resume x").good();
}

#[test]
fn a_rate_is_proposed_and_nothing_is_written() {
    let folder = folder();
    let before = folder.files();
    let run = folder.run("train lm --data a.txt --hidden 8 --batch 4 --find-lr").good();
    assert!(run.out.contains("--rate "), "{run:?}");
    assert_eq!(folder.files(), before);
}

#[test]
fn generation_follows_the_seed_and_the_prompt() {
    let folder = folder();
    train(&folder, "--unit char", "x").good();
    let write = |flags: &str| folder.run(&format!("generate x --length 40 --prompt the {flags}")).good().out;
    assert!(write("").starts_with("the"));
    assert_eq!(write("--seed 3"), write("--seed 3"));
    assert_ne!(write("--seed 3"), write("--seed 4"));
    assert_eq!(write("--temperature 0 --seed 3"), write("--temperature 0 --seed 4"));
    assert_eq!(write("--top-k 1"), write("--temperature 0"));
    folder.run("generate x --top-p 0").one_error(&["top-p"]);
}

#[test]
fn what_a_prompt_has_that_the_vocabulary_lacks_is_named() {
    let folder = folder();
    train(&folder, "--unit char --max-steps 3", "char").good();
    train(&folder, "--max-steps 3", "word").good();
    train(&folder, "--unit subword --vocab-size 280 --max-steps 3", "subword").good();
    let warning = |run: &str, prompt: &str| {
        let words = ["generate", run, "--length", "3", "--prompt", prompt];
        let run = Run::from(elman(&words).current_dir(folder.path()).output().unwrap()).good();
        assert!(!run.out.is_empty(), "{run:?}");
        run.err
    };
    let begin = "warning: not in the vocabulary, so read as <unk>: ";
    assert_eq!(warning("char", "the QQZ cat"), format!("{begin}`Q`, `Z`\n"));
    assert_eq!(warning("char", "BCDEFGHI\u{7}"), format!("{begin}`B`, `C`, `D`, `E`, `F` and 4 more\n"));
    assert_eq!(warning("word", "the dog <unk> sat, the dog"), format!("{begin}`dog`, `sat,`\n"));
    for (run, prompt) in [("char", "the cat\n"), ("char", ""), ("word", "the cat"), ("subword", "Qé")] {
        assert_eq!(warning(run, prompt), "", "{run} {prompt}");
    }
}

#[test]
fn every_unit_rule_and_schedule_trains() {
    let folder = folder();
    for (i, flags) in [
        "--unit subword --vocab-size 280",
        "--unit char --optimiser momentum --nesterov --schedule step --hold 1",
        "--optimiser adamw --decay 0.01 --schedule cosine",
        "--optimiser rmsprop --momentum 0.5 --schedule constant --clip-value 0.1",
        "--optimiser sgd --average-from 2 --freeze *.b_* --loss token",
        "--variational --keep-going --early-stop 1",
    ]
    .iter()
    .enumerate()
    {
        train(&folder, flags, &format!("r{i}")).good();
        assert!(!metrics(&folder, &format!("r{i}")).is_empty());
    }
}
