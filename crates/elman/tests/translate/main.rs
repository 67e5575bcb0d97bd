//! `translate` on made pairs: words in reverse order.

mod copying;
mod decoders;

use elman::task::translate::Translator;
use elman::task::{Asked, Ended, Part, Settings, evaluate, predict, settings::TaskName, train};
use elman::train::Machine;
use elman_engine::Random;
use std::fs::write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const WORDS: [&str; 8] = ["ein", "roter", "Hund", "läuft", "über", "die", "grüne", "Wiese."];

/// Lines of some words, and the same lines reversed.
fn made(folder: &Path, name: &str, count: usize, seed: u64) -> [String; 2] {
    let mut random = Random::new(seed, 0);
    let mut below = |n: usize| (random.uniform() * n as f64) as usize;
    let lines: Vec<Vec<&str>> =
        (0..count).map(|_| (0..2 + below(4)).map(|_| WORDS[below(WORDS.len())]).collect()).collect();
    let forward: Vec<String> = lines.iter().map(|l| l.join(" ")).collect();
    let backward: Vec<String> = lines.iter().map(|l| l.iter().rev().copied().collect::<Vec<_>>().join(" ")).collect();
    [("de", forward), ("ed", backward)].map(|(side, lines)| {
        let file = folder.join(format!("{name}.{side}"));
        write(&file, lines.join("\n") + "\n").unwrap();
        file.to_str().unwrap().to_string()
    })
}

fn settings(folder: &Path, pairs: usize, epochs: u64) -> Settings {
    let [train, train_target] = made(folder, "train", pairs, 1);
    let [valid, valid_target] = made(folder, "valid", 40, 2);
    let mut s = Settings::of(TaskName::Translate);
    (s.data.train, s.data.valid) = (vec![train], vec![valid]);
    s.data.beside = vec![train_target, valid_target];
    (s.data.vocabulary, s.model.hidden, s.model.embedding) = (300, 32, 32);
    (s.train.batch, s.train.epochs, s.optimiser.rate) = (16, epochs, Some(0.005));
    (s.dropout.input, s.dropout.between, s.dropout.output, s.dropout.words) = (0.0, 0.0, 0.0, 0.0);
    s
}

fn trained(folder: &Path, name: &str, settings: Settings, threads: usize) -> Vec<u8> {
    let machine = Machine { threads, ..Machine::default() };
    let out = folder.join(name);
    let ended = train(settings, &out, machine, &mut |_| {}, &AtomicBool::new(false)).unwrap();
    assert!(matches!(ended, Ended::Finished { .. }), "{ended:?}");
    std::fs::read(out.join("model.safetensors")).unwrap()
}

#[test]
fn words_are_reversed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), 600, 20);
    let valid = std::fs::read_to_string(&settings.data.valid[0]).unwrap();
    trained(folder.path(), "run", settings, 1);
    let run = folder.path().join("run");
    let stop = AtomicBool::new(false);
    let figures = evaluate(&run, None, Part::Valid, Machine::default(), &stop).unwrap();
    assert!(figures.score > 90.0, "{:?}", figures.values);
    assert!(
        figures.text.contains("tok:13a") && figures.text.contains("the longest training example has 5 words"),
        "{}",
        figures.text
    );

    // Side by side or alone, a text becomes the same; a wider beam finds nothing worse, over all texts.
    let mut translator = Translator::load(&run, Machine::default()).unwrap();
    let texts: Vec<String> = valid.lines().map(str::to_string).collect();
    let together = translator.translate(&texts, 4, 2, 0.0).unwrap();
    let mut gain = 0.0;
    for (text, both) in texts.iter().zip(&together) {
        let alone = translator.translate(std::slice::from_ref(text), 4, 2, 0.0).unwrap();
        assert_eq!(alone[0], *both, "{text}");
        let greedy = translator.translate(std::slice::from_ref(text), 1, 1, 0.0).unwrap();
        gain += both[0].score - greedy[0][0].score;
    }
    assert!(gain > -1e-3, "{gain}");
    assert_eq!(translator.translate(&[String::new()], 4, 2, 1.0).unwrap()[0].len(), 1);
    assert!(translator.translate(&[" ein Hund".repeat(5000)], 4, 1, 1.0).is_err());

    let lines = folder.path().join("lines.txt");
    write(&lines, "ein roter Hund\n\nDie Katze?\n").unwrap();
    let mut said = vec![];
    let asked = Asked { beam: Some(3), ..Asked::default() };
    let mut keep = |p: &elman::task::Prediction| {
        said.push((p.fields.join("\t"), p.json["score"].is_f64()));
        Ok(())
    };
    predict(&run, lines.to_str().unwrap(), &asked, Machine::default(), &mut keep).unwrap();
    assert_eq!(said.len(), 3);
    assert_eq!((said[0].0.as_str(), said[1].0.as_str()), ("Hund roter ein", ""));
    assert!(said.iter().all(|(_, scored)| *scored));
}

#[test]
fn threads_change_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path(), 60, 2);
    (settings.dropout.input, settings.dropout.words) = (0.2, 0.1);
    let one = trained(folder.path(), "one", settings.clone(), 1);
    assert_eq!(one, trained(folder.path(), "two", settings, 2));
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = settings(folder.path(), 20, 1);
    let refused = |s: Settings, what: &str| {
        let out = folder.path().join("never");
        let e = train(s, &out, Machine::default(), &mut |_| {}, &AtomicBool::new(false)).unwrap_err();
        assert!(e.to_string().contains(what), "{e}");
        assert!(!out.exists());
    };
    let mut s = whole.clone();
    s.data.beside.pop();
    refused(s, "2 files of sources and 1 of targets");
    let mut s = whole.clone();
    s.data.beside.reverse();
    refused(s, "same number");
    let mut s = whole.clone();
    s.data.vocabulary = 100;
    refused(s, "258");
    let mut s = whole;
    s.search.length_penalty = -1.0;
    refused(s, "search.length_penalty");
}
