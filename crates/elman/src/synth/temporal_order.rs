//! Temporal order: in which order did the X and the Y come? Hochreiter & Schmidhuber 1997, experiments 6a and 6b.
//!
//! A sequence begins with `E`, ends with `B`, and is `length` to 1.1 `length` symbols long (100 to 110 in the paper). All
//! between are drawn from a, b, c, d, but for 2 (or 3) places that hold X or Y, each in its own tenth: the first from
//! length/10 on, the second from length/2 on (of three: from 0.33 and 0.66 length on). At `B`, which alone is scored, the
//! class is wanted: XX Q, XY R, YX S, YY U; of three, XXX Q, XXY R, XYX S, XYY U, YXX V, YXY A, YYX B, YYY C.
//!
//! Trivial level: 1/4 (1/8 for three): the present input is always `B`, and the classes are equally likely.

use super::Row;
use super::draw::{below, between};
use super::error::SynthError;
use super::options::{Choice, Values};
use super::task::{Example, Level, Series, Task, text};
use elman_engine::Random;

const MARKS: Choice = Choice { key: "marks", default: 2, least: 2, most: 3, about: "places with X or Y" };
const LENGTH: Choice = Choice { key: "length", default: 100, least: 20, most: 1_000_000, about: "shortest sequence" };

pub(super) const ROW: Row =
    Row { name: "temporal-order", about: "in which order did the X and the Y come", choices: &[MARKS, LENGTH], build };

const SYMBOLS: [char; 15] = ['E', 'B', 'X', 'Y', 'a', 'b', 'c', 'd', 'Q', 'R', 'S', 'U', 'V', 'A', 'C'];
const BEGIN: u32 = 0;
const END: u32 = 1;
const X: u32 = 2;
const NOISE: u32 = 4;
/// The classes in the order of their marks read as a binary number, X being 0.
const CLASSES: [u32; 8] = [8, 9, 10, 11, 12, 13, 1, 14];

#[derive(Debug)]
struct TemporalOrder {
    marks: usize,
    length: u64,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    Ok(Box::new(TemporalOrder { marks: values.size(&MARKS), length: values.of(&LENGTH) }))
}

impl TemporalOrder {
    /// Where the marks may begin, in hundredths of the length.
    fn places(&self) -> &'static [u64] {
        if self.marks == 2 { &[10, 50] } else { &[10, 33, 66] }
    }
}

impl Task for TemporalOrder {
    fn symbols(&self) -> &[char] {
        &SYMBOLS
    }

    fn example(&self, random: &mut Random) -> Example {
        let tenth = self.length / 10;
        let steps = between(random, self.length, self.length + tenth) as usize;
        let mut inputs: Vec<u32> = (0..steps).map(|_| NOISE + below(random, 4) as u32).collect();
        let mut class = 0;
        for place in self.places() {
            let (at, mark) = (place * self.length / 100 + below(random, tenth + 1), below(random, 2));
            inputs[at as usize] = X + mark as u32;
            class = 2 * class + mark as usize;
        }
        inputs[0] = BEGIN;
        inputs[steps - 1] = END;
        let mut targets = vec![0; steps];
        targets[steps - 1] = CLASSES[class];
        let scored = (1..=steps).map(|step| step == steps).collect();
        Example { inputs: Series::Symbols(inputs), targets: Series::Symbols(targets), scored }
    }

    fn trivial(&self) -> Level {
        Level::Accuracy(1.0 / (1 << self.marks) as f64)
    }

    fn words(&self, example: &Example) -> String {
        let inputs = example.inputs.symbols();
        let marks = inputs.iter().zip(1..).filter(|(id, _)| (X..NOISE).contains(*id));
        let told: Vec<String> = marks.map(|(id, step)| format!("{} at step {step}", text(&SYMBOLS, &[*id]))).collect();
        let (steps, answer) = (inputs.len(), text(&SYMBOLS, &example.answer()));
        let told = told.join(", ");
        format!("Among {steps} symbols stand {told}. At the end the network must name their order: class {answer}.")
    }
}
