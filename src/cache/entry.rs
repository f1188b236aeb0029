//! The entry of one module in a cache.
#![expect(unsafe_code, reason = "verified code of this program is handed to its engine")]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use blake3::Hash;

use super::format::{self, EntryFacts, EntryWriter};
use super::metadata::EntryMetadata;
use super::store::Cache;
use super::{folder, key};
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::module::hash;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::{CachedCode, CodeParts, SerializedCode};
use crate::runtime::preflight;
use crate::runtime::traits::{WasmModule, WasmRuntime};

/// The place of one module's code in a cache, filled or not.
#[derive(Debug)]
pub(crate) struct CacheEntry {
    pub(crate) cache: Cache,
    config: RuntimeConfig,
    key: Hash,
}

impl CacheEntry {
    /// The entry of a module, binary or text, with this hash of its `contents`, compiled by `runtime`.
    pub(crate) fn new(cache: &Cache, runtime: &dyn WasmRuntime, contents: Hash) -> Self {
        Self { cache: cache.clone(), config: runtime.config().clone(), key: key::of(runtime, contents) }
    }

    /// Returns the key in hexadecimal digits.
    pub(crate) fn key(&self) -> String {
        self.key.to_hex().to_string()
    }

    fn path(&self) -> PathBuf {
        folder::entry_path(self.cache.dir(), self.key)
    }

    /// Returns the code if the entry exists and every byte of it is intact.
    pub(crate) fn find(&self) -> Option<CachedCode> {
        match format::load(&self.path(), self.key) {
            Ok(loaded) => {
                loaded.mark_use();
                let (EntryFacts { info, code_shift }, code) = loaded.into_parts();
                let parts = CodeParts { info: Arc::new(info), code, code_shift };
                // SAFETY: the file belongs to this user, in a folder that no other user can write to, and all its bytes
                // match a checksum, so this program wrote it. Entries get their names once they are complete and
                // do not change after that. The key, which the checksum covers, depends on this module, this configuration,
                // this version of the program and its engines, and this processor's features.
                Some(unsafe { CachedCode::new(self.config.clone(), parts) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.log_unusable(&error);
                None
            }
        }
    }

    /// Makes a module of code that [`CacheEntry::find`] returned. Returns `None` if the engine rejects the code; the module is
    /// then compiled and the entry replaced.
    pub(crate) fn restore(&self, runtime: &dyn WasmRuntime, code: CachedCode) -> Option<Box<dyn WasmModule>> {
        let restored = preflight::guard_compiler(&self.config, || runtime.restore(code));
        restored.inspect_err(|error| self.log_unusable(error)).ok()
    }

    fn log_unusable(&self, error: &dyn std::error::Error) {
        tracing::info!("ignoring the cache entry {}: {error}", self.path().display());
    }

    /// Writes the code of a module that has `module_bytes` as it was given.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Internal`] if it cannot be written, or is larger than the whole cache may be.
    pub(crate) fn fill(&self, module: &dyn WasmModule, module_bytes: usize) -> Result<()> {
        let SerializedCode { code, code_shift } = preflight::guard_compiler(&self.config, || module.serialize())?;
        let facts = EntryFacts { info: ModuleInfo::clone(module.info()), code_shift };
        let metadata = EntryMetadata::new(&self.config, self.cache.label.as_deref(), module_bytes as u64);
        let failed = |error| self.cache.failure("write to", error);
        let entry = EntryWriter::new(self.key, &code, &facts, &metadata).map_err(failed)?;
        let (length, max_bytes) = (entry.length(), self.cache.max_bytes());
        if length > max_bytes {
            let message = format!("an entry of {length} bytes exceeds the cache's limit of {max_bytes}");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        self.cache.make_room(length);
        entry.write(&self.path()).map_err(failed)
    }

    /// Like [`CacheEntry::fill`], but only logs a failure.
    pub(crate) fn fill_or_log(&self, module: &dyn WasmModule, module_bytes: usize) {
        if let Err(error) = self.fill(module, module_bytes) {
            tracing::info!("the code is not cached: {error}");
        }
    }
}

impl Cache {
    /// Returns a module, binary or text, ready to be instantiated: from cached code, or compiled and then cached. The
    /// [metrics](WasmRuntime::metrics) of the runtime count both cases.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`], which does the same without a cache.
    pub fn load_or_compile(&self, runtime: &dyn WasmRuntime, bytes: &[u8]) -> Result<Box<dyn WasmModule>> {
        let entry = CacheEntry::new(self, runtime, hash::contents(bytes));
        if let Some(module) = entry.find().and_then(|code| entry.restore(runtime, code)) {
            return Ok(module);
        }
        let module = runtime.compile(&preflight::admit(runtime.config(), bytes)?)?;
        entry.fill_or_log(module.as_ref(), bytes.len());
        Ok(module)
    }
}
