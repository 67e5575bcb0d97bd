//! The settings of a task's run, as TOML: every key has a default; a key that does not exist is an error.

mod check;
mod read;

pub use check::WIDEST_BEAM;

use crate::baseline::ngrams::Choose;
pub use crate::run::config::Kind;
use crate::run::config::{FORMAT, Optimiser, RuleName, Schedule, ScheduleName};
use serde::{Deserialize, Serialize};

/// Shares of a cross-validation at most.
pub(super) const FOLDS: usize = 1000;
/// Pictures of a string at most.
const LONGEST_STRING: usize = 1000;

/// Tasks by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskName {
    /// A text or a picture → one of several labels.
    #[default]
    Classify,
    /// Each word → a tag.
    Tag,
    /// A text → another text.
    Translate,
    /// A sequence → a shorter sequence of labels, without alignment.
    Label,
    /// A query → the document that answers it.
    Rank,
    /// A picture → words.
    Caption,
}

impl TaskName {
    /// All of them.
    pub const ALL: [TaskName; 6] =
        [TaskName::Classify, TaskName::Tag, TaskName::Translate, TaskName::Label, TaskName::Rank, TaskName::Caption];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            TaskName::Classify => "classify",
            TaskName::Tag => "tag",
            TaskName::Translate => "translate",
            TaskName::Label => "label",
            TaskName::Rank => "rank",
            TaskName::Caption => "caption",
        }
    }
}

/// All settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The version of this form.
    pub format: u32,
    /// The version of the program that made the run.
    pub program: String,
    /// What is trained.
    pub task: TaskName,
    /// All random numbers follow from it.
    pub seed: u64,
    /// The files.
    pub data: Data,
    /// The model.
    pub model: Model,
    /// What is dropped while training.
    pub dropout: Dropout,
    /// The loop.
    pub train: Train,
    /// The rule and its numbers.
    pub optimiser: Optimiser,
    /// How the rate changes.
    pub schedule: Schedule,
    /// How answers that are texts are looked for.
    pub search: Search,
}

impl Default for Settings {
    fn default() -> Settings {
        let optimiser = Optimiser { rule: RuleName::Adam, rate: Some(0.001), clip_norm: 5.0, ..Optimiser::default() };
        let schedule = Schedule { kind: ScheduleName::Cosine, lowest: 0.05, ..Schedule::default() };
        Settings {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            task: TaskName::Classify,
            seed: 1,
            data: Data::default(),
            model: Model::default(),
            dropout: Dropout::default(),
            train: Train::default(),
            optimiser,
            schedule,
            search: Search::default(),
        }
    }
}

/// Files and what is read from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Training files; they are joined.
    pub train: Vec<String>,
    /// Validation files; absent, a tenth of the training examples.
    pub valid: Vec<String>,
    /// Test files; absent, another tenth where there is no validation file either.
    pub test: Vec<String>,
    /// The encoding of texts; UTF-8 if absent.
    pub encoding: Option<String>,
    /// The column of the text (classify) or of the query (rank); found if absent.
    pub text: Option<String>,
    /// The column of the label.
    pub label: Option<String>,
    /// A column of other labels that are learned beside and never answered (classify).
    pub also: Option<String>,
    /// The column of what is translated.
    pub source: Option<String>,
    /// The column of what it becomes.
    pub target: Option<String>,
    /// Files of labels or of lines that belong to the training, validation and test files, where they are apart; an empty name
    /// for a file that has none.
    pub beside: Vec<String>,
    /// Word vectors that were trained elsewhere, read beside the learned ones (classify of words, tag).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<String>,
    /// Training strings that are made of pictures side by side; 0: the data is sounds.
    pub strings: usize,
    /// Pictures of a string, the fewest and the most.
    pub string_length: [usize; 2],
    /// Of a test string, where it is another.
    pub test_string_length: Option<[usize; 2]>,
    /// Of a text, what a step is (classify).
    pub unit: UnitName,
    /// Of a picture, what a step is (classify).
    pub pictures: PictureSteps,
    /// While training, pictures are moved by up to so many pixels, another way each time (classify).
    pub shift: usize,
    /// Of so many equal shares of all examples, which one is the test part, from 1: [1, 10] to [10, 10] (classify).
    pub fold: Option<[usize; 2]>,
    /// Letters become small.
    pub lowercase: bool,
    /// Rarer words are unknown; their characters are read all the same.
    pub min_count: u64,
    /// At most this many words, or subwords.
    pub vocabulary: usize,
}

