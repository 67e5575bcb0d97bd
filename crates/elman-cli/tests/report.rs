//! `report.html` of a run of each task: after training and after `elman eval`, with hostile texts, and with examples that are
//! longer than those of training.

mod common;

use common::Folder;

/// What would be a script, were it not escaped.
const HOSTILE: &str = "<script>alert(1)</script>";
const SMALL: &str = "--hidden 8 --embedding 8 --batch 8 --rate 0.02 --dropout 0 --threads 1";

/// The page of a run: whole, and without a tag of the data.
fn page(folder: &Folder, run: &str) -> String {
    page_of(folder, run, "report.html")
}

fn page_of(folder: &Folder, run: &str, file: &str) -> String {
    let html = std::fs::read_to_string(folder.path().join(run).join(file)).unwrap();
    assert!(html.ends_with("</html>\n") && html.contains("<polyline"), "{run}: {html}");
    for tag in ["<script", "<b>", "</b>", "src=\"h", "href="] {
        assert!(!html.contains(tag), "{run}: {tag}");
    }
    html
}

/// Trains, and looks for `sections` on the page, then evaluates `long`, whose examples are longer than any of training.
fn shown(folder: &Folder, train: &str, long: &str, sections: &[&str]) -> serde_json::Value {
    folder.run(&format!("train {train} {SMALL} --out run")).good();
    let html = page(folder, "run");
    for section in sections.iter().chain(&["Figures of the validation part", "95% interval"]) {
        assert!(html.contains(section), "no {section} in {html}");
    }
    folder.run("eval run").good();
    assert!(page(folder, "run").contains("Figures of the test part"));
    assert!(page(folder, "run").contains("validation part, best"));
    let table = folder.run(&format!("eval run --data {long}")).good().out;
    assert!(table.contains("longer than in training"), "{table}");
    let own = page(folder, "run");
    assert!(own.contains("Figures of the test part"));
    let file = long.split(' ').next().unwrap_or_default();
    let html = page_of(folder, "run", &format!("report-{file}.html"));
    for part in ["against length", "bar beyond", "Figures of the file"] {
        assert!(html.contains(part), "no {part} in {html}");
    }
    folder.run(&format!("eval run --data {long} --json")).good().json()
}

/// `count` lines, of `words` words and some more.
fn sentences(count: usize, words: usize) -> Vec<String> {
    let known = ["red", "green", HOSTILE, "blue", "gray"];
    let one = |n: usize| (0..words + n % 4).map(|k| known[(n * 7 + k * k) % 5]).collect::<Vec<_>>().join(" ");
    (0..count).map(one).collect()
}

#[test]
fn classify() {
    let folder = Folder::new();
    let rows = |lines: Vec<String>| -> String {
        let row = |(n, line): (usize, &String)| format!("{}\t{line}\n", ["<b>good</b>", "bad"][n % 2]);
        "label\ttext\n".to_string() + &lines.iter().enumerate().map(row).collect::<String>()
    };
    folder.text("data.tsv", &rows(sentences(80, 2)));
    folder.text("long.tsv", &rows(sentences(20, 40)));
    let sections =
        ["Classes", "Confusion", "Most confused", "Wrong with the least doubt", "&lt;script&gt;", "Accuracy"];
    let train = "classify --data data.tsv --ngrams 64 --characters 0 --epochs 2";
    let json = shown(&folder, train, "long.tsv", &sections);
    // Words and signs: `<script>alert(1)</script>` has twelve.
    let by_length = &json["details"]["by_length"];
    assert_eq!((&by_length["metric"], &by_length["unit"]), (&"accuracy".into(), &"words".into()), "{json}");
    assert!(by_length["bins"].as_array().unwrap().iter().all(|bin| bin["beyond_training"] == true), "{json}");
    assert!(json["details"]["intervals"]["accuracy"]["low"].is_number());
    // The run's own length counts, whatever has become of the training file.
    let kept = std::fs::read_to_string(folder.path().join("run/lengths.json")).unwrap();
    folder.text("run/lengths.json", &kept.replace(&by_length["longest_in_training"].to_string(), "100000"));
    let json = folder.run("eval run --data long.tsv --json").good().json();
    assert_eq!(json["details"]["by_length"]["longest_in_training"], 100_000);
    // Runs of earlier programs do not keep it.
    std::fs::remove_file(folder.path().join("run/lengths.json")).unwrap();
    let json = folder.run("eval run --data long.tsv --json").good().json();
    assert_eq!(json["details"]["by_length"]["longest_in_training"], by_length["longest_in_training"]);
}

