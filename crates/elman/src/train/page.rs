//! `report.html` of a language model's run: settings, curves, the best evaluation; after `elman eval` the figures of a text
//! and some text of the model's own.

use crate::error::Error;
use crate::evaluate::Evaluated;
use crate::generate::{Sampling, generate};
use crate::model::{Tokens, Trained};
use crate::report::{REPORT, Report, Section, best_of, curves_of, last_of};
use crate::run::config::Kind;
use crate::run::folder::METRICS;
use crate::run::{Config, Folder};
use serde_json::{Value, json};
use std::path::Path;

/// Tokens of the text that the model writes.
const TOKENS: usize = 200;
/// A little likelier than it thinks, so that it is read with more pleasure.
const SAMPLING: Sampling = Sampling { temperature: 0.8, top_k: None, top_p: None, seed: 1 };

/// Writes the page after an evaluation while training.
pub(super) fn write(folder: &Folder, config: &Config) -> Result<(), Error> {
    publish(folder, REPORT, config, vec![])
}

/// Writes a page of the run `path`, `file` in its folder, with what was measured; a model of texts also writes one.
///
/// # Errors
/// What the model and the file system say.
pub fn show(path: &Path, trained: &mut Trained, evaluated: &Evaluated, file: &str) -> Result<(), Error> {
    let folder = Folder::open(path)?;
    let of = match evaluated {
        Evaluated::Text(figures) => &figures.text,
        Evaluated::Made(figures) => &figures.part,
    };
    let mut sections = vec![figures(&format!("Measured: {of}"), &json!(evaluated))];
    if matches!(trained.tokens, Tokens::Text(_)) {
        let text = generate(trained, "", TOKENS, SAMPLING)?;
        let paragraphs = text.lines().map(String::from).collect();
        sections.push(Section::Text { title: "The model writes".into(), paragraphs });
    }
    publish(&folder, file, &trained.config, sections)
}

fn publish(folder: &Folder, file: &str, config: &Config, more: Vec<Section>) -> Result<(), Error> {
    let metrics = std::fs::read_to_string(folder.join(METRICS)).unwrap_or_default();
    folder.write(file, page(config, &metrics, more).to_html().into_bytes())
}

fn page(config: &Config, metrics: &str, more: Vec<Section>) -> Report {
    let (m, t) = (&config.model, &config.train);
    let row = |name: &str, value: String| vec![name.to_string(), value];
    let rows = vec![
        match m.kind {
            Kind::Recurrent => row("cell", last_of(&m.cell)),
            Kind::Transformer => row("model", m.layers_of()),
        },
        row("layers", m.layers.to_string()),
        row("units", m.hidden.to_string()),
        row("sequences a step", t.batch.to_string()),
        row("steps of a window", t.steps.to_string()),
        row("epochs", t.epochs.to_string()),
        row("rate", config.optimiser.rate().to_string()),
        row("seed", config.seed.to_string()),
        row("program", format!("elman {}", config.program)),
    ];
    let mut sections = vec![Section::table("Run", &["setting", "value"], rows)];
    sections.extend(curves_of(metrics).into_iter().map(Section::Curves));
    sections.extend(best_of(metrics).map(|best| figures("Best evaluation while training", &best)));
    sections.extend(more);
    Report { title: format!("lm: {}", last_of(&config.data.train)), sections }
}

/// The numbers and words of a JSON object, a row each.
fn figures(title: &str, all: &Value) -> Section {
    let shown = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) if n.is_f64() => n.as_f64().map(|x| format!("{x:.4}")),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    let row = |(name, value): (&String, &Value)| Some(vec![name.replace('_', " "), shown(value)?]);
    Section::table(title, &["figure", "value"], all.as_object().into_iter().flatten().filter_map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_curves_the_best_evaluation_and_no_markup_of_others() {
        let mut config = Config::default();
        config.data.train = "/some/where/<script>.txt".into();
        let metrics = "{\"step\":7,\"improved\":true,\"train_loss\":2.0,\"valid_loss\":1.25,\"valid_perplexity\":3.49}\n\
                       {\"step\":9,\"improved\":false,\"train_loss\":2.0,\"valid_loss\":1.5,\"valid_perplexity\":4.48}\n";
        let more = vec![figures("Measured: <b>", &json!({ "loss": 1.125, "text": "<i>", "tokens": 8, "none": null }))];
        let html = page(&config, metrics, more).to_html();
        for part in ["<polyline", "Perplexity", "1.2500", "1.1250", "&lt;i&gt;", "&lt;b&gt;", "lm: &lt;script&gt;.txt"]
        {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("<script") && !html.contains("<i>") && !html.contains("1.5000"));
    }
}
