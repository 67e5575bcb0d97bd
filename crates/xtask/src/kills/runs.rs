//! One run, straight or killed, and what it leaves.

use super::left::{unnamed, writing};
use super::{KillsError, io};
use crate::random::Random;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Settings that all variants have.
const COMMON: &str = "--data made.txt --batch 4 --steps 9 --epochs 3 --evaluate-every 17 --eval-batch 3";
/// Lines of the text.
const LINES: usize = 300;
/// Kills come so long after a start, every order of magnitude as often as another.
const SOONEST: f64 = 0.002;
const LATEST: f64 = 2.0;
/// No run here takes so long.
const LIMIT: Duration = Duration::from_secs(300);
/// Between two looks at a run that is to be killed in a write.
const LOOK: Duration = Duration::from_micros(50);
/// The verdict on runs that have nothing to tell them apart.
pub const EQUAL: &str = "equal";

/// A model and a way to train it.
pub struct Variant {
    pub name: &'static str,
    pub flags: &'static str,
}

/// Where runs are made, and with what.
pub struct Place {
    pub program: PathBuf,
    pub folder: PathBuf,
}

/// What a finished run left.
pub struct What {
    pub sha256: String,
    metrics: Vec<serde_json::Value>,
    /// Something half written is among it.
    half: bool,
}

impl What {
    /// Whether both are the same, in words.
    pub fn against(&self, other: &What) -> &'static str {
        match () {
            () if self.sha256 != other.sha256 => "DIFFERENT MODEL",
            () if self.metrics != other.metrics || self.metrics.is_empty() => "DIFFERENT METRICS",
            () if self.half || other.half => "HALF WRITTEN FILES ARE LEFT",
            () => EQUAL,
        }
    }
}

/// A run that was killed and resumed to its end.
pub struct Killed {
    pub what: What,
    pub kills: usize,
    pub in_writes: usize,
    pub unnamed: usize,
}

impl Place {
    /// Makes the text.
    pub fn write_text(&self, random: &mut Random) -> Result<(), KillsError> {
        fs::write(self.folder.join("made.txt"), random.text(LINES)).map_err(io("the text"))
    }

    /// A run that nobody stops.
    pub fn straight(&self, variant: &Variant, threads: usize) -> Result<What, KillsError> {
        let out = format!("{}-{threads}", variant.name);
        let command = format!("train lm {COMMON} {} --threads {threads} --out {out}", variant.flags);
        let child = self.start(&command)?;
        self.end(child, &command)?;
        self.what(&out)
    }

    /// A run that is killed at most `most` times, and resumed till it ends by itself.
    pub fn killed(
        &self,
        variant: &Variant,
        run: usize,
        most: usize,
        random: &mut Random,
    ) -> Result<Killed, KillsError> {
        let name = format!("{}-killed-{run}", variant.name);
        let out = self.folder.join(&name);
        let (mut kills, mut in_writes, mut without_name) = (0, 0, 0);
        for start in 0.. {
            let threads = 1 + (run + start) % 2;
            let command = match out.exists() {
                true => format!("resume {name} --threads {threads}"),
                false => format!(
                    "train lm {COMMON} {} --checkpoint-seconds 0 --threads {threads} --out {name}",
                    variant.flags
                ),
            };
            let mut child = self.start(&command)?;
            if kills == most || !strike(&mut child, &out, random)? {
                self.end(child, &command)?;
                break;
            }
            kills += 1;
            in_writes += usize::from(writing(&out));
            without_name += usize::from(unnamed(&out));
        }
        let what = self.what(&name)?;
        fs::remove_dir_all(&out).map_err(io(name))?;
        Ok(Killed { what, kills, in_writes, unnamed: without_name })
    }

    fn start(&self, command: &str) -> Result<Child, KillsError> {
        let said = File::create(self.said()).map_err(io("the log"))?;
        let mut program = Command::new(&self.program);
        program.args(command.split_whitespace()).current_dir(&self.folder).env_remove("ELMAN_ISA");
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        program.spawn().map_err(io(self.program.display().to_string()))
    }

    fn said(&self) -> PathBuf {
        self.folder.join("said")
    }

    /// Waits for a good end.
    fn end(&self, mut child: Child, command: &str) -> Result<(), KillsError> {
        let began = Instant::now();
        loop {
            let status = match child.try_wait().map_err(io(command))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => status.to_string(),
                None if began.elapsed() > LIMIT => {
                    child.kill().map_err(io(command))?;
                    "it did not end".into()
                }
                None => {
                    sleep(Duration::from_millis(5));
                    continue;
                }
            };
            let said = fs::read_to_string(self.said()).unwrap_or_default();
            let said = format!("{status}: {}", said.lines().last().unwrap_or_default());
            return Err(KillsError::Failed { command: command.into(), said });
        }
    }

    fn what(&self, name: &str) -> Result<What, KillsError> {
        let out = self.folder.join(name);
        let model = fs::read(out.join("model.safetensors")).map_err(io(format!("{name}: model.safetensors")))?;
        let mut sha256 = String::new();
        for byte in Sha256::digest(&model) {
            // A `String` takes everything.
            let _ = write!(sha256, "{byte:02x}");
        }
        let text = fs::read_to_string(out.join("metrics.jsonl")).map_err(io(format!("{name}: metrics.jsonl")))?;
        Ok(What { sha256, metrics: text.lines().map(without_times).collect(), half: writing(&out) })
    }
}

/// Kills after a random time, or then as soon as a file is being written; false if it had ended by itself.
fn strike(child: &mut Child, out: &Path, random: &mut Random) -> Result<bool, KillsError> {
    let aimed = random.below(3) == 0;
    sleep(Duration::from_secs_f64(SOONEST * (LATEST / SOONEST).powf(random.share())));
    let ended = |child: &mut Child| child.try_wait().map(|s| s.is_some()).map_err(io("waiting"));
    while aimed && !writing(out) && !ended(child)? {
        sleep(LOOK);
    }
    if ended(child)? {
        return Ok(false);
    }
    child.kill().map_err(io("killing"))?;
    let status = child.wait().map_err(io("waiting"))?;
    // It may have ended between the look and the kill.
    Ok(status.code().is_none())
}

/// A line of metrics without what depends on the clock on the wall.
fn without_times(line: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| format!("{line}: {e}").into());
    if let Some(object) = value.as_object_mut() {
        object.remove("seconds");
        object.remove("tokens_per_second");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(sha256: &str, line: &str, half: bool) -> What {
        What { sha256: sha256.into(), metrics: vec![without_times(line)], half }
    }

    #[test]
    fn only_times_may_differ() {
        let line = r#"{"step":3,"valid_loss":2.5,"seconds":1.5,"tokens_per_second":7}"#;
        let later = r#"{"step":3,"valid_loss":2.5,"seconds":9.5,"tokens_per_second":1}"#;
        let other = r#"{"step":3,"valid_loss":2.6,"seconds":1.5,"tokens_per_second":7}"#;
        let straight = what("a", line, false);
        assert_eq!(straight.against(&what("a", later, false)), EQUAL);
        assert_ne!(straight.against(&what("b", line, false)), EQUAL);
        assert_ne!(straight.against(&what("a", other, false)), EQUAL);
        assert_ne!(straight.against(&what("a", line, true)), EQUAL);
    }
}
