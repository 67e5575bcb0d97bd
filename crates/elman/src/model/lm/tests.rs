//! Every gradient of a whole model against differences, with every mask on; windows that carry on; threads.

use super::*;
use crate::model::Dropout;
use crate::synth::{Form, Made, Split};
use crate::text::Window;
use elman_engine::explain::Workload;
use std::sync::Arc;

pub(super) const STEPS: usize = 5;
pub(super) const COLUMNS: usize = 3;
pub(super) const VOCABULARY: usize = 13;
/// Differences of f64 losses at ±1e-5: truncation 1e-10, rounding 1e-11 of a loss near 20.
const TOLERANCE: f64 = 1e-6;

pub(super) fn spec(cell: &str, tied: bool, zoneout: f64) -> LmSpec {
    let body = Body::Recurrent { cell: Arc::new(crate::cells::find(cell).unwrap()), zoneout };
    LmSpec { ends: Ends::Symbols, body, layers: 2, hidden: 7, embedding: 6, vocabulary: VOCABULARY, tied }
}

pub(super) fn model<T: Real>(spec: &LmSpec, threads: usize) -> Lm<T> {
    let mut lm =
        Lm::new(spec, Start { seed: 4, bound: Some(0.4) }, &Options::new().with_threads(threads).with_backward())
            .unwrap();
    let last = lm.weights().len() - 1;
    lm.update(|w| w[last].iter_mut().enumerate().for_each(|(i, b)| *b = T::from_f64((i as f64).sin())));
    lm
}

pub(super) fn window(seed: u32) -> Window {
    let ids = |k: u32| (0..(STEPS * COLUMNS) as u32).map(|i| (i * i * 7 + i * k + seed) % VOCABULARY as u32).collect();
    Window { steps: STEPS, columns: COLUMNS, inputs: ids(3), targets: ids(5) }
}

fn all_masks(variational: bool) -> Dropout {
    Dropout { input: 0.2, between: 0.3, output: 0.25, embedding: 0.2, recurrent: 0.4, zoneout: 0.3, variational }
}

fn loss(lm: &mut Lm<f64>, span: &Span, state: &State<f64>, draw: &Draw, scale: f64) -> f64 {
    let mut gradients = lm.no_gradients();
    let losses = lm.train(span.clone(), &mut state.clone(), draw, scale, &mut gradients).unwrap();
    scale * losses.iter().sum::<f64>()
}

fn check(cell: &str, tied: bool, dropout: Dropout) {
    let mut lm = model::<f64>(&spec(cell, tied, dropout.zoneout), 1);
    let mut state = State::default();
    lm.score(&window(2), &mut state).unwrap();
    check_span(&mut lm, &Span::from(&window(1)), &state, dropout);
}

