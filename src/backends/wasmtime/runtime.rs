//! The runtime: configures the engine, compiles modules, creates instances.

use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use wasmtime::{Config, Engine, Instance, Module, OptLevel};

use super::caller::LiveModule;
use super::deferred_start::{self, DeferredStart};
use super::limits::{self, StoreData};
use super::module::EngineCode;
use super::parts::RuntimeParts;
use super::pool::{Pool, PoolPlace};
use super::{WasmtimeInstance, WasmtimeModule, component, errors, fuel, host, interrupt, serialize, stack};
use crate::capabilities::Capabilities;
use crate::component::info::ComponentInfo;
use crate::config::RuntimeConfig;
use crate::engine::features::{self, Feature};
use crate::engine::kind::Optimization;
use crate::error::{Error, ErrorKind, Frame, Result};
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::module::threads;
use crate::runtime::cached_code::{CachedCode, CodeParts};
use crate::runtime::component::{WasmComponent, WasmComponentInstance};
use crate::runtime::component_host::ComponentImports;
use crate::runtime::fuel::{FuelState, UNLIMITED};
use crate::runtime::host::HostImports;
use crate::runtime::owner::{InstanceCore, ModuleOwner};
use crate::runtime::preflight::{self, AdmittedComponent, AdmittedModule};
use crate::runtime::registry::InstanceRegistry;
use crate::runtime::sealed;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};
use crate::wasi;

/// A configured Wasmtime engine.
#[derive(derive_more::Debug)]
pub struct WasmtimeRuntime {
    config: RuntimeConfig,
    #[debug(skip)]
    engine: Engine,
    pool: Option<Pool>,
    registry: Arc<InstanceRegistry>,
}

pub(crate) fn create(config: &RuntimeConfig) -> Result<Box<dyn WasmRuntime>> {
    Ok(Box::new(WasmtimeRuntime::new(config)?))
}

impl WasmtimeRuntime {
    /// Creates the engine.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if Wasmtime does not support `config`.
    pub fn new(config: &RuntimeConfig) -> Result<Self> {
        preflight::check_config(config)?;
        let engine = Engine::new(&settings(config)).map_err(|error| {
            let what = "wasmtime does not support this configuration";
            Error::of_engine(ErrorKind::UnsupportedConfig, what, &format!("{error:#}"))
        })?;
        let pool = config.pooled_instances.map(Pool::new);
        Ok(Self { config: config.clone(), engine, pool, registry: Arc::default() })
    }

    fn parts(&self) -> RuntimeParts<'_> {
        let Self { config, engine, registry, .. } = self;
        RuntimeParts { config, engine, registry }
    }

    /// Returns the engine for a module.
    fn engine_for(&self, info: &ModuleInfo) -> &Engine {
        let pooled = self.pool.as_ref().and_then(|pool| pool.engine_for(info, || settings(&self.config)));
        pooled.unwrap_or(&self.engine)
    }

    /// Returns the code for the next instance of a module, and its place in the pool if it is pooled.
    fn code_for_instance<'m>(&self, module: &'m WasmtimeModule) -> Result<(&'m EngineCode, Option<PoolPlace>)> {
        let pool = self.pool.as_ref().filter(|pool| pool.has(module.compiled.module.engine()));
        let place = pool.map(Pool::take);
        tracing::trace!(is_pooled = place.as_ref().is_some_and(Option::is_some), "making an instance");
        match place {
            None => Ok((&module.compiled, None)),
            Some(Some(place)) => Ok((&module.compiled, Some(place))),
            Some(None) => Ok((module.unpooled(&self.engine)?, None)),
        }
    }

    /// Makes the compiler ready to run on this thread.
    fn prepare_compiler(&self) {
        if self.config.parallel_compilation {
            make_pool_usable();
        }
    }

    /// Returns the module to compile. With metering, its start function is deferred until the fuel limit is set.
    fn defer_start<'m>(&self, module: &'m AdmittedModule<'_>) -> Result<DeferredStart<'m>> {
        let binary = module.binary_for(&self.config)?;
        if !self.config.metering {
            return Ok(DeferredStart::unchanged(binary));
        }
        DeferredStart::rewrite(binary, module.info())
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot rewrite a valid module").with_source(error))
    }
}

/// Returns the settings of an engine.
fn settings(config: &RuntimeConfig) -> Config {
    let mut settings = Config::new();
    let supported =
        Feature::supported(config.kind, config.effective_compiler()).filter(|feature| feature.is_available());
    settings.wasm_features(features::flags(supported), true);
    settings.shared_memory(true);
    if config.metering {
        fuel::configure(&mut settings);
    }
    settings.epoch_interruption(config.interruption);
    settings.parallel_compilation(config.parallel_compilation);
    settings.cranelift_opt_level(match config.effective_optimization() {
        Optimization::None => OptLevel::None,
        Optimization::Speed => OptLevel::Speed,
        Optimization::Size => OptLevel::SpeedAndSize,
    });
    settings.cranelift_nan_canonicalization(config.canonical_nans);
    settings.relaxed_simd_deterministic(config.canonical_nans);
    let stack = usize::try_from(config.effective_max_stack()).unwrap_or(usize::MAX);
    // Functions of components run on separate stacks, which host functions use too.
    settings.max_wasm_stack(stack).async_stack_size(stack.saturating_add(1 << 20));
    component::configure(&mut settings);
    settings.wasm_backtrace_max_frames(NonZeroUsize::new(Frame::MAX_READ));
    settings
}

/// Makes `rayon` usable on this thread: if there are no other threads, this thread does all the work.
fn make_pool_usable() {
    thread_local! {
        static ONLY_THIS_THREAD: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
    }
    if !threads::has_threads() {
        let build = || ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok();
        ONLY_THIS_THREAD.with(|pool| _ = pool.get_or_init(build));
    }
}

