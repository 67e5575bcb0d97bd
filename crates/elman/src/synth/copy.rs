//! Copy with delay: read some symbols, wait, and say them again. Hochreiter & Schmidhuber 1997 in spirit, in the form of
//! Arjovsky et al. 2016, arXiv:1511.06464.
//!
//! The inputs are `length` letters, `delay` - 1 blanks `_`, a sign `:`, and `length` blanks: delay + 2 length steps. At the
//! last `length` steps, which alone are scored, the letters are wanted in order; nothing but blanks is read there.
//!
//! Trivial level: 1 / symbols. The present input is a blank or the sign, and the letters are uniform. (The paper's loss is
//! a mean over all steps, so its trivial level is length · ln symbols / (delay + 2 length) nats.)

use super::Row;
use super::draw::below;
use super::error::SynthError;
use super::options::{Choice, Values};
use super::task::{Example, Level, Series, Task, text};
use elman_engine::Random;

const DELAY: Choice = Choice {
    key: "delay",
    default: 50,
    least: 1,
    most: 1_000_000,
    about: "steps between the last letter and the answer",
};
const LENGTH: Choice = Choice { key: "length", default: 10, least: 1, most: 10_000, about: "letters to remember" };
const SYMBOLS: Choice = Choice { key: "symbols", default: 8, least: 2, most: 26, about: "letters to draw from" };

pub(super) const ROW: Row = Row {
    name: "copy",
    about: "read some letters, wait, then say them again",
    choices: &[DELAY, LENGTH, SYMBOLS],
    build,
};

/// The ids of the blank and of the sign.
const BLANK: u32 = 0;
const SIGN: u32 = 1;

#[derive(Debug)]
struct Copy {
    delay: usize,
    length: usize,
    letters: u64,
    symbols: Vec<char>,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    let letters = values.of(&SYMBOLS);
    let symbols = ['_', ':'].into_iter().chain(super::draw::letters().take(letters as usize)).collect();
    Ok(Box::new(Copy { delay: values.size(&DELAY), length: values.size(&LENGTH), letters, symbols }))
}

impl Task for Copy {
    fn symbols(&self) -> &[char] {
        &self.symbols
    }

    fn example(&self, random: &mut Random) -> Example {
        let letters: Vec<u32> = (0..self.length).map(|_| 2 + below(random, self.letters) as u32).collect();
        let blanks = |n| vec![BLANK; n];
        let inputs = [&letters[..], &blanks(self.delay - 1), &[SIGN], &blanks(self.length)].concat();
        let before = self.delay + self.length;
        let targets = [&blanks(before)[..], &letters].concat();
        let scored = (0..inputs.len()).map(|step| step >= before).collect();
        Example { inputs: Series::Symbols(inputs), targets: Series::Symbols(targets), scored }
    }

    fn trivial(&self) -> Level {
        Level::Accuracy(1.0 / self.letters as f64)
    }

    fn words(&self, example: &Example) -> String {
        let answer = text(&self.symbols, &example.answer());
        let delay = self.delay;
        format!(
            "The network reads {answer}, waits {delay} steps without anything to read, and must then write {answer}."
        )
    }
}
