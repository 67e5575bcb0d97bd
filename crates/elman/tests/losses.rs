//! The structured losses against PyTorch, in f64 (reference/README.md).

use elman_engine::loss::{Crf, CrfGradients, ctc_loss, ctc_loss_and_gradient};
use serde::Deserialize;

/// Both sides sum some thousand terms in f64, in logarithms near 100: 1e-13 a sum.
const TOLERANCE: f64 = 1e-10;

#[derive(Deserialize)]
struct Cases {
    scale: f64,
    crf: Vec<CrfCase>,
    ctc: Vec<CtcCase>,
}

#[derive(Deserialize)]
struct CrfCase {
    tags: usize,
    emissions: Vec<f64>,
    transitions: Vec<f64>,
    start: Vec<f64>,
    end: Vec<f64>,
    target: Vec<u32>,
    loss: f64,
    best: Vec<u32>,
    score: f64,
    d_emissions: Vec<f64>,
    d_transitions: Vec<f64>,
    d_start: Vec<f64>,
    d_end: Vec<f64>,
}

#[derive(Deserialize)]
struct CtcCase {
    symbols: usize,
    logits: Vec<f64>,
    target: Vec<u32>,
    loss: f64,
    d_logits: Vec<f64>,
}

fn cases() -> Cases {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/data/losses.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn close(what: &str, found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
        assert!((f - w).abs() <= TOLERANCE, "{what} at {i}: {f}, wanted {w}");
    }
}

#[test]
fn crf_is_that_of_torch() {
    let Cases { scale, crf, .. } = cases();
    assert_eq!(crf.len(), 3);
    for c in crf {
        let chain = Crf::new(&c.transitions, &c.start, &c.end).unwrap();
        let mut d = [c.emissions.len(), c.tags * c.tags, c.tags, c.tags].map(|n| vec![0.0; n]);
        let [emissions, transitions, start, end] = d.each_mut();
        let into = CrfGradients { emissions, transitions, start, end };
        let loss = chain.loss_and_gradients(&c.emissions, &c.target, scale, into).unwrap();
        let (path, score) = chain.best(&c.emissions).unwrap();
        close("loss", &[loss, chain.loss(&c.emissions, &c.target).unwrap(), score], &[c.loss, c.loss, c.score]);
        assert_eq!(path, c.best);
        let wanted = [c.d_emissions, c.d_transitions, c.d_start, c.d_end];
        d.iter().zip(&wanted).enumerate().for_each(|(i, (d, w))| close(&format!("gradient {i}"), d, w));
    }
}

#[test]
fn ctc_is_that_of_torch() {
    let Cases { scale, ctc, .. } = cases();
    assert_eq!(ctc.len(), 5);
    for c in ctc {
        let mut d = vec![0.0; c.logits.len()];
        let loss = ctc_loss_and_gradient(&c.logits, c.symbols, &c.target, scale, &mut d).unwrap();
        close("loss", &[loss, ctc_loss(&c.logits, c.symbols, &c.target).unwrap()], &[c.loss, c.loss]);
        close("gradient", &d, &c.d_logits);
    }
}
