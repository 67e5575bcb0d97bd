//! `elman predict` for tasks with examples: a line in, a line out.

use super::caption::Captioner;
use super::classify::Classifier;
use super::open;
use super::rank::Ranker;
use super::settings::TaskName;
use super::tag::Tagger;
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
/// `documents` is the file that a ranker searches.
///
/// # Errors
/// No run, a file that cannot be read, and what `each` returns.
pub fn predict(
    run: &Path,
    file: &str,
    documents: Option<&str>,
    top: usize,
    machine: Machine,
    each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
) -> Result<(), Error> {
    let opened = open(run)?;
    if opened.settings.task == TaskName::Caption {
        return Captioner::of(&opened, machine)?.predict(file, top, each);
    }
    let mut source = Source::open(file, opened.settings.data.encoding.as_deref())?;
    let mut text = String::new();
    match opened.settings.task {
        TaskName::Classify => {
            let mut classifier = Classifier::of(&opened, machine)?;
            while source.next_line(&mut text)? {
                let answers = classifier.classify(std::slice::from_ref(&text))?;
                for answer in answers {
                    let mut labels = answer.labels;
                    labels.truncate(top.max(1));
                    let shown = labels.iter().flat_map(|(label, p)| [label.clone(), format!("{p:.4}")]);
                    let fields = shown.chain([text.clone()]).collect();
                    let labels: Vec<Value> =
                        labels.iter().map(|(label, p)| json!({ "label": label, "probability": p })).collect();
                    let json = json!({ "line": source.line(), "label": answer.label, "probability": answer.probability,
                        "labels": labels, "text": text });
                    each(&Prediction { fields, json })?;
                }
            }
        }
        TaskName::Tag => Tagger::of(&opened, machine)?.predict(source, top, each)?,
        TaskName::Rank => {
            let Some(documents) = documents else {
                let message = "what is searched is missing: name a file with a document a line, --documents FILE";
                return Err(Error::Refused(message.into()));
            };
            if documents == "-" && file == "-" {
                let message = "queries and documents cannot both come from standard input: name a file with --data";
                return Err(Error::Refused(message.into()));
            }
            let mut ranker = Ranker::of(&opened, documents, machine)?;
            while source.next_line(&mut text)? {
                let found = ranker.find(&text, top)?;
                let shown = found.iter().flat_map(|a| [format!("{:.4}", a.score), a.document.clone()]);
                let fields = shown.chain([text.clone()]).collect();
                let json = json!({ "line": source.line(), "query": text, "documents": found });
                each(&Prediction { fields, json })?;
            }
        }
        other => return Err(Error::Refused(format!("task `{}` does not predict lines", other.name()))),
    }
    Ok(())
}
