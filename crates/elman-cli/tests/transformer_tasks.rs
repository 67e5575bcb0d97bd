//! Tasks with examples whose layers are a transformer's: each learns made data, or says that it has none.

mod common;

use common::Folder;

/// Small enough for a second of training.
const SMALL: &str =
    "--model transformer --hidden 16 --heads 2 --embedding 16 --batch 8 --dropout 0 --dropout-words 0 --rate 0.003";

/// What the model of the run `x` is chosen by, measured on its test part, after training.
fn score(folder: &Folder, task: &str) -> f64 {
    folder.run(&format!("train {task} {SMALL} --out x")).good();
    let json = folder.run("eval x --json").good().json();
    json["score"].as_f64().unwrap_or_else(|| panic!("no score: {json}"))
}

#[test]
fn texts_are_classified() {
    let folder = Folder::new();
    let line = |i: usize| {
        let (label, word) = [("good", "fine"), ("bad", "dull")][i % 2];
        format!("{label}\tthe {} was {word} {}\n", ["film", "plot", "end"][i % 3], ["indeed", "again"][i / 6 % 2])
    };
    folder.text("a.tsv", &format!("label\ttext\n{}", (0..160).map(line).collect::<String>()));
    let accuracy = score(&folder, "classify --data a.tsv --epochs 8 --characters 0");
    assert!(accuracy > 0.9, "{accuracy}");
}

#[test]
fn words_are_tagged() {
    let folder = Folder::new();
    let word = |k: usize, (word, tag): (&str, &str)| format!("{}\t{word}\t{word}\t{tag}\t_\t_\t0\troot\t_\t_\n", k + 1);
    // `light` is what the word before it makes of it.
    let sentence = |i: usize| {
        let light = [("the", "DET", "NOUN"), ("they", "PRON", "VERB")][i % 2];
        let last = [("now", "ADV"), ("here", "ADV")][i / 2 % 2];
        [(light.0, light.1), ("light", light.2), last]
            .into_iter()
            .enumerate()
            .map(|(k, w)| word(k, w))
            .collect::<String>()
            + "\n"
    };
    folder.text("a.conllu", &(0..120).map(sentence).collect::<String>());
    let accuracy = score(&folder, "tag --data a.conllu --epochs 8 --characters 0");
    assert!(accuracy > 0.9, "{accuracy}");
}

#[test]
fn documents_are_ranked() {
    let folder = Folder::new();
    let names = ["anna", "walter", "irene", "oscar", "maria", "peter", "clara", "felix", "nora", "hugo"];
    let towns = ["oslo", "paris", "rome", "bern", "riga", "kyiv", "york", "lyon", "graz", "turin"];
    let pair = |i: usize| format!("where is {}\t{} lives in {}\n", names[i % 10], names[i % 10], towns[i * 7 % 10]);
    folder.text("a.tsv", &format!("query\tdocument\n{}", (0..100).map(pair).collect::<String>()));
    let pairs = (0..10).map(pair).collect::<String>();
    folder.text("b.tsv", &format!("query\tdocument\n{pairs}"));
    let mrr = score(&folder, "rank --data a.tsv --valid b.tsv --test b.tsv --epochs 30 --characters 0 --min-count 1");
    // By chance it is (1 + 1/2 + … + 1/10) / 10 = 0.29.
    assert!(mrr > 0.6, "{mrr}");
}

#[test]
fn captions_have_none() {
    let folder = Folder::new();
    let header = [0, 0, 8, 4, 0, 0, 0, 12, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 3];
    let pixels = (0..12 * 8 * 8 * 3u32).map(|i| (i * 37 % 256) as u8);
    std::fs::write(folder.path().join("p.idx"), header.into_iter().chain(pixels).collect::<Vec<u8>>()).unwrap();
    let line = |i: usize| format!("{i}\ta {} square\n", ["red", "blue"][i % 2]);
    folder.text("c.tsv", &format!("id\ttext\n{}", (0..12).map(line).collect::<String>()));
    let task = "train caption --data p.idx --captions c.tsv --hidden 8 --max-steps 2 --out x";
    folder.run(&format!("{task} --model transformer")).one_error(&["caption has no transformer", "--model recurrent"]);
    assert!(!folder.path().join("x").exists());
}
