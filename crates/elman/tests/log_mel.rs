//! Log-mel features against numpy (reference/README.md).

use elman::audio::{LogMel, Settings};
use serde::Deserialize;

/// The features are rounded to f32: half a unit in the last place of numbers below 16.
const TOLERANCE: f64 = 5e-7;

#[derive(Deserialize)]
struct Case {
    rate: u32,
    frame: f64,
    hop: f64,
    bands: usize,
    samples: Vec<i16>,
    features: Vec<f64>,
}

#[test]
fn features_are_those_of_numpy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/data/log-mel.json");
    let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(cases.len(), 3);
    for c in cases {
        let mut log_mel = LogMel::new(Settings { rate: c.rate, frame: c.frame, hop: c.hop, bands: c.bands }).unwrap();
        let samples: Vec<f32> = c.samples.iter().map(|n| f32::from(*n) / 32768.0).collect();
        let found = log_mel.features(&samples);
        assert_eq!((found.len(), log_mel.frames(samples.len())), (c.features.len(), c.features.len() / c.bands));
        for (i, (f, w)) in found.iter().zip(&c.features).enumerate() {
            assert!((f64::from(*f) - w).abs() < TOLERANCE, "{} Hz, at {i}: {f}, wanted {w}", c.rate);
        }
    }
}
