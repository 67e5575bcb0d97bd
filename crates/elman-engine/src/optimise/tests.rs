//! Each rule against its equations, written once more in the obvious way.

use super::*;

const GRADIENTS: [[f64; 3]; 4] = [[0.5, -1.0, 2.0], [0.25, 0.5, -0.125], [-1.0, 0.0, 0.75], [0.3, 0.2, -0.9]];
const START: [f64; 3] = [1.0, -2.0, 0.5];

fn run(rule: Rule, step: Step) -> Vec<f64> {
    let mut o = Optimiser::new(rule, &[3]);
    let mut p = vec![START.to_vec()];
    for g in GRADIENTS {
        o.step(&Team::new(1).unwrap(), &mut p, &[g.to_vec()], &[step]);
    }
    p.remove(0)
}

/// `f(t, θ, g, memory)` gives the new θ of one element.
fn by_hand(mut f: impl FnMut(i32, f64, f64, &mut [f64; 2]) -> f64) -> Vec<f64> {
    let one = |i: usize| {
        let mut memory = [0.0; 2];
        GRADIENTS.iter().enumerate().fold(START[i], |p, (t, g)| f(t as i32 + 1, p, g[i], &mut memory))
    };
    [0, 1, 2].map(one).to_vec()
}

fn close(a: &[f64], b: &[f64]) {
    a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() < 1e-14, "{a} {b}"));
}

const S: Step = Step { rate: 0.1, decay: 0.01, frozen: false, scale: 1.0 };

#[test]
fn sgd_and_momentum() {
    close(&run(Rule::Sgd, S), &by_hand(|_, p, g, _| p - 0.1 * (g + 0.01 * p)));
    let rule = |nesterov| Rule::Momentum { momentum: 0.9, nesterov };
    let hand = |nesterov: bool| {
        by_hand(move |_, p, g, m| {
            let g = g + 0.01 * p;
            m[0] = 0.9 * m[0] + g;
            p - 0.1 * if nesterov { g + 0.9 * m[0] } else { m[0] }
        })
    };
    close(&run(rule(false), S), &hand(false));
    close(&run(rule(true), S), &hand(true));
}

#[test]
fn adam_and_adamw() {
    for decoupled in [false, true] {
        let hand = by_hand(|t, p, g, m| {
            let g = if decoupled { g } else { g + 0.01 * p };
            let p = if decoupled { p - 0.1 * 0.01 * p } else { p };
            m[0] = 0.9 * m[0] + 0.1 * g;
            m[1] = 0.99 * m[1] + 0.01 * g * g;
            let (a, b) = (m[0] / (1.0 - 0.9f64.powi(t)), m[1] / (1.0 - 0.99f64.powi(t)));
            p - 0.1 * a / (b.sqrt() + 1e-3)
        });
        close(&run(Rule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-3, decoupled }, S), &hand);
    }
}

#[test]
fn rmsprop() {
    for mu in [0.0, 0.8] {
        let hand = by_hand(|_, p, g, m| {
            let g = g + 0.01 * p;
            m[0] = 0.95 * m[0] + 0.05 * g * g;
            m[1] = mu * m[1] + g / (m[0].sqrt() + 1e-4);
            p - 0.1 * m[1]
        });
        close(&run(Rule::RmsProp { decay: 0.95, epsilon: 1e-4, momentum: mu }, S), &hand);
    }
}

/// Longer than a piece, with an odd rest: threads and pieces change no bit.
#[test]
fn threads_share_a_step() {
    let n = 3 * PIECE + 5;
    let numbers = |k: usize| (0..n).map(|i| ((i * k % 1009) as f32 - 500.0) / 300.0).collect::<Vec<f32>>();
    let run = |team: &Team| {
        let rule = Rule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-3, decoupled: true };
        let (mut o, mut p) = (Optimiser::new(rule, &[n, 3]), vec![numbers(7), vec![1.0; 3]]);
        let g = vec![numbers(11), vec![2.0; 3]];
        let norm = norm(team, &g);
        let s = Step { scale: clip_scale(norm, 3.0), ..S };
        o.step(team, &mut p, &g, &[s, s]);
        o.step(team, &mut p, &g, &[s, s]);
        (norm, p, o.moments().to_vec())
    };
    assert!(run(&Team::new(1).unwrap()) == run(&Team::sharing_all(2).unwrap()));
}

/// A scale in a step is the same, to the bit, as gradients that were scaled before.
#[test]
fn a_scale_is_applied_to_gradients() {
    let rules = [
        Rule::Sgd,
        Rule::Momentum { momentum: 0.9, nesterov: true },
        Rule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-3, decoupled: false },
        Rule::RmsProp { decay: 0.95, epsilon: 1e-4, momentum: 0.0 },
        Rule::RmsProp { decay: 0.95, epsilon: 1e-4, momentum: 0.8 },
    ];
    let team = Team::new(1).unwrap();
    for rule in rules {
        let run = |g: f32, scale: f64| {
            let (mut o, mut p) = (Optimiser::new(rule, &[1]), vec![vec![0.7f32]]);
            (0..3).for_each(|_| o.step(&team, &mut p, &[vec![g]], &[Step { scale, ..S }]));
            p
        };
        assert_eq!(run(1.3, 0.3), run(1.3 * 0.3, 1.0), "{rule:?}");
        assert_ne!(run(1.3, 0.3), run(1.3, 1.0), "{rule:?}");
    }
}

#[test]
fn frozen_parameters_stay() {
    assert_eq!(run(Rule::Sgd, Step { frozen: true, ..S }), START);
}

#[test]
fn clipping_keeps_the_direction_and_finds_the_norm() {
    let mut g = vec![vec![3.0f64; 17], vec![-4.0; 5]];
    let team = Team::sharing_all(2).unwrap();
    let before = norm(&team, &g);
    assert!((before - (17.0 * 9.0 + 5.0 * 16.0f64).sqrt()).abs() < 1e-12);
    assert_eq!(clip_scale(before, 1e9), 1.0);
    assert!((before * clip_scale(before, 2.0) - 2.0).abs() < 1e-12);
    clip_value(&mut g, 0.25);
    assert!(g.iter().flatten().all(|x: &f64| x.abs() <= 0.25));
}

#[test]
fn an_average_is_the_mean() {
    let mut a = Average::start(&[vec![1.0f64, 2.0]]);
    a.add(&[vec![2.0, 4.0]]);
    a.add(&[vec![6.0, 0.0]]);
    close(&a.parameters[0], &[3.0, 2.0]);
}

#[test]
fn a_restored_optimiser_goes_on() {
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: true };
    let (mut a, mut p) = (Optimiser::new(rule, &[3]), vec![START.to_vec()]);
    a.step(&Team::new(1).unwrap(), &mut p, &[GRADIENTS[0].to_vec()], &[S]);
    let mut b = Optimiser::new(rule, &[3]);
    assert!(!b.restore(vec![vec![vec![0.0; 2]; 2]], 1));
    assert!(b.restore(a.moments().to_vec(), a.steps()));
    assert_eq!(a, b);
}
