//! The runtime: configures engines, compiles modules, creates instances.
#![expect(unsafe_code, reason = "modules are already validated, so the engine compiles them without validation")]

use std::num::NonZero;
use std::sync::{Arc, OnceLock};

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use wasmer::sys::{
    BaseTunables, CompilerConfig, Cranelift, CraneliftOptLevel, EngineBuilder, Features, ModuleMiddleware,
    NativeEngineExt, Singlepass,
};
use wasmer::{Engine, FunctionEnv, Instance, Module, Store};

use super::convert::References;
use super::fuel::GuestGlobals;
use super::host::HostEnv;
use super::limits::{Budget, GuestTunables, claim_stack_size, has_memory_or_table};
use super::private_exports::PrivateExports;
use super::wasix::Process;
use super::{WasmerInstance, WasmerModule, br_table, errors, host, interrupt, middleware, serialize};
use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::engine::features::Feature;
use crate::engine::kind::{Compiler, Optimization};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::module::info::Import;
use crate::module::threads;
use crate::runtime::cached_code::{CachedCode, CodeParts};
use crate::runtime::host::HostImports;
use crate::runtime::owner::{InstanceCore, ModuleOwner};
use crate::runtime::preflight::{self, AdmittedModule};
use crate::runtime::registry::InstanceRegistry;
use crate::runtime::sealed;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};
use crate::wasi;

/// A configured Wasmer engine.
#[derive(derive_more::Debug)]
pub struct WasmerRuntime {
    config: RuntimeConfig,
    #[debug(skip)]
    registry: Arc<InstanceRegistry>,
}

pub(crate) fn create(config: &RuntimeConfig) -> Result<Box<dyn WasmRuntime>> {
    Ok(Box::new(WasmerRuntime::new(config)?))
}

impl WasmerRuntime {
    /// Creates the runtime.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if Wasmer does not support `config`, or if an earlier runtime of this process has
    /// another guest stack size, since Wasmer keeps one pool of guest stacks for the whole process.
    pub fn new(config: &RuntimeConfig) -> Result<Self> {
        preflight::check_config(config)?;
        claim_stack_size(config.effective_max_stack())?;
        Ok(Self { config: config.clone(), registry: Arc::default() })
    }
}

/// Runs `compile` on a pool with one thread, which ends with it. Wasmer also compiles on the pool of the calling thread:
/// without this, on rayon's global pool, which has a thread for each core and stays until the process ends.
///
/// # Errors
/// Those of `compile`; [`ErrorKind::Io`] if the system cannot create a thread for it.
fn on_temporary_pool<T: Send>(compile: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build();
    let no_thread = |error: ThreadPoolBuildError| {
        let error = Error::of_engine(ErrorKind::Io, "wasmer cannot start a thread to compile", &error.to_string());
        error.with_hint("use `--runtime wasmtime`, which needs no thread")
    };
    pool.map_err(no_thread)?.install(compile)
}

/// Creates an engine that compiles one module, with `middleware`. Each module has its own engine, since an engine keeps all
/// code it compiled until it is dropped, has one lock for all of it, and is unusable after a panic of the compiler.
fn engine(config: &RuntimeConfig, middleware: Option<Arc<dyn ModuleMiddleware>>, on_one_thread: bool) -> Engine {
    match config.effective_compiler() {
        Compiler::Cranelift => {
            let mut cranelift = Cranelift::default();
            cranelift.opt_level(match config.effective_optimization() {
                Optimization::None => CraneliftOptLevel::None,
                Optimization::Speed => CraneliftOptLevel::Speed,
                Optimization::Size => CraneliftOptLevel::SpeedAndSize,
            });
            if on_one_thread {
                cranelift.num_threads(NonZero::<usize>::MIN);
            }
            build(cranelift, config, middleware)
        }
        Compiler::Singlepass => {
            let mut singlepass = Singlepass::default();
            if on_one_thread {
                singlepass.num_threads(NonZero::<usize>::MIN);
            }
            build(singlepass, config, middleware)
        }
    }
}

fn build<C>(mut compiler: C, config: &RuntimeConfig, middleware: Option<Arc<dyn ModuleMiddleware>>) -> Engine
where
    C: CompilerConfig + 'static,
{
    compiler.canonicalize_nans(config.canonical_nans);
    if let Some(middleware) = middleware {
        compiler.push_middleware(middleware);
    }
    let compiler: Box<dyn CompilerConfig> = Box::new(compiler);
    EngineBuilder::new(compiler).set_features(Some(features(config))).engine().into()
}

/// Sets up an engine for instances without memories and tables. They can share it, since it counts nothing.
fn without_memories(mut engine: Engine, config: &RuntimeConfig) -> Engine {
    let base = BaseTunables::for_target(engine.target());
    engine.set_tunables(GuestTunables::new(base, Budget::Empty, Limits::none(), config.effective_max_stack()));
    engine
}

/// Returns the engine's feature flags. Preflight refuses the features that the engine has no flag for.
fn features(config: &RuntimeConfig) -> Features {
    let has = |feature: Feature| feature.is_supported(config.kind, config.effective_compiler());
    let mut features = Features::none();
    features
        .reference_types(has(Feature::ReferenceTypes))
        .multi_value(has(Feature::MultiValue))
        .bulk_memory(has(Feature::BulkMemory))
        .simd(has(Feature::Simd))
        .relaxed_simd(has(Feature::RelaxedSimd))
        .threads(has(Feature::Threads))
        .extended_const(has(Feature::ExtendedConst))
        .multi_memory(has(Feature::MultiMemory))
        .exceptions(has(Feature::Exceptions))
        .wide_arithmetic(has(Feature::WideArithmetic));
    features
}

