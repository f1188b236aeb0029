//! A module or component that was read or found in a cache, and is not compiled yet.

use super::metrics::timed;
use super::{CacheUse, Event, ModuleSource};
use crate::backends;
use crate::cache::Cache;
use crate::cache::entry::CacheEntry;
use crate::component::info::CodeInfo;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::module::threads;
use crate::runtime::cached_code::CachedCode;
use crate::runtime::callable::Callable;
use crate::runtime::code::CompiledCode;
use crate::runtime::preflight::{self, AdmittedCode};
use crate::runtime::traits::WasmRuntime;

/// A runtime and a module or component for it, before it is compiled or its code loaded: names and arguments can be checked
/// before the slow work begins.
#[derive(Debug)]
pub struct Session<'a> {
    pub(super) runtime: Box<dyn WasmRuntime>,
    source: ModuleSource<'a>,
    info: CodeInfo,
    code: FoundCode<'a>,
    /// The place in the cache, if there is a cache.
    pub(super) entry: Option<CacheEntry>,
}

/// A runtime and its compiled code.
type Loaded = (Box<dyn WasmRuntime>, CompiledCode);

/// The source of the compiled code.
#[derive(Debug)]
enum FoundCode<'a> {
    /// Code found in the cache.
    Cached(CachedCode),
    /// A valid module or component to compile.
    Admitted(AdmittedCode<'a>),
}

impl<'a> Session<'a> {
    /// Creates the runtime, then looks for the code in the cache, or reads and validates the module or component if it is not
    /// there. Code shorter than 16 KiB will compile on one thread.
    ///
    /// # Errors
    /// Those of [`create_runtime`](crate::create_runtime) and [`preflight::admit`]; [`ErrorKind::Io`] if the file
    /// cannot be read.
    pub fn open(config: &RuntimeConfig, source: impl Into<ModuleSource<'a>>, cache: Option<&Cache>) -> Result<Self> {
        let source = source.into();
        let mut config = config.clone();
        config.parallel_compilation &= !threads::is_small(source.len());
        let runtime = backends::create_runtime(&config)?;
        let entry = match cache {
            Some(cache) => Some(CacheEntry::new(cache, runtime.as_ref(), source.hash()?)),
            None => None,
        };
        let (info, code) = if let Some(code) = entry.as_ref().and_then(CacheEntry::find) {
            (code.info().clone(), FoundCode::Cached(code))
        } else {
            let code = preflight::admit(&config, source.bytes()?)?;
            (code.info(), FoundCode::Admitted(code))
        };
        Ok(Self { runtime, source, info, code, entry })
    }

    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> &CodeInfo {
        &self.info
    }

    /// Returns the binary module or component, unless the code is in the cache.
    pub(crate) fn binary(&self) -> Option<&[u8]> {
        match &self.code {
            FoundCode::Admitted(code) => Some(code.binary()),
            FoundCode::Cached(_) => None,
        }
    }

    /// Finds an exported function. See [`Callable::find`].
    ///
    /// # Errors
    /// Those of [`Callable::find`].
    pub fn function(&self, name: &str) -> Result<Callable> {
        Callable::find(self.info(), name)
    }

    /// Finds what runs the program. See [`Callable::program`].
    ///
    /// # Errors
    /// Those of [`Callable::program`].
    pub fn program(&self) -> Result<Callable> {
        Callable::program(self.info())
    }

    /// Returns whether the code is in the cache.
    #[must_use]
    pub fn cache(&self) -> CacheUse {
        match (&self.code, &self.entry) {
            (FoundCode::Cached(_), _) => CacheUse::Hit,
            (FoundCode::Admitted(_), Some(_)) => CacheUse::Miss,
            (FoundCode::Admitted(_), None) => CacheUse::Off,
        }
    }

    /// Compiles into the cache, unless the code is there.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`] and [`WasmRuntime::load_component`]; [`ErrorKind::Io`] if the code cannot be
    /// written; [`ErrorKind::UnsupportedConfig`] if it is larger than the cache may be; [`ErrorKind::InvalidArgument`] if the
    /// session has no cache.
    pub fn fill_cache(mut self, events: &dyn Fn(Event)) -> Result<CacheFill> {
        let mut cache = self.cache();
        let Some(entry) = self.entry.take() else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the session was opened without a cache"));
        };
        let source = self.source;
        let (loaded, compile_ns) = timed(|| self.load(Some(&entry), events, &mut cache));
        let (_, code) = loaded?;
        if cache == CacheUse::Miss {
            entry.fill(&code, source.bytes()?.len())?;
        }
        Ok(CacheFill { key: entry.key(), cache, compile_ns, compiled_bytes: code.compiled_bytes() })
    }

    /// Compiles and writes the code to the cache, or loads the code. Sets `cache` to a miss if the code is unusable.
    pub(super) fn compile_or_load(mut self, events: &dyn Fn(Event), cache: &mut CacheUse) -> Result<Loaded> {
        let (entry, source) = (self.entry.take(), self.source);
        let loaded = self.load(entry.as_ref(), events, cache)?;
        if let (CacheUse::Miss, Some(entry)) = (*cache, entry) {
            // Before the call: the guest may run for hours or be stopped.
            entry.fill_or_log(&loaded.1, source.bytes()?.len());
        }
        Ok(loaded)
    }

    fn load(self, entry: Option<&CacheEntry>, events: &dyn Fn(Event), cache: &mut CacheUse) -> Result<Loaded> {
        let Self { runtime, source, code, .. } = self;
        let admitted = match code {
            FoundCode::Admitted(admitted) => admitted,
            FoundCode::Cached(code) => {
                if let Some(code) = entry.and_then(|entry| entry.restore(runtime.as_ref(), code)) {
                    return Ok((runtime, code));
                }
                *cache = CacheUse::Miss;
                preflight::admit(runtime.config(), source.bytes()?)?
            }
        };
        events(Event::Compiling { bytes: admitted.binary().len() });
        let compiled = CompiledCode::compile(runtime.as_ref(), &admitted);
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
    /// The time to compile or to load the code, in nanoseconds.
    pub compile_ns: u64,
    /// Bytes of compiled code, if the engine reports them.
    pub compiled_bytes: Option<u64>,
}
