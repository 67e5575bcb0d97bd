//! Checkpoints: all that resuming needs, as generations.
//!
//! A generation is written beside the last one and synced; only then does `checkpoint/latest` name it. A kill or a full
//! disk at any moment leaves the old or the new. Two generations are kept, so that a damaged one is not the end; checksums
//! (CRC-32) tell when a disk has changed a bit of one.

use super::folder::{Folder, sync_folder};
use crate::error::Error;
use crate::tensors::{self, Lent, TensorError, TensorFile};
use crate::whole_file::{WholeFile, shown};
use elman_engine::RANDOM_VERSION;
use flate2::Crc;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The version of the form.
const FORMAT: u32 = 1;
const LATEST: &str = "checkpoint/latest";
const STATE: &str = "state.json";
const TENSORS: &str = "tensors.safetensors";

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    program: String,
    random: u32,
    /// Of the bytes of the tensors' file, and of `state` as JSON on one line with sorted keys. Absent in the first runs
    /// that were made.
    #[serde(default)]
    checksums: Option<[u32; 2]>,
    state: Value,
}

/// What every version's state begins with.
#[derive(Deserialize)]
struct Versions {
    format: u32,
    program: String,
    random: u32,
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

/// The same of a file, a piece at a time.
fn checksum_of(path: &Path) -> io::Result<u32> {
    let (mut file, mut piece, mut sum) = (fs::File::open(path)?, vec![0; 1 << 16], Crc::new());
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(sum.sum()),
            n => sum.update(&piece[..n]),
        }
    }
}

/// A generation that was read.
#[derive(Debug)]
pub struct Checkpoint<S> {
    /// The number that the next one comes after.
    pub generation: u64,
    /// Counters, positions, settings that changed.
    pub state: S,
    /// Parameters, moments, averages, carried states.
    pub tensors: TensorFile,
}

/// Writes a generation after `last` and points to it; its number.
///
/// # Errors
/// What the file system says; the last generation stays what it was.
pub fn save<S: Serialize>(folder: &Folder, last: u64, state: &S, tensors: &[Lent<f32>]) -> Result<u64, Error> {
    let number = last + 1;
    let place = generation(folder, number);
    let written = write(folder, number, &place, state, tensors);
    if written.is_err() {
        // A half-written generation takes room on a disk that may be full; nothing points to it.
        let _ = fs::remove_dir_all(&place);
    }
    written?;
    forget_old(folder, number);
    Ok(number)
}

fn write<S: Serialize>(
    folder: &Folder,
    number: u64,
    place: &Path,
    state: &S,
    tensors: &[Lent<f32>],
) -> Result<(), Error> {
    let failed = |path: &Path| {
        let file = shown(path);
        move |source: io::Error| Error::Write { file, source }
    };
    if place.exists() {
        fs::remove_dir_all(place).map_err(failed(place))?;
    }
    fs::create_dir(place).map_err(failed(place))?;
    let json_failed = |e: serde_json::Error| Error::Refused(format!("checkpoint: {e}"));
    let path = place.join(TENSORS);
    let lent = tensors::write_lent(&path, tensors).map_err(|e| match e {
        TensorError::Io { source, .. } => failed(&path)(source),
        other => other.into(),
    })?;
    lent.publish().map_err(failed(&path))?;
    let state = serde_json::to_value(state).map_err(json_failed)?;
    let written = checksum_of(&path).map_err(failed(&path))?;
    let checksums = Some([written, checksum(state.to_string().as_bytes())]);
    let path = place.join(STATE);
    let program = env!("CARGO_PKG_VERSION").into();
    let written = Written { format: FORMAT, program, random: RANDOM_VERSION, checksums, state };
    let json = serde_json::to_string_pretty(&written).map_err(json_failed)?;
    WholeFile::write(&path, json.into_bytes()).and_then(WholeFile::publish).map_err(failed(&path))?;
    sync_folder(place).map_err(failed(place))?;
    sync_folder(&folder.join("checkpoint")).map_err(failed(place))?;
    let latest = folder.join(LATEST);
    let pointed = WholeFile::write(&latest, format!("{number}\n").into_bytes()).and_then(WholeFile::publish);
    pointed.map_err(failed(&latest))?;
    sync_folder(&folder.join("checkpoint")).map_err(failed(&latest))
}

/// The number of the newest generation, or of the one before it.
///
/// # Errors
/// There is none, or what names it is damaged.
pub fn find(folder: &Folder, previous: bool) -> Result<u64, Error> {
    match (previous, newest(folder)) {
        (false, newest) => newest,
        (true, Ok(newest)) => before(folder, newest),
        // The pointer is lost: what has a state is whole.
        (true, Err(lost)) => whole(folder).ok_or(lost),
    }
}

