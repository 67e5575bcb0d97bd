//! The linear-chain CRF beside a tagger: tuned on the run's own validation part, once a run, and kept there.

use super::data::{Example, NO_TAG};
use crate::baseline::crf::{STRENGTHS, Sentence, Tagger};
use crate::error::Error;
use crate::metrics::Estimate;
use crate::run::Folder;
use crate::task::lexicon::Lexicon;
use crate::task::{Baseline, Beside, Part};
use serde_json::{Value, json};

/// The file in the folder of a run.
const FILE: &str = "baseline.json";

/// The baseline of a run and its accuracy on a part. Trains it if the folder does not have it yet.
///
/// # Errors
/// What the baseline refuses, what the file system says.
pub fn of(folder: &Folder, parts: &[Vec<Example>; 3], tags: &Lexicon, part: Part) -> Result<Baseline, Error> {
    let kept = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    let all = match serde_json::from_str::<Value>(&kept) {
        Ok(kept) if kept["format"] == 1 => kept,
        // Not there yet, or damaged.
        _ => {
            let all = tuned(parts, tags)?;
            folder.write(FILE, format!("{all:#}\n").into_bytes())?;
            all
        }
    };
    let (chosen, accuracy) = (&all["chosen"], &all[part.name()]);
    let value = accuracy["value"].as_f64().unwrap_or(f64::NAN);
    let words = format!(
        "\nbaseline, a linear-chain CRF tuned on the same validation part: C = {}\nbaseline accuracy   {value:.4}\n",
        chosen["strength"]
    );
    let beside = Beside { name: "linear-chain CRF".into(), values: vec![("accuracy".into(), value)] };
    Ok(Baseline { words, json: json!({ "chosen": chosen, "accuracy": accuracy }), beside })
}

/// The words of a sentence, and its tags by name.
type Named<'a> = (Vec<&'a str>, Vec<&'a str>);

fn tuned(parts: &[Vec<Example>; 3], tags: &Lexicon) -> Result<Value, Error> {
    // Whatever training does not have, the baseline cannot say: such words count as wrong.
    let name = |tag: &u32| if *tag == NO_TAG { "" } else { tags.entry(*tag) };
    let named = |part: &'_ Vec<Example>| -> Vec<(Vec<String>, Vec<String>)> {
        part.iter().map(|e| (e.words.clone(), e.tags.iter().map(|t| name(t).to_string()).collect())).collect()
    };
    let owned = parts.each_ref().map(named);
    let lent = owned.each_ref().map(|part| part.iter().map(lend).collect::<Vec<Named<'_>>>());
    let sentences = |part: Part| -> Vec<Sentence<'_>> {
        lent[part as usize].iter().map(|(words, tags)| Sentence { words, tags }).collect()
    };
    let model = Tagger::tune(&sentences(Part::Train), &sentences(Part::Valid), &STRENGTHS)?;
    let measured = |part: Part| {
        let all = sentences(part);
        let right =
            |s: &Sentence<'_>| model.tag(s.words).iter().zip(s.tags).filter(|(given, wanted)| given == wanted).count();
        Estimate::share(all.iter().map(right).sum(), all.iter().map(|s| s.words.len()).sum())
    };
    Ok(json!({
        "format": 1,
        "chosen": model.best(),
        "tried": model.tried(),
        "valid": measured(Part::Valid),
        "test": measured(Part::Test),
    }))
}

fn lend((words, tags): &(Vec<String>, Vec<String>)) -> Named<'_> {
    (words.iter().map(String::as_str).collect(), tags.iter().map(String::as_str).collect())
}
