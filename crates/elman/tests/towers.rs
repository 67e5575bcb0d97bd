//! `rank` and `caption` from files to predictions, on made data: seconds.

use elman::task::settings::{Settings, TaskName};
use elman::task::{Asked, Ended, Part, evaluate, predict, resume, train};
use elman::train::Machine;
use std::path::Path;
use std::sync::atomic::AtomicBool;

static GO: AtomicBool = AtomicBool::new(false);
const WORDS: [[&str; 2]; 12] = [
    ["cat", "кот"],
    ["dog", "пёс"],
    ["house", "дом"],
    ["tree", "дуб"],
    ["river", "река"],
    ["road", "путь"],
    ["bread", "хлеб"],
    ["book", "книга"],
    ["night", "ночь"],
    ["hand", "рука"],
    ["snow", "снег"],
    ["fire", "огонь"],
];

/// Three words and the same in other words, another order.
fn pairs() -> String {
    let mut lines = String::new();
    for n in 0..12 * 11 * 10 {
        let (a, b, c) = (n % 12, (n / 12 + n + 1) % 12, (n / 132 * 3 + n * 5 + 2) % 12);
        let [a, b, c] = [a, b, c].map(|k| WORDS[k]);
        lines += &format!("{} {} {}\t{} {} {}\n", a[0], b[0], c[0], c[1], a[1], b[1]);
    }
    lines
}

fn small(task: TaskName) -> Settings {
    let mut s = Settings::of(task);
    (s.model.hidden, s.model.embedding, s.model.characters) = (24, 24, 0);
    (s.train.batch, s.optimiser.rate) = (32, Some(0.005));
    (s.dropout.input, s.dropout.between, s.dropout.output, s.dropout.words) = (0.0, 0.0, 0.0, 0.0);
    s
}

fn run(settings: Settings, out: &Path) -> f64 {
    match train(settings, out, Machine::default(), &mut |_| {}, &GO).unwrap() {
        Ended::Finished { best, .. } => best,
        Ended::Stopped { .. } => panic!("stopped"),
    }
}

#[test]
fn a_translation_is_found_among_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("pairs.tsv"), folder.path().join("run"));
    std::fs::write(&data, pairs()).unwrap();
    let mut s = small(TaskName::Rank);
    s.data.train = vec![data.display().to_string()];
    (s.model.cell, s.model.space, s.train.epochs) = ("gru".into(), 32, 6);
    assert!(run(s, &out) > 0.8);
    let figures = evaluate(&out, None, Part::Test, Machine::default(), &GO).unwrap();
    let words = figures.details["baselines"]["tf_idf"]["mrr"].as_f64().unwrap();
    assert!(figures.values[0].1 > 0.8 && words < 0.2, "{figures:?}");
    assert!(figures.text.contains("this model") && figures.text.contains("runs of 2-"));

    let (queries, documents) = (folder.path().join("q"), folder.path().join("d"));
    std::fs::write(&queries, "cat dog house\nsnow fire bread\n").unwrap();
    std::fs::write(&documents, "хлеб снег огонь\n\nдом кот пёс\nночь рука книга\n").unwrap();
    let mut best = vec![];
    let [queries, documents] = [queries, documents].map(|p| p.display().to_string());
    let each = &mut |p: &elman::task::Prediction| {
        best.push(p.json["documents"][0]["line"].as_u64().unwrap());
        assert_eq!(p.json["documents"].as_array().unwrap().len(), 2);
        Ok(())
    };
    predict(
        &out,
        &queries,
        &Asked { top: Some(2), documents: Some(documents.clone()), ..Asked::default() },
        Machine::default(),
        each,
    )
    .unwrap();
    assert_eq!(best, [3, 1]);
    let lacks = predict(&out, &queries, &Asked::default(), Machine::default(), &mut |_| Ok(())).unwrap_err();
    assert!(lacks.to_string().contains("--documents"), "{lacks}");
}

#[test]
fn queries_and_documents_may_be_columns_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("pairs.tsv"), folder.path().join("run"));
    let lines = pairs();
    std::fs::write(&data, &lines).unwrap();
    let mut s = small(TaskName::Rank);
    s.data.train = vec![data.display().to_string()];
    s.train.max_steps = Some(2);
    run(s, &out);
    let table = data.display().to_string();
    let documents: std::collections::HashSet<&str> = lines.lines().map(|l| l.split_once('\t').unwrap().1).collect();
    let mut queries = vec![];
    let asked = Asked { top: Some(1000), documents: Some(table.clone()), ..Asked::default() };
    predict(&out, &table, &asked, Machine::default(), &mut |p: &elman::task::Prediction| {
        queries.push(p.json["query"].as_str().unwrap().to_string());
        let found = p.json["documents"].as_array().unwrap();
        assert_eq!(found.len(), documents.len());
        assert!(found.iter().all(|d| documents.contains(d["document"].as_str().unwrap())), "{found:?}");
        Ok(())
    })
    .unwrap();
    assert!(queries.iter().map(String::as_str).eq(lines.lines().map(|l| l.split_once('\t').unwrap().0)));
}