pub(super) fn check_span(lm: &mut Lm<f64>, span: &Span, state: &State<f64>, dropout: Dropout) {
    let draw = Draw { dropout, seed: 9, clock: 70 };
    let mut gradients = lm.no_gradients();
    let scale = 0.7;
    lm.train(span.clone(), &mut state.clone(), &draw, scale, &mut gradients).unwrap();
    for k in 0..gradients.len() {
        for i in (0..gradients[k].len()).step_by(5) {
            let mut at = |by: f64| {
                lm.update(|w| w[k][i] += by);
                let value = loss(lm, span, state, &draw, scale);
                lm.update(|w| w[k][i] -= by);
                value
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            let found = gradients[k][i];
            let name = &lm.parameters()[k].name;
            assert!((difference - found).abs() < TOLERANCE, "{name}[{i}]: {difference} {found}");
        }
    }
}

#[test]
fn gradients_are_those_of_the_loss_untied_and_tied_with_all_masks() {
    for tied in [false, true] {
        check("lstm", tied, all_masks(true));
        check("gru", tied, all_masks(false));
        check("lstm", tied, Dropout::default());
    }
}

#[test]
fn gradients_of_parameters_that_layers_share_are_added_up() {
    let source = "share U\nh' = tanh(W x + U h + b)\n";
    let cell = Arc::new(elman_cell::parse("shared", source).unwrap());
    let spec = LmSpec { body: Body::Recurrent { cell, zoneout: 0.0 }, ..spec("lstm", false, 0.0) };
    assert!(model::<f64>(&spec, 1).parameters().iter().any(|t| t.name == "shared.U"));
    let dropout = Dropout::default();
    check_span(&mut model::<f64>(&spec, 1), &Span::from(&window(1)), &State::default(), dropout);
}

#[test]
fn gradients_of_scored_places_of_unequal_sequences_are_those_of_their_loss() {
    for (task, embedding) in [("sums?digits=2", 6), ("adding?length=6", 2)] {
        let made = Made::parse(task).unwrap();
        let block = made.batch(Split::Train, 3, 4);
        let ends = if made.form() == Form::Symbols { Ends::Symbols } else { Ends::Numbers };
        let vocabulary = made.symbols().len().max(1);
        let spec = LmSpec { ends, embedding, vocabulary, ..spec("gru", false, 0.2) };
        let dropout = Dropout { embedding: 0.0, ..all_masks(false) };
        check_span(&mut model::<f64>(&spec, 1), &Span::from(&block), &State::default(), dropout);
    }
}

#[test]
fn an_example_has_the_same_losses_alone_and_beside_longer_ones() {
    let made = Made::parse("sums?digits=3").unwrap();
    let block = made.batch(Split::Train, 0, 5);
    assert!(block.lengths.iter().any(|n| *n != block.steps), "{:?}", block.lengths);
    let mut lm = model::<f32>(&spec("lstm", false, 0.0), 1);
    let together = lm.answer(&block, &mut State::default()).unwrap();
    let places: Vec<usize> = (0..block.scored.len()).filter(|p| block.scored[*p]).collect();
    for column in 0..5 {
        let alone = lm.answer(&made.batch(Split::Train, column, 1), &mut State::default()).unwrap();
        let own = (0..places.len()).filter(|k| places[*k] % 5 == column as usize);
        let (mut losses, mut outputs) = (vec![], vec![]);
        for k in own {
            losses.push(together.losses[k]);
            outputs.extend_from_slice(&together.outputs[k * VOCABULARY..(k + 1) * VOCABULARY]);
        }
        assert_eq!((alone.losses, alone.outputs), (losses, outputs), "{column}");
    }
}

#[test]
fn symbols_for_a_model_of_numbers_are_refused() {
    let mut lm = model::<f32>(&LmSpec { ends: Ends::Numbers, ..spec("gru", false, 0.0) }, 1);
    assert!(lm.score(&window(1), &mut State::default()).is_err());
    assert!(LmSpec { ends: Ends::Numbers, ..spec("gru", true, 0.0) }.memory(Workload::new(1, 1), 0).is_err());
}

#[test]
fn two_windows_with_carried_state_are_one() {
    let mut lm = model::<f32>(&spec("lstm", false, 0.1), 1);
    let whole = window(3);
    let (mut state, mut halves) = (State::default(), vec![]);
    for (from, steps) in [(0, 2), (2, STEPS - 2)] {
        let part = |ids: &[u32]| ids[from * COLUMNS..(from + steps) * COLUMNS].to_vec();
        let window = Window { steps, columns: COLUMNS, inputs: part(&whole.inputs), targets: part(&whole.targets) };
        halves.extend(lm.score(&window, &mut state).unwrap());
    }
    let mut end = State::default();
    assert_eq!(lm.score(&whole, &mut end).unwrap(), halves);
    assert_eq!(end, state);
}

#[test]
fn masks_leave_scoring_alone_and_are_drawn_anew_each_window() {
    let mut lm = model::<f32>(&spec("gru", false, 0.3), 1);
    let plain = lm.score(&window(1), &mut State::default()).unwrap();
    let mut gradients = lm.no_gradients();
    let mut train = |clock| {
        let draw = Draw { dropout: all_masks(false), seed: 2, clock };
        lm.train(&window(1), &mut State::default(), &draw, 1.0, &mut gradients).unwrap()
    };
    let (first, again, later) = (train(0), train(0), train(5));
    assert_eq!(first, again);
    assert_ne!(first, later);
    assert_eq!(lm.score(&window(1), &mut State::default()).unwrap(), plain);
}

#[test]
fn recomputing_changes_no_bit() {
    let run = |recompute, tied, lengths: Option<&[usize]>| {
        let options = Options { recompute, ..Options::new().with_backward() };
        let start = Start { seed: 4, bound: Some(0.4) };
        let mut lm = Lm::<f32>::new(&spec("lstm", tied, 0.2), start, &options).unwrap();
        let mut gradients = lm.no_gradients();
        let draw = Draw { dropout: all_masks(false), seed: 2, clock: 3 };
        let mut state = State::default();
        let mut losses = vec![];
        // The second window starts from the states of the first.
        for seed in [1, 2] {
            let window = window(seed);
            let span = Span { lengths, ..Span::from(&window) };
            losses.push(lm.train(span, &mut state, &draw, 1.0, &mut gradients).unwrap());
        }
        (losses, gradients, state)
    };
    for tied in [false, true] {
        assert_eq!(run(false, tied, None), run(true, tied, None));
        assert_eq!(run(false, tied, Some(&[5, 1, 3])), run(true, tied, Some(&[5, 1, 3])));
    }
}

#[test]
fn threads_change_no_bit() {
    let run = |threads| {
        let mut lm = model::<f32>(&spec("lstm", true, 0.2), threads);
        let mut gradients = lm.no_gradients();
        let draw = Draw { dropout: all_masks(true), seed: 2, clock: 3 };
        let losses = lm.train(&window(1), &mut State::default(), &draw, 1.0, &mut gradients).unwrap();
        (losses, gradients)
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn fewer_columns_keep_the_states_of_the_first() {
    let mut lm = model::<f32>(&spec("lstm", false, 0.0), 1);
    let mut state = State::default();
    lm.score(&window(1), &mut state).unwrap();
    let narrow = Window { steps: 1, columns: 2, inputs: vec![1, 2], targets: vec![3, 4] };
    let wide = Window { steps: 1, columns: 3, inputs: vec![1, 2, 5], targets: vec![3, 4, 6] };
    let two = lm.score(&narrow, &mut state.clone()).unwrap();
    assert_eq!(two, lm.score(&wide, &mut state).unwrap()[..2]);
}
