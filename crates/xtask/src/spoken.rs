//! `cargo xtask spoken FOLDER [--count N]`: strings of one to six digits, said by ten voices of `espeak-ng`, for
//! `elman train label --ctc`.
//!
//! Writes `train.csv` (seven voices), `valid.csv` (an eighth) and `test.csv` (two others), each with the columns `file` and
//! `digits`, and the WAV files beside them: N of each voice. Speed and pitch change from string to string; everything follows
//! from the voices' names and the program's version. Needs `espeak-ng` (`apt-get install espeak-ng`).

use crate::random::Random;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
/// Digits of the longest string.
const LONGEST: usize = 6;
/// Voices of each part: no voice is in two.
const PARTS: [(&str, &[&str]); 3] = [
    ("train", &["en-us+m1", "en-gb+m3", "en-us+f1", "en-gb+f2", "en-gb-scotland+m2", "en-us+m7", "en-gb-x-rp+f5"]),
    ("valid", &["en-us+f3"]),
    ("test", &["en-gb+m5", "en-us+f4"]),
];

pub fn report(arguments: &[String]) -> ExitCode {
    let (folder, count) = match arguments {
        [folder] => (folder, 200),
        [folder, flag, count] if flag == "--count" => match count.parse() {
            Ok(count) if (1..=100_000).contains(&count) => (folder, count),
            _ => return usage(),
        },
        _ => return usage(),
    };
    match PARTS.iter().try_for_each(|(part, voices)| make(Path::new(folder), part, voices, count)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: cargo xtask spoken FOLDER [--count N]");
    ExitCode::from(2)
}

/// A table and its sounds.
fn make(folder: &Path, part: &str, voices: &[&str], count: usize) -> Result<(), String> {
    let sounds = folder.join(part);
    std::fs::create_dir_all(&sounds).map_err(|e| format!("{}: {e}", sounds.display()))?;
    let mut table = String::from("file,digits\n");
    for voice in voices {
        let seed = voice.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(257).wrapping_add(byte.into()));
        let mut random = Random::new(seed);
        for k in 0..count {
            let digits: Vec<usize> = (0..=random.below(LONGEST)).map(|_| random.below(10)).collect();
            let (speed, pitch) = (130 + random.below(71), 30 + random.below(41));
            let words: Vec<&str> = digits.iter().map(|d| DIGITS[*d]).collect();
            let name = format!("{voice}-{k}.wav");
            say(voice, [speed, pitch], &words.join(" "), &sounds.join(&name))?;
            let digits: String = digits.iter().map(usize::to_string).collect();
            // A `String` takes everything.
            let _ = writeln!(table, "{part}/{name},{digits}");
        }
    }
    let file: PathBuf = folder.join(format!("{part}.csv"));
    std::fs::write(&file, table).map_err(|e| format!("{}: {e}", file.display()))
}

fn say(voice: &str, [speed, pitch]: [usize; 2], words: &str, file: &Path) -> Result<(), String> {
    let numbers = [speed, pitch].map(|n| n.to_string());
    let mut command = Command::new("espeak-ng");
    command.args(["-v", voice, "-s", &numbers[0], "-p", &numbers[1], "-w"]).arg(file).arg(words);
    let output = command.output().map_err(|e| format!("espeak-ng: {e}; `apt-get install espeak-ng` brings it"))?;
    match output.status.success() && file.is_file() {
        true => Ok(()),
        false => Err(format!("espeak-ng -v {voice}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
