//! `elman predict` for tasks with examples: a line in, a line out.

use super::classify::{Answer, Classifier};
use super::label::Labeller;
use super::settings::TaskName;
use super::tag::Tagger;
use super::{Opened, open};
use crate::error::Error;
use crate::text::Source;
use crate::train::Machine;
use serde_json::{Value, json};
use std::path::Path;

/// What is said of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Fields for a person, to be parted by tabs.
    pub fields: Vec<String>,
    /// The same for a program.
    pub json: Value,
}

/// Reads lines of `file` (`-` is standard input) and hands what a run says of each to `each`, before the next is read.
///
/// # Errors
/// No run, a file that cannot be read, and what `each` returns.
pub fn predict(
    run: &Path,
    file: &str,
    top: usize,
    machine: Machine,
    each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
) -> Result<(), Error> {
    let opened = open(run)?;
    if opened.settings.task == TaskName::Classify {
        return classify(&opened, file, top, machine, each);
    }
    let mut source = Source::open(file, opened.settings.data.encoding.as_deref())?;
    match opened.settings.task {
        TaskName::Tag => Tagger::of(&opened, machine)?.predict(source, top, each)?,
        TaskName::Label => {
            let mut text = String::new();
            let mut labeller = Labeller::of(&opened, machine)?;
            while source.next_line(&mut text)? {
                let heard = labeller.hear(&text)?;
                let json = json!({ "line": source.line(), "file": text, "text": heard });
                each(&Prediction { fields: vec![heard, text.clone()], json })?;
            }
        }
        other => return Err(Error::Refused(format!("task `{}` does not predict lines", other.name()))),
    }
    Ok(())
}

/// Lines of texts, or a file of pictures or series, and the labels of each.
fn classify(
    opened: &Opened,
    file: &str,
    top: usize,
    machine: Machine,
    each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut classifier = Classifier::of(opened, machine)?;
    if classifier.reads_numbers() {
        return classifier
            .classify_file(file, &mut |place, answer| each(&said(&answer, top, place, json!({ "place": place }))));
    }
    let mut source = Source::open(file, opened.settings.data.encoding.as_deref())?;
    let mut text = String::new();
    while source.next_line(&mut text)? {
        for answer in classifier.classify(std::slice::from_ref(&text))? {
            each(&said(&answer, top, &text, json!({ "line": source.line(), "text": text })))?;
        }
    }
    Ok(())
}

/// An answer on `what`; `also` is told to programs beside it.
fn said(answer: &Answer, top: usize, what: &str, mut also: Value) -> Prediction {
    let labels = &answer.labels[..answer.labels.len().min(top.max(1))];
    let shown = labels.iter().flat_map(|(label, p)| [label.clone(), format!("{p:.4}")]);
    let fields = shown.chain([what.to_string()]).collect();
    let labels: Vec<Value> = labels.iter().map(|(label, p)| json!({ "label": label, "probability": p })).collect();
    also["label"] = answer.label.clone().into();
    also["probability"] = answer.probability.into();
    also["labels"] = labels.into();
    Prediction { fields, json: also }
}
