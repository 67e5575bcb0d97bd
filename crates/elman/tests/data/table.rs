//! Tables in all forms.

use crate::{Files, Spoiled, real, refuses};
use elman::data::{Form, Reading, Table};

fn table(file: &str, text: &str) -> Table {
    Table::of(file, text, &Reading::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn rows(table: &Table) -> Vec<(u64, Vec<&str>)> {
    table.rows.iter().map(|row| (row.line, row.fields.iter().map(String::as_str).collect())).collect()
}

#[test]
fn quotes_take_in_commas_and_lines_and_rows_know_their_line() {
    let text = "text,stars\n\n\"good, \"\"really\"\"\nso\", 5\nbad ,1\n\n\nmeh,3\n";
    let table = table("t.csv", text);
    assert_eq!(table.columns, ["text", "stars"]);
    assert_eq!(table.form, Form::CSV);
    assert_eq!(rows(&table), [(3, vec!["good, \"really\"\nso", "5"]), (5, vec!["bad", "1"]), (8, vec!["meh", "3"])]);
}

#[test]
fn the_form_is_in_the_text_and_not_in_the_name() {
    let semicolons = Form::Delimited { delimiter: b';', quotes: true };
    for (name, text, form) in [
        ("a.csv", "a\tb\n1\t2,5\n3\t4,5\n", Form::TSV),
        ("a", "price;name\n1,5;x\n2,5;y\n", semicolons),
        ("a.txt", "1.5,2,3\n4,5,6\n", Form::CSV),
        ("a", "{\"a\": 1}\n{\"a\": 2}\n", Form::JsonLines),
        ("a", "0 a b\n1 c\n1 d e, f\n0 g\n", Form::LabelLines),
        ("a", "NUM:dist How far ?\nHUM:ind Who ?\n", Form::LabelLines),
        ("a.csv", "x,y\n1,2\n", Form::CSV),
    ] {
        assert_eq!(Form::of(name, text), Some(form), "{name} {text:?}");
    }
    for text in ["to be, or not\nthat is, well\nthe question, it is\n", "a b c\nd e\nf g\nh i\n", "one\n", ""] {
        assert_eq!(Form::of("a.txt", text), None, "{text:?}");
    }
}

#[test]
fn headers_are_told_from_rows() {
    for (text, named) in [
        ("label,text\n1,so good\n0,so bad\n", true),
        ("age,height\n3,90\n4,100\n", true),
        ("3,90\n4,100\n", false),
        ("EI,ATRINS,CCAGC\nEI,BABAP,GAGGT\nIE,X,AAGGT\n", false),
        ("That isn't something I'd do.\tНет.\nMy father sleeps.\tОтец спит.\n", false),
        ("Hello.\tПривет.\nRun!\tБеги!\n", false),
        ("cat\tкот\ndog\tсобака\n", false),
        ("en\tru\ncat\tкот\ndog\tсобака\n", true),
        (
            "remark\tgrade\na long remark about things that were bought\tA\nanother one of the same kind as before\tB\n",
            true,
        ),
        ("spam,win a prize now and call this number\nham,see you at home for dinner\nspam,win more\n", false),
    ] {
        assert_eq!(table("a.csv", text).named, named, "{text:?}");
    }
    let asked = Reading { header: Some(true), ..Reading::default() };
    assert_eq!(Table::of("a.csv", "cat,kot\ndog,pes\n", &asked).unwrap().columns, ["cat", "kot"]);
    let asked = Reading { header: Some(false), ..Reading::default() };
    assert_eq!(Table::of("a.csv", "en,ru\ndog,pes\n", &asked).unwrap().rows.len(), 2);
}

#[test]
fn a_header_that_lacks_the_name_of_the_row_numbers() {
    let table = table("a.txt", "\"date\",\"light\"\n\"1\",\"monday\",5\n\"2\",\"tuesday\",6\n");
    assert_eq!(table.columns, ["row", "date", "light"]);
    assert_eq!(rows(&table)[1], (3, vec!["2", "tuesday", "6"]));
}

#[test]
fn quotes_in_a_tsv_mean_something_only_where_all_agree() {
    let plain = table("a.tsv", "\"Why?\" asked Tom.\tПочему?\nHe said \"no\".\t\"Нет\".\n");
    assert_eq!(plain.rows[0].fields[0], "\"Why?\" asked Tom.");
    let quoted = table("a.tsv", "en\tru\n\"He said \"\"no\"\".\"\tНет.\nYes.\tДа.\n");
    assert_eq!(quoted.rows[0].fields[0], "He said \"no\".");
    let lines = table("a.tsv", "id\ttext\n1\t\"two\nlines\"\n2\tone\n");
    assert_eq!(lines.rows[0].fields[1], "two\nlines");
}

#[test]
fn json_keys_keep_their_order_and_may_be_missing() {
    let text = "{\"text\": \"a \\n b\", \"n\": 1.0, \"ok\": true}\n\n{\"late\": [1, 2], \"text\": null}\n";
    let table = table("t", text);
    assert_eq!(table.columns, ["text", "n", "ok", "late"]);
    assert_eq!(rows(&table), [(1, vec!["a \n b", "1.0", "true", ""]), (3, vec!["", "", "", "[1,2]"])]);
}

#[test]
fn label_lines_have_two_columns_or_three() {
    let two = table("t", "0 one  long string\n1 nice\n1 good\n0 no\n");
    assert_eq!((two.columns.len(), rows(&two)[0].clone()), (2, (1, vec!["0", "one  long string"])));
    let three = table("t", "NUM:dist How far ?\nHUM:ind Who ?\n");
    assert_eq!(three.columns, ["label", "fine", "text"]);
    assert_eq!(rows(&three)[1], (2, vec!["HUM", "HUM:ind", "Who ?"]));
    assert_eq!(rows(&table("t", "__label__good nice\n__label__bad poor\n"))[0].1, ["good", "nice"]);
}

#[test]
fn columns_are_found_by_name_number_and_letters() {
    let named = Reading { header: Some(true), ..Reading::default() };
    let table = Table::of("t.csv", "Review,stars,2\ngood,5,0\nbad,1,0\n", &named).unwrap();
    assert_eq!(["Review", "review", "1", "2", "3"].map(|name| table.column(name).unwrap()), [0, 0, 0, 2, 2]);
    let told = table.column("reviw").unwrap_err().to_string();
    assert_eq!(
        told,
        "t.csv: there is no column `reviw`, did you mean `Review`?; the columns are `Review`, `stars`, `2`"
    );
}

#[test]
fn any_table_of_texts_comes_back() {
    let mut random = elman::engine::Random::new(7, 0);
    let letters = ["a", "b", ",", "\"", "\n", "é", " ", "7", ";"];
    for _ in 0..300 {
        let (width, height) = (2 + random.bits() as usize % 3, 2 + random.bits() as usize % 5);
        let mut field = || {
            let n = 1 + random.bits() % 6;
            let inside: String = (0..n).map(|_| letters[random.bits() as usize % letters.len()]).collect();
            format!("x{inside}y")
        };
        let wanted: Vec<Vec<String>> = (0..height).map(|_| (0..width).map(|_| field()).collect()).collect();
        let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let lines: Vec<String> =
            wanted.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n").collect();
        let reading = Reading { header: Some(false), form: Some(Form::CSV), ..Reading::default() };
        let found = Table::of("t", &lines.concat(), &reading).unwrap();
        assert_eq!(found.rows.iter().map(|row| row.fields.clone()).collect::<Vec<_>>(), wanted);
        let mut line = 1;
        for (row, written) in found.rows.iter().zip(&lines) {
            assert_eq!(row.line, line);
            line += written.matches('\n').count() as u64;
        }
    }
}

#[test]
fn any_bytes_end_in_a_table_or_an_error() {
    let mut random = elman::engine::Random::new(8, 0);
    let letters = b"a1,;\t\"\n {}:[]0\\\xC3\xA9|\r";
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..random.bits() % 60).map(|_| letters[random.bits() as usize % letters.len()]).collect();
        let text = String::from_utf8_lossy(&bytes);
        let _ = Table::of("t.csv", &text, &Reading::default());
        let _ = Table::of("t.jsonl", &text, &Reading::default());
        let _ = Table::of("t", &text, &Reading { form: Some(Form::LabelLines), ..Reading::default() });
    }
}

