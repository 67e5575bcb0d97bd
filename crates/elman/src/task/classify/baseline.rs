//! The linear bag of n-grams beside a classifier of texts: tuned on the run's own validation part, once a run, and kept there.

use crate::baseline::ngrams::{Grid, Tuned};
use crate::error::Error;
use crate::metrics::Estimate;
use crate::metrics::classification::{Classification, Gain, classification};
use crate::run::Folder;
use crate::task::lexicon::Lexicon;
use crate::task::settings::{Settings, UnitName};
use crate::task::{Baseline, Beside, Part};
use serde_json::{Value, json};

/// The file in the folder of a run.
const FILE: &str = "baseline.json";
/// The version of its form.
const FORMAT: u64 = 2;

/// (label, text) of the training, validation and test part.
pub type Texts = [Vec<(String, String)>; 3];

/// The baseline of a run, with what it says of the validation and the test part.
pub struct Linear {
    all: Value,
}

/// The baseline of a run. Trains it if the folder does not have it yet, and the model has none that answers with it, `linear`.
///
/// # Errors
/// What the baseline refuses, what the file system says.
pub fn of(folder: &Folder, texts: &Texts, settings: &Settings, linear: Option<&Tuned>) -> Result<Linear, Error> {
    let kept = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    if let Ok(all) = serde_json::from_str::<Value>(&kept)
        && all["format"] == FORMAT
    {
        return Ok(Linear { all });
    }
    // Not there yet, of an earlier form, or damaged.
    let all = match linear {
        Some(linear) => measured(linear, texts)?,
        None => measured(&tune(&texts[0], &texts[1], settings)?, texts)?,
    };
    folder.write(FILE, format!("{all}\n").into_bytes())?;
    Ok(Linear { all })
}

impl Linear {
    /// The label that it gives to each example of a part; `None` if it knows other examples.
    pub fn given(&self, part: Part, labels: &Lexicon) -> Option<Vec<usize>> {
        let given = self.all["given"][part.name()].as_array()?.iter();
        given.map(|name| labels.id(name.as_str()?).map(|id| id as usize)).collect()
    }

    /// Its figures on a part, and by how much the model is above it.
    pub fn beside(&self, part: Part, gain: Option<Gain>) -> Baseline {
        let (chosen, figures) = (&self.all["chosen"], &self.all[part.name()]);
        let value = |name: &str| figures[name]["value"].as_f64().unwrap_or(f64::NAN);
        let (features, strength) = (chosen["features"].as_str().unwrap_or_default(), &chosen["strength"]);
        let mut words = format!(
            "\nbaseline, linear, tuned on the same validation part: {features}, C = {strength}\n\
             baseline accuracy   {:.4}\nbaseline macro_f1   {:.4}\n",
            value("accuracy"),
            value("macro_f1")
        );
        if let Some(gain) = &gain {
            words += &format!("model - baseline    {}\n", told(gain));
        }
        let beside = Beside {
            name: "n-grams, linear".into(),
            values: ["accuracy", "macro_f1"].map(|name| (name.to_string(), value(name))).to_vec(),
        };
        Baseline { words, json: json!({ "chosen": chosen, "figures": figures, "gain": gain }), beside }
    }
}

fn told(gain: &Gain) -> String {
    let one = |name: &str, e: &Estimate| {
        let chance = if e.low <= 0.0 && e.high >= 0.0 { ", may be chance" } else { "" };
        format!("{name} {:+.4} [{:+.4}, {:+.4}]{chance}", e.value, e.low, e.high)
    };
    format!("{}; {}", one("accuracy", &gain.accuracy), one("macro_f1", &gain.macro_f1))
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
    let given = |part: &[(String, String)]| part.iter().map(|(_, text)| model.predict(text).to_string()).collect();
    let [on_valid, on_test]: [Vec<String>; 2] = [valid, test].map(|part| given(part));
    let best = model.best();
    Ok(json!({
        "format": FORMAT,
        "chosen": { "features": best.features.to_string(), "strength": best.strength },
        "tried": model.tried(),
        "valid": measure(model, valid, &on_valid)?,
        "test": measure(model, test, &on_test)?,
        "given": { "valid": on_valid, "test": on_test },
    }))
}

fn lent(part: &[(String, String)]) -> Vec<(&str, &str)> {
    part.iter().map(|(label, text)| (label.as_str(), text.as_str())).collect()
}

/// The figures on a part; none of one without examples.
fn measure(model: &Tuned, part: &[(String, String)], given: &[String]) -> Result<Option<Classification>, Error> {
    if part.is_empty() {
        return Ok(None);
    }
    let names = model.classes();
    let place = |name: &str| names.iter().position(|n| n == name).unwrap_or(names.len());
    let wanted: Vec<usize> = part.iter().map(|(label, _)| place(label)).collect();
    let given: Vec<usize> = given.iter().map(|name| place(name)).collect();
    Ok(Some(classification(&wanted, &given, names)?))
}
