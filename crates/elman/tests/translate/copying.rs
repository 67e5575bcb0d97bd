//! Copying: words that were never seen are found and said again.

use super::trained;
use elman::task::settings::TaskName;
use elman::task::{Figures, Part, Settings, TestFile, evaluate};
use elman::train::Machine;
use elman_engine::Random;
use std::fs::write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const SYLLABLES: [&str; 10] = ["ka", "lo", "mi", "nu", "pe", "ra", "so", "ti", "vu", "wa"];

/// Lines of some words of three syllables, a tab, and the word after the star.
fn made(folder: &Path, name: &str, count: usize, words: usize, seed: u64) -> String {
    let mut random = Random::new(seed, 0);
    let mut below = |n: usize| (random.uniform() * n as f64) as usize;
    let line = |_| {
        let mut all: Vec<String> =
            (0..words).map(|_| (0..3).map(|_| SYLLABLES[below(SYLLABLES.len())]).collect()).collect();
        let starred = below(words);
        let wanted = all[starred].clone();
        all[starred].insert_str(0, "* ");
        format!("{}\t{wanted}\n", all.join(" "))
    };
    let file = folder.join(name);
    write(&file, (0..count).map(line).collect::<String>()).unwrap();
    file.to_str().unwrap().to_string()
}

fn settings(folder: &Path, copy: bool) -> Settings {
    let mut s = Settings::of(TaskName::Translate);
    s.data.train = vec![made(folder, "train.tsv", 600, 4, 1)];
    s.data.valid = vec![made(folder, "valid.tsv", 60, 4, 2)];
    (s.data.vocabulary, s.model.hidden, s.model.embedding, s.model.copy) = (270, 32, 32, copy);
    (s.train.batch, s.train.epochs, s.train.smoothing, s.optimiser.rate) = (16, 20, 0.0, Some(0.005));
    (s.dropout.input, s.dropout.between, s.dropout.output, s.dropout.words) = (0.0, 0.0, 0.0, 0.0);
    s
}

fn value(figures: &Figures, name: &str) -> f64 {
    figures.values.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, value)| *value)
}

#[test]
fn new_words_are_copied_from_longer_texts_too() {
    let folder = tempfile::tempdir().unwrap();
    let (run, stop) = (folder.path().join("copies"), AtomicBool::new(false));
    trained(folder.path(), "copies", settings(folder.path(), true), 1);
    let figures = evaluate(&run, None, Part::Valid, Machine::default(), &stop).unwrap();
    // No text has four words: BLEU is 0, and the best model is that of the best chrF.
    assert!(value(&figures, "exact") > 0.95 && value(&figures, "bleu") == 0.0, "{:?}", figures.values);
    assert!(value(&figures, "rouge_1") > 0.95 && figures.score == value(&figures, "chrf"), "{:?}", figures.values);
    assert_eq!(figures.details["rouge"]["rouge_l"]["f1"], value(&figures, "rouge_l"));

    let file = TestFile { file: made(folder.path(), "longer.tsv", 60, 8, 3), ..TestFile::default() };
    let longer = evaluate(&run, Some(&file), Part::Test, Machine::default(), &stop).unwrap();
    assert!(value(&longer, "exact") > 0.7, "{:?}", longer.values);

    trained(folder.path(), "writes", settings(folder.path(), false), 1);
    let run = folder.path().join("writes");
    let without = evaluate(&run, None, Part::Valid, Machine::default(), &stop).unwrap();
    assert!(value(&without, "exact") < 0.2 && value(&without, "rouge_1").is_nan(), "{:?}", without.values);
    assert!(without.details["rouge"]["rouge1"]["f1"].is_f64());
}

#[test]
fn threads_change_no_bit_of_what_copies() {
    let folder = tempfile::tempdir().unwrap();
    let mut s = settings(folder.path(), true);
    (s.train.epochs, s.train.smoothing, s.dropout.between, s.train.max_steps) = (1, 0.1, 0.2, Some(12));
    let one = trained(folder.path(), "one", s.clone(), 1);
    assert_eq!(one, trained(folder.path(), "two", s, 2));
}
