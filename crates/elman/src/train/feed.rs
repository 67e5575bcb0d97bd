//! Where steps of training come from: windows of a text, whose states go on, or batches of whole made examples, each from a
//! fresh state. Where a run stands in a text is its window; in made data, its step alone.

use super::made::{Right, longest};
use super::plan::Material;
use super::progress::{Progress, fingerprint};
use super::score::{self, Score};
use crate::error::Error;
use crate::model::{Lm, Span};
use crate::run::config::{EPOCH_STEPS, HELD_OUT, Train};
use crate::run::{Config, Folder};
use crate::synth::{Block, Form, Made, Split};
use crate::text::{Corpus, Window, Windows};
use std::sync::atomic::AtomicBool;

/// What is trained on, and the memory for one step of it.
pub(super) enum Feed {
    /// A text in windows.
    Text(Box<Corpus>, Window),
    /// Examples made from a seed.
    Made(Box<Made>, Option<Block>),
}

impl Feed {
    /// Reads the text of a new run, or takes the made data that it names.
    pub fn load(config: &Config) -> Result<Feed, Error> {
        let data = &config.data;
        Feed::of(config, || Ok(Corpus::load(&data.files(), data.unit.into(), data.cut())?))
    }

    /// The same for a run that has its tokens in a folder.
    pub fn reload(config: &Config, folder: &Folder) -> Result<Feed, Error> {
        Feed::of(config, || Ok(Corpus::load_with(&config.data.files(), folder.tokenizer()?)?))
    }

    fn of(config: &Config, corpus: impl FnOnce() -> Result<Corpus, Error>) -> Result<Feed, Error> {
        Ok(match config.made()? {
            Some(made) => Feed::Made(Box::new(made), None),
            None => Feed::Text(Box::new(corpus()?), Window::default()),
        })
    }

    /// What is read and answered, and how many symbols there are.
    pub fn form(&self) -> (Form, usize) {
        match self {
            Feed::Text(corpus, _) => (Form::Symbols, corpus.tokenizer.size()),
            Feed::Made(made, _) => (made.form(), made.symbols().len()),
        }
    }

    /// Steps of training in an epoch.
    pub fn epoch(&self, train: &Train) -> Result<usize, Error> {
        match self {
            Feed::Text(corpus, _) => Ok(windows(corpus, train)?.count()),
            Feed::Made(..) => Ok(train.epoch_steps.unwrap_or(EPOCH_STEPS) as usize),
        }
    }

    /// Bytes of the tokens that are held.
    pub fn bytes(&self) -> usize {
        match self {
            Feed::Text(corpus, _) => corpus.tokens() * size_of::<u32>(),
            Feed::Made(..) => 0,
        }
    }

    /// Steps of the longest sequence that a step of training sees.
    pub fn longest(&self, train: &Train) -> usize {
        match self {
            Feed::Text(..) => train.steps,
            Feed::Made(made, _) => longest(made),
        }
    }

    /// What the next step of training is made of.
    pub fn next(&mut self, train: &Train, at: &Progress) -> Result<Span<'_>, Error> {
        match self {
            Feed::Text(corpus, window) => {
                windows(corpus, train)?.window(at.window, window);
                Ok(Span::from(&*window))
            }
            Feed::Made(made, block) => {
                let first = at.step.wrapping_mul(train.batch as u64);
                Ok(Span::from(&*block.insert(made.batch(Split::Train, first, train.batch))))
            }
        }
    }

    /// Whether a step begins with the states that the one before it ended with.
    pub fn carries(&self) -> bool {
        matches!(self, Feed::Text(..))
    }

    /// Scores the validation part; `None` if `stop` was raised.
    pub fn score(&self, lm: &mut Lm<f32>, config: &Config, stop: &AtomicBool) -> Result<Option<Score>, Error> {
        let (batch, steps) = (config.train.eval_batch, config.train.steps);
        match self {
            Feed::Text(corpus, _) => {
                let scored = score::score(lm, &corpus.valid, corpus.tokenizer.end(), [batch, steps], stop)?;
                Ok(scored.map(Score::Text))
            }
            Feed::Made(made, _) => {
                let examples = config.data.held_out.unwrap_or(HELD_OUT);
                let right = Right::of(lm, made, Split::Valid, examples, batch, stop)?;
                Ok(right.map(|right| match made.form() {
                    Form::Symbols => Score::Symbols(right),
                    Form::Real { .. } => Score::Numbers(right),
                }))
            }
        }
    }

    /// What a checkpoint remembers it by.
    pub fn fingerprint(&self) -> String {
        match self {
            Feed::Text(corpus, _) => {
                let tokens = corpus.train.ids.iter().chain(&corpus.valid.ids);
                fingerprint(tokens.flat_map(|id| id.to_le_bytes()))
            }
            Feed::Made(made, _) => {
                let examples = [Split::Train, Split::Valid].map(|split| made.example(split, 0));
                fingerprint(format!("{} {examples:?}", made.spelled()).into_bytes())
            }
        }
    }

    /// What is said of it before training starts.
    pub fn material(&self, config: &Config) -> Material {
        match self {
            Feed::Text(corpus, _) => Material::Text {
                train_tokens: corpus.train.ids.len(),
                valid_tokens: corpus.valid.ids.len(),
                valid_unknown: corpus.valid.unknown,
            },
            Feed::Made(made, _) => Material::Made {
                task: made.spelled(),
                batch: config.train.batch,
                valid_examples: config.data.held_out.unwrap_or(HELD_OUT),
                trivial: made.trivial(),
            },
        }
    }

    /// Writes the tokens; those of made data follow from its name.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        match self {
            Feed::Text(corpus, _) => {
                let tokenizer = &corpus.tokenizer;
                folder.write(tokenizer.file_name(), tokenizer.to_json()?.into_bytes())
            }
            Feed::Made(..) => Ok(()),
        }
    }
}

fn windows<'a>(corpus: &'a Corpus, train: &Train) -> Result<Windows<'a>, Error> {
    Ok(Windows::training(&corpus.train.ids, corpus.tokenizer.end(), train.batch, train.steps)?)
}
