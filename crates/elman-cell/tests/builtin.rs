//! Every built-in cell is right, says where it comes from, and needs no advice.

use elman_cell::{builtin, parse};

#[test]
fn every_builtin_parses_without_a_word() {
    for name in builtin::names() {
        let source = builtin::source(name).unwrap();
        match parse(name, source) {
            Ok(cell) => {
                // `W - W^T` uses its matrix twice on purpose.
                let said: Vec<_> = cell.diagnostics.iter().filter(|d| d.code != "N001").collect();
                assert!(said.is_empty(), "{name}: {said:?}");
                assert!(cell.doc.lines().count() >= 2, "{name} has no citation");
                assert!(cell.doc.chars().any(|c| c.is_ascii_digit()), "{name}: a citation has a year");
            }
            Err(errors) => panic!("{}", errors.render(name, source)),
        }
    }
}

#[test]
fn the_promised_cells_are_there() {
    let promised = [
        "tanh",
        "rnn",
        "elman",
        "relu",
        "lstm",
        "lstm-jozefowicz",
        "lstm-f",
        "lstm-i",
        "lstm-o",
        "lstm-b",
        "gru",
        "gru-reset-after",
        "mut1",
        "mut2",
        "mut3",
        "lstm-peephole",
        "min-gru",
    ];
    for name in promised {
        assert!(builtin::source(name).is_some(), "{name}");
    }
    assert!(builtin::source("no such cell").is_none());
}

#[test]
fn only_mut1_and_mut2_ask_for_equal_sizes() {
    for name in ["tanh", "lstm", "gru", "mut1", "mut2", "mut3", "min-gru"] {
        let cell = parse(name, builtin::source(name).unwrap()).unwrap();
        assert_eq!(!cell.requirements.is_empty(), matches!(name, "mut1" | "mut2"), "{name}");
    }
}
