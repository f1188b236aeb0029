//! A cache: a folder, and how it is used.

use std::io;
use std::path::{Path, PathBuf};

use super::entry::CacheEntry;
use super::permissions;
use crate::capabilities::{Access, Capabilities, DirGrant};
use crate::error::{Error, ErrorKind, Result};
use crate::module::hash;
use crate::runtime::preflight;
use crate::runtime::traits::{WasmModule, WasmRuntime};

/// The most bytes a cache takes where nothing else is asked for: 1 GiB.
pub const DEFAULT_MAX_BYTES: u64 = 1 << 30;

/// Compiled code in a folder, shared by any number of processes. See the [module](crate::cache).
///
/// Nothing in the folder can make a call fail: what cannot be read, or is not to the byte what was written, is compiled
/// again and replaced; what cannot be written is told of by [`tracing`] and left.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
    max_bytes: u64,
    label: Option<String>,
}

impl Cache {
    /// The cache in `dir`, which is made where it is not there, with access for this user alone.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the folder cannot be made, belongs to another user, or can be written to by
    /// others.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self> {
        let dir = dir.into();
        let checked = match permissions::check_folder(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                permissions::make_folder(&dir).and_then(|()| permissions::check_folder(&dir))
            }
            other => other,
        };
        checked.map_err(|error| unusable(&dir, error))?;
        Ok(Self { dir, max_bytes: DEFAULT_MAX_BYTES, label: None })
    }

    /// The cache in `dir`, where that is there.
    ///
    /// # Errors
    /// As [`Cache::open`].
    pub fn existing(dir: impl Into<PathBuf>) -> Result<Option<Self>> {
        let dir = dir.into();
        match permissions::check_folder(&dir) {
            Ok(()) => Ok(Some(Self { dir, max_bytes: DEFAULT_MAX_BYTES, label: None })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&dir, error)),
        }
    }

    /// The same with another bound on the bytes it takes. Where an entry is added that does not fit in beside the others,
    /// those that were not used for longest make room.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The same, where new entries are listed under a name, for people to know them by.
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The most bytes it takes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    pub(super) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Refuses to grant a guest what would let it put code here, to be run by whoever uses the cache next: to write to a folder
    /// that has the cache in it or is in the cache, where the user is root. Another user's guests cannot write to entries
    /// ([module](crate::cache)).
    ///
    /// [`Session::call`](crate::session::Session::call) asks this of its own cache.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`].
    pub fn check_grants(&self, capabilities: &Capabilities) -> Result<()> {
        if !permissions::guests_overrule_modes() {
            return Ok(());
        }
        let writable = capabilities.dirs.iter().filter(|dir| dir.access == Access::ReadWrite);
        // A folder that is not there is not granted either.
        let found = |path: &Path| path.canonicalize().ok();
        for DirGrant { host, .. } in writable {
            if let (Some(cache), Some(granted)) = (found(&self.dir), found(host))
                && (cache.starts_with(&granted) || granted.starts_with(&cache))
            {
                let (granted, cache) = (host.display(), self.dir.display());
                let message = format!(
                    "to grant {granted} is to grant the cache of compiled code, {cache}, which a guest that runs as root could write to"
                );
                let error = Error::new(ErrorKind::Grant, message);
                return Err(error
                    .with_hint(format!("grant it for reading only: `{granted}::ro`"))
                    .with_hint("or keep the cache elsewhere: `--cache-dir`, or WRUN_CACHE_DIR"));
            }
        }
        Ok(())
    }

    /// A module, binary or text, ready to make instances of: of code that is here, else compiled, and kept for the next
    /// time. Which of the two it was, the [metrics](WasmRuntime::metrics) of the runtime tell.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`], which does the same without a cache.
    pub fn load_or_compile(&self, runtime: &dyn WasmRuntime, bytes: &[u8]) -> Result<Box<dyn WasmModule>> {
        let slot = CacheEntry::of(self, runtime.config(), hash::contents(bytes));
        if let Some(module) = slot.find().and_then(|code| slot.restore(runtime, code)) {
            return Ok(module);
        }
        let module = runtime.compile(&preflight::admit(runtime.config(), bytes)?)?;
        slot.fill_or_log(module.as_ref(), bytes.len());
        Ok(module)
    }
}

fn unusable(dir: &Path, error: io::Error) -> Error {
    let message = format!("the cache folder {} cannot be used: {error}", dir.display());
    let hint = "its owner has to be the user who runs this, and alone may write to it";
    let unsafe_to_use = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    let error = Error::new(ErrorKind::UnsupportedConfig, message).with_source(error);
    if unsafe_to_use { error.with_hint(hint) } else { error }
}
