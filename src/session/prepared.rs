//! Compiled code with everything its instances need, and those instances.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::metrics::timed;
use super::program_streams::{ProgramOutput, ProgramStreams};
use super::{CacheUse, Completion, Event, InstanceOptions, Session};
use crate::backends::create_runtime;
use crate::capabilities::Capabilities;
use crate::component::info::CodeInfo;
use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::escape::Escaped;
use crate::extism;
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::call::ResolvedCallable;
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::code::{CodeInstance, CompiledCode};
use crate::runtime::fuel;
use crate::runtime::host::HostImports;
use crate::runtime::preflight;
use crate::runtime::row_loop::RowLoop;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};
use crate::value::types::{FuncType, Value};
use crate::wasi;

/// The export that WASI reactors and C++ modules need called once, before any other.
const INITIALIZE: &str = "_initialize";

/// A runtime, compiled code and imports: makes any number of instances, on any thread.
#[derive(Debug)]
pub struct PreparedCode {
    code: CompiledCode,
    runtime: Box<dyn WasmRuntime>,
    options: InstanceOptions,
    imports: ResolvedImports,
    /// The loops that workers have compiled, by the types of their functions.
    row_loops: Mutex<Vec<(FuncType, Arc<RowLoop>)>>,
}

/// The imports of a module.
#[derive(Debug)]
enum ResolvedImports {
    /// Those of the options.
    OfOptions,
    /// Those of the options, of WASI and of Extism, which have state for each instance. Holds those of the first instance, which the
    /// checks before compilation have resolved.
    PerInstance(Mutex<Option<HostImports>>),
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
        let imports = options.check(self.runtime.as_ref(), self.info(), is_cached)?;
        self.entry.as_ref().map_or(Ok(()), |entry| entry.cache.check_grants(&options.capabilities))?;

        let mut cache = self.cache();
        let (loaded, compile_ns) = timed(|| self.compile_or_load(events, &mut cache));
        let compiled_bytes = loaded.as_ref().ok().and_then(|(_, code)| code.compiled_bytes());
        events(Event::Prepared { ns: compile_ns, cache, compiled_bytes });
        let (runtime, code) = loaded?;
        tracing::info!(compile_ns, engine = %runtime.kind(), ?cache, "code prepared");
        Ok(PreparedCode { code, runtime, options, imports, row_loops: Mutex::default() })
    }
}

