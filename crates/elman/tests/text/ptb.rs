//! The Penn Treebank as the field counts it. Needs the variable ELMAN_DATA: a folder with `ptb/ptb.train.txt.gz`,
//! `ptb/ptb.valid.txt` and `ptb/ptb.test.txt` (each may be packed).

use elman::text::corpus::Files;
use elman::text::vocabulary::Cut;
use elman::text::{Corpus, Unit, Windows};
use std::path::PathBuf;

/// The three files, or none with a line that says what is missing.
fn files() -> Option<Files> {
    let Some(folder) = std::env::var_os("ELMAN_DATA").map(|f| PathBuf::from(f).join("ptb")) else {
        eprintln!("skipped: ELMAN_DATA is not set (a folder with ptb/ptb.train.txt.gz and its like)");
        return None;
    };
    let find = |part: &str| {
        let forms = ["", ".gz", ".zst"].map(|packed| folder.join(format!("ptb.{part}.txt{packed}")));
        let found = forms.iter().find(|f| f.is_file()).map(|f| f.to_string_lossy().into_owned());
        if found.is_none() {
            eprintln!("skipped: {} is missing", forms[0].display());
        }
        found
    };
    Some(Files { train: find("train")?, valid: Some(find("valid")?), test: Some(find("test")?), encoding: None })
}

#[test]
fn tokens_and_types_are_the_published_ones() {
    let Some(files) = files() else { return };
    let corpus = Corpus::load(&files, Unit::Word, Cut::default()).unwrap();
    let test = corpus.test.unwrap();
    assert_eq!(corpus.tokenizer.size(), 10_000);
    assert_eq!([corpus.train.ids.len(), corpus.valid.ids.len(), test.ids.len()], [929_589, 73_760, 82_430]);
    assert_eq!([corpus.train.lines, corpus.valid.lines, test.lines], [42_068, 3_370, 3_761]);
    let w = Windows::scoring(&test.ids, corpus.tokenizer.end(), 20, 35).unwrap();
    assert_eq!(w.predictions(), 82_430);
}

#[test]
fn subwords_of_the_training_part() {
    let Some(files) = files() else { return };
    let begin = std::time::Instant::now();
    let cut = Cut { max_size: Some(2000), ..Cut::default() };
    let corpus = Corpus::load(&files, Unit::Subword, cut).unwrap();
    eprintln!("{} tokens in {:?}", corpus.train.ids.len(), begin.elapsed());
    assert_eq!(corpus.tokenizer.size(), 2000);
    let text = elman::text::Source::open(files.valid.as_ref().unwrap(), None).unwrap().read_all().unwrap();
    assert_eq!(corpus.tokenizer.decode(&corpus.valid.ids).unwrap(), text);
}
