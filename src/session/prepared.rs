//! Compiled code with everything its instances need, and those instances.

use std::sync::{Mutex, PoisonError};

use super::metrics::timed;
use super::{CacheUse, Completion, Event, InstanceOptions, Session};
use crate::component::info::CodeInfo;
use crate::error::Result;
use crate::escape::Escaped;
use crate::limits::Limits;
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::code::{CodeInstance, CompiledCode};
use crate::runtime::host::HostImports;
use crate::runtime::preflight;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};
use crate::value::types::FuncType;
use crate::wasi;

/// The export that WASI reactors and C++ modules need called once, before any other.
const INITIALIZE: &str = "_initialize";

/// A runtime, compiled code and imports: makes any number of instances, on any thread.
#[derive(Debug)]
pub struct PreparedCode {
    code: CompiledCode,
    runtime: Box<dyn WasmRuntime>,
    options: InstanceOptions,
    /// The imports of a module that the checks before compilation resolved, for the first instance.
    resolved: Mutex<Option<HostImports>>,
}

impl Session<'_> {
    /// Compiles or loads the code, after everything about its instances was checked that can be checked before.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`] and [`WasmRuntime::create_instance_with`], or of
    /// [`WasmRuntime::load_component`] and [`WasmRuntime::create_component_instance_with`].
    pub fn prepare(self, options: InstanceOptions, events: &dyn Fn(Event)) -> Result<PreparedCode> {
        // Compiling a large module takes minutes: refuse what instantiation would refuse first.
        let is_cached = self.cache() == CacheUse::Hit;
        let resolved = options.check(self.runtime.as_ref(), self.info(), is_cached)?;
        self.entry.as_ref().map_or(Ok(()), |entry| entry.cache.check_grants(&options.capabilities))?;

        let mut cache = self.cache();
        let (loaded, compile_ns) = timed(|| self.compile_or_load(events, &mut cache));
        let compiled_bytes = loaded.as_ref().ok().and_then(|(_, code)| code.compiled_bytes());
        events(Event::Prepared { ns: compile_ns, cache, compiled_bytes });
        let (runtime, code) = loaded?;
        tracing::info!(compile_ns, engine = %runtime.kind(), ?cache, "code prepared");
        Ok(PreparedCode { code, runtime, options, resolved: Mutex::new(resolved) })
    }
}

impl InstanceOptions {
    /// Checks everything about an instance that can be checked before compilation. Returns the imports of a module, with WASI.
    fn check(&self, runtime: &dyn WasmRuntime, info: &CodeInfo, is_cached: bool) -> Result<Option<HostImports>> {
        let Self { limits, capabilities, imports, component_imports, caller_ends_process, .. } = self;
        match info {
            CodeInfo::Module(info) => {
                let resolved = wasi::provide(runtime.kind(), info, capabilities, imports)?.into_owned();
                if !caller_ends_process {
                    preflight::check_stoppable(info, &resolved, *limits)?;
                }
                preflight::check_instance(runtime.config(), info, &resolved, *limits)?;
                Ok(Some(resolved))
            }
            CodeInfo::Component(info) => {
                preflight::check_component_grants(capabilities)?;
                // Instantiation checks the same. The check takes a while, and there is nothing to compile.
                if !is_cached {
                    runtime.check_component(info, *limits, component_imports)?;
                }
                Ok(None)
            }
        }
    }
}

impl PreparedCode {
    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> CodeInfo {
        self.code.info()
    }

    /// Returns the runtime.
    #[must_use]
    pub fn runtime(&self) -> &dyn WasmRuntime {
        self.runtime.as_ref()
    }

    /// Returns the compiled code.
    #[must_use]
    pub fn code(&self) -> &CompiledCode {
        &self.code
    }

    /// Makes an instance within `limits`, and runs the `_initialize` of a module.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::create_instance_with`] and of the call to `_initialize`, or of
    /// [`WasmRuntime::create_component_instance_with`].
    pub fn instantiate(&self, limits: Limits, events: &dyn Fn(Event)) -> Result<PreparedInstance> {
        events(Event::Instantiating);
        let (instance, instantiate_ns) = timed(|| match &self.code {
            CompiledCode::Module(module) => {
                self.instantiate_module(module.as_ref(), limits, events).map(CodeInstance::Module)
            }
            CompiledCode::Component(component) => {
                let InstanceOptions { capabilities, component_imports, .. } = &self.options;
                let instance =
                    self.runtime.instantiate_component(component.as_ref(), limits, capabilities, component_imports);
                instance.map(CodeInstance::Component)
            }
        });
        events(Event::Instantiated { ns: instantiate_ns });
        tracing::info!(instantiate_ns, ok = instance.is_ok(), "instantiated");
        instance.map(|instance| PreparedInstance { instance })
    }

    fn instantiate_module(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        events: &dyn Fn(Event),
    ) -> Result<Box<dyn WasmInstance>> {
        let InstanceOptions { capabilities, imports, initialize, caller_ends_process, .. } = &self.options;
        let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).take();
        let imports = match resolved {
            Some(imports) => imports,
            None => wasi::provide(self.runtime.kind(), module.info(), capabilities, imports)?.into_owned(),
        };
        if !caller_ends_process {
            preflight::check_stoppable(module.info(), &imports, limits)?;
        }
        let mut instance = self.runtime.instantiate(module, limits, &imports)?;
        if *initialize && module.info().function(INITIALIZE) == Some(&FuncType::default()) {
            events(Event::Initializing);
            instance.call(INITIALIZE, &[])?;
        }
        Ok(instance)
    }
}

/// An instance of [`PreparedCode`].
#[derive(Debug)]
pub struct PreparedInstance {
    instance: CodeInstance,
}

impl PreparedInstance {
    /// Calls a function or runs the program, once. For many calls, [`CodeInstance::resolve`] is faster.
    ///
    /// # Errors
    /// Those of [`CodeInstance::call`], except that a guest that exits is no error.
    pub fn call(&mut self, callable: &Callable, args: &CallArgs, events: &dyn Fn(Event)) -> Result<Completion> {
        let Self { instance } = self;
        events(Event::Calling);
        let (result, call_ns) = timed(|| instance.call(callable, args));
        events(Event::Called {
            ns: call_ns,
            fuel_used: instance.fuel_used(),
            memory_bytes: instance.memory_bytes(),
            memory_peak_bytes: instance.memory_peak_bytes(),
        });
        tracing::info!(call_ns, function = %Escaped(callable.name()), ok = result.is_ok(), "called");
        result.map(Completion::Returned).or_else(Completion::from_error)
    }

    /// Returns the instance.
    pub fn instance(&mut self) -> &mut CodeInstance {
        &mut self.instance
    }

    /// Returns the instance by value.
    #[must_use]
    pub fn into_instance(self) -> CodeInstance {
        self.instance
    }
}
