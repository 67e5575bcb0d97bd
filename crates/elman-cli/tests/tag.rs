//! `elman train tag` and what goes on from it.

mod common;

use common::Folder;
use std::fmt::Write;

/// Sentences whose tags follow from endings and neighbours: `CoNLL-U` with comments, ranges and features.
fn treebank(sentences: usize, first: usize) -> String {
    let (nouns, verbs) = (["cat", "dog", "bird", "farmer", "river"], ["sees", "hears", "likes", "follows"]);
    let mut text = String::new();
    for n in first..first + sentences {
        let words = [
            ("the", "DET"),
            (nouns[n % 5], "NOUN"),
            (verbs[n / 2 % 4], "VERB"),
            ("a", "DET"),
            (nouns[n / 3 % 5], "NOUN"),
            ("quickly", "ADV"),
            (".", "PUNCT"),
        ];
        let _ = writeln!(text, "# sent_id = {n}");
        for (i, (word, tag)) in words.iter().enumerate().skip(n % 2).take(if n % 3 == 0 { 4 } else { 7 }) {
            let id = i + 1 - n % 2;
            if id == 2 {
                let _ = writeln!(text, "2-3\tboth\t_\t_\t_\t_\t_\t_\t_\t_");
            }
            let _ = writeln!(text, "{id}\t{word}\t{word}\t{tag}\t_\tA=b\t0\troot\t_\tSpaceAfter=No");
        }
        text.push('\n');
    }
    text
}

const SMALL: &str = "--hidden 12 --embedding 12 --characters 12 --rate 0.02 --batch 8 --threads 1";

fn trained(folder: &Folder, more: &str) {
    folder.text("train.conllu", &treebank(120, 0));
    folder.text("dev.conllu", &treebank(30, 200));
    let parts = "--data train.conllu --valid dev.conllu --test dev.conllu";
    folder.run(&format!("train tag {parts} --epochs 8 --out run {SMALL} {more}")).good();
}

#[test]
fn a_tagger_learns_and_says_how_well() {
    for crf in ["", "--crf"] {
        let folder = Folder::new();
        trained(&folder, crf);
        let figures = folder.run("eval run --json").good().json();
        assert!(figures["score"].as_f64().unwrap() > 0.99, "{figures}");
        let baseline = &figures["details"]["baseline"]["accuracy"]["value"];
        assert!(baseline.as_f64().unwrap() > 0.99, "{figures}");
        let table = folder.run("eval run --part valid").good().out;
        assert!(table.contains("accuracy") && table.contains("\nNOUN") && table.contains("95% interval"), "{table}");
    }
}

#[test]
fn word_vectors_tell_of_words_that_training_lacks() {
    let folder = Folder::new();
    let words =
        [("the", 0), ("cat", 1), ("dog", 1), ("bird", 1), ("farmer", 1), ("river", 1), ("sees", 2), ("hears", 2)];
    let more = [("likes", 2), ("follows", 2), ("a", 0), ("quickly", 3), ("zq", 1), ("qz", 2)];
    let line = |(word, kind): &(&str, usize)| {
        let numbers: Vec<&str> = (0..4).map(|k| if k == *kind { "1" } else { "0" }).collect();
        format!("{word} {}\n", numbers.join(" "))
    };
    folder.text("words.vec", &words.iter().chain(&more).map(line).collect::<String>());
    trained(&folder, "--characters 0 --vectors words.vec --dropout-words 0.5");
    folder.text("new.txt", "the zq qz a river .\n");
    let out = folder.run("predict run --data new.txt").good().out;
    assert_eq!(out, "the/DET zq/NOUN qz/VERB a/DET river/NOUN ./PUNCT\n");
}

#[test]
fn conllu_comes_back_with_other_tags_alone() {
    let folder = Folder::new();
    trained(&folder, "");
    let wanted = treebank(20, 400);
    let hidden: Vec<String> = wanted
        .lines()
        .map(|line| {
            let mut fields: Vec<&str> = line.split('\t').collect();
            if fields.len() == 10 {
                fields[3] = "_";
            }
            fields.join("\t") + "\n"
        })
        .collect();
    folder.text("new.conllu", &hidden.concat());
    assert_eq!(folder.run("predict run --data new.conllu").good().out, wanted);
    let first = folder.run("predict run --data new.conllu --json --top 2").good().out;
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(first["line"], 1);
    assert_eq!(first["words"][0]["tag"], "DET");
    let tags = first["words"][0]["tags"].as_array().unwrap();
    assert!(tags.len() == 2 && first["words"][0]["probability"].as_f64().unwrap() > 0.5, "{first}");
}

#[test]
fn plain_lines_are_tagged_line_by_line() {
    let folder = Folder::new();
    trained(&folder, "--crf");
    folder.text("lines.txt", "\nthe dog hears a bird quickly.\n\nthe farmer sees a cat quickly .\n");
    let out = folder.run("predict run --data lines.txt").good().out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    assert_eq!([lines[0], lines[2]], ["", ""]);
    assert_eq!(lines[1], "the/DET dog/NOUN hears/VERB a/DET bird/NOUN quickly/ADV ./PUNCT");
    assert!(
        folder.run("predict run --data lines.txt --json").good().out.lines().nth(3).unwrap().contains("\"line\":4")
    );
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    let folder = Folder::new();
    folder.text("dev.conllu", &treebank(30, 200));
    folder.text("untagged.conllu", &treebank(3, 0).replace("\tNOUN\t", "\t_\t"));
    folder.text(
        "one.conllu",
        &treebank(30, 0)
            .replace("NOUN", "X")
            .replace("VERB", "X")
            .replace("DET", "X")
            .replace("ADV", "X")
            .replace("PUNCT", "X"),
    );
    folder.text("prose.txt", "the dog hears a bird\n");
    let train = |file: &str| folder.run(&format!("train tag --data {file} --valid dev.conllu --out run"));
    train("untagged.conllu").one_error(&["untagged.conllu:4", "UPOS", "`cat` has no tag"]);
    train("one.conllu").one_error(&["one.conllu", "all words have the tag `X`"]);
    train("prose.txt").one_error(&["prose.txt:1", "CoNLL-U"]);
    assert!(!folder.path().join("run").exists());
}

#[test]
fn a_file_of_a_few_settings_lies_over_the_defaults_and_flags_over_both() {
    let folder = Folder::new();
    folder.text("train.conllu", &treebank(60, 0));
    folder.text("some.toml", "[model]\nembedding = 10\nbidirectional = true\n[train]\nmax_steps = 2\nbatch = 8\n");
    folder.run("train tag --config some.toml --data train.conllu --directions 1 --batch 4 --out run").good();
    let written = std::fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    for line in
        ["task = \"tag\"", "hidden = 200", "embedding = 10", "bidirectional = false", "max_steps = 2", "batch = 4"]
    {
        assert!(written.lines().any(|l| l == line), "{line}: {written}");
    }
    folder.text("other.toml", "task = \"rank\"\n");
    let refused = folder.run("train tag --config other.toml --data train.conllu --out x");
    refused.one_error(&["other.toml", "task `rank`, not `tag`"]);
    folder.text("none.toml", "[model]\nhiden = 3\n");
    folder.run("train tag --config none.toml --data train.conllu --out x").one_error(&["none.toml:2", "`hiden`"]);
    folder.text("few.toml", "[train]\nbatch = 8\n");
    folder.run("train tag --config few.toml --out x").one_error(&["data.train is missing", "--data FILE"]);
}