#[test]
fn tag() {
    let folder = Folder::new();
    let bank = |lines: Vec<String>| -> String {
        let word = |(k, word): (usize, &str)| {
            let tag = ["X", "<b>Y</b>", "Z"][(word.len() + k / 2) % 3];
            format!("{}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_\n", k + 1)
        };
        lines.iter().map(|line| line.split(' ').enumerate().map(word).collect::<String>() + "\n").collect()
    };
    folder.text("data.conllu", &bank(sentences(60, 2)));
    folder.text("long.conllu", &bank(sentences(10, 12)));
    let train = "tag --data data.conllu --characters 0 --epochs 1";
    let sections = ["Tags", "Most confused tags", "Wrong sentences", "&lt;script&gt;", "&lt;b&gt;Y"];
    let json = shown(&folder, train, "long.conllu", &sections);
    assert_eq!(json["details"]["by_length"]["longest_in_training"], 5);
}

/// Pairs: a line, and its words in another order.
fn pairs(lines: Vec<String>) -> String {
    let turned = |line: &String| line.split(' ').rev().collect::<Vec<_>>().join(" ");
    lines.iter().enumerate().map(|(n, line)| format!("{line} n{n}\t{} n{n}\n", turned(line))).collect()
}

#[test]
fn translate() {
    let folder = Folder::new();
    folder.text("data.tsv", &pairs(sentences(60, 2)));
    folder.text("long.tsv", &pairs(sentences(10, 12)));
    let sections = ["Attention, pair 1", "(end)", "Samples", "Bleu", "&lt;script&gt;"];
    let train = "translate --data data.tsv --vocab-size 300 --epochs 1";
    let json = shown(&folder, train, "long.tsv", &sections);
    assert_eq!(json["details"]["by_length"]["metric"], "chrF");
    // One side a file, beside a run that was trained on a table.
    let side =
        |k: usize| pairs(sentences(9, 9)).lines().map(|l| l.split('\t').nth(k).unwrap().to_string() + "\n").collect();
    let (from, to): (String, String) = (side(0), side(1));
    folder.text("long.from", &from);
    folder.text("long.to", &to);
    let json = folder.run("eval run --data long.from --target-data long.to --json").good().json();
    assert_eq!(json["details"]["pairs"], 9);
}

#[test]
fn rank() {
    let folder = Folder::new();
    folder.text("data.tsv", &pairs(sentences(60, 2)));
    folder.text("long.tsv", &pairs(sentences(10, 40)));
    let sections = ["Queries", "found", "TF-IDF of words", "&lt;script&gt;"];
    let json = shown(&folder, "rank --data data.tsv --space 8 --characters 0 --epochs 1", "long.tsv", &sections);
    assert_eq!(json["details"]["by_length"]["metric"], "MRR");
}

/// An idx file of dimensions and bytes.
fn idx(folder: &Folder, name: &str, dims: &[u32], data: &[u8]) {
    let mut all = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|n| all.extend(n.to_be_bytes()));
    all.extend(data);
    std::fs::write(folder.path().join(name), all).unwrap();
}

/// Pictures of 4 × 4 pixels with one bright row, whose number is the label.
fn pictures(folder: &Folder, count: u32) {
    let pixel = |i: u32| if i / 4 % 4 == i / 16 % 4 { 250 } else { (i % 7) as u8 };
    idx(folder, "a.idx", &[count, 4, 4], &(0..count * 16).map(pixel).collect::<Vec<u8>>());
    idx(folder, "labels.idx", &[count], &(0..count).map(|i| (i % 4) as u8).collect::<Vec<u8>>());
}

