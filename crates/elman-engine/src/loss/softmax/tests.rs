//! The softmax head against plain arithmetic.

use super::*;
use crate::random::Random;

const TOKENS: usize = BLOCKS * BLOCK + BLOCK + 9;
const VOCABULARY: usize = 37;
const UNITS: usize = 11;

fn draw<T: Real>(n: usize, stream: u64) -> Vec<T> {
    let mut r = Random::new(5, stream);
    (0..n).map(|_| T::from_f64(2.0 * r.uniform() - 1.0)).collect()
}

struct Case<T> {
    h: Vec<T>,
    w: Vec<T>,
    b: Vec<T>,
    targets: Vec<u32>,
}

fn case<T: Real>() -> Case<T> {
    let targets = (0..TOKENS).map(|i| (i * 17 % VOCABULARY) as u32).collect();
    Case { h: draw(TOKENS * UNITS, 1), w: draw(VOCABULARY * UNITS, 2), b: draw(VOCABULARY, 3), targets }
}

/// Most words of a part: parts of 13, 13 and 11 words.
const WORDS: usize = 15;

fn run<T: Real>(c: &Case<T>, isa: Isa, threads: usize, words: usize) -> (TokenLosses, Vec<T>, Vec<T>, Vec<T>) {
    let mut head = SoftmaxHead::in_parts(isa, VOCABULARY, UNITS, words).unwrap();
    let mut dh = vec![T::ZERO; c.h.len()];
    let (mut dw, mut db) = (vec![T::ZERO; c.w.len()], vec![T::ZERO; c.b.len()]);
    let into = HeadGradients { h: &mut dh, weight: &mut dw, bias: &mut db };
    let team = Team::sharing_all(threads).unwrap();
    head.set_weights(&c.w, &c.b, &team).unwrap();
    let losses = head.losses_and_gradients(&c.h, &c.targets, 0.5, into, &team).unwrap();
    assert_eq!(losses, head.losses(&c.h, &c.targets, &team).unwrap());
    (losses, dh, dw, db)
}

fn loss(c: &Case<f64>) -> Vec<f64> {
    let one = |i: usize| {
        let z: Vec<f64> = (0..VOCABULARY)
            .map(|v| c.b[v] + (0..UNITS).map(|k| c.w[v * UNITS + k] * c.h[i * UNITS + k]).sum::<f64>())
            .collect();
        z.iter().map(|x| x.exp()).sum::<f64>().ln() - z[c.targets[i] as usize]
    };
    (0..TOKENS).map(one).collect()
}

#[test]
fn losses_and_gradients_are_right() {
    let mut c = case::<f64>();
    let (losses, dh, dw, db) = run(&c, Isa::Portable, 1, WORDS);
    losses.iter().zip(loss(&c)).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    let total = |c: &Case<f64>| 0.5 * loss(c).iter().sum::<f64>();
    let eps = 1e-5;
    macro_rules! compare {
        ($field:ident, $gradient:expr) => {
            for i in (0..c.$field.len()).step_by(7) {
                let x = c.$field[i];
                c.$field[i] = x + eps;
                let up = total(&c);
                c.$field[i] = x - eps;
                let down = total(&c);
                c.$field[i] = x;
                let difference = (up - down) / (2.0 * eps);
                assert!((difference - $gradient[i]).abs() < 1e-7, "{i}: {difference} {}", $gradient[i]);
            }
        };
    }
    compare!(h, dh);
    compare!(w, dw);
    compare!(b, db);
}

#[test]
fn bits_do_not_depend_on_threads_or_instructions() {
    let c = case::<f32>();
    // Parts that threads take side by side, and with 3 parts or 19 one that is left over.
    for words in [WORDS, 2, 1] {
        let wanted = run(&c, Isa::Portable, 1, words);
        for isa in Isa::available() {
            for threads in [1, 2, 3] {
                assert!(run(&c, isa, threads, words) == wanted, "{isa}, {threads} threads, parts of {words}");
            }
        }
    }
}

/// What a token gets does not depend on those beside it; chunks of one strip and of full blocks agree.
#[test]
fn bits_do_not_depend_on_the_chunk() {
    let c = case::<f32>();
    let team = Team::new(1).unwrap();
    let mut head = SoftmaxHead::in_parts(Isa::detect(), VOCABULARY, UNITS, WORDS).unwrap();
    head.set_weights(&c.w, &c.b, &team).unwrap();
    let (losses, logits) = (head.losses(&c.h, &c.targets, &team).unwrap(), head.logits(&c.h, &team).unwrap());
    for (i, h) in c.h.chunks(UNITS).enumerate() {
        assert_eq!(head.losses(h, &c.targets[i..=i], &team).unwrap(), &losses[i..=i], "token {i}");
        assert_eq!(head.logits(h, &team).unwrap(), &logits[i * VOCABULARY..(i + 1) * VOCABULARY], "token {i}");
    }
}

/// The largest logit comes last, far above those of the parts before it, or first: nothing overflows or is lost.
#[test]
fn parts_of_very_different_size() {
    for large in [0, VOCABULARY - 1] {
        let mut c = case::<f32>();
        c.b[large] = 300.0;
        let (losses, dh, dw, _) = run(&c, Isa::detect(), 1, WORDS);
        for (i, loss) in losses.iter().enumerate() {
            let near = c.targets[i] as usize == large;
            assert!(if near { *loss == 0.0 } else { (290.0..310.0).contains(loss) }, "{i}: {loss}");
        }
        assert!(dh.iter().chain(&dw).all(|x| x.is_finite()));
    }
}

#[test]
fn a_target_outside_the_vocabulary_is_refused() {
    let mut c = case::<f32>();
    c.targets[3] = VOCABULARY as u32;
    let mut head = SoftmaxHead::<f32>::new(Isa::Portable, VOCABULARY, UNITS).unwrap();
    assert!(head.losses(&c.h, &c.targets, &Team::new(1).unwrap()).is_err());
}
