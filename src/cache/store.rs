//! A cache: its folder and its settings.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::permissions;
use crate::capabilities::{Access, Capabilities, DirGrant};
use crate::error::{Error, ErrorKind, Result};

/// The size limit of a cache in bytes, unless [`Cache::with_max_bytes`] sets another: 1 GiB.
pub const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// Compiled code in a folder, shared by any number of processes. See the [module](crate::cache).
///
/// Nothing in the folder can make a call fail. A module whose entry is unreadable or damaged is compiled again and its entry
/// replaced; a failure to write an entry is logged with [`tracing`].
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
    max_bytes: u64,
    pub(super) label: Option<String>,
}

impl Cache {
    /// Opens the cache in `dir`. Creates the folder if it does not exist, with access for this user only.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UnsupportedConfig`] if the folder cannot be created, belongs to another user, or is writable by
    /// others.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        if let Some(cache) = Self::existing(&dir)? {
            return Ok(cache);
        }
        let created = permissions::create_folder(&dir).and_then(|()| permissions::check_folder(&dir));
        created.map_err(|error| unusable(&dir, error))?;
        Ok(Self { dir, max_bytes: DEFAULT_MAX_BYTES, label: None })
    }

    /// Opens the cache in `dir` if that exists.
    ///
    /// # Errors
    /// Those of [`Cache::open`].
    pub fn existing(dir: impl Into<PathBuf>) -> Result<Option<Self>> {
        let dir = dir.into();
        match permissions::check_folder(&dir) {
            Ok(()) => Ok(Some(Self { dir, max_bytes: DEFAULT_MAX_BYTES, label: None })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&dir, error)),
        }
    }

    /// Sets the size limit in bytes. If a new entry would exceed it, the least recently used entries are removed.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the module name that the metadata of new entries shows.
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// Returns the folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the size limit in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Checks that no grant lets a guest plant code in this cache: if this thread can ignore file modes, as root can, a
    /// writable directory must neither contain the cache nor be inside it. Other guests cannot write to entries (see the
    /// [module](crate::cache)).
    ///
    /// [`Session::prepare`](crate::session::Session::prepare) calls this for its own cache.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Grant`] if a grant does.
    pub fn check_grants(&self, capabilities: &Capabilities) -> Result<()> {
        Self::check_grants_at(&self.dir, capabilities)
    }

    /// Like [`Cache::check_grants`], for a cache folder that need not exist: another process may create it while the guest
    /// runs.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Grant`] if a grant lets a guest plant code in the cache.
    pub fn check_grants_at(dir: &Path, capabilities: &Capabilities) -> Result<()> {
        let mut writable = capabilities.dirs.iter().filter(|dir| dir.access == Access::ReadWrite).peekable();
        if writable.peek().is_none() || !permissions::guests_ignore_modes() {
            return Ok(());
        }
        let cache = resolve_future(dir);
        let contains = |granted: &Path| {
            // A broken link in its path leaves the location of the cache unknown.
            cache.as_ref().is_none_or(|cache| cache.starts_with(granted) || granted.starts_with(cache))
        };
        for DirGrant { host, .. } in writable {
            // A missing directory cannot be granted.
            if host.canonicalize().is_ok_and(|granted| contains(&granted)) {
                let (granted, cache) = (host.display(), dir.display());
                let message = format!(
                    "granting {granted} would let a guest that runs as root write to the cache of compiled code, {cache}"
                );
                let error = Error::new(ErrorKind::Grant, message);
                return Err(error.with_hint(format!("grant it read-only: `--dir {granted}::ro`")));
            }
        }
        Ok(())
    }

    /// Makes the calling thread, and those it starts, obey file modes even if the user is root: drops `CAP_DAC_OVERRIDE`. Its
    /// guests can then be granted a directory that contains a cache. They can no longer write to files whose mode forbids it.
    /// They can also no longer read files or list and enter directories whose mode forbids it, unless the process has
    /// `CAP_DAC_READ_SEARCH`, which container engines usually take away.
    ///
    /// # Errors
    /// Returns the system's error, or [`io::ErrorKind::Unsupported`] if the system is not Linux.
    pub fn obey_file_modes() -> io::Result<()> {
        permissions::obey_modes()
    }

    /// Returns the error for an operation on the folder that failed.
    pub(super) fn failure(&self, operation: &str, error: io::Error) -> Error {
        let message = format!("cannot {operation} the cache directory {}: {error}", self.dir.display());
        Error::new(ErrorKind::Io, message).with_source(error)
    }
}

/// Returns a path as an absolute path without links, even if it does not exist yet. Returns `None` if the path has a broken
/// link, or `..` in a missing directory.
fn resolve_future(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let existing = path.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok())?;
    let missing = path.strip_prefix(existing).ok()?;
    let is_plain = missing.components().all(|component| matches!(component, Component::Normal(_)));
    let existing = existing.canonicalize().ok().filter(|_| is_plain)?;
    Some(existing.join(missing))
}

fn unusable(dir: &Path, error: io::Error) -> Error {
    let message = format!("cannot use the cache directory {}: {error}", dir.display());
    let hint = "it must belong to the user who runs wrun, and only its owner may write to it";
    let is_unsafe = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    let error = Error::new(ErrorKind::UnsupportedConfig, message).with_source(error);
    if is_unsafe { error.with_hint(hint) } else { error }
}
