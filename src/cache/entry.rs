//! The place of one module in a cache.
#![expect(unsafe_code, reason = "code that was found to be what this program wrote is handed to its engine")]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use blake3::Hash;

use super::format::{self, EntryFacts, EntryWriter};
use super::metadata::EntryMetadata;
use super::{eviction, key};
use crate::cache::Cache;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::{CachedCode, CodeParts, SerializedCode};
use crate::runtime::preflight;
use crate::runtime::traits::{WasmModule, WasmRuntime};

/// Where the code of a module is, or is to be.
#[derive(Debug)]
pub(crate) struct CacheEntry {
    cache: Cache,
    config: RuntimeConfig,
    key: Hash,
}

impl CacheEntry {
    /// The place of a module, binary or text, of these contents, for runtimes of this configuration.
    pub(crate) fn of(cache: &Cache, config: &RuntimeConfig, contents: Hash) -> Self {
        Self { cache: cache.clone(), config: config.clone(), key: key::of(config, contents) }
    }

    /// Its key, in hexadecimal digits.
    pub(crate) fn key(&self) -> String {
        self.key.to_hex().to_string()
    }

    /// The cache it is in.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    fn path(&self) -> PathBuf {
        self.cache.dir().join(eviction::file_name(self.key))
    }

    /// The code, where it is there and every byte of it is what was written.
    pub(crate) fn find(&self) -> Option<CachedCode> {
        match format::load(&self.path(), self.key) {
            Ok(loaded) => {
                loaded.mark_use();
                let (EntryFacts { info, code_shift }, code) = loaded.into_parts();
                let parts = CodeParts { info: Arc::new(info), code, code_shift };
                // SAFETY: the file is this user's, in a folder that nobody else can write to, and each of its bytes was
                // checked against a checksum, so this program wrote it; its files get their names when they are whole
                // and are not changed after that. Its key, which the checksum covers, is that of this module, this
                // configuration, this version of the program and its engines, and this processor's features.
                Some(unsafe { CachedCode::new(self.config.clone(), parts) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::info!("the entry {} of the cache is not used: {error}", self.path().display());
                None
            }
        }
    }

    /// A module of code that was found; none where its engine does not take it, which a new entry will mend.
    pub(crate) fn restore(&self, runtime: &dyn WasmRuntime, code: CachedCode) -> Option<Box<dyn WasmModule>> {
        match preflight::guard_compiler(&self.config, || runtime.restore(code)) {
            Ok(module) => Some(module),
            Err(error) => {
                tracing::info!("the entry {} of the cache is not used: {error}", self.path().display());
                None
            }
        }
    }

    /// Keeps what was compiled of a module of `module_bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where it cannot be written, or is larger than the whole cache may be.
    pub(crate) fn fill(&self, module: &dyn WasmModule, module_bytes: usize) -> Result<()> {
        let SerializedCode { code, code_shift } = preflight::guard_compiler(&self.config, || module.serialize())?;
        let facts = EntryFacts { info: ModuleInfo::clone(module.info()), code_shift };
        let about = EntryMetadata::new(&self.config, self.cache.label(), module_bytes as u64);
        let failed = |error: io::Error| {
            let message = format!("cannot write to the cache folder {}: {error}", self.cache.dir().display());
            Error::new(ErrorKind::Internal, message).with_source(error)
        };
        let entry = EntryWriter::new(self.key, &code, &facts, &about).map_err(failed)?;
        let (length, most) = (entry.length(), self.cache.max_bytes());
        if length > most {
            let message = format!("an entry of {length} bytes is more than the {most} the cache may take");
            return Err(Error::new(ErrorKind::Internal, message));
        }
        self.cache.make_room(length);
        entry.write(&self.path()).map_err(failed)
    }

    /// The same, where whoever listens is told why it is not kept.
    pub(crate) fn fill_or_log(&self, module: &dyn WasmModule, module_bytes: usize) {
        if let Err(error) = self.fill(module, module_bytes) {
            tracing::info!("the code is not kept: {error}");
        }
    }
}
