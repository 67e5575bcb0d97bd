//! What a run gets that was damaged, contradicted, or has no room: one message with the file and the way out, and nothing
//! lost.

mod common;

use common::{Folder, Run, elman};
use std::fs::{self, File};
use std::path::PathBuf;

const SMALL: &str = "--data a.txt --hidden 11 --batch 3 --steps 5 --dropout 0.2 --threads 1";

/// A folder with a text.
fn folder() -> Folder {
    let folder = Folder::new();
    let line = |i: usize| format!("line {i} of a text that {} ends\n", ["never", "soon", "hardly"][i * i % 3]);
    folder.text("a.txt", &(0..90).map(line).collect::<String>());
    folder
}

fn bytes(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).unwrap()
}

fn edit(folder: &Folder, name: &str, from: &str, to: &str) {
    let text = String::from_utf8(bytes(folder, name)).unwrap();
    assert!(text.contains(from), "{name}: {text}");
    folder.text(name, &text.replacen(from, to, 1));
}

/// A run of a few steps with a checkpoint at each of them, and the newest one's name.
fn short_run() -> (Folder, String) {
    let folder = folder();
    folder.run(&format!("train lm {SMALL} --max-steps 6 --checkpoint-seconds 0 --out x")).good();
    let latest = String::from_utf8(bytes(&folder, "x/checkpoint/latest")).unwrap();
    (folder, format!("x/checkpoint/{}", latest.trim()))
}

#[test]
fn a_changed_bit_of_a_checkpoint_is_seen() {
    let (folder, newest) = short_run();
    let model = bytes(&folder, "x/model.safetensors");
    let file = format!("{newest}/tensors.safetensors");
    let whole = bytes(&folder, &file);
    for at in [whole.len() - 1, whole.len() / 2] {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        fs::write(folder.path().join(&file), changed).unwrap();
        folder.run("resume x").one_error(&[&file, "damaged", "elman resume x --previous"]);
    }
    fs::write(folder.path().join(&file), &whole).unwrap();
    edit(&folder, &format!("{newest}/state.json"), "\"clock\": 30", "\"clock\": 31");
    folder.run("resume x").one_error(&["state.json", "damaged", "elman resume x --previous"]);
    folder.run("resume x --previous").good();
    assert!(model == bytes(&folder, "x/model.safetensors"));
    folder.run("resume x").good();
}

#[test]
fn a_lost_pointer_leaves_the_last_checkpoint() {
    for damage in ["", "x", "\u{0}\u{0}"] {
        let (folder, newest) = short_run();
        let model = bytes(&folder, "x/model.safetensors");
        match damage {
            "" => fs::remove_file(folder.path().join("x/checkpoint/latest")).unwrap(),
            damage => folder.text("x/checkpoint/latest", damage),
        }
        // A newer one that was never finished does not count.
        fs::create_dir(folder.path().join("x/checkpoint/99")).unwrap();
        let number = newest.rsplit('/').next().unwrap();
        folder.run("resume x").one_error(&["x/checkpoint/latest", "elman resume x --previous", number]);
        edit(&folder, "x/config.toml", "max_steps = 6", "max_steps = 9");
        folder.run("resume x --previous").good();
        folder.run("resume x").good();
        assert!(model != bytes(&folder, "x/model.safetensors"));
    }
}

#[test]
fn missing_and_changed_files_of_a_run_say_what_to_do() {
    let (folder, _) = short_run();
    for (name, parts) in [
        ("cell.cell", ["x/cell.cell", "put it back"]),
        ("vocabulary.json", ["vocabulary.json", "put it back"]),
        ("config.toml", ["x", "no config.toml"]),
        ("model.safetensors", ["x/model.safetensors", "put it back"]),
    ] {
        let kept = bytes(&folder, &format!("x/{name}"));
        fs::remove_file(folder.path().join("x").join(name)).unwrap();
        folder.run("resume x").one_error(&parts);
        fs::write(folder.path().join("x").join(name), kept).unwrap();
    }
    let model = bytes(&folder, "x/model.safetensors");
    fs::write(folder.path().join("x/model.safetensors"), &model[..model.len() / 3]).unwrap();
    folder.run("eval x").one_error(&["x/model.safetensors", "put the file back"]);
    fs::write(folder.path().join("x/model.safetensors"), model).unwrap();
    edit(&folder, "x/config.toml", "batch = 3", "batch = 4");
    folder.run("resume x").one_error(&["tensors.safetensors", "config.toml", "put them back"]);
}

