//! The contract with the engines, on one page. Each backend implements these four traits; everything above them is
//! written once.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::{CachedCode, SerializedCode};
use crate::runtime::control::{self, Control};
use crate::runtime::core::{InstanceCore, Seat};
use crate::runtime::fuel::{self, FuelCounter};
use crate::runtime::host::HostImports;
use crate::runtime::metrics::{RuntimeMetrics, Shutdown};
use crate::runtime::preflight::{self, AdmittedModule};
use crate::runtime::signature;
use crate::runtime::status::InstanceState;
use crate::value::types::{FuncType, ValType, Value};
use crate::wasi;

/// An engine, configured: compiles modules and makes instances of them.
pub trait WasmRuntime: fmt::Debug + Send + Sync {
    /// What it was made with.
    fn config(&self) -> &RuntimeConfig;

    /// Compiles a module that [`preflight::admit`] accepted for this runtime's configuration.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFeature`] where the compiler has a bound of its own (a function too large), and
    /// [`ErrorKind::Internal`] where it fails or panics.
    fn compile(&self, module: &AdmittedModule<'_>) -> Result<Box<dyn WasmModule>>;

    /// Makes a module of code that a runtime of the same configuration compiled, here or in another process: nothing is
    /// validated and nothing compiled. For the [cache](crate::Cache), which alone has such code.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where it was another configuration, [`ErrorKind::Internal`] where the engine cannot
    /// load it.
    fn restore(&self, code: CachedCode) -> Result<Box<dyn WasmModule>>;

    /// Returns a hash of everything that the engine's compiled code depends on besides the configuration: the engine's version and
    /// settings, the features of the processor, and this backend's part in compilation. For the [cache](crate::Cache).
    #[doc(hidden)]
    fn code_compatibility(&self) -> u64;

    /// Makes an instance whose every import is in `imports`: takes memories and tables within `limits`, runs the start
    /// function. A guest that waits on shared memory outlasts its time limit here; the caller answers for that.
    ///
    /// # Errors
    /// Those of [`preflight::check_instance`]; [`ErrorKind::Trap`] where a segment is out of bounds, and those of
    /// [`WasmFunctionCaller::call`] where the start function fails; [`ErrorKind::InvalidArgument`] where `module` is of
    /// another runtime.
    fn instantiate(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>>;

    /// What it did so far, counted.
    fn metrics(&self) -> RuntimeMetrics;

    /// Refuses new work from now on ([`ErrorKind::ShutDown`]), stops the calls that run, and waits for their ends, at most
    /// for `within`. Instances that somebody holds live on, and take no calls. (Without
    /// [`RuntimeConfig::with_interruption`](crate::RuntimeConfig::with_interruption), a call that another thread begins at this very
    /// moment may be missed, and runs.)
    fn shutdown(&self, within: Duration) -> Shutdown;

    /// Which engine it is.
    fn kind(&self) -> RuntimeKind {
        self.config().kind
    }

    /// Validates and compiles a module, binary or text.
    ///
    /// # Errors
    /// Those of [`preflight::admit`] and [`WasmRuntime::compile`].
    fn load_module(&self, bytes: &[u8]) -> Result<Box<dyn WasmModule>> {
        self.compile(&preflight::admit(self.config(), bytes)?)
    }

    /// Makes an instance: what it imports of WASI, of `capabilities`; what it imports otherwise, from `imports`, which win
    /// where they have a function of WASI's too.
    ///
    /// # Errors
    /// [`ErrorKind::Grant`] where a capability cannot be granted, [`ErrorKind::UnsupportedFeature`] where the module waits on
    /// shared memory and its time is limited, since nothing ends a wait but of a WASIX guest, and those of
    /// [`WasmRuntime::instantiate`].
    fn create_instance_with(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        capabilities: Capabilities,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        let imports = wasi::provide(self.kind(), module.info(), &capabilities, imports)?;
        preflight::check_stoppable(module.info(), &imports, limits)?;
        self.instantiate(module, limits, &imports)
    }

    /// Makes an instance of a module that imports nothing but WASI.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::create_instance_with`].
    fn create_instance(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        capabilities: Capabilities,
    ) -> Result<Box<dyn WasmInstance>> {
        self.create_instance_with(module, limits, capabilities, HostImports::NONE)
    }
}

/// Compiled code.
pub trait WasmModule: fmt::Debug + Send + Sync {
    /// The facts of the module it was compiled from.
    fn info(&self) -> &Arc<ModuleInfo>;

    /// Bytes of compiled code and its tables; `None` where the engine does not tell (Wasmer, before the code was written
    /// to a cache or came from one).
    fn compiled_bytes(&self) -> Option<u64>;

    /// Its code as the engine writes it, for the [cache](crate::Cache).
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the engine has no way to write it: it is too large for its format.
    fn serialize(&self) -> Result<SerializedCode>;

    /// For the backend, to find its own module again.
    fn as_any(&self) -> &dyn Any;
}

/// A living module: memories, tables, globals, and functions to call.
pub trait WasmInstance: fmt::Debug + Send {
    /// What every instance has.
    fn core(&self) -> &InstanceCore;

    /// Where its engine counts fuel.
    fn fuel_counter(&mut self) -> &mut dyn FuelCounter;

    /// The instance, for its own handles to find it again.
    fn seat(&mut self) -> Seat<'_>;

    /// Resolves an exported function, once, for any number of calls.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] where there is none of this name; [`ErrorKind::UnsupportedFeature`] where its
    /// signature has types that do not pass between host and guest.
    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>>;

    /// Calls an exported function into `results`, which must have just the length of the results: what a handle does that is
    /// made for one call.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`] and [`WasmFunctionCaller::call`].
    fn call_into(&mut self, name: &str, args: &[Value], results: &mut [Value]) -> Result<()>;

    /// The value of an exported global.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] where there is none of this name; [`ErrorKind::UnsupportedFeature`] where its
    /// type does not pass between host and guest.
    fn global(&mut self, name: &str) -> Result<Value>;

    /// The size of an exported memory in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] where there is none of this name.
    fn memory_size(&mut self, name: &str) -> Result<u64>;

    /// Copies from an exported memory, starting at byte `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] where there is none of this name, [`ErrorKind::MemoryAccess`] where the range is
    /// not inside it.
    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Copies into an exported memory, starting at byte `offset`.
    ///
    /// # Errors
    /// As [`WasmInstance::read_memory`]; nothing is written then.
    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()>;

    /// The facts of its module.
    fn info(&self) -> &Arc<ModuleInfo> {
        self.core().info()
    }

    /// Whether it takes calls.
    fn state(&self) -> InstanceState {
        self.core().status().state()
    }

    /// A handle for other threads, to watch, stop and pause it.
    fn control(&self) -> Control {
        Control::new(self.core().status())
    }

    /// Makes a crashed instance take calls again. The specification allows that after a trap; whether what the
    /// trap left half-done in memory is still of use, only the embedder can know. Of a fuel limit nothing remains after a
    /// call that trapped or was stopped, since nobody knows how much of it was used: [`WasmInstance::add_fuel`] or
    /// [`WasmInstance::reset_fuel`] gives more.
    fn recover(&mut self) {
        if self.core().status().recover() {
            let fuel_unknown = self.core().status().take_fuel_unknown();
            fuel::recover(self.fuel_counter(), fuel_unknown);
        }
    }

    /// Bytes of linear memory in use, all memories together (with those of the garbage collector, where one runs; a
    /// shared memory counts with its maximum).
    fn memory_bytes(&self) -> u64 {
        self.core().status().memory().used()
    }

    /// The most bytes of linear memory that were in use, counted as in [`WasmInstance::memory_bytes`].
    fn memory_peak_bytes(&self) -> u64 {
        self.core().status().memory().peak()
    }

    /// [Portable fuel](crate::runtime::fuel) used since the instance was made or its fuel reset; `None` where its runtime
    /// meters none, and after a trap (what the guest had used by then, no engine knows exactly).
    fn fuel_used(&mut self) -> Option<u64> {
        fuel::used(self.fuel_counter())
    }

    /// What remains of the fuel limit; `None` as for [`WasmInstance::fuel_used`], and without a limit.
    fn fuel_remaining(&mut self) -> Option<u64> {
        fuel::remaining(self.fuel_counter())
    }

    /// Adds to the fuel limit.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the runtime meters none, [`ErrorKind::InvalidArgument`] where it is more
    /// than a tank holds.
    fn add_fuel(&mut self, units: u64) -> Result<()> {
        fuel::add(self.fuel_counter(), units)
    }

    /// Sets the fuel limit anew and forgets what was used.
    ///
    /// # Errors
    /// As [`WasmInstance::add_fuel`].
    fn reset_fuel(&mut self, limit: u64) -> Result<()> {
        fuel::reset(self.fuel_counter(), limit)
    }

    /// Sets the time limit anew: the guest may run this long from now on.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] where the runtime was made without interruption, [`ErrorKind::UnsupportedFeature`]
    /// where the guest waits on shared memory, since nothing ends a wait.
    fn reset_time(&mut self, limit: Duration) -> Result<()> {
        if self.core().outlasts_its_time() {
            return Err(preflight::outlasts_its_time());
        }
        self.core().status().interrupt().ok_or_else(control::uninterruptible)?.set_time(limit);
        Ok(())
    }

    /// Calls an exported function.
    ///
    /// # Errors
    /// Those of [`WasmInstance::call_into`].
    fn call(&mut self, name: &str, args: &[Value]) -> Result<Vec<Value>> {
        let results = signature::find_function(self.info(), name)?.results();
        let mut results = vec![Value::I32(0); results.len()];
        self.call_into(name, args, &mut results)?;
        Ok(results)
    }

    /// Calls an exported function that takes `i32`s and returns one.
    ///
    /// # Errors
    /// Those of [`WasmInstance::call_into`]; [`ErrorKind::InvalidArgument`] where the signature is another: nothing runs then.
    fn call_simple_function(&mut self, name: &str, args: &[i32]) -> Result<i32> {
        let ty = signature::find_function(self.info(), name)?;
        let is_simple = ty.params().iter().all(|ty| *ty == ValType::I32) && *ty.results() == [ValType::I32];
        if !is_simple {
            let message = format!("`{name}` has type {ty}; a simple call takes i32s and returns one");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut values = SmallVec::<[Value; 4]>::from_elem(Value::I32(0), args.len());
        values.iter_mut().zip(args).for_each(|(value, arg)| *value = Value::I32(*arg));
        let mut results = [Value::I32(0)];
        self.call_into(name, &values, &mut results)?;
        match results {
            [Value::I32(result)] => Ok(result),
            [other] => Err(Error::new(ErrorKind::Internal, format!("`{name}` returned {other:?}, not an i32"))),
        }
    }
}

/// A resolved function of one instance.
pub trait WasmFunctionCaller: fmt::Debug + Send {
    /// Its type.
    fn ty(&self) -> &FuncType;

    /// Calls it: no lookup, no allocation where all types are numbers or vectors. `results` must have just the
    /// length of the results; what it held is overwritten.
    ///
    /// # Errors
    /// [`ErrorKind::Trap`] where the guest traps, [`ErrorKind::OutOfFuel`], [`ErrorKind::Timeout`],
    /// [`ErrorKind::Interrupted`] and [`ErrorKind::ShutDown`] where it was stopped, [`ErrorKind::Exited`] where a host
    /// function ended it, [`ErrorKind::Crashed`] where one of these happened earlier,
    /// [`ErrorKind::InvalidArgument`] where arguments or room for results do not fit the type or `instance` is not
    /// the one it was resolved on.
    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()>;
}
