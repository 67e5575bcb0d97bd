//! What is shown of a model of `label`.

use super::Model;
use super::data::Examples;
use crate::error::Error;
use crate::metrics::Estimate;
use crate::metrics::edit::edit_distance;
use crate::report::{Sample, Section};
use crate::task::{Against, Shown};
use elman_engine::tape::Store;

/// Samples on the page.
const SAMPLES: usize = 20;
/// Examples of which the page shows what is likely when.
const IN_TIME: usize = 3;
/// Steps of such an example at most.
const WIDEST: usize = 400;

/// The error rate with its interval, by drawing texts again and again, and against length; some texts.
pub fn shown(given: &[String], wanted: &[String]) -> Shown {
    let letters = |text: &String| text.chars().collect::<Vec<char>>();
    let both = given.iter().map(letters).zip(wanted.iter().map(letters));
    let edits: Vec<[f64; 2]> = both.map(|(g, w)| [edit_distance(&g, &w) as f64, w.len() as f64]).collect();
    let rate = Estimate::bootstrap(edits.len(), |drawn| {
        let sum = |k: usize| drawn.iter().map(|i| edits[*i as usize][k]).sum::<f64>();
        sum(0) / sum(1).max(1.0)
    });
    let lengths = wanted.iter().map(|text| text.chars().count()).collect();
    let sample = |(k, (wanted, given)): (usize, (&String, &String))| Sample {
        wanted: Some(wanted.clone()),
        ..Sample::of((k + 1).to_string(), given)
    };
    let samples = wanted.iter().zip(given).take(SAMPLES).enumerate().map(sample).collect();
    Shown {
        intervals: vec![("character_error_rate", rate)],
        against: Some(Against::shares("character error rate", lengths, edits.into_iter())),
        sections: vec![Section::samples("Samples", ["example", "wanted", "given"], samples)],
        ..Shown::default()
    }
}

/// When each symbol is likely, in the first examples that fit on a page.
pub fn in_time(model: &Model, store: &mut Store<f32>, all: &Examples) -> Result<Vec<Section>, Error> {
    let fits = |i: &usize| all.length(*i).div_ceil(model.stack()) <= WIDEST;
    let mut sections = vec![];
    for i in (0..all.count()).filter(fits).take(IN_TIME) {
        let (numbers, wanted) = all.example(i);
        let p = model.probabilities(store, &numbers)?;
        let mut rows: Vec<usize> = vec![0];
        for step in &p {
            let best = (0..step.len()).fold(0, |best, k| if step[k] > step[best] { k } else { best });
            if !rows.contains(&best) {
                rows.push(best);
            }
        }
        // Every tenth step has its number.
        let read = (1..=p.len()).map(|t| if t % 10 == 0 { t.to_string() } else { String::new() }).collect();
        let entries = model.symbols.entries();
        let title = format!("Probabilities over time of “{wanted}”");
        let written = rows.iter().map(|k| if *k == 0 { "(blank)".into() } else { entries[*k].clone() }).collect();
        let weights = rows.iter().map(|k| p.iter().map(|step| step[*k]).collect()).collect();
        sections.push(Section::Alignment { title, read, written, weights });
    }
    Ok(sections)
}
