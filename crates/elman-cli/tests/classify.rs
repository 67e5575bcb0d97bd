//! `elman train classify` from files to predictions: texts, pictures, series; resumed runs; what is refused.

mod common;

use common::{Folder, Run, elman};
use std::io::Write;
use std::process::Stdio;

/// Reviews whose label is a word of theirs: `fine` or `dull`, at any place.
fn reviews(count: usize) -> String {
    let (kinds, things) = (["old", "new", "long", "short", "loud"], ["film", "book", "song"]);
    let line = |i: usize| {
        let (kind, thing) = (kinds[i * 7 % 5], things[i * 5 % 3]);
        match i % 2 {
            0 => format!("good\ta {kind} and fine {thing}\n"),
            _ => format!("bad\tthis {kind} {thing} was dull\n"),
        }
    };
    "label\ttext\n".to_string() + &(0..count).map(line).collect::<String>()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.text("reviews.tsv", &reviews(120));
    folder
}

const SMALL: &str = "train classify --data reviews.tsv --hidden 8 --embedding 8 --characters 6 --ngrams 512 --batch 8 \
    --epochs 3 --rate 0.02 --average-from 2 --threads 1";

fn train(folder: &Folder, flags: &str, out: &str) -> Run {
    folder.run(&format!("{SMALL} {flags} --out {out}"))
}

fn bytes(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path().join(name)).unwrap()
}

/// What the program prints of a text on standard input.
fn answered(folder: &Folder, text: &str, arguments: &[&str]) -> String {
    let (from, to) = (Stdio::piped(), Stdio::piped());
    let mut process = elman(arguments).current_dir(folder.path()).stdin(from).stdout(to).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn from_a_file_to_a_prediction() {
    let folder = folder();
    train(&folder, "", "run").good();
    assert!(folder.path().join("run/report.html").is_file());

    let measured = folder.run("eval run --json").good().json();
    assert_eq!(measured["values"][0], serde_json::json!(["accuracy", 1.0]), "{measured}");
    let baseline = &measured["details"]["baseline"];
    assert_eq!(baseline["figures"]["accuracy"]["value"], 1.0, "{measured}");
    assert_eq!(baseline["gain"]["accuracy"]["value"], 0.0, "{measured}");
    let kept = bytes(&folder, "run/baseline.json");
    let table = folder.run("eval run").good().out;
    for part in [
        "macro_f1",
        "precision",
        "wanted \\ given",
        "95% intervals",
        "baseline accuracy   1.0000",
        "model - baseline    accuracy ",
    ] {
        assert!(table.contains(part), "{table}");
    }
    assert_eq!(kept, bytes(&folder, "run/baseline.json"));

    let out =
        answered(&folder, "A new and fine film\n\nthis song was dull", &["predict", "run", "--json", "--top", "2"]);
    let lines: Vec<serde_json::Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert_eq!((&lines[0]["label"], &lines[0]["line"]), (&"good".into(), &1.into()), "{out}");
    assert_eq!((&lines[2]["label"], &lines[2]["labels"][1]["label"]), (&"bad".into(), &"good".into()), "{out}");
}

#[test]
fn a_resumed_run_is_the_same_bits() {
    let folder = folder();
    train(&folder, "", "whole").good();
    let out = folder.path().join("parts");
    let mut process = elman(&SMALL.split_whitespace().chain(["--out", "parts"]).collect::<Vec<_>>())
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !out.exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    folder.run("resume parts --threads 2").good();
    assert_eq!(bytes(&folder, "whole/model.safetensors"), bytes(&folder, "parts/model.safetensors"));
}

/// What is said of a person, where the same sentence says the contrary of another.
fn said_of(count: usize) -> String {
    let names = ["anna", "boris", "clara", "david", "elena"];
    let line = |i: usize| {
        let (kind, rude) = (names[i * 3 % 5], names[(i * 3 + 1 + i / 5 % 4) % 5]);
        let sentence = match i / 2 % 2 {
            0 => format!("{kind} is kind and {rude} is rude"),
            _ => format!("{rude} is rude but {kind} is kind"),
        };
        if i.is_multiple_of(2) { format!("{sentence}\t{kind}\tgood\n") } else { format!("{sentence}\t{rude}\tbad\n") }
    };
    "sentence\tname\tlabel\n".to_string() + &(0..count).map(line).collect::<String>()
}

#[test]
fn a_text_of_two_columns_is_read_where_they_meet() {
    let folder = Folder::new();
    folder.text("said.tsv", &said_of(240));
    let columns = "--data said.tsv --text sentence,name --label label";
    let model = "--hidden 12 --embedding 12 --characters 0 --ngrams 0 --dropout 0.1 --batch 8 --epochs 12 --rate 0.02";
    folder.run(&format!("train classify {columns} {model} --threads 1 --out run")).good();
    let measured = folder.run("eval run --json").good().json();
    assert_eq!(measured["values"][0], serde_json::json!(["accuracy", 1.0]), "{measured}");
    let texts = "anna is rude but elena is kind | elena\nanna is rude but elena is kind | anna\n";
    let out = answered(&folder, texts, &["predict", "run"]);
    let labels: Vec<&str> = out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(labels, ["good", "bad"], "{out}");

    folder.text("one.txt", "anna is rude | anna\nanna is rude\n");
    let refused = folder.run("predict run --data one.txt");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("one.txt:2: the text: the model reads 2 columns, this has 1; write them"),
        "{refused:?}"
    );
    // A header over one row, rows in JSON, and rows without the column.
    folder.text("new.tsv", "sentence\tname\nanna is rude\tanna\n");
    assert!(folder.run("predict run --data new.tsv").good().out.starts_with("bad\t"));
    folder.text("new.jsonl", "{\"sentence\": \"anna is rude\", \"name\": \"anna\"}\n");
    assert!(folder.run("predict run --data new.jsonl").good().out.starts_with("bad\t"));
    folder.text("other.jsonl", "{\"line\": \"anna is rude\", \"name\": \"anna\"}\n");
    folder.run("predict run --data other.jsonl").one_error(&["other.jsonl", "no column `sentence`"]);
    folder.text("moves.ts", "@problemName a\n@classLabel true x y\n@data\n1,2,3:x\n");
    folder.run("predict run --data moves.ts").one_error(&["moves.ts: this is series (.ts): the model reads texts"]);
}

