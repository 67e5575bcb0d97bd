//! Gradients of a whole model against differences; what a step sees; threads.

use super::super::tests::{COLUMNS, STEPS, VOCABULARY, check_span, model, spec, window};
use super::super::{Body, Ends, Lm, LmSpec, Start, State};
use crate::model::{Draw, Dropout, Span};
use crate::synth::{Form, Made, Split};
use crate::text::Window;
use elman_engine::{Options, Real};

/// Steps that a step sees at most.
const WINDOW: usize = 4;

/// Two layers of 6 units in 2 heads.
fn transformer(embedding: usize, tied: bool) -> LmSpec {
    let body = Body::Transformer { heads: 2, window: WINDOW };
    LmSpec { body, hidden: 6, embedding, ..spec("lstm", tied, 0.0) }
}

fn masks() -> Dropout {
    Dropout { input: 0.2, between: 0.3, output: 0.25, embedding: 0.2, ..Dropout::default() }
}

fn ids(seed: usize, count: usize) -> Vec<u32> {
    (0..count).map(|i| ((i * i * 5 + 3 * i + seed) % VOCABULARY) as u32).collect()
}

/// The losses of one sequence, given in pieces of these lengths.
fn losses<T: Real>(lm: &mut Lm<T>, ids: &[u32], pieces: &[usize]) -> Vec<f64> {
    let (mut state, mut from, mut all) = (State::default(), 0, vec![]);
    for steps in pieces {
        let part = |first: usize| ids[first..first + steps].to_vec();
        let window = Window { steps: *steps, columns: 1, inputs: part(from), targets: part(from + 1) };
        all.extend(lm.score(&window, &mut state).unwrap());
        from += steps;
    }
    all
}

#[test]
fn gradients_are_those_of_the_loss() {
    for (embedding, tied) in [(6, false), (6, true), (4, false)] {
        for dropout in [Dropout::default(), masks()] {
            let mut lm = model::<f64>(&transformer(embedding, tied), 1);
            check_span(&mut lm, &Span::from(&window(1)), &State::default(), dropout);
        }
    }
}

#[test]
fn gradients_of_unequal_examples_are_those_of_their_loss() {
    for (task, embedding) in [("sums?digits=2", 6), ("adding?length=6", 2)] {
        let made = Made::parse(task).unwrap();
        let ends = if made.form() == Form::Symbols { Ends::Symbols } else { Ends::Numbers };
        let spec = LmSpec { ends, vocabulary: made.symbols().len().max(1), ..transformer(embedding, false) };
        let dropout = Dropout { embedding: 0.0, ..masks() };
        let block = made.batch(Split::Train, 3, 4);
        check_span(&mut model::<f64>(&spec, 1), &Span::from(&block), &State::default(), dropout);
    }
}

#[test]
fn any_split_of_a_sequence_is_the_whole() {
    let mut lm = model::<f32>(&transformer(6, true), 1);
    let ids = ids(2, 20);
    let whole = losses(&mut lm, &ids, &[19]);
    assert_eq!(losses(&mut lm, &ids, &[1; 19]), whole);
    assert_eq!(losses(&mut lm, &ids, &[3, 8, 2, 6]), whole);
}

#[test]
fn a_step_sees_half_a_window_at_least_and_a_window_at_most() {
    let mut lm = model::<f32>(&transformer(6, false), 1);
    let plain = ids(1, 14);
    let before = losses(&mut lm, &plain, &[13]);
    for changed in 0..13 {
        let mut other = plain.clone();
        other[changed] = (other[changed] + 1) % VOCABULARY as u32;
        let after = losses(&mut lm, &other, &[13]);
        // The target of the step before has changed, too.
        for step in (0..13).filter(|step| step + 1 != changed) {
            let (seen, ago) = (before[step] != after[step], step as isize - changed as isize);
            match ago {
                0..=1 => assert!(seen, "{changed} {step}"),
                _ if ago < 0 || ago >= WINDOW as isize => assert!(!seen, "{changed} {step}"),
                _ => {}
            }
        }
    }
}

#[test]
fn an_example_is_seen_whole_and_has_the_same_losses_alone() {
    let made = Made::parse("sums?digits=3").unwrap();
    let block = made.batch(Split::Train, 0, 3);
    assert!(block.steps > WINDOW && block.lengths.iter().any(|n| *n != block.steps), "{:?}", block.lengths);
    let mut lm = model::<f32>(&transformer(6, false), 1);
    let together = lm.answer(&block, &mut State::default()).unwrap();
    let places: Vec<usize> = (0..block.scored.len()).filter(|p| block.scored[*p]).collect();
    for column in 0..3 {
        let alone = lm.answer(&made.batch(Split::Train, column, 1), &mut State::default()).unwrap();
        let own: Vec<usize> = (0..places.len()).filter(|k| places[*k] % 3 == column as usize).collect();
        assert_eq!(alone.losses, own.iter().map(|k| together.losses[*k]).collect::<Vec<_>>(), "{column}");
    }
}

#[test]
fn windows_of_training_stand_alone() {
    let mut lm = model::<f32>(&transformer(6, true), 1);
    let draw = Draw { dropout: Dropout::default(), seed: 2, clock: 3 };
    let mut gradients = lm.no_gradients();
    let mut state = State::default();
    lm.score(&window(2), &mut state).unwrap();
    assert!(!state.0.is_empty());
    let after = lm.train(&window(1), &mut state, &draw, 1.0, &mut gradients).unwrap();
    assert_eq!(state, State::default());
    let fresh = lm.train(&window(1), &mut state, &draw, 1.0, &mut gradients).unwrap();
    assert_eq!(after, fresh);
    assert_eq!(after.len(), STEPS * COLUMNS);
}

#[test]
fn threads_change_no_bit() {
    let run = |threads| {
        let options = Options::new().with_threads(threads).with_backward();
        let wide = LmSpec { hidden: 40, embedding: 40, ..transformer(6, true) };
        let mut lm = Lm::<f32>::new(&wide, Start { seed: 4, bound: None }, &options).unwrap();
        let mut gradients = lm.no_gradients();
        let draw = Draw { dropout: masks(), seed: 2, clock: 3 };
        let losses = lm.train(&window(1), &mut State::default(), &draw, 1.0, &mut gradients).unwrap();
        (losses, gradients)
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn heads_that_do_not_divide_the_units_and_a_tie_of_other_widths_are_refused() {
    let refused = |spec: &LmSpec| Lm::<f32>::new(spec, Start::default(), &Options::new()).map(|_| ()).unwrap_err();
    let heads = LmSpec { body: Body::Transformer { heads: 4, window: 3 }, ..transformer(6, false) };
    assert!(refused(&heads).to_string().contains("4 heads do not divide 6 units"));
    assert!(refused(&transformer(4, true)).to_string().contains("tied"));
}
