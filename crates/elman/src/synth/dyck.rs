//! Dyck: brackets of several kinds, nested. Chomsky & Schützenberger 1963; with a bound on the depth, Hewitt et al. 2020,
//! arXiv:2010.07515.
//!
//! `length` brackets that close properly, never more than `depth` open at once. Where a bracket may be opened as well as
//! closed, a coin decides; the kind of an opened one is uniform. After each closing bracket the network names the one that
//! must close next (`)`, `]`, `}`, `>`), which takes a stack; steps after which none is open are not scored, nor are
//! opening brackets, whose answer is in plain sight.
//!
//! Trivial level: 1 / kinds. The kind of the bracket around the one just closed was drawn apart from it.

use super::Row;
use super::draw::{below, coin};
use super::error::SynthError;
use super::options::{Choice, Values};
use super::task::{Example, Level, Series, Task, text};
use elman_engine::Random;

const DEPTH: Choice = Choice { key: "depth", default: 4, least: 2, most: 10_000, about: "most brackets open at once" };
const KINDS: Choice = Choice { key: "kinds", default: 2, least: 2, most: 4, about: "kinds of brackets" };
const LENGTH: Choice =
    Choice { key: "length", default: 24, least: 4, most: 1_000_000, about: "brackets, an even number" };

pub(super) const ROW: Row =
    Row { name: "dyck", about: "which bracket must close next", choices: &[DEPTH, KINDS, LENGTH], build };

/// Opening kind k has id 2k, closing 2k + 1.
const SYMBOLS: [char; 8] = ['(', ')', '[', ']', '{', '}', '<', '>'];

#[derive(Debug)]
struct Dyck {
    depth: usize,
    kinds: usize,
    length: usize,
}

fn build(values: &Values) -> Result<Box<dyn Task>, SynthError> {
    let length = values.size(&LENGTH);
    if length % 2 == 1 {
        let reason = format!("length={length} brackets cannot all close; take an even number");
        return Err(SynthError::Clash { task: ROW.name, reason });
    }
    Ok(Box::new(Dyck { depth: values.size(&DEPTH), kinds: values.size(&KINDS), length }))
}

impl Dyck {
    fn draw(&self, random: &mut Random) -> Example {
        let (mut inputs, mut targets, mut scored) = (Vec::new(), Vec::new(), Vec::new());
        let mut open: Vec<u32> = Vec::new();
        for left in (1..=self.length).rev() {
            let (may_open, may_close) = (open.len() < self.depth.min(left - 1), !open.is_empty());
            let opens = may_open && (!may_close || coin(random));
            if opens {
                open.push(2 * below(random, self.kinds as u64) as u32);
            }
            inputs.push(if opens { open.last().map_or(0, |b| *b) } else { open.pop().map_or(0, |b| b + 1) });
            targets.push(open.last().map_or(0, |b| b + 1));
            scored.push(!opens && !open.is_empty());
        }
        Example { inputs: Series::Symbols(inputs), targets: Series::Symbols(targets), scored }
    }
}

impl Task for Dyck {
    fn symbols(&self) -> &[char] {
        &SYMBOLS[..2 * self.kinds]
    }

    /// One with at least one scored step: others ask nothing.
    fn example(&self, random: &mut Random) -> Example {
        loop {
            let example = self.draw(random);
            if example.scored.contains(&true) {
                return example;
            }
        }
    }

    fn trivial(&self) -> Level {
        Level::Accuracy(1.0 / self.kinds as f64)
    }

    fn words(&self, example: &Example) -> String {
        let (all, at) = (text(&SYMBOLS, example.inputs.symbols()), example.scored.iter().position(|s| *s));
        let at = at.unwrap_or(0);
        let (read, answer) = (&all[..=at], text(&SYMBOLS, &example.targets.symbols()[at..=at]));
        format!("In {all}, after reading {read}, the network must say which bracket has to close next: {answer}")
    }
}
