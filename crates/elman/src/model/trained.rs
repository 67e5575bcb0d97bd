//! A model as a run left it: read from its folder, ready to score and to write.

use crate::error::Error;
use crate::model::{Lm, Start};
use crate::run::config::Kind;
use crate::run::folder::MODEL;
use crate::run::{Config, Folder};
use crate::synth::{Form, Made};
use crate::tensors::{TensorError, TensorFile};
use crate::text::Tokenizer;
use crate::train::{Machine, body, spec};
use crate::whole_file::shown;
use elman_engine::Precision;
use elman_engine::explain::Workload;
use std::path::Path;

/// What ids stand for.
#[derive(Debug)]
pub enum Tokens {
    /// Pieces of a text.
    Text(Box<Tokenizer>),
    /// Symbols of made data.
    Made(Box<Made>),
}

/// A trained language model.
pub struct Trained {
    /// The settings it was trained with.
    pub config: Config,
    /// What its tokens are.
    pub tokens: Tokens,
    /// The model.
    pub lm: Lm<f32>,
}

impl Trained {
    /// Reads the best parameters of a run.
    ///
    /// # Errors
    /// No run, a run without an evaluation so far, files that are damaged or of another model.
    pub fn load(path: &Path, machine: Machine) -> Result<Trained, Error> {
        Trained::load_in(path, machine, Precision::Full)
    }

    /// The same with the layers' weights in a precision.
    ///
    /// # Errors
    /// As [`Trained::load`].
    pub fn load_in(path: &Path, machine: Machine, precision: Precision) -> Result<Trained, Error> {
        let folder = Folder::open(path)?;
        let config = folder.config()?;
        if config.model.kind == Kind::Transformer && precision != Precision::Full {
            let message = "fewer bits are for the weights of recurrent layers, and this is a transformer";
            return Err(Error::Refused(format!("{}: {message}: leave --dtype out", folder.name())));
        }
        let body = body(&config, || folder.cell())?;
        let (tokens, form) = match config.made()? {
            Some(made) => {
                let form = (made.form(), made.symbols().len());
                (Tokens::Made(Box::new(made)), form)
            }
            None => {
                let tokenizer = folder.tokenizer()?;
                let form = (Form::Symbols, tokenizer.size());
                (Tokens::Text(Box::new(tokenizer)), form)
            }
        };
        let file = folder.join(MODEL);
        if !file.is_file() {
            let (file, name) = (shown(&file), folder.name());
            let message = "there is no model yet, it comes with the first evaluation";
            return Err(Error::Refused(format!("{file}: {message}; `elman resume {name}` goes on training")));
        }
        let no_model = |e: TensorError| Error::Refused(format!("{e}; put the file back as it was, or train again"));
        let tensors = TensorFile::open(&file).map_err(no_model)?;
        let spec = spec(&config, body, form);
        crate::memory::refuse_bytes(spec.memory(Workload::new(1, 1), 0)?.bytes as u128, "")?;
        let options = elman_engine::Options::new().with_isa(machine.isa).with_threads(machine.threads);
        let mut lm = Lm::new(&spec, Start::default(), &options.with_precision(precision))?;
        let one = |t: &elman_engine::Tensor| tensors.numbers(&t.name, &t.shape);
        let weights: Vec<Vec<f32>> = lm.parameters().iter().map(one).collect::<Result<_, _>>().map_err(no_model)?;
        tensors.refuse_others(lm.parameters().iter().map(|t| t.name.as_str()))?;
        lm.update(|w| w.clone_from_slice(&weights));
        Ok(Trained { config, tokens, lm })
    }

    /// Its tokeniser, for what needs a text.
    ///
    /// # Errors
    /// It was trained on made data.
    pub fn tokenizer(&self) -> Result<&Tokenizer, Error> {
        match &self.tokens {
            Tokens::Text(tokenizer) => Ok(tokenizer),
            Tokens::Made(made) => {
                let message = "the model was trained on made data, and cannot read a text";
                let way = "`elman eval` measures it, on other made data with --data synth:…";
                Err(Error::Refused(format!("{message}: {way} (it was {})", made.spelled())))
            }
        }
    }
}