impl Default for Data {
    fn default() -> Data {
        Data {
            train: vec![],
            valid: vec![],
            test: vec![],
            encoding: None,
            text: None,
            label: None,
            also: None,
            source: None,
            target: None,
            beside: vec![],
            vectors: None,
            strings: 0,
            string_length: [2, 8],
            test_string_length: None,
            unit: UnitName::Word,
            pictures: PictureSteps::Rows,
            shift: 0,
            fold: None,
            lowercase: true,
            min_count: 2,
            vocabulary: 50_000,
        }
    }
}

impl Data {
    /// For each file of [`Data::train`], [`Data::valid`] and [`Data::test`] in turn, the one that belongs to it; nothing where
    /// it stands alone.
    pub fn files_beside(&self) -> impl Iterator<Item = Option<&str>> {
        let named = self.beside.iter().map(|file| Some(file.as_str()).filter(|file| !file.is_empty()));
        named.chain(std::iter::repeat(None))
    }
}

/// What a step of a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitName {
    /// A word.
    #[default]
    Word,
    /// A character, white space left out.
    Char,
}

/// What a step of a picture is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureSteps {
    /// A row, from the top.
    #[default]
    Rows,
    /// A pixel, row by row.
    Pixels,
    /// The picture: there is one step.
    Whole,
}

/// How a decoder compares what it looks for with what is there (translate).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attention {
    /// (W h) · m / √units
    #[default]
    Scaled,
    /// (W h) · m
    Dot,
    /// v · tanh(W h + U m)
    Additive,
}

/// How all steps become one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolName {
    /// `places` for texts read by character that all have one length (classify); else `max`.
    #[default]
    Auto,
    /// The largest of each unit, and the mean.
    Max,
    /// A weighted mean, by learned weights.
    Attention,
    /// The last state of each direction.
    Last,
    /// All steps side by side, each place with weights of its own: for sequences of one length.
    Places,
}

/// The model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The kind.
    pub kind: Kind,
    /// A built-in cell, or a file of equations.
    pub cell: String,
    /// Layers.
    pub layers: usize,
    /// Units of a state, in each direction.
    pub hidden: usize,
    /// Both directions.
    pub bidirectional: bool,
    /// Units of a word's embedding.
    pub embedding: usize,
    /// Units of what is read from a word's characters; 0: they are not read.
    pub characters: usize,
    /// How a text becomes one answer.
    pub pool: PoolName,
    /// Rows of the table that a text's n-grams are hashed into, straight to the labels (classify); 0: there is none.
    pub ngrams: usize,
    /// A linear classifier of n-grams, tuned on the validation part, answers together with the network (classify, of texts).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub linear: bool,
    /// Heads of a transformer.
    pub heads: usize,
    /// Networks that are trained side by side from other starts and answer together (classify, tag).
    pub members: usize,
    /// Tags are chosen together (a conditional random field), not each by itself.
    pub crf: bool,
    /// The decoder may copy words of the source (translate).
    pub copy: bool,
    /// The kind of the decoder (translate); [`Model::kind`] is that of the encoder.
    pub decoder: Kind,
    /// How a recurrent decoder attends (translate).
    pub attention: Attention,
    /// The decoder attends within its cell, and knows at each word what it attended to before (translate).
    pub input_feeding: bool,
    /// The cell that does so, built in or a file; the built-in decoder of [`Model::cell`] if absent (translate).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_cell: Option<String>,
    /// Steps of a sequence of numbers that are read at once.
    pub stack: usize,
    /// Units of the space in which queries and documents meet.
    pub space: usize,
    /// What likenesses are divided by before the softmax.
    pub temperature: f64,
    /// Queries and documents share vocabulary and encoder.
    pub joint: bool,
    /// Pixels of a side of the patches that a picture is cut into.
    pub patch: usize,
    /// Layers that look at the patches around each.
    pub convolutions: usize,
    /// Texts that are followed at once while one is written.
    pub beam: usize,
}

