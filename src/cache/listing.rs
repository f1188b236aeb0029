//! Listing, verifying and removing entries.

use std::cmp::Reverse;
use std::io;

use blake3::Hash;
use serde::Serialize;

use super::metadata::{EntryMetadata, unix_seconds};
use super::store::Cache;
use super::{folder, format};
use crate::error::{Error, ErrorKind, Result};

/// An entry as [`Cache::entries`] lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedEntry {
    /// Its key, in hexadecimal digits.
    pub key: String,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// When it was last used, in seconds since 1970, accurate to ten minutes.
    pub used_unix: u64,
    /// Its metadata; `None` if it cannot be read.
    pub about: Option<EntryMetadata>,
}

/// An entry as [`Cache::verify`] found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifiedEntry {
    /// Its key, in hexadecimal digits.
    pub key: String,
    /// The size of its file in bytes.
    pub bytes: u64,
    /// Why the cache does not use it; `None` if it is intact.
    pub fault: Option<String>,
}

impl Cache {
    /// Lists the entries, most recently used first.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Io`] if the folder cannot be read.
    pub fn entries(&self) -> Result<Vec<ListedEntry>> {
        let mut files = folder::scan(self.dir()).map_err(|error| self.failure("read", error))?;
        files.sort_by_key(|file| Reverse(file.modified));
        let listed = files.into_iter().filter_map(|file| {
            Some(ListedEntry {
                key: file.key?.to_hex().to_string(),
                bytes: file.bytes,
                used_unix: unix_seconds(file.modified),
                about: format::read_metadata(&file.path).ok(),
            })
        });
        Ok(listed.collect())
    }

    /// Reads every entry completely and reports which ones are damaged.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Io`] if the folder cannot be read.
    pub fn verify(&self) -> Result<Vec<VerifiedEntry>> {
        let files = folder::scan(self.dir()).map_err(|error| self.failure("read", error))?;
        let verified = files.into_iter().filter_map(|file| {
            let key = file.key?;
            let fault = match format::load(&file.path, key) {
                // Another process has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
                loaded => loaded.err().map(|error| error.to_string()),
            };
            Some(VerifiedEntry { key: key.to_hex().to_string(), bytes: file.bytes, fault })
        });
        Ok(verified.collect())
    }

    /// Removes the entry with this key. Succeeds if there is none.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidArgument`] if `key` is not a key, and [`ErrorKind::Io`] if the entry cannot be removed.
    pub fn remove(&self, key: &str) -> Result<()> {
        let hash = Hash::from_hex(key)
            .map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("invalid cache key `{key}`")))?;
        let path = folder::entry_path(self.dir(), hash);
        folder::remove(&path).map_err(|error| self.failure("remove an entry from", error))
    }
}
