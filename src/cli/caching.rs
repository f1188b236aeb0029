//! Which cache is in force: the flag's folder, else the environment's, else the user's own.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use wrun::cache::DEFAULT_MAX_BYTES;
use wrun::{Cache, Capabilities};

use super::args::FolderArgs;
use super::failure::Failure;
use super::parse_values;
use super::provenance::{Provenance, Sourced};

/// The cache in force, not looked at yet.
#[derive(Debug)]
pub(crate) struct Caching {
    /// Its folder; none where there is to be no cache, or nowhere to put one.
    pub(crate) folder: Sourced<Option<PathBuf>>,
    /// The folder of other runs, where this one is to have no cache.
    of_others: Option<PathBuf>,
    pub(crate) max_bytes: u64,
}

impl Caching {
    /// The cache that flags and environment say.
    ///
    /// # Errors
    /// A usage failure where `WRUN_CACHE_SIZE` is no size.
    pub(crate) fn resolve(no_cache: bool, flag: &FolderArgs) -> Result<Self, Failure> {
        let max_bytes = match text("WRUN_CACHE_SIZE") {
            Some(size) if !no_cache => {
                let size = size.into_string().map_err(|_| "not UTF-8".to_owned());
                let bytes = size.and_then(|size| parse_values::parse_size(&size));
                bytes.map_err(|why| Failure::usage(format!("WRUN_CACHE_SIZE: {why}")))?
            }
            _ => DEFAULT_MAX_BYTES,
        };
        let environment = || text("WRUN_CACHE_DIR").map(PathBuf::from);
        let folder = match (&flag.cache_dir, environment()) {
            (Some(dir), _) => Sourced { value: Some(dir.clone()), from: Provenance::Flag },
            (None, Some(dir)) => Sourced { value: Some(dir), from: Provenance::Environment },
            (None, None) => Sourced { value: folder_of_user(), from: Provenance::Default },
        };
        if no_cache {
            let none = Sourced { value: None, from: Provenance::Flag };
            return Ok(Self { folder: none, of_others: folder.value, max_bytes });
        }
        Ok(Self { folder, of_others: None, max_bytes })
    }

    /// Refuses grants by which a guest could put code into the cache, that of this run or of others.
    ///
    /// # Errors
    /// Those of [`Cache::check_grants`].
    pub(crate) fn check_grants(&self, capabilities: &Capabilities) -> Result<(), Failure> {
        let folder = self.folder.value.as_ref().or(self.of_others.as_ref());
        // One that is of no use, or not there, has no code in it that anybody would run.
        match folder.filter(|_| !capabilities.dirs.is_empty()).map(Cache::existing) {
            Some(Ok(Some(cache))) => Ok(cache.check_grants(capabilities)?),
            _ => Ok(()),
        }
    }

    /// The cache to run with, where there is one. That the user's own folder is of no use is only a note: nobody asked for
    /// it.
    ///
    /// # Errors
    /// A failure where a folder that was asked for is of no use.
    pub(crate) fn open(&self) -> Result<Option<Cache>, Failure> {
        let Sourced { value: folder, from } = &self.folder;
        match folder {
            None if *from == Provenance::Default => {
                tracing::info!("nothing is cached: neither XDG_CACHE_HOME nor HOME names a folder of this user's");
                Ok(None)
            }
            None => Ok(None),
            Some(folder) => match Cache::open(folder) {
                Ok(cache) => Ok(Some(cache.with_max_bytes(self.max_bytes))),
                Err(error) if *from == Provenance::Default => {
                    tracing::info!("nothing is cached: {error}");
                    Ok(None)
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// The folder that runs use; it is not made.
    ///
    /// # Errors
    /// As [`Caching::open`].
    pub(crate) fn in_force(&self) -> Result<Sourced<Option<PathBuf>>, Failure> {
        let Sourced { value, from } = &self.folder;
        match value.as_ref().map(Cache::existing) {
            Some(Err(error)) if *from != Provenance::Default => Err(error.into()),
            Some(Err(_)) => Ok(Sourced { value: None, from: *from }),
            _ => Ok(self.folder.clone()),
        }
    }

    /// The cache to write to, since that is what was asked for.
    ///
    /// # Errors
    /// A failure where there is none.
    pub(crate) fn required(&self) -> Result<Cache, Failure> {
        Ok(Cache::open(self.named()?)?.with_max_bytes(self.max_bytes))
    }

    /// The cache to look at, where its folder is there.
    ///
    /// # Errors
    /// A failure where it is of no use, or nobody says where it is.
    pub(crate) fn existing(&self) -> Result<Option<Cache>, Failure> {
        Ok(Cache::existing(self.named()?)?.map(|cache| cache.with_max_bytes(self.max_bytes)))
    }

    /// The folder, for whoever cannot do without.
    pub(crate) fn named(&self) -> Result<&Path, Failure> {
        self.folder.value.as_deref().ok_or_else(|| {
            let failure = Failure::usage(
                "there is no folder for a cache: neither XDG_CACHE_HOME nor HOME names one of this user's",
            );
            failure.hint("name one with `--cache-dir` or WRUN_CACHE_DIR")
        })
    }
}

/// A variable that is set to something.
fn text(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Where the XDG base directory specification has it, which leaves paths that are not absolute out of account. A home folder
/// that is not there is not made; one of another user, as `sudo` may leave it in the environment, is left alone.
fn folder_of_user() -> Option<PathBuf> {
    let absolute = |name| text(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = |path: &PathBuf| {
        path.metadata().ok().map(|metadata| metadata.uid() == rustix::process::geteuid().as_raw() && metadata.is_dir())
    };
    let caches = match absolute("XDG_CACHE_HOME") {
        Some(caches) => Some(caches).filter(|caches| own(caches) != Some(false)),
        None => absolute("HOME").filter(|home| own(home) == Some(true)).map(|home| home.join(".cache")),
    };
    Some(caches?.join("wrun"))
}
