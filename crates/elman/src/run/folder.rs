//! The folder of a run: it appears whole, is written to by one process at a time, and its files are replaced whole.

use crate::cells::Text;
use crate::error::Error;
use crate::run::config::Config;
use crate::text::Tokenizer;
use crate::whole_file::{WholeFile, shown};
use elman_cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The settings.
pub const CONFIG: &str = "config.toml";
/// The equations.
pub const CELL: &str = "cell.cell";
/// The best parameters so far.
pub const MODEL: &str = "model.safetensors";
/// A line per evaluation.
pub const METRICS: &str = "metrics.jsonl";
/// The names a tokeniser may have.
const TOKENIZERS: [&str; 2] = ["vocabulary.json", "tokenizer.json"];
const LOCK: &str = "checkpoint/lock";

/// The folder of a run.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Held while this process writes to it.
    lock: Option<File>,
}

/// A folder that does not have its name yet; dropped before it does, it is removed.
#[derive(Debug)]
pub struct NewFolder {
    folder: Option<Folder>,
    target: PathBuf,
}

impl NewFolder {
    /// Makes a folder beside `target`, which must not exist (or be empty).
    ///
    /// # Errors
    /// `target` exists, or nothing can be written there.
    pub fn beside(target: &Path) -> Result<NewFolder, Error> {
        let taken =
            fs::symlink_metadata(target).is_ok() && fs::read_dir(target).map_or(true, |mut f| f.next().is_some());
        if taken {
            let name = shown(target);
            let way = match target.join(CONFIG).exists() {
                true => format!("`elman resume {name}` goes on with it, or take another --out"),
                false => "take another --out".into(),
            };
            return Err(Error::Refused(format!("{name}: this exists already; nothing was changed: {way}")));
        }
        let write = |source| Error::Write { file: shown(target), source };
        let name = target.file_name().ok_or_else(|| write(io::ErrorKind::InvalidFilename.into()))?;
        let beside = target.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        if let Some(above) = target.parent() {
            if let Some(file) = above.ancestors().find(|a| a.is_file()) {
                let (file, target) = (shown(file), shown(target));
                let message = format!("{target}: {file} is a file, so nothing can be put into it: take another --out");
                return Err(Error::Refused(message));
            }
            fs::create_dir_all(above).map_err(write)?;
        }
        clear_abandoned(target);
        fs::create_dir(&beside).map_err(write)?;
        let mut new =
            NewFolder { folder: Some(Folder { path: beside.clone(), lock: None }), target: target.to_path_buf() };
        fs::create_dir(beside.join("checkpoint")).map_err(write)?;
        if let Some(folder) = &mut new.folder {
            folder.lock()?;
        }
        Ok(new)
    }

    /// The folder under its present name.
    pub fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// Something took the name in the meantime.
    pub fn publish(mut self) -> Result<Folder, Error> {
        let write = |source| Error::Write { file: shown(&self.target), source };
        let Some(mut folder) = self.folder.take() else { return Err(write(io::ErrorKind::NotFound.into())) };
        if let Err(e) = fs::rename(&folder.path, &self.target) {
            let error = write(e);
            self.folder = Some(folder);
            return Err(error);
        }
        folder.path.clone_from(&self.target);
        if let Some(above) = self.target.parent() {
            sync_folder(above).map_err(write)?;
        }
        Ok(folder)
    }
}

/// Removes folders for `target` that their processes were killed over before they had a name: nobody holds their lock, or
/// there is none yet.
fn clear_abandoned(target: &Path) {
    let (Some(above), Some(name)) = (target.parent(), target.file_name()) else { return };
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    let begin = format!(".{}.", name.to_string_lossy());
    let number = |name: &str| name.strip_prefix(&begin)?.strip_suffix(".partial")?.parse::<u32>().ok();
    let Ok(entries) = fs::read_dir(above) else { return };
    for entry in entries.flatten().filter(|e| number(&e.file_name().to_string_lossy()).is_some()) {
        let lock = File::open(entry.path().join(LOCK));
        if lock.as_ref().map_or(true, |l| l.try_lock().is_ok()) {
            // What cannot be removed does no harm, or is named when the new folder is made.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // Nothing more can be done for a folder that cannot be removed.
            let _ = fs::remove_dir_all(&folder.path);
        }
    }
}

