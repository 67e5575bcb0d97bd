//! What a file is, what is wrong with it, and what to train on it.

use crate::{Files, real};
use elman::data::inspect::{Asked, Inspection, Spread, inspect};
use elman::data::propose::propose;
use elman::data::sniff;

fn one(file: &str, asked: &Asked) -> Inspection {
    inspect(file, asked).unwrap_or_else(|e| panic!("{e}")).remove(0)
}

#[test]
fn spreads_are_numbers_that_stand_there() {
    assert_eq!(Spread::of(vec![]), None);
    assert_eq!(Spread::of(vec![4]), Some(Spread { min: 4, median: 4, most: 4, max: 4 }));
    assert_eq!(Spread::of((1..=100).rev().collect()), Some(Spread { min: 1, median: 50, most: 95, max: 100 }));
}

#[test]
fn repeated_contradicting_empty_and_shared_rows_have_their_lines() {
    let files = Files::new();
    let train =
        "text,label,n\nso good,1,3\nso bad,0,4\nso good,1,5\n,0,6\nso bad,1,7\nwell,0,8\noh no,0,9\nyes yes,1,\n";
    let a = files.write("a.csv", train);
    let b =
        files.write("b.csv", "text,label,n\nnew one,1,3\nso bad,0,4\nwell,0,5\nnot this,1,6\nnew two,0,7\nno no,1,8\n");
    let asked = Asked { test: Some(b.clone()), ..Asked::default() };
    let parts = inspect(&a, &asked).unwrap();
    let part = &parts[0];
    assert_eq!((part.count, part.text.as_deref(), part.label.as_deref()), (8, Some("text"), Some("label")));
    assert_eq!((part.repeated.count, &part.repeated.first[..]), (2, &[(4, 2), (6, 3)][..]));
    assert_eq!((part.contradicting.count, &part.contradicting.first[..]), (1, &[(6, 3)][..]));
    assert_eq!((part.empty.count, part.empty.first[0]), (1, (5, 5)));
    assert_eq!(part.words, Some(Spread { min: 1, median: 2, most: 2, max: 2 }));
    assert_eq!(part.vocabulary.map(|v| (v.words, v.once)), Some((7, 3)));
    let kinds: Vec<(&str, usize)> = part.columns.iter().map(|c| (c.kind, c.missing)).collect();
    assert_eq!(kinds, [("text", 1), ("number", 0), ("number", 1)]);
    let shared = &parts[1].shared[0];
    assert_eq!((shared.file.as_str(), shared.with.as_str()), (b.as_str(), a.as_str()));
    assert_eq!(shared.rows.first, [(3, 3), (4, 7)]);
    let ts = files.write("c.ts", "@data\n1,2\n");
    let told = inspect(&a, &Asked { test: Some(ts.clone()), ..Asked::default() }).unwrap_err().to_string();
    assert_eq!(told, format!("{ts}: this is series (.ts), and {a} is a table (CSV); parts need one form"));
    let told = inspect(&a, &Asked { label: Some("lable".into()), ..Asked::default() }).unwrap_err().to_string();
    assert!(told.contains("did you mean `label`?"), "{told}");
}

