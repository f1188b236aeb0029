//! Plumbing between the public traits, the backends and the services above them. These traits are private, so no other
//! crate can implement the public traits or call these methods.

use std::any::Any;
use std::fmt;

use crate::capabilities::Capabilities;
use crate::component::info::ComponentInfo;
use crate::error::Result;
use crate::limits::Limits;
use crate::runtime::cached_code::{CachedCode, SerializedCode};
use crate::runtime::component::{WasmComponent, WasmComponentInstance};
use crate::runtime::component_host::ComponentImports;
use crate::runtime::fuel::FuelCounter;
use crate::runtime::host::HostImports;
use crate::runtime::owner::InstanceCore;
use crate::runtime::preflight::{self, AdmittedComponent, AdmittedModule};
use crate::runtime::registry::InstanceRegistry;
use crate::runtime::traits::{WasmInstance, WasmModule};

pub(crate) trait Runtime {
    /// Returns the counters, and the instances that are alive.
    fn registry(&self) -> &InstanceRegistry;

    /// Compiles a module that [`admit_module`](crate::runtime::preflight::admit_module) accepted for this runtime's configuration.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) if the module exceeds a limit of the
    /// compiler (for example, a function is too large), [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the
    /// compiler fails or panics.
    fn compile(&self, module: &AdmittedModule<'_>) -> Result<Box<dyn WasmModule>>;

    /// Loads code from the cache. Validates and compiles nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the code was compiled with another
    /// configuration, [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the engine cannot load it.
    fn restore(&self, code: CachedCode) -> Result<Box<dyn WasmModule>>;

    /// Returns a hash of what compiled code depends on besides the configuration and the program: the engine's version and
    /// settings, and the features of the processor.
    fn code_compatibility(&self) -> u64;

    /// Creates an instance. `imports` must provide every import, also those from WASI. The caller is responsible for
    /// [`check_stoppable`](crate::runtime::preflight::check_stoppable).
    ///
    /// # Errors
    /// Those of [`check_instance`](crate::runtime::preflight::check_instance); otherwise as
    /// [`WasmRuntime::create_instance_with`](crate::WasmRuntime::create_instance_with).
    fn instantiate(
        &self,
        module: &dyn WasmModule,
        limits: Limits,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>>;

    /// Compiles a component that was admitted for this runtime's configuration.
    ///
    /// # Errors
    /// As [`Runtime::compile`]; [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) if the engine has no components.
    fn compile_component(&self, component: &AdmittedComponent<'_>) -> Result<Box<dyn WasmComponent>> {
        let _ = component;
        Err(preflight::no_components())
    }

    /// Loads the code of a component from the cache. Validates and compiles nothing.
    ///
    /// # Errors
    /// As [`Runtime::restore`].
    fn restore_component(&self, code: CachedCode) -> Result<Box<dyn WasmComponent>> {
        let _ = code;
        Err(preflight::no_components())
    }

    /// Checks everything about an instance of a component that can be checked before it is compiled.
    ///
    /// # Errors
    /// Those of [`check_amounts`](crate::runtime::preflight::check_amounts); [`ErrorKind::Unlinkable`](crate::ErrorKind::Unlinkable)
    /// if neither `imports` nor WASI provides an import.
    fn check_component(&self, info: &ComponentInfo, limits: Limits, imports: &ComponentImports) -> Result<()> {
        let _ = (info, limits, imports);
        Err(preflight::no_components())
    }

    /// Creates an instance of a component. `capabilities` have passed
    /// [`check_grants_with_network`](crate::runtime::preflight::check_grants_with_network).
    ///
    /// # Errors
    /// As [`WasmRuntime::create_component_instance_with`](crate::WasmRuntime::create_component_instance_with).
    fn instantiate_component(
        &self,
        component: &dyn WasmComponent,
        limits: Limits,
        capabilities: &Capabilities,
        imports: &ComponentImports,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        let _ = (component, limits, capabilities, imports);
        Err(preflight::no_components())
    }
}

pub(crate) trait Component {
    /// Serializes the compiled code, for the cache.
    ///
    /// # Errors
    /// As [`Module::serialize`].
    fn serialize(&self) -> Result<SerializedCode>;

    /// Lets a backend downcast a component to its own type.
    #[cfg_attr(not(feature = "components"), expect(dead_code, reason = "no backend has components"))]
    fn as_any(&self) -> &dyn Any;
}

pub(crate) trait ComponentInstance {
    /// Lets a function handle downcast an instance to its own type.
    #[cfg_attr(not(feature = "components"), expect(dead_code, reason = "no backend has components"))]
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

pub(crate) trait Module {
    /// Serializes the compiled code, for the cache.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the code is too large for the engine's format.
    fn serialize(&self) -> Result<SerializedCode>;

    /// Lets a backend downcast a module to its own type.
    fn as_any(&self) -> &dyn Any;
}

pub(crate) trait Instance {
    /// Returns the part that all backends share.
    fn core(&self) -> &InstanceCore;

    /// Returns the engine's fuel counter.
    fn fuel_counter(&mut self) -> &mut dyn FuelCounter;

    /// Lets a function handle downcast an instance to its own type.
    fn as_any_mut(&mut self) -> &mut dyn Any;

    /// Links the loop of a [`RowLoop`](crate::runtime::row_loop::RowLoop) to an exported function. The same runtime compiled its module.
    /// Returns `None` for a WASIX program.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`]; [`ErrorKind::Io`](crate::ErrorKind::Io) if the system refuses memory.
    fn link_loop(&mut self, module: &dyn WasmModule, function: &str) -> Result<Option<Box<dyn LinkedLoop>>>;
}

/// The loop of a [`RowLoop`](crate::runtime::row_loop::RowLoop), linked to a function of an instance.
pub(crate) trait LinkedLoop: fmt::Debug + Send {
    /// Calls the function for the first `rows` rows of the columns.
    ///
    /// # Errors
    /// Those of [`WasmFunctionCaller::call`](crate::WasmFunctionCaller::call).
    fn call(&mut self, instance: &mut dyn WasmInstance, rows: i32) -> Result<()>;

    /// Calls `access` with the loop's memory.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if the function belongs to another instance.
    fn with_memory(&mut self, instance: &mut dyn WasmInstance, access: &mut dyn FnMut(&mut [u8])) -> Result<()>;
}
