//! Arithmetic between distractors: `3e36d9-h1h39f94eeh43keg3c=-13991064.` is 3369 - 13994433. Jozefowicz et al. 2015;
//! after Zaremba & Sutskever 2014, arXiv:1410.4615.
//!
//! Two numbers of 1 to `digits` digits (8), + or -, and after each symbol of the question 0 to `distractors` lower-case
//! letters; 40 symbols in all. The paper does not say how counts are drawn: here every count of digits and of letters is as
//! likely as another, and 3 letters at most, the most in its example. Predicted symbol by symbol; what follows `=` is scored,
//! the dot included.
//!
//! Trivial level: counted, not derived: the accuracy of the best guess from the present input alone (after `=` the minus is
//! likely, after a digit the dot). In the paper networks that do not solve the task stay at 0.293 (LSTM without a forget
//! gate) and 0.295 (tanh).

use super::Row;
use super::draw::{between, coin, letter, letters, number};
use super::error::SynthError;
use super::level::best_answer_to_the_input;
use super::options::{Choice, Values};
use super::task::{Example, Level, Task, ids, text};
use elman_engine::Random;

const DIGITS: Choice = Choice { key: "digits", default: 8, least: 1, most: 17, about: "most digits of a number" };
const DISTRACTORS: Choice =
    Choice { key: "distractors", default: 3, least: 0, most: 1000, about: "most letters after a symbol" };

pub(super) const ROW: Row = Row {
    name: "arithmetic",
    about: "sums and differences between distracting letters",
    choices: &[DIGITS, DISTRACTORS],
    build,
};

const LETTERS: u64 = 26;

#[derive(Debug)]
struct Arithmetic {
    digits: u64,
    distractors: u64,
    symbols: Vec<char>,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    let symbols = ('0'..='9').chain(letters()).chain(['+', '-', '=', '.']).collect();
    Ok(Box::new(Arithmetic { digits: values.of(&DIGITS), distractors: values.of(&DISTRACTORS), symbols }))
}

impl Task for Arithmetic {
    fn symbols(&self) -> &[char] {
        &self.symbols
    }

    fn example(&self, random: &mut Random) -> Example {
        let (a, plus, b) = (number(random, self.digits), coin(random), number(random, self.digits));
        let mut written = String::new();
        for symbol in format!("{a}{}{b}", if plus { '+' } else { '-' }).chars() {
            written.push(symbol);
            let count = between(random, 0, self.distractors);
            written.extend((0..count).map(|_| letter(random, LETTERS)));
        }
        written.push('=');
        let question = written.len();
        written.push_str(&format!("{}.", if plus { a + b } else { a - b }));
        let all = ids(&self.symbols, written.chars());
        let scored = (0..all.len()).map(|i| i >= question).collect();
        Example::predicting(self.symbols.len() as u32 - 1, all, scored)
    }

    fn trivial(&self) -> Level {
        best_answer_to_the_input(self)
    }

    fn words(&self, example: &Example) -> String {
        let (all, answer) = (text(&self.symbols, example.targets.symbols()), text(&self.symbols, &example.answer()));
        let question = all.strip_suffix(&answer).unwrap_or_default();
        let plain: String = question.chars().filter(|c| !c.is_ascii_lowercase()).collect();
        format!(
            "The network reads {question}, which is {plain} among distracting letters, and must go on with {answer}"
        )
    }
}
