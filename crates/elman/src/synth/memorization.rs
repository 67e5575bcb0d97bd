//! Memorization: read some letters, then say them again in order. Jozefowicz et al. 2015 screen their architectures with 5
//! symbols out of 26.
//!
//! `qkfza=qkfza.`, predicted symbol by symbol; the letters after `=` are scored. The sign and the dot are ours: the paper
//! does not print its examples.
//!
//! Trivial level: 1 / symbols. Each letter is drawn apart from the others, so the present input (the letter before)
//! says nothing about the next.

use super::Row;
use super::draw::{letter, letters};
use super::error::SynthError;
use super::options::{Choice, Values};
use super::task::{Example, Level, Task, ids, text};
use elman_engine::Random;

const LENGTH: Choice = Choice { key: "length", default: 5, least: 1, most: 10_000, about: "letters to remember" };
const SYMBOLS: Choice = Choice { key: "symbols", default: 26, least: 2, most: 26, about: "letters to draw from" };

pub(super) const ROW: Row =
    Row { name: "memorization", about: "read some letters, then say them again", choices: &[LENGTH, SYMBOLS], build };

#[derive(Debug)]
struct Memorization {
    length: usize,
    letters: u64,
    symbols: Vec<char>,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    let (length, letters_) = (values.size(&LENGTH), values.of(&SYMBOLS));
    let symbols = letters().take(letters_ as usize).chain(['=', '.']).collect();
    Ok(Box::new(Memorization { length, letters: letters_, symbols }))
}

impl Task for Memorization {
    fn symbols(&self) -> &[char] {
        &self.symbols
    }

    fn example(&self, random: &mut Random) -> Example {
        let read: String = (0..self.length).map(|_| letter(random, self.letters)).collect();
        let all = ids(&self.symbols, format!("{read}={read}.").chars());
        let scored = (0..all.len()).map(|i| i > self.length && i < all.len() - 1).collect();
        Example::predicting(self.symbols.len() as u32 - 1, all, scored)
    }

    fn trivial(&self) -> Level {
        Level::Accuracy(1.0 / self.letters as f64)
    }

    fn words(&self, example: &Example) -> String {
        let answer = text(&self.symbols, &example.answer());
        format!("The network reads {answer} and then `=`. From there it must write the same letters again: {answer}.")
    }
}