/// Reads the newest generation, or the one before it.
///
/// # Errors
/// No checkpoint, one of another version, one that is damaged: with the file and the way out.
pub fn load<S: DeserializeOwned>(folder: &Folder, previous: bool) -> Result<Checkpoint<S>, Error> {
    let number = find(folder, previous)?;
    let place = generation(folder, number);
    let way = match previous {
        false if before(folder, number).is_ok() => way_to_previous(folder),
        _ => "; there is no other checkpoint, train again".into(),
    };
    let damaged = |path: &Path, why: String| Error::Refused(format!("{}: {why}{way}", shown(path)));
    let path = place.join(STATE);
    let json = fs::read_to_string(&path).map_err(|e| damaged(&path, e.to_string()))?;
    let versions: Versions = serde_json::from_str(&json).map_err(|e| damaged(&path, format!("damaged: {e}")))?;
    if (versions.format, versions.random) != (FORMAT, RANDOM_VERSION) {
        let (format, program) = (versions.format, versions.program);
        let message = format!("{}: a checkpoint of form {format}; this program reads {FORMAT}", shown(&path));
        return Err(Error::Refused(format!("{message}: take elman {program}, which wrote it")));
    }
    let written: Written = serde_json::from_str(&json).map_err(|e| damaged(&path, format!("damaged: {e}")))?;
    let changed = |path: &Path| damaged(path, "damaged: it is not what was written".into());
    if written.checksums.is_some_and(|[_, state]| state != checksum(written.state.to_string().as_bytes())) {
        return Err(changed(&path));
    }
    let state = serde_json::from_value(written.state).map_err(|e| damaged(&path, format!("damaged: {e}")))?;
    let path = place.join(TENSORS);
    let bytes = fs::read(&path).map_err(|e| damaged(&path, e.to_string()))?;
    let tensors = TensorFile::from_bytes(&path, &bytes).map_err(|e| Error::Refused(format!("{e}{way}")))?;
    if written.checksums.is_some_and(|[tensors, _]| tensors != checksum(&bytes)) {
        return Err(changed(&path));
    }
    // The next one is written beside that which is pointed to, even if that is damaged.
    let generation = newest(folder).map_or(number, |n| n.max(number));
    Ok(Checkpoint { generation, state, tensors })
}

fn way_to_previous(folder: &Folder) -> String {
    format!("; `elman resume {} --previous` goes on from the checkpoint before it", folder.name())
}

/// The number that is pointed to.
fn newest(folder: &Folder) -> Result<u64, Error> {
    let latest = folder.join(LATEST);
    let lost = |why: String| {
        let way = match whole(folder) {
            Some(number) => {
                format!(
                    "`elman resume {} --previous` goes on from checkpoint {number}, the last there is",
                    folder.name()
                )
            }
            None => "there is no other checkpoint, train again".into(),
        };
        Error::Refused(format!("{}: {why}; {way}", shown(&latest)))
    };
    let text = fs::read_to_string(&latest).map_err(|e| match (e.kind(), whole(folder)) {
        (io::ErrorKind::NotFound, None) => Error::Refused(format!(
            "{}: there is no checkpoint, so nothing to resume from; train again",
            shown(&latest)
        )),
        _ => lost(e.to_string()),
    })?;
    text.trim().parse().map_err(|_| {
        let found: String = text.trim().chars().take(40).collect();
        lost(format!("found {found:?}, wanted the number of a folder beside it"))
    })
}

/// The last generation that is whole: its state is written last.
fn whole(folder: &Folder) -> Option<u64> {
    generations(folder).into_iter().rfind(|n| generation(folder, *n).join(STATE).is_file())
}

fn generation(folder: &Folder, number: u64) -> PathBuf {
    folder.join("checkpoint").join(number.to_string())
}

/// The generations there are, rising.
fn generations(folder: &Folder) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(folder.join("checkpoint")) else { return vec![] };
    let mut numbers: Vec<u64> = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

fn before(folder: &Folder, newest: u64) -> Result<u64, Error> {
    let older = generations(folder).into_iter().rfind(|n| *n < newest);
    older.ok_or_else(|| Error::Refused(format!("{}: there is no checkpoint before the last", folder.name())))
}

/// Removes all but the newest two. What cannot be removed stays: it does no harm.
fn forget_old(folder: &Folder, newest: u64) {
    for number in generations(folder) {
        if number + 1 < newest || number > newest {
            let _ = fs::remove_dir_all(generation(folder, number));
        }
    }
    let Ok(entries) = fs::read_dir(folder.join("checkpoint")) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().ends_with(".partial")) {
        let _ = fs::remove_file(entry.path());
    }
}
