//! One call, from a module's bytes to its outcome, with each step measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::backends;
use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits};
use crate::module::info::ModuleInfo;
use crate::runtime::host::HostImports;
use crate::runtime::preflight::{self, AdmittedModule};
use crate::value::types::{FuncType, Value};
use crate::wasi;

/// The export that WASI reactors and C++ modules want called once, before any other.
const INITIALIZE: &str = "_initialize";

/// What one call took. Times are wall clock in nanoseconds; what was not measured, or not reached, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallMetrics {
    /// Reading the module, assembling it where it is text, validating it.
    pub load_ns: Option<u64>,
    /// Making the engine and compiling the module.
    pub compile_ns: Option<u64>,
    /// Whether the compiled code came from the cache: `off`, since there is none yet.
    pub cache: Cache,
    /// Instantiating it, with its start function and `_initialize`.
    pub instantiate_ns: Option<u64>,
    /// The call itself.
    pub call_ns: Option<u64>,
    /// From the start to the result.
    pub total_ns: Option<u64>,
    /// Portable fuel used; `None` where fuel is not metered.
    pub fuel_used: Option<u64>,
    /// Bytes of linear memory in use after the call.
    pub memory_bytes: Option<u64>,
    /// The most bytes of linear memory in use.
    pub memory_peak_bytes: Option<u64>,
    /// Bytes of compiled code; `None` where the engine does not tell.
    pub compiled_bytes: Option<u64>,
}

/// Where compiled code came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cache {
    /// The cache was not asked.
    #[default]
    Off,
}

/// What happens during a call, for whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Compilation starts, of a module of this many bytes.
    Compiling(usize),
    /// Compilation ended, well or not.
    Compiled,
    /// Instantiation starts: the start function and `_initialize` run.
    Instantiating,
    /// The function is called.
    Calling,
    /// A step ended; what was measured so far.
    Measured(CallMetrics),
}

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
    /// Whether the caller ends the process when the time is up, and so holds the limit for a guest that nothing else stops;
    /// such a guest is refused a time limit otherwise.
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

    /// The same, whose caller ends the process when its time is up.
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
pub enum Ended {
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
    pub result: Result<Ended>,
    /// What it took, as far as it got.
    pub metrics: CallMetrics,
}

/// A module admitted by a configuration, not yet compiled: names and arguments can be checked before the work starts.
#[derive(Debug)]
pub struct Session<'a> {
    config: RuntimeConfig,
    module: AdmittedModule<'a>,
}

impl<'a> Session<'a> {
    /// Reads a module, binary or text.
    ///
    /// # Errors
    /// Those of [`preflight::check_config`] and [`preflight::admit`].
    pub fn open(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<Self> {
        preflight::check_config(config)?;
        Ok(Self { config: config.clone(), module: preflight::admit(config, bytes)? })
    }

    /// The facts of the module.
    #[must_use]
    pub fn info(&self) -> &Arc<ModuleInfo> {
        self.module.info()
    }

    /// Compiles the module, makes an instance, runs `_initialize` where it is exported, and calls a function.
    pub fn call(&self, call: &Call<'_>, events: &dyn Fn(Event)) -> Outcome {
        let mut metrics = CallMetrics::default();
        let clock = Clock { started: call.started, limit: call.limits.time };
        let result = match self.steps(call, &clock, events, &mut metrics) {
            Ok(results) => Ok(Ended::Returned(results)),
            Err(error) => match error.exit_code() {
                Some(code) => Ok(Ended::Exited(code)),
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
        let none = HostImports::none();
        let imports = wasi::provide(self.info(), capabilities, &none)?;
        if !call.ends_with_process {
            preflight::check_stoppable(self.info(), &imports, limits)?;
        }
        preflight::check_instance(&self.config, self.info(), &imports, limits)?;
        clock.left()?;
        events(Event::Compiling(self.module.binary().len()));
        let compiled = timed(&mut metrics.compile_ns, || {
            let runtime = backends::create_runtime(&self.config)?;
            let module = runtime.compile(&self.module)?;
            Ok((runtime, module))
        });
        events(Event::Compiled);
        let (runtime, module) = compiled?;
        metrics.compiled_bytes = module.compiled_bytes();
        events(Event::Measured(*metrics));
        tracing::info!(compile_ns = metrics.compile_ns, engine = %runtime.kind(), "compiled");

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
        result
    }
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

/// Runs a step and notes how long it took, whatever came of it.
fn timed<T>(slot: &mut Option<u64>, step: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = step();
    *slot = Some(nanoseconds(start));
    result
}

/// Wall clock since `start`, in nanoseconds.
#[must_use]
pub fn nanoseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
