//! Which cache a command uses: the flag's directory, else the environment's, else the user's.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use wrun::cache::DEFAULT_MAX_BYTES;
use wrun::{Cache, Capabilities};

use super::args::{CacheArgs, CacheDirArgs};
use super::failure::Failure;
use super::output::printer;
use super::parse_values::{environment, parse_size};
use super::provenance::{Provenance, WithProvenance};

/// Why there is no default directory.
const NO_USER_DIR: &str = "neither XDG_CACHE_HOME nor HOME is a directory owned by the current user";

/// The cache that a command uses; not opened yet.
#[derive(Debug)]
pub(crate) struct CacheSettings {
    /// The cache directory; `None` if caching is disabled or no directory is known.
    pub(crate) dir: WithProvenance<Option<PathBuf>>,
    /// The directory that other runs use, if caching is disabled in this one.
    unused_dir: Option<WithProvenance<Option<PathBuf>>>,
    pub(crate) max_bytes: u64,
}

impl CacheSettings {
    /// Resolves the flags of a command for which the cache is optional.
    ///
    /// # Errors
    /// Returns a usage failure if `WRUN_CACHE_SIZE` is not a size.
    pub(crate) fn resolve(args: &CacheArgs) -> Result<Self, Failure> {
        if args.no_cache {
            let dir = WithProvenance::new(None, Provenance::Flag);
            let unused_dir = Some(resolve_dir(&args.dir));
            return Ok(Self { dir, unused_dir, max_bytes: DEFAULT_MAX_BYTES });
        }
        Self::resolve_enabled(&args.dir)
    }

    /// Resolves the flags of a command that works on the cache.
    pub(crate) fn resolve_enabled(args: &CacheDirArgs) -> Result<Self, Failure> {
        let max_bytes = match environment("WRUN_CACHE_SIZE")? {
            Some(size) => parse_size(&size).map_err(|error| Failure::usage(format!("WRUN_CACHE_SIZE: {error}")))?,
            None => DEFAULT_MAX_BYTES,
        };
        Ok(Self { dir: resolve_dir(args), unused_dir: None, max_bytes })
    }

    /// Protects the caches of this and other runs from guests that ignore file modes as root. Refuses a grant that would let a
    /// guest write code into a cache that the user named. If a grant contains a default cache, the process drops
    /// `CAP_DAC_OVERRIDE` instead, and a note says so unless `quiet`.
    ///
    /// Also protects a cache that does not exist, since another run may create it while the guest runs.
    pub(crate) fn check_grants(&self, capabilities: &Capabilities, quiet: bool) -> Result<(), Failure> {
        if capabilities.dirs.is_empty() {
            return Ok(());
        }
        let WithProvenance { value, from } = self.unused_dir.as_ref().unwrap_or(&self.dir);
        if let Some(dir) = value.as_ref().filter(|_| *from != Provenance::Default) {
            Cache::check_grants_at(dir, capabilities).map_err(|error| {
                Failure::from(error).hint("or use another cache directory: `--cache-dir` or WRUN_CACHE_DIR")
            })?;
        }
        for dir in default_dirs() {
            let Err(error) = Cache::check_grants_at(&dir, capabilities) else { continue };
            Cache::obey_file_modes().map_err(|_| error)?;
            let reason = format!("a granted directory contains the default cache, {}", dir.display());
            printer::note(&format!("{reason}, so root obeys file modes in this run"), quiet);
        }
        Ok(())
    }

    /// Opens the cache, if there is one. If the default directory is unusable, the run goes on without a cache.
    ///
    /// # Errors
    /// Returns a failure if a directory that a flag or the environment names is unusable.
    pub(crate) fn open(&self) -> Result<Option<Cache>, Failure> {
        let WithProvenance { value: dir, from } = &self.dir;
        let Some(dir) = dir else {
            if *from == Provenance::Default {
                tracing::info!("caching is disabled: {NO_USER_DIR}");
            }
            return Ok(None);
        };
        match Cache::open(dir) {
            Ok(cache) => Ok(Some(cache.with_max_bytes(self.max_bytes))),
            Err(error) if *from == Provenance::Default => {
                tracing::info!("caching is disabled: {error}");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the directory that [`CacheSettings::open`] would open or create.
    pub(crate) fn usable_dir(&self) -> Result<WithProvenance<Option<PathBuf>>, Failure> {
        let WithProvenance { value, from } = &self.dir;
        match value.as_ref().map(Cache::existing) {
            Some(Err(error)) if *from != Provenance::Default => Err(error.into()),
            Some(Err(_)) => Ok(WithProvenance::new(None, *from)),
            _ => Ok(self.dir.clone()),
        }
    }

    /// Returns the cache directory, or a usage failure if it is unknown.
    pub(crate) fn required_dir(&self) -> Result<&Path, Failure> {
        self.dir.value.as_deref().ok_or_else(|| {
            Failure::usage(format!("no cache directory: {NO_USER_DIR}"))
                .hint("set one with `--cache-dir` or WRUN_CACHE_DIR")
        })
    }
}

fn resolve_dir(args: &CacheDirArgs) -> WithProvenance<Option<PathBuf>> {
    if let Some(dir) = &args.cache_dir {
        return WithProvenance::new(Some(dir.clone()), Provenance::Flag);
    }
    match variable("WRUN_CACHE_DIR") {
        Some(dir) => WithProvenance::new(Some(dir.into()), Provenance::Environment),
        None => WithProvenance::new(user_dir(), Provenance::Default),
    }
}

/// Returns the value of an environment variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns the directory that the XDG Base Directory Specification gives, which ignores relative paths.
///
/// A home directory that does not exist is not created, and one of another user (which `sudo` may leave in the environment)
/// is not used.
fn user_dir() -> Option<PathBuf> {
    let caches = match absolute("XDG_CACHE_HOME") {
        Some(caches) => Some(caches).filter(|caches| is_own(caches) != Some(false)),
        None => absolute("HOME").filter(|home| is_own(home) == Some(true)).map(|home| home.join(".cache")),
    };
    Some(caches?.join("wrun"))
}

/// Returns the default cache directories of runs: with this environment, without `XDG_CACHE_HOME`, and once the home directory
/// exists.
fn default_dirs() -> impl Iterator<Item = PathBuf> {
    let own = |name| absolute(name).filter(|path| is_own(path) != Some(false));
    let caches = [own("XDG_CACHE_HOME"), own("HOME").map(|home| home.join(".cache"))];
    caches.into_iter().flatten().map(|caches| caches.join("wrun"))
}

fn absolute(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns whether this is a directory of the current user, or `None` if it does not exist.
fn is_own(path: &Path) -> Option<bool> {
    let metadata = path.metadata().ok()?;
    Some(metadata.uid() == rustix::process::geteuid().as_raw() && metadata.is_dir())
}
