//! What stands in the folder of a run half written.

use std::fs;
use std::path::Path;

/// Whether a file or folder of the run `out` has not got its name, or a checkpoint is not pointed to yet.
pub fn writing(out: &Path) -> bool {
    partial(out.parent(), out.file_name().and_then(|n| n.to_str())) || partial(Some(out), None) || in_checkpoint(out)
}

/// Whether the folder itself has not got its name yet.
pub fn unnamed(out: &Path) -> bool {
    !out.exists() && partial(out.parent(), out.file_name().and_then(|n| n.to_str()))
}

fn in_checkpoint(out: &Path) -> bool {
    let folder = out.join("checkpoint");
    let latest = fs::read_to_string(folder.join("latest")).ok().and_then(|t| t.trim().parse::<u64>().ok());
    let Ok(entries) = fs::read_dir(&folder) else { return false };
    entries.flatten().any(|e| {
        let name = e.file_name().to_string_lossy().into_owned();
        let number: Option<u64> = name.parse().ok();
        name.ends_with(".partial")
            || number.is_some_and(|n| latest.is_none_or(|l| n > l) || partial(Some(&e.path()), None))
    })
}

/// Whether something in `folder` (of that name) is not whole.
fn partial(folder: Option<&Path>, of: Option<&str>) -> bool {
    let Some(Ok(entries)) = folder.map(fs::read_dir) else { return false };
    let begin = of.map_or(String::from("."), |name| format!(".{name}."));
    entries.flatten().any(|e| {
        let name = e.file_name();
        let name = name.to_string_lossy();
        name.starts_with(&begin) && name.ends_with(".partial")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_write_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("r");
        fs::create_dir_all(out.join("checkpoint/4")).unwrap();
        fs::write(out.join("checkpoint/latest"), "4\n").unwrap();
        fs::write(folder.path().join(".r2.5.partial"), "").unwrap();
        assert!(!writing(&out));
        for name in [
            "r/.model.safetensors.5.partial",
            "r/checkpoint/.latest.5.partial",
            "r/checkpoint/4/.a.5.partial",
            ".r.5.partial",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
            assert!(writing(&out), "{name}");
            assert!(!unnamed(&out));
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        fs::create_dir(out.join("checkpoint/5")).unwrap();
        assert!(writing(&out));
        fs::remove_dir_all(&out).unwrap();
        assert!(!writing(&out) && !unnamed(&out));
        fs::write(folder.path().join(".r.5.partial"), "").unwrap();
        assert!(unnamed(&out));
    }
}
