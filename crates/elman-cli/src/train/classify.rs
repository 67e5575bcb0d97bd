//! `elman train classify`

use super::columns::TextAndLabel;
use super::common::{Common, set};
use crate::outcome::Outcome;
use crate::values::few;
use clap::{Args, ValueEnum};
use elman::baseline::ngrams::Choose;
use elman::task::settings::{PictureSteps, PoolName, TaskName, UnitName};

/// Arguments of `elman train classify`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Example:\n  elman train classify --data reviews.csv --text review --label stars --out runs/reviews\n\nA file is a table (CSV, TSV, JSON lines) or has lines of a label and a text. `elman data FILE` shows what is in it."
)]
pub struct Classify {
    #[command(flatten)]
    columns: TextAndLabel,
    /// A column of other labels that are learned beside, to know more of the texts; never answered
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    also: Option<String>,
    /// How all steps become one answer [default: places for characters in texts of one length, else max]
    #[arg(long, value_name = "HOW", help_heading = "Model")]
    pool: Option<Pool>,
    /// Files of labels (idx, .npy, a label a line) beside --data, --valid and --test, in this order; of a text file also the
    /// label of all its lines
    #[arg(long, value_name = "FILES", value_delimiter = ',', help_heading = "Data")]
    labels: Vec<String>,
    /// What a step of a picture is [default: rows]
    #[arg(long = "as", value_name = "STEPS", help_heading = "Data")]
    pictures: Option<Pictures>,
    /// Move training pictures by up to so many pixels [default: 0]
    #[arg(long, value_name = "PIXELS", help_heading = "Data")]
    shift: Option<usize>,
    /// Cross-validation: K runs in folders of their own, each tested on its share of the examples
    #[arg(long, value_name = "K", value_parser = few, conflicts_with_all = ["valid", "test"], help_heading = "Run")]
    folds: Option<usize>,
    /// What a step of a text is [default: word]
    #[arg(long, value_name = "UNIT", help_heading = "Data")]
    unit: Option<Unit>,
    /// Word vectors trained elsewhere, read beside the learned ones: a word and its numbers a line (GloVe, word2vec, fastText)
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    vectors: Option<String>,
    /// What the best epoch has most of, and the linear classifier is tuned by [default: accuracy]
    #[arg(long, value_name = "FIGURE", help_heading = "Training")]
    choose: Option<Figure>,
    /// A linear classifier of n-grams, tuned on the validation part, answers together with the network (of texts)
    #[arg(long, help_heading = "Model")]
    linear: bool,
    /// Rows of the table that n-grams are hashed into, straight to the labels; 0 for none [default: 65536]
    #[arg(long, value_name = "N", help_heading = "Model")]
    ngrams: Option<usize>,
    #[command(flatten)]
    common: Common,
}

/// [`PictureSteps`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Pictures {
    /// A row, from the top
    Rows,
    /// A pixel, row by row
    Pixels,
    /// The whole picture: one step
    Whole,
}

impl From<Pictures> for PictureSteps {
    fn from(name: Pictures) -> PictureSteps {
        match name {
            Pictures::Rows => PictureSteps::Rows,
            Pictures::Pixels => PictureSteps::Pixels,
            Pictures::Whole => PictureSteps::Whole,
        }
    }
}

/// [`UnitName`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Unit {
    /// Words, with what their characters say
    Word,
    /// Characters, for genomes and the like
    Char,
}

impl From<Unit> for UnitName {
    fn from(name: Unit) -> UnitName {
        match name {
            Unit::Word => UnitName::Word,
            Unit::Char => UnitName::Char,
        }
    }
}

/// [`PoolName`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub enum Pool {
    /// The largest of each unit, and the mean
    Max,
    /// A mean by learned weights
    Attention,
    /// The last state of each direction
    Last,
    /// All steps side by side, each place with weights of its own: for sequences of one length
    Places,
}

impl From<Pool> for PoolName {
    fn from(name: Pool) -> PoolName {
        match name {
            Pool::Max => PoolName::Max,
            Pool::Attention => PoolName::Attention,
            Pool::Last => PoolName::Last,
            Pool::Places => PoolName::Places,
        }
    }
}

/// [`Choose`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Figure {
    /// The share that is right
    Accuracy,
    /// The mean F1 of the labels: where some are rare, and matter as much
    MacroF1,
}

impl From<Figure> for Choose {
    fn from(name: Figure) -> Choose {
        match name {
            Figure::Accuracy => Choose::Accuracy,
            Figure::MacroF1 => Choose::MacroF1,
        }
    }
}

impl Classify {
    /// Trains.
    pub fn run(&self) -> Result<Outcome, elman::Error> {
        let mut s = self.common.settings(TaskName::Classify)?;
        if self.common.config.is_none() && elman::task::classify::are_pictures(&s.data.train) {
            // Two layers see more of a picture than one; a flag wins.
            s.model.layers = self.common.layers.unwrap_or(2);
            s.train.batch = self.common.batch.unwrap_or(64);
        }
        s.model.linear |= self.linear;
        self.columns.apply(&mut s.data);
        if self.also.is_some() {
            s.data.also.clone_from(&self.also);
        }
        set! { self.pool => s.model.pool, self.ngrams => s.model.ngrams, self.unit => s.data.unit,
        self.pictures => s.data.pictures, self.choose => s.train.choose, self.shift => s.data.shift, self.vectors => s.data.vectors }
        if !self.labels.is_empty() {
            s.data.beside.clone_from(&self.labels);
        }
        if s.model.linear && s.check().is_ok() {
            eprintln!("the linear model is tuned first");
        }
        if let Some(folds) = self.folds {
            return self.common.folds(s, folds);
        }
        self.common.train(s)
    }
}