impl sealed::Runtime for WasmtimeRuntime {
    fn registry(&self) -> &InstanceRegistry {
        &self.registry
    }

    fn compile(&self, module: &AdmittedModule<'_>) -> Result<Box<dyn WasmModule>> {
        self.registry.admit_work()?;
        let deferred = self.defer_start(module)?;
        self.prepare_compiler();
        let compile = || {
            Module::from_binary(self.engine_for(module.info()), &deferred.binary)
                .map_err(|error| errors::compile("module", &error))
        };
        let compiled = preflight::guard_compiler(&self.config, compile)?;
        self.registry.count_compiled();
        let DeferredStart { start, code_shift, .. } = deferred;
        let owner = ModuleOwner::new(Arc::clone(module.info()), &self.registry);
        let image = compiled.image_range();
        let compiled_bytes = image.end as u64 - image.start as u64;
        Ok(Box::new(WasmtimeModule::new(compiled, owner, start, code_shift, compiled_bytes)))
    }

    fn restore(&self, code: CachedCode) -> Result<Box<dyn WasmModule>> {
        self.registry.admit_work()?;
        let CodeParts { info, code, code_shift } = code.parts_for(&self.config)?;
        let info = Arc::clone(info.module()?);
        // The code may be mapped together with other parts of a file.
        let compiled_bytes = code.len();
        let compiled = serialize::read(self.engine_for(&info), code)?;
        self.registry.count_cache_hit();
        let start = self.config.metering.then(|| deferred_start::export_name(&info)).flatten();
        let owner = ModuleOwner::new(info, &self.registry);
        Ok(Box::new(WasmtimeModule::new(compiled, owner, start, code_shift, compiled_bytes)))
    }

    fn code_compatibility(&self) -> u64 {
        serialize::code_compatibility(&self.engine)
    }

    fn instantiate(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        let module = module.as_any().downcast_ref::<WasmtimeModule>();
        let Some(module) = module.filter(|module| module.owner.is_of(&self.registry)) else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the module was compiled by another runtime"));
        };
        let config = &self.config;
        preflight::check_instance(config, module.info(), imports, limits)?;

        let (compiled, place) = self.code_for_instance(module)?;
        let shared_bytes = uncounted_shared_bytes(module.info(), imports);
        let core = InstanceCore::new(&module.owner, limits, shared_bytes, config.interruption)?;
        core.status().set_plugin(imports.plugin.as_ref());
        let data = StoreData::new(Arc::clone(core.status()), module.code_shift);
        let mut store =
            limits::create_store(compiled.module.engine(), data, module.info().tags > 0).map_err(|error| {
                Error::of_engine(ErrorKind::Io, "the heap for exceptions cannot be created", &format!("{error:#}"))
            })?;
        if config.interruption {
            interrupt::prepare(&mut store, &core);
        }
        let stack_bytes = stack::bytes_for_call(config.effective_max_stack());
        let externs = host::lower(&mut store, compiled, module.info(), imports)?;
        let mut fuel_state = config.metering.then(|| FuelState::new(core.status(), limits.fuel));
        if fuel_state.is_some() {
            fuel::set_left(&mut store, UNLIMITED);
        }
        let mut create = || {
            let created = stack::with_room(stack_bytes, || Instance::new(&mut store, &compiled.module, &externs));
            created.map_err(|error| errors::instantiate(&mut store, error))
        };
        // The engine runs a start function that is not deferred.
        let runs_start = module.info().start.is_some() && module.start.is_none();
        let instance = if runs_start {
            core.status().start(create)?
        } else {
            create().map_err(|error| core.status().explain(error))?
        };
        store.data_mut().instance = Some(instance);
        if let Some(fuel_state) = &fuel_state {
            fuel::set_left(&mut store, fuel_state.total());
        }
        if let Some(start) = module.start.as_ref().and_then(|name| instance.get_func(&mut store, name)) {
            core.status().start(|| {
                let started = stack::with_room(stack_bytes, || start.call(&mut store, &[], &mut []));
                fuel::finish_call(&mut store, &mut fuel_state, started)
            })?;
        }
        let live = LiveModule { core: core.created(), store, stack_bytes, fuel_state };
        Ok(Box::new(WasmtimeInstance { live, instance, _place: place }))
    }

    fn compile_component(&self, component: &AdmittedComponent<'_>) -> Result<Box<dyn WasmComponent>> {
        self.prepare_compiler();
        component::compile(self.parts(), component)
    }

    fn restore_component(&self, code: CachedCode) -> Result<Box<dyn WasmComponent>> {
        component::restore(self.parts(), code)
    }

    fn check_component(&self, info: &ComponentInfo, limits: Limits, imports: &ComponentImports) -> Result<()> {
        preflight::check_amounts(&self.config, limits)?;
        component::check_imports(&self.engine, info, imports)
    }

    fn instantiate_component(
        &self,
        component: &dyn WasmComponent,
        limits: Limits,
        capabilities: &Capabilities,
        imports: &ComponentImports,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        component::instantiate(self.parts(), component, limits, capabilities, imports)
    }
}

impl WasmRuntime for WasmtimeRuntime {
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

/// Returns the bytes of shared memory that the engine's calls to the limiter do not count. The engine only asks for the
/// minimum of each shared memory that the module defines; shared memories count with their maximum.
fn uncounted_shared_bytes(info: &ModuleInfo, imports: &HostImports) -> u64 {
    let defined = info.memories.iter().filter(|ty| ty.shared);
    let counted = defined.fold(0, |sum: u64, ty| sum.saturating_add(ty.minimum.saturating_mul(ty.page_size)));
    preflight::shared_bytes(info, imports).saturating_sub(counted)
}