#[test]
fn a_column_may_have_a_comma_in_its_name() {
    let folder = Folder::new();
    let rows: String = reviews(120).lines().skip(1).map(|l| l.replace('\t', ",") + "\n").collect();
    folder.text("a.csv", &format!("stars,\"said, by whom\"\n{rows}"));
    let flags = format!("{} --epochs 1 --out run", SMALL.replace("reviews.tsv", "a.csv"));
    folder.run(&flags).good();
    folder.text("new.csv", "\"said, by whom\"\na fine film\n");
    assert_eq!(folder.run("predict run --data new.csv").good().out.lines().count(), 1);
    folder.run("eval run").good();
}

/// Vectors of which one number tells praise from blame, also for words that no review has.
const VECTORS: &str = "4 3\nfine 0.9 0.1 0\ndull -0.9 0 0.1\nlovely 0.8 -0.1 0.1\nboring -0.8 0.1 -0.1\n";

#[test]
fn word_vectors_tell_of_words_that_training_lacks() {
    let folder = folder();
    folder.text("words.vec", VECTORS);
    let before = train(&folder, "--vectors words.vec --ngrams 0 --epochs 6", "run").good();
    assert!(before.err.contains("vectors of 4 words, of 2 of the"), "{before:?}");
    std::fs::remove_file(folder.path().join("words.vec")).unwrap();
    let out = answered(&folder, "a new and lovely film\nthis LONG song was boring\n", &["predict", "run"]);
    let labels: Vec<&str> = out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(labels, ["good", "bad"], "{out}");
    folder.run("eval run").good();

    std::fs::write(folder.path().join("run/vector-words.json"), r#"{"format":1,"entries":["fine"]}"#).unwrap();
    folder.run("eval run").one_error(&["vectors.safetensors: 4 vectors, and vector-words.json has 1 words; put the"]);
}

#[test]
fn word_vectors_that_cannot_be_read_are_refused() {
    let folder = folder();
    folder.text("cut.vec", "fine 0.9 0.1\ndull -0.9\n");
    train(&folder, "--vectors cut.vec", "run").one_error(&["cut.vec:2: 1 numbers where the first word has 2"]);
    train(&folder, "--vectors none.vec", "run").one_error(&["none.vec"]);
    train(&folder, "--vectors cut.vec --unit char", "run").one_error(&["data.vectors are of words", "leave them out"]);
    assert!(!folder.path().join("run").exists());
    folder.text("wide.vec", "the 1 2 3 4 5 6 7 8\nof 8 7 6 5 4 3 2 1\n");
    let told = folder.run("data wide.vec").good().out;
    assert!(told.contains("word vectors") && told.contains("8 numbers each"), "{told}");
    folder
        .run("train wide.vec")
        .one_error(&["wide.vec: this is word vectors", "beside examples: elman train classify"]);
    folder.run("train classify --data wide.vec").one_error(&["wide.vec: this is word vectors: they stand beside"]);
    pictures(&folder);
    let refused = folder.run("train classify --data a.idx --labels labels.idx --vectors cut.vec --out run");
    refused.one_error(&["a.idx: these are no texts, and --vectors (data.vectors) is for texts: leave it out"]);
    train(&folder, "--folds 100", "run")
        .one_error(&["reviews.tsv: ", "examples are too few for 100 folds: take at most"]);
    let refused = folder.run("train classify --data a.idx --labels labels.idx --embedding 8 --out run");
    refused.one_error(&["--embedding (model.embedding) is for texts"]);
    train(&folder, "--shift 2", "run")
        .one_error(&["reviews.tsv: these are texts, and --shift (data.shift) is for pictures"]);
    train(&folder, "--heads 2", "run")
        .one_error(&["--heads is of a transformer: leave it out, or choose with --model"]);
}

/// An idx file of dimensions and bytes.
fn idx(folder: &Folder, name: &str, dims: &[u32], data: &[u8]) {
    let mut all = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|n| all.extend(n.to_be_bytes()));
    all.extend(data);
    std::fs::write(folder.path().join(name), all).unwrap();
}

