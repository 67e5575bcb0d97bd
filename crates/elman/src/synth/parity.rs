//! Parity: is the number of ones odd? The least task for which every input matters.
//!
//! 1 to `length` bits, each length as likely as another, then `=`; there, and only there, the answer `0` or `1` is wanted.
//!
//! Trivial level: 1/2. The present input is always `=`, and the bits are uniform, so both answers are equally likely.

use super::Row;
use super::draw::{between, coin};
use super::error::SynthError;
use super::options::{Choice, Values};
use super::task::{Example, Level, Series, Task, text};
use elman_engine::Random;

const LENGTH: Choice = Choice { key: "length", default: 20, least: 1, most: 1_000_000, about: "most bits" };

pub(super) const ROW: Row = Row { name: "parity", about: "is the number of ones odd", choices: &[LENGTH], build };

const SYMBOLS: [char; 3] = ['0', '1', '='];
const SIGN: u32 = 2;

#[derive(Debug)]
struct Parity {
    length: u64,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    Ok(Box::new(Parity { length: values.of(&LENGTH) }))
}

impl Task for Parity {
    fn symbols(&self) -> &[char] {
        &SYMBOLS
    }

    fn example(&self, random: &mut Random) -> Example {
        let bits = between(random, 1, self.length) as usize;
        let mut inputs: Vec<u32> = (0..bits).map(|_| u32::from(coin(random))).collect();
        let mut targets = vec![0; bits + 1];
        targets[bits] = inputs.iter().sum::<u32>() % 2;
        inputs.push(SIGN);
        let scored = (0..=bits).map(|step| step == bits).collect();
        Example { inputs: Series::Symbols(inputs), targets: Series::Symbols(targets), scored }
    }

    fn trivial(&self) -> Level {
        Level::Accuracy(0.5)
    }

    fn words(&self, example: &Example) -> String {
        let bits = text(&SYMBOLS, example.inputs.symbols());
        let ones = bits.matches('1').count();
        let (odd, answer) = (if ones % 2 == 1 { "odd" } else { "even" }, text(&SYMBOLS, &example.answer()));
        format!("The network reads {bits} and must answer {answer}, because the number of ones ({ones}) is {odd}.")
    }
}
