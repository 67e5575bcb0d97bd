//! BLEU, chrF and ROUGE against sacreBLEU and rouge_score (reference/README.md).

use elman::metrics::bleu::bleu_many;
use elman::metrics::chrf::chrf_many;
use elman::metrics::rouge::{Overlap, Words, rouge};
use elman::metrics::tokenize::Tokens;
use serde_json::Value;

/// Scores are some additions and one exponential of equal whole numbers; printed with 17 digits.
const TOLERANCE: f64 = 1e-9;

struct Case {
    name: String,
    given: Vec<String>,
    references: Vec<Vec<String>>,
    wanted: Value,
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/data/text_metrics.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let texts = |v: &Value| v.as_array().unwrap().iter().map(|t| t.as_str().unwrap().into()).collect::<Vec<String>>();
    let cases = all["cases"].as_array().unwrap().iter().map(|case| Case {
        name: case["name"].as_str().unwrap().into(),
        given: texts(&case["given"]),
        references: case["references"].as_array().unwrap().iter().map(texts).collect(),
        wanted: case.clone(),
    });
    cases.collect()
}

fn equal(found: f64, wanted: &Value, what: &str) {
    let wanted = wanted.as_f64().unwrap();
    assert!((found - wanted).abs() <= TOLERANCE, "{what}: {found}, wanted {wanted}");
}

/// Ours with their version in place of ours.
fn same_signature(ours: &str, theirs: &Value) {
    let until = |s: &str| s.split("|version:").next().unwrap().to_string();
    assert!(ours.contains("|version:elman-"), "{ours}");
    assert_eq!(until(ours), until(theirs.as_str().unwrap()));
}

#[test]
fn bleu_is_that_of_sacrebleu() {
    for case in cases() {
        for tokens in [Tokens::V13a, Tokens::None, Tokens::Intl] {
            let what = format!("{} {}", case.name, tokens.name());
            let (b, w) =
                (bleu_many(&case.given, &case.references, tokens).unwrap(), &case.wanted["bleu"][tokens.name()]);
            for order in 0..4 {
                assert_eq!(Some(b.totals[order] as u64), w["totals"][order].as_u64(), "{what}");
                assert_eq!(Some(b.matches[order] as u64), w["counts"][order].as_u64(), "{what}");
                equal(b.precisions[order], &w["precisions"][order], &what);
            }
            assert_eq!(Some(b.given_tokens as u64), w["given_tokens"].as_u64(), "{what}");
            assert_eq!(Some(b.wanted_tokens as u64), w["wanted_tokens"].as_u64(), "{what}");
            equal(b.brevity_penalty, &w["bp"], &what);
            equal(b.score, &w["score"], &what);
            same_signature(&b.signature, &w["signature"]);
        }
    }
}

#[test]
fn chrf_is_that_of_sacrebleu() {
    for case in cases() {
        let (c, w) = (chrf_many(&case.given, &case.references).unwrap(), &case.wanted["chrf"]);
        equal(c.score, &w["score"], &case.name);
        same_signature(&c.signature, &w["signature"]);
    }
}

#[test]
fn rouge_is_that_of_rouge_score() {
    for case in cases() {
        let wanted: Vec<String> = case.references.iter().map(|r| r[0].clone()).collect();
        let r = rouge(&case.given, &wanted, Words::Ascii).unwrap();
        let check = |kind: &str, o: Overlap| {
            for (part, found) in [o.precision, o.recall, o.f1].into_iter().enumerate() {
                equal(found, &case.wanted["rouge"][kind][part], &format!("{} {kind}", case.name));
            }
        };
        check("rouge1", r.rouge1);
        check("rouge2", r.rouge2);
        check("rougeL", r.rouge_l);
    }
}

#[test]
fn the_reference_has_what_is_hard() {
    let cases = cases();
    let scores: Vec<f64> = cases.iter().map(|c| c.wanted["bleu"]["13a"]["score"].as_f64().unwrap()).collect();
    assert!(scores.contains(&0.0) && scores.iter().filter(|s| **s > 10.0).count() > 6, "{scores:?}");
    let smoothed = |c: &&Case| {
        let orders = c.wanted["bleu"]["13a"]["counts"].as_array().unwrap();
        orders[0] != 0 && orders[3] == 0
    };
    assert!(cases.iter().filter(smoothed).count() > 0);
    assert!(cases.iter().any(|c| c.references[0].len() > 1));
}
