//! Many calls of one function.

use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use strum::{Display, EnumString, VariantNames};

use super::program_streams::{self, ProgramStreams};
use super::{Completion, PreparedCode, PreparedInstance, nanoseconds};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::runtime::call::{CallResult, ResolvedCallable};
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::code::CodeInstance;
use crate::runtime::status::InstanceState;

/// Which instance a call of a [`Worker`] runs in.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum InstanceMode {
    /// All calls of a worker run in one instance, which is replaced after a call that traps, exits or exceeds a limit.
    #[default]
    Shared,
    /// Each call runs in a new instance.
    PerCall,
}

/// The options of a [`Worker`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// Which instance a call runs in.
    pub instance: InstanceMode,
    /// The limits of each call. Fuel and time are reset before each call; memory and table elements are those of the instance.
    pub limits: Limits,
    /// Whether [`CallUsage::call_ns`] is measured. Reading the clock twice takes about as long as the shortest call.
    pub measure_time: bool,
}

/// The resources that one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallUsage {
    /// The time of the call in nanoseconds, if it is measured. In a new instance, this includes instantiation.
    pub call_ns: Option<u64>,
    /// Portable fuel; `None` if fuel is not metered, and after a trap. In a new instance for each call, this includes the start
    /// function and `_initialize`.
    pub fuel_used: Option<u64>,
    /// The peak of the instance's linear memory in bytes; 0 if there is no instance.
    pub memory_peak_bytes: u64,
}

/// Calls one function any number of times, on one thread. It creates and replaces instances as needed: a call that fails never
/// affects the next.
#[derive(Debug)]
pub struct Worker<'a> {
    pub(super) code: &'a PreparedCode,
    pub(super) callable: &'a Callable,
    pub(super) options: WorkerOptions,
    /// The fuel that is set before each call in a shared instance, if fuel is metered.
    fuel: Option<u64>,
    /// The shared instance, which takes calls.
    live: Option<(PreparedInstance, ResolvedCallable)>,
    /// An instance for the next call, if each has its own.
    fresh: Option<PreparedInstance>,
    /// The result of the last call in an instance that is gone.
    result: CallResult,
    /// The usage of the last call. While `live` holds its instance, only the time is set.
    usage: CallUsage,
}

impl<'a> Worker<'a> {
    /// Creates a worker. It creates its first instance with the first call. If the callable needs a new instance for each call, it
    /// gets one in each [`InstanceMode`].
    #[must_use]
    pub fn new(code: &'a PreparedCode, callable: &'a Callable, mut options: WorkerOptions) -> Self {
        if program_streams::is_needed(callable) {
            options.instance = InstanceMode::PerCall;
        }
        let fuel = code.fuel_of_each_call(options.limits);
        let (result, usage) = (CallResult::Core(Vec::new()), CallUsage::default());
        Self { code, callable, options, fuel, live: None, fresh: None, result, usage }
    }

    /// Creates the first instance now, so that a failure is reported before the first call. Does nothing if the instance depends on the
    /// arguments of the call.
    ///
    /// # Errors
    /// Those of [`PreparedCode::instantiate`]; [`ErrorKind::Internal`] if a host function panics.
    pub fn start(&mut self) -> Result<()> {
        guard(|| match self.options.instance {
            InstanceMode::Shared => self.start_shared().map(|_| ()),
            InstanceMode::PerCall if program_streams::is_needed(self.callable) => Ok(()),
            InstanceMode::PerCall => {
                self.fresh = Some(self.create(None)?);
                Ok(())
            }
        })
    }

    fn create(&self, streams: Option<ProgramStreams>) -> Result<PreparedInstance> {
        self.code.create(Some(self.callable), None, streams, self.options.limits, &|_| {})
    }

    /// Returns the instance that all calls share, and the function in it. Creates it if there is none.
    pub(super) fn start_shared(&mut self) -> Result<&mut (PreparedInstance, ResolvedCallable)> {
        if let Some(ref mut live) = self.live {
            Ok(live)
        } else {
            let mut instance = self.create(None)?;
            let function = instance.resolve(self.callable)?;
            Ok(self.live.insert((instance, function)))
        }
    }

