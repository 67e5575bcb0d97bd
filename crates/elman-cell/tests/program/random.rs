//! Random cells: what holds for the known ones holds for any.

use crate::builder::*;
use elman_cell::interpret::{self, Point, check_gradient};
use elman_cell::op::Function as F;
use elman_cell::schedule::Schedule;
use elman_cell::verify::verify;
use elman_cell::{canonical, derive, lower};

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "i", "j", "k", "l", "n"];
const STATES: [&str; 3] = ["h", "m", "s"];
const UPDATES: [&str; 3] = ["h'", "m'", "s'"];

/// A linear congruential generator (Knuth's MMIX constants): enough to draw shapes of cells.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// Something that was made before: an input, an old state, an earlier value.
    fn value(&mut self, made: usize) -> E {
        match self.below(made + 4) {
            0 => wx(&format!("X{}", self.below(3))),
            k if k < 4 => prev(STATES[k - 1]),
            k => val(NAMES[k - 4]),
        }
    }

    fn weight(&mut self) -> String {
        format!("W{}", self.below(9))
    }

    fn expression(&mut self, made: usize) -> E {
        let (a, c) = (self.value(made), self.value(made));
        match self.below(14) {
            0 | 1 => u(&self.weight(), a) + u(&self.weight(), c) + b(&format!("b{}", self.below(4))),
            2 => u(&self.weight(), a) - t(mat(&self.weight(), H, H)) % c,
            3 => (mat(&self.weight(), H, H) - mat(&self.weight(), H, H)) % a + 0.5 * c,
            4 => mat(&format!("K{}", self.below(2)), H, H + H) % cat([a, c]) + wx("X9"),
            5 => a * c,
            6 => a - c * b("p"),
            7 => sigmoid(a.clone()) * a + (1.0 - sigmoid(c.clone())) * c,
            8 => tanh(a) * scalar("alpha") - 0.25,
            9 => f(F::LayerNorm, a + wx("X8")) * b("g"),
            10 => f(F::Softmax, a) + f(F::Mean, c),
            11 => f(F::Softsign, a) / (f(F::Norm, c) + 1.5),
            12 => -(a + c) + 1.0,
            _ => f2(F::Max, a, c),
        }
    }

    fn cell(&mut self) -> Builder {
        let values = 3 + self.below(NAMES.len() - 3);
        let mut builder = cell("random");
        for (made, name) in NAMES[..values].iter().enumerate() {
            builder = builder.eq(name, self.expression(made));
        }
        for update in UPDATES {
            builder = builder.eq(update, tanh(self.value(values)) + 0.3 * self.value(values));
        }
        builder.output(["h", "m", NAMES[values - 1]][self.below(3)])
    }
}

/// A kink met at every width of difference would show as an error: none is, at these seeds.
const TOLERANCE: f64 = 1e-6;

#[test]
fn random_cells_mean_what_they_say() {
    let mut texts = std::collections::HashSet::new();
    for seed in 0..150 {
        let builder = Draw(seed).cell();
        let cell = builder.build();
        let program = lower(&cell);
        let point = Point::random(&program, SIZES, 3, seed);
        let run = interpret::run(&program, SIZES, &point.params, &point.memories, &point.inputs, &point.initial);
        let mut states = point.initial.clone();
        for (t, x) in point.inputs.iter().enumerate() {
            let values = interpret::cell::step(&cell, SIZES, &point.params, &point.memories, x, &states);
            for ((name, node), value) in program.named.iter().zip(&values) {
                for (got, expected) in run.nodes[t][node.index()].iter().zip(value) {
                    let error = (got - expected).abs() / expected.abs().max(1.0);
                    assert!(error < 1e-10, "seed {seed}, step {t}, {name}: {got} is not {expected}\n{program}");
                }
            }
            states = cell.states.iter().map(|s| values[s.next.index()].clone()).collect();
        }
        assert_eq!(canonical(&cell), canonical(&builder.clone().reversed().build()), "seed {seed}");
        texts.insert(canonical(&cell));
    }
    assert_eq!(texts.len(), 150, "and no two of them are one");
}

#[test]
fn random_cells_have_right_gradients_and_schedules() {
    for seed in 0..150 {
        let program = lower(&Draw(seed).cell().build());
        let derived = derive(&program);
        let schedule = Schedule::new(&program, &derived, &[]);
        assert_eq!(verify(&program, &derived, &schedule, &[]), Ok(()), "seed {seed}\n{program}\n{derived}");
        let point = Point::random(&program, SIZES, 3, seed);
        let check = check_gradient(&program, &derived, &point, seed);
        assert!(check.worst() < TOLERANCE, "seed {seed}: {check:?}\n{program}\n{derived}");
    }
}
