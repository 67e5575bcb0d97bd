//! A file that appears whole or not at all.
//!
//! The bytes go to a temporary name beside the target, are synced, and take the target's name when [`WholeFile::publish`]
//! is called; dropped before that, nothing is left. A target that is no regular file (a pipe, `/dev/null`) is written
//! to in place, at publication. Does not lock: of two writers the last one wins.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A path on one line, free of control characters: for messages.
pub fn shown(path: &Path) -> String {
    path.display()
        .to_string()
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_debug().collect() } else { vec![c] })
        .collect()
}

/// A file that is written but does not have its name yet.
#[derive(Debug)]
pub struct WholeFile {
    target: PathBuf,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Under this name beside the target.
    Beside(PathBuf),
    /// Not written yet: the target is no regular file.
    Held(Vec<u8>),
    /// Has its name.
    Published,
}

impl WholeFile {
    /// Writes `bytes` beside `target`. Errors: the folder is missing or not writable, the disk is full, `target` is a folder.
    pub fn write(target: &Path, bytes: Vec<u8>) -> io::Result<WholeFile> {
        WholeFile::write_by(target, |to| to.write_all(&bytes))
    }

    /// The same with what `fill` writes.
    pub fn write_by(target: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<WholeFile> {
        // A link keeps pointing where it points: what it points to is replaced.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
        match fs::metadata(&target) {
            Ok(found) if found.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(found) if !found.is_file() => {
                let mut bytes = vec![];
                fill(&mut bytes)?;
                return Ok(WholeFile { target, stage: Stage::Held(bytes) });
            }
            _ => {}
        }
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let beside = target.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        let mut file = new_file(&beside)?;
        let written = WholeFile { target, stage: Stage::Beside(beside) };
        fill(&mut file)?;
        file.sync_all()?;
        Ok(written)
    }

    /// Gives the file its name, in place of whatever had it.
    pub fn publish(mut self) -> io::Result<()> {
        match &self.stage {
            Stage::Beside(beside) => fs::rename(beside, &self.target)?,
            Stage::Held(bytes) => OpenOptions::new().write(true).open(&self.target)?.write_all(bytes)?,
            Stage::Published => {}
        }
        self.stage = Stage::Published;
        Ok(())
    }
}

/// A file that did not exist. The name has our process's number in it: what is there was left by a dead one, killed amid
/// a write (where a program is started anew with the same number, as in a container).
fn new_file(path: &Path) -> io::Result<fs::File> {
    let create = || OpenOptions::new().write(true).create_new(true).open(path);
    match create() {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create()
        }
        done => done,
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Stage::Beside(beside) = &self.stage {
            // Nothing more can be done for a file that cannot be removed.
            let _ = fs::remove_file(beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("elman-whole-file-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn shown_paths_are_one_line() {
        assert_eq!(shown(Path::new("a'b\n\u{1b}[31mж.st")), "a'b\\n\\u{1b}[31mж.st");
    }

    #[test]
    fn published_files_replace_and_leave_nothing_beside() {
        let folder = folder("replace");
        let target = folder.join("a.bin");
        fs::write(&target, b"old").unwrap();
        let file = WholeFile::write(&target, b"new".to_vec()).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"old");
        file.publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn dropped_files_leave_nothing() {
        let folder = folder("drop");
        drop(WholeFile::write(&folder.join("a.bin"), b"new".to_vec()).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_a_dead_process_of_our_number_left_is_written_over() {
        let folder = folder("dead");
        fs::write(folder.join(format!(".a.bin.{}.partial", std::process::id())), b"half").unwrap();
        WholeFile::write(&folder.join("a.bin"), b"new".to_vec()).unwrap().publish().unwrap();
        assert_eq!(fs::read(folder.join("a.bin")).unwrap(), b"new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn folders_are_refused_and_devices_stay_devices() {
        let folder = folder("kinds");
        assert!(WholeFile::write(&folder, vec![1]).is_err());
        assert!(WholeFile::write(&folder.join("missing/a.bin"), vec![1]).is_err());
        let null = Path::new("/dev/null");
        if null.exists() {
            WholeFile::write(null, vec![1]).unwrap().publish().unwrap();
            assert!(!fs::metadata(null).unwrap().is_file());
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = folder("link");
        fs::write(folder.join("real"), b"old").unwrap();
        std::os::unix::fs::symlink(folder.join("real"), folder.join("link")).unwrap();
        WholeFile::write(&folder.join("link"), b"new".to_vec()).unwrap().publish().unwrap();
        assert_eq!(fs::read(folder.join("real")).unwrap(), b"new");
        assert!(fs::symlink_metadata(folder.join("link")).unwrap().is_symlink());
        fs::remove_dir_all(folder).unwrap();
    }
}