impl InstanceOptions {
    /// Returns the imports of one instance of a module: those of the embedder, of WASI and of Extism.
    fn provide(
        &self,
        kind: RuntimeKind,
        info: &ModuleInfo,
        capabilities: &Capabilities,
    ) -> Result<Cow<'_, HostImports>> {
        match extism::provide(info, &self.plugin, capabilities, &self.imports) {
            Cow::Borrowed(imports) => wasi::provide(kind, info, capabilities, imports),
            Cow::Owned(imports) => Ok(Cow::Owned(wasi::provide(kind, info, capabilities, &imports)?.into_owned())),
        }
    }

    /// Checks that code which [`preflight::admit`] has accepted would run with these options: that its imports are provided and its
    /// limits can be enforced. Compiles nothing. The imports of a component are checked only if its engine is compiled in.
    ///
    /// # Errors
    /// Those of [`Session::prepare`], except for those of compiling.
    pub fn check_code(&self, config: &RuntimeConfig, info: &CodeInfo) -> Result<()> {
        match info {
            CodeInfo::Module(info) => self.check_module(config, info).map(drop),
            CodeInfo::Component(_) if config.kind.is_available() => {
                self.check(create_runtime(config)?.as_ref(), info, false).map(drop)
            }
            CodeInfo::Component(_) => preflight::check_grants_with_network(&self.capabilities),
        }
    }

    /// Checks everything about an instance of a module that can be checked before compilation. Returns the imports.
    fn check_module(&self, config: &RuntimeConfig, info: &ModuleInfo) -> Result<Cow<'_, HostImports>> {
        let resolved = self.provide(config.kind, info, &self.capabilities)?;
        if !self.caller_ends_process {
            preflight::check_stoppable(info, &resolved, self.limits)?;
        }
        preflight::check_instance(config, info, &resolved, self.limits)?;
        Ok(resolved)
    }

    /// Checks everything about an instance that can be checked before compilation. Returns the imports.
    fn check(&self, runtime: &dyn WasmRuntime, info: &CodeInfo, is_cached: bool) -> Result<ResolvedImports> {
        let Self { limits, capabilities, component_imports, .. } = self;
        match info {
            CodeInfo::Module(info) => Ok(match self.check_module(runtime.config(), info)? {
                Cow::Borrowed(_) => ResolvedImports::OfOptions,
                Cow::Owned(imports) => ResolvedImports::PerInstance(Mutex::new(Some(imports))),
            }),
            CodeInfo::Component(info) => {
                preflight::check_grants_with_network(capabilities)?;
                // Instantiation checks the same. The check takes a while, and there is nothing to compile.
                if !is_cached {
                    runtime.check_component(info, *limits, component_imports)?;
                }
                Ok(ResolvedImports::OfOptions)
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

    /// Returns the fuel to set before each call of an instance, so that its use is that of the call. `None` if fuel is not metered.
    pub(crate) fn fuel_of_each_call(&self, limits: Limits) -> Option<u64> {
        limits.fuel.or_else(|| self.runtime.config().metering.then_some(fuel::MAX_LIMIT))
    }

    /// Returns whether a worker has compiled the loop for the functions of a type. Does not wait for one that does.
    pub(super) fn has_row_loop(&self, ty: &FuncType) -> bool {
        self.row_loops.try_lock().is_ok_and(|row_loops| row_loops.iter().any(|(of, _)| of == ty))
    }

    /// Returns the loop for the functions of a type, and compiles it for the first worker.
    ///
    /// # Errors
    /// Those of [`RowLoop::compile`].
    pub(super) fn row_loop(&self, ty: &FuncType) -> Result<Arc<RowLoop>> {
        // The lock is held during compilation, so that other workers wait instead of compiling too.
        let mut row_loops = self.row_loops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, row_loop)) = row_loops.iter().find(|(of, _)| of == ty) {
            return Ok(Arc::clone(row_loop));
        }
        let row_loop = Arc::new(RowLoop::compile(self.runtime(), ty)?);
        row_loops.push((ty.clone(), Arc::clone(&row_loop)));
        Ok(row_loop)
    }

    /// Makes an instance within `limits`, and runs the `_initialize` of a module.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::create_instance_with`] and of the call to `_initialize`, or of
    /// [`WasmRuntime::create_component_instance_with`].
    pub fn instantiate(&self, limits: Limits, events: &dyn Fn(Event)) -> Result<PreparedInstance> {
        reported(events, || self.create(None, None, None, limits, events))
    }

    /// Makes an instance for a single call, of `callable` with `args`. A program that reads its argument from standard input needs
    /// a new instance for each call. If `callable` is `_initialize`, the call is left to the caller. For other callables, this is
    /// the same as [`PreparedCode::instantiate`].
    ///
    /// # Errors
    /// Those of [`PreparedCode::instantiate`]; [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the arguments do
    /// not fit.
    pub fn instantiate_for(
        &self,
        callable: &Callable,
        args: &CallArgs,
        limits: Limits,
        events: &dyn Fn(Event),
    ) -> Result<PreparedInstance> {
        let streams = ProgramStreams::of(callable, args)?;
        reported(events, || self.create(Some(callable), None, streams, limits, events))
    }

    /// As [`PreparedCode::instantiate_for`], with these capabilities in place of those of the options.
    ///
    /// # Errors
    /// Those of [`PreparedCode::instantiate_for`].
    pub fn instantiate_granting(
        &self,
        capabilities: &Capabilities,
        callable: &Callable,
        args: &CallArgs,
        limits: Limits,
        events: &dyn Fn(Event),
    ) -> Result<PreparedInstance> {
        let streams = ProgramStreams::of(callable, args)?;
        reported(events, || self.create(Some(callable), Some(capabilities), streams, limits, events))
    }

    /// Makes an instance for calls of `callable`, with its own capabilities or those of the options. Does not report
    /// [`Event::Instantiating`] and [`Event::Instantiated`].
    pub(super) fn create(
        &self,
        callable: Option<&Callable>,
        own: Option<&Capabilities>,
        streams: Option<ProgramStreams>,
        limits: Limits,
        events: &dyn Fn(Event),
    ) -> Result<PreparedInstance> {
        let granted = own.unwrap_or(&self.options.capabilities);
        let (replaced, output) = streams.map(|streams| streams.replace_in(granted)).unzip();
        let own = replaced.as_ref().or(own);
        let instance = match &self.code {
            CompiledCode::Module(module) => {
                CodeInstance::Module(self.create_module(module.as_ref(), callable, own, limits, events)?)
            }
            CompiledCode::Component(component) => {
                let InstanceOptions { capabilities, component_imports, .. } = &self.options;
                let capabilities = own.unwrap_or(capabilities);
                let component = component.as_ref();
                let instance =
                    self.runtime.instantiate_component(component, limits, capabilities, component_imports)?;
                CodeInstance::Component(instance)
            }
        };
        Ok(PreparedInstance { instance, output })
    }

    fn create_module(
        &self,
        module: &dyn WasmModule,
        callable: Option<&Callable>,
        own_capabilities: Option<&Capabilities>,
        limits: Limits,
        events: &dyn Fn(Event),
    ) -> Result<Box<dyn WasmInstance>> {
        let InstanceOptions { imports, initialize, caller_ends_process, .. } = &self.options;
        let capabilities = own_capabilities.unwrap_or(&self.options.capabilities);
        let provide = || self.options.provide(self.runtime.kind(), module.info(), capabilities);
        let imports = match &self.imports {
            ResolvedImports::OfOptions => Cow::Borrowed(imports),
            ResolvedImports::PerInstance(_) if own_capabilities.is_some() => provide()?,
            ResolvedImports::PerInstance(first) => {
                let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
                first.map_or_else(provide, |imports| Ok(Cow::Owned(imports)))?
            }
        };
        if !caller_ends_process {
            preflight::check_stoppable(module.info(), &imports, limits)?;
        }
        let mut instance = self.runtime.instantiate(module, limits, &imports)?;
        if *initialize {
            let is_called = |name: &str| callable.is_some_and(|callable| callable.name() == name);
            for (name, args) in initializers(module.info()).into_iter().take_while(|(name, _)| !is_called(name)) {
                events(Event::Initializing);
                instance.call(name, args)?;
            }
        }
        Ok(instance)
    }
}

