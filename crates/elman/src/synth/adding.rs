//! Adding: the sum of two marked numbers. Hochreiter & Schmidhuber 1997, experiment 4, in the form of Arjovsky et al. 2016,
//! arXiv:1511.06464.
//!
//! Each step brings a number, uniform in [0, 1), and a mark that is 1 at one step of the first half and at one step of the
//! second, else 0. After the last step the network says the sum of the two marked numbers; that step alone is scored.
//!
//! Trivial level: a mean squared error of 1/6 = 0.167, by always answering 1. The sum has mean 1 and variance 1/12 + 1/12.

use super::Row;
use super::draw::{below, uniform};
use super::error::SynthError;
use super::options::{Choice, Values};
use super::task::{Example, Form, Level, Series, Task};
use elman_engine::Random;

const LENGTH: Choice = Choice { key: "length", default: 100, least: 2, most: 1_000_000, about: "steps" };

pub(super) const ROW: Row = Row { name: "adding", about: "the sum of two marked numbers", choices: &[LENGTH], build };

#[derive(Debug)]
struct Adding {
    length: usize,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    Ok(Box::new(Adding { length: values.size(&LENGTH) }))
}

impl Task for Adding {
    fn form(&self) -> Form {
        Form::Real { inputs: 2, targets: 1 }
    }

    fn symbols(&self) -> &[char] {
        &[]
    }

    fn example(&self, random: &mut Random) -> Example {
        let half = self.length / 2;
        let first = below(random, half as u64) as usize;
        let second = half + below(random, (self.length - half) as u64) as usize;
        let (mut inputs, mut targets, mut sum) = (Vec::new(), vec![0.0; self.length], 0.0);
        for step in 0..self.length {
            let (value, marked) = (uniform(random), step == first || step == second);
            inputs.extend([value, f32::from(u8::from(marked))]);
            sum += if marked { value } else { 0.0 };
        }
        targets[self.length - 1] = sum;
        Example {
            inputs: Series::Real { width: 2, values: inputs },
            targets: Series::Real { width: 1, values: targets },
            scored: (1..=self.length).map(|step| step == self.length).collect(),
        }
    }

    fn trivial(&self) -> Level {
        Level::SquaredError(1.0 / 6.0)
    }

    fn words(&self, example: &Example) -> String {
        let marked: Vec<(usize, f32)> = example
            .inputs
            .real()
            .chunks(2)
            .zip(1..)
            .filter(|(p, _)| p[1] == 1.0)
            .map(|(p, step)| (step, p[0]))
            .collect();
        let told: Vec<String> = marked.iter().map(|(step, value)| format!("{value:.3} (step {step})")).collect();
        let sum = example.targets.real().last().copied().unwrap_or(0.0);
        format!(
            "The network reads {} numbers, two of them marked: {}. After the last one it must say their sum, {sum:.3}.",
            self.length,
            told.join(" and ")
        )
    }
}