#[test]
fn spoiled_tables_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "empty.csv", bytes: b"", says: "F: the text is empty; give a text with at least one word in it" },
        Spoiled { name: "header.csv", bytes: b"label,text\n", says: "F: the table has a header and no rows; give one with at least one row" },
        Spoiled { name: "ragged.csv", bytes: b"id,label,text\n1,a,so good\n2,b,so, bad\n3,a,fine\n", says: "F:3: the row has 4 fields and the header has 3; put a text that holds `,` in double quotes" },
        Spoiled { name: "short.tsv", bytes: b"label\ttext\n1\tgood\n2\n", says: "F:3: the row has 1 field and the header has 2; a tab may stand inside a text, or be missing" },
        Spoiled { name: "unnamed.csv", bytes: b"1,2,3\n4,5,6\n7,8\n", says: "F:3: the row has 2 fields and the first row has 3; put a text that holds `,` in double quotes" },
        Spoiled { name: "quote.csv", bytes: b"label,text\n1,good\n2,\"bad\n1,fine\n", says: "F:3: a quote opens a field here and is never closed; close it, or double it (`\"\"`) where it is part of the text" },
        Spoiled { name: "twice.csv", bytes: b"label,text,label\n1,good,2\n2,bad,3\n", says: "F:1: columns 1 and 3 are both named `label`; rename one" },
        Spoiled { name: "latin.csv", bytes: b"label,text\n1,caf\xE9 au lait\n0,tr\xE8s bon\n", says: "F:2: byte 6 of the line (byte 17 of the text, 0xe9) is not UTF-8; it looks like windows-1252: give `--encoding windows-1252`" },
        Spoiled { name: "nul.csv", bytes: b"label,text\n1,go\0d\n", says: "F:2: byte 5 of the line is NUL, so this is not a text; export it as plain text, or name its encoding if it is UTF-16 (`--encoding utf-16le`)" },
        Spoiled { name: "book.csv", bytes: b"PK\x03\x04 and so on", says: "F: this is a zip archive (or an office document), not a text; unpack it and give the text inside" },
        Spoiled { name: "packed.csv", bytes: b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x4B", says: "F: the gzip data ends early, after line 0: the file was cut off; copy or download it again" },
        Spoiled { name: "prose.txt", bytes: b"It was the best of times,\nit was the worst of times.\n", says: "F: no table is seen in it: its lines have no common number of tabs, commas or semicolons, are no JSON objects, and do not begin with a label; give a CSV, TSV or JSON lines file, or lines of a label, a space and a text" },
    ], |path| Table::read(path, &Reading::default()));
}

