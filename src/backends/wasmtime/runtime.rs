//! The engine: configured once, compiles modules, makes instances.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Config, Engine, Instance, Module, OptLevel, Store};

use super::deferred_start::{self, DeferredStart};
use super::limits::StoreData;
use super::{WasmtimeInstance, WasmtimeModule, errors, fuel, host, interrupt, serialize, stack};
use crate::config::RuntimeConfig;
use crate::engine::features::{self, Feature};
use crate::engine::kind::Optimization;
use crate::error::{Error, ErrorKind, Frame, Result};
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::{CachedCode, CodeParts};
use crate::runtime::core::{InstanceCore, ModuleOwner};
use crate::runtime::fuel::{FuelState, UNLIMITED};
use crate::runtime::host::HostImports;
use crate::runtime::metrics::{InstanceRegistry, RuntimeMetrics, Shutdown};
use crate::runtime::preflight::{self, AdmittedModule};
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};

/// Wasmtime, configured.
#[derive(Debug)]
pub struct WasmtimeRuntime {
    config: RuntimeConfig,
    engine: WasmtimeEngine,
    registry: Arc<InstanceRegistry>,
}

/// The engine tells nothing of itself that is worth a line.
struct WasmtimeEngine(Engine);

impl std::fmt::Debug for WasmtimeEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

pub(crate) fn create(config: &RuntimeConfig) -> Result<Box<dyn WasmRuntime>> {
    Ok(Box::new(WasmtimeRuntime::new(config)?))
}

impl WasmtimeRuntime {
    /// Makes the engine.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where it cannot hold `config`.
    pub fn new(config: &RuntimeConfig) -> Result<Self> {
        preflight::check_config(config)?;
        let mut settings = Config::new();
        let supported = Feature::supported(config.kind, config.effective_compiler());
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
        // No guest runs on an async stack here, but the engine insists that one would be large enough.
        settings.max_wasm_stack(stack).async_stack_size(stack.saturating_add(1 << 20));
        settings.wasm_backtrace_max_frames(NonZeroUsize::new(Frame::MOST));
        let engine = Engine::new(&settings).map_err(|error| {
            Error::new(ErrorKind::UnsupportedConfig, format!("wasmtime cannot be configured so: {error:#}"))
        })?;
        Ok(Self { config: config.clone(), engine: WasmtimeEngine(engine), registry: Arc::default() })
    }
}

impl WasmtimeRuntime {
    /// The module as it is compiled: where fuel is metered, its start function waits for the tank to be filled.
    fn defer_start<'m>(&self, module: &'m AdmittedModule<'_>) -> Result<DeferredStart<'m>> {
        let binary = module.binary_for(&self.config)?;
        if !self.config.metering {
            return Ok(DeferredStart::not(binary));
        }
        DeferredStart::of(binary, module.info()).map_err(|error| {
            Error::new(ErrorKind::Internal, "a valid module could not be rewritten").with_source(error)
        })
    }
}

impl WasmRuntime for WasmtimeRuntime {
    fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    fn compile(&self, module: &AdmittedModule<'_>) -> Result<Box<dyn WasmModule>> {
        self.registry.admit_work()?;
        let deferred = self.defer_start(module)?;
        let compile = || Module::from_binary(&self.engine.0, &deferred.binary).map_err(|error| errors::compile(&error));
        let compiled = preflight::guard_compiler(&self.config, compile)?;
        self.registry.compiled_one();
        let DeferredStart { start, code_shift, .. } = deferred;
        let owner = ModuleOwner::new(Arc::clone(module.info()), &self.registry);
        Ok(Box::new(WasmtimeModule::new(compiled, owner, start, code_shift)))
    }

    fn restore(&self, code: CachedCode) -> Result<Box<dyn WasmModule>> {
        self.registry.admit_work()?;
        let CodeParts { info, code, code_shift } = code.parts_for(&self.config)?;
        let length = code.len();
        let compiled = serialize::read(&self.engine.0, code)?;
        self.registry.restored_one();
        let start = self.config.metering.then(|| deferred_start::name(&info)).flatten();
        let owner = ModuleOwner::new(info, &self.registry);
        Ok(Box::new(WasmtimeModule::new(compiled, owner, start, code_shift).of_length(length)))
    }

    fn instantiate(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        let module = module.as_any().downcast_ref::<WasmtimeModule>();
        let Some(module) = module.filter(|module| module.owner().is_of(&self.registry)) else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the module was compiled by another runtime"));
        };
        let Self { config, engine: WasmtimeEngine(engine), .. } = self;
        preflight::check_instance(config, module.info(), imports, limits)?;

        let shared = shared_bytes_to_come(module.info(), imports);
        let core = InstanceCore::new(module.owner(), limits, shared, config.interruption)?;
        let mut store = Store::new(engine, StoreData::new(Arc::clone(core.status()), module.code_shift()));
        store.limiter(|guest| guest);
        if config.interruption {
            interrupt::prepare(&mut store, &core);
        }
        let stack = stack::needed(config.effective_max_stack());
        let externs = host::lower(&mut store, module.info(), imports)?;
        let mut fuel_state = config.metering.then(|| FuelState::new(core.status(), limits.fuel));
        if fuel_state.is_some() {
            fuel::set_left(&mut store, UNLIMITED);
        }
        let mut make = || {
            let made = stack::on_enough(stack, || Instance::new(&mut store, module.compiled(), &externs));
            made.map_err(|error| errors::instantiate(&mut store, error))
        };
        // A start function that does not wait is run by the engine.
        let starts = module.info().start.is_some() && module.start().is_none();
        let instance =
            if starts { core.status().start(&mut make) } else { make().map_err(|error| core.status().explain(error)) };
        let instance = instance?;
        store.data_mut().instance = Some(instance);
        if let Some(fuel_state) = &fuel_state {
            fuel::set_left(&mut store, fuel_state.filled());
        }
        if let Some(start) = module.start().and_then(|name| instance.get_func(&mut store, name)) {
            core.status().start(|| {
                let started = stack::on_enough(stack, || start.call(&mut store, &[], &mut []));
                fuel::finish_call(&mut store, &mut fuel_state, started)
            })?;
        }
        Ok(Box::new(WasmtimeInstance::new(core.made(), store, instance, stack, fuel_state)))
    }

    fn metrics(&self) -> RuntimeMetrics {
        self.registry.metrics()
    }

    fn shutdown(&self, within: Duration) -> Shutdown {
        self.registry.shutdown(within)
    }
}

/// What shared memories may reach, but for the minimums of the module's own: those the engine asks for when it makes
/// them, and for no more of any shared memory.
fn shared_bytes_to_come(info: &ModuleInfo, imports: &HostImports) -> u64 {
    let own = info.memories.iter().filter(|ty| ty.shared);
    let asked_for = own.fold(0, |sum: u64, ty| sum.saturating_add(ty.minimum.saturating_mul(ty.page_size)));
    preflight::shared_bytes(info, imports).saturating_sub(asked_for)
}
