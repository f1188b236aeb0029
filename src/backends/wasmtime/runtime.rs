//! The engine: configured once, compiles modules, makes instances.

use std::num::NonZeroUsize;
use std::sync::Arc;

use wasmtime::{Config, Engine, Instance, Module, Store};

use super::limits::Guest;
use super::start::Deferred;
use super::{WasmtimeInstance, WasmtimeModule, errors, host, metering, stack};
use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Frame, Result};
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::features::{self, Feature};
use crate::runtime::fuel::{self, Tank};
use crate::runtime::host::HostImports;
use crate::runtime::life::{Enrolled, Life};
use crate::runtime::metrics::{Ledger, RuntimeMetrics};
use crate::runtime::preflight::{self, AdmittedModule};
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};

/// Wasmtime, configured.
#[derive(Debug)]
pub struct WasmtimeRuntime {
    config: RuntimeConfig,
    engine: WasmtimeEngine,
    ledger: Arc<Ledger>,
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
            metering::configure(&mut settings);
        }
        settings.cranelift_nan_canonicalization(config.canonical_nans);
        settings.relaxed_simd_deterministic(config.canonical_nans);
        let stack = usize::try_from(config.effective_max_stack()).unwrap_or(usize::MAX);
        // No guest runs on an async stack here, but the engine insists that one would be large enough.
        settings.max_wasm_stack(stack).async_stack_size(stack.saturating_add(1 << 20));
        settings.wasm_backtrace_max_frames(NonZeroUsize::new(Frame::MOST));
        let engine = Engine::new(&settings).map_err(|error| {
            Error::new(ErrorKind::UnsupportedConfig, format!("wasmtime cannot be configured so: {error:#}"))
        })?;
        Ok(Self { config: config.clone(), engine: WasmtimeEngine(engine), ledger: Arc::default() })
    }
}

impl WasmtimeRuntime {
    /// The module as it is compiled: where fuel is metered, its start function waits for the tank to be filled.
    fn defer_start<'m>(&self, module: &'m AdmittedModule<'_>) -> Result<Deferred<'m>> {
        let binary = module.binary_for(&self.config)?;
        if !self.config.metering {
            return Ok(Deferred::not(binary));
        }
        Deferred::of(binary, module.info()).map_err(|error| {
            Error::new(ErrorKind::Internal, "a valid module could not be rewritten").with_source(error)
        })
    }
}

impl WasmRuntime for WasmtimeRuntime {
    fn config(&self) -> &RuntimeConfig {
        &self.config
    }

    fn compile(&self, module: &AdmittedModule<'_>) -> Result<Box<dyn WasmModule>> {
        let deferred = self.defer_start(module)?;
        let compile = || Module::from_binary(&self.engine.0, &deferred.binary).map_err(|error| errors::compile(&error));
        let compiled = preflight::guard_compiler(&self.config, compile)?;
        self.ledger.compiled_one();
        let Deferred { start, code_shift, .. } = deferred;
        Ok(Box::new(WasmtimeModule::new(compiled, Arc::clone(module.info()), start, code_shift)))
    }

    fn create_instance_with(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        _capabilities: Capabilities,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        let module = module.as_any().downcast_ref::<WasmtimeModule>();
        let Some(module) = module.filter(|module| Engine::same(module.compiled().engine(), &self.engine.0)) else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the module was compiled by another runtime"));
        };
        preflight::check_imports(module.info(), imports)?;
        preflight::check_limits(self.config.kind, module.info(), imports, limits)?;
        fuel::check(&self.config, limits.fuel)?;

        let life = Life::new(limits, shared_bytes_to_come(module.info(), imports));
        let mut store = Store::new(&self.engine.0, Guest::new(Arc::clone(&life), module.code_shift()));
        store.limiter(|guest| guest);
        let stack = usize::try_from(self.config.effective_max_stack()).unwrap_or(usize::MAX);
        let externs = host::lower(&mut store, module.info(), imports)?;
        let mut tank = self.config.metering.then(|| Tank::new(limits.fuel));
        metering::fill(&mut store, &Tank::new(None));
        let made = stack::on_enough(stack, || Instance::new(&mut store, module.compiled(), &externs));
        let instance = made.map_err(|error| life.explain(errors::instantiate(&mut store, error)))?;
        if let Some(tank) = &tank {
            metering::fill(&mut store, tank);
        }
        if let Some(start) = module.start().and_then(|name| instance.get_func(&mut store, name)) {
            let started = stack::on_enough(stack, || start.call(&mut store, &[], &mut []));
            metering::settle(&mut store, &mut tank, started).map_err(|error| life.explain(error))?;
        }
        let enrolled = Enrolled::new(life, &self.ledger);
        Ok(Box::new(WasmtimeInstance::new(store, instance, Arc::clone(module.info()), enrolled, stack, tank)))
    }

    fn metrics(&self) -> RuntimeMetrics {
        self.ledger.metrics()
    }
}

/// What shared memories may reach, but for the minimums of the module's own: those the engine asks for when it makes
/// them, and for no more of any shared memory.
fn shared_bytes_to_come(info: &ModuleInfo, imports: &HostImports) -> u64 {
    let own = info.memories.iter().filter(|ty| ty.shared);
    let asked_for = own.fold(0, |sum: u64, ty| sum.saturating_add(ty.minimum.saturating_mul(ty.page_size)));
    preflight::shared_bytes(info, imports).saturating_sub(asked_for)
}
