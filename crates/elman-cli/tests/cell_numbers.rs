//! `elman cell bench`, `grad` and `explain`.

mod common;

use common::{Folder, root, run_in};

#[test]
fn bench_prints_the_keys_in_their_order() {
    for extra in ["", "--backward", "--stream", "--lengths uniform", "--layers 2 --bidirectional --backward"] {
        let arguments = "cell bench lstm --input 3 --hidden 5 --batch 2 --steps 4 --threads 1 --json";
        let run = run_in(&root(), &format!("{arguments} {extra}")).good();
        let keys = [
            "cell",
            "steps",
            "batch",
            "input",
            "hidden",
            "layers",
            "bidirectional",
            "backward",
            "threads",
            "dtype",
            "isa",
            "median_us",
            "min_us",
            "p99_us",
            "gflops",
            "repeats",
        ];
        let places: Vec<usize> = keys.iter().map(|k| run.out.find(&format!("\"{k}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{}", run.out);
        let json = run.json();
        assert_eq!(json.as_object().unwrap().len(), keys.len());
        assert_eq!(json["dtype"], "f32");
        assert!(json["repeats"].as_u64().unwrap() >= 7);
        let us = |key: &str| json[key].as_f64().unwrap();
        assert!(0.0 < us("min_us") && us("min_us") <= us("median_us") && us("median_us") <= us("p99_us"), "{json}");
    }
}

#[test]
fn bench_times_weights_of_fewer_bits() {
    let arguments = "cell bench mut1 --input 5 --hidden 5 --batch 2 --steps 4 --threads 1 --json";
    for dtype in ["bf16", "int8"] {
        for extra in ["", "--stream"] {
            let json = run_in(&root(), &format!("{arguments} --dtype {dtype} {extra}")).good().json();
            assert_eq!(json["dtype"], dtype);
            assert!(json["median_us"].as_f64().unwrap() > 0.0);
        }
    }
}

#[test]
fn bench_counts_operations_of_products() {
    let arguments = "cell bench lstm --input 3 --hidden 5 --batch 2 --steps 4 --threads 1 --json";
    for (extra, tokens) in [("", 8.0), ("--backward", 24.0), ("--stream", 2.0)] {
        let json = run_in(&root(), &format!("{arguments} {extra}")).good().json();
        let operations = json["gflops"].as_f64().unwrap() * 1e3 * json["median_us"].as_f64().unwrap();
        // Four gates of 5 × (5 + 3), two operations each.
        let wanted = tokens * 4.0 * 5.0 * 8.0 * 2.0;
        assert!((operations / wanted - 1.0).abs() < 1e-9, "{extra}: {operations}, wanted {wanted}");
    }
}

#[test]
fn what_cannot_run_is_refused() {
    let run = |extra: &str| run_in(&root(), &format!("cell bench lstm --input 3 --batch 2 --steps 4 {extra}"));
    run("--hidden 5 --dtype bf16 --backward").one_error(&["bf16", "train in f32"]);
    run("--hidden 5 --stream --bidirectional").one_error(&["stream"]);
    run("--hidden 400000").one_error(&["memory"]);
    let overflow = run("--hidden 2000000000");
    assert!(overflow.code == Some(1) && overflow.err.starts_with("error[E208]"), "{overflow:?}");
}

#[test]
fn derivatives_agree_with_differences() {
    for cell in ["tanh", "lstm", "gru", "mut1"] {
        let arguments = format!("cell grad {cell} --hidden 4 --layers 2 --bidirectional --merge mean --json");
        let json = run_in(&root(), &arguments).good().json();
        assert_eq!(json["passed"], true);
        assert!(json["worst"].as_f64().unwrap() <= 1e-6, "{json}");
        assert!(json["denominator"].as_str().unwrap().contains("max("));
        assert_eq!(json["inputs"][0]["name"], "x");
        assert_eq!(json["states"].as_array().unwrap().len() % 4, 0);
    }
}

#[test]
fn a_tolerance_that_is_not_met_fails() {
    let run = run_in(&root(), "cell grad lstm --tolerance 1e-300 --json");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.json()["passed"], false);
}

#[test]
fn explain_says_what_leaves_the_loop() {
    let folder = Folder::new();
    let text = folder.run("cell explain lstm --hidden 16 --steps 10 --batch 4 --threads 1").good().out;
    assert!(text.contains("Ahead of the time loop") && text.contains("Lower bound"), "{text}");
    let json = folder.run("cell explain lstm --hidden 16 --steps 10 --batch 4 --threads 1 --json").good().json();
    assert!(json["bound_us"].as_f64().unwrap() > 0.0 && json["peak_gflops"].as_f64().unwrap() > 0.1, "{json}");
}

#[test]
fn cells_that_attend_are_shown_explained_checked_and_timed() {
    let run = |line: &str| run_in(&root(), line).good();
    let check = run("cell check gru-attention --input 3 --hidden 5 --output 4 --json").json();
    assert_eq!(check["memories"], serde_json::json!([{"name": "k", "dim": 5}, {"name": "m", "dim": 4}]));
    assert!(run("cell show lstm-attention --format latex").out.contains("\\operatorname{attend}("));
    assert!(run("cell show lstm-attention --format backward").out.contains("dm += attend_memory("));
    let explained = run("cell explain gru-attention --hidden 16 --batch 4 --steps 10").out;
    assert!(explained.contains("attention, for a: ") && explained.contains("at 10 slots of k, m"), "{explained}");
    for cell in ["gru-attention", "lstm-attention --output 3", "lstm-attention-dot --layers 2 --bidirectional"] {
        let grad = run(&format!("cell grad {cell} --hidden 4 --input 4 --steps 4 --entries 9 --json")).json();
        assert_eq!(grad["passed"], true, "{grad}");
        assert!(!grad["memories"].as_array().unwrap().is_empty(), "{grad}");
    }
    for extra in ["--backward", "--stream", "--dtype int8", "--backward --recompute --lengths uniform"] {
        let line = "cell bench gru-attention --input 5 --hidden 6 --batch 3 --steps 4 --threads 2 --json";
        assert!(run(&format!("{line} {extra}")).json()["median_us"].as_f64().unwrap() > 0.0);
    }
}
