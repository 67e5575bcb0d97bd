//! The model of `rank`: two towers, whose tops meet in one space.

use super::data::Raw;
use crate::error::Error;
use crate::run::Folder;
use crate::task::Part;
use crate::task::encoder::{Encoder, Pooling};
use crate::task::settings::{Dropout, Settings};
use crate::task::words::{Spelled, Spelling, WordLayer, split};
use elman_engine::EngineError;
use elman_engine::tape::{Blueprint, Layout, Linear, Tape, Var};

/// Which of two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is asked.
    Query,
    /// What answers.
    Document,
}

/// From words to a row.
struct Tower {
    spelling: Spelling,
    layer: WordLayer,
    encoder: Encoder,
    pooling: Pooling,
}

/// Words and layers of both sides.
pub struct Model {
    /// What it is made of.
    pub blueprint: Blueprint,
    /// One for both, or one a side.
    towers: Vec<Tower>,
    /// Into the common space, one a side.
    tops: [Linear; 2],
}

/// What the names of parameters and files of the towers begin with.
fn sides(settings: &Settings) -> &'static [&'static str] {
    if settings.model.joint { &[""] } else { &["query-", "document-"] }
}

impl Model {
    /// With the words of the training pairs.
    ///
    /// # Errors
    /// A cell that cannot be used.
    pub fn fresh(settings: &Settings, raw: &Raw) -> Result<Model, Error> {
        let pairs = raw.of(Part::Train);
        let queries = pairs.iter().flat_map(|(q, _)| split(q));
        let documents = pairs.iter().flat_map(|(_, d)| split(d));
        let spellings = match settings.model.joint {
            true => vec![Spelling::of(queries.chain(documents), settings)?],
            false => vec![Spelling::of(queries, settings)?, Spelling::of(documents, settings)?],
        };
        Model::new(settings, spellings)
    }

    /// With the words of a run.
    ///
    /// # Errors
    /// A file that is not there, or damaged.
    pub fn again(settings: &Settings, folder: &Folder) -> Result<Model, Error> {
        let read = |side: &&str| Spelling::read_of(side, folder, settings);
        Model::new(settings, sides(settings).iter().map(read).collect::<Result<_, _>>()?)
    }

    fn new(settings: &Settings, spellings: Vec<Spelling>) -> Result<Model, Error> {
        let mut blueprint = Blueprint::new();
        let mut towers = vec![];
        for (side, spelling) in sides(settings).iter().zip(spellings) {
            let layer = WordLayer::declare_of(side, &mut blueprint, &spelling, settings)?;
            let encoder = Encoder::declare(&mut blueprint, &format!("{side}encoder"), layer.width, settings)?;
            let pooling =
                Pooling::declare(&mut blueprint, &format!("{side}pool"), encoder.width, settings.model.pool, 0);
            towers.push(Tower { spelling, layer, encoder, pooling });
        }
        let (first, last) = (towers[0].pooling.width, towers[towers.len() - 1].pooling.width);
        let tops = [
            blueprint.linear("query-top", first, settings.model.space),
            blueprint.linear("document-top", last, settings.model.space),
        ];
        Ok(Model { blueprint, towers, tops })
    }

    fn tower(&self, side: Side) -> &Tower {
        &self.towers[side as usize % self.towers.len()]
    }

    /// A text as the model reads it. An empty one is one unknown word.
    pub fn spell(&self, text: &str, side: Side) -> Spelled {
        let spelling = &self.tower(side).spelling;
        let spelled = spelling.spell(split(text));
        match spelled.words.is_empty() {
            true => spelling.nothing(),
            false => spelled,
        }
    }

    /// A row of length 1 for each text, [texts, space].
    ///
    /// # Errors
    /// What the engine says.
    pub fn rows(
        &self,
        tape: &mut Tape<'_, f32>,
        texts: &[&Spelled],
        side: Side,
        dropout: &Dropout,
    ) -> Result<Var, EngineError> {
        let tower = self.tower(side);
        let layout = Layout::new(texts.iter().map(|t| t.words.len().max(1)).collect());
        let x = tower.layer.vectors(tape, texts, &layout, dropout.words)?;
        let x = tape.dropout(x, dropout.input);
        let encoded = tower.encoder.run(tape, x, &layout, dropout.between)?;
        let pooled = tower.pooling.run(tape, encoded.y, &layout)?;
        let pooled = tape.dropout(pooled, dropout.output);
        let top = tape.linear(pooled, self.tops[side as usize])?;
        Ok(tape.unit_length(top))
    }

    /// Writes the words into a run.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, settings: &Settings, folder: &Folder) -> Result<(), Error> {
        sides(settings).iter().zip(&self.towers).try_for_each(|(side, tower)| tower.spelling.write_of(side, folder))
    }

    /// A few words on it.
    pub fn words(&self) -> String {
        let counts: Vec<String> = self.towers.iter().map(|t| t.spelling.words.len().to_string()).collect();
        format!("{} words known", counts.join(" and "))
    }
}
