//! The contract with the engines, on one page. Each backend implements these four traits, and their plumbing in
//! `runtime/sealed.rs`; all other code exists once, for every engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use crate::capabilities::Capabilities;
use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::limits::{LimitExceeded, Limits};
use crate::module::info::ModuleInfo;
use crate::runtime::component::{WasmComponent, WasmComponentInstance};
use crate::runtime::component_host::ComponentImports;
use crate::runtime::control::{self, Control};
use crate::runtime::fuel;
use crate::runtime::host::HostImports;
use crate::runtime::metrics::{RuntimeMetrics, Shutdown};
use crate::runtime::status::InstanceState;
use crate::runtime::{lookup, preflight, sealed};
use crate::value::types::{FuncType, ValType, Value};

/// A configured engine. Compiles modules and creates instances of them.
#[expect(private_bounds, reason = "the plumbing is sealed")]
pub trait WasmRuntime: sealed::Runtime + fmt::Debug + Send + Sync {
    /// Returns the configuration the runtime was created with.
    fn config(&self) -> &RuntimeConfig;

    /// Creates an instance: allocates memories and tables within `limits` and runs the start function. Imports come from
    /// `imports`; WASI functions that `imports` lacks are provided with the rights in `capabilities`.
    ///
    /// # Errors
    /// - [`ErrorKind::Grant`] if the engine cannot grant a capability.
    /// - [`ErrorKind::Unlinkable`] if an import is unresolved or has the wrong type.
    /// - [`ErrorKind::Limit`] if the initial memories or tables exceed `limits`.
    /// - [`ErrorKind::UnsupportedConfig`] if `limits` needs metering or interruption and this runtime has it disabled.
    /// - [`ErrorKind::UnsupportedFeature`] if the engine cannot enforce a limit for this module. For example, a module
    ///   that waits on shared memory cannot have a time limit, unless it is a WASIX program.
    /// - [`ErrorKind::Trap`] if a segment is out of bounds.
    /// - Those of [`WasmFunctionCaller::call`] if the start function fails.
    /// - [`ErrorKind::InvalidArgument`] if another runtime compiled `module`.
    fn create_instance_with(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        capabilities: Capabilities,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>>;

    /// Returns the runtime's counters.
    fn metrics(&self) -> RuntimeMetrics {
        self.registry().metrics()
    }

    /// Shuts the runtime down: new work fails with [`ErrorKind::ShutDown`], running calls are stopped. Waits at most
    /// `within` for the calls to end. Existing instances stay alive but accept no calls.
    ///
    /// Without [`RuntimeConfig::with_interruption`](crate::RuntimeConfig::with_interruption), running calls are not stopped,
    /// and a call that starts at the same moment on another thread may still run.
    fn shutdown(&self, within: Duration) -> Shutdown {
        self.registry().shutdown(within)
    }

    /// Returns the engine.
    fn kind(&self) -> RuntimeKind {
        self.config().kind
    }

    /// Validates and compiles a module in binary or text format.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidModule`] if the module is not valid.
    /// - [`ErrorKind::UnsupportedFeature`] if it needs a feature that the engine or the compiler lacks, or exceeds a limit
    ///   of the compiler.
    /// - [`ErrorKind::Internal`] if the compiler fails or panics.
    fn load_module(&self, bytes: &[u8]) -> Result<Box<dyn WasmModule>> {
        self.compile(&preflight::admit_module(self.config(), bytes)?)
    }

    /// Creates an instance of a module that imports nothing except WASI.
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

    /// Validates and compiles a component in binary or text format.
    ///
    /// # Errors
    /// As [`WasmRuntime::load_module`]; [`ErrorKind::UnsupportedFeature`] if the engine, or this build of wrun, has no
    /// components.
    fn load_component(&self, bytes: &[u8]) -> Result<Box<dyn WasmComponent>> {
        self.compile_component(&preflight::admit_component(self.config(), bytes)?)
    }

    /// Creates an instance of a component that imports nothing except WASI.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::create_component_instance_with`].
    fn create_component_instance(
        &self,
        component: &dyn WasmComponent,
        limits: Limits,
        capabilities: Capabilities,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        self.create_component_instance_with(component, limits, capabilities, ComponentImports::NONE)
    }

    /// Creates an instance of a component. Imports come from `imports`; interfaces of WASI that `imports` lacks are provided
    /// with the rights in `capabilities`.
    ///
    /// # Errors
    /// As [`WasmRuntime::create_instance_with`].
    fn create_component_instance_with(
        &self,
        component: &dyn WasmComponent,
        limits: Limits,
        capabilities: Capabilities,
        imports: &ComponentImports,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        preflight::check_grants_with_network(&capabilities)?;
        self.instantiate_component(component, limits, &capabilities, imports)
    }
}

/// Compiled code. Any number of instances can be created from it.
#[expect(private_bounds, reason = "the plumbing is sealed")]
pub trait WasmModule: sealed::Module + fmt::Debug + Send + Sync {
    /// Returns the imports, exports and other facts of the module.
    fn info(&self) -> &Arc<ModuleInfo>;

