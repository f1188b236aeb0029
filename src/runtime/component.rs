//! The contract for components: the traits that a backend implements, beside those for modules in `runtime/traits.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::component::info::ComponentInfo;
use crate::component::types::WitFunction;
use crate::component::value::{ResourceHandle, WitValue};
use crate::error::Result;
use crate::runtime::control::Control;
use crate::runtime::sealed;
use crate::runtime::status::InstanceState;

/// A compiled component. Any number of instances can be created from it.
#[expect(private_bounds, reason = "the plumbing is sealed")]
pub trait WasmComponent: sealed::Component + fmt::Debug + Send + Sync {
    /// Returns the imports, exports and other facts of the component.
    fn info(&self) -> &Arc<ComponentInfo>;

    /// Returns the size of the compiled code and its tables in bytes, if the engine knows it.
    fn compiled_bytes(&self) -> Option<u64>;
}

/// A live component: its core instances, its resources, and functions to call.
///
/// The component model allows no call after a trap, so an instance that trapped cannot be used again.
#[expect(private_bounds, reason = "the plumbing is sealed")]
pub trait WasmComponentInstance: sealed::ComponentInstance + fmt::Debug + Send {
    /// Resolves an exported function, once for any number of calls. `name` is a function (`greet`), or an interface and a function,
    /// in any form that [`lookup`](crate::component::lookup) accepts.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) if the component exports no such function, or `name` fits
    /// several; [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) if its signature has streams, futures or
    /// error contexts, which cannot be passed between host and guest.
    fn function(&mut self, name: &str) -> Result<Box<dyn WasmComponentFunction>>;

    /// Runs the component as a program: calls `run` of `wasi:cli/run`, of WASI 0.3 or else 0.2.
    ///
    /// # Errors
    /// - An error with an [exit code](crate::Error::exit_code) if the program exits, and with the code 1 if `run` returns an error.
    /// - [`ErrorKind::UnknownExport`](crate::ErrorKind::UnknownExport) if the component is not a program.
    /// - Those of [`WasmComponentFunction::call`].
    fn run(&mut self) -> Result<()>;

    /// Drops a resource that a call returned. Does nothing if the guest has taken the resource back.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if another instance returned it; those of
    /// [`WasmComponentFunction::call`] if the destructor fails.
    fn drop_resource(&mut self, handle: ResourceHandle) -> Result<()>;

    /// Returns the imports, exports and other facts of its component.
    fn info(&self) -> &Arc<ComponentInfo>;

    /// Returns the current state.
    fn state(&self) -> InstanceState;

    /// Returns a handle with which other threads can watch, stop and pause the instance.
    fn control(&self) -> Control;

    /// Returns the linear memory in use in bytes, for all memories of all core instances together.
    fn memory_bytes(&self) -> u64;

    /// Returns the peak of [`WasmComponentInstance::memory_bytes`].
    fn memory_peak_bytes(&self) -> u64;

    /// Returns the fuel used since the instance was created or its fuel was reset. `None` if the runtime does not meter fuel, and
    /// after a trap. Wasmtime counts portable costs, in the core modules and in the adapters between them.
    fn fuel_used(&mut self) -> Option<u64>;

    /// Returns the fuel that remains. `None` without a fuel limit, and if [`WasmComponentInstance::fuel_used`] is unknown.
    fn fuel_remaining(&mut self) -> Option<u64>;

    /// Adds fuel to the limit.
    ///
    /// # Errors
    /// As [`WasmInstance::add_fuel`](crate::WasmInstance::add_fuel).
    fn add_fuel(&mut self, units: u64) -> Result<()>;

    /// Sets a new fuel limit and resets [`WasmComponentInstance::fuel_used`] to 0.
    ///
    /// # Errors
    /// As [`WasmInstance::add_fuel`](crate::WasmInstance::add_fuel).
    fn reset_fuel(&mut self, limit: u64) -> Result<()>;

    /// Sets a new time limit. The guest may run this long from now on.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedConfig`](crate::ErrorKind::UnsupportedConfig) if the runtime was created without interruption.
    fn reset_time(&mut self, limit: Duration) -> Result<()>;
}

/// A resolved function of one component instance.
pub trait WasmComponentFunction: fmt::Debug + Send {
    /// Returns the function's type.
    fn ty(&self) -> &WitFunction;

    /// Calls the function and returns its result, if it has one.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if `args` does not fit the type, or `instance` is not
    ///   the one that resolved the function.
    /// - [`ErrorKind::Trap`](crate::ErrorKind::Trap) if the guest traps, and the other errors of
    ///   [`WasmFunctionCaller::call`](crate::WasmFunctionCaller::call).
    fn call(&mut self, instance: &mut dyn WasmComponentInstance, args: &[WitValue]) -> Result<Option<WitValue>>;
}