/// Reports the start and the end of an instantiation.
fn reported(
    events: &dyn Fn(Event),
    instantiate: impl FnOnce() -> Result<PreparedInstance>,
) -> Result<PreparedInstance> {
    events(Event::Instantiating);
    let (instance, instantiate_ns) = timed(instantiate);
    events(Event::Instantiated { ns: instantiate_ns });
    tracing::info!(instantiate_ns, ok = instance.is_ok(), "instantiated");
    instance
}

/// Returns the exports to call once before any other, with their arguments.
fn initializers(info: &ModuleInfo) -> Vec<(&'static str, &'static [Value])> {
    if extism::is_plugin(info) {
        return extism::initializers(info);
    }
    let is_exported = info.function(INITIALIZE) == Some(&FuncType::default());
    is_exported.then_some((INITIALIZE, [].as_slice())).into_iter().collect()
}

/// An instance of [`PreparedCode`].
#[derive(Debug)]
pub struct PreparedInstance {
    instance: CodeInstance,
    /// The standard output of a program, if it is the result of the call.
    output: Option<ProgramOutput>,
}

impl PreparedInstance {
    /// Calls a function or runs the program, once. For many calls, [`PreparedInstance::resolve`] or a
    /// [`Worker`](super::Worker) is faster.
    ///
    /// # Errors
    /// Those of [`CodeInstance::call`], except that a guest that exits is no error. [`ErrorKind::Limit`](crate::ErrorKind::Limit) if
    /// the result is the standard output of a program, which has written too much.
    pub fn call(&mut self, callable: &Callable, args: &CallArgs, events: &dyn Fn(Event)) -> Result<Completion> {
        events(Event::Calling);
        let (completion, call_ns) = timed(|| self.run(callable, args));
        let Self { instance, .. } = self;
        events(Event::Called {
            ns: call_ns,
            fuel_used: instance.fuel_used(),
            memory_bytes: instance.memory_bytes(),
            memory_peak_bytes: instance.memory_peak_bytes(),
        });
        tracing::info!(call_ns, function = %Escaped(callable.name()), ok = completion.is_ok(), "called");
        completion
    }

    /// Calls a function or runs the program, without reports.
    pub(crate) fn run(&mut self, callable: &Callable, args: &CallArgs) -> Result<Completion> {
        match &mut self.output {
            Some(output) => output.run(&mut self.instance, callable),
            None => self.instance.call(callable, args).map(Completion::Returned).or_else(Completion::from_error),
        }
    }

    /// Resolves a callable, once for any number of calls.
    ///
    /// # Errors
    /// Those of [`CodeInstance::resolve`].
    pub fn resolve(&mut self, callable: &Callable) -> Result<ResolvedCallable> {
        self.instance.resolve(callable)
    }

    /// Returns the number of the instance, which is unique in the process, if it is one of a module.
    pub(super) fn id(&self) -> Option<u64> {
        match &self.instance {
            CodeInstance::Module(instance) => Some(instance.core().id()),
            CodeInstance::Component(_) => None,
        }
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