/// Pictures of 4 × 5 pixels with a bright row or a bright column.
fn pictures(folder: &Folder) {
    let count = 80u32;
    let picture = |i: u32| -> Vec<u8> {
        let bright = |p: u32| match i % 2 {
            0 => p / 5 == i / 2 % 4,
            _ => p % 5 == i / 2 % 5,
        };
        (0..20).map(|p| if bright(p) { 200 + (i * p % 50) as u8 } else { (i * 31 + p) as u8 % 20 }).collect()
    };
    idx(folder, "a.idx", &[count, 4, 5], &(0..count).flat_map(picture).collect::<Vec<u8>>());
    idx(folder, "labels.idx", &[count], &(0..count).map(|i| (i % 2) as u8).collect::<Vec<u8>>());
}

#[test]
fn pictures_as_rows_pixels_and_whole() {
    let folder = Folder::new();
    pictures(&folder);
    let flags = "--hidden 12 --batch 8 --epochs 12 --rate 0.02 --dropout 0 --threads 1";
    for steps in ["rows", "pixels", "whole"] {
        let data = format!("--data a.idx --labels labels.idx --as {steps} --out {steps}");
        folder.run(&format!("train classify {data} {flags}")).good();
        let measured = folder.run(&format!("eval {steps} --json")).good().json();
        assert!(measured["score"].as_f64().unwrap() > 0.8, "{steps}: {measured}");
        let said = folder.run(&format!("predict {steps} --data a.idx")).good().out;
        assert_eq!(said.lines().count(), 80);
        assert!(said.lines().next().unwrap().ends_with("a.idx: picture 1"), "{said}");
    }
    folder.run(&format!("train classify --data a.idx --labels labels.idx --shift 1 {flags} --out moved")).good();
    assert_ne!(bytes(&folder, "moved/model.safetensors"), bytes(&folder, "rows/model.safetensors"));
    idx(&folder, "other.idx", &[1, 5, 4], &[0; 20]);
    folder.run("predict rows --data other.idx").one_error(&["other.idx: picture 1", "5 × 4 × 1", "4 × 5 × 1"]);
}

