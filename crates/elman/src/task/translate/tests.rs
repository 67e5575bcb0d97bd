//! Every decoder, untrained: word by word in a beam it says what it says of whole texts, alone or beside others.

use super::model::{Counted, Model};
use super::search::{KEPT, search};
use crate::decode::beam::Found;
use crate::task::Settings;
use crate::task::settings::{Attention, Kind, Model as Shape, TaskName};
use elman_engine::Isa;
use elman_engine::tape::{Mode, Store, Tape};

const END: u32 = 0;
const ENTRIES: usize = 9;
const SOURCES: [&[u32]; 3] = [&[3, 5, 3, 8, END], &[7, END], &[1, 2, 2, END]];

/// Each kind of decoder, with its name.
fn shapes() -> Vec<(&'static str, Shape)> {
    let small = Shape { hidden: 8, embedding: 6, heads: 2, layers: 2, ..Settings::of(TaskName::Translate).model };
    let transformer = Shape { kind: Kind::Transformer, decoder: Kind::Transformer, ..small.clone() };
    let mut all = vec![
        ("scaled", small.clone()),
        ("dot", Shape { attention: Attention::Dot, ..small.clone() }),
        ("additive", Shape { attention: Attention::Additive, ..small.clone() }),
        ("feeding", Shape { input_feeding: true, ..small.clone() }),
        ("feeding additive", Shape { input_feeding: true, attention: Attention::Additive, ..small.clone() }),
        ("a cell", Shape { decoder_cell: Some("lstm-attention-dot".into()), ..small.clone() }),
        ("transformer below", Shape { kind: Kind::Transformer, ..small.clone() }),
        ("transformer above", Shape { decoder: Kind::Transformer, ..small }),
        ("transformer", transformer),
    ];
    let copying: Vec<_> = all.iter().map(|(name, shape)| (*name, Shape { copy: true, ..shape.clone() })).collect();
    all.extend(copying);
    all
}

/// A model and its numbers, larger than at the beginning, so that what is said differs.
fn drawn(shape: &Shape) -> (Model, Store<f32>) {
    let settings = Settings { model: shape.clone(), ..Settings::of(TaskName::Translate) };
    let model = Model::new(&settings, ENTRIES).unwrap();
    let mut store = Store::new(model.blueprint.clone(), 3, Isa::detect(), 1).unwrap();
    let mut random = elman_engine::Random::new(4, 0);
    store.update(|all, _| all.iter_mut().flatten().for_each(|w| *w = 2.0 * *w + 0.3 * random.normal() as f32));
    (model, store)
}

fn found(model: &Model, store: &mut Store<f32>, sources: &[&[u32]]) -> Vec<Vec<Found>> {
    search(model, store, sources, END, 3, 3, 1.0).unwrap()
}

#[test]
fn a_beam_says_what_the_whole_text_says() {
    for (name, shape) in shapes() {
        let (model, mut store) = drawn(&shape);
        let (mut compared, mut longest) = (0, 0);
        for (source, found) in SOURCES.iter().zip(found(&model, &mut store, &SOURCES)) {
            for f in found.iter().filter(|f| f.ended) {
                let target: Vec<u32> = f.tokens.iter().copied().chain([END]).collect();
                let mut tape = Tape::new(&mut store, Mode::Infer);
                let counted = Counted { smoothing: 0.0, scale: 1.0 };
                let loss = model.loss(&mut tape, &[source], &[&target], &KEPT, counted).unwrap();
                let (whole, by_words) = (f64::from(tape.value(loss)[0]), -f.log_probability);
                assert!((whole - by_words).abs() < 2e-4 * whole.max(1.0), "{name} {shape:?}: {whole} {by_words}");
                (compared, longest) = (compared + 1, longest.max(target.len()));
            }
        }
        assert!(compared > 2 && longest > 3, "{name} {}: {compared} {longest}", shape.copy);
    }
}

#[test]
fn beside_others_or_alone_the_same_is_found() {
    for (name, shape) in shapes() {
        let (model, mut store) = drawn(&shape);
        let together = found(&model, &mut store, &SOURCES);
        for (source, together) in SOURCES.iter().zip(together) {
            assert_eq!(found(&model, &mut store, &[source])[0], together, "{name} {}", shape.copy);
        }
    }
}

#[test]
fn each_word_looks_at_the_whole_source() {
    for (name, shape) in shapes() {
        let (model, mut store) = drawn(&shape);
        let mut tape = Tape::new(&mut store, Mode::Infer);
        let weights = model.looked_at(&mut tape, SOURCES[0], &[4, 2, END]).unwrap();
        let hidden = (shape.input_feeding || shape.decoder_cell.is_some()) && !shape.copy;
        assert_eq!(weights.len(), if hidden { 0 } else { 3 }, "{name}");
        for row in weights {
            assert!(row.len() == 5 && (row.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{name}: {row:?}");
        }
    }
}

#[test]
fn what_is_in_no_source_and_unlikely_is_copied_where_it_is() {
    let (name, shape) = ("scaled", Shape { copy: true, ..shapes()[0].1.clone() });
    let (model, mut store) = drawn(&shape);
    // The gate says copy, whatever the state.
    let place = store.parameters().iter().position(|p| p.name == "copy.gate.bias").unwrap();
    store.update(|w, _| w[place][0] = -40.0);
    for (source, found) in SOURCES.iter().zip(found(&model, &mut store, &SOURCES)) {
        let first = &found[0].tokens;
        assert!(first.iter().all(|token| source.contains(token)), "{name}: {first:?} of {source:?}");
    }
}
