//! `elman cell run` against PyTorch: two layers, both directions, ragged lengths, all gradients; decoders that attend to
//! memories of ragged lengths (reference/README.md).

mod common;

use common::{Folder, numbers, root};
use elman::tensors::TensorFile;

/// Both compute in f64, where a sum of some hundred products of numbers near 1 rounds by about 1e-14; sixfold recurrence
/// and two layers leave two digits to spare.
const TOLERANCE: f64 = 1e-12;

fn agrees(cell: &str) {
    compare(cell, cell, " --layers 2 --bidirectional");
}

/// The cell, and the name of its numbers.
fn compare(cell: &str, name: &str, layers: &str) {
    let folder = Folder::new();
    let data = root().join("reference/data").canonicalize().unwrap();
    let (data, output) = (data.display(), "out.safetensors");
    let files =
        format!("--input {data}/{name}.in.safetensors --weights {data}/{name}.weights.safetensors --output {output}");
    folder.run(&format!("cell run {cell} {files}{layers} --grad --dtype f64")).good();
    let wanted = TensorFile::open(format!("{data}/{name}.out.safetensors").as_ref()).unwrap();
    let found = folder.open(output);
    let names = |file: &TensorFile| file.names().map(String::from).collect::<Vec<_>>();
    assert_eq!(names(&found), names(&wanted));
    for name in wanted.names() {
        assert_eq!(found.shape(name), wanted.shape(name), "{name}");
        for (i, (f, w)) in numbers(&found, name).iter().zip(numbers(&wanted, name)).enumerate() {
            assert!((f - w).abs() <= TOLERANCE * w.abs().max(1.0), "{cell}: {name} at {i}: {f}, wanted {w}");
        }
    }
}

#[test]
fn decoders_that_attend() {
    for cell in ["gru-attention", "lstm-attention", "lstm-attention-dot"] {
        compare(cell, cell, "");
    }
    let written = root().join("reference/data/scaled-attention.cell").canonicalize().unwrap();
    compare(&written.display().to_string(), "scaled-attention", "");
}

#[test]
fn tanh() {
    agrees("tanh");
}

#[test]
fn lstm() {
    agrees("lstm");
}

#[test]
fn gru_reset_after() {
    agrees("gru-reset-after");
}
