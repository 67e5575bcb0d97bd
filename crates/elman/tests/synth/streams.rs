//! Padded batches and endless streams.

use crate::every_task;
use elman::synth::{Block, Made, Series, Split, Stream};

/// Rows of `a` and then of `b`: one block of all steps.
fn stacked(mut a: Block, b: Block) -> Block {
    let join = |a: &mut Series, b: &Series| match (a, b) {
        (Series::Symbols(a), Series::Symbols(b)) => a.extend(b),
        (Series::Real { values: a, .. }, Series::Real { values: b, .. }) => a.extend(b),
        _ => panic!("two kinds"),
    };
    join(&mut a.inputs, &b.inputs);
    join(&mut a.targets, &b.targets);
    a.scored.extend(&b.scored);
    a.begins.extend(&b.begins);
    a.lengths.iter_mut().zip(&b.lengths).for_each(|(a, b)| *a += b);
    Block { steps: a.steps + b.steps, ..a }
}

#[test]
fn a_stream_cut_anywhere_is_the_same_stream() {
    for made in every_task() {
        let whole = Stream::new(&made, Split::Train, 3).next(61);
        let mut first = Stream::new(&made, Split::Train, 3);
        let begin = first.next(17);
        // The rest comes from a stream opened where the first one stood.
        let mut second = Stream::at(&made, Split::Train, first.cursors().to_vec());
        let rest = stacked(second.next(1), second.next(43));
        assert_eq!(stacked(begin, rest), whole, "{made:?}");
    }
}

#[test]
fn columns_read_examples_in_turn() {
    let made = Made::parse("memorization").unwrap();
    let block = Stream::new(&made, Split::Valid, 2).next(30);
    for column in 0..2 {
        let ids: Vec<u32> = (0..30).map(|s| block.targets.symbols()[s * 2 + column]).collect();
        let expected: Vec<u32> = [0, 2, 4]
            .iter()
            .flat_map(|k| made.example(Split::Valid, k + column as u64).targets.symbols().to_vec())
            .take(30)
            .collect();
        assert_eq!(ids, expected);
        let begins: Vec<usize> = (0..30).filter(|s| block.begins[s * 2 + column]).collect();
        assert_eq!(begins, [0, 12, 24]);
    }
}

#[test]
fn predicted_texts_go_on_from_example_to_example() {
    for name in ["memorization", "sums", "arithmetic", "xml"] {
        let made = Made::parse(name).unwrap();
        let block = Stream::new(&made, Split::Train, 4).next(500);
        for at in 0..499 * 4 {
            assert_eq!(block.inputs.symbols()[at + 4], block.targets.symbols()[at], "{name} {at}");
        }
    }
}

#[test]
fn a_batch_is_padded_to_its_longest() {
    for made in every_task() {
        let block = made.batch(Split::Test, 5, 7);
        assert_eq!((block.columns, block.steps), (7, *block.lengths.iter().max().unwrap()));
        for column in 0..7 {
            let e = made.example(Split::Test, 5 + column as u64);
            assert_eq!(block.lengths[column], e.steps());
            for step in 0..block.steps {
                let at = step * 7 + column;
                assert_eq!(block.scored[at], step < e.steps() && e.scored[step]);
                if let Series::Symbols(ids) = &block.inputs {
                    assert_eq!(ids[at], if step < e.steps() { e.inputs.symbols()[step] } else { 0 });
                }
                if let Series::Real { width, values } = &block.inputs {
                    assert_eq!(values[at * width..(at + 1) * width], e.inputs.real()[step * width..(step + 1) * width]);
                }
            }
        }
    }
}

#[test]
fn nothing_is_a_batch_too() {
    let block = Made::parse("xml").unwrap().batch(Split::Test, 0, 0);
    assert_eq!((block.steps, block.columns), (0, 0));
}
