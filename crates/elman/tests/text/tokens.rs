//! Vocabularies and subwords: counts, order, round trips, files.

use elman::text::subword::Subword;
use elman::text::vocabulary::{Cut, Kind, Vocabulary};
use elman::text::{Tokenizer, Unit};
use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;

const TEXT: &str = "the cat sat on the mat\nthe dog <unk> the cat\n\nbirds sing\n";

fn cut(min_count: u64, max_size: Option<usize>) -> Cut {
    Cut { min_count, max_size, ..Cut::default() }
}

fn words(cut: Cut) -> Vocabulary {
    Vocabulary::count(Kind::Word, TEXT, cut).unwrap()
}

#[test]
fn words_are_ordered_by_count_then_text() {
    let all = words(Cut::default());
    let expected = ["<unk>", "<eos>", "the", "cat", "birds", "dog", "mat", "on", "sat", "sing"];
    assert_eq!(all.entries(), expected);
    assert_eq!([0, 1, 2, 3, 4].map(|id| all.times(id).unwrap()), [1, 4, 4, 2, 1]);
    assert_eq!(words(cut(2, None)).entries(), &expected[..4]);
    assert_eq!(words(cut(1, Some(6))).entries(), &expected[..6]);
}

#[test]
fn words_are_encoded_with_the_ends_of_lines() {
    let mut ids = Vec::new();
    words(cut(2, None)).encode("the  cat\tsings\n\nthe\u{a0}end", &mut ids);
    assert_eq!(ids, [2, 3, 0, 1, 1, 2, 0]);
    assert_eq!(words(cut(2, None)).decode(&ids), "the cat <unk>\n\nthe <unk>");
    assert_eq!(words(cut(2, None)).decode(&[2, 99]), "the <unk>");
}

#[test]
fn characters_are_scalar_values() {
    let v = Vocabulary::count(Kind::Character, "ёё e\u{301}\n🦀 ё\n", Cut::default()).unwrap();
    assert_eq!(v.entries(), ["<unk>", "<eos>", "ё", " ", "e", "\u{301}", "🦀"]);
    let mut ids = Vec::new();
    v.encode("🦀ёz\n", &mut ids);
    assert_eq!(ids, [6, 2, 0, 1]);
    assert_eq!(v.decode(&ids), "🦀ё\u{FFFD}\n");
}

#[test]
fn limits_are_refused_with_the_way_out() {
    let limited = Cut { limit: 8, ..Cut::default() };
    let told = Vocabulary::count(Kind::Word, TEXT, limited).unwrap_err().to_string();
    assert!(
        told.starts_with("the text has 8 different words after the cut-off, and the limit is 8; take --vocab-size"),
        "{told}"
    );
    assert!(Vocabulary::count(Kind::Word, TEXT, Cut { limit: 10, ..Cut::default() }).is_ok());
    assert!(Vocabulary::count(Kind::Word, TEXT, Cut { max_size: Some(8), ..limited }).is_ok());
    let told = Vocabulary::count(Kind::Word, TEXT, cut(1, Some(2))).unwrap_err().to_string();
    assert!(told.contains("a vocabulary of 2 is too small"), "{told}");
    let told = Subword::learn(TEXT, cut(1, Some(257))).unwrap_err().to_string();
    assert!(told.contains("at least 258"), "{told}");
    assert!(Subword::learn(TEXT, Cut { limit: 300, ..Cut::default() }).is_err());
}

#[test]
fn a_vocabulary_file_is_read_back_and_checked() {
    let v = words(Cut::default());
    let json = v.to_json().unwrap();
    let file = Path::new("v.json");
    assert_eq!(Vocabulary::from_json(&json, file).unwrap(), v);
    let lies = [
        (
            json.replace("\"version\":1", "\"version\":7"),
            "elman-vocabulary version 7; we read elman-vocabulary version 1",
        ),
        (json.replace("\"mat\"", "\"the\""), "entry 2 (\"the\") stands twice"),
        (json.replace("\"mat\"", "\"a mat\""), "entry 6 (\"a mat\") is not one word"),
        (json.replace("\"mat\"", "\"\""), "entry 6 (\"\") is not one word"),
        (json.replace("\"<eos>\"", "\"</s>\""), "the first two entries must be <unk> and <eos>"),
        (json.replace(",\"mat\"", ""), "9 entries but 10 counts"),
        (json.replace("\"kind\"", "\"sort\""), "not a vocabulary of ours"),
        (json[..json.len() / 2].to_string(), "not a vocabulary of ours"),
    ];
    for (lie, expected) in lies {
        let told = Vocabulary::from_json(&lie, file).unwrap_err().to_string();
        assert!(told.starts_with("v.json: ") && told.contains(expected), "{told}\n{expected}");
    }
}

#[test]
fn files_of_every_kind_load_again() {
    let folder = tempfile::tempdir().unwrap();
    for unit in [Unit::Word, Unit::Character, Unit::Subword] {
        let t = Tokenizer::learn(unit, TEXT, cut(1, (unit == Unit::Subword).then_some(280))).unwrap();
        let file = folder.path().join(t.file_name());
        std::fs::write(&file, t.to_json().unwrap()).unwrap();
        let back = Tokenizer::load(&file).unwrap();
        assert_eq!((back.unit(), back.size(), back.to_json().unwrap()), (unit, t.size(), t.to_json().unwrap()));
        assert_eq!(back.encode(TEXT).unwrap(), t.encode(TEXT).unwrap());
    }
    let missing = Tokenizer::load(&folder.path().join("none.json")).unwrap_err().to_string();
    assert!(missing.contains("none.json: cannot be read"), "{missing}");
    std::fs::write(folder.path().join("x.json"), "{}").unwrap();
    let other = Tokenizer::load(&folder.path().join("x.json")).unwrap_err().to_string();
    assert!(other.contains("not a tokenizer.json"), "{other}");
}