#[test]
fn flags_that_nothing_looks_at_are_refused() {
    let folder = folder();
    let before = folder.files();
    for (flags, parts) in [
        ("--hold 3", ["--hold", "--schedule step"]),
        ("--patience 3 --schedule cosine", ["--patience", "--schedule plateau"]),
        ("--keep-going --schedule step", ["--keep-going", "--schedule plateau"]),
        ("--factor 0.3 --schedule constant", ["--factor", "plateau or step"]),
        ("--nonmonotone 3", ["--nonmonotone", "--optimiser nt-asgd"]),
        ("--beta1 0.5 --optimiser rmsprop", ["--beta1", "adam or adamw"]),
        ("--beta2 0.5 --optimiser sgd", ["--beta2", "rmsprop"]),
        ("--tied --embedding 9", ["tied", "model.embedding"]),
        ("--rate -1", ["optimiser.rate is -1", "from 0"]),
        ("--hidden 2000000000", ["larger than any memory", "--hidden"]),
    ] {
        folder.run(&format!("train lm {SMALL} {flags} --out x")).one_error(&parts);
        assert_eq!(folder.files(), before, "{flags}");
    }
}

#[test]
fn settings_that_cannot_be_read_name_their_file() {
    let folder = folder();
    folder.text("value.toml", "[data]\ntrain = \"a.txt\"\n[optimiser]\nrule = \"adan\"\n");
    folder.text("type.toml", "[data]\ntrain = \"a.txt\"\n[model]\nhidden = \"8\"\n");
    fs::write(folder.path().join("binary.toml"), [0xFF, 0xFE, 0]).unwrap();
    let before = folder.files();
    for (file, parts) in [
        ("value.toml", ["value.toml:4", "`adan`, did you mean `adam`"]),
        ("type.toml", ["type.toml:4", "expected a whole number"]),
        ("binary.toml", ["binary.toml", "TOML"]),
        ("no.toml", ["no.toml", "check the path"]),
    ] {
        folder.run(&format!("train --config {file} --out x")).one_error(&parts);
    }
    folder.run("train lm --data a.txt --out a.txt/x/y").one_error(&["a.txt is a file", "--out"]);
    folder.run("train lm --data a.txt --cell no.cell --out x").one_error(&["no.cell", "elman cell list"]);
    assert_eq!(folder.files(), before);
}