#[test]
fn commands_are_proposed() {
    let files = Files::new();
    let reviews: String = (0..12).map(|i| format!("a film of {i} hours,{}\n", i % 3)).collect();
    let tagged = "1\ta\t_\tDET\t_\t_\t_\t_\t_\t_\n2\tcat\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n";
    let idx = b"\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x01a".as_slice();
    files.write("t10k-labels-idx1-ubyte", b"\0\0\x08\x01\0\0\0\x01\x05");
    files.write("reviews.test.csv", "review,stars\nwell,1\n");
    files.write("reviews.dev.csv", "review,stars\nwell,1\n");
    for (name, bytes, command) in [
        (
            "reviews.train.csv",
            format!("review,stars\n{reviews}").as_bytes(),
            "elman train classify --data D/reviews.train.csv --valid D/reviews.dev.csv --test D/reviews.test.csv --text review \
             --label stars",
        ),
        ("tags", tagged.as_bytes(), "elman train tag --data D/tags"),
        (
            "pairs",
            "en\tru\na cat\tкот там\na dog\tпёс тут\n".as_bytes(),
            "elman train translate --data D/pairs --source en --target ru",
        ),
        (
            "notes",
            "text\tnote\nAnn owes 5 euros\tAnn 5\nBob owes 17 euros\tBob 17\nthe case of Eve is shut\tEve\n".as_bytes(),
            "elman train translate --copy --data D/notes --source text --target note",
        ),
        ("a book.txt", b"It was the best of times,\nand the worst.\n", "elman train lm --data 'D/a book.txt'"),
        (
            "t10k-images-idx3-ubyte",
            idx,
            "elman train classify --data D/t10k-images-idx3-ubyte --labels D/t10k-labels-idx1-ubyte",
        ),
        ("x.ts", b"@classLabel true a b\n@data\n1,2:a\n", "elman train classify --data D/x.ts"),
    ] {
        let found = propose(&files.write(name, bytes), None).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(found.command.replace(files.path("").trim_end_matches('/'), "D"), command);
    }
    for (name, bytes, says) in [
        (
            "n.csv",
            "a,b\n1,2\n3,4\n".as_bytes(),
            "no command trains on it as it is; write series of numbers as a .ts file",
        ),
        ("labels", b"\0\0\x08\x01\0\0\0\x01\x05", "name the file of the pictures"),
        ("pictures", idx, "no file of labels"),
        ("s.wav", b"RIFF\0\0\0\0WAVE", "elman train label --ctc --data TABLE"),
        ("a.npy", b"\x93NUMPY", "elman train classify --data SERIES --labels LABELS"),
    ] {
        let told = propose(&files.write(name, bytes), None).unwrap_err().to_string();
        assert!(told.contains(says), "{name}: {told}");
    }
    assert!(sniff("-").unwrap_err().to_string().contains("give a file"));
}

#[test]
fn real_files_are_known_by_what_is_in_them() {
    for (name, kind, task) in [
        ("sst/binary.train.txt", "a table (lines of a label and a text)", "classify"),
        ("ru-sentiment-rusentne/train_data.csv.gz", "a table (TSV)", "classify"),
        ("ud-english-ewt/en_ewt-ud-dev.conllu.gz", "tagged sentences (CoNLL-U)", "tag"),
        ("mt-en-ru/tatoeba-valid.tsv", "a table (TSV)", "translate"),
        ("splice/splice.data", "a table (CSV)", "classify"),
        ("ptb/ptb.valid.txt", "a text", "lm"),
        ("ru-literature/evgeniy-onegin.txt", "a text", "lm"),
        ("tinyshakespeare/input.txt.gz", "a text", "lm"),
        ("wikitext2-partial/wiki.valid.tokens.gz", "a text", "lm"),
        ("multi30k/val.en.gz", "a text", "lm"),
        ("mnist/train-images-idx3-ubyte.gz", "pictures (idx)", "classify"),
        ("cifar10-jpeg-subset/cifar10_train_5000.bin.gz", "pictures (CIFAR-10 records)", "classify"),
        ("japanesevowels/JapaneseVowels_TEST.ts", "series (.ts)", "classify"),
    ] {
        let Some(path) = real(name) else { return };
        assert_eq!(sniff(&path).unwrap().name(), kind, "{name}");
        let command = propose(&path, None).unwrap_or_else(|e| panic!("{e}")).command;
        assert!(command.starts_with(&format!("elman train {task} ")), "{name}: {command}");
    }
    let (Some(train), Some(test)) =
        (real("ud-russian-taiga/ru_taiga-ud-dev.conllu.gz"), real("ud-russian-taiga/ru_taiga-ud-test.conllu.gz"))
    else {
        return;
    };
    let parts = inspect(&train, &Asked { test: Some(test), ..Asked::default() }).unwrap();
    assert_eq!(parts[1].shared[0].rows.count, 1);
    let Some(path) = real("sst/binary.dev.txt") else { return };
    let part = one(&path, &Asked::default());
    assert_eq!((part.count, part.classes[0].count, part.classes[1].count), (872, 444, 428));
}
