//! One call, from a module's bytes to its outcome, with each step measured.

mod measures;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{io, mem};

use crate::backends;
use crate::cache::Cache;
use crate::cache::entry::CacheEntry;
use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits};
use crate::module::file::ModuleFile;
use crate::module::hash;
use crate::module::info::ModuleInfo;
use crate::module::requirements;
use crate::runtime::compiled_code::CachedCode;
use crate::runtime::host::HostImports;
use crate::runtime::preflight::{self, AdmittedModule};
use crate::runtime::traits::{WasmModule, WasmRuntime};
use crate::value::types::{FuncType, Value};
use crate::wasi;

use measures::timed;
pub use measures::{CacheUse, CallMetrics, Event, nanoseconds};

/// The export that WASI reactors and C++ modules want called once, before any other.
const INITIALIZE: &str = "_initialize";

/// A call to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call<'c> {
    /// The exported function.
    pub function: &'c str,
    /// Its arguments.
    pub args: &'c [Value],
    /// The most it may take. [`Limits::time`] is for all of it here, compilation included; compilation is not
    /// interrupted, but nothing runs once it has used up the time.
    pub limits: Limits,
    /// What it may do.
    pub capabilities: Capabilities,
    /// When its time began.
    pub started: Instant,
    /// Whether the process ends with the call. Its caller ends it when the time is up, and so holds the limit for a guest that
    /// nothing else stops; such a guest is refused a time limit otherwise. What was made for the call is not freed: the process's
    /// end does that sooner. (That of a guest which may start threads is, since they end with it.)
    pub ends_with_process: bool,
}

impl<'c> Call<'c> {
    /// A call without limits or capabilities, whose time begins now.
    #[must_use]
    pub fn new(function: &'c str, args: &'c [Value]) -> Self {
        let (limits, capabilities) = (Limits::none(), Capabilities::none());
        Self { function, args, limits, capabilities, started: Instant::now(), ends_with_process: false }
    }

    /// The same within limits.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, its time counted from `started`.
    #[must_use]
    pub fn since(mut self, started: Instant) -> Self {
        self.started = started;
        self
    }

    /// The same, whose caller ends the process when it is done or its time is up.
    #[must_use]
    pub fn ending_with_process(mut self) -> Self {
        self.ends_with_process = true;
        self
    }

    /// The same with capabilities.
    #[must_use]
    pub fn granted(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }
}

/// How a guest ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The function returned these results.
    Returned(Vec<Value>),
    /// The guest ended itself with this code.
    Exited(i32),
}

/// What came of a call.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// How the guest ended, or why it did not come to that.
    pub result: Result<Completion>,
    /// What it took, as far as it got.
    pub metrics: CallMetrics,
}

/// A module admitted by a configuration, not yet compiled or loaded: names and arguments can be checked before the work starts.
#[derive(Debug)]
pub struct Session<'a> {
    config: RuntimeConfig,
    source: Source<'a>,
    info: Arc<ModuleInfo>,
    /// The module to compile, where there is no code of it.
    admitted: OnceLock<AdmittedModule<'a>>,
    /// Where its code is to be kept.
    entry: Option<CacheEntry>,
    /// What was found there when the session was opened, for the first who asks.
    found: Mutex<Found>,
    opened_with: CacheUse,
}

/// What a look at the cache found.
#[derive(Debug, Default)]
enum Found {
    Code(CachedCode),
    Nothing,
    /// It is to be looked again.
    #[default]
    Unknown,
}

/// Where a module comes from.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Bytes(&'a [u8]),
    File(&'a ModuleFile),
}

