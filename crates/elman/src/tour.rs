//! A tour: the same made task for several cells, each trained for a fixed number of steps, then asked the same new
//! questions.
//!
//! Every step takes examples that nobody has seen before, so nothing can be learned by heart. What the cells answer depends
//! on the settings alone: the same bits on every machine and any number of threads. Only speeds differ.

use crate::cells;
use crate::error::Error;
use crate::model::{Body, Draw, Dropout, Ends, Lm, LmSpec, Start, State};
use crate::synth::{Level, Made, Split};
use crate::train::made::{Right, answers};
use elman_engine::optimise::{Optimiser, Rule, Step, clip_scale, norm};
use elman_engine::{Isa, Options};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// Questions whose answers are kept.
const ANSWERED: usize = 8;

/// The task of [`Tour::default`] in words.
pub const ABOUT: &str = "\
The task: read 60 to 66 letters, one at a time. Two of them are marks, X or Y; the others mean nothing.
After the last letter, say which two marks came, in their order: Q for XX, R for XY, S for YX, U for YY.
The first mark comes some 50 letters before the end: a network must remember it while it reads on.";

/// What is trained, on what, for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Tour {
    /// The task, as [`Made::parse`] reads it.
    pub task: String,
    /// The cells, by name or path.
    pub cells: Vec<String>,
    /// Units of a state, and of the embedding.
    pub hidden: usize,
    /// Examples of a step.
    pub batch: usize,
    /// Steps of training.
    pub steps: u64,
    /// The rate of Adam.
    pub rate: f64,
    /// The norm that gradients are clipped to.
    pub clip: f64,
    /// Initial weights follow from it.
    pub seed: u64,
    /// New examples that are asked in the end.
    pub questions: u64,
}

impl Default for Tour {
    /// Long enough for the cells with gates.
    fn default() -> Tour {
        Tour {
            task: "temporal-order?length=60".into(),
            cells: ["tanh", "lstm", "gru", "mut1"].map(String::from).into(),
            hidden: 32,
            batch: 32,
            steps: 9000,
            rate: 0.005,
            clip: 1.0,
            seed: 1,
            questions: 1000,
        }
    }
}

/// How far a cell is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct News {
    /// Which of the tour's cells.
    pub cell: usize,
    /// Steps done.
    pub step: u64,
    /// The mean loss of this step, nats per scored symbol.
    pub loss: f64,
}

/// What a cell came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The cell.
    pub cell: String,
    /// The share of right answers to the questions.
    pub accuracy: f64,
    /// Numbers that were learned.
    pub parameters: usize,
    /// Steps of sequences a second, in training.
    pub speed: f64,
    /// What it answers to the first questions.
    pub answers: Vec<String>,
}

/// What the tour came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In the order of the tour's cells.
    pub learned: Vec<Learned>,
    /// The accuracy of whoever looks at the present input alone.
    pub trivial: f64,
    /// The accuracy of drawing one of the task's symbols blindly.
    pub chance: f64,
    /// The first question that the cells answer differently, or the first of all.
    pub shown: Shown,
}

/// A question to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Which of the questions.
    pub index: usize,
    /// What is read.
    pub question: String,
    /// What should be answered.
    pub answer: String,
    /// The same in a sentence.
    pub words: String,
}

/// Trains the cells, `threads` of them at a time; `None` if `stop` was raised.
///
/// # Errors
/// A task or a cell that does not exist, or numbers that are no numbers.
pub fn run(
    tour: &Tour,
    isa: Isa,
    threads: usize,
    watch: &(dyn Fn(News) + Sync),
    stop: &AtomicBool,
) -> Result<Option<Report>, Error> {
    let made = Made::parse(&tour.task)?;
    let results: Vec<Mutex<Option<Result<Learned, Error>>>> = tour.cells.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let cell = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = results.get(cell) else { return };
            let learned = learn(tour, &made, cell, isa, watch, stop).transpose();
            if let Ok(mut place) = place.lock() {
                *place = learned;
            }
        }
    };
    std::thread::scope(|s| {
        for _ in 1..threads.clamp(1, tour.cells.len().max(1)) {
            s.spawn(work);
        }
        work();
    });
    let mut learned = vec![];
    for result in results {
        match result.into_inner().ok().flatten() {
            Some(result) => learned.push(result?),
            None => return Ok(None),
        }
    }
    let trivial = match made.trivial() {
        Level::Accuracy(share) => share,
        Level::SquaredError(_) => f64::NAN,
    };
    let shown = shown(&made, &learned);
    Ok(Some(Report { learned, trivial, chance: 1.0 / made.symbols().len() as f64, shown }))
}

