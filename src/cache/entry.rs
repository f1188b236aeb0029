//! The entry of one module or component in a cache.
#![expect(unsafe_code, reason = "verified code of this program is handed to its engine")]

use std::io;
use std::path::PathBuf;

use blake3::Hash;

use super::format::{self, EntryFacts, EntryWriter};
use super::metadata::EntryMetadata;
use super::store::Cache;
use super::{folder, key};
use crate::component::info::CodeInfo;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::module::hash;
use crate::runtime::cached_code::{CachedCode, CodeParts, SerializedCode};
use crate::runtime::code::CompiledCode;
use crate::runtime::component::WasmComponent;
use crate::runtime::preflight::{self, AdmittedCode};
use crate::runtime::traits::{WasmModule, WasmRuntime};

/// The place of one module's or component's code in a cache, filled or not.
#[derive(Debug)]
pub(crate) struct CacheEntry {
    pub(crate) cache: Cache,
    config: RuntimeConfig,
    key: Hash,
}

impl CacheEntry {
    /// The entry of a module or component, binary or text, with this hash of its `contents`, compiled by `runtime`.
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
                let parts = CodeParts { info, code, code_shift };
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

    /// Loads code that [`CacheEntry::find`] returned. Returns `None` if the engine rejects it; it is then compiled again and the
    /// entry replaced.
    pub(crate) fn restore(&self, runtime: &dyn WasmRuntime, code: CachedCode) -> Option<CompiledCode> {
        let restored = preflight::guard_compiler(&self.config, || CompiledCode::restore(runtime, code));
        restored.inspect_err(|error| self.log_unusable(error)).ok()
    }

    fn log_unusable(&self, error: &dyn std::error::Error) {
        tracing::info!("ignoring the cache entry {}: {error}", self.path().display());
    }

    /// Writes the code of a module or component that has `module_bytes` as it was given.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if it cannot be written; [`ErrorKind::UnsupportedConfig`] if it is larger than the whole cache may be;
    /// [`ErrorKind::Internal`] if the engine cannot serialize it.
    pub(crate) fn fill(&self, compiled: &CompiledCode, module_bytes: usize) -> Result<()> {
        let SerializedCode { code, code_shift } = preflight::guard_compiler(&self.config, || compiled.serialize())?;
        let facts = EntryFacts { info: compiled.info(), code_shift };
        let metadata = EntryMetadata::new(&self.config, self.cache.label.as_deref(), module_bytes as u64);
        let failed = |error| self.cache.failure("write to", error);
        let entry = EntryWriter::new(self.key, &code, &facts, &metadata).map_err(failed)?;
        let (length, max_bytes) = (entry.length(), self.cache.max_bytes());
        if length > max_bytes {
            let message = format!("an entry of {length} bytes exceeds the cache's limit of {max_bytes}");
            let error = Error::new(ErrorKind::UnsupportedConfig, message);
            return Err(error.with_hint("`WRUN_CACHE_SIZE` sets the limit, for example `WRUN_CACHE_SIZE=4GiB`"));
        }
        self.cache.make_room(length);
        entry.write(&self.path()).map_err(failed)
    }

    /// Like [`CacheEntry::fill`], but only logs a failure.
    pub(crate) fn fill_or_log(&self, compiled: &CompiledCode, module_bytes: usize) {
        if let Err(error) = self.fill(compiled, module_bytes) {
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
        let admit = || preflight::admit_module(runtime.config(), bytes).map(AdmittedCode::Module);
        self.load_or(runtime, bytes, |info| info.module().is_ok(), admit)?.into_module()
    }

    /// Returns a component, binary or text, as [`Cache::load_or_compile`] returns a module.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_component`], which does the same without a cache.
    pub fn load_or_compile_component(&self, runtime: &dyn WasmRuntime, bytes: &[u8]) -> Result<Box<dyn WasmComponent>> {
        let admit = || preflight::admit_component(runtime.config(), bytes).map(AdmittedCode::Component);
        self.load_or(runtime, bytes, |info| info.component().is_ok(), admit)?.into_component()
    }

    /// Loads cached code if `is_wanted` accepts its facts. Otherwise compiles the code that `admit` returns, and fills the entry.
    fn load_or<'b>(
        &self,
        runtime: &dyn WasmRuntime,
        bytes: &[u8],
        is_wanted: impl FnOnce(&CodeInfo) -> bool,
        admit: impl FnOnce() -> Result<AdmittedCode<'b>>,
    ) -> Result<CompiledCode> {
        let entry = CacheEntry::new(self, runtime, hash::contents(bytes));
        let found = entry.find().filter(|code| is_wanted(code.info()));
        if let Some(code) = found.and_then(|code| entry.restore(runtime, code)) {
            return Ok(code);
        }
        let code = CompiledCode::compile(runtime, &admit()?)?;
        entry.fill_or_log(&code, bytes.len());
        Ok(code)
    }
}
