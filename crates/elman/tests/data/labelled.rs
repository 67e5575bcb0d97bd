//! Labelled texts.

use crate::{Spoiled, real, refuses};
use elman::data::labelled::{Columns, Labelled};
use elman::data::{Reading, Table};

fn columns(text: &str, label: &str) -> Columns {
    let asked = |name: &str| (!name.is_empty()).then(|| name.to_string());
    Columns { text: asked(text), label: asked(label), also: None }
}

fn labelled(text: &str, asked: &Columns) -> Labelled {
    Labelled::of(&Table::of("t.csv", text, &Reading::default()).unwrap(), asked).unwrap_or_else(|e| panic!("{e}"))
}

const REVIEWS: &str = "id,lang,body,grade\n1,en,so very good,good\n2,en,not at all,bad\n3,ru,a fine film,good\n\
                       4,en,a film of two hours,bad\n5,ru,well,good\n6,ru,,bad\n7,ru,oh no,bad\n8,en,yes yes,good\n";

#[test]
fn columns_are_found_and_told() {
    let found = labelled(REVIEWS, &columns("", "grade"));
    assert_eq!((found.text.as_str(), found.label.as_str()), ("body", "grade"));
    assert_eq!(found.examples[4].text, "well");
    assert_eq!(found.classes(), [("bad".into(), 3), ("good".into(), 4)]);
    assert_eq!(
        found.remarks(),
        [
            "t.csv: the text is column `body`; --text takes another",
            "t.csv: 1 row is left out, their text is empty (line 7)"
        ]
    );
    let found = labelled(REVIEWS, &columns("", ""));
    assert_eq!(found.label, "lang");
    assert_eq!(
        found.choices[0],
        "t.csv: the label is column `lang` with 2 values; --label grade would take `grade` with 2"
    );
    let known = labelled(&REVIEWS.replace("grade", "label"), &columns("", ""));
    assert_eq!(known.label, "label");
    assert_eq!(labelled(REVIEWS, &columns("4", "lang")).text, "grade");
}

#[test]
fn classes_that_are_numbers_stand_in_their_order() {
    let text = "stars,text\n10,a b\n9,c d\n-1,e f\n10,g h\n9,i j\n-1,k l\n";
    let classes = labelled(text, &columns("text", "stars")).classes();
    assert_eq!(classes, [("-1".into(), 2), ("9".into(), 2), ("10".into(), 2)]);
}

#[test]
fn spoiled_examples_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "a.csv", bytes: b"label,text\na,so good\nb,so bad\n,fine\nb,a\n", says: "F:4: column `label`: the label is missing; give it one, or remove the row" },
        Spoiled { name: "b.csv", bytes: b"label,text\na,\nb,\nb,\na,\n", says: "F: all texts in column `text` are empty; name another with --text" },
        Spoiled { name: "c.csv", bytes: b"text,id\na b c,1\nc d e,2\nf g h,3\n", says: "F: no column beside the text `text` has a few values that repeat; name the labels with --label; the columns are `text`, `id`" },
        Spoiled { name: "d.jsonl", bytes: b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n", says: "F: the table has one column, `text`, and a text and its label need two" },
        Spoiled { name: "e.tsv", bytes: b"label\ttext\n", says: "F: the table has a header and no rows; give one with at least one row" },
        Spoiled { name: "f.csv", bytes: b"label,text\na,\"so good\nb,so bad\n", says: "F:2: a quote opens a field here and is never closed; close it, or double it (`\"\"`) where it is part of the text" },
        Spoiled { name: "g.txt", bytes: b"0 good\n1 bad\n0 so\n1 well\n1\n", says: "F: no table is seen in it: its lines have no common number of tabs, commas or semicolons, are no JSON objects, and do not begin with a label; give a CSV, TSV or JSON lines file, or lines of a label, a space and a text" },
        Spoiled { name: "h.jsonl", bytes: b"{\"label\": 1, \"text\": \"a b\"}\n{\"label\": 1, \"text\": \"c d\"}\n{\"label\": null, \"text\": \"e f\"}\n{\"label\": 2, \"text\": \"e f\"}\n", says: "F:3: column `label`: the label is missing; give it one, or remove the row" },
        Spoiled { name: "i.csv", bytes: b" \n\n", says: "F: the text is empty; give a text with at least one word in it" },
        Spoiled { name: "j.csv", bytes: b"\xFF\xFE1", says: "F:1: the line is not UTF-16LE; leave --encoding out, or name the encoding it is in" },
    ], |path| Labelled::read(path, &Columns::default(), &Reading::default()));
    let table = Table::of("t", REVIEWS, &Reading::default()).unwrap();
    for (asked, says) in [
        (
            columns("", "grad"),
            "t: there is no column `grad`, did you mean `grade`?; the columns are `id`, `lang`, `body`, `grade`",
        ),
        (columns("body", "body"), "t: column `body` cannot be text and label"),
        (columns("9", ""), "t: there is no column `9`; the columns are `id`, `lang`, `body`, `grade`"),
    ] {
        assert_eq!(Labelled::of(&table, &asked).unwrap_err().to_string(), says);
    }
}

#[test]
fn several_columns_are_one_text() {
    let text = "title,body,stars\nFine,moved me,5\nDull,,1\n,so good,5\n,,1\nWhy,no idea,1\n";
    let found = labelled(text, &columns("title,body", "stars"));
    let texts: Vec<&str> = found.examples.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(texts, ["Fine | moved me", "Dull | ", " | so good", "Why | no idea"]);
    assert_eq!(found.text, "title,body");
    // A column of that very name comes first.
    let found = labelled("\"a,b\",label\nx y,0\nz,1\nx,0\n", &columns("a,b", "label"));
    assert_eq!(found.examples[0].text, "x y");
}

#[test]
fn real_examples_have_their_columns() {
    for (name, text, label, classes) in [
        ("sst/binary.dev.txt", "text", "label", &[("0", 428), ("1", 444)][..]),
        ("ru-sentiment-tweets/banks-train.tsv", "text", "label", &[("-1", 1059), ("0", 3422), ("1", 354)]),
        (
            "ru-sentiment-rusentne/validation_data_labeled.csv",
            "sentence",
            "label",
            &[("-1", 438), ("0", 2045), ("1", 362)],
        ),
        ("splice/splice.data", "3", "1", &[("EI", 767), ("IE", 768), ("N", 1655)]),
    ] {
        let Some(path) = real(name) else { return };
        let found = Labelled::read(&path, &Columns::default(), &Reading::default()).unwrap();
        let counts = found.classes();
        let counts: Vec<(&str, usize)> = counts.iter().map(|(label, count)| (label.as_str(), *count)).collect();
        assert_eq!((found.text.as_str(), found.label.as_str(), &counts[..]), (text, label, classes), "{name}");
    }
    let Some(path) = real("trec/TREC.train") else { return };
    let reading = Reading { encoding: Some("windows-1252".into()), ..Reading::default() };
    assert_eq!(Labelled::read(&path, &Columns::default(), &reading).unwrap().classes().len(), 6);
    let fine = Columns { label: Some("fine".into()), ..Columns::default() };
    assert_eq!(Labelled::read(&path, &fine, &reading).unwrap().classes().len(), 50);
}
