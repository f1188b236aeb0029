//! What keeps a cache in order: its bound, and what people ask of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blake3::Hash;
use serde::Serialize;

use super::format;
use super::metadata::{EntryMetadata, unix};
use super::size_log::SizeLog;
use super::store::Cache;
use crate::error::{Error, ErrorKind, Result};

/// What names of entries end in, after the key.
const ENDING: &str = ".code";
/// For how long nothing was written to a temporary file that no process still writes to.
const ABANDONED: Duration = Duration::from_mins(10);
/// How much later than now something may have been used, as clocks of file servers go. What was used later yet tells of a clock
/// that was put back, and nothing of when it was used.
const LATER: Duration = Duration::from_mins(10);
/// After how many new entries the folder is looked through though there seems to be room.
const RECOUNT: u64 = 256;

/// An format, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Listed {
    /// Its key, in hexadecimal digits.
    pub key: String,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// When it was last used, in seconds since 1970, to ten minutes.
    pub used_unix: u64,
    /// What it tells of itself; `None` where it cannot be read.
    pub about: Option<EntryMetadata>,
}

/// An entry that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// Its key, in hexadecimal digits.
    pub key: String,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// Why it is not used; `None` where nothing is wrong with it.
    pub fault: Option<String>,
}

/// What was removed, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// How many entries were removed.
    pub removed: u64,
    /// How many bytes they took, together with what interrupted processes left.
    pub removed_bytes: u64,
    /// How many entries are left.
    pub kept: u64,
    /// How many bytes they take.
    pub kept_bytes: u64,
}

/// A file of a cache.
struct Found {
    path: PathBuf,
    /// The key of an format; a temporary file has none.
    key: Option<Hash>,
    bytes: u64,
    modified: SystemTime,
}

impl Cache {
    /// Its entries, what was used last first.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the folder cannot be read.
    pub fn entries(&self) -> Result<Vec<Listed>> {
        let mut found = self.scan()?;
        found.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let listed = found.into_iter().filter_map(|file| {
            let key = file.key?.to_hex().to_string();
            Some(Listed {
                key,
                bytes: file.bytes,
                used_unix: unix(file.modified),
                about: format::about(&file.path).ok(),
            })
        });
        Ok(listed.collect())
    }

    /// Reads every entry to its last byte, and tells which are not as they were written.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the folder cannot be read.
    pub fn verify(&self) -> Result<Vec<Checked>> {
        let checked = self.scan()?.into_iter().filter_map(|file| {
            let key = file.key?;
            let fault = match format::load(&file.path, key) {
                // Another process removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
                loaded => loaded.err().map(|error| error.to_string()),
            };
            Some(Checked { key: key.to_hex().to_string(), bytes: file.bytes, fault })
        });
        Ok(checked.collect())
    }

