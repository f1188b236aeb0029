//! Compiled code and live instances, of modules and of components.

use std::time::Duration;

use crate::component::info::{CodeInfo, not_a_component, not_a_module};
use crate::error::Result;
use crate::runtime::cached_code::{CachedCode, SerializedCode};
use crate::runtime::component::{WasmComponent, WasmComponentInstance};
use crate::runtime::preflight::AdmittedCode;
use crate::runtime::status::InstanceState;
use crate::runtime::traits::{WasmInstance, WasmModule, WasmRuntime};

/// A compiled module or component.
#[derive(Debug)]
pub enum CompiledCode {
    /// A module.
    Module(Box<dyn WasmModule>),
    /// A component.
    Component(Box<dyn WasmComponent>),
}

impl CompiledCode {
    /// Compiles code that was admitted for the configuration of `runtime`.
    ///
    /// # Errors
    /// Those of [`WasmRuntime::load_module`] and [`WasmRuntime::load_component`].
    pub fn compile(runtime: &dyn WasmRuntime, code: &AdmittedCode<'_>) -> Result<Self> {
        match code {
            AdmittedCode::Module(module) => runtime.compile(module).map(Self::Module),
            AdmittedCode::Component(component) => runtime.compile_component(component).map(Self::Component),
        }
    }

    /// Loads code from the cache.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it was compiled with another configuration,
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the engine cannot load it.
    pub(crate) fn restore(runtime: &dyn WasmRuntime, code: CachedCode) -> Result<Self> {
        match code.info() {
            CodeInfo::Module(_) => runtime.restore(code).map(Self::Module),
            CodeInfo::Component(_) => runtime.restore_component(code).map(Self::Component),
        }
    }

    /// Serializes the code, for the cache.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if it is too large for the engine's format.
    pub(crate) fn serialize(&self) -> Result<SerializedCode> {
        match self {
            Self::Module(module) => module.serialize(),
            Self::Component(component) => component.serialize(),
        }
    }

    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> CodeInfo {
        match self {
            Self::Module(module) => CodeInfo::Module(module.info().clone()),
            Self::Component(component) => CodeInfo::Component(component.info().clone()),
        }
    }

    /// Returns the module.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is a component.
    pub fn into_module(self) -> Result<Box<dyn WasmModule>> {
        match self {
            Self::Module(module) => Ok(module),
            Self::Component(_) => Err(not_a_module()),
        }
    }

    /// Returns the component.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is a module.
    pub fn into_component(self) -> Result<Box<dyn WasmComponent>> {
        match self {
            Self::Component(component) => Ok(component),
            Self::Module(_) => Err(not_a_component()),
        }
    }

    /// Returns the size of the compiled code and its tables in bytes, if the engine knows it.
    #[must_use]
    pub fn compiled_bytes(&self) -> Option<u64> {
        match self {
            Self::Module(module) => module.compiled_bytes(),
            Self::Component(component) => component.compiled_bytes(),
        }
    }
}

/// A live module or component.
#[derive(Debug)]
pub enum CodeInstance {
    /// A module.
    Module(Box<dyn WasmInstance>),
    /// A component.
    Component(Box<dyn WasmComponentInstance>),
}

impl CodeInstance {
    /// Returns the linear memory in use in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        match self {
            Self::Module(instance) => instance.memory_bytes(),
            Self::Component(instance) => instance.memory_bytes(),
        }
    }

    /// Returns the peak of [`CodeInstance::memory_bytes`].
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        match self {
            Self::Module(instance) => instance.memory_peak_bytes(),
            Self::Component(instance) => instance.memory_peak_bytes(),
        }
    }

    /// Returns the fuel used, if it is metered and known.
    pub fn fuel_used(&mut self) -> Option<u64> {
        match self {
            Self::Module(instance) => instance.fuel_used(),
            Self::Component(instance) => instance.fuel_used(),
        }
    }

    /// Returns the current state.
    #[must_use]
    pub fn state(&self) -> InstanceState {
        match self {
            Self::Module(instance) => instance.state(),
            Self::Component(instance) => instance.state(),
        }
    }

    /// Sets a new fuel limit and resets [`CodeInstance::fuel_used`] to 0.
    ///
    /// # Errors
    /// As [`WasmInstance::reset_fuel`].
    pub fn reset_fuel(&mut self, limit: u64) -> Result<()> {
        match self {
            Self::Module(instance) => instance.reset_fuel(limit),
            Self::Component(instance) => instance.reset_fuel(limit),
        }
    }

    /// Sets a new time limit. The guest may run this long from now on.
    ///
    /// # Errors
    /// As [`WasmInstance::reset_time`].
    pub fn reset_time(&mut self, limit: Duration) -> Result<()> {
        match self {
            Self::Module(instance) => instance.reset_time(limit),
            Self::Component(instance) => instance.reset_time(limit),
        }
    }
}