impl Folder {
    /// A run that exists, to read from.
    ///
    /// # Errors
    /// No such folder, or one that is no run.
    pub fn open(path: &Path) -> Result<Folder, Error> {
        let name = shown(path);
        let message = match () {
            () if !path.exists() => format!("{name}: there is no such run; `elman train … --out {name}` makes one"),
            () if path.join("1").join(CONFIG).is_file() => {
                format!("{name}: its folders are the runs of a cross-validation; name one of them, such as {name}/1")
            }
            () if !path.join(CONFIG).is_file() => {
                format!("{name}: this is no run, there is no {CONFIG} in it; name the folder that --out named")
            }
            () => return Ok(Folder { path: path.to_path_buf(), lock: None }),
        };
        Err(Error::Refused(message))
    }

    /// Makes sure that no other process writes here, and clears what a killed one left half written.
    ///
    /// # Errors
    /// Another process trains here, or nothing can be written.
    pub fn lock(&mut self) -> Result<(), Error> {
        let path = self.path.join(LOCK);
        let write = |source| Error::Write { file: shown(&path), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(write)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let name = shown(&self.path);
                return Err(Error::Refused(format!("{name}: another process is training here; wait for it to end")));
            }
            Err(fs::TryLockError::Error(e)) => return Err(write(e)),
        }
        self.lock = Some(file);
        for folder in [self.path.clone(), self.join("checkpoint")] {
            for entry in fs::read_dir(&folder).map_err(write)?.flatten() {
                if entry.file_name().to_string_lossy().ends_with(".partial") {
                    fs::remove_file(entry.path()).map_err(write)?;
                }
            }
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name, for messages.
    pub fn name(&self) -> String {
        shown(&self.path)
    }

    /// The path of one of its files.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes one of its files, whole and synced.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.publish(name, WholeFile::write(&self.join(name), bytes))
    }

    /// Gives a written file its name, and syncs the folder.
    pub(crate) fn publish(&self, name: &str, file: io::Result<WholeFile>) -> Result<(), Error> {
        let write = |source| Error::Write { file: shown(&self.join(name)), source };
        file.and_then(WholeFile::publish).and_then(|()| sync_folder(&self.path)).map_err(write)
    }

    /// Appends to the metrics behind their first `length` bytes, dropping what stands there; the new length.
    ///
    /// # Errors
    /// What the file system says.
    pub fn append_metrics(&self, length: u64, line: &str) -> Result<u64, Error> {
        let path = self.join(METRICS);
        let append = || -> io::Result<u64> {
            let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            let length = length.min(file.metadata()?.len());
            file.set_len(length)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(length))?;
            file.write_all(line.as_bytes())?;
            file.sync_all()?;
            Ok(length + line.len() as u64)
        };
        append().map_err(|source| Error::Write { file: shown(&path), source })
    }

    /// Its settings.
    ///
    /// # Errors
    /// A file that cannot be read or used.
    pub fn config(&self) -> Result<Config, Error> {
        let path = self.join(CONFIG);
        let config = Config::read(&path)?;
        config.check().map_err(|e| Error::Refused(format!("{}: {e}", shown(&path))))?;
        Ok(config)
    }

    /// Its cell.
    ///
    /// # Errors
    /// A file that cannot be read, or equations that are wrong.
    pub fn cell(&self) -> Result<Cell, Error> {
        let path = self.join(CELL);
        if !path.is_file() {
            let message = "it is missing; put it back (`elman cell show` prints a built-in cell), or train again";
            return Err(Error::Refused(format!("{}: {message}", shown(&path))));
        }
        let text = path.to_str().ok_or_else(|| Error::Refused(format!("{}: the path is not UTF-8", shown(&path))))?;
        let text = if text.contains('/') { text.to_string() } else { format!("./{text}") };
        Ok(Text::find(&text)?.parse()?)
    }

    /// Its tokeniser.
    ///
    /// # Errors
    /// No such file, or one that cannot be used.
    pub fn tokenizer(&self) -> Result<Tokenizer, Error> {
        match TOKENIZERS.iter().map(|n| self.join(n)).find(|p| p.is_file()) {
            Some(path) => Tokenizer::load(&path)
                .map_err(|e| Error::Refused(format!("{e}; put the file back as it was, or train again"))),
            None => {
                let (name, files) = (self.name(), TOKENIZERS.join(" or "));
                Err(Error::Refused(format!("{name}: {files} is missing; put it back, or train again")))
            }
        }
    }
}

/// Makes sure that the names in a folder are on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        File::open(path)?.sync_all()?;
    }
    Ok(())
}
