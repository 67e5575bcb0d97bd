//! Training on made data: every task, the same bits whatever the batch of scoring and the threads; and the tour.

use elman::engine::Isa;
use elman::evaluate::{Chosen, Evaluated, Found, evaluate};
use elman::model::Trained;
use elman::run::Config;
use elman::synth::TASKS;
use elman::tour::{Report, Tour};
use elman::train::{Event, Machine, train};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

static GO: AtomicBool = AtomicBool::new(false);

/// A run of a few seconds on a made task.
fn config(task: &str) -> Config {
    let mut c = Config::default();
    c.data.train = format!("synth:{task}");
    c.data.held_out = Some(50);
    (c.model.cell, c.model.hidden) = ("gru".into(), 16);
    (c.train.batch, c.train.epochs, c.train.epoch_steps) = (8, 2, Some(40));
    c.optimiser.rate = Some(0.01);
    c
}

/// The validation losses of the run.
fn losses(config: Config, out: &Path) -> Vec<f64> {
    let mut losses = vec![];
    let mut watch = |event: Event| {
        if let Event::Evaluation(e) = event {
            losses.push(e.valid_loss);
        }
    };
    train(config, out, Machine::default(), &mut watch, &GO).unwrap();
    losses
}

#[test]
fn every_task_trains_and_is_measured_beside_its_trivial_level() {
    let folder = tempfile::tempdir().unwrap();
    for row in TASKS {
        let length = if row.choices.iter().any(|c| c.key == "length") { "?length=20" } else { "" };
        let out = folder.path().join(row.name);
        let losses = losses(config(&format!("{}{length}", row.name)), &out);
        assert!(losses.len() == 2 && losses.iter().all(|l| l.is_finite()), "{}: {losses:?}", row.name);
        let mut trained = Trained::load(&out, Machine::default()).unwrap();
        let mut measure = |batch| evaluate(&mut trained, &Chosen::Test, batch, &GO).unwrap();
        let (all, again) = (measure(1), measure(50));
        assert_eq!(all, again, "{}", row.name);
        let Evaluated::Made(figures) = all else { panic!("{}: not made", row.name) };
        assert_eq!((figures.examples, figures.part.as_str()), (50, "test"));
        match figures.found {
            Found::Symbols { accuracy, whole_accuracy, trivial_accuracy, .. } => {
                assert!(accuracy >= whole_accuracy && trivial_accuracy > 0.0, "{figures:?}");
            }
            Found::Numbers { squared_error, trivial_squared_error } => {
                assert!(row.name == "adding" && squared_error < 2.0 * trivial_squared_error, "{figures:?}");
            }
        }
    }
}

#[test]
fn an_easy_task_is_learned_far_above_its_trivial_level() {
    let folder = tempfile::tempdir().unwrap();
    let mut easy = config("copy?delay=1&length=2&symbols=3");
    easy.train.epochs = 4;
    let losses = losses(easy, &folder.path().join("run"));
    assert!(losses[3] < 0.3 * 3f64.ln(), "{losses:?}");
    let mut sum = config("adding?length=4");
    sum.train.epochs = 8;
    let losses = self::losses(sum, &folder.path().join("sum"));
    assert!(losses[7] < 0.03, "{losses:?}");
}

fn short_tour(threads: usize) -> (Report, usize) {
    let task = "memorization?length=2&symbols=3".into();
    let tour = Tour { task, hidden: 12, batch: 8, steps: 60, rate: 0.01, questions: 40, ..Tour::default() };
    let news = Mutex::new(0);
    let watch = |_| *news.lock().unwrap() += 1;
    let mut report = elman::tour::run(&tour, Isa::detect(), threads, &watch, &GO).unwrap().unwrap();
    report.learned.iter_mut().for_each(|l| l.speed = 0.0);
    (report, news.into_inner().unwrap())
}

#[test]
fn the_tour_gives_the_same_numbers_on_one_thread_and_on_two() {
    let (one, news) = short_tour(1);
    assert_eq!(news, 4 * 60);
    assert_eq!(one, short_tour(2).0);
    let cells: Vec<&str> = one.learned.iter().map(|l| l.cell.as_str()).collect();
    assert_eq!(cells, ["tanh", "lstm", "gru", "mut1"]);
    assert!(one.learned.iter().any(|l| l.accuracy > one.trivial), "{one:?}");
    assert!(one.learned.windows(2).any(|l| l[0].accuracy != l[1].accuracy), "{one:?}");
    assert_eq!(one.shown.answer.len(), one.learned[0].answers[one.shown.index].len());
}

#[test]
fn a_raised_flag_ends_the_tour() {
    let stopped = elman::tour::run(&Tour::default(), Isa::detect(), 2, &|_| {}, &AtomicBool::new(true));
    assert_eq!(stopped.unwrap(), None);
}
