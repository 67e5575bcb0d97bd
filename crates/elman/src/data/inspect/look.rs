//! One file: what its reader says, and the rows to compare.

use super::{Asked, Class, Column, Inspection, Looked, Seen, Spread, Vocabulary};
use crate::data::bytes::Bytes;
use crate::data::error::DataError;
use crate::data::labelled::{Columns, Example, Labelled, few_values, longest};
use crate::data::sniff::{Kind, sniff_in};
use crate::data::table::{Reading, Table};
use crate::data::vectors::WordVectors;
use crate::data::{Array, Form, Images, Row, Sentence, Series, SeriesSet, Sound, Token, Treebank};
use crate::text::Source;
use std::collections::BTreeMap;

/// Reads `file` in its form.
pub(super) fn look(file: &str, asked: &Asked) -> Result<Looked, DataError> {
    let kind = sniff_in(file, asked.encoding.as_deref())?;
    let mut report = Inspection { file: file.into(), kind: kind.name(), ..Inspection::default() };
    if !matches!(kind, Kind::Pictures | Kind::Npz) {
        report.packing = Bytes::open(file)?.packing;
    }
    if matches!(kind, Kind::Table(_) | Kind::Conllu | Kind::Text | Kind::Ts | Kind::Vectors) {
        report.encoding = Some(Source::open(file, asked.encoding.as_deref())?.encoding());
    }
    let rows = match kind {
        Kind::Table(form) => table(file, asked, form, &mut report)?,
        Kind::Conllu => treebank(file, asked, &mut report)?,
        Kind::Text => text(file, asked, &mut report)?,
        Kind::Idx { .. } | Kind::Cifar | Kind::Pictures => pictures(file, &mut report)?,
        Kind::Ts => series(file, &mut report)?,
        Kind::Npy => arrays(vec![Array::read(file)?], &mut report),
        Kind::Npz => arrays(Array::read_all(file)?, &mut report),
        Kind::Wav => sound(file, &mut report)?,
        Kind::Vectors => {
            let all = WordVectors::read(file, |_, _| true)?;
            (report.count, report.counted) = (all.words.len(), "words");
            report.shape = Some(format!("{} numbers each", all.width));
            vec![]
        }
    };
    Ok(Looked { kind, report, rows })
}

fn table(file: &str, asked: &Asked, form: Form, report: &mut Inspection) -> Result<Vec<Seen>, DataError> {
    let reading = Reading { encoding: asked.encoding.clone(), form: Some(form), header: None };
    let table = Table::read(file, &reading)?;
    (report.count, report.counted) = (table.rows.len(), "rows");
    report.columns = (0..table.columns.len()).map(|column| kind_of(&table, column)).collect();
    let all_numbers = report.columns.iter().all(|column| column.kind == "number");
    let columns = Columns { text: asked.text.clone(), label: asked.label.clone(), also: None };
    let named = asked.text.is_some() || asked.label.is_some();
    let found = match Labelled::of(&table, &columns) {
        _ if all_numbers && !named => None,
        Ok(found) => Some(found),
        // A table without labels is a table all the same; a column that was asked for must be there.
        Err(error) if named => return Err(error),
        Err(_) => None,
    };
    let Some(found) = found else {
        let whole = |row: &Row| Seen { line: row.line, key: row.fields.join("\0").into_bytes(), label: None };
        if let Some(text) = longest(&table, &[]).filter(|_| !all_numbers) {
            report.text = Some(table.columns[text].clone());
            measure(table.fields(text), report);
        }
        return Ok(table.rows.iter().map(whole).collect());
    };
    // Examples are the rows with a text, in their order.
    let mut full = found.examples.iter().map(|example| example.line).peekable();
    for line in table.rows.iter().map(|row| row.line) {
        if full.next_if_eq(&line).is_none() {
            report.empty.add(line, line);
        }
    }
    measure(found.examples.iter().map(|example| example.text.as_str()), report);
    report.classes = counted(found.examples.iter().map(|example| example.label.as_str()));
    (report.text, report.label, report.facts) = (Some(found.text), Some(found.label), found.choices);
    let seen = |e: Example| Seen { line: e.line, key: e.text.into_bytes(), label: Some(e.label) };
    Ok(found.examples.into_iter().map(seen).collect())
}

fn kind_of(table: &Table, column: usize) -> Column {
    let missing = table.fields(column).filter(|field| field.is_empty()).count();
    let mut numbers = true;
    table.fields(column).filter(|field| !field.is_empty()).for_each(|field| numbers &= field.parse::<f64>().is_ok());
    let values = few_values(table, column);
    let kind = match (numbers && missing < table.rows.len(), values) {
        (true, _) => "number",
        (false, Some(_)) => "category",
        (false, None) => "text",
    };
    Column { name: table.columns[column].clone(), kind, values, missing }
}

