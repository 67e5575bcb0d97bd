//! Whether a run can fit in memory, before it is started.

use crate::error::Error;
use elman_engine::Network;

/// Refuses a run whose parameters (packed, and with a gradient) and outputs alone exceed the memory that is free.
///
/// Does not count work memory, so a run that is let through may still be too large.
pub fn refuse_too_much(network: &Network, steps: usize, batch: usize, bytes: usize) -> Result<(), Error> {
    let parameters: u128 = network.parameters().iter().map(|t| product(&t.shape)).sum();
    // Memories are taken to have as many slots as steps.
    let given = network.inputs().iter().chain(network.memories());
    let units: u128 = given.map(|t| product(&t.shape)).sum::<u128>() + network.output_size() as u128;
    let needed = (3 * parameters).saturating_add(units.saturating_mul(product(&[steps, batch])));
    refuse_bytes(needed.saturating_mul(bytes as u128), "")
}

/// Refuses what needs more bytes than are free; `way` says what to do then.
pub fn refuse_bytes(needed: u128, way: &str) -> Result<(), Error> {
    match available() {
        Some(free) if needed > free => {
            let gigabytes = |n: u128| n as f64 / 1e9;
            let (needed, free) = (gigabytes(needed), gigabytes(free));
            let way = if way.is_empty() { String::new() } else { format!("; {way}") };
            Err(Error::Refused(format!("this needs at least {needed:.1} GB of memory, {free:.1} GB are free{way}")))
        }
        None if needed > isize::MAX as u128 => {
            Err(Error::Refused("this needs more memory than can be addressed".into()))
        }
        _ => Ok(()),
    }
}

fn product(sizes: &[usize]) -> u128 {
    sizes.iter().fold(1, |n: u128, &s| n.saturating_mul(s as u128))
}

/// Bytes that can be had without swapping, and no more than a container is allowed, where the system tells.
fn available() -> Option<u128> {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let free = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
        let kibibytes: u128 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    });
    // Version 2 of control groups, then version 1; "max" is no number, and no limit.
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let allowed = limits.into_iter().filter_map(|file| read(file)?.trim().parse().ok());
    free.into_iter().chain(allowed).min()
}