#[test]
fn what_killed_runs_left_is_cleared_unless_it_is_somebodys() {
    let folder = folder();
    let lock = |name: &str| -> PathBuf {
        let place = folder.path().join(name).join("checkpoint");
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("lock"), "").unwrap();
        place.join("lock")
    };
    lock(".x.999999999.partial");
    lock(".xx.999999999.partial");
    fs::create_dir_all(folder.path().join(".x.7.partial/checkpoint")).unwrap();
    let held = File::open(lock(".x.999999998.partial")).unwrap();
    held.lock().unwrap();
    folder.run(&format!("train lm {SMALL} --max-steps 3 --out x")).good();
    assert_eq!(folder.files(), [".x.999999998.partial", ".xx.999999999.partial", "a.txt", "x"]);
    for half in ["x/.model.safetensors.7.partial", "x/checkpoint/.latest.7.partial"] {
        folder.text(half, "half");
    }
    edit(&folder, "x/config.toml", "max_steps = 3", "max_steps = 5");
    folder.run("resume x").good();
    let left = |name: &str| fs::read_dir(folder.path().join(name)).unwrap().map(|f| f.unwrap().path());
    let left: Vec<PathBuf> =
        left("x").chain(left("x/checkpoint")).filter(|p| p.to_string_lossy().contains("partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_run_that_diverged_goes_on_at_a_lower_rate() {
    let folder = folder();
    let flags = "--optimiser sgd --rate 1e38 --clip 0 --checkpoint-seconds 0";
    let run = folder.run(&format!("train lm {SMALL} --max-steps 30 {flags} --out x"));
    let last = run.err.lines().last().unwrap();
    for part in ["step ", "checkpoint is kept", "1e38", "clip_norm", "x/config.toml", "elman resume x"] {
        assert!(run.code == Some(1) && last.contains(part), "{part}: {run:?}");
    }
    edit(&folder, "x/config.toml", &format!("rate = 1{}.0", "0".repeat(38)), "rate = 0.1");
    folder.run("resume x").good();
}

/// Runs a shell script in the folder, with a small `disk` of its own; `None` where mounts are not allowed.
fn with_disk(folder: &Folder, bytes: usize, script: &str) -> Option<Run> {
    let program = elman(&[]).get_program().to_owned();
    let run = |how: &str, script: &str| {
        let mut command = std::process::Command::new("unshare");
        command.args([how, "sh", "-c", script]).current_dir(folder.path()).env("ELMAN", &program);
        command.output().ok().map(Run::from)
    };
    fs::create_dir(folder.path().join("disk")).unwrap();
    let mount = format!("mount -t tmpfs -o size={bytes} none disk");
    let how = ["-m", "-rm"].into_iter().find(|how| run(how, &mount).is_some_and(|r| r.code == Some(0)));
    if how.is_none() {
        println!("skipped: this machine allows no mounts (unshare -m)");
    }
    run(how?, &format!("{mount}; {script}"))
}

#[test]
fn a_full_disk_keeps_the_last_checkpoint() {
    let folder = folder();
    let flags = format!("train lm {SMALL} --hidden 30 --max-steps 20");
    folder.run(&format!("{flags} --out straight")).good();
    // The first checkpoint has room, a second one beside it has not; without the filler three have.
    let one = bytes(&folder, "straight/checkpoint/2/tensors.safetensors").len();
    let filler = 5 * one - 3 * one / 2 - (24 << 10);
    let script = format!(
        "head -c {filler} /dev/zero > disk/filler
         $ELMAN {flags} --checkpoint-seconds 0 --out disk/x 2>&1 | tail -1
         ls -A disk/x/checkpoint; rm disk/filler
         $ELMAN resume disk/x 2>&1 | tail -1
         cmp disk/x/model.safetensors straight/model.safetensors && echo the same"
    );
    let full = with_disk(&folder, 5 * one, &script);
    let Some(full) = full else { return };
    let lines: Vec<&str> = full.out.lines().collect();
    assert!(lines[0].contains("No space left") && lines[0].contains("elman resume disk/x"), "{full:?}");
    assert!(lines.contains(&"latest") && lines.last() == Some(&"the same"), "{full:?}");
}

#[test]
fn a_disk_too_small_to_begin_leaves_nothing() {
    let folder = folder();
    let script = format!("$ELMAN train lm {SMALL} --hidden 200 --out disk/x; echo $?; ls -A disk");
    let Some(run) = with_disk(&folder, 400 << 10, &script) else { return };
    assert_eq!(run.out, "1\n", "{run:?}");
    assert_eq!(run.err.lines().count(), 1, "{run:?}");
    assert!(run.err.contains("disk/x: No space left") && run.err.contains("make room"), "{run:?}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let folder = folder();
    let script = format!(
        "$ELMAN train lm {SMALL} --max-steps 3 --out disk/x > /dev/null 2>&1; mount -o remount,ro disk
         $ELMAN train lm {SMALL} --out disk/y; $ELMAN resume disk/x; $ELMAN eval disk/x > /dev/null; echo $?"
    );
    let Some(run) = with_disk(&folder, 400 << 10, &script) else { return };
    let lines: Vec<&str> = run.err.lines().collect();
    // The last is a remark: what was asked for is measured all the same.
    let files = ["disk/y", "disk/x/checkpoint/lock", "disk/x/report.html"];
    assert_eq!((lines.len(), run.out.as_str()), (files.len(), "0\n"), "{run:?}");
    for (line, file) in lines.iter().zip(files) {
        assert!(line.contains(file) && line.contains("Read-only") && line.contains("can be written to"), "{line}");
    }
}
