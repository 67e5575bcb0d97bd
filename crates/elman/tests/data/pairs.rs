//! Pairs of texts.

use crate::{Files, Spoiled, real, refuses};
use elman::data::pairs::{Columns, Pairs};
use elman::data::{Reading, Table};

fn pairs(text: &str, source: Option<&str>, target: Option<&str>) -> Pairs {
    let columns = Columns { source: source.map(String::from), target: target.map(String::from) };
    Pairs::of(&Table::of("t.tsv", text, &Reading::default()).unwrap(), &columns).unwrap_or_else(|e| panic!("{e}"))
}

const EMOJI: &str = "codepoints\ten\tru\n1f3a8_1f3a8_1f3a8_1f3a8_1f3a8\tartist palette\tпалитра с красками\n1f525\t\tогонь\n2764\theart on fire\tгорящее сердце\n";

#[test]
fn sides_are_columns() {
    let found = pairs(EMOJI, None, None);
    assert_eq!((found.source.as_str(), found.target.as_str(), found.pairs.len()), ("en", "ru", 2));
    assert_eq!(
        found.remarks,
        [
            "t.tsv: the source is column `en`, the target `ru`; --source and --target take others",
            "t.tsv: 1 row is left out, a side is empty (line 3)"
        ]
    );
    let turned = pairs(EMOJI, Some("ru"), Some("codepoints"));
    assert_eq!((turned.pairs[1].source.as_str(), turned.pairs[1].target.as_str()), ("огонь", "1f525"));
    assert!(turned.remarks.is_empty());
    let half = pairs(EMOJI, None, Some("en"));
    assert_eq!(half.source, "ru");
}

#[test]
fn sides_are_aligned_files() {
    let files = Files::new();
    let (a, b) = (files.write("a.en", "one\n\nthree \n"), files.write("a.ru", "раз\nдва\nтри"));
    let found = Pairs::read_aligned(&a, &b, None).unwrap();
    let sides: Vec<(u64, &str, &str)> =
        found.pairs.iter().map(|p| (p.line, p.source.as_str(), p.target.as_str())).collect();
    assert_eq!(sides, [(1, "one", "раз"), (3, "three", "три")]);
    let c = files.write("c.ru", "раз\nдва\n");
    let told = Pairs::read_aligned(&a, &c, None).unwrap_err().to_string();
    assert_eq!(
        told,
        format!(
            "{a} {c}: {a} has 3 lines and {c} has 2; line n of one must be the other's line n, so the files need the same \
             number"
        )
    );
    let told = Pairs::read_aligned("-", "-", None).unwrap_err().to_string();
    assert_eq!(told, "-: only one of two files can come from standard input");
    let told = Pairs::read_aligned(&a, &files.write("d", "\nx\n\n"), None).unwrap_err().to_string();
    assert!(told.contains("no pair has a text on both sides"), "{told}");
    let told = Pairs::read_aligned(&a, &files.path("none"), None).unwrap_err().to_string();
    assert!(told.ends_with("none: there is no such file; check the path"), "{told}");
    let told = Pairs::read_aligned(&a, &files.write("e", b"a\nb\xFF\nc\n"), None).unwrap_err().to_string();
    assert!(told.contains("e:2: byte 2 of the line"), "{told}");
}

#[test]
fn spoiled_pairs_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "a.tsv", bytes: b"en\tru\n", says: "F: the table has a header and no rows; give one with at least one row" },
        Spoiled { name: "b.tsv", bytes: b"en\tru\na\t\nb\t\n\tc\n", says: "F: no pair has a text on both sides, `en` and `ru`" },
        Spoiled { name: "c.jsonl", bytes: b"{\"en\": \"a\"}\n", says: "F: the table has one column, `en`, and pairs need two" },
        Spoiled { name: "d.tsv", bytes: b"a\tb\nc\td\te\nf\tg\nh\ti\nj\tk\n", says: "F:2: the row has 3 fields and the first row has 2; a tab may stand inside a text, or be missing" },
        Spoiled { name: "e.tsv", bytes: b"a\n", says: "F: the table has one column, `1`, and pairs need two" },
        Spoiled { name: "f.csv", bytes: b"en,ru\n\"a,b\nc,d\n", says: "F:2: a quote opens a field here and is never closed; close it, or double it (`\"\"`) where it is part of the text" },
        Spoiled { name: "g.tsv", bytes: b"", says: "F: the text is empty; give a text with at least one word in it" },
        Spoiled { name: "h.tsv", bytes: b"a\tb\nc\xC3\td\n", says: "F:2: byte 2 of the line (byte 6 of the text, 0xc3) is not UTF-8; it looks like windows-1250: give `--encoding windows-1250`" },
        Spoiled { name: "i.tsv.gz", bytes: b"\x1F\x8B\x08\0\0\0\0\0\0\x03", says: "F: the gzip data ends early, after line 0: the file was cut off; copy or download it again" },
        Spoiled { name: "j.jsonl", bytes: b"{\"en\": \"a\", \"ru\": \"b\"}\n{\"en\": \"a\", \"ru\": }\n", says: "F:2: this is no JSON at character 19: expected value; write one object a line" },
    ], |path| Pairs::read(path, &Columns::default(), &Reading::default()));
}

#[test]
fn real_pairs() {
    let Some(path) = real("mt-en-ru/tatoeba-train.tsv.gz") else { return };
    let found = Pairs::read(&path, &Columns::default(), &Reading::default()).unwrap();
    assert_eq!((found.pairs.len(), found.source.as_str(), found.target.as_str()), (14_924, "1", "2"));
    let (Some(de), Some(en)) = (real("multi30k/train.de.gz"), real("multi30k/train.en.gz")) else { return };
    assert_eq!(Pairs::read_aligned(&de, &en, None).unwrap().pairs.len(), 29_000);
    let Some(path) = real("emoji-captions/train.tsv") else { return };
    let found = Pairs::read(&path, &Columns::default(), &Reading::default()).unwrap();
    assert_eq!((found.pairs.len(), found.source.as_str(), found.target.as_str()), (2969, "en", "ru"));
}
