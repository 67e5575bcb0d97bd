//! CoNLL-U.

use crate::{Files, Spoiled, real, refuses};
use elman::data::Treebank;

const TWO: &str = "# sent_id = 1\n# text = Can't go\n1-2\tCan't\t_\t_\t_\t_\t_\t_\t_\t_\n\
1\tCa\tcan\tAUX\tMD\t_\t3\taux\t_\t_\n2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_\n3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n\
3.1\tgo\tgo\tVERB\t_\t_\t_\t_\t_\t_\n\n# sent_id = 2\n1\tЁж\tёж\t_\t_\t_\t0\troot\t_\tSpaceAfter=No\n\n";

fn write(treebank: &Treebank, tags: impl Fn(usize) -> &'static str) -> String {
    let tagged = |s: &elman::data::Sentence| s.with_tags((0..s.tokens.len()).map(&tags));
    treebank.sentences.iter().map(tagged).collect()
}

#[test]
fn words_are_tokens_and_every_line_is_kept() {
    let files = Files::new();
    let found = Treebank::read(&files.write("a.conllu", TWO), None).unwrap();
    let words: Vec<(&str, &str)> =
        found.sentences.iter().flat_map(|s| &s.tokens).map(|t| (t.form.as_str(), t.upos.as_str())).collect();
    assert_eq!(words, [("Ca", "AUX"), ("n't", "PART"), ("go", "VERB"), ("Ёж", "_")]);
    assert_eq!((found.tokens(), found.sentences[1].line), (4, 9));
    let none: Vec<String> = found.sentences.iter().map(|s| s.with_tags([])).collect();
    assert_eq!(none.concat(), TWO);
    let other = write(&found, |at| ["X", "Y", "Z"][at]);
    let wanted = TWO.replacen("AUX\tMD", "X\tMD", 1).replacen("PART\tRB", "Y\tRB", 1).replacen("VERB\tVB", "Z\tVB", 1);
    assert_eq!(other, wanted.replacen("ёж\t_", "ёж\tX", 1));
    let told = found.tagged().unwrap_err().to_string();
    assert!(
        told.ends_with("a.conllu:10: column `UPOS`: `Ёж` has no tag; give every word one, or remove the sentence"),
        "{told}"
    );
}

#[test]
fn comments_blank_lines_and_line_ends_may_be_missing_or_many() {
    let files = Files::new();
    let plain: String = TWO.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\r\n")).collect();
    let read = |text: &str| Treebank::read(&files.write("a", text), None).unwrap().tokens();
    assert_eq!(read(&plain), 4);
    assert_eq!(read(TWO.trim_end()), 4);
    assert_eq!(read(&format!("\n\n# newdoc\n\n\n{TWO}\n\n")), 4);
}

#[test]
fn spoiled_treebanks_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "a", bytes: b"", says: "F: there is no word in it; give a CoNLL-U file with at least one sentence" },
        Spoiled { name: "b", bytes: b"# text = none\n\n", says: "F: there is no word in it; give a CoNLL-U file with at least one sentence" },
        Spoiled { name: "c", bytes: b"1\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n2\tb\t_\tNOUN\n", says: "F:2: the line has 4 fields, and CoNLL-U has 10 parted by tabs; `_` fills an empty one" },
        Spoiled { name: "d", bytes: b"1 a _ DET _ _ _ _ _ _\n", says: "F:1: the fields are parted by spaces; CoNLL-U parts them by tabs" },
        Spoiled { name: "e", bytes: b"It was the best of times\n", says: "F:1: the line has 1 field, and CoNLL-U has 10 parted by tabs; a comment begins with `#`" },
        Spoiled { name: "f", bytes: b"1\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n3\tb\t_\tNOUN\t_\t_\t_\t_\t_\t_\n", says: "F:2: column `ID`: the word has number 3, and 2 is its turn; a blank line parts sentences" },
        Spoiled { name: "g", bytes: b"1\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n1\tb\t_\tNOUN\t_\t_\t_\t_\t_\t_\n", says: "F:2: column `ID`: the word has number 1, and 2 is its turn; a blank line parts sentences" },
        Spoiled { name: "h", bytes: b"one\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n", says: "F:1: column `ID`: `one` is no number, range (1-2) or empty node (8.1)" },
        Spoiled { name: "i", bytes: b"1\t\t_\tDET\t_\t_\t_\t_\t_\t_\n", says: "F:1: column `FORM`: the field is empty; write `_` where there is nothing to say" },
        Spoiled { name: "j", bytes: b"1\ta\t_\t\t_\t_\t_\t_\t_\t_\n", says: "F:1: column `UPOS`: the field is empty; write `_` where there is nothing to say" },
        Spoiled { name: "k", bytes: b"# ok\n1\ta\xFF\t_\tDET\t_\t_\t_\t_\t_\t_\n", says: "F:2: byte 4 of the line (byte 9 of the text, 0xff) is not UTF-8; it looks like windows-1252: give `--encoding windows-1252`" },
        Spoiled { name: "l", bytes: b"1\ta\0\t_\tDET\t_\t_\t_\t_\t_\t_\n", says: "F:1: byte 4 of the line is NUL, so this is not a text; export it as plain text, or name its encoding if it is UTF-16 (`--encoding utf-16le`)" },
    ], |path| Treebank::read(path, None));
}

#[test]
fn real_treebanks_have_the_published_numbers_and_come_back() {
    for (name, sentences, tokens) in [
        ("ud-english-ewt/en_ewt-ud-train.conllu.gz", 12_544, 204_577),
        ("ud-english-ewt/en_ewt-ud-dev.conllu.gz", 2001, 25_147),
        ("ud-russian-gsd/ru_gsd-ud-test.conllu.gz", 601, 11_385),
        ("ud-russian-taiga/ru_taiga-ud-dev.conllu.gz", 1260, 15_624),
        ("ud-russian-poetry/ru_poetry-ud-test.conllu", 728, 10_038),
    ] {
        let Some(path) = real(name) else { return };
        let found = Treebank::read(&path, None).unwrap().tagged().unwrap();
        assert_eq!((found.sentences.len(), found.tokens()), (sentences, tokens), "{name}");
        let text = elman::text::Source::open(&path, None).unwrap().read_all().unwrap();
        assert!(found.sentences.iter().map(|s| s.with_tags([])).collect::<String>() == text, "{name}");
    }
    let Some(folder) = real("ru-pos-grameval") else { return };
    let (mut sentences, mut tokens) = (0, 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let found = Treebank::read(&file.unwrap().path().to_string_lossy(), None).unwrap().tagged().unwrap();
        sentences += found.sentences.len();
        tokens += found.tokens();
    }
    assert_eq!((sentences, tokens), (2808, 39_029));
}