#[test]
fn spoiled_json_lines_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "cut.jsonl", bytes: b"{\"a\": 1}\n{\"a\": 2, \"b\n", says: "F:2: the object does not end in its line; write one object a line (`jq -c .` does), or the file was cut off" },
        Spoiled { name: "pretty.json", bytes: b"{\n  \"a\": 1\n}\n", says: "F:1: the object does not end in its line; write one object a line (`jq -c .` does), or the file was cut off" },
        Spoiled { name: "list.jsonl", bytes: b"{\"a\": 1}\n[{\"a\": 2}]\n", says: "F:2: a list begins here, and JSON lines have one object a line; `jq -c '.[]'` makes them of a list" },
        Spoiled { name: "comma.jsonl", bytes: b"{\"a\": 1}\n{\"a\" 2}\n", says: "F:2: this is no JSON at character 6: expected `:`; write one object a line" },
        Spoiled { name: "number.jsonl", bytes: b"{\"a\": 1}\n\n17\n", says: "F:3: `17` is no JSON object; write one object a line, such as {\"text\": \"…\"}" },
        Spoiled { name: "twice.jsonl", bytes: b"{\"a\": 1, \"a\": 2}\n", says: "F:1: column `a`: the key stands twice in the object; remove one" },
        Spoiled { name: "keys.jsonl", bytes: b"{}\n{}\n", says: "F: the objects have no keys; give at least one, such as {\"text\": \"…\"}" },
        Spoiled { name: "two.jsonl", bytes: b"{\"a\": 1}{\"a\": 2}\n", says: "F:1: this is no JSON at character 9: trailing characters; write one object a line" },
        Spoiled { name: "single.jsonl", bytes: b"{'a': 1}\n", says: "F:1: this is no JSON at character 2: key must be a string; write one object a line" },
        Spoiled { name: "utf.jsonl", bytes: b"{\"a\": 1}\n{\"a\": \"\xFF\"}\n", says: "F:2: byte 8 of the line (byte 17 of the text, 0xff) is not UTF-8; it looks like windows-1252: give `--encoding windows-1252`" },
    ], |path| Table::read(path, &Reading::default()));
}