    /// Returns the size of the compiled code and its tables in bytes. Wasmer does not know the size (`None`) until the code
    /// has been written to or read from a cache.
    fn compiled_bytes(&self) -> Option<u64>;
}

/// A live module: its memories, tables and globals, and functions to call.
#[expect(private_bounds, reason = "the plumbing is sealed")]
pub trait WasmInstance: sealed::Instance + fmt::Debug + Send {
    /// Resolves an exported function, once for any number of calls.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if the module exports no function of this name; [`ErrorKind::UnsupportedFeature`] if
    /// its signature has types that cannot be passed between host and guest.
    fn function(&mut self, name: &str) -> Result<Box<dyn WasmFunctionCaller>>;

    /// Calls an exported function once. The length of `results` must equal the number of results.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`] and [`WasmFunctionCaller::call`].
    fn call_into(&mut self, name: &str, args: &[Value], results: &mut [Value]) -> Result<()>;

    /// Returns the value of an exported global.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if the module exports no global of this name; [`ErrorKind::UnsupportedFeature`] if its
    /// type cannot be passed between host and guest.
    fn global(&mut self, name: &str) -> Result<Value>;

    /// Returns the size of an exported memory in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if the module exports no memory of this name.
    fn memory_size(&mut self, name: &str) -> Result<u64>;

