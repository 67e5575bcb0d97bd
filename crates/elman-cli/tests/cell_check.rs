//! `elman cell check`, `list` and `show`.

mod common;

use common::{Folder, root, run_in};
use serde_json::json;

#[test]
fn sizes_are_numbers_where_given() {
    let report = run_in(&root(), "cell check tanh --input 3 --hidden 5 --json").good().json();
    assert_eq!(report["states"], json!([{"name": "h", "dim": 5}]));
    assert_eq!(report["output"], json!({"name": "h", "dim": 5}));
    let shapes: Vec<_> = report["parameters"].as_array().unwrap().iter().map(|p| &p["shape"]).collect();
    assert_eq!(shapes, [&json!([5, 3]), &json!([5, 5]), &json!([5])]);
    let counts: Vec<_> = report["parameters"].as_array().unwrap().iter().map(|p| &p["count"]).collect();
    assert_eq!(counts, [15, 25, 5]);
    assert_eq!(report["scan"], false);
    assert!(!report["canonical"].as_str().unwrap().is_empty());
    assert_eq!(report["diagnostics"], json!([]));
}

#[test]
fn sizes_are_names_where_not_given() {
    let report = run_in(&root(), "cell check lstm --json").good().json();
    assert_eq!(report["parameters"][0]["shape"], json!(["hidden", "hidden + input"]));
    assert_eq!(report["parameters"][0]["count"], json!("hidden * (hidden + input)"));
    let report = run_in(&root(), "cell check lstm --hidden 5 --json").good().json();
    assert_eq!(report["parameters"][0]["shape"], json!([5, "input + 5"]));
    assert_eq!(report["parameters"][0]["count"], json!("5 * (input + 5)"));
}

#[test]
fn an_output_dimension_follows_hidden_unless_given() {
    let folder = Folder::new();
    folder.text("v.cell", "h' = tanh(W x + U h + b)\ny = V h'\n");
    let dim =
        |arguments: &str| folder.run(&format!("cell check v.cell --json {arguments}")).good().json()["output"].clone();
    assert_eq!(dim(""), json!({"name": "y", "dim": "output"}));
    assert_eq!(dim("--hidden 5"), json!({"name": "y", "dim": 5}));
    assert_eq!(dim("--hidden 5 --output 2"), json!({"name": "y", "dim": 2}));
}

#[test]
fn a_wrong_cell_prints_its_json_and_fails() {
    let folder = Folder::new();
    folder.text("wrong.cell", "h' = tanh(W x + U h) + sigmiod(V x)\nz = q\n");
    let run = folder.run("cell check wrong.cell --json");
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = run.json();
    assert_eq!(report["output"], json!(null));
    let first = &report["diagnostics"][0];
    assert_eq!(first["severity"], "error");
    assert_eq!(first["line"], 1);
    assert!(first["code"].as_str().unwrap().starts_with('E'), "{first}");
    assert!(first["column"].as_u64().unwrap() > 20, "{first}");
    assert!(first.to_string().contains("sigmoid"), "{first}");
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6);
}

#[test]
fn a_wrong_cell_is_rendered_for_people() {
    let folder = Folder::new();
    folder.text("wrong.cell", "h' = tanh(W x + U h) + sigmiod(V x)\n");
    for command in ["check", "show", "grad"] {
        let run = folder.run(&format!("cell {command} wrong.cell"));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.out.is_empty() && run.err.contains("wrong.cell:1:") && run.err.contains("sigmoid"), "{run:?}");
    }
}

#[test]
fn sizes_that_a_cell_forbids_fail() {
    let run = run_in(&root(), "cell check mut1 --input 3 --hidden 5 --json");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.json()["diagnostics"][0]["severity"], "error");
    assert_eq!(run.json()["states"][0]["dim"], 5);
    run_in(&root(), "cell check mut1 --input 5 --hidden 5 --json").good();
}

#[test]
fn an_unreadable_file_prints_its_json_and_fails() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("bytes.cell"), [b'h', 0xff, 0xfe]).unwrap();
    for (cell, part) in
        [("bytes.cell", "byte 1"), ("missing.cell", "No such file"), ("lsmt", "`lstm`"), (".", "directory")]
    {
        let run = folder.run(&format!("cell check {cell} --json"));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert_eq!(run.json()["diagnostics"][0]["code"], "E000");
        assert!(run.json()["diagnostics"][0]["message"].as_str().unwrap().contains(part), "{run:?}");
    }
}