#[test]
fn label() {
    let folder = Folder::new();
    pictures(&folder, 40);
    let train = "label --ctc --data a.idx --labels labels.idx,labels.idx --test a.idx --strings 60 --string-length 2-4 \
                 --stack 1 --epochs 1";
    let long = "a.idx --labels labels.idx --string-length 6-9";
    let json = shown(&folder, train, long, &["Probabilities over time", "(blank)", "Samples"]);
    let by_length = &json["details"]["by_length"];
    assert_eq!((&by_length["unit"], &by_length["longest_in_training"]), (&"characters".into(), &4.into()));
    assert_eq!(by_length["bins"][0]["shortest"], 6, "{json}");
    folder.run("eval run --data a.idx").one_error(&["a.idx", "--labels"]);
    assert_eq!(folder.run("eval run --data a.idx --labels labels.idx --string-length 9-6").code, Some(2));
}

#[test]
fn pictures_with_labels_are_measured_as_they_are_trained() {
    let folder = Folder::new();
    pictures(&folder, 40);
    let train = "train classify --data a.idx --labels labels.idx --epochs 1 --hidden 8 --batch 8 --threads 1";
    folder.run(&format!("{train} --out run")).good();
    let json = folder.run("eval run --data a.idx --labels labels.idx --json").good().json();
    assert_eq!(json["details"]["examples"], 40);
    folder.run("eval run --data a.idx").one_error(&["a.idx: picture 1 has no label", "--labels"]);
}

#[test]
fn caption() {
    let folder = Folder::new();
    let pixels: Vec<u8> = (0..40 * 8 * 8 * 3u32).map(|i| (i * i % 251) as u8).collect();
    idx(&folder, "a.idx", &[40, 8, 8, 3], &pixels);
    folder.text("names.tsv", &("name\n".to_string() + &sentences(40, 1).join("\n") + "\n"));
    folder.text("long.tsv", &("name\n".to_string() + &sentences(40, 7).join("\n") + "\n"));
    let train = "caption --data a.idx --captions names.tsv --text name --convolutions 1 --epochs 1";
    let sections = ["nearest picture", "data:image/png;base64,", "&lt;script&gt;"];
    let json = shown(&folder, train, "a.idx --captions long.tsv", &sections);
    assert_eq!(json["details"]["by_length"]["longest_in_training"], 4);
    folder.run("eval run --data a.idx").one_error(&["a.idx", "--captions"]);
}

#[test]
fn a_language_model() {
    let folder = Folder::new();
    folder.text("data.txt", &(sentences(60, 3).join("\n") + "\n"));
    folder.run("train lm --data data.txt --hidden 8 --batch 2 --steps 8 --epochs 2 --threads 1 --out run").good();
    assert!(page(&folder, "run").contains("Best evaluation while training"));
    let run = folder.run("eval run").good();
    assert!(run.err.contains("run/report.html"), "{run:?}");
    let html = page(&folder, "run");
    for part in ["Measured: test", "perplexity", "The model writes", "&lt;script&gt;"] {
        assert!(html.contains(part), "no {part} in {html}");
    }
    folder.run("eval run --data data.txt --labels x").one_error(&["run", "--labels"]);
}

#[cfg(unix)]
#[test]
fn figures_come_from_a_run_that_cannot_be_written_to() {
    let folder = Folder::new();
    folder.text("data.txt", &(sentences(60, 3).join("\n") + "\n"));
    folder.run("train lm --data data.txt --hidden 8 --batch 2 --steps 8 --epochs 1 --threads 1 --out run").good();
    let page = folder.path().join("run/report.html");
    std::fs::remove_file(&page).unwrap();
    std::fs::create_dir(&page).unwrap();
    let run = folder.run("eval run").good();
    assert!(run.out.contains("perplexity") && run.err.contains("could not be written"), "{run:?}");
}