impl sealed::Runtime for WasmerRuntime {
    fn registry(&self) -> &InstanceRegistry {
        &self.registry
    }

    fn compile(&self, module: &AdmittedModule<'_>) -> Result<Box<dyn WasmModule>> {
        self.registry.admit_work()?;
        let binary = module.binary_for(&self.config)?;
        br_table::check(std::env::consts::ARCH, self.config.effective_compiler(), binary)?;
        let private = PrivateExports::of(module.info(), &self.config);
        let compile = |on_one_thread: bool| {
            let engine = engine(&self.config, middleware::for_module(&private, binary)?, on_one_thread);
            // SAFETY: an admitted module is valid with the features that this engine is configured with.
            let compile = || unsafe { Module::from_binary_unchecked(&engine, binary) };
            let compile = || compile().map_err(|error| errors::compile(&error));
            let compile = || if on_one_thread { on_temporary_pool(compile) } else { compile() };
            Ok((preflight::guard_compiler(&self.config, compile)?, engine))
        };
        let on_one_thread =
            threads::is_small(binary.len() as u64) || !self.config.parallel_compilation || !threads::has_threads();
        let compiled = compile(on_one_thread).or_else(|error: Error| match error.kind() {
            // The compiler starts more threads, and there may be too few.
            ErrorKind::Io if !on_one_thread => compile(true),
            _ => Err(error),
        });
        let (compiled, engine) = compiled?;
        self.registry.count_compiled();
        let owner = ModuleOwner::new(Arc::clone(module.info()), &self.registry);
        let engine = without_memories(engine, &self.config);
        Ok(Box::new(WasmerModule { compiled, engine, private, owner, serialized_bytes: OnceLock::new() }))
    }

    fn restore(&self, code: CachedCode) -> Result<Box<dyn WasmModule>> {
        self.registry.admit_work()?;
        let CodeParts { info, code, .. } = code.parts_for(&self.config)?;
        let info = Arc::clone(info.module()?);
        let serialized_bytes = code.len().into();
        let (compiled, engine) = serialize::read(code)?;
        self.registry.count_cache_hit();
        let private = PrivateExports::of(&info, &self.config);
        let owner = ModuleOwner::new(info, &self.registry);
        let engine = without_memories(engine, &self.config);
        Ok(Box::new(WasmerModule { compiled, engine, private, owner, serialized_bytes }))
    }

    fn code_compatibility(&self) -> u64 {
        serialize::code_compatibility()
    }

    fn instantiate(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        let module = module.as_any().downcast_ref::<WasmerModule>();
        let Some(module) = module.filter(|module| module.owner.is_of(&self.registry)) else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the module was compiled by another runtime"));
        };
        let config = &self.config;
        preflight::check_instance(config, module.info(), imports, limits)?;

        // WASIX creates a memory for a program without one.
        let has_memory = has_memory_or_table(module.info()) || imports.wasix.is_some();
        let shared_bytes = if has_memory { preflight::shared_bytes(module.info(), imports) } else { 0 };
        // Declared first, so that it is dropped last if this function fails.
        let mut store;
        let core = InstanceCore::new(&module.owner, limits, shared_bytes, config.interruption)?;
        core.status().set_plugin(imports.plugin.as_ref());
        let status = core.status();
        let base = || BaseTunables::for_target(module.engine.target());
        let tunables =
            || GuestTunables::new(base(), Budget::Status(Arc::clone(status)), limits, config.effective_max_stack());
        let mut engine = module.engine.clone();
        if has_memory {
            engine.set_tunables(tunables());
        }
        store = Store::new(engine);
        let references = References::default();
        let new_process = |wasix| {
            let mut engine = module.engine.clone();
            engine.set_tunables(tunables().for_thread());
            Process::new(&mut store, module, imports, wasix, engine, &core)
        };
        let mut process = imports.wasix.as_ref().map(new_process).transpose()?.map(Box::new);
        let wasix = |store: &mut Store, env: &FunctionEnv<HostEnv>, import: &Import| {
            process.as_ref()?.provide(store, env, import)
        };
        let lowered = host::lower(&mut store, module.info(), imports, &references, status, wasix)?;
        let instance = Instance::new_by_index(&mut store, &module.compiled, &lowered.externs);
        let instance = instance.map_err(errors::instantiate)?;
        let mut globals = GuestGlobals::of(&module.private, &instance, status, limits.fuel)?;
        globals.fill(&mut store);
        match (&mut process, globals.stop()) {
            (Some(process), stop) => process.begin(&mut store, &instance, &lowered.externs, stop, &core)?,
            (None, stop) => {
                if let Some(flag) = stop.and_then(|stop| interrupt::flag(&mut store, stop)) {
                    core.set_interrupt_handle(flag);
                }
            }
        }
        lowered.connect(&mut store, &instance, globals.fuel().cloned());
        if let Some(start) = module.private.start(&instance)? {
            let mut start = || {
                let started = start.call(&mut store, &[]);
                globals.finish_call(&mut store, started)
            };
            status.start(|| match &process {
                None => start(),
                Some(process) => process.run(false, start),
            })?;
        }
        Ok(Box::new(WasmerInstance { core: core.created(), wasix: process, instance, references, globals, store }))
    }
}

impl WasmRuntime for WasmerRuntime {
    fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    fn create_instance_with(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        capabilities: Capabilities,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        wasi::create_instance(self, module, limits, &capabilities, imports)
    }
}
