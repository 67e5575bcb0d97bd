//! The baselines on real data. Needs the variable ELMAN_DATA: a folder with `sst/`, `trec/`, `splice/` and the like; run with
//! `--nocapture` to see the figures.

mod crf;
mod ngrams;

use std::io::Read;
use std::path::PathBuf;

/// The bytes of a file of the data folder as text, or none with a line that says what is missing.
fn read(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("ELMAN_DATA").map(PathBuf::from) else {
        eprintln!("skipped: ELMAN_DATA is not set (a folder with {name} and its like)");
        return None;
    };
    match std::fs::read(folder.join(name)) {
        Ok(bytes) if name.ends_with(".gz") => {
            let mut text = String::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
            Some(text)
        }
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => {
            eprintln!("skipped: {} is missing", folder.join(name).display());
            None
        }
    }
}
