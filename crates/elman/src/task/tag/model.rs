//! The model of `tag`: from words to a number for each tag.

use super::data::Raw;
use crate::error::Error;
use crate::run::Folder;
use crate::task::Part;
use crate::task::encoder::Encoder;
use crate::task::lexicon::Lexicon;
use crate::task::settings::{Dropout, Settings};
use crate::task::words::{Spelled, Spelling, WordLayer};
use elman_engine::EngineError;
use elman_engine::loss::log_sum_exp;
use elman_engine::tape::{Blueprint, Chain, Layout, Linear, Mode, Store, Tape, Var};

const TAGS: &str = "tags.json";

/// Words, tags and layers.
pub struct Model {
    /// The tags by number.
    pub tags: Lexicon,
    /// Words and characters by number.
    pub spelling: Spelling,
    /// What it is made of.
    pub blueprint: Blueprint,
    members: Vec<Member>,
    chain: Option<Chain>,
}

/// One of the networks that score the tags together.
struct Member {
    words: WordLayer,
    encoder: Encoder,
    output: Linear,
}

/// The tags of a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// One a word.
    pub tags: Vec<u32>,
    /// p of each tag at each word, [words, tags].
    pub probabilities: Vec<f64>,
}

impl Model {
    /// With the words and tags of training sentences.
    ///
    /// # Errors
    /// Fewer than two tags, a cell that cannot be used.
    pub fn fresh(settings: &Settings, raw: &Raw) -> Result<Model, Error> {
        let tokens = raw.of(Part::Train).iter().flat_map(|(_, s)| &s.tokens);
        let tags = Lexicon::of_labels(tokens.clone().map(|t| t.upos.as_str()));
        if tags.len() < 2 {
            let (files, only) = (settings.data.train.join(", "), tags.entry(0));
            return Err(Error::Refused(format!(
                "{files}: all words have the tag `{only}`: to learn a choice there must be two"
            )));
        }
        let spelling = Spelling::of(tokens.map(|t| t.form.as_str()), settings)?;
        Model::new(settings, tags, spelling)
    }

    /// With the words and tags of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Model, Error> {
        Model::new(settings, Lexicon::read(folder, TAGS)?, Spelling::read(folder, settings)?)
    }

    fn new(settings: &Settings, tags: Lexicon, spelling: Spelling) -> Result<Model, Error> {
        let mut blueprint = Blueprint::new();
        let mut members = vec![];
        for k in 1..=settings.model.members {
            let side = if k == 1 { String::new() } else { format!("{k}.") };
            let words = WordLayer::declare_of(&side, &mut blueprint, &spelling, settings)?;
            let encoder = Encoder::declare(&mut blueprint, &format!("{side}encoder"), words.width, settings)?;
            let output = blueprint.linear(&format!("{side}output"), encoder.width, tags.len());
            members.push(Member { words, encoder, output });
        }
        let chain = settings.model.crf.then(|| blueprint.chain("chain", tags.len()));
        Ok(Model { tags, spelling, blueprint, members, chain })
    }

    /// A number for each tag at each place, [rows of the layout, tags], of each member.
    ///
    /// # Errors
    /// What the engine says.
    pub fn scores(
        &self,
        tape: &mut Tape<'_, f32>,
        sentences: &[&Spelled],
        layout: &Layout,
        drop: &Dropout,
    ) -> Result<Vec<Var>, EngineError> {
        let mut all = vec![];
        for member in &self.members {
            let x = member.words.vectors(tape, sentences, layout, drop.words)?;
            let x = tape.dropout(x, drop.input);
            let encoded = member.encoder.run(tape, x, layout, drop.between)?;
            let y = tape.dropout(encoded.y, drop.output);
            all.push(tape.linear(y, member.output)?);
        }
        Ok(all)
    }

    /// `scale` times the sum over sentences of −log p(tags); `targets` are the layout's rows.
    ///
    /// # Errors
    /// What the engine says.
    pub fn loss(
        &self,
        tape: &mut Tape<'_, f32>,
        scores: Var,
        layout: &Layout,
        targets: &[u32],
        smoothing: f64,
        scale: f64,
    ) -> Result<Var, EngineError> {
        match self.chain {
            Some(chain) => tape.crf(scores, layout, chain, targets, scale),
            None => tape.cross_entropy(scores, targets, smoothing, scale),
        }
    }

    /// The tags of some sentences, each with a word or more.
    ///
    /// # Errors
    /// What the engine says.
    pub fn tag(
        &self,
        store: &mut Store<f32>,
        sentences: &[&Spelled],
        drop: &Dropout,
    ) -> Result<Vec<Chosen>, EngineError> {
        let crf = self.chain.map(|chain| store.crf(chain)).transpose()?;
        let layout = Layout::new(sentences.iter().map(|s| s.words.len()).collect());
        let mut tape = Tape::new(store, Mode::Infer);
        let all = self.scores(&mut tape, sentences, &layout, drop)?;
        let sum = tape.total(&all)?;
        let scores = tape.scale(sum, 1.0 / all.len() as f64);
        let (value, width) = (tape.value(scores), self.tags.len());
        let chosen = |b: usize| {
            let z: Vec<f32> = layout.of(b).flat_map(|row| &value[row * width..][..width]).copied().collect();
            match &crf {
                Some(crf) => Ok(Chosen { tags: crf.best(&z)?.0, probabilities: crf.marginals(&z)? }),
                None => Ok(largest(&z, width)),
            }
        };
        (0..layout.sequences()).map(chosen).collect()
    }

    /// Writes words and tags into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.tags.write(folder, TAGS)?;
        self.spelling.write(folder)
    }

    /// A few words on it.
    pub fn words(&self) -> String {
        let chain = if self.chain.is_some() { ", chosen together" } else { "" };
        format!("{} tags{chain}, {}", self.tags.len(), self.spelling.told())
    }
}

/// Each place by itself; of equal tags the first.
fn largest(z: &[f32], width: usize) -> Chosen {
    let (mut tags, mut probabilities) = (vec![], vec![]);
    for row in z.chunks_exact(width) {
        let all = log_sum_exp(row.iter().map(|z| f64::from(*z)));
        probabilities.extend(row.iter().map(|z| (f64::from(*z) - all).exp()));
        tags.push((1..width).fold(0, |best, k| if row[k] > row[best] { k } else { best }) as u32);
    }
    Chosen { tags, probabilities }
}
