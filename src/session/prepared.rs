//! A compiled module with everything its instances need, and those instances.

use std::sync::{Arc, Mutex, PoisonError};

use super::metrics::timed;
use super::{Event, Session};
use crate::capabilities::Capabilities;
use crate::error::{Error, Result};
use crate::escape::Escaped;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::host::HostImports;
use crate::runtime::preflight;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};
use crate::value::types::{FuncType, Value};
use crate::wasi;

/// The export that WASI reactors and C++ modules need called once, before any other.
const INITIALIZE: &str = "_initialize";

/// What every instance of a [`PreparedModule`] gets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceOptions {
    /// The limits to check the module against before it is compiled; [`PreparedModule::instantiate`] takes its own.
    pub limits: Limits,
    /// The capabilities of the guest.
    pub capabilities: Capabilities,
    /// The embedder's own imports. They replace functions of WASI with the same name.
    pub imports: HostImports,
    /// Whether an exported `_initialize` of type `() -> ()` is called after instantiation.
    pub initialize: bool,
    /// Whether the caller ends the process when the time limit is up. Otherwise a module that waits on shared memory, which
    /// no engine can interrupt, is refused a time limit.
    pub caller_ends_process: bool,
}

impl Default for InstanceOptions {
    /// No limits, capabilities or imports; `_initialize` is called.
    fn default() -> Self {
        let (limits, capabilities, imports) = (Limits::none(), Capabilities::none(), HostImports::none());
        Self { limits, capabilities, imports, initialize: true, caller_ends_process: false }
    }
}

impl InstanceOptions {
    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }
}

/// A runtime, compiled code and imports: makes any number of instances, on any thread.
#[derive(Debug)]
pub struct PreparedModule {
    module: Box<dyn WasmModule>,
    runtime: Box<dyn WasmRuntime>,
    options: InstanceOptions,
    /// The imports that the checks before compilation resolved, for the first instance.
    resolved: Mutex<Option<HostImports>>,
}

impl Session<'_> {
    /// Compiles the module or loads its code, after everything about its instances was checked that can be checked before.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`] and [`WasmRuntime::create_instance_with`].
    pub fn prepare(self, options: InstanceOptions, events: &dyn Fn(Event)) -> Result<PreparedModule> {
        let Self { runtime, entry, .. } = &self;
        let InstanceOptions { limits, capabilities, imports, caller_ends_process, .. } = &options;
        // Compiling a large module takes minutes: refuse what instantiation would refuse first.
        let resolved = wasi::provide(runtime.kind(), self.info(), capabilities, imports)?.into_owned();
        if !caller_ends_process {
            preflight::check_stoppable(self.info(), &resolved, *limits)?;
        }
        preflight::check_instance(runtime.config(), self.info(), &resolved, *limits)?;
        entry.as_ref().map_or(Ok(()), |entry| entry.cache.check_grants(capabilities))?;

        let mut cache = self.cache();
        let (loaded, compile_ns) = timed(|| self.compile_or_load(events, &mut cache));
        let compiled_bytes = loaded.as_ref().ok().and_then(|(_, module)| module.compiled_bytes());
        events(Event::Prepared { ns: compile_ns, cache, compiled_bytes });
        let (runtime, module) = loaded?;
        tracing::info!(compile_ns, engine = %runtime.kind(), ?cache, "module prepared");
        Ok(PreparedModule { module, runtime, options, resolved: Mutex::new(Some(resolved)) })
    }
}

impl PreparedModule {
    /// Returns the module info.
    #[must_use]
    pub fn info(&self) -> &Arc<ModuleInfo> {
        self.module.info()
    }

    /// Returns the runtime.
    #[must_use]
    pub fn runtime(&self) -> &dyn WasmRuntime {
        self.runtime.as_ref()
    }

    /// Returns the compiled module.
    #[must_use]
    pub fn module(&self) -> &dyn WasmModule {
        self.module.as_ref()
    }

    /// Makes an instance within `limits` and runs its `_initialize`.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::create_instance_with`], and of the call to `_initialize`.
    pub fn instantiate(&self, limits: Limits, events: &dyn Fn(Event)) -> Result<PreparedInstance> {
        events(Event::Instantiating);
        let (instance, instantiate_ns) = timed(|| self.make_instance(limits, events));
        events(Event::Instantiated { ns: instantiate_ns });
        tracing::info!(instantiate_ns, ok = instance.is_ok(), "instantiated");
        instance.map(|instance| PreparedInstance { instance })
    }

    fn make_instance(&self, limits: Limits, events: &dyn Fn(Event)) -> Result<Box<dyn WasmInstance>> {
        let InstanceOptions { capabilities, imports, initialize, caller_ends_process, .. } = &self.options;
        let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).take();
        let imports = match resolved {
            Some(imports) => imports,
            None => wasi::provide(self.runtime.kind(), self.info(), capabilities, imports)?.into_owned(),
        };
        if !caller_ends_process {
            preflight::check_stoppable(self.info(), &imports, limits)?;
        }
        let mut instance = self.runtime.instantiate(self.module.as_ref(), limits, &imports)?;
        if *initialize && self.info().function(INITIALIZE) == Some(&FuncType::default()) {
            events(Event::Initializing);
            instance.call(INITIALIZE, &[])?;
        }
        Ok(instance)
    }
}

/// An instance of a [`PreparedModule`].
#[derive(Debug)]
pub struct PreparedInstance {
    instance: Box<dyn WasmInstance>,
}

impl PreparedInstance {
    /// Calls an exported function.
    ///
    /// # Errors
    /// Those of [`WasmInstance::call`], except that a guest that exits is no error.
    pub fn call(&mut self, function: &str, args: &[Value], events: &dyn Fn(Event)) -> Result<Completion> {
        let Self { instance } = self;
        events(Event::Calling);
        let (result, call_ns) = timed(|| instance.call(function, args));
        events(Event::Called {
            ns: call_ns,
            fuel_used: instance.fuel_used(),
            memory_bytes: instance.memory_bytes(),
            memory_peak_bytes: instance.memory_peak_bytes(),
        });
        tracing::info!(call_ns, function = %Escaped(function), ok = result.is_ok(), "called");
        result.map(Completion::Returned).or_else(Completion::from_error)
    }

    /// Returns the instance.
    pub fn instance(&mut self) -> &mut dyn WasmInstance {
        self.instance.as_mut()
    }

    /// Returns the instance by value.
    #[must_use]
    pub fn into_instance(self) -> Box<dyn WasmInstance> {
        self.instance
    }
}

/// How a guest ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The function returned these results.
    Returned(Vec<Value>),
    /// The guest exited with this code.
    Exited(i32),
}

impl Completion {
    /// Returns the exit of a guest that ended a call, or instantiation, by exiting.
    ///
    /// # Errors
    /// `error` itself if it is anything else.
    pub fn from_error(error: Error) -> Result<Self> {
        error.exit_code().map(Self::Exited).ok_or(error)
    }
}
