//! Trivial levels: the formulas agree with counting.

use elman::synth::{Level, Made, Split};
use std::collections::BTreeMap;

/// The accuracy of the best answer to the present input, counted over `count` examples.
fn counted(made: &Made, count: u64) -> f64 {
    let mut counts: BTreeMap<u32, BTreeMap<u32, u64>> = BTreeMap::new();
    for k in 0..count {
        let e = made.example(Split::Test, k);
        for step in (0..e.steps()).filter(|step| e.scored[*step]) {
            let (input, target) = (e.inputs.symbols()[step], e.targets.symbols()[step]);
            *counts.entry(input).or_default().entry(target).or_default() += 1;
        }
    }
    let best: u64 = counts.values().filter_map(|of| of.values().max()).sum();
    best as f64 / counts.values().flat_map(|of| of.values()).sum::<u64>() as f64
}

#[test]
fn levels_agree_with_counting() {
    struct Case {
        name: &'static str,
        expected: f64,
    }
    let cases = [
        Case { name: "memorization", expected: 1.0 / 26.0 },
        Case { name: "memorization?symbols=3", expected: 1.0 / 3.0 },
        Case { name: "copy?delay=3", expected: 0.125 },
        Case { name: "temporal-order?length=20", expected: 0.25 },
        Case { name: "temporal-order?length=20&marks=3", expected: 0.125 },
        Case { name: "parity", expected: 0.5 },
        Case { name: "dyck", expected: 0.5 },
        Case { name: "dyck?kinds=3&depth=6&length=40", expected: 1.0 / 3.0 },
    ];
    for Case { name, expected } in cases {
        let made = Made::parse(name).unwrap();
        assert_eq!(made.trivial(), Level::Accuracy(expected), "{name}");
        let found = counted(&made, 20_000);
        assert!((found - expected).abs() < 0.015, "{name}: {expected} stated, {found} counted");
    }
}

#[test]
fn counted_levels_agree_with_other_examples() {
    for name in ["sums", "arithmetic", "xml"] {
        let made = Made::parse(name).unwrap();
        let Level::Accuracy(stated) = made.trivial() else { panic!("{name}") };
        let found = counted(&made, 4000);
        eprintln!("{name}: {stated:.3} stated, {found:.3} counted");
        assert!((found - stated).abs() < 0.01, "{name}: {stated} stated, {found} counted");
    }
}

#[test]
fn always_one_is_wrong_by_a_sixth() {
    let made = Made::parse("adding?length=10").unwrap();
    assert_eq!(made.trivial(), Level::SquaredError(1.0 / 6.0));
    let error = |k| f64::from(made.example(Split::Test, k).targets.real()[9] - 1.0).powi(2);
    let mean = (0..20_000).map(error).sum::<f64>() / 20_000.0;
    assert!((mean - 1.0 / 6.0).abs() < 0.005, "{mean}");
}

/// What the best guess reaches on XML with a perfect memory: everything but names that open and the choice to open.
#[test]
fn xml_cannot_be_foretold_beyond_three_fifths() {
    let made = Made::parse("xml").unwrap();
    let (mut right, mut all) = (0.0, 0.0);
    for k in 0..4000 {
        let document = made.text(made.example(Split::Test, k).targets.symbols());
        for tag in document.split_inclusive('>') {
            all += tag.len() as f64;
            // `<`, the `/` where something is open, the whole name, `>`; when opening, `<` and the `>` among up to 10 letters.
            right += if tag.starts_with("</") { tag.len() as f64 } else { 2.0 };
        }
    }
    assert!((right / all - 0.64).abs() < 0.02, "{}", right / all);
}