impl<'a> Source<'a> {
    fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(file) => file.bytes().map_err(unreadable),
        }
    }

    fn hash(self) -> Result<blake3::Hash> {
        match self {
            Self::Bytes(bytes) => Ok(hash::contents(bytes)),
            Self::File(file) => file.hash().map_err(unreadable),
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the module cannot be read: {error}")).with_source(error)
}

impl<'a> Session<'a> {
    /// Reads a module, binary or text.
    ///
    /// # Errors
    /// Those of [`preflight::check_config`] and [`preflight::admit`].
    pub fn open(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<Self> {
        preflight::check_config(config)?;
        Self::admit(config, Source::Bytes(bytes), None)
    }

    /// Looks for the code of a module, binary or text, and reads the module where there is none.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_cached(config: &RuntimeConfig, bytes: &'a [u8], cache: &Cache) -> Result<Self> {
        Self::look(config, Source::Bytes(bytes), cache)
    }

    /// The same of a module in a file, with or without a cache.
    ///
    /// # Errors
    /// As [`Session::open`]; [`ErrorKind::Internal`] where the file cannot be read.
    pub fn open_file(config: &RuntimeConfig, file: &'a ModuleFile, cache: Option<&Cache>) -> Result<Self> {
        match cache {
            Some(cache) => Self::look(config, Source::File(file), cache),
            None => Self::open(config, Source::File(file).bytes()?),
        }
    }

    fn look(config: &RuntimeConfig, source: Source<'a>, cache: &Cache) -> Result<Self> {
        preflight::check_config(config)?;
        let entry = CacheEntry::of(cache, config, source.hash()?);
        match entry.find() {
            Some(code) => {
                let (config, info) = (config.clone(), Arc::clone(code.info()));
                let (entry, found) = (Some(entry), Mutex::new(Found::Code(code)));
                Ok(Self { config, source, info, admitted: OnceLock::new(), entry, found, opened_with: CacheUse::Hit })
            }
            None => Self::admit(config, source, Some(entry)),
        }
    }

    fn admit(config: &RuntimeConfig, source: Source<'a>, entry: Option<CacheEntry>) -> Result<Self> {
        let admitted = preflight::admit(config, source.bytes()?)?;
        let (config, info) = (config.clone(), Arc::clone(admitted.info()));
        let opened_with = if entry.is_some() { CacheUse::Miss } else { CacheUse::Off };
        let found = Mutex::new(Found::Nothing);
        Ok(Self { config, source, info, admitted: admitted.into(), entry, found, opened_with })
    }

    /// The facts of the module.
    #[must_use]
    pub fn info(&self) -> &Arc<ModuleInfo> {
        &self.info
    }

    /// Whether code of the module was in the cache when the session was opened.
    #[must_use]
    pub fn cache(&self) -> CacheUse {
        self.opened_with
    }

    /// Has the cache keep the code of the module, which is compiled where it is not there; nothing is run.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::compile`]; [`ErrorKind::Internal`] where the code cannot be written;
    /// [`ErrorKind::InvalidArgument`] where the session has no cache.
    pub fn fill_cache(&self, events: &dyn Fn(Event)) -> Result<Filled> {
        let Some(entry) = &self.entry else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the session was opened without a cache"));
        };
        let mut metrics = CallMetrics { cache: self.cache(), ..CallMetrics::default() };
        let runtime = backends::create_runtime(&self.config)?;
        let loaded = timed(&mut metrics.compile_ns, || self.load(runtime.as_ref(), events, &mut metrics.cache))?;
        if metrics.cache == CacheUse::Miss {
            entry.fill(loaded.as_ref(), self.source.bytes()?.len())?;
        }
        metrics.compiled_bytes = loaded.compiled_bytes();
        Ok(Filled { key: entry.key(), metrics })
    }

    /// Compiles the module, makes an instance, runs `_initialize` where it is exported, and calls a function.
    pub fn call(&self, call: &Call<'_>, events: &dyn Fn(Event)) -> Outcome {
        let mut metrics = CallMetrics { cache: self.cache(), ..CallMetrics::default() };
        let clock = Clock { started: call.started, limit: call.limits.time };
        let result = match self.steps(call, &clock, events, &mut metrics) {
            Ok(results) => Ok(Completion::Returned(results)),
            Err(error) => match error.exit_code() {
                Some(code) => Ok(Completion::Exited(code)),
                None => Err(clock.of_the_whole(error)),
            },
        };
        events(Event::Measured(metrics));
        Outcome { result, metrics }
    }

    fn steps(
        &self,
        call: &Call<'_>,
        clock: &Clock,
        events: &dyn Fn(Event),
        metrics: &mut CallMetrics,
    ) -> Result<Vec<Value>> {
        let Call { function, args, limits, ref capabilities, .. } = *call;
        // What instantiation would refuse is told before a large module is compiled for minutes.
        let imports = wasi::provide(self.config.kind, self.info(), capabilities, HostImports::NONE)?;
        if !call.ends_with_process {
            preflight::check_stoppable(self.info(), &imports, limits)?;
        }
        preflight::check_instance(&self.config, self.info(), &imports, limits)?;
        self.entry.as_ref().map_or(Ok(()), |entry| entry.cache().check_grants(capabilities))?;
        clock.left()?;
        let (runtime, module) = timed(&mut metrics.compile_ns, || {
            let runtime = backends::create_runtime(&self.config)?;
            let module = self.load(runtime.as_ref(), events, &mut metrics.cache)?;
            Ok((runtime, module))
        })?;
        let what = if metrics.cache == CacheUse::Hit { "loaded from the cache" } else { "compiled" };
        tracing::info!(compile_ns = metrics.compile_ns, engine = %runtime.kind(), "{what}");
        if let (CacheUse::Miss, Some(entry)) = (metrics.cache, &self.entry) {
            // Before the call, so that a guest that runs for hours or is stopped has its code kept too.
            entry.fill_or_tell(module.as_ref(), self.source.bytes()?.len());
        }
        metrics.compiled_bytes = module.compiled_bytes();
        events(Event::Measured(*metrics));

        let limits = Limits { time: clock.left()?, ..limits };
        events(Event::Instantiating);
        let mut instance = timed(&mut metrics.instantiate_ns, || {
            let mut instance = runtime.instantiate(module.as_ref(), limits, &imports)?;
            if function != INITIALIZE && self.info().function(INITIALIZE) == Some(&FuncType::default()) {
                instance.call(INITIALIZE, &[])?;
            }
            Ok(instance)
        })?;
        events(Event::Measured(*metrics));
        tracing::info!(instantiate_ns = metrics.instantiate_ns, "instantiated");

        events(Event::Calling);
        let result = timed(&mut metrics.call_ns, || instance.call(function, args));
        metrics.fuel_used = instance.fuel_used();
        metrics.memory_bytes = Some(instance.memory_bytes());
        metrics.memory_peak_bytes = Some(instance.memory_peak_bytes());
        tracing::info!(call_ns = metrics.call_ns, function, ok = result.is_ok(), "called");
        // The threads of a guest are waited for, so that they say and write no more once its result is told.
        if call.ends_with_process && !requirements::starts_threads(self.info()) {
            mem::forget((instance, module, runtime));
        }
        result
    }

    /// The module, of code that was found, else compiled; and which of the two.
    fn load(
        &self,
        runtime: &dyn WasmRuntime,
        events: &dyn Fn(Event),
        used: &mut CacheUse,
    ) -> Result<Box<dyn WasmModule>> {
        if let Some(entry) = &self.entry {
            let found = match mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner)) {
                Found::Code(code) => Some(code),
                Found::Nothing => None,
                // An earlier call may have put it there.
                Found::Unknown => entry.find(),
            };
            if let Some(module) = found.and_then(|code| entry.restore(runtime, code)) {
                *used = CacheUse::Hit;
                return Ok(module);
            }
            *used = CacheUse::Miss;
        }
        let admitted = if let Some(admitted) = self.admitted.get() {
            admitted
        } else {
            let admitted = preflight::admit(&self.config, self.source.bytes()?)?;
            self.admitted.get_or_init(|| admitted)
        };
        events(Event::Compiling(admitted.binary().len()));
        let compiled = runtime.compile(admitted);
        events(Event::Compiled);
        compiled
    }
}

/// What came of filling a cache.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Filled {
    /// The key of the entry, in hexadecimal digits.
    pub key: String,
    /// What it took; [`CacheUse::Hit`] where the entry was there.
    pub metrics: CallMetrics,
}

/// The time of a session.
struct Clock {
    started: Instant,
    limit: Option<Duration>,
}

impl Clock {
    /// What is left, where there is a limit.
    fn left(&self) -> Result<Option<Duration>> {
        let Some(limit) = self.limit else { return Ok(None) };
        match limit.saturating_sub(self.started.elapsed()) {
            Duration::ZERO => Err(self.up(limit)),
            left => Ok(Some(left)),
        }
    }

    fn up(&self, limit: Duration) -> Error {
        let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Error::timeout(LimitExceeded::new(LimitKind::Time, limit_ns, nanoseconds(self.started)))
    }

    /// The failure of a call that used up what the session had left: the limit is that of the whole session.
    fn of_the_whole(&self, error: Error) -> Error {
        match self.limit {
            Some(limit) if error.kind() == ErrorKind::Timeout => {
                let whole = self.up(limit).with_backtrace(error.backtrace().to_vec());
                error.function().map(str::to_owned).into_iter().fold(whole, Error::in_function)
            }
            _ => error,
        }
    }
}
