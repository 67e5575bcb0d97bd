//! `elman predict` for tasks with examples: a line in, a line out.

use super::caption::Captioner;
use super::classify::{Answer, Classifier};
use super::label::Labeller;
use super::rank::Ranker;
use super::settings::{TaskName, WIDEST_BEAM};
use super::tag::Tagger;
use super::translate::Translator;
use super::{Opened, open};
use crate::data::labelled::texts;
use crate::data::sniff::{Kind, sniff_in};
use crate::data::table::{Form, Reading, Table};
use crate::error::Error;
use crate::predict::encoding_of;
use crate::text::Source;
use crate::train::Machine;
use crate::whole_file::shown;
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

/// What of all answers is wanted.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The encoding of the file; absent, UTF-8 of standard input, and that of training of any other file.
    pub encoding: Option<String>,
    /// So many answers, the best first; absent, one.
    pub top: Option<usize>,
    /// The file that a ranker searches, a document a line.
    pub documents: Option<String>,
    /// The width of a search, in place of the run's.
    pub beam: Option<usize>,
    /// The penalty of a search, in place of the run's.
    pub length_penalty: Option<f64>,
}

impl Asked {
    /// Refuses what a task does not heed.
    fn check(&self, run: &Path, task: TaskName) -> Result<(), Error> {
        let unheeded = [
            ("documents", self.documents.is_some() && task != TaskName::Rank),
            ("beam", self.beam.is_some() && task != TaskName::Translate),
            ("length-penalty", self.length_penalty.is_some() && task != TaskName::Translate),
            ("top", self.top.is_some() && task == TaskName::Label),
        ];
        if let Some(width) = self.beam.into_iter().chain(self.top).find(|width| *width > WIDEST_BEAM) {
            return Err(Error::Refused(format!("--beam and --top are numbers from 1 to {WIDEST_BEAM}, not {width}")));
        }
        let Some((flag, _)) = unheeded.iter().find(|(_, unheeded)| *unheeded) else { return Ok(()) };
        let (run, task) = (shown(run), task.name());
        Err(Error::Refused(format!("{run}: this is a run of `{task}`, which has no use for --{flag}: leave it out")))
    }
}

/// Reads lines of `file` (`-` is standard input) and hands what a run says of each to `each`, before the next is read.
///
/// # Errors
/// No run, a file that cannot be read, and what `each` returns.
pub fn predict(
    run: &Path,
    file: &str,
    asked: &Asked,
    machine: Machine,
    each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
) -> Result<(), Error> {
    let opened = open(run)?;
    asked.check(run, opened.settings.task)?;
    let top = asked.top.unwrap_or(1);
    let encoding = encoding_of(file, asked.encoding.as_deref(), opened.settings.data.encoding.as_deref());
    let read = || Source::open(file, encoding);
    match opened.settings.task {
        TaskName::Classify => classify(&opened, (file, encoding), top, machine, each)?,
        TaskName::Caption => Captioner::of(&opened, machine)?.predict(file, top, each)?,
        TaskName::Tag => Tagger::of(&opened, machine)?.predict(read()?, top, each)?,
        TaskName::Label => {
            let (mut labeller, mut source, mut text) = (Labeller::of(&opened, machine)?, read()?, String::new());
            while source.next_line(&mut text)? {
                let heard = labeller.hear(&text)?;
                let json = json!({ "line": source.line(), "file": text, "text": heard });
                each(&Prediction { fields: vec![heard, text.clone()], json })?;
            }
        }
        TaskName::Translate => {
            let mut translator = Translator::of(&opened, machine)?;
            let (width, penalty) = (asked.beam.unwrap_or(opened.settings.search.beam), asked.length_penalty);
            let penalty = penalty.unwrap_or(opened.settings.search.length_penalty);
            let mut answer = |line: u64, text: &String| -> Result<(), Error> {
                let found = translator
                    .translate(std::slice::from_ref(text), width.max(top), top, penalty)
                    .map_err(|e| Error::Refused(format!("{file}:{line}: {e}")))?;
                let all = found.into_iter().next().unwrap_or_default();
                let fields = all.iter().map(|t| t.text.clone()).collect();
                let first = all.first();
                let json = json!({ "line": line, "text": text, "translation": first.map(|t| &t.text),
                    "score": first.map(|t| t.score), "best": all });
                each(&Prediction { fields, json })
            };
            each_text(file, encoding, opened.settings.data.source.as_deref(), |_| false, &mut answer)?;
        }
        TaskName::Rank => {
            let Some(documents) = asked.documents.as_deref() else {
                let message = "what is searched is missing: name a file with a document a line, --documents FILE";
                return Err(Error::Refused(message.into()));
            };
            if documents == "-" && file == "-" {
                let message = "queries and documents cannot both come from standard input: name a file with --data";
                return Err(Error::Refused(message.into()));
            }
            let data = &opened.settings.data;
            let mut all = vec![];
            let mut keep = |line: u64, text: &String| {
                all.push((line, text.clone()));
                Ok(())
            };
            each_text(documents, data.encoding.as_deref(), data.target.as_deref(), |_| false, &mut keep)?;
            let mut ranker = Ranker::of(&opened, documents, all, machine)?;
            let mut answer = |line: u64, text: &String| {
                let found = ranker.find(text, top)?;
                let shown = found.iter().flat_map(|a| [format!("{:.4}", a.score), a.document.clone()]);
                let fields = shown.chain([text.clone()]).collect();
                each(&Prediction { fields, json: json!({ "line": line, "query": text, "documents": found }) })
            };
            each_text(file, encoding, data.source.as_deref(), |_| false, &mut answer)?;
        }
    }
    Ok(())
}