    /// Removes the entry of this key, where it is there.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where that is no key, [`ErrorKind::Internal`] where it cannot be removed.
    pub fn remove(&self, key: &str) -> Result<()> {
        let hash = Hash::from_hex(key)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("`{key}` is no key of an entry")))?;
        let path = self.dir().join(file_name(hash));
        remove(&path).map_err(|error| self.failed("remove an entry from", error))
    }

    /// Removes what was not used for longest, until the rest takes no more than `max_bytes`; and what interrupted processes
    /// left.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the folder cannot be read or an entry cannot be removed.
    pub fn prune(&self, max_bytes: u64) -> Result<Pruned> {
        let size_log = SizeLog::open(self.dir(), false).and_then(|size_log| size_log.lock().map(|()| size_log));
        let (pruned, left) = self.evict(max_bytes, max_bytes)?;
        if let Ok(size_log) = size_log {
            size_log.begin(left);
        }
        pruned
    }

    /// Removes every format, and what interrupted processes left.
    ///
    /// # Errors
    /// As [`Cache::prune`].
    pub fn clear(&self) -> Result<Pruned> {
        self.prune(0)
    }

    /// Holds the bound, before an entry of this many bytes is added: what is interrupted while it writes is accounted for.
    /// Nobody waits for another process that is at it, and nothing that goes wrong is of interest to whoever wants to run a
    /// module.
    pub(super) fn make_room(&self, for_entry: u64) {
        let size_log = SizeLog::open(self.dir(), true).ok();
        let known = size_log.as_ref().and_then(SizeLog::read);
        if let (Some(size_log), Some(known)) = (&size_log, known)
            && size_log.add(for_entry).is_ok()
            && known.added < RECOUNT
            && known.bytes.saturating_add(for_entry) <= self.max_bytes()
        {
            return;
        }
        if size_log.as_ref().is_some_and(|size_log| !size_log.try_lock()) {
            return;
        }
        // Down to less than the bound, so that not each entry from now on has the folder looked through.
        let room = self.max_bytes().saturating_sub(for_entry);
        let evicted = self.evict(room, room.min(self.max_bytes() - self.max_bytes() / 8));
        if let (Some(size_log), Ok((_, left))) = (&size_log, evicted) {
            size_log.begin(left.saturating_add(for_entry));
        }
    }

    /// Where entries, and what may become one, take more than `max_bytes`, removes the oldest entries until they take no more
    /// than `target`. What came of it, or why not all of it could be done; and how many bytes there still are.
    fn evict(&self, max_bytes: u64, target: u64) -> Result<(Result<Pruned>, u64)> {
        let mut found = self.scan()?;
        found.sort_by_key(|file| file.modified);
        let mut left: u64 = found.iter().map(|file| file.bytes).sum();
        let mut pruned = Pruned::default();
        let mut failed = None;
        // Entries of no bytes are none, but go with the others.
        let too_many = left > max_bytes || max_bytes == 0;
        for file in &found {
            let goes = match file.key {
                Some(_) => too_many && (left > target || target == 0),
                None => file.modified.elapsed().is_ok_and(|age| age > ABANDONED),
            };
            let removed = if goes { remove(&file.path) } else { Ok(()) };
            match (file.key, removed) {
                (key, Ok(())) if goes => {
                    pruned.removed += u64::from(key.is_some());
                    pruned.removed_bytes += file.bytes;
                    left -= file.bytes;
                }
                (key, removed) => {
                    if key.is_some() {
                        pruned.kept += 1;
                        pruned.kept_bytes += file.bytes;
                    }
                    failed = failed.or(removed.err());
                }
            }
        }
        let pruned = failed.map_or(Ok(pruned), |error| Err(self.failed("remove an entry from", error)));
        Ok((pruned, left))
    }

    /// The entries, and what may become one.
    fn scan(&self) -> Result<Vec<Found>> {
        let failed = |error| self.failed("read", error);
        let latest = SystemTime::now() + LATER;
        let mut found = Vec::new();
        for file in fs::read_dir(self.dir()).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let Some(name) = name.to_str() else { continue };
            let key = name.strip_suffix(ENDING).and_then(|key| Hash::from_hex(key).ok());
            if key.is_none() && !name.starts_with(format::TEMPORARY) {
                continue;
            }
            // Gone meanwhile, if not.
            if let Ok(metadata) = file.metadata() {
                let modified = metadata.modified().ok().filter(|time| *time <= latest);
                let modified = modified.unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(Found { path: file.path(), key, bytes: metadata.len(), modified });
            }
        }
        Ok(found)
    }

    fn failed(&self, what: &str, error: io::Error) -> Error {
        let message = format!("cannot {what} the cache folder {}: {error}", self.dir().display());
        Error::new(ErrorKind::Internal, message).with_source(error)
    }
}

/// The name of an entry's file.
pub(super) fn file_name(key: Hash) -> String {
    format!("{}{ENDING}", key.to_hex())
}

/// Removes what is at the place of an format, whatever it is; nothing is as well.
fn remove(path: &Path) -> io::Result<()> {
    let removed = fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::IsADirectory => fs::remove_dir_all(path),
        _ => Err(error),
    });
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