#[test]
fn subwords_join_what_stands_together() {
    let text = "low low low low lower lower newest newest newest newest newest widest widest\n".repeat(4);
    let s = Subword::learn(&text, cut(1, Some(270))).unwrap();
    assert_eq!(s.size(), 270);
    let mut ids = Vec::new();
    s.encode(" newest\nlow", &mut ids).unwrap();
    assert!(ids.len() < 8 && ids.contains(&s.end()), "{ids:?}");
    assert_eq!(s.decode(&ids).unwrap(), " newest\nlow");
    assert_eq!(Subword::learn("ab", Cut::default()).unwrap().size(), 258);
}

#[test]
fn specials_in_a_text_are_text_for_subwords() {
    let s = Subword::learn("a <eos> b\n", Cut::default()).unwrap();
    let mut ids = Vec::new();
    s.encode("a <eos> <unk>", &mut ids).unwrap();
    assert!(ids.iter().all(|id| *id > 1), "{ids:?}");
    assert_eq!(s.decode(&ids).unwrap(), "a <eos> <unk>");
}

#[test]
fn learning_subwords_gives_the_same_bytes_in_every_thread() {
    let mut random = elman::engine::Random::new(3, 0);
    let text: String = (0..20_000).map(|_| char::from(b"abcdefgh \n"[random.bits() as usize % 10])).collect();
    let learn = || Subword::learn(&text, cut(1, Some(600))).unwrap().to_json().unwrap();
    let once = learn();
    std::thread::scope(|s| {
        let others: Vec<_> = (0..4).map(|_| s.spawn(learn)).collect();
        others.into_iter().for_each(|t| assert_eq!(t.join().unwrap(), once));
    });
    // A change of this number is a change of what users trained: FNV-1a of the file.
    let fnv = once.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(fnv, 0xe64a_6e06_0314_370e, "{fnv:#x}");
}

#[test]
fn a_unigram_model_made_elsewhere_is_used() {
    let json = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},"post_processor":null,
        "decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
        "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["</s>",0.0],["▁a",-1.0],["b",-2.0],["▁",-3.0]],
        "byte_fallback":false}}"#;
    let s = Subword::from_json(json, Path::new("u.json")).unwrap();
    let mut ids = Vec::new();
    s.encode("ab a\nb\n", &mut ids).unwrap();
    assert_eq!(ids, [2, 3, 2, 1, 4, 3, 1]);
    assert_eq!((s.unknown(), s.size(), s.decode(&ids).unwrap().as_str()), (Some(0), 5, "ab a\nb\n"));
    let told = Subword::from_json(&json.replace("</s>", "end"), Path::new("u.json")).unwrap_err().to_string();
    assert!(told.contains("no token for the end of a line"), "{told}");
}

/// Subwords of another text than those that are tried.
static LEARNED: LazyLock<Tokenizer> = LazyLock::new(|| {
    Tokenizer::learn(Unit::Subword, "learned from another text altogether\n", Cut::default()).unwrap()
});

proptest! {
    #[test]
    fn characters_come_back(text in "\\PC{0,40}(\n\\PC{0,20}){0,4}") {
        let t = Tokenizer::learn(Unit::Character, &text, Cut::default()).unwrap();
        let ids = t.encode(&text).unwrap();
        prop_assert_eq!(ids.len(), text.chars().count());
        prop_assert_eq!(t.decode(&ids).unwrap(), text);
    }

    #[test]
    fn learned_subwords_bring_any_text_back(text in "\\PC{0,30}([ \n\t]\\PC{0,20}){0,4}") {
        let ids = LEARNED.encode(&text).unwrap();
        prop_assert_eq!(LEARNED.decode(&ids).unwrap(), text);
    }

    #[test]
    fn words_count_as_they_stand(text in "([abc]{1,2}[ \n]{1,2}){0,30}") {
        let t = Tokenizer::learn(Unit::Word, &text, Cut::default()).unwrap();
        let ids = t.encode(&text).unwrap();
        prop_assert_eq!(ids.len(), text.split_whitespace().count() + text.matches('\n').count());
        prop_assert!(!ids.contains(&0));
        let Tokenizer::Vocabulary(v) = t else { unreachable!() };
        for id in 0..v.size() as u32 {
            prop_assert_eq!(v.times(id).unwrap(), ids.iter().filter(|i| **i == id).count() as u64);
        }
    }
}

#[test]
fn long_lines_are_cut_where_words_are_cut_anyway() {
    let text = "wörd  and,another 12 ".repeat(20_000);
    let short: String = text.chars().take(21 * 5).collect();
    let s = Subword::learn(&short, cut(1, Some(300))).unwrap();
    let (mut long, mut part) = (Vec::new(), Vec::new());
    s.encode(&text, &mut long).unwrap();
    s.encode(&"wörd  and,another 12 ".repeat(10), &mut part).unwrap();
    assert_eq!(s.decode(&long).unwrap(), text);
    let mut twice = Vec::new();
    s.encode(&"wörd  and,another 12 ".repeat(11), &mut twice).unwrap();
    let period = twice.len() - part.len();
    assert_eq!(long.len(), part.len() + (20_000 - 10) * period);
}