#[test]
fn characters_and_folds() {
    let folder = Folder::new();
    let gene = |i: usize| {
        let letters: String = (0..12).map(|k| ['A', 'C', 'G', 'T'][(i * 7 + k * k * 3 + i / 3) % 4]).collect();
        if i.is_multiple_of(2) {
            format!("donor,{}GGT{}\n", &letters[..5], &letters[5..])
        } else {
            format!("none,AA{letters}C\n")
        }
    };
    folder.text("genes.csv", &("class,bases\n".to_string() + &(0..90).map(gene).collect::<String>()));
    let flags = "--unit char --hidden 8 --batch 8 --epochs 4 --rate 0.02 --ngrams 0 --threads 1";
    let run = folder.run(&format!("train classify --data genes.csv --folds 3 {flags} --out folds")).good();
    assert!(
        run.out.starts_with("3 folds, accuracy on the share left out: mean ")
            && run.out.contains("baseline, linear")
            && run.out.contains(" of 3 folds\n"),
        "{run:?}"
    );
    let tested: usize = (1..=3)
        .map(|fold| {
            let figures = folder.run(&format!("eval folds/{fold} --json")).good().json();
            figures["details"]["examples"].as_u64().unwrap() as usize
        })
        .sum();
    assert_eq!(tested, 90);
}

#[test]
fn what_cannot_work_is_said() {
    let folder = folder();
    pictures(&folder);
    folder.run("train classify --data a.idx --out x").one_error(&["a.idx: picture 1 has no label", "--labels"]);
    folder.text("one.tsv", "label\ttext\ngood\ta b\ngood\tc d\ngood\te f\n".repeat(10).as_str());
    folder.run("train classify --data one.tsv --label label --out x").one_error(&["one.tsv", "label"]);
    folder.run("train classify --data reviews.tsv --label lable --out x").one_error(&["lable", "did you mean `label`"]);
    folder.run("train classify --data nowhere.tsv --out x").one_error(&["nowhere.tsv"]);
    folder.text("plain.txt", "a b\n");
    let mistyped = folder.run("train classify --data plain.txt --labels nowhere.txt --out x");
    mistyped.one_error(&["nowhere.txt: there is no such file", "--labels"]);
    folder.run("train classify --data reviews.tsv --ngrams 99999999 --out x").one_error(&["model.ngrams is 99999999"]);
    folder.text("test.tsv", "label\ttext\nugly\ta b\n");
    folder.run("train classify --data reviews.tsv --test test.tsv --out x").one_error(&[
        "test.tsv:2",
        "the label `ugly` does not occur in training",
        "`bad`, `good`",
    ]);
    train(&folder, "--epochs 1", "run").good();
    folder.run("eval run --data a.idx").one_error(&["a.idx"]);
    folder.text("run/labels.json", "{}");
    folder.run("predict run").one_error(&["run/labels.json", "train again"]);
}

