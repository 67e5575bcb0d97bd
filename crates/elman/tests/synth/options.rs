//! Names and options.

use elman::synth::{Made, TASKS};

fn message(text: &str) -> String {
    Made::parse(text).unwrap_err().to_string()
}

#[test]
fn options_are_read_and_spelled_out() {
    let made = Made::parse("copy?symbols=4&delay=7").unwrap();
    assert_eq!(made.spelled(), "copy?delay=7&length=10&symbols=4&seed=1");
    assert_eq!(made.symbols().len(), 6);
    assert_eq!(Made::parse("xml").unwrap().spelled(), "xml?rounds=50&seed=1");
}

#[test]
fn bad_options_say_what_to_type() {
    assert_eq!(
        message("aritmetic"),
        "there is no made data `aritmetic` (did you mean `arithmetic`?); there are memorization, adding, copy, \
         temporal-order, parity, dyck, sums, arithmetic, xml"
    );
    assert_eq!(
        message("copy?dealy=3"),
        "`copy` has no option `dealy` (did you mean `delay`?); it has delay, length, symbols, seed"
    );
    assert_eq!(message("copy?delay=0"), "`copy`: `delay=0` must be a whole number from 1 to 1000000");
    assert_eq!(
        message("copy?delay=99999999999999999999999"),
        message("copy?delay=0").replace("=0", "=99999999999999999999999")
    );
    assert!(message("copy?delay=ten").contains("`delay=ten` must be a whole number"));
    assert!(message("copy?delay=1&delay=1").contains("given twice"));
    assert!(message("copy?delay").contains("`delay` is not `key=value`"));
    assert!(message("copy?").contains("`` is not `key=value`"));
    assert!(message("dyck?length=5").contains("take an even number"));
}

#[test]
fn every_row_describes_itself() {
    for row in TASKS {
        assert!(!row.about.is_empty() && !row.choices.is_empty());
        for c in row.choices {
            assert!(c.least <= c.default && c.default <= c.most && !c.about.is_empty(), "{} {}", row.name, c.key);
        }
    }
}
