//! Settings from and to TOML.

use std::path::Path;

use super::{Settings, TaskName};
use crate::error::Error;
use crate::run::toml_file;
use crate::whole_file::shown;

impl Settings {
    /// Reads a file of settings.
    ///
    /// # Errors
    /// A file that cannot be read, what is no TOML, unknown keys, values of other types, settings that cannot work.
    pub fn read(path: &Path) -> Result<Settings, Error> {
        let settings: Settings = toml_file::parse(&toml_file::text(path)?, &shown(path))?;
        settings.check().map_err(|e| Error::Refused(format!("{}: {e}", shown(path))))?;
        Ok(settings)
    }

    /// Reads settings over a task's defaults; what they are together is not checked yet.
    ///
    /// # Errors
    /// As [`Settings::read`], and settings of another task.
    pub fn read_over(task: TaskName, path: &Path) -> Result<Settings, Error> {
        let (text, file) = (toml_file::text(path)?, shown(path));
        // Keys and types, each with its line.
        let known: Settings = toml_file::parse(&text, &file)?;
        let given: toml::Table = toml_file::parse(&text, &file)?;
        if given.contains_key("task") && known.task != task {
            let (found, wanted) = (known.task.name(), task.name());
            return Err(Error::Refused(format!("{file}: the settings are of the task `{found}`, not `{wanted}`")));
        }
        let failed = |e: &dyn std::fmt::Display| Error::Refused(format!("{file}: {e}"));
        let mut all = toml::Table::try_from(Settings::of(task)).map_err(|e| failed(&e))?;
        lay_over(&mut all, given);
        let settings = all.try_into().map_err(|e| failed(&e))?;
        Ok(Settings { program: Settings::default().program, ..settings })
    }

    /// The settings as TOML.
    ///
    /// # Errors
    /// A seed that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml_file::print(self)
    }

    /// The same with files by their whole path.
    #[must_use]
    pub fn resolved(mut self) -> Settings {
        let d = &mut self.data;
        let cells = [&mut self.model.cell].into_iter().chain(&mut self.model.decoder_cell);
        let cells = cells.filter(|cell| elman_cell::builtin::source(cell).is_none());
        let files = d.train.iter_mut().chain(&mut d.valid).chain(&mut d.test).chain(&mut d.beside);
        files.chain(&mut d.vectors).chain(cells).filter(|file| !file.is_empty()).for_each(toml_file::make_whole);
        self
    }
}

/// Replaces the values of `all` that `given` has too, table by table.
fn lay_over(all: &mut toml::Table, given: toml::Table) {
    for (key, value) in given {
        match (all.get_mut(&key), value) {
            (Some(toml::Value::Table(all)), toml::Value::Table(given)) => lay_over(all, given),
            (_, value) => {
                all.insert(key, value);
            }
        }
    }
}