fn shown(made: &Made, learned: &[Learned]) -> Shown {
    let differ = |k: &usize| learned.windows(2).any(|pair| pair[0].answers[*k] != pair[1].answers[*k]);
    let index = (0..ANSWERED).find(differ).unwrap_or(0);
    let example = made.example(Split::Test, index as u64);
    let (question, answer) = (made.text(example.inputs.symbols()), made.text(&example.answer()));
    Shown { index, question, answer, words: made.words(&example) }
}

/// Trains one cell and asks it.
fn learn(
    tour: &Tour,
    made: &Made,
    cell: usize,
    isa: Isa,
    watch: &(dyn Fn(News) + Sync),
    stop: &AtomicBool,
) -> Result<Option<Learned>, Error> {
    let name = &tour.cells[cell];
    let mut lm = model(tour, made, name, isa)?;
    let lengths: Vec<usize> = lm.weights().iter().map(Vec::len).collect();
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: false };
    let mut optimiser = Optimiser::new(rule, &lengths);
    let draw = Draw { dropout: Dropout::default(), seed: tour.seed, clock: 0 };
    let mut gradients = lm.no_gradients();
    let (mut read, began) = (0, Instant::now());
    for step in 0..tour.steps {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let block = made.batch(Split::Train, step * tour.batch as u64, tour.batch);
        let scored = block.scored.iter().filter(|s| **s).count() as f64;
        let losses = lm.train(&block, &mut State::default(), &draw, 1.0 / scored, &mut gradients)?;
        let (loss, norm) = (losses.iter().sum::<f64>() / scored, norm(lm.team(), &gradients));
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(Error::Diverged(format!("{name}: the loss of step {} is no number", step + 1)));
        }
        let way = Step { rate: tour.rate, decay: 0.0, frozen: false, scale: clip_scale(norm, tour.clip) };
        let ways = vec![way; lengths.len()];
        lm.update_on(|weights, team| optimiser.step(team, weights, &gradients, &ways));
        read += block.lengths.iter().sum::<usize>();
        watch(News { cell, step: step + 1, loss });
    }
    let speed = read as f64 / began.elapsed().as_secs_f64().max(1e-9);
    let Some(right) = Right::of(&mut lm, made, Split::Test, tour.questions, tour.batch, stop)? else { return Ok(None) };
    let mut answer = |k: usize| -> Result<String, Error> {
        let said = lm.answer(&made.batch(Split::Test, k as u64, 1), &mut State::default())?;
        Ok(made.text(&answers(&said.outputs, made.symbols().len())))
    };
    let answers = (0..ANSWERED).map(&mut answer).collect::<Result<_, _>>()?;
    let parameters = lengths.iter().sum();
    Ok(Some(Learned { cell: name.clone(), accuracy: right.accuracy(), parameters, speed, answers }))
}

/// The model of one cell before its first step.
fn model(tour: &Tour, made: &Made, cell: &str, isa: Isa) -> Result<Lm<f32>, Error> {
    let spec = LmSpec {
        ends: Ends::Symbols,
        body: Body::Recurrent { cell: std::sync::Arc::new(cells::find(cell)?), zoneout: 0.0 },
        layers: 1,
        hidden: tour.hidden,
        embedding: tour.hidden,
        vocabulary: made.symbols().len(),
        tied: false,
    };
    Ok(Lm::new(&spec, Start { seed: tour.seed, bound: None }, &Options::new().with_isa(isa).with_backward())?)
}
