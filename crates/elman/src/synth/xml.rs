//! XML: tags that open and close. Jozefowicz et al. 2015.
//!
//! Round after round: with probability 1/2, and always after `rounds` (50) rounds, the most recently opened tag is closed, or
//! the document ends if none is open; else a tag of 2 to 10 lower-case letters is opened. Every character is predicted from
//! those before it and scored. An empty document has no character, so the next one is taken.
//!
//! Trivial level: counted, not derived: the accuracy of the best guess from the present input alone (`<` follows `>`, and
//! after a letter `>` is likelier than any one letter). Names cannot be foretold where they open, so a perfect memory reaches
//! about 0.64; the paper's best network reached 0.475.

use super::Row;
use super::draw::{between, coin, letter, letters};
use super::error::SynthError;
use super::level::best_answer_to_the_input;
use super::options::{Choice, Values};
use super::task::{Example, Level, Task, ids, text};
use elman_engine::Random;

const ROUNDS: Choice =
    Choice { key: "rounds", default: 50, least: 1, most: 100_000, about: "rounds before all is closed" };

pub(super) const ROW: Row =
    Row { name: "xml", about: "tags that open and close, character by character", choices: &[ROUNDS], build };

const LETTERS: u64 = 26;
const SHORTEST: u64 = 2;
const LONGEST: u64 = 10;

#[derive(Debug)]
struct Xml {
    rounds: u64,
    symbols: Vec<char>,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    Ok(Box::new(Xml { rounds: values.of(&ROUNDS), symbols: letters().chain(['<', '/', '>']).collect() }))
}

impl Xml {
    fn document(&self, random: &mut Random) -> String {
        let (mut open, mut written): (Vec<String>, String) = (Vec::new(), String::new());
        for round in 0.. {
            if round >= self.rounds || coin(random) {
                let Some(name) = open.pop() else { break };
                written.push_str(&format!("</{name}>"));
            } else {
                let length = between(random, SHORTEST, LONGEST);
                let name: String = (0..length).map(|_| letter(random, LETTERS)).collect();
                written.push_str(&format!("<{name}>"));
                open.push(name);
            }
        }
        written
    }
}

impl Task for Xml {
    fn symbols(&self) -> &[char] {
        &self.symbols
    }

    fn example(&self, random: &mut Random) -> Example {
        loop {
            let written = self.document(random);
            if !written.is_empty() {
                let all = ids(&self.symbols, written.chars());
                let scored = vec![true; all.len()];
                return Example::predicting(self.symbols.len() as u32 - 1, all, scored);
            }
        }
    }

    fn trivial(&self) -> Level {
        best_answer_to_the_input(self)
    }

    fn words(&self, example: &Example) -> String {
        let all = text(&self.symbols, example.targets.symbols());
        let name: String = all.chars().skip(1).take_while(|c| *c != '>').collect();
        format!(
            "The network predicts each character of {all} from those before it. The name {name} cannot be foretold where it \
             opens, but must be right where it closes: </{name}>."
        )
    }
}
