//! From settings and files to a task, and from a folder to a trained model.

use super::settings::TaskName;
use super::train::read;
use super::{Figures, Part, Settings, Task, classify, label, tag};
use crate::error::Error;
use crate::run::Folder;
use crate::run::folder::{CONFIG, MODEL};
use crate::tensors::{TensorError, TensorFile};
use crate::train::Machine;
use crate::whole_file::shown;
use elman_engine::tape::{Blueprint, Store};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// A task with its data, its vocabulary made from the training part.
pub(super) fn fresh(settings: &Settings) -> Result<Box<dyn Task>, Error> {
    match settings.task {
        TaskName::Classify => Ok(Box::new(classify::Classify::fresh(settings)?)),
        TaskName::Tag => Ok(Box::new(tag::Tag::fresh(settings)?)),
        TaskName::Label => Ok(Box::new(label::Label::fresh(settings)?)),
        other => Err(missing(other)),
    }
}

/// The same with the vocabulary of a run.
pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Box<dyn Task>, Error> {
    match settings.task {
        TaskName::Classify => Ok(Box::new(classify::Classify::again(settings, folder)?)),
        TaskName::Tag => Ok(Box::new(tag::Tag::again(settings, folder)?)),
        TaskName::Label => Ok(Box::new(label::Label::again(settings, folder)?)),
        other => Err(missing(other)),
    }
}

fn missing(task: TaskName) -> Error {
    Error::Refused(format!("task `{}` is not there yet", task.name()))
}

/// A trained model, ready to measure or to predict with.
pub struct Opened {
    /// The settings it was trained with.
    pub settings: Settings,
    /// Its folder.
    pub folder: Folder,
}

/// Opens a run of a task.
///
/// # Errors
/// No run, or settings that cannot be read.
pub fn open(path: &Path) -> Result<Opened, Error> {
    let folder = Folder::open(path)?;
    let settings = Settings::read(&folder.join(CONFIG))?;
    Ok(Opened { settings, folder })
}

impl Opened {
    /// The best parameters, for a model of this blueprint.
    ///
    /// # Errors
    /// No model yet, a damaged one, or one of other settings.
    pub fn store(&self, blueprint: &Blueprint, machine: Machine) -> Result<Store<f32>, Error> {
        let file = self.folder.join(MODEL);
        if !file.is_file() {
            let message = "there is no model yet, it comes with the first evaluation";
            let way = format!("`elman resume {}` goes on training", self.folder.name());
            return Err(Error::Refused(format!("{}: {message}; {way}", shown(&file))));
        }
        let no_model = |e: TensorError| Error::Refused(format!("{e}; put the file back as it was, or train again"));
        let tensors = TensorFile::open(&file).map_err(no_model)?;
        let mut store = Store::new(blueprint.clone(), self.settings.seed, machine.isa, machine.threads)?;
        let weights = read(&tensors, "", store.parameters())?;
        tensors.refuse_others(store.parameters().iter().map(|t| t.name.as_str())).map_err(no_model)?;
        store.update(|w, _| w.clone_from_slice(&weights));
        Ok(store)
    }

    /// The task with its data, to measure it.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn task(&self) -> Result<Box<dyn Task>, Error> {
        again(&self.settings, &self.folder)
    }
}

/// Measures a run on a part of its data, or on a file in place of its test part.
///
/// # Errors
/// As [`open`], a part that the run does not have.
pub fn evaluate(
    path: &Path,
    file: Option<&str>,
    part: Part,
    machine: Machine,
    stop: &AtomicBool,
) -> Result<Figures, Error> {
    let mut opened = open(path)?;
    let mut part = part;
    if let Some(file) = file {
        let d = &mut opened.settings.data;
        // What stands beside the old test part is none of the file's.
        d.beside.truncate(d.train.len() + d.valid.len());
        (d.test, part) = (vec![file.into()], Part::Test);
        d.fold = None;
    }
    let task = opened.task()?;
    if task.count(part) == 0 {
        let way = "name a file with --data, or take --part valid";
        return Err(Error::Refused(format!("{}: this run has no {} part: {way}", shown(path), part.name())));
    }
    let mut store = opened.store(task.blueprint(), machine)?;
    let figures = task.evaluate(&mut store, part, stop)?;
    let mut figures = figures.ok_or_else(|| Error::Refused("stopped before all examples were measured".into()))?;
    if file.is_none()
        && let Some((words, json)) = task.baseline(&opened.folder, part)?
    {
        figures.text += &words;
        if let Some(details) = figures.details.as_object_mut() {
            details.insert("baseline".into(), json);
        }
    }
    Ok(figures)
}

/// Whether a file of settings is of a task of this module, not of a language model.
pub fn names_one(path: &Path) -> bool {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(default)]
        task: String,
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    toml::from_str::<Named>(&text).is_ok_and(|named| !named.task.is_empty() && named.task != "lm")
}

/// Whether the folder of a run is of a task of this module.
pub fn is_one(run: &Path) -> bool {
    names_one(&run.join(CONFIG))
}
