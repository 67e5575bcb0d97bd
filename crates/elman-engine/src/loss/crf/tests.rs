//! Against every path, one by one, and against differences. Numbers of PyTorch: `crates/elman/tests/losses.rs`.

use super::*;
use crate::random::Random;

/// Sums of some hundred f64 terms near 1.
const EXACT: f64 = 1e-12;
/// Differences at ±1e-5 of a loss near 10: truncation 1e-10, rounding 1e-10.
const DIFFERENCE: f64 = 1e-8;
const SCALE: f64 = 0.7;

#[derive(Clone)]
struct Case {
    tags: usize,
    /// z, A, a and b.
    parts: [Vec<f64>; 4],
    target: Vec<u32>,
}

fn cases() -> Vec<Case> {
    let sizes = [(3, 4), (4, 3), (2, 7), (3, 1), (1, 5)];
    let case = |(seed, (tags, steps)): (usize, (usize, usize))| {
        let mut r = Random::new(11, seed as u64);
        let mut draw = |n: usize| (0..n).map(|_| 6.0 * r.uniform() - 3.0).collect::<Vec<f64>>();
        let parts = [draw(steps * tags), draw(tags * tags), draw(tags), draw(tags)];
        Case { tags, parts, target: (0..steps as u32).map(|t| (t * t + 1) % tags as u32).collect() }
    };
    sizes.into_iter().enumerate().map(case).collect()
}

impl Case {
    fn crf(&self) -> Crf {
        Crf::new(&self.parts[1], &self.parts[2], &self.parts[3]).unwrap()
    }

    /// All paths with their scores, in the order of counting with the last tag running fastest.
    fn paths(&self) -> Vec<(Vec<u32>, f64)> {
        let [z, pairs, start, end] = &self.parts;
        let (tags, steps) = (self.tags, self.target.len());
        let path = |n: usize| (0..steps).map(|t| n / tags.pow((steps - 1 - t) as u32) % tags).collect::<Vec<_>>();
        let scored = |y: Vec<usize>| {
            let mut s = start[y[0]] + end[y[steps - 1]];
            (0..steps).for_each(|t| s += z[t * tags + y[t]]);
            (1..steps).for_each(|t| s += pairs[y[t - 1] * tags + y[t]]);
            (y.into_iter().map(|y| y as u32).collect(), s)
        };
        (0..tags.pow(steps as u32)).map(|n| scored(path(n))).collect()
    }

    fn gradients(&self) -> (f64, [Vec<f64>; 4]) {
        let mut d = self.parts.clone().map(|p| vec![0.0; p.len()]);
        d[0].fill(9.0);
        let [emissions, transitions, start, end] = d.each_mut();
        let into = CrfGradients { emissions, transitions, start, end };
        (self.crf().loss_and_gradients(&self.parts[0], &self.target, SCALE, into).unwrap(), d)
    }
}

#[test]
fn all_paths_one_by_one() {
    for (n, case) in cases().iter().enumerate() {
        let (crf, paths) = (case.crf(), case.paths());
        let z: f64 = paths.iter().map(|p| p.1.exp()).sum();
        let own = paths.iter().find(|p| p.0 == case.target).unwrap().1;
        let loss = crf.loss(&case.parts[0], &case.target).unwrap();
        assert!((loss - (z.ln() - own)).abs() < EXACT, "{n}: {loss} {}", z.ln() - own);
        let mut shares = vec![0.0; case.parts[0].len()];
        for (path, s) in &paths {
            path.iter().enumerate().for_each(|(t, y)| shares[t * case.tags + *y as usize] += s.exp() / z);
        }
        let marginals = crf.marginals(&case.parts[0]).unwrap();
        marginals.iter().zip(&shares).for_each(|(p, q)| assert!((p - q).abs() < EXACT, "{n}: {p} {q}"));
        let best = paths.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        let (path, score) = crf.best(&case.parts[0]).unwrap();
        assert_eq!(path, best.0, "{n}");
        assert!((score - best.1).abs() < EXACT, "{n}: {score} {}", best.1);
    }
}

