//! A linear classifier of bags of n-grams: logistic regression (`logistic`) on sparse rows (`features`). Features and
//! regularisation are chosen on the validation part; the model is trained on the training part alone.
//!
//! ```
//! use elman::baseline::ngrams::{Choose, Grid, Tuned};
//!
//! let train = [("good", "a fine film"), ("bad", "a dull film"), ("good", "fine"), ("bad", "so dull"), ("bad", "dull !")];
//! let valid = [("good", "how fine"), ("bad", "how dull")];
//! let tuned = Tuned::tune(&train, &valid, &Grid::default(), Choose::Accuracy)?;
//! assert_eq!(tuned.predict("a fine one"), "good");
//! # Ok::<(), elman::Error>(())
//! ```

pub mod features;
mod logistic;

use super::BaselineError;
use crate::metrics::classification::macro_f1;
use features::{Columns, Features, Rows, Weights};
use logistic::Logistic;
pub(crate) use logistic::softmax;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is tried: each of `features` with each of `strengths`.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What is counted.
    pub features: Vec<Features>,
    /// C of `logistic`: the greater, the weaker is the regularisation.
    pub strengths: Vec<f64>,
}

impl Default for Grid {
    /// For texts.
    fn default() -> Grid {
        let of = |words, characters, weights| Features { words, characters, positions: 0, weights, least: 2 };
        let features = vec![
            of(2, 0, Weights::Binary),
            of(2, 0, Weights::TfIdf),
            of(0, 5, Weights::TfIdf),
            of(2, 5, Weights::Binary),
            of(2, 5, Weights::TfIdf),
        ];
        Grid { features, strengths: STRENGTHS.to_vec() }
    }
}

/// Rows have length 1, so these go from "hardly learns" to "learns by heart".
const STRENGTHS: [f64; 6] = [0.5, 2.0, 8.0, 32.0, 128.0, 512.0];

impl Grid {
    /// For strings in which each place has its meaning.
    pub fn of_places() -> Grid {
        let weights = Weights::Binary;
        let of = |positions, characters| Features { words: 0, characters, positions, weights, least: 1 };
        let features = vec![of(1, 0), of(2, 0), of(3, 0), of(3, 5)];
        Grid { features, strengths: STRENGTHS.to_vec() }
    }
}

/// What the validation part judges by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// The share that is right.
    #[default]
    Accuracy,
    /// The mean F1 of the classes.
    MacroF1,
}

impl Choose {
    /// Whether it is the one that nobody need ask for.
    pub fn is_default(&self) -> bool {
        *self == Choose::default()
    }
}

/// What a choice came to on the validation part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What was counted.
    pub features: Features,
    /// C.
    pub strength: f64,
    /// The share that is right.
    pub accuracy: f64,
    /// The mean F1 of the classes of the training part.
    pub macro_f1: f64,
    /// Nats per example.
    pub loss: f64,
}

/// The classifier that did best on the validation part.
#[derive(Clone, Debug)]
pub struct Tuned {
    classes: Vec<String>,
    columns: Columns,
    model: Logistic,
    best: Trial,
    tried: Vec<Trial>,
}

impl Tuned {
    /// Trains each choice of `grid` on `train` and keeps what does best on `valid`: by `choose`, of equal ones the one of
    /// less loss. Examples are (class, text). An example of `valid` whose class is not in `train` counts as wrong.
    ///
    /// # Errors
    /// An empty part, a single class, an empty grid, a strength that is not above 0.
    pub fn tune(
        train: &[(&str, &str)],
        valid: &[(&str, &str)],
        grid: &Grid,
        choose: Choose,
    ) -> Result<Tuned, BaselineError> {
        let classes = classes(train)?;
        if valid.is_empty() {
            return Err(BaselineError::Empty { part: "validation" });
        }
        let strengths = super::ascending(&grid.strengths)?;
        let place = |class: &str| classes.binary_search_by(|c| c.as_str().cmp(class));
        let labels: Vec<usize> = train.iter().filter_map(|(class, _)| place(class).ok()).collect();
        let wanted: Vec<Option<usize>> = valid.iter().map(|(class, _)| place(class).ok()).collect();
        let mut tried = Vec::new();
        let mut best: Option<(Trial, Columns, Logistic)> = None;
        for features in &grid.features {
            let columns = Columns::of(*features, train.iter().map(|(_, text)| *text));
            let [rows, valid_rows] = [train, valid].map(|part| columns.rows(part.iter().map(|(_, text)| *text)));
            let mut model = Logistic::zero(columns.len(), classes.len());
            for strength in &strengths {
                // Each strength goes on from the weaker one before it: the minimum is the same, the way to it shorter.
                model.fit(&rows, &labels, *strength);
                let trial = judge(&model, &valid_rows, &wanted, classes.len(), *features, *strength);
                tried.push(trial);
                if best.as_ref().is_none_or(|(b, ..)| better(&trial, b, choose)) {
                    best = Some((trial, columns.clone(), model.clone()));
                }
            }
        }
        let (best, columns, model) = best.ok_or(BaselineError::NoChoice { what: "kind of features" })?;
        Ok(Tuned { classes, columns, model, best, tried })
    }

    /// All that answering needs, as JSON.
    pub fn to_json(&self) -> String {
        let (features, ngrams, idf) = self.columns.parts();
        let (classes, weights, best) = (&self.classes, self.model.weights(), self.best);
        json!({ "format": 1, "features": features, "classes": classes, "ngrams": ngrams, "idf": idf, "weights": weights,
            "best": best, "tried": self.tried })
        .to_string()
    }