    /// Copies bytes from an exported memory, starting at byte `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if the module exports no memory of this name, [`ErrorKind::MemoryAccess`] if the range
    /// is out of bounds.
    fn read_memory(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Copies bytes into an exported memory, starting at byte `offset`.
    ///
    /// # Errors
    /// As [`WasmInstance::read_memory`]. Writes nothing on error.
    fn write_memory(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Returns the imports, exports and other facts of its module.
    fn info(&self) -> &Arc<ModuleInfo> {
        self.core().info()
    }

    /// Returns the current state.
    fn state(&self) -> InstanceState {
        self.core().status().state()
    }

    /// Returns a handle with which other threads can watch, stop and pause the instance.
    fn control(&self) -> Control {
        Control::new(self.core().status())
    }

    /// Makes a crashed instance take calls again. The specification allows calls after a trap, but the trap may have left
    /// data in the guest's memory half-written.
    ///
    /// With a fuel limit, no fuel remains after a call that trapped or was stopped, because the fuel it used is unknown.
    /// [`WasmInstance::add_fuel`] and [`WasmInstance::reset_fuel`] add more.
    fn recover(&mut self) {
        if self.core().status().recover() {
            let fuel_unknown = self.core().status().take_fuel_unknown();
            fuel::recover(self.fuel_counter(), fuel_unknown);
        }
    }

    /// Returns the linear memory in use in bytes, for all memories together. Includes the heap of the garbage collector,
    /// if the engine has one. A shared memory counts with its maximum.
    fn memory_bytes(&self) -> u64 {
        self.core().status().memory().used()
    }

    /// Returns the peak of [`WasmInstance::memory_bytes`].
    fn memory_peak_bytes(&self) -> u64 {
        self.core().status().memory().peak()
    }

    /// Returns the limit that denied the last growth of a memory or table during the last call, with the size that was
    /// requested.
    fn denied_growth(&self) -> Option<LimitExceeded> {
        self.core().status().denied()
    }

    /// Returns the [portable fuel](crate::runtime::fuel) used since the instance was created or its fuel was reset. `None` if
    /// the runtime does not meter fuel, and after a trap, because no engine knows how much the guest had used by then.
    fn fuel_used(&mut self) -> Option<u64> {
        fuel::used(self.fuel_counter())
    }

    /// Returns the fuel that remains. `None` without a fuel limit, and if [`WasmInstance::fuel_used`] is unknown.
    fn fuel_remaining(&mut self) -> Option<u64> {
        fuel::remaining(self.fuel_counter())
    }

    /// Adds fuel to the limit.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if the runtime does not meter fuel, [`ErrorKind::InvalidArgument`] if `units`
    /// exceeds [`fuel::MAX_LIMIT`] or the sum is too large.
    fn add_fuel(&mut self, units: u64) -> Result<()> {
        fuel::add(self.fuel_counter(), units)
    }

    /// Sets a new fuel limit and resets [`WasmInstance::fuel_used`] to 0.
    ///
    /// # Errors
    /// As [`WasmInstance::add_fuel`].
    fn reset_fuel(&mut self, limit: u64) -> Result<()> {
        fuel::reset(self.fuel_counter(), limit)
    }

    /// Sets a new time limit. The guest may run this long from now on.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`] if the runtime was created without interruption; [`ErrorKind::UnsupportedFeature`]
    /// if the guest waits on shared memory, because no engine can end that wait.
    fn reset_time(&mut self, limit: Duration) -> Result<()> {
        if self.core().may_wait_forever() {
            return Err(preflight::unstoppable());
        }
        self.core().status().interrupt().ok_or_else(control::uninterruptible)?.set_time(limit);
        Ok(())
    }

    /// Calls an exported function and returns its results.
    ///
    /// # Errors
    /// Those of [`WasmInstance::call_into`].
    fn call(&mut self, name: &str, args: &[Value]) -> Result<Vec<Value>> {
        let results = lookup::find_function(self.info(), name)?.results();
        let mut results = vec![Value::I32(0); results.len()];
        self.call_into(name, args, &mut results)?;
        Ok(results)
    }

    /// Calls an exported function that takes `i32`s and returns one `i32`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the function has another signature (it is not called then), and those of
    /// [`WasmInstance::call_into`].
    fn call_simple_function(&mut self, name: &str, args: &[i32]) -> Result<i32> {
        let ty = lookup::find_function(self.info(), name)?;
        let is_simple = ty.params().iter().all(|ty| *ty == ValType::I32) && *ty.results() == [ValType::I32];
        if !is_simple {
            let message =
                format!("`{}` has type {ty}, but a simple call takes i32s and returns one i32", Escaped(name));
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut values = SmallVec::<[Value; 4]>::from_elem(Value::I32(0), args.len());
        values.iter_mut().zip(args).for_each(|(value, arg)| *value = Value::I32(*arg));
        let mut results = [Value::I32(0)];
        self.call_into(name, &values, &mut results)?;
        match results {
            [Value::I32(result)] => Ok(result),
            [other] => {
                Err(Error::new(ErrorKind::Internal, format!("`{}` returned {other:?}, not an i32", Escaped(name))))
            }
        }
    }
}

/// A resolved function of one instance.
pub trait WasmFunctionCaller: fmt::Debug + Send {
    /// Returns the function's type.
    fn ty(&self) -> &FuncType;

    /// Calls the function and overwrites `results`, whose length must equal the number of results. Looks nothing up, and
    /// allocates nothing if all types are numbers or vectors.
    ///
    /// # Errors
    /// - [`ErrorKind::Trap`] if the guest traps.
    /// - [`ErrorKind::OutOfFuel`], [`ErrorKind::Timeout`], [`ErrorKind::Interrupted`] or [`ErrorKind::ShutDown`] if the
    ///   guest is stopped.
    /// - [`ErrorKind::Exited`] if the guest exits, or a host function ends it.
    /// - [`ErrorKind::Crashed`] if one of these happened in an earlier call.
    /// - [`ErrorKind::InvalidArgument`] if `args` or `results` do not fit the type, or if the function belongs to another
    ///   instance.
    fn call(&mut self, instance: &mut dyn WasmInstance, args: &[Value], results: &mut [Value]) -> Result<()>;
}
