//! The linear bag of n-grams beside a classifier of texts: tuned on the run's own validation part, once a run, and kept there.

use crate::baseline::ngrams::{Grid, Tuned};
use crate::error::Error;
use crate::metrics::classification::{Classification, classification};
use crate::run::Folder;
use crate::task::settings::{Settings, UnitName};
use crate::task::{Baseline, Beside, Part};
use serde_json::{Value, json};

/// The file in the folder of a run.
const FILE: &str = "baseline.json";

/// (label, text) of the training, validation and test part.
pub type Texts = [Vec<(String, String)>; 3];

/// The baseline of a run and its figures on a part. Trains it if the folder does not have it yet, and the model has none that
/// answers with it, `linear`.
///
/// # Errors
/// What the baseline refuses, what the file system says.
pub fn of(
    folder: &Folder,
    texts: &Texts,
    part: Part,
    settings: &Settings,
    linear: Option<&Tuned>,
) -> Result<Baseline, Error> {
    let kept = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    let all = match serde_json::from_str::<Value>(&kept) {
        Ok(kept) if kept["format"] == 1 => kept,
        // Not there yet, or damaged.
        _ => {
            let all = match linear {
                Some(linear) => measured(linear, texts)?,
                None => measured(&tune(&texts[0], &texts[1], settings)?, texts)?,
            };
            folder.write(FILE, format!("{all:#}\n").into_bytes())?;
            all
        }
    };
    let (chosen, figures) = (&all["chosen"], &all[part.name()]);
    let value = |name: &str| figures[name]["value"].as_f64().unwrap_or(f64::NAN);
    let (features, strength) = (chosen["features"].as_str().unwrap_or_default(), &chosen["strength"]);
    let words = format!(
        "\nbaseline, linear, tuned on the same validation part: {features}, C = {strength}\n\
         baseline accuracy   {:.4}\nbaseline macro_f1   {:.4}\n",
        value("accuracy"),
        value("macro_f1")
    );
    let beside = Beside {
        name: "n-grams, linear".into(),
        values: ["accuracy", "macro_f1"].map(|name| (name.to_string(), value(name))).to_vec(),
    };
    Ok(Baseline { words, json: json!({ "chosen": chosen, "figures": figures }), beside })
}

/// A linear model of (label, text).
///
/// # Errors
/// What cannot be learned from.
pub fn tune(train: &[(String, String)], valid: &[(String, String)], settings: &Settings) -> Result<Tuned, Error> {
    let grid = if settings.data.unit == UnitName::Char { Grid::of_places() } else { Grid::default() };
    Ok(Tuned::tune(&lent(train), &lent(valid), &grid, settings.train.choose)?)
}

fn measured(model: &Tuned, [_, valid, test]: &Texts) -> Result<Value, Error> {
    let measured = |part: &[(String, String)]| match part.is_empty() {
        true => Ok(None),
        false => measure(model, part).map(Some),
    };
    let best = model.best();
    Ok(json!({
        "format": 1,
        "chosen": { "features": best.features.to_string(), "strength": best.strength },
        "tried": model.tried(),
        "valid": measured(valid)?,
        "test": measured(test)?,
    }))
}

fn lent(part: &[(String, String)]) -> Vec<(&str, &str)> {
    part.iter().map(|(label, text)| (label.as_str(), text.as_str())).collect()
}

fn measure(model: &Tuned, part: &[(String, String)]) -> Result<Classification, Error> {
    let names = model.classes();
    let place = |name: &str| names.iter().position(|n| n == name).unwrap_or(names.len());
    let wanted: Vec<usize> = part.iter().map(|(label, _)| place(label)).collect();
    let given: Vec<usize> = part.iter().map(|(_, text)| place(model.predict(text))).collect();
    Ok(classification(&wanted, &given, names)?)
}