    /// The same model again.
    ///
    /// # Errors
    /// No such JSON, parts that do not belong together.
    pub fn from_json(text: &str) -> Result<Tuned, String> {
        #[derive(Deserialize)]
        struct Kept {
            format: u32,
            features: Features,
            classes: Vec<String>,
            ngrams: Vec<String>,
            idf: Vec<f32>,
            weights: Vec<f64>,
            best: Trial,
            tried: Vec<Trial>,
        }
        let kept: Kept = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let model = Logistic::of_weights(kept.ngrams.len(), kept.classes.len(), kept.weights);
        let columns = Columns::of_parts(kept.features, kept.ngrams, kept.idf);
        match (kept.format, columns, model) {
            (1, Some(columns), Some(model)) if kept.classes.len() > 1 => {
                Ok(Tuned { classes: kept.classes, columns, model, best: kept.best, tried: kept.tried })
            }
            _ => Err("its parts do not belong together".into()),
        }
    }

    /// The classes of the training part, sorted.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What was chosen, and how it did on the validation part.
    pub fn best(&self) -> &Trial {
        &self.best
    }

    /// All that was tried.
    pub fn tried(&self) -> &[Trial] {
        &self.tried
    }

    /// The probability of each class.
    pub fn probabilities(&self, text: &str) -> Vec<f64> {
        self.model.probabilities(&self.columns.rows([text]), 0)
    }

    /// The most probable class; of equal ones the first.
    pub fn predict(&self, text: &str) -> &str {
        &self.classes[most(&self.probabilities(text))]
    }
}

/// The distinct classes, sorted.
fn classes(train: &[(&str, &str)]) -> Result<Vec<String>, BaselineError> {
    let mut classes: Vec<String> = train.iter().map(|(class, _)| (*class).into()).collect();
    classes.sort_unstable();
    classes.dedup();
    match &classes[..] {
        [] => Err(BaselineError::Empty { part: "training" }),
        [class] => Err(BaselineError::OneClass { class: class.clone() }),
        _ => Ok(classes),
    }
}

fn judge(
    model: &Logistic,
    rows: &Rows,
    wanted: &[Option<usize>],
    classes: usize,
    features: Features,
    strength: f64,
) -> Trial {
    let all: Vec<Vec<f64>> = (0..wanted.len()).map(|row| model.probabilities(rows, row)).collect();
    let given: Vec<usize> = all.iter().map(|p| most(p)).collect();
    let right = given.iter().zip(wanted).filter(|(g, w)| Some(**g) == **w).count();
    // A class that training does not know is one more, never given.
    let known: Vec<usize> = wanted.iter().map(|w| w.unwrap_or(classes)).collect();
    let loss = |(p, w): (&Vec<f64>, &Option<usize>)| -w.map_or(f64::MIN_POSITIVE, |w| p[w].max(f64::MIN_POSITIVE)).ln();
    Trial {
        features,
        strength,
        accuracy: right as f64 / wanted.len() as f64,
        macro_f1: macro_f1(&known, &given, classes + 1).unwrap_or(0.0),
        loss: all.iter().zip(wanted).map(loss).sum::<f64>() / wanted.len() as f64,
    }
}

fn better(a: &Trial, b: &Trial, choose: Choose) -> bool {
    let by = |t: &Trial| if choose == Choose::Accuracy { t.accuracy } else { t.macro_f1 };
    (by(a), -a.loss) > (by(b), -b.loss)
}

fn most(probabilities: &[f64]) -> usize {
    (1..probabilities.len()).fold(0, |best, c| if probabilities[c] > probabilities[best] { c } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let grid = Grid::default();
        let tune = |train: &[(&str, &str)], valid: &[(&str, &str)], grid: &Grid| {
            Tuned::tune(train, valid, grid, Choose::Accuracy).unwrap_err().to_string()
        };
        let two = [("a", "x"), ("b", "y")];
        assert_eq!(tune(&[], &two, &grid), "the training part has no examples");
        assert_eq!(tune(&two, &[], &grid), "the validation part has no examples");
        assert!(tune(&two[..1], &two, &grid).starts_with("all training examples are `a`"));
        let no = Grid { strengths: vec![1.0, 0.0], ..grid.clone() };
        assert_eq!(tune(&two, &two, &no), "the strength C is 0: it must be a number greater than 0");
        assert!(tune(&two, &two, &Grid { features: Vec::new(), ..grid }).contains("kind of features"));
    }

    #[test]
    fn places_tell_what_bags_cannot() {
        // The class is the first letter; a bag of letters sees the same in both.
        let train: Vec<(&str, &str)> =
            vec![("a", "ab"), ("b", "ba"), ("a", "ab"), ("b", "ba"), ("c", "cb"), ("c", "cb")];
        let tuned = Tuned::tune(&train, &[("a", "ax"), ("b", "bx")], &Grid::of_places(), Choose::MacroF1).unwrap();
        assert_eq!(["ay", "by", "cy"].map(|t| tuned.predict(t)), ["a", "b", "c"]);
        assert_eq!(tuned.tried().len(), 24);
        // A class of the validation part that training lacks is wrong, not an error.
        let t = Tuned::tune(&train, &[("a", "ab"), ("new", "ba")], &Grid::of_places(), Choose::Accuracy).unwrap();
        assert_eq!(t.best().accuracy, 0.5);
        // What is kept answers to the same bits.
        let again = Tuned::from_json(&tuned.to_json()).unwrap();
        assert_eq!(
            ["ay", "by", "cb", ""].map(|t| again.probabilities(t)),
            ["ay", "by", "cb", ""].map(|t| tuned.probabilities(t))
        );
        assert!(Tuned::from_json(&tuned.to_json().replace("\"idf\":[", "\"idf\":[1.0,")).is_err());
    }
}