#[test]
fn a_file_for_each_label_and_a_file_of_labels() {
    let folder = Folder::new();
    let all = reviews(120);
    let of = |label: &str| {
        all.lines().filter_map(|l| l.strip_prefix(label)).map(|l| format!("{}\n\n", l.trim())).collect::<String>()
    };
    folder.text("reviews.good", &of("good\t"));
    folder.text("reviews.bad", &of("bad\t"));
    let small = "--hidden 8 --embedding 8 --characters 6 --ngrams 512 --batch 8 --epochs 3 --rate 0.02 --threads 1";
    let files = "--data reviews.good,reviews.bad --labels good,bad";
    let said = folder.run(&format!("train classify {files} {small} --out run")).good().err;
    assert!(said.contains("reviews.good: label `good` for all its lines"), "{said}");
    let one = folder.run("eval run --json --data reviews.bad --labels bad").good().json();
    assert_eq!(one["values"][0], serde_json::json!(["accuracy", 1.0]), "{one}");

    let (labels, texts): (Vec<&str>, Vec<&str>) = all.lines().skip(1).filter_map(|l| l.split_once('\t')).unzip();
    folder.text("labels", &labels.join("\n"));
    folder.text("texts", &texts.join("\n"));
    let measured = folder.run("eval run --json --data texts --labels labels").good().json();
    assert_eq!(measured["values"][0], serde_json::json!(["accuracy", 1.0]), "{measured}");
    folder.text("labels", &labels[1..].join("\n"));
    let refused = folder.run("eval run --data texts --labels labels");
    refused.one_error(&["texts has 120 lines", "labels has 119"]);
}

#[test]
fn flags_win_over_the_settings_of_a_file_without_the_task_being_named() {
    let folder = folder();
    train(&folder, "--max-steps 2", "run").good();
    folder.run("train --config run/config.toml --seed 3 --max-steps 1 --out other").good();
    let written = String::from_utf8(bytes(&folder, "other/config.toml")).unwrap();
    for line in ["seed = 3", "max_steps = 1", "hidden = 8"] {
        assert!(written.lines().any(|l| l == line), "{line}: {written}");
    }
    folder.run("train --config=run/config.toml --max-steps 1 --out third").good();
    let refused = folder.run("train lm --config run/config.toml --out x");
    refused.one_error(&["run/config.toml", "of the task `classify`", "elman train classify --config"]);
    folder.run("predict run --beam 1001").one_error(&["numbers from 1 to 1000"]);
    for flag in ["--batch 7", "--dtype int8"] {
        folder.run(&format!("eval run {flag}")).one_error(&["run: ", flag.split(' ').next().unwrap(), "leave it out"]);
    }
    folder.text("wrong.toml", "epochs = 3\n");
    folder
        .run("train classify --config wrong.toml --data reviews.tsv")
        .one_error(&["wrong.toml:1: there is no key `epochs` here: it is one of [train]"]);
    folder
        .run("train classify --config run --data reviews.tsv")
        .one_error(&["run: this is a folder; give a TOML file"]);
    folder.text("tagged.conllu", "1\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n\n");
    folder.run("train classify --data tagged.conllu").one_error(&["CoNLL-U", "elman train tag"]);
    folder.run("predict run --data tagged.conllu").one_error(&["CoNLL-U", "elman train tag"]);
    folder.text("crf.toml", "[model]\ncrf = true\n");
    folder
        .run("train classify --config crf.toml --data reviews.tsv")
        .one_error(&["model.crf is of the task tag: leave it out"]);
    for flag in ["--carry", "--dtype int8", "--beam 3", "--length-penalty 1", "--documents x.txt"] {
        let refused = folder.run(&format!("predict run {flag}"));
        refused.one_error(&["run: ", "no use for ", flag.split(' ').next().unwrap(), "leave it out"]);
    }
    for other in ["generate run", "chat run"] {
        folder.run(other).one_error(&["run: this run is of the task `classify`", "elman predict run"]);
    }
}

