//! Slow: `cargo test --release -p elman --test baseline -- --ignored --nocapture`.

use crate::read;
use elman::baseline::crf::{STRENGTHS, Sentence, Tagger};

/// The words and UPOS tags of each sentence of CoNLL-U.
fn sentences(text: &str) -> Vec<(Vec<&str>, Vec<&str>)> {
    let mut all = Vec::new();
    for block in text.split("\n\n") {
        let rows = block.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let words = rows.filter(|r| r.len() == 10 && r[0].parse::<u32>().is_ok());
        let (words, tags): (Vec<&str>, Vec<&str>) = words.map(|r| (r[1], r[3])).unzip();
        if !words.is_empty() {
            all.push((words, tags));
        }
    }
    all
}

fn measure(name: &str, train: &[String], valid: &str, tests: &[&str]) -> Option<Vec<f64>> {
    let begin = std::time::Instant::now();
    let train: Option<Vec<String>> = train.iter().map(|file| read(file)).collect();
    let (train, valid) = (train?, read(valid)?);
    let train: Vec<_> = train.iter().flat_map(|text| sentences(text)).collect();
    let valid = sentences(&valid);
    let [train, valid] =
        [&train, &valid].map(|part| part.iter().map(|(words, tags)| Sentence { words, tags }).collect::<Vec<_>>());
    let tagger = Tagger::tune(&train, &valid, &STRENGTHS).unwrap();
    eprintln!("{name}: {:?} of {:?}; {:.0?}", tagger.best(), tagger.tried(), begin.elapsed());
    let score = |file: &&str| {
        let text = read(file)?;
        let (mut right, mut all) = (0, 0);
        for (words, tags) in sentences(&text) {
            right += tagger.tag(&words).iter().zip(&tags).filter(|(g, w)| g == w).count();
            all += words.len();
        }
        eprintln!("{name}: {file}: {:.2} of {all} words", 100.0 * right as f64 / all as f64);
        Some(100.0 * right as f64 / all as f64)
    };
    tests.iter().map(score).collect()
}

#[test]
#[ignore = "minutes"]
fn english_words() {
    let part = |name: &str| format!("ud-english-ewt/en_ewt-ud-{name}.conllu.gz");
    let Some(found) = measure("EWT", &[part("train")], &part("dev"), &[&part("test")]) else { return };
    assert!(found[0] > 93.0, "{found:?}");
}

#[test]
#[ignore = "minutes"]
fn russian_words() {
    let grameval = [
        "GramEval2020-RuEval2017-Lenta-news-dev",
        "GramEval2020-RuEval2017-social-dev",
        "GramEval2020-SynTagRus-dev",
        "GramEval2020-Taiga-news-train",
        "GramEval2020-Taiga-poetry-train",
        "GramEval2020-Taiga-social-train",
        "MorphoRuEval2017-JZ-gold",
        "MorphoRuEval2017-Lenta-train",
        "MorphoRuEval2017-VK-gold",
    ];
    let mut train: Vec<String> = grameval.iter().map(|n| format!("ru-pos-grameval/{n}.conllu")).collect();
    train.push("ud-russian-taiga/ru_taiga-ud-dev.conllu.gz".into());
    train.extend(["dev", "test"].map(|p| format!("ud-russian-poetry/ru_poetry-ud-{p}.conllu")));
    let tests = ["ud-russian-gsd/ru_gsd-ud-test.conllu.gz", "ud-russian-taiga/ru_taiga-ud-test.conllu.gz"];
    let valid = "ud-russian-gsd/ru_gsd-ud-dev.conllu.gz";
    let Some(found) = measure("Russian", &train, valid, &tests) else { return };
    assert!(found.iter().all(|f| *f > 85.0), "{found:?}");
}
