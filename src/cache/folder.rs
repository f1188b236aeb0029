//! The files in a cache folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blake3::Hash;

/// The end of an entry's file name, after its key.
const SUFFIX: &str = ".code";
/// The start of a temporary file's name. A complete file is renamed.
pub(super) const TEMPORARY: &str = ".new-";
/// How far in the future a modification time may be, since clocks of file servers differ. A later time means that
/// the clock was set back since, so it does not tell the last use.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(10);

/// A file of a cache.
pub(super) struct CacheFile {
    pub(super) path: PathBuf,
    /// The key of an entry; `None` for a temporary file.
    pub(super) key: Option<Hash>,
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
}

/// Lists the entries and temporary files in a folder.
pub(super) fn scan(folder: &Path) -> io::Result<Vec<CacheFile>> {
    let latest = SystemTime::now() + CLOCK_TOLERANCE;
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name();
        let Some(name) = name.to_str() else { continue };
        let key = name.strip_suffix(SUFFIX).and_then(|key| Hash::from_hex(key).ok());
        if key.is_none() && !name.starts_with(TEMPORARY) {
            continue;
        }
        // If this fails, another process has removed the file.
        if let Ok(metadata) = file.metadata() {
            let modified = metadata.modified().ok().filter(|time| *time <= latest);
            let modified = modified.unwrap_or(SystemTime::UNIX_EPOCH);
            files.push(CacheFile { path: file.path(), key, bytes: metadata.len(), modified });
        }
    }
    Ok(files)
}

/// Returns the path of an entry's file.
pub(super) fn entry_path(folder: &Path, key: Hash) -> PathBuf {
    folder.join(format!("{}{SUFFIX}", key.to_hex()))
}

/// Removes a file, or a directory that is in its place. Succeeds if there is neither.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::IsADirectory => fs::remove_dir_all(path),
        _ => Err(error),
    });
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
