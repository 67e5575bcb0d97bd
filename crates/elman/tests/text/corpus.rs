//! Corpora: parts from files and parts cut from one file.

use elman::text::corpus::Files;
use elman::text::vocabulary::Cut;
use elman::text::{Corpus, TextError, Tokenizer, Unit};
use std::path::Path;

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_string()
}

fn load(files: &Files, unit: Unit) -> Result<Corpus, TextError> {
    Corpus::load(files, unit, Cut::default())
}

#[test]
fn three_files_are_three_parts() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files {
        train: write(folder.path(), "a", "one two\ntwo three\n"),
        valid: Some(write(folder.path(), "b", "two four\n")),
        test: Some(write(folder.path(), "c", "three\n\none")),
        encoding: None,
    };
    let corpus = load(&files, Unit::Word).unwrap();
    assert_eq!(corpus.tokenizer.size(), 5);
    assert_eq!(corpus.train.ids, [3, 2, 1, 2, 4, 1]);
    assert_eq!((corpus.valid.ids, corpus.valid.unknown), (vec![2, 0, 1], 1));
    let test = corpus.test.unwrap();
    assert_eq!((test.ids, test.lines, test.characters), (vec![4, 1, 1, 3, 1], 3, 11));
}

#[test]
fn the_last_tenths_of_one_file_are_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..1000).map(|i| format!("w{i} x")).collect();
    let text = lines.join("\n") + "\n";
    let file = write(folder.path(), "a", &text);
    let corpus = load(&Files { train: file.clone(), ..Files::default() }, Unit::Word).unwrap();
    let test = corpus.test.unwrap();
    let counts = [corpus.train.lines, corpus.valid.lines, test.lines];
    assert_eq!(counts.iter().sum::<u64>(), 1000);
    assert!((795..815).contains(&counts[0]) && (95..105).contains(&counts[1]), "{counts:?}");
    // Each word stands once, so every one of the held-out lines has an unknown word: they were not counted.
    assert_eq!((corpus.valid.unknown, test.unknown), (corpus.valid.lines, test.lines));
    assert_eq!(corpus.train.unknown, 0);
    let corpus =
        load(&Files { train: file.clone(), test: Some(file.clone()), ..Files::default() }, Unit::Word).unwrap();
    assert_eq!(corpus.train.lines + corpus.valid.lines, 1000);
    assert_eq!(corpus.test.unwrap().lines, 1000);
    let corpus = load(&Files { train: file.clone(), valid: Some(file), ..Files::default() }, Unit::Word).unwrap();
    assert!(corpus.test.is_none() && corpus.train.lines == 1000);
}

#[test]
fn one_long_line_is_cut_at_spaces_or_between_characters() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["пять слов в одной строке ".repeat(40), "ж".repeat(500)] {
        let file = write(folder.path(), "a", &text);
        let corpus = load(&Files { train: file, ..Files::default() }, Unit::Character).unwrap();
        let parts = [&corpus.train, &corpus.valid, corpus.test.as_ref().unwrap()];
        let ids = parts.map(|p| p.ids.clone()).concat();
        assert_eq!(corpus.tokenizer.decode(&ids).unwrap(), text.clone() + "\n");
        assert!(corpus.train.ids.len() * 10 >= text.chars().count() * 8 - 10);
        assert!(!text.contains(' ') || corpus.tokenizer.decode(&corpus.train.ids).unwrap().ends_with(' '));
    }
}

#[test]
fn an_existing_tokenizer_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a", "other words\n");
    let tokenizer = Tokenizer::learn(Unit::Word, "words\n", Cut::default()).unwrap();
    let files = Files { train: file.clone(), valid: Some(file.clone()), test: Some(file), encoding: None };
    let corpus = Corpus::load_with(&files, tokenizer).unwrap();
    assert_eq!(corpus.test.unwrap().ids, [0, 2, 1]);
}

#[test]
fn corpora_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a", "word\n");
    let told = load(&Files { train: file.clone(), ..Files::default() }, Unit::Word).unwrap_err().to_string();
    assert!(told.contains("tokens, and at least 2 are needed; give a longer text"), "{told}");
    let twice = Files { train: "-".into(), valid: Some("-".into()), ..Files::default() };
    assert!(load(&twice, Unit::Word).unwrap_err().to_string().contains("only one part"));
    let gone = Files { train: file, valid: Some("gone.txt".into()), ..Files::default() };
    assert!(load(&gone, Unit::Word).unwrap_err().to_string().starts_with("gone.txt: there is no such file"));
}
