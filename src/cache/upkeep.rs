//! What keeps a cache in order: its bound, and what people ask of it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blake3::Hash;
use serde::Serialize;

use super::entry;
use super::label::{About, unix};
use super::store::Cache;
use crate::error::{Error, ErrorKind, Result};

/// What names of entries end in, after the key.
const ENDING: &str = ".code";
/// The file that whoever removes entries holds a lock on. It says how many bytes there are, as far as is known.
const LEDGER: &str = "ledger";
/// How old a temporary file is that no process still writes to.
const ABANDONED: Duration = Duration::from_hours(1);
/// After how many new entries the folder is looked through though there seems to be room.
const RECOUNT: u64 = 256;

/// An entry, as it is listed.
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
    pub about: Option<About>,
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
    /// The key of an entry; a temporary file has none.
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
                about: entry::about(&file.path).ok(),
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
            let fault = match entry::load(&file.path, key) {
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
        let ledger = self.ledger().and_then(|file| file.lock().map(|()| file));
        let pruned = self.evict(max_bytes, max_bytes)?;
        if let Ok(ledger) = ledger {
            note(&ledger, pruned.kept_bytes, 0);
        }
        Ok(pruned)
    }

    /// Removes every entry, and what interrupted processes left.
    ///
    /// # Errors
    /// As [`Cache::prune`].
    pub fn clear(&self) -> Result<Pruned> {
        self.prune(0)
    }

    /// Holds the bound, after an entry of this many bytes was added. Nobody waits for another process that is at it, and
    /// nothing that goes wrong is of interest to whoever wants to run a module.
    pub(super) fn make_room(&self, added: u64) {
        let Ok(ledger) = self.ledger() else { return };
        if let Err(TryLockError::WouldBlock) = ledger.try_lock() {
            return;
        }
        let (total, entries) = read(&ledger).unwrap_or((u64::MAX, RECOUNT));
        let (total, entries) = (total.saturating_add(added), entries.saturating_add(1));
        if total <= self.max_bytes() && entries < RECOUNT {
            return note(&ledger, total, entries);
        }
        // Down to less than the bound, so that not each entry from now on has the folder looked through.
        if let Ok(pruned) = self.evict(self.max_bytes(), self.max_bytes() - self.max_bytes() / 8) {
            note(&ledger, pruned.kept_bytes, 0);
        }
    }

    /// Where entries take more than `max_bytes`, removes the oldest until they take no more than `target`.
    fn evict(&self, max_bytes: u64, target: u64) -> Result<Pruned> {
        let mut found = self.scan()?;
        found.sort_by_key(|file| file.modified);
        let mut pruned = Pruned::default();
        for file in &found {
            if file.key.is_some() {
                pruned.kept += 1;
                pruned.kept_bytes += file.bytes;
            }
        }
        // Entries of no bytes are none, but go with the others.
        let too_many = pruned.kept_bytes > max_bytes || max_bytes == 0;
        for file in &found {
            let goes = match file.key {
                Some(_) => too_many && (pruned.kept_bytes > target || target == 0),
                None => file.modified.elapsed().is_ok_and(|age| age > ABANDONED),
            };
            if goes {
                remove(&file.path).map_err(|error| self.failed("remove an entry from", error))?;
                pruned.removed_bytes += file.bytes;
                if file.key.is_some() {
                    pruned.removed += 1;
                    pruned.kept -= 1;
                    pruned.kept_bytes -= file.bytes;
                }
            }
        }
        Ok(pruned)
    }

    /// The entries, and what may become one.
    fn scan(&self) -> Result<Vec<Found>> {
        let failed = |error| self.failed("read", error);
        let mut found = Vec::new();
        for file in fs::read_dir(self.dir()).map_err(failed)? {
            let file = file.map_err(failed)?;
            let name = file.file_name();
            let Some(name) = name.to_str() else { continue };
            let key = name.strip_suffix(ENDING).and_then(|key| Hash::from_hex(key).ok());
            if key.is_none() && !name.starts_with(entry::TEMPORARY) {
                continue;
            }
            // Gone meanwhile, if not.
            if let Ok(metadata) = file.metadata() {
                let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(Found { path: file.path(), key, bytes: metadata.len(), modified });
            }
        }
        Ok(found)
    }

    fn ledger(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.dir().join(LEDGER))
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

/// Removes what is at the place of an entry, whatever it is; nothing is as well.
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

/// What the ledger says: the bytes there are, and how many entries were added since they were counted.
fn read(mut ledger: &File) -> Option<(u64, u64)> {
    let mut bytes = Vec::new();
    ledger.read_to_end(&mut bytes).ok()?;
    match bytes.as_chunks::<8>() {
        ([total, entries], []) => Some((u64::from_le_bytes(*total), u64::from_le_bytes(*entries))),
        _ => None,
    }
}

/// Where this fails, the next one counts.
fn note(mut ledger: &File, total: u64, entries: u64) {
    let numbers = [total, entries].map(u64::to_le_bytes);
    let _ = ledger.rewind().and_then(|()| ledger.write_all(numbers.as_flattened()));
}
