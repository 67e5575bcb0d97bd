//! Each decoder learns, and is the same on any number of threads; what does not go together is refused.

use super::{settings, trained};
use elman::task::settings::{Attention, Kind, Model};
use elman::task::{Part, Settings, evaluate, train};
use elman::train::Machine;
use std::sync::atomic::AtomicBool;

fn score(mut s: Settings, change: impl Fn(&mut Model), epochs: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    change(&mut s.model);
    s.train.epochs = epochs;
    trained(folder.path(), "run", s, 1);
    let run = folder.path().join("run");
    evaluate(&run, None, Part::Valid, Machine::default(), &AtomicBool::new(false)).unwrap().score
}

#[test]
fn words_are_reversed_by_additive_attention_and_by_a_transformer() {
    let folder = tempfile::tempdir().unwrap();
    let s = settings(folder.path(), 600, 20);
    let additive = score(s.clone(), |m| m.attention = Attention::Additive, 15);
    let transformer = score(s, |m| (m.kind, m.decoder) = (Kind::Transformer, Kind::Transformer), 15);
    assert!(additive > 80.0 && transformer > 80.0, "{additive} {transformer}");
}

#[test]
fn a_cell_that_attends_learns_too() {
    let folder = tempfile::tempdir().unwrap();
    let s = settings(folder.path(), 600, 20);
    let fed = score(s, |m| (m.input_feeding, m.attention) = (true, Attention::Additive), 40);
    assert!(fed > 40.0, "{fed}");
}

#[test]
fn threads_change_no_bit_of_any_decoder() {
    let folder = tempfile::tempdir().unwrap();
    let mut s = settings(folder.path(), 60, 1);
    (s.dropout.between, s.dropout.words, s.model.layers) = (0.2, 0.1, 2);
    let changes: [fn(&mut Model); 4] = [
        |m| m.attention = Attention::Additive,
        |m| m.input_feeding = true,
        |m| m.decoder_cell = Some("gru-attention".into()),
        |m| (m.kind, m.decoder) = (Kind::Transformer, Kind::Transformer),
    ];
    for (k, change) in changes.into_iter().enumerate() {
        let mut s = s.clone();
        change(&mut s.model);
        let one = trained(folder.path(), &format!("one-{k}"), s.clone(), 1);
        assert_eq!(one, trained(folder.path(), &format!("two-{k}"), s, 2), "{k}");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = settings(folder.path(), 20, 1);
    let refused = |change: fn(&mut Model), what: &str| {
        let (mut s, out) = (whole.clone(), folder.path().join("never"));
        change(&mut s.model);
        let e = train(s, &out, Machine::default(), &mut |_| {}, &AtomicBool::new(false)).unwrap_err();
        assert!(e.to_string().contains(what), "{e}");
        assert!(!out.exists());
    };
    refused(|m| (m.decoder, m.input_feeding) = (Kind::Transformer, true), "leave out --decoder transformer");
    refused(|m| (m.decoder, m.attention) = (Kind::Transformer, Attention::Dot), "leave out --attention");
    refused(
        |m| (m.decoder_cell, m.attention) = (Some("gru-attention".into()), Attention::Dot),
        "leave out --attention",
    );
    refused(|m| m.decoder_cell = Some("gru".into()), "attends to nothing");
    refused(|m| m.decoder_cell = Some("gru-atention".into()), "no cell `gru-atention`");
    refused(|m| (m.cell, m.input_feeding) = ("mgu".into(), true), "--decoder-cell FILE");
    refused(|m| (m.decoder, m.hidden, m.heads) = (Kind::Transformer, 32, 5), "5 heads");
}