#[test]
fn tables_and_other_encodings_are_answered() {
    let folder = Folder::new();
    let text = |i: usize| if i.is_multiple_of(2) { "déjà vu, fine" } else { "d’un ennui, dull" };
    let line = |i: usize| format!("{}\t{}\t{}\n", i, ["good", "bad"][i % 2], text(i));
    let table = "id\tlabel\ttext\n".to_string() + &(0..80).map(line).collect::<String>();
    let latin: Vec<u8> = table.chars().map(|c| if c == '’' { 0x92 } else { c as u8 }).collect();
    std::fs::write(folder.path().join("latin.tsv"), &latin).unwrap();
    let small = "--hidden 8 --embedding 8 --characters 6 --ngrams 512 --batch 8 --epochs 4 --rate 0.02 --threads 1";
    let files = "--data latin.tsv --encoding windows-1252 --text text --label label";
    folder.run(&format!("train classify {files} {small} --out run")).good();

    // A table of the columns of training, in the encoding of training; then in another.
    let answers = |run: Run| -> Vec<serde_json::Value> {
        run.good().out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    };
    let of_table = answers(folder.run("predict run --data latin.tsv --json"));
    assert_eq!((of_table.len(), &of_table[0]["text"]), (80, &"déjà vu, fine".into()), "{:?}", of_table[0]);
    assert_eq!((&of_table[0]["line"], &of_table[1]["label"]), (&2.into(), &"bad".into()));
    folder.text("utf8.txt", "déjà vu, fine\n");
    let other = answers(folder.run("predict run --data utf8.txt --encoding utf-8 --json"));
    assert_eq!(other[0]["text"], "déjà vu, fine");
    folder.text("rows.jsonl", "{\"text\": \"d’un ennui\", \"id\": 1}\n{\"text\": \"fine\", \"id\": 2}\n");
    let rows = answers(folder.run("predict run --data rows.jsonl --encoding utf-8 --json"));
    assert_eq!((rows.len(), &rows[0]["text"]), (2, &"d’un ennui".into()));

    let out = answered(&folder, "déjà\n", &["predict", "run", "--json"]);
    assert!(out.contains("\"text\":\"déjà\""), "{out}");
}

#[test]
fn folds_go_on_and_other_files_have_pages_of_their_own() {
    let folder = folder();
    let folds = |more: &str| folder.run(&format!("{SMALL} --folds 3 --out all {more}"));
    let first = folds("--max-steps 4").good().out;
    let times = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().modified().unwrap();
    let before = times("all/2/model.safetensors");
    std::fs::remove_dir_all(folder.path().join("all/3")).unwrap();
    assert_eq!(folds("--max-steps 4").good().out, first);
    assert_eq!(times("all/2/model.safetensors"), before);
    folds("--max-steps 5").one_error(&["all/1", "a run of other settings", "another --out"]);
    let other = folder.run(&format!("{SMALL} --folds 2 --max-steps 2 --choose macro-f1 --out f1")).good().out;
    assert!(other.starts_with("2 folds, macro F1 on the share left out: "), "{other}");
    folder.run("eval all").one_error(&["all: its folders are the runs of a cross-validation", "all/1"]);
    folder.text("list.toml", "[data]\ntrain = \"reviews.tsv\"\n");
    folder.run("train classify --config list.toml --out x").one_error(&["list.toml:2", "a list in brackets"]);
    folder.run(&format!("{SMALL} --folds 1 --out x")).one_error(&["--folds is 1", "from 2 to 1000"]);

    let page = bytes(&folder, "all/1/report.html");
    folder.text("other.tsv", &reviews(20));
    folder.run("eval all/1 --data other.tsv").good();
    assert_eq!(bytes(&folder, "all/1/report.html"), page);
    let other = String::from_utf8(bytes(&folder, "all/1/report-other.tsv.html")).unwrap();
    assert!(other.contains("other.tsv"), "{other}");
}