#[test]
fn real_tables_are_understood() {
    for (name, form, columns, rows) in [
        ("sst/binary.dev.txt", Form::LabelLines, &["label", "text"][..], 872),
        ("trec/TREC.test", Form::LabelLines, &["label", "fine", "text"], 500),
        ("ru-sentiment-tweets/banks-train.tsv", Form::TSV, &["label", "targets", "text"], 4835),
        ("mt-en-ru/tatoeba-train.tsv.gz", Form::TSV, &["1", "2"], 14_924),
        ("mt-en-ru/newstest2013.tsv", Form::TSV, &["1", "2"], 3000),
        ("emoji-captions/valid.tsv", Form::TSV, &["codepoints", "en", "ru"], 300),
        ("splice/splice.data", Form::CSV, &["1", "2", "3"], 3190),
        ("univariate/airline-passengers.csv", Form::CSV, &["Month", "Passengers"], 144),
        ("exchange-rate/exchange_rate.txt.gz", Form::CSV, &["1", "2", "3", "4", "5", "6", "7", "8"], 7588),
    ] {
        let Some(path) = real(name) else { return };
        let table = Table::read(&path, &Reading::default()).unwrap();
        let found = (table.form, table.columns.iter().map(String::as_str).collect::<Vec<_>>(), table.rows.len());
        assert_eq!(found, (form, columns.to_vec(), rows), "{name}");
    }
    let Some(path) = real("ru-sentiment-rusentne/validation_data_labeled.csv") else { return };
    let table = Table::read(&path, &Reading::default()).unwrap();
    let quoted = Form::Delimited { delimiter: b'\t', quotes: true };
    assert_eq!((table.form, table.column("label").unwrap(), table.rows.len()), (quoted, 5, 2845));
    let Some(path) = real("occupancy/datatest.txt") else { return };
    let table = Table::read(&path, &Reading::default()).unwrap();
    assert_eq!((table.columns[0].as_str(), table.column("Occupancy").unwrap(), table.rows.len()), ("row", 7, 2665));
}

#[test]
fn other_encodings_and_packed_files() {
    let files = Files::new();
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode("метка;текст\n1;хорошо и долго\n0;плохо и мало\n");
    let path = files.write("a.csv", &bytes);
    let reading = Reading { encoding: Some("windows-1251".into()), ..Reading::default() };
    let table = Table::read(&path, &reading).unwrap();
    assert_eq!(table.columns, ["метка", "текст"]);
    let zstd =
        ruzstd::encoding::compress_to_vec(&b"label,text\n1,a\n"[..], ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(Table::read(&files.write("b.csv.zst", zstd), &Reading::default()).unwrap().rows.len(), 1);
}