    /// Returns whether there is a shared instance that takes calls.
    fn is_ready(&mut self) -> bool {
        self.live.as_mut().is_some_and(|(instance, _)| instance.instance().state() == InstanceState::Ready)
    }

    /// Returns the number of the shared instance, if there is one of a module.
    pub(super) fn instance_id(&self) -> Option<u64> {
        self.live.as_ref().and_then(|(instance, _)| instance.id())
    }

    /// Calls the function.
    ///
    /// # Errors
    /// Those of [`PreparedCode::instantiate`] and [`ResolvedCallable::call`]; [`ErrorKind::Internal`] if a host function panics.
    /// The next call has a new instance, unless the arguments did not fit the function, the function returned text of another
    /// format, or a plug-in reported an error.
    pub fn call(&mut self, args: &CallArgs) -> Result<&CallResult> {
        self.usage = CallUsage::default();
        let begin = self.options.measure_time.then(Instant::now);
        let called = guard(|| match self.options.instance {
            InstanceMode::Shared => self.call_shared(args),
            InstanceMode::PerCall => self.call_new(args),
        });
        self.usage.call_ns = begin.map(|begin| nanoseconds(begin.elapsed()));
        match called {
            Ok(()) => Ok(self.live.as_ref().map_or(&self.result, |(_, function)| function.result())),
            Err(error) => {
                self.end_failed(&error);
                Err(error)
            }
        }
    }

    /// Drops the shared instance after a call that failed, unless it is intact.
    pub(super) fn end_failed(&mut self, error: &Error) {
        let is_intact =
            matches!(error.kind(), ErrorKind::InvalidArgument | ErrorKind::InvalidResult | ErrorKind::Plugin);
        if !(is_intact && self.is_ready()) {
            self.live = None;
        }
    }

    /// Returns the code whose function it calls.
    #[must_use]
    pub fn code(&self) -> &'a PreparedCode {
        self.code
    }

    /// Returns the resources that the last call used.
    #[must_use]
    pub fn usage(&mut self) -> CallUsage {
        let call_ns = self.usage.call_ns;
        match &mut self.live {
            Some((instance, _)) => CallUsage { call_ns, ..usage(instance.instance(), self.fuel.is_some()) },
            None => self.usage,
        }
    }

    /// Calls the function in the instance that all calls share.
    fn call_shared(&mut self, args: &CallArgs) -> Result<()> {
        let (fuel, time) = (self.fuel, self.options.limits.time);
        let (instance, function) = self.start_shared()?;
        let instance = instance.instance();
        if let Some(fuel) = fuel {
            instance.reset_fuel(fuel)?;
        }
        if let Some(time) = time {
            instance.reset_time(time)?;
        }
        let called = function.call(instance, args).map(|_| ());
        // After a success, the instance still knows it.
        if called.is_err() {
            self.usage = usage(instance, fuel.is_some());
        }
        called
    }

    /// Calls the function in an instance that is dropped afterwards.
    fn call_new(&mut self, args: &CallArgs) -> Result<()> {
        let streams = ProgramStreams::of(self.callable, args)?;
        let mut instance = match self.fresh.take() {
            Some(fresh) => fresh,
            None => self.create(streams)?,
        };
        let called = instance.run(self.callable, args);
        self.usage = usage(instance.instance(), self.fuel.is_some());
        match called? {
            Completion::Returned(result) => {
                self.result = result;
                Ok(())
            }
            Completion::Exited(code) => Err(Error::exited(code)),
        }
    }
}

/// Converts a panic of a call to an error.
pub(super) fn guard<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let called = panic::catch_unwind(AssertUnwindSafe(call));
    called.unwrap_or_else(|panic| Err(Error::of_panic("the call panicked", panic.as_ref())))
}

/// Returns the resources that the last call of an instance used, except time.
fn usage(instance: &mut CodeInstance, is_metered: bool) -> CallUsage {
    let fuel_used = if is_metered { instance.fuel_used() } else { None };
    CallUsage { call_ns: None, fuel_used, memory_peak_bytes: instance.memory_peak_bytes() }
}