#[test]
fn diagnostics_are_bounded() {
    let folder = Folder::new();
    let lines: String = (0..3000).map(|i| format!("a{i} = sigmiod(\\\\\\\"{})\n", "\\".repeat(200))).collect();
    folder.text("many.cell", &lines);
    let run = folder.run("cell check many.cell --json");
    assert_eq!(run.code, Some(1));
    assert!(run.json()["diagnostics"].as_array().unwrap().len() <= 20);
    assert!(run.out.len() < 17 << 10, "{}", run.out.len());
}

#[test]
fn the_list_names_every_cell_with_its_sizes() {
    let list = run_in(&root(), "cell list").good().out;
    let cells = run_in(&root(), "cell list --json").good().json();
    let cells = cells.as_array().unwrap();
    assert!(cells.len() > 3);
    for cell in cells {
        let name = cell["name"].as_str().unwrap();
        assert!(!cell["about"].as_str().unwrap().is_empty(), "{name} has no documentation");
        assert!(list.lines().any(|l| l.split_whitespace().next() == Some(name)), "{name}");
    }
}

#[test]
fn what_is_shown_is_the_same_cell() {
    let folder = Folder::new();
    let canonical = |cell: &str| folder.run(&format!("cell check {cell} --json")).good().json()["canonical"].clone();
    for cell in ["lstm", "gru", "mut1"] {
        for format in ["text", "latex"] {
            folder.text("shown.cell", &folder.run(&format!("cell show {cell} --format {format}")).good().out);
            assert_eq!(canonical("shown.cell"), canonical(cell), "{cell} as {format}");
        }
    }
}

#[test]
fn programs_are_shown() {
    let program = run_in(&root(), "cell show gru --format program").good().out;
    let backward = run_in(&root(), "cell show gru --format backward").good().out;
    assert!(program.lines().count() > 5 && backward.lines().count() > 5 && program != backward);
}

#[test]
fn a_scan_is_linear_in_its_states() {
    let scan = |cell: &str| run_in(&root(), &format!("cell check {cell} --json")).good().json()["scan"].clone();
    for cell in ["min-gru", "min-lstm", "rg-lru", "sru", "qrnn"] {
        assert_eq!(scan(cell), true, "{cell}");
    }
    for cell in ["indrnn", "unicornn", "mut1", "slstm"] {
        assert_eq!(scan(cell), false, "{cell}");
    }
    let folder = Folder::new();
    for (update, wanted) in [
        ("-h / (1 + x) + 2 * (b - h)", true),
        ("h * sigmoid(b * h) + x", false),
        ("x / h", false),
        ("max(h, x)", false),
        ("h * h", false),
        ("mean(h) + x", false),
    ] {
        folder.text("update.cell", &format!("h' = {update}\ny = V tanh(h')\n"));
        assert_eq!(folder.run("cell check update.cell --json").good().json()["scan"], wanted, "{update}");
    }
}

#[test]
fn messages_tell_sizes_where_given() {
    let folder = Folder::new();
    folder.text("narrow.cell", "param W : hidden x hidden\nh' = tanh(W [h, x])\n");
    let text = folder.run("cell check narrow.cell --json --input 4 --hidden 8").json()["diagnostics"][0].to_string();
    assert!(text.contains("hidden + input = 12") && text.contains("hidden = 8"), "{text}");
    folder.text("fixed.cell", "input x : 3\nh' = tanh(W x + U h)\n");
    assert_eq!(folder.run("cell check fixed.cell --json --input 3").code, Some(0));
    let run = folder.run("cell check fixed.cell --json --input 4");
    assert_eq!((run.code, &run.json()["diagnostics"][0]["code"]), (Some(1), &json!("E206")));
}

#[test]
fn other_lines_are_named_in_words() {
    let folder = Folder::new();
    folder.text("cycle.cell", "h' = h + a\n\na = b + x\n\n\n\nb = a\n");
    let text = folder.run("cell check cycle.cell --json").json()["diagnostics"][0].to_string();
    assert!(text.contains("E107") && text.contains("line 7"), "{text}");
}
