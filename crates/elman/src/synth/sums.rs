//! Sums, read digit by digit: `407+58=465.` After Zaremba & Sutskever 2014, arXiv:1410.4615.
//!
//! Each number has 1 to `digits` digits, each count as likely as another. Predicted symbol by symbol; what follows `=` is
//! scored, the dot included, which says that the answer is over.
//!
//! Trivial level: counted, not derived: the accuracy of the best guess from the present input alone (after `=` a small digit
//! leads, after a digit the dot is likely).

use super::Row;
use super::draw::number;
use super::error::SynthError;
use super::level::best_answer_to_the_input;
use super::options::{Choice, Values};
use super::task::{Example, Level, Task, ids, text};
use elman_engine::Random;

const DIGITS: Choice = Choice { key: "digits", default: 3, least: 1, most: 16, about: "most digits of a number" };
const TERMS: Choice = Choice { key: "terms", default: 2, least: 2, most: 100, about: "numbers to add" };

pub(super) const ROW: Row =
    Row { name: "sums", about: "add numbers, digit by digit", choices: &[DIGITS, TERMS], build };

const SYMBOLS: [char; 13] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '=', '.'];
const DOT: u32 = 12;

#[derive(Debug)]
struct Sums {
    digits: u64,
    terms: usize,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    Ok(Box::new(Sums { digits: values.of(&DIGITS), terms: values.size(&TERMS) }))
}

impl Task for Sums {
    fn symbols(&self) -> &[char] {
        &SYMBOLS
    }

    fn example(&self, random: &mut Random) -> Example {
        let numbers: Vec<i64> = (0..self.terms).map(|_| number(random, self.digits)).collect();
        let question = numbers.iter().map(i64::to_string).collect::<Vec<_>>().join("+") + "=";
        let all = ids(&SYMBOLS, format!("{question}{}.", numbers.iter().sum::<i64>()).chars());
        let scored = (0..all.len()).map(|i| i >= question.len()).collect();
        Example::predicting(DOT, all, scored)
    }

    fn trivial(&self) -> Level {
        best_answer_to_the_input(self)
    }

    fn words(&self, example: &Example) -> String {
        let (all, answer) = (text(&SYMBOLS, example.targets.symbols()), text(&SYMBOLS, &example.answer()));
        let question = all.strip_suffix(&answer).unwrap_or_default();
        format!("The network reads {question} one symbol at a time and must go on with {answer}")
    }
}
