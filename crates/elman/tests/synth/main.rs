//! Made data: options, determinism, right answers, trivial levels, batches and streams.

mod answers;
mod levels;
mod options;
mod streams;

use elman::synth::{Made, Series, Split, TASKS};

/// All tasks with their defaults, and some with options at their edges.
fn every_task() -> Vec<Made> {
    let edges = [
        "memorization?length=1&symbols=2",
        "adding?length=2",
        "copy?delay=1&length=1&symbols=2",
        "temporal-order?marks=3&length=20",
        "parity?length=1",
        "dyck?depth=2&length=4&kinds=4",
        "sums?digits=16&terms=100",
        "arithmetic?digits=17&distractors=0",
        "xml?rounds=1",
    ];
    let defaults = TASKS.iter().map(|row| row.name);
    defaults.chain(edges).map(|name| Made::parse(name).unwrap()).collect()
}

#[test]
fn examples_are_whole() {
    for made in every_task() {
        for k in 0..200 {
            let e = made.example(Split::Train, k);
            let steps = e.steps();
            assert!(e.scored.contains(&true), "{made:?} {k}");
            for series in [&e.inputs, &e.targets] {
                match series {
                    Series::Symbols(ids) => {
                        assert_eq!(ids.len(), steps, "{made:?}");
                        assert!(ids.iter().all(|id| (*id as usize) < made.symbols().len()), "{made:?}");
                    }
                    Series::Real { width, values } => assert_eq!(values.len(), steps * width, "{made:?}"),
                }
            }
            let words = made.words(&e);
            assert!(words.len() > 40 && !words.contains("?"), "{words}");
        }
    }
}

#[test]
fn an_example_depends_on_its_number_alone() {
    for made in every_task() {
        let again = Made::parse(&made.spelled()).unwrap();
        let forward: Vec<_> = (0..40).map(|k| made.example(Split::Valid, k)).collect();
        let backward: Vec<_> = (0..40).rev().map(|k| again.example(Split::Valid, k)).collect();
        assert!(forward.iter().eq(backward.iter().rev()), "{made:?}");
    }
}

#[test]
fn splits_and_seeds_differ() {
    for row in TASKS {
        let (one, two) = (Made::parse(row.name).unwrap(), Made::parse(&format!("{}?seed=2", row.name)).unwrap());
        let draw = |made: &Made, split| (0..40).map(|k| made.example(split, k)).collect::<Vec<_>>();
        let train = draw(&one, Split::Train);
        assert!(train != draw(&one, Split::Valid) && train != draw(&one, Split::Test), "{}", row.name);
        assert!(
            draw(&one, Split::Valid) != draw(&one, Split::Test) && train != draw(&two, Split::Train),
            "{}",
            row.name
        );
    }
}

/// A change here changes what every seed means.
#[test]
fn the_first_examples_stay_what_they_are() {
    let first = |name: &str| {
        let made = Made::parse(name).unwrap();
        let e = made.example(Split::Train, 0);
        made.text(e.inputs.symbols()) + " " + &made.text(&e.answer())
    };
    assert_eq!(first("memorization"), ".tmtkd=tmtkd tmtkd");
    assert_eq!(first("copy?delay=5&length=3"), "gdg____:___ gdg");
    assert_eq!(first("parity"), "0111000001010000= 1");
    assert_eq!(first("dyck"), "[][()]()[]()([[()]()()]) ]]]]])");
    assert_eq!(first("sums"), ".526+459=985 985.");
    assert_eq!(first("arithmetic"), ".52rh65x3rp5q2s+ui4cdi3hkw2iaf5v84nc55=48523807 48523807.");
    assert_eq!(first("xml"), "><zjdtrhej></zjdtrhej <zjdtrhej></zjdtrhej>");
    let adding = Made::parse("adding?length=4").unwrap().example(Split::Train, 0);
    assert_eq!(adding.inputs.real(), [0.75527287, 0.0, 0.9932303, 1.0, 0.39914942, 1.0, 0.36953837, 0.0]);
}