#[test]
fn gradients_are_differences() {
    for (n, mut case) in cases().into_iter().enumerate() {
        let (loss, derived) = case.gradients();
        assert_eq!(loss, case.crf().loss(&case.parts[0], &case.target).unwrap());
        for (part, derived) in derived.iter().enumerate() {
            for (i, derived) in derived.iter().enumerate() {
                let x = case.parts[part][i];
                let [up, down] = [1e-5, -1e-5].map(|e| {
                    case.parts[part][i] = x + e;
                    case.crf().loss(&case.parts[0], &case.target).unwrap()
                });
                case.parts[part][i] = x;
                let difference = SCALE * (up - down) / 2e-5;
                assert!((difference - derived).abs() < DIFFERENCE, "{n}.{part}.{i}: {difference} {derived}");
            }
        }
    }
}

#[test]
fn scores_of_sequences_add_up() {
    let case = &cases()[0];
    let (_, once) = case.gradients();
    let mut d = case.parts.clone().map(|p| vec![0.0; p.len()]);
    for _ in 0..2 {
        let [emissions, transitions, start, end] = d.each_mut();
        let into = CrfGradients { emissions, transitions, start, end };
        case.crf().loss_and_gradients(&case.parts[0], &case.target, SCALE, into).unwrap();
    }
    assert_eq!(d[0], once[0]);
    for part in 1..4 {
        d[part].iter().zip(&once[part]).for_each(|(two, one)| assert!((two - 2.0 * one).abs() < EXACT));
    }
}

#[test]
fn forbidden_pairs_have_no_share() {
    let mut case = cases()[0].clone();
    let gold = |y: &[u32]| y[0] * 3 + y[1];
    let forbidden = (0..9).find(|pair| case.target.windows(2).all(|y| gold(y) != *pair)).unwrap();
    case.parts[1][forbidden as usize] = f64::NEG_INFINITY;
    let (loss, derived) = case.gradients();
    let z: f64 = case.paths().iter().map(|p| p.1.exp()).sum();
    let own = case.paths().iter().find(|p| p.0 == case.target).unwrap().1;
    assert!((loss - (z.ln() - own)).abs() < EXACT);
    assert_eq!(derived[1][forbidden as usize], 0.0);
    case.parts[1].fill(f64::NEG_INFINITY);
    assert!(case.crf().loss(&case.parts[0], &case.target).unwrap().is_nan());
}

#[test]
fn large_scores_stay_finite() {
    let crf = Crf::new(&[0f32; 4], &[0.0; 2], &[0.0; 2]).unwrap();
    let loss = crf.loss(&[1e4f32, -1e4, -1e4, 1e4, 1e4, -1e4], &[0, 1, 1]).unwrap();
    assert!((loss - 2e4).abs() < 1e-9, "{loss}");
}

#[test]
fn equal_paths_go_to_the_lower_tag() {
    let crf = Crf::new(&[0f32; 9], &[0.0; 3], &[0.0; 3]).unwrap();
    assert_eq!(crf.best(&[0f32; 12]).unwrap(), (vec![0; 4], 0.0));
}

#[test]
fn other_lengths_are_refused() {
    assert!(Crf::new::<f32>(&[], &[], &[]).is_err());
    assert!(Crf::new(&[0f32; 3], &[0.0; 2], &[0.0; 2]).is_err());
    assert!(Crf::new(&[0f32; 4], &[0.0; 2], &[0.0; 3]).is_err());
    let crf = Crf::new(&[0f32; 4], &[0.0; 2], &[0.0; 2]).unwrap();
    assert!(crf.loss::<f32>(&[], &[]).is_err() && crf.best::<f32>(&[]).is_err());
    assert!(crf.loss(&[0f32; 5], &[0, 1]).is_err());
    assert!(crf.loss(&[0f32; 4], &[0]).is_err());
    assert!(crf.loss(&[0f32; 4], &[0, 2]).is_err());
}
