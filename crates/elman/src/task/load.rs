//! From settings and files to a task, and from a folder to a trained model.

use super::settings::TaskName;
use super::train::read;
use super::{Figures, Lengths, Part, Settings, Task, caption, classify, label, rank, show, tag, translate};
use crate::error::Error;
use crate::report::page_of;
use crate::run::Folder;
use crate::run::folder::{CONFIG, METRICS, MODEL};
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
        TaskName::Translate => Ok(Box::new(translate::Translate::fresh(settings)?)),
        TaskName::Rank => Ok(Box::new(rank::Rank::fresh(settings)?)),
        TaskName::Caption => Ok(Box::new(caption::Caption::fresh(settings)?)),
    }
}

/// The same with the vocabulary of a run.
pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Box<dyn Task>, Error> {
    match settings.task {
        TaskName::Classify => Ok(Box::new(classify::Classify::again(settings, folder)?)),
        TaskName::Tag => Ok(Box::new(tag::Tag::again(settings, folder)?)),
        TaskName::Label => Ok(Box::new(label::Label::again(settings, folder)?)),
        TaskName::Translate => Ok(Box::new(translate::Translate::again(settings, folder)?)),
        TaskName::Rank => Ok(Box::new(rank::Rank::again(settings, folder)?)),
        TaskName::Caption => Ok(Box::new(caption::Caption::again(settings, folder)?)),
    }
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
            let evaluated = std::fs::metadata(self.folder.join(METRICS)).is_ok_and(|file| file.len() > 0);
            let why = match evaluated {
                true => {
                    "there is no model, though the run has been evaluated; put the file back, or train again".into()
                }
                false => {
                    let way = format!("`elman resume {}` goes on training", self.folder.name());
                    format!("there is no model yet, it comes with the first evaluation; {way}")
                }
            };
            return Err(Error::Refused(format!("{}: {why}", shown(&file))));
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
        if self.settings.task == TaskName::Translate {
            return Ok(Box::new(translate::Translate::again(&self.settings, &self.folder)?.searching()));
        }
        again(&self.settings, &self.folder)
    }
}

/// A file that is measured in place of a run's test part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestFile {
    /// Its path.
    pub file: String,
    /// What stands beside it: labels, targets, documents or captions.
    pub beside: Option<String>,
    /// Pictures of a string, the fewest and the most, in place of the run's `data.string_length`.
    pub string_length: Option<[usize; 2]>,
}

impl TestFile {
    /// Puts it in the place of the test part.
    fn replace(&self, settings: &mut Settings) {
        let d = &mut settings.data;
        if self.beside.is_some() || !d.beside.is_empty() {
            // What stands beside the old test part is none of the file's.
            d.beside.resize(d.train.len() + d.valid.len(), String::new());
            d.beside.push(self.beside.clone().unwrap_or_default());
        }
        (d.test, d.fold) = (vec![self.file.clone()], None);
        d.test_string_length = self.string_length;
    }
}

/// Measures a run on a part of its data, or on a file in place of its test part, and shows the figures in `report.html`, those
/// of a file in `report-FILE.html`.
///
/// # Errors
/// As [`open`], a part that the run does not have.
pub fn evaluate(
    path: &Path,
    file: Option<&TestFile>,
    part: Part,
    machine: Machine,
    stop: &AtomicBool,
) -> Result<Figures, Error> {
    let mut opened = open(path)?;
    let mut part = part;
    if let Some(file) = file {
        file.replace(&mut opened.settings);
        part = Part::Test;
    }
    let task = opened.task()?;
    if task.count(part) == 0 {
        let way = "name a file with --data, or take --part valid";
        return Err(Error::Refused(format!("{}: this run has no {} part: {way}", shown(path), part.name())));
    }
    let mut store = opened.store(task.blueprint(), machine)?;
    let figures = task.evaluate(&mut store, part, stop)?;
    let figures = figures.ok_or_else(|| Error::Refused("stopped before all examples were measured".into()))?;
    let own = task.lengths();
    // A run of an earlier program keeps none; its training files tell.
    let lengths = Lengths::kept(&opened.folder).filter(|kept| kept.unit == own.unit).unwrap_or(own);
    let mut figures = figures.told(&lengths)?;
    if file.is_none()
        && let Some(baseline) = task.baseline(&opened.folder, part, &figures)?
    {
        figures.text += &baseline.words;
        figures.shown.baselines.push(baseline.beside);
        if let Some(details) = figures.details.as_object_mut() {
            details.insert("baseline".into(), baseline.json);
        }
    }
    let of = match (file, part) {
        (Some(file), _) => format!("file {}", file.file),
        (None, Part::Valid) => show::VALIDATION.into(),
        (None, part) => format!("{} part", part.name()),
    };
    // Figures are figures, even of a run that cannot be written to.
    let page = page_of(file.map(|file| file.file.as_str()));
    let words = if file.is_none() { task.words() } else { String::new() };
    figures.shown.page = match show::write(&opened.folder, &page, &opened.settings, &words, &of, &figures) {
        Ok(()) => format!("on one page: {}\n", shown(&opened.folder.join(&page))),
        Err(e) => format!("the page of the run could not be written: {e}\n"),
    };
    Ok(figures)
}

/// The task of this module that a file of settings is of; `None` of a language model's, and of what is no such file.
pub fn named(path: &Path) -> Option<TaskName> {
    #[derive(serde::Deserialize)]
    struct Named {
        task: Option<TaskName>,
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    toml::from_str::<Named>(&text).ok().and_then(|named| named.task)
}

/// The task of this module that the folder of a run is of.
pub fn task_of(run: &Path) -> Option<TaskName> {
    named(&run.join(CONFIG))
}

/// Whether the folder of a run is of a task of this module.
pub fn is_one(run: &Path) -> bool {
    task_of(run).is_some()
}

/// Whether measuring a run will train its baseline first, which takes a while and is done once.
pub fn lacks_baseline(run: &Path) -> bool {
    let has = |file: &str| run.join(file).is_file();
    matches!(task_of(run), Some(TaskName::Classify | TaskName::Tag))
        && has("words.json")
        && !has("baseline.json")
        && !has("linear.json")
}