impl Default for Model {
    fn default() -> Model {
        Model {
            kind: Kind::Recurrent,
            cell: "lstm".into(),
            layers: 1,
            hidden: 128,
            bidirectional: true,
            embedding: 128,
            characters: 64,
            pool: PoolName::Auto,
            ngrams: 1 << 16,
            linear: false,
            heads: 4,
            members: 1,
            crf: false,
            copy: false,
            decoder: Kind::Recurrent,
            attention: Attention::Scaled,
            input_feeding: false,
            decoder_cell: None,
            stack: 2,
            space: 256,
            temperature: 0.07,
            joint: false,
            patch: 4,
            convolutions: 2,
            beam: 4,
        }
    }
}

/// Probabilities of being dropped; 0 is off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dropout {
    /// Units of embeddings.
    pub input: f64,
    /// Units between layers.
    pub between: f64,
    /// Units below the output layer.
    pub output: f64,
    /// Whole words, which are then unknown.
    pub words: f64,
}

impl Default for Dropout {
    fn default() -> Dropout {
        Dropout { input: 0.3, between: 0.3, output: 0.3, words: 0.05 }
    }
}

/// The loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// Examples of a step.
    pub batch: usize,
    /// Passes over the training examples.
    pub epochs: u64,
    /// Stop after this many steps, whatever the epochs.
    pub max_steps: Option<u64>,
    /// Stop after this many evaluations without improvement; 0: never.
    pub early_stop: u64,
    /// A share of each target that is spread over all classes.
    pub smoothing: f64,
    /// What the best epoch has most of, and the baseline is tuned by (classify).
    #[serde(skip_serializing_if = "Choose::is_default")]
    pub choose: Choose,
    /// Save a checkpoint at least each so many seconds.
    pub checkpoint_seconds: f64,
}

impl Default for Train {
    fn default() -> Train {
        Train {
            batch: 32,
            epochs: 10,
            max_steps: None,
            early_stop: 0,
            smoothing: 0.0,
            choose: Choose::Accuracy,
            checkpoint_seconds: 60.0,
        }
    }
}

/// The search for a text, once a model is trained; while it trains, its likeliest word is taken at each step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// Texts that are followed at once.
    pub beam: usize,
    /// α: 0 prefers short texts, more speaks for longer ones.
    pub length_penalty: f64,
}

impl Default for Search {
    fn default() -> Search {
        Search { beam: 5, length_penalty: 1.0 }
    }
}

impl Settings {
    /// The defaults of a task.
    pub fn of(task: TaskName) -> Settings {
        let mut s = Settings { task, ..Settings::default() };
        match task {
            TaskName::Tag => {
                (s.model.layers, s.model.hidden, s.train.epochs) = (1, 200, 15);
            }
            TaskName::Translate => {
                s.data.vocabulary = 8000;
                (s.data.lowercase, s.data.min_count) = (false, 1);
                (s.model.cell, s.model.hidden, s.model.embedding) = ("gru".into(), 256, 256);
                (s.train.batch, s.train.smoothing, s.train.epochs) = (64, 0.1, 15);
            }
            TaskName::Rank => {
                (s.train.batch, s.dropout.words) = (128, 0.1);
            }
            TaskName::Caption => {
                (s.data.lowercase, s.data.min_count) = (false, 1);
                (s.model.hidden, s.model.embedding, s.train.epochs) = (256, 64, 60);
                s.optimiser.rate = Some(0.002);
                s.dropout = Dropout { input: 0.2, between: 0.2, output: 0.2, ..s.dropout };
            }
            _ => {}
        }
        s
    }
}