#[test]
fn a_joint_tower_goes_on_to_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("pairs.tsv");
    std::fs::write(&data, pairs()).unwrap();
    let mut s = small(TaskName::Rank);
    (s.data.train, s.model.joint) = (vec![data.display().to_string()], true);
    (s.model.characters, s.train.epochs) = (8, 2);
    let whole = run(s.clone(), &folder.path().join("whole"));
    let (out, stop) = (folder.path().join("halves"), AtomicBool::new(false));
    let mut steps = 0;
    let mut watch = |event: elman::task::Event| {
        steps += u32::from(matches!(event, elman::task::Event::Step(_)));
        stop.store(steps == 20, std::sync::atomic::Ordering::Relaxed);
    };
    assert!(matches!(train(s, &out, Machine::default(), &mut watch, &stop).unwrap(), Ended::Stopped { .. }));
    let Ended::Finished { best, .. } = resume(&out, false, Machine::default(), &mut |_| {}, &GO).unwrap() else {
        panic!("stopped")
    };
    assert_eq!(best.to_bits(), whole.to_bits());
}

/// Pictures of one bright square on white, 8 × 8: its colour and its place are its name.
fn pictures(folder: &Path) -> (String, String) {
    let (mut pixels, mut names) = (vec![], String::from("number\tname\n"));
    let count = 240;
    for n in 0..count {
        let (colour, right, down, wide) = (n % 3, n / 3 % 2, n / 6 % 2, 3 + n / 12 % 2);
        for y in 0..8 {
            for x in 0..8 {
                let (from_x, from_y) = (4 * right, 4 * down);
                let inside = (from_x..from_x + wide).contains(&x) && (from_y..from_y + wide).contains(&y);
                let shade = (n * 7 % 40) as u8;
                pixels.extend((0..3).map(|c| if inside && c != colour { shade } else { 255 }));
            }
        }
        let words = (["red", "green", "blue"][colour], ["left", "right"][right], ["above", "below"][down]);
        names += &format!("{n}\t{} square {} {}\n", words.0, words.2, words.1);
    }
    let mut file = vec![0, 0, 8, 4];
    [count as u32, 8, 8, 3].iter().for_each(|n| file.extend(n.to_be_bytes()));
    file.extend(pixels);
    let (images, table) = (folder.join("pictures.idx4"), folder.join("names.tsv"));
    std::fs::write(&images, file).unwrap();
    std::fs::write(&table, names).unwrap();
    (images.display().to_string(), table.display().to_string())
}

#[test]
fn pictures_get_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let (images, names) = pictures(folder.path());
    let mut s = small(TaskName::Caption);
    (s.data.train, s.data.beside, s.data.text) = (vec![images.clone()], vec![names.clone()], Some("name".into()));
    (s.train.epochs, s.train.batch, s.optimiser.rate) = (15, 16, Some(0.01));
    let out = folder.path().join("run");
    assert!(run(s.clone(), &out) > 80.0);
    let figures = evaluate(&out, None, Part::Test, Machine::default(), &GO).unwrap();
    assert!(figures.values[2].1 > 0.8, "{}", figures.text);
    let mut said = vec![];
    let each = &mut |p: &elman::task::Prediction| {
        said.push(p.fields.join(" "));
        Ok(())
    };
    predict(&out, &images, &Asked::default(), Machine::default(), each).unwrap();
    assert_eq!(said.len(), 240);
    let right = std::fs::read_to_string(&names).unwrap();
    let right = right.lines().skip(1).zip(&said).filter(|(l, s)| l.split('\t').nth(1) == Some(s)).count();
    assert!(right > 200, "{right}");

    std::fs::write(folder.path().join("short.tsv"), "name\nred square\n").unwrap();
    s.data.beside = vec![folder.path().join("short.tsv").display().to_string()];
    let short = train(s.clone(), &folder.path().join("b"), Machine::default(), &mut |_| {}, &GO).unwrap_err();
    assert!(short.to_string().contains("1 rows") && short.to_string().contains("240 pictures"), "{short}");
    s.data.beside.clear();
    let none = train(s, &folder.path().join("c"), Machine::default(), &mut |_| {}, &GO).unwrap_err();
    assert!(none.to_string().contains("name a table for each file"), "{none}");
}
