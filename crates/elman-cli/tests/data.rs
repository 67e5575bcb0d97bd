//! `elman data`, and `elman train` with a file alone.

mod common;

use common::Folder;

const REVIEWS: &str =
    "review,stars\nso very good,5\nnot at all,1\nso very good,5\nfine,1\nso very good,1\nwell,5\n,1\noh no,5\n";

#[test]
fn a_table_is_shown_for_people_and_as_json() {
    let folder = Folder::new();
    folder.text("reviews.csv", REVIEWS);
    folder.text("test.csv", "review,stars\nfine,1\nbrand new,5\nso so,1\nas it was,5\n");
    let run = folder.run("data reviews.csv --test test.csv").good();
    for part in [
        "reviews.csv: a table (CSV), UTF-8, 8 rows",
        "review  text",
        "stars   number         2        0",
        "2 classes in `stars`",
        "50.0%  1",
        "2 repeat an earlier one (its line, and that of the first): 4 and 2, 6 and 2",
        "1 repeat an earlier one with another label (its line, and that of the first): 6 and 2",
        "1 empty: 8",
        "1 stand in reviews.csv too (here and there): 2 and 5",
    ] {
        assert!(run.out.contains(part), "no `{part}` in\n{}", run.out);
    }
    let json = folder.run("data reviews.csv --test test.csv --json").good().json();
    assert_eq!(
        (&json[0]["count"], &json[0]["text"], &json[0]["repeated"]["count"]),
        (&8.into(), &"review".into(), &2.into())
    );
    assert_eq!(json[1]["shared"][0]["rows"]["first"][0], serde_json::json!([2, 5]));
}

#[test]
fn what_is_a_fact_is_not_to_be_looked_at() {
    let folder = Folder::new();
    let row = |n: usize| format!("{n},a text of row {n},{}\n", ["good", "bad"][n % 2]);
    folder.text("three.csv", &("id,review,kind\n".to_string() + &(0..12).map(row).collect::<String>()));
    let run = folder.run("data three.csv").good();
    assert!(run.out.contains("the text is column `review`") && !run.out.contains("to look at"), "{}", run.out);
    folder.text("twice.csv", &("id,review,kind\n".to_string() + &(0..12).map(|n| row(n % 9)).collect::<String>()));
    let run = folder.run("data twice.csv").good();
    let (facts, wrong) = run.out.split_once("to look at").unwrap();
    assert!(facts.contains("the text is column") && !wrong.contains("the text is column"), "{}", run.out);
}

#[test]
fn several_columns_and_several_files_are_read_as_training_reads_them() {
    let folder = Folder::new();
    folder.text(
        "pairs.csv",
        "text,about,label\nso good,film,1\nso good,song,0\n,,1\n,end,0\nso good,film,1\nbad,song,0\n",
    );
    folder.text("more.csv", "text,about,label\nnew,film,1\nbad,song,0\n");
    let run = folder.run("data pairs.csv,more.csv --text text,about --label label").good();
    for part in ["in `label`", "`text,about`", "1 empty: 4", "1 repeat an earlier one", "more.csv: a table", "6 and 2"]
    {
        assert!(run.out.contains(part), "no `{part}` in\n{}", run.out);
    }
    assert!(run.out.contains("1 stand in pairs.csv too (here and there): 3 and 7"), "{}", run.out);
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let folder = Folder::new();
    folder.text("ragged.csv", "a,b,c\n1,2,3\n4,5\n6,7,8\n");
    folder.text("reviews.csv", REVIEWS);
    folder.run("data missing.csv").one_error(&["missing.csv: there is no such file"]);
    folder.run("data ragged.csv").one_error(&["ragged.csv:3: the row has 2 fields and the header has 3"]);
    folder.run("data reviews.csv --label star").one_error(&["no column `star`", "did you mean `stars`?"]);
    folder.run("data .").one_error(&["there is no .png in it"]);
}

#[test]
fn a_file_alone_gets_the_command_that_trains_on_it() {
    let folder = Folder::new();
    folder.text("reviews.csv", REVIEWS);
    let run = folder.run("train reviews.csv").good();
    assert!(run.out.contains("`review` holds texts, `stars` their 2 labels"), "{run:?}");
    assert!(run.out.contains("\n  elman train classify --data reviews.csv --text review --label stars\n"), "{run:?}");
    folder.text("numbers.csv", "a,b\n1,2\n3,4\n");
    folder.run("train numbers.csv").one_error(&["numbers.csv: ", "no command trains on it"]);
    let cases =
        |label: &str| format!("@problemName moves\n@classLabel true 1 2\n@data\n1,2,3:{label}\n3,2,1:{label}\n");
    folder.text("unlabelled.ts", &cases("?"));
    folder.run("train unlabelled.ts").one_error(&["its series have no labels", "elman predict RUN --data FILE"]);
    folder.text("labelled.ts", &cases("1"));
    assert!(folder.run("train labelled.ts").good().out.contains("elman train classify --data labelled.ts"));
    folder.run("train missing.csv").one_error(&["missing.csv: there is no such file"]);
    folder.run("train .").one_error(&["there is no .png in it"]);
    for words in ["train reviews.csv --encoding windows-1252", "train --encoding windows-1252 reviews.csv"] {
        let run = folder.run(words).good();
        assert!(run.out.contains("--label stars --encoding windows-1252"), "{run:?}");
    }
    let run = folder.run("train missing.csv --seed 3");
    assert!(run.code == Some(2) && run.err.contains("elman train lm --data 'missing.csv'"), "{run:?}");
}