fn treebank(file: &str, asked: &Asked, report: &mut Inspection) -> Result<Vec<Seen>, DataError> {
    let treebank = Treebank::read(file, asked.encoding.as_deref())?;
    (report.count, report.counted) = (treebank.sentences.len(), "sentences");
    let tokens = || treebank.sentences.iter().flat_map(|sentence| &sentence.tokens);
    report.classes = counted(tokens().map(|token| token.upos.as_str()));
    report.vocabulary = Some(vocabulary(tokens().map(|token| token.form.as_str())));
    report.words = Spread::of(treebank.sentences.iter().map(|sentence| sentence.tokens.len()).collect());
    let escaped = |s: &Sentence| s.tokens.iter().filter(|t| s.field(t, 1).is_some_and(|form| form != t.form)).count();
    match treebank.sentences.iter().map(escaped).sum::<usize>() {
        0 => {}
        n => report
            .facts
            .push(format!("{n} words have escapes of XML, such as `&#39;`: they are read as what they stand for")),
    }
    let seen = |sentence: &Sentence| {
        let join = |of: fn(&Token) -> &str| sentence.tokens.iter().map(of).collect::<Vec<_>>().join(" ");
        Seen { line: sentence.line, key: join(|t| &t.form).into_bytes(), label: Some(join(|t| &t.upos)) }
    };
    Ok(treebank.sentences.iter().map(seen).collect())
}

fn text(file: &str, asked: &Asked, report: &mut Inspection) -> Result<Vec<Seen>, DataError> {
    let text = Source::open(file, asked.encoding.as_deref())?.read_all()?;
    let lines = || (1..).zip(text.lines().map(str::trim));
    (report.count, report.counted) = (lines().count(), "lines");
    lines().filter(|(_, line)| line.is_empty()).for_each(|(line, _)| report.empty.add(line, line));
    let full = || lines().filter(|(_, line)| !line.is_empty());
    measure(full().map(|(_, line)| line), report);
    Ok(full().map(|(line, key)| Seen { line, key: key.as_bytes().to_vec(), label: None }).collect())
}

fn pictures(file: &str, report: &mut Inspection) -> Result<Vec<Seen>, DataError> {
    let images = Images::read(file, None)?;
    (report.count, report.counted) = (images.count, "pictures");
    let colours = if images.channels == 1 { "grey" } else { "red, green, blue" };
    report.shape = Some(format!("{} high, {} wide, {colours}", images.height, images.width));
    report.classes = counted(images.labels.iter().flatten().map(String::as_str));
    let label = |at: usize| images.labels.as_ref().and_then(|labels| labels.get(at).cloned());
    let seen = |at: usize| Seen { line: at as u64 + 1, key: images.picture(at).to_vec(), label: label(at) };
    Ok((0..images.count).map(seen).collect())
}

fn series(file: &str, report: &mut Inspection) -> Result<Vec<Seen>, DataError> {
    let set = SeriesSet::read(file)?;
    (report.count, report.counted) = (set.series.len(), "series");
    let steps = Spread::of(set.series.iter().map(Series::steps).collect());
    let steps = steps.map_or(String::new(), |s| format!(", {} to {} steps (median {})", s.min, s.max, s.median));
    report.shape = Some(format!("{} numbers a step{steps}", set.channels));
    report.classes = counted(set.series.iter().filter_map(|series| series.label.as_deref()));
    let key = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Ok(set.series.iter().map(|s| Seen { line: s.line, key: key(&s.values), label: s.label.clone() }).collect())
}

fn arrays(arrays: Vec<Array>, report: &mut Inspection) -> Vec<Seen> {
    (report.count, report.counted) = (arrays.len(), "arrays");
    let one = |array: &Array| {
        let sizes = array.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        let name = if array.name.is_empty() { String::new() } else { format!("{} ", array.name) };
        format!("{name}{} {}", if sizes.is_empty() { "1" } else { &sizes }, array.dtype)
    };
    report.shape = Some(arrays.iter().map(one).collect::<Vec<_>>().join("; "));
    Vec::new()
}

fn sound(file: &str, report: &mut Inspection) -> Result<Vec<Seen>, DataError> {
    let sound = Sound::read(file)?;
    (report.count, report.counted) = (sound.samples.len(), "samples");
    let seconds = sound.samples.len() as f64 / f64::from(sound.rate);
    let channels =
        if sound.channels == 1 { "1 channel".into() } else { format!("the mean of {} channels", sound.channels) };
    report.shape = Some(format!("{seconds:.2} seconds at {} samples a second, {channels}", sound.rate));
    Ok(Vec::new())
}

/// Lengths and words of texts.
fn measure<'a>(texts: impl Iterator<Item = &'a str> + Clone, report: &mut Inspection) {
    report.words = Spread::of(texts.clone().map(|text| text.split_whitespace().count()).collect());
    report.characters = Spread::of(texts.clone().map(|text| text.chars().count()).collect());
    report.vocabulary = Some(vocabulary(texts.flat_map(str::split_whitespace)));
}

fn vocabulary<'a>(words: impl Iterator<Item = &'a str>) -> Vocabulary {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    Vocabulary { words: counts.len(), once: counts.values().filter(|count| **count == 1).count() }
}

/// How often each label stands there, the most frequent first.
fn counted<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<Class> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    labels.for_each(|label| *counts.entry(label).or_default() += 1);
    let mut classes: Vec<Class> =
        counts.into_iter().map(|(label, count)| Class { label: label.into(), count }).collect();
    classes.sort_by_key(|c| std::cmp::Reverse(c.count));
    classes
}
