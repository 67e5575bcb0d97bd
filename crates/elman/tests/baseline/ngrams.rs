use crate::read;
use elman::baseline::ngrams::{Choose, Grid, Tuned};
use elman::metrics::classification::macro_f1;

type Examples<'a> = Vec<(&'a str, &'a str)>;

/// (class, text) of lines that `separator` cuts.
fn labelled(text: &str, separator: char) -> Examples<'_> {
    text.lines().filter_map(|line| line.split_once(separator)).collect()
}

/// Accuracy and macro F1 on the test part, in percent, printed with what was chosen.
fn measure(name: &str, train: &Examples, valid: &Examples, test: &Examples, grid: &Grid, choose: Choose) -> [f64; 2] {
    let begin = std::time::Instant::now();
    let tuned = Tuned::tune(train, valid, grid, choose).unwrap();
    let place = |class: &str| tuned.classes().iter().position(|c| c == class).unwrap();
    let wanted: Vec<usize> = test.iter().map(|(class, _)| place(class)).collect();
    let given: Vec<usize> = test.iter().map(|(_, text)| place(tuned.predict(text))).collect();
    let right = wanted.iter().zip(&given).filter(|(w, g)| w == g).count();
    let accuracy = 100.0 * right as f64 / test.len() as f64;
    let f1 = 100.0 * macro_f1(&wanted, &given, tuned.classes().len()).unwrap();
    let (best, valid) = (tuned.best(), 100.0 * tuned.best().accuracy);
    eprintln!(
        "{name}: test {accuracy:.2} accuracy, {f1:.2} macro F1; valid {valid:.2}; {}, C {}; {:.0?}",
        best.features,
        best.strength,
        begin.elapsed()
    );
    [accuracy, f1]
}

/// Every tenth for validation.
fn tenths<'a>(all: &Examples<'a>) -> (Examples<'a>, Examples<'a>) {
    let part = |valid: bool| all.iter().enumerate().filter(|(i, _)| (i % 10 == 9) == valid).map(|(_, e)| *e).collect();
    (part(false), part(true))
}

#[test]
fn sst_binary() {
    let parts = ["train", "dev", "test"].map(|part| read(&format!("sst/binary.{part}.txt")));
    let [Some(train), Some(valid), Some(test)] = parts else { return };
    let [train, valid, test] = [&train, &valid, &test].map(|text| labelled(text, ' '));
    let [accuracy, _] = measure("SST-2", &train, &valid, &test, &Grid::default(), Choose::Accuracy);
    assert!((79.0..84.0).contains(&accuracy), "{accuracy}");
}

#[test]
fn trec() {
    let parts = ["train", "test"].map(|part| read(&format!("trec/TREC.{part}")));
    let [Some(train), Some(test)] = parts else { return };
    let coarse = |text: &'static str| {
        let all = labelled(text, ':').into_iter();
        all.map(|(class, rest)| (class, rest.split_once(' ').unwrap().1)).collect::<Examples>()
    };
    let [train, test] = [train, test].map(|text| coarse(text.leak()));
    let (train, valid) = tenths(&train);
    let [accuracy, _] = measure("TREC", &train, &valid, &test, &Grid::default(), Choose::Accuracy);
    assert!((85.0..91.0).contains(&accuracy), "{accuracy}");
}

#[test]
fn russian_tweets() {
    for domain in ["banks", "telecoms"] {
        let parts = ["train", "test"].map(|part| read(&format!("ru-sentiment-tweets/{domain}-{part}.tsv")));
        let [Some(train), Some(test)] = parts else { return };
        let rows = |text: &'static str| {
            let rows = text.lines().skip(1).map(|line| line.splitn(3, '\t').collect::<Vec<_>>());
            rows.filter(|r| r.len() == 3).map(|r| (r[0], r[2])).collect::<Examples>()
        };
        let [train, test] = [train, test].map(|text| rows(text.leak()));
        let (train, valid) = tenths(&train);
        let [_, f1] = measure(domain, &train, &valid, &test, &Grid::default(), Choose::MacroF1);
        assert!((40.0..75.0).contains(&f1), "{f1}");
    }
}

#[test]
fn splice_junctions() {
    let Some(text) = read("splice/splice.data") else { return };
    let all: Examples = text
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(',').map(str::trim);
            let class = fields.next()?;
            Some((class, fields.nth(1)?))
        })
        .collect();
    assert_eq!(all.len(), 3190);
    // Ten folds; the file is sorted by class, so that every tenth is a fair share. The fold behind validates.
    let mut right = 0.0;
    for fold in 0..10 {
        let part = |keep: &dyn Fn(usize) -> bool| {
            all.iter().enumerate().filter(|(i, _)| keep(i % 10)).map(|(_, e)| *e).collect::<Examples>()
        };
        let next = (fold + 1) % 10;
        let (train, valid) = (part(&|i| i != fold && i != next), part(&|i| i == next));
        let test = part(&|i| i == fold);
        let name = format!("splice, fold {fold}");
        right += measure(&name, &train, &valid, &test, &Grid::of_places(), Choose::Accuracy)[0] * test.len() as f64;
    }
    let accuracy = right / all.len() as f64;
    eprintln!("splice: {accuracy:.2} over ten folds");
    assert!((93.0..97.0).contains(&accuracy), "{accuracy}");
}
