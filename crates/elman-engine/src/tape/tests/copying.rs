//! A softmax mixed with copying.

use super::{Init, Isa, Layout, Mixture, Mode, NO_TARGET, Store, Tape, differences, inputs, read};

/// Two sources, of which one has a token twice; targets that are in them once, twice and not at all.
const COPIED: ([&[u32]; 2], [u32; 5], [u32; 5]) = ([&[1, 4, 1], &[3, 2]], [0, 0, 1, 1, 0], [1, 0, 2, NO_TARGET, 4]);

#[test]
fn copying() {
    let (mut blueprint, x) = inputs(&[[5, 6], [5, 1], [10, 4], [6, 4]]);
    let bias = blueprint.parameter("bias", &[1], Init::Constant(-0.7));
    let (sources, of, targets) = COPIED;
    let (queries, memory) = (Layout::new(vec![5, 5]), Layout::new(vec![3, 2]));
    for smoothing in [0.0, 0.2] {
        differences(blueprint.clone(), &|tape| {
            let [logits, gate, q, k] = [0, 1, 2, 3].map(|i| read(tape, x[i]));
            let from = [0, 1, 2, 0, 1, 0, 0, 0, 1, 0];
            let all = tape.onward((q, &queries), (k, &memory), bias, &from, 0.6)?;
            let weights = tape.rows(all, &[0, 2, 1, 3, 4])?;
            let mixture = Mixture { logits, gate, weights, sources: &sources, of: &of };
            tape.copying_loss(&mixture, &targets, smoothing, 0.7)
        });
    }
}

#[test]
fn a_mixture_is_the_softmax_and_what_is_copied() {
    let (blueprint, x) = inputs(&[[5, 6], [5, 1], [5, 3]]);
    let mut store = Store::<f64>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    let (sources, of, targets) = COPIED;
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let [logits, gate, weights] = [0, 1, 2].map(|i| read(&mut tape, x[i]));
    // Weights that sum to one over each row's own source.
    let positive = tape.sigmoid(weights);
    let share = |r: usize| {
        let own = &tape.value(positive)[r * 3..][..sources[of[r] as usize].len()];
        (0..3).map(|j| own.get(j).map_or(0.0, |w| w / own.iter().sum::<f64>())).collect::<Vec<_>>()
    };
    let shares: Vec<f64> = (0..5).flat_map(share).collect();
    let weights = tape.given(shares.clone(), 3).unwrap();
    let mixture = Mixture { logits, gate, weights, sources: &sources, of: &of };
    let found = tape.copying_log_probabilities(&mixture).unwrap();
    let (mut loss, classes) = (0.0, 6);
    for r in 0..5 {
        let (z, s) = (&tape.value(logits)[r * classes..][..classes], tape.value(gate)[r]);
        let (sum, g) = (z.iter().map(|z| z.exp()).sum::<f64>(), 1.0 / (1.0 + (-s).exp()));
        let mut p: Vec<f64> = z.iter().map(|z| g * z.exp() / sum).collect();
        let source = sources[of[r] as usize];
        source.iter().zip(&shares[r * 3..]).for_each(|(token, w)| p[*token as usize] += (1.0 - g) * w);
        for (known, found) in p.iter().zip(&found[r * classes..]) {
            assert!((known - found.exp()).abs() < 1e-12, "{known} {}", found.exp());
        }
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        if targets[r] != NO_TARGET {
            loss -= found[r * classes + targets[r] as usize];
        }
    }
    let told = tape.copying_loss(&mixture, &targets, 0.0, 1.0).unwrap();
    assert!((tape.value(told)[0] - loss).abs() < 1e-12);
    assert!(tape.copying_loss(&mixture, &[6, 0, 0, 0, 0], 0.0, 1.0).is_err());
    let longer = Mixture { sources: &[&[1, 4, 1, 1], &[3, 2]], ..mixture };
    assert!(tape.copying_loss(&longer, &targets, 0.0, 1.0).is_err());
    let stranger = Mixture { sources: &[&[1, 6, 1], &[3, 2]], ..mixture };
    assert!(tape.copying_log_probabilities(&stranger).is_err());
}

#[test]
fn a_mixture_far_from_its_target_has_finite_slopes() {
    let (blueprint, x) = inputs(&[[1, 3], [1, 1], [1, 2]]);
    let mut store = Store::<f32>::new(blueprint, 5, Isa::detect(), 1).unwrap();
    store.update(|w, _| {
        (w[0], w[1], w[2]) = (vec![0.0, 300.0, -300.0], vec![-80.0], vec![1.0, 0.0]);
    });
    let mut tape = Tape::new(&mut store, Mode::Infer);
    let [logits, gate, weights] = [0, 1, 2].map(|i| tape.embed(x[i], &[0]).unwrap());
    let mixture = Mixture { logits, gate, weights, sources: &[&[0, 2]], of: &[0] };
    let loss = tape.copying_loss(&mixture, &[2], 0.1, 1.0).unwrap();
    assert!(tape.value(loss)[0].is_finite() && tape.value(loss)[0] > 100.0);
    assert!(tape.backward(loss).unwrap().concat().iter().all(|g| g.is_finite()));
}