#[test]
fn columns_that_were_found_are_those_of_new_files() {
    let folder = folder();
    train(&folder, "--max-steps 1", "run").good();
    let written = String::from_utf8(bytes(&folder, "run/config.toml")).unwrap();
    let text = written.lines().find(|line| line.starts_with("text = ")).unwrap().to_string();
    let name = text.trim_start_matches("text = ").trim_matches('"').to_string();
    // A table is read as one, label and all.
    folder.text("new.tsv", &format!("label\t{name}\ngood\ta fine film\nbad\tso dull\n"));
    let answers = folder.run("predict run --data new.tsv").good().out;
    assert!(answers.lines().count() == 2 && answers.lines().all(|l| l.split('\t').count() == 3), "{answers}");
    folder.text("other.tsv", "label\topinion\ngood\ta fine film\n");
    folder.run("predict run --data other.tsv").one_error(&["other.tsv", &format!("no column `{name}`")]);
    // Lines of a label and a text are such where all labels are known, and else they are texts.
    folder.text("lines.txt", &"good a fine film\nbad so dull\n".repeat(20));
    assert!(folder.run("predict run --data lines.txt").good().out.lines().all(|l| !l.ends_with("good a fine film")));
    folder.text("lines.txt", &"nice a fine film\nbad so dull\n".repeat(20));
    assert!(folder.run("predict run --data lines.txt").good().out.contains("\tnice a fine film\n"));
    // A run that was measured has had a model.
    std::fs::remove_file(folder.path().join("run/model.safetensors")).unwrap();
    folder.run("predict run --data new.tsv").one_error(&["there is no model, though", "put the file back"]);
}

#[test]
fn a_linear_model_answers_together_with_the_network() {
    let folder = folder();
    train(&folder, "--max-steps 4 --linear", "run").good();
    let measured = folder.run("eval run --json").good().json();
    assert_eq!(measured["values"][0], serde_json::json!(["accuracy", 1.0]), "{measured}");
    folder.text("new.txt", "a new and fine film\n");
    let answer = folder.run("predict run --data new.txt --json").good().out;
    assert!(answer.contains("\"label\":\"good\""), "{answer}");
    train(&folder, "--max-steps 4", "alone").good();
    let alone = folder.run("predict alone --data new.txt --json").good().out;
    // The networks learn the same; how much each counts is fitted behind them.
    let tensors = |run: &str| -> std::collections::BTreeMap<String, Vec<u8>> {
        let file = bytes(&folder, &format!("{run}/model.safetensors"));
        let (header, numbers) = file[8..].split_at(u64::from_le_bytes(file[..8].try_into().unwrap()) as usize);
        let header: serde_json::Value = serde_json::from_slice(header).unwrap();
        let place = |tensor: &serde_json::Value, k: usize| tensor["data_offsets"][k].as_u64().map(|at| at as usize);
        let one = |(name, t): (&String, &serde_json::Value)| {
            Some((name.clone(), numbers[place(t, 0)?..place(t, 1)?].to_vec()))
        };
        header.as_object().unwrap().iter().filter_map(one).collect()
    };
    let mut both = tensors("run");
    let together = both.remove("together").unwrap();
    assert!(both == tensors("alone"));
    let weights: Vec<f32> = together.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    assert!(weights.len() == 2 && weights != [0.5, 0.5] && weights.iter().all(|w| *w >= 0.0), "{weights:?}");
    // The baseline is the same model, whether it was trained for the run or after it.
    folder.run("eval alone").good();
    assert_eq!(bytes(&folder, "run/baseline.json"), bytes(&folder, "alone/baseline.json"));
    assert_ne!(answer, alone);
    let kept = String::from_utf8(bytes(&folder, "run/linear.json")).unwrap();
    folder.text("run/linear.json", &kept.replace("\"idf\":[", "\"idf\":[1.0,"));
    folder.run("predict run --data new.txt").one_error(&["run/linear.json", "train again"]);
    folder.run(&format!("{SMALL} --linear --unit char --out x")).one_error(&["model.linear", "leave it out"]);
}