/// Lines of texts, or a file of pictures or series, and the labels of each.
fn classify(
    opened: &Opened,
    (file, encoding): (&str, Option<&str>),
    top: usize,
    machine: Machine,
    each: &mut dyn FnMut(&Prediction) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut classifier = Classifier::of(opened, machine)?;
    if classifier.reads_numbers() {
        return classifier
            .classify_file(file, &mut |place, answer| each(&said(&answer, top, place, json!({ "place": place }))));
    }
    let labels = classifier.labels().to_vec();
    let known = |label: &str| labels.iter().any(|other| other == label);
    let mut answer = |line: u64, text: &String| -> Result<(), Error> {
        let name = if file == "-" { "standard input" } else { file };
        let at_line = |e: Error| Error::Refused(format!("{name}:{line}: {e}"));
        for answer in classifier.classify(std::slice::from_ref(text)).map_err(at_line)? {
            each(&said(&answer, top, text, json!({ "line": line, "text": text })))?;
        }
        Ok(())
    };
    each_text(file, encoding, opened.settings.data.text.as_deref(), known, &mut answer)
}

/// Hands each text of a file to `each`, with its line: of a table that has the columns which training read those texts, of any
/// other file its lines, each before the next is read.
///
/// # Errors
/// As [`texts_of_table`], a file that cannot be read, and what `each` returns.
fn each_text(
    file: &str,
    encoding: Option<&str>,
    columns: Option<&str>,
    known: impl Fn(&str) -> bool,
    each: &mut dyn FnMut(u64, &String) -> Result<(), Error>,
) -> Result<(), Error> {
    if let Some(texts) = texts_of_table(file, encoding, columns, known)? {
        return texts.iter().try_for_each(|(line, text)| each(*line, text));
    }
    let (mut source, mut text) = (Source::open(file, encoding)?, String::new());
    while source.next_line(&mut text)? {
        each(source.line(), &text)?;
    }
    Ok(())
}

/// The texts of a table that has the columns which training read, each with its line; `None` of anything else. Lines of a label
/// and a text are such only if all labels are `known`.
///
/// # Errors
/// A file that says by its name that it is a table and lacks the columns; tagged sentences.
fn texts_of_table(
    file: &str,
    encoding: Option<&str>,
    columns: Option<&str>,
    known: impl Fn(&str) -> bool,
) -> Result<Option<Vec<(u64, String)>>, Error> {
    let form = match sniff_in(file, encoding) {
        Ok(Kind::Table(form @ (Form::JsonLines | Form::LabelLines))) => form,
        // Lines with commas in them are a table only if its header says so.
        Ok(Kind::Table(form @ Form::Delimited { .. })) if columns.is_some() => form,
        Ok(kind @ (Kind::Conllu | Kind::Ts | Kind::Vectors)) => {
            let message = match kind {
                Kind::Conllu => "a tagger reads it (`elman train tag`), and the model reads texts, one a line",
                _ => "the model reads texts, one a line",
            };
            return Err(Error::Refused(format!("{file}: this is {}: {message}", kind.name())));
        }
        _ => return Ok(None),
    };
    let read = |header| Table::read(file, &Reading { encoding: encoding.map(String::from), form: Some(form), header });
    let table = read(None)?;
    if form == Form::LabelLines && !table.fields(0).all(known) {
        return Ok(None);
    }
    // Such lines have no names of columns.
    let columns = columns.filter(|_| form != Form::LabelLines);
    match texts(&table, columns) {
        Ok(found) => Ok(Some(found)),
        // A header over few rows may look like one of them; its names are known.
        Err(error) => match read(Some(true)).and_then(|table| texts(&table, columns)) {
            Ok(found) => Ok(Some(found)),
            Err(_) if !says_it_is_one(file, form) => Ok(None),
            Err(_) => Err(error.into()),
        },
    }
}

/// A file that can be nothing else than a table.
fn says_it_is_one(file: &str, form: Form) -> bool {
    form == Form::JsonLines || [".csv", ".tsv"].iter().any(|end| file.to_lowercase().ends_with(end))
}

/// An answer on `what`; `also` is told to programs beside it.
fn said(answer: &Answer, top: usize, what: &str, mut also: Value) -> Prediction {
    let labels = &answer.labels[..answer.labels.len().min(top)];
    let shown = labels.iter().flat_map(|(label, p)| [label.clone(), format!("{p:.4}")]);
    let fields = shown.chain([what.to_string()]).collect();
    let labels: Vec<Value> = labels.iter().map(|(label, p)| json!({ "label": label, "probability": p })).collect();
    also["label"] = answer.label.clone().into();
    also["probability"] = answer.probability.into();
    also["labels"] = labels.into();
    Prediction { fields, json: also }
}
