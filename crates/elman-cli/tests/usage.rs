//! Exit codes, broken pipes, and the examples that help texts and documents show.

mod common;

use common::{Folder, elman, root, run_in};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

#[test]
fn help_is_printed_and_names_the_tour() {
    let run = run_in(&root(), "--help").good();
    assert!(run.out.contains("Usage: elman") && run.out.contains("tour"), "{run:?}");
}

/// The tour in few steps, as a user sees it whose command is `elman`.
#[test]
fn the_tour_ends_in_a_table_an_example_and_commands_that_work() {
    let folder = folder_of_examples();
    let tour = || {
        let mut command = elman(&["tour", "--steps", "30"]);
        command.current_dir(folder.path()).env_remove("CARGO_MANIFEST_DIR");
        common::Run::from(command.output().unwrap()).good()
    };
    let run = tour();
    for part in ["tanh", "lstm", "gru", "mut1", "right answers", "the network must", "says", "25.0%"] {
        assert!(run.out.contains(part), "no {part}: {run:?}");
    }
    assert!(run.err.contains("The task:") && run.err.contains("100%  loss"), "{run:?}");
    let without_speeds = |run: &common::Run| -> Vec<String> {
        let speed = |l: &str| l.rsplit_once("  ").map_or(l, |(left, _)| left.trim_end()).to_string();
        run.out.lines().map(speed).collect()
    };
    assert_eq!(without_speeds(&run), without_speeds(&tour()));
    let (_, next) = run.out.split_once("What to type next:").unwrap();
    let program = env!("CARGO_BIN_EXE_elman");
    let lines: Vec<&str> = next.lines().filter_map(|l| l.trim().strip_prefix(program)).collect();
    assert!(lines.len() >= 4, "{next}");
    for line in lines {
        folder.run(&line.split('#').next().unwrap_or_default().replace('\'', "")).good();
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_tour_is_quiet() {
    let mut child = elman(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    while !line.contains("The task:") {
        assert!(err.read_line(&mut line).unwrap() > 0, "{line}");
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let run = common::Run::from(child.wait_with_output().unwrap());
    assert!(run.code == Some(130) && run.out.is_empty(), "{run:?}");
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("error"), "{rest}");
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        "cel",
        "cell",
        "cell lst",
        "cell run tanh",
        "cell run tanh --input a --output b --dtype f16",
        "cell run tanh --input a --output b --layers 0",
        "cell run tanh --input a --output b --hidden -3",
        "cell check",
        "cell check tanh --hidden 99999999999999999999",
        "cell show tanh --format png",
        "cell bench tanh --input 3 --hidden 5 --batch 2",
        "cell bench tanh --input 3 --hidden 5 --batch 2 --steps 4 --stream --backward",
        "cell bench tanh --input 3 --hidden 5 --batch 2 --steps 4 --threads none",
        "cell grad tanh --tolerance 0",
        "cell grad tanh --tolerance nan",
        "train",
        "train --data a",
        "train lstm",
        "train lm --data a --clip 1 --clip-value 1",
        "train lm --data a --hidden 0",
        "train lm --data a --out b --find-lr",
        "resume",
        "eval a --data b --part test",
        "generate a --top-k 0",
    ] {
        let run = run_in(&root(), arguments);
        assert_eq!(run.code, Some(2), "{arguments}: {run:?}");
        assert!(run.out.is_empty(), "{arguments}: {run:?}");
    }
}

#[test]
fn data_without_its_task_or_its_flag_gets_a_hint() {
    for (arguments, hint) in [
        ("train --data my.txt", "`elman train lm --data my.txt`"),
        ("train my.txt --hidden 5", "elman train lm --data 'my.txt'"),
        ("train lm my.txt --hidden 5", "elman train lm --data 'my.txt'"),
        ("train lm synth:sums?digits=2", "elman train lm --data 'synth:sums?digits=2'"),
    ] {
        let run = run_in(&root(), arguments);
        assert!(run.code == Some(2) && run.err.contains(hint), "{arguments}: {run:?}");
    }
    // A file alone is looked at.
    run_in(&root(), "train my.txt").one_error(&["my.txt: there is no such file"]);
    for arguments in ["train lstm", "eval a my.txt", "train lm --rate my.txt", "train lm --my.txt"] {
        let run = run_in(&root(), arguments);
        assert!(run.code == Some(2) && !run.err.contains("elman train lm --data"), "{arguments}: {run:?}");
    }
}

#[test]
fn an_unknown_cell_is_1_and_names_the_nearest() {
    for command in ["show", "grad", "explain"] {
        run_in(&root(), &format!("cell {command} lsmt")).one_error(&["error: no cell `lsmt`", "`lstm`"]);
    }
}

#[test]
fn an_unknown_instruction_set_is_1() {
    let arguments = ["cell", "bench", "tanh", "--input", "3", "--hidden", "5", "--batch", "2", "--steps", "3"];
    let run = common::Run::from(elman(&arguments).env("ELMAN_ISA", "mmx").output().unwrap());
    run.one_error(&["mmx"]);
}

#[test]
fn a_reader_that_goes_away_is_quiet() {
    let mut child = elman(&["cell", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty() && output.status.code() == Some(0), "{output:?}");
}

/// A folder in which the examples run: they read `reference/` and `README.md`.
fn folder_of_examples() -> Folder {
    let folder = Folder::new();
    let data = folder.path().join("reference/data");
    std::fs::create_dir_all(&data).unwrap();
    for file in std::fs::read_dir(root().join("reference/data")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), data.join(file.file_name())).unwrap();
    }
    std::fs::copy(root().join("README.md"), folder.path().join("README.md")).unwrap();
    let x = elman::tensors::Named { name: "x".into(), shape: vec![20, 4, 3], data: vec![0.5f32; 240] };
    folder.tensors("in.safetensors", &[x]);
    write_data(&folder);
    let x = elman::tensors::Named { name: "x".into(), shape: vec![60, 1, 32], data: vec![0.5f32; 60 * 32] };
    let dy = elman::tensors::Named { name: "dy".into(), ..x.clone() };
    folder.tensors("last.safetensors", &[x, dy]);
    folder
}

/// The files that docs/data.md looks at.
fn write_data(folder: &Folder) {
    folder.text("reviews.csv", "review,stars\nso very good,5\nnot at all,1\nwell,5\nso bad,1\n");
    folder.text("newer.csv", "review,stars\nwell,5\nhardly worth it,1\na fine film,5\nno,1\n");
    folder.text("pairs.tsv", "en\tru\nA cat sleeps.\tКошка спит.\nA dog runs.\tПёс бежит.\n");
    folder.text("tagged.conllu", "1\tgo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n2\ton\ton\tADP\t_\t_\t1\tobl\t_\t_\n\n");
    folder.text("vowels.ts", "@dimensions 2\n@classLabel true a e\n@data\n1,2,3:4,5,6:a\n2,3:5,6:e\n");
}

#[test]
fn the_examples_of_help_texts_run() {
    let folder = folder_of_examples();
    for command in [
        "",
        "cell list",
        "cell show",
        "cell check",
        "cell explain",
        "cell grad",
        "cell run",
        "cell bench",
        "tour",
        "train",
        "resume",
        "eval",
        "predict",
        "generate",
        "data",
    ] {
        let help = folder.run(&format!("{command} --help")).good().out;
        let (_, examples) = help.split_once("Example:\n").unwrap_or_else(|| panic!("no example: {command}"));
        let lines: Vec<&str> = examples.lines().filter_map(|l| l.trim().strip_prefix("elman ")).collect();
        assert!(!lines.is_empty(), "{command}");
        for line in lines {
            folder.run(&line.replace('\'', "")).good();
        }
    }
}

#[test]
fn the_examples_of_documents_run() {
    for document in ["README.md", "docs/commands.md", "docs/training.md", "docs/data.md", "docs/tasks.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let folder = folder_of_examples();
        let commands = text.lines().filter_map(|l| l.strip_prefix("    elman "));
        let lines: Vec<&str> = commands.filter(|l| !l.contains(" CELL ")).collect();
        assert!(lines.len() > 3, "{document}: {lines:?}");
        for line in lines {
            let command = line.split('#').next().unwrap_or_default().replace('\'', "");
            let command = command.replace("my.cell", &written_cell(&folder));
            folder.run(&command).good();
        }
    }
}

/// Each page makes its files, runs its commands in order, and shows lines that were printed. A file stands in the block
/// after "Файл `NAME`:", what a command prints in the block of `text` after it; `…` stands for what is cut.
#[test]
fn the_russian_pages_run_and_print_what_they_show() {
    for page in ["README.md", "gradient.md", "gates.md", "tasks.md"] {
        let text = std::fs::read_to_string(root().join("docs/ru").join(page)).unwrap();
        let folder = folder_of_examples();
        let (mut printed, mut commands, mut lines) = (String::new(), 0, text.lines());
        while let Some(line) = lines.next() {
            let name = line.strip_prefix("Файл `").and_then(|l| l.strip_suffix("`:"));
            if let Some(name) = name {
                let block = lines.by_ref().skip_while(|l| !l.starts_with("```")).skip(1);
                let block: Vec<&str> = block.take_while(|l| *l != "```").collect();
                folder.text(name, &format!("{}\n", block.join("\n")));
            } else if let Some(command) = line.strip_prefix("    elman ") {
                let run = folder.run(&command.split('#').next().unwrap_or_default().replace('\'', ""));
                // A wrong cell is shown with its message.
                let run = if run.err.contains("error[E") { run } else { run.good() };
                printed = run.out + &run.err;
                commands += 1;
            } else if line == "```text" {
                for shown in lines.by_ref().take_while(|l| *l != "```") {
                    for part in shown.split('…') {
                        assert!(printed.contains(part.trim()), "{page}: `{shown}` is not in {printed}");
                    }
                }
            }
        }
        assert!(commands > 3, "{page}: {commands}");
    }
}

/// The file that documents call my.cell.
fn written_cell(folder: &Folder) -> String {
    folder.text("my.cell", "z = sigmoid(W_z x + U_z h + b_z)\nh' = (1 - z) * h + z * tanh(W x + U h + b)\n");
    "my.cell".into()
}
