//! A module that was read or found in a cache, and is not compiled yet.

use std::sync::Arc;

use super::metrics::timed;
use super::{CacheUse, Event, ModuleSource};
use crate::backends;
use crate::cache::Cache;
use crate::cache::entry::CacheEntry;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::CachedCode;
use crate::runtime::preflight::{self, AdmittedModule};
use crate::runtime::traits::{WasmModule, WasmRuntime};

/// Modules shorter than this, in bytes, compile faster on one thread than it takes to start more.
const SMALL_MODULE: u64 = 16 << 10;

/// A runtime and a module for it, before the module is compiled or its code loaded: names and arguments can be checked
/// before the slow work begins.
#[derive(Debug)]
pub struct Session<'a> {
    pub(super) runtime: Box<dyn WasmRuntime>,
    source: ModuleSource<'a>,
    code: Code<'a>,
    /// The module's place in the cache, if there is a cache.
    pub(super) entry: Option<CacheEntry>,
}

/// A runtime and a module of it.
type Loaded = (Box<dyn WasmRuntime>, Box<dyn WasmModule>);

/// The source of the compiled module.
#[derive(Debug)]
enum Code<'a> {
    /// Code found in the cache.
    Cached(CachedCode),
    /// A valid module to compile.
    Admitted(AdmittedModule<'a>),
}

impl<'a> Session<'a> {
    /// Creates the runtime, then looks for the module's code in the cache, or reads and validates the module if it is not
    /// there. Modules shorter than 16 KiB will compile on one thread.
    ///
    /// # Errors
    /// Those of [`create_runtime`](crate::create_runtime) and [`preflight::admit`]; [`ErrorKind::Io`] if the file
    /// cannot be read.
    pub fn open(config: &RuntimeConfig, source: impl Into<ModuleSource<'a>>, cache: Option<&Cache>) -> Result<Self> {
        let source = source.into();
        let mut config = config.clone();
        config.parallel_compilation &= source.len() >= SMALL_MODULE;
        let runtime = backends::create_runtime(&config)?;
        let entry = match cache {
            Some(cache) => Some(CacheEntry::new(cache, runtime.as_ref(), source.hash()?)),
            None => None,
        };
        let code = match entry.as_ref().and_then(CacheEntry::find) {
            Some(code) => Code::Cached(code),
            None => Code::Admitted(preflight::admit(&config, source.bytes()?)?),
        };
        Ok(Self { runtime, source, code, entry })
    }

    /// Returns the module info.
    #[must_use]
    pub fn info(&self) -> &Arc<ModuleInfo> {
        match &self.code {
            Code::Cached(code) => code.info(),
            Code::Admitted(module) => module.info(),
        }
    }

    /// Returns whether the module's code is in the cache.
    #[must_use]
    pub fn cache(&self) -> CacheUse {
        match (&self.code, &self.entry) {
            (Code::Cached(_), _) => CacheUse::Hit,
            (Code::Admitted(_), Some(_)) => CacheUse::Miss,
            (Code::Admitted(_), None) => CacheUse::Off,
        }
    }

    /// Compiles the module into the cache, unless its code is there.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`]; [`ErrorKind::Io`] if the code cannot be written;
    /// [`ErrorKind::InvalidArgument`] if the session has no cache.
    pub fn fill_cache(mut self, events: &dyn Fn(Event)) -> Result<CacheFill> {
        let mut cache = self.cache();
        let Some(entry) = self.entry.take() else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the session was opened without a cache"));
        };
        let source = self.source;
        let (loaded, compile_ns) = timed(|| self.load(Some(&entry), events, &mut cache));
        let (_, module) = loaded?;
        if cache == CacheUse::Miss {
            entry.fill(module.as_ref(), source.bytes()?.len())?;
        }
        let (key, compiled_bytes) = (entry.key(), module.compiled_bytes());
        Ok(CacheFill { key, cache, compile_ns, compiled_bytes })
    }

    /// Compiles the module and writes its code to the cache, or loads the code. Sets `cache` to a miss if the code is unusable.
    pub(super) fn compile_or_load(mut self, events: &dyn Fn(Event), cache: &mut CacheUse) -> Result<Loaded> {
        let (entry, source) = (self.entry.take(), self.source);
        let loaded = self.load(entry.as_ref(), events, cache)?;
        if let (CacheUse::Miss, Some(entry)) = (*cache, entry) {
            // Before the call: the guest may run for hours or be stopped.
            entry.fill_or_log(loaded.1.as_ref(), source.bytes()?.len());
        }
        Ok(loaded)
    }

    fn load(self, entry: Option<&CacheEntry>, events: &dyn Fn(Event), cache: &mut CacheUse) -> Result<Loaded> {
        let Self { runtime, source, code, .. } = self;
        let admitted = match code {
            Code::Admitted(module) => module,
            Code::Cached(code) => {
                if let Some(module) = entry.and_then(|entry| entry.restore(runtime.as_ref(), code)) {
                    return Ok((runtime, module));
                }
                *cache = CacheUse::Miss;
                preflight::admit(runtime.config(), source.bytes()?)?
            }
        };
        events(Event::Compiling { bytes: admitted.binary().len() });
        let compiled = runtime.compile(&admitted);
        events(Event::Compiled);
        Ok((runtime, compiled?))
    }
}

/// The result of [`Session::fill_cache`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheFill {
    /// The key of the entry, in hexadecimal digits.
    pub key: String,
    /// [`CacheUse::Hit`] if the entry was there already.
    pub cache: CacheUse,
    /// The time to compile the module or to load its code, in nanoseconds.
    pub compile_ns: u64,
    /// Bytes of compiled code, if the engine reports them.
    pub compiled_bytes: Option<u64>,
}
