//! The limits, capabilities and imports of the instances of a session.

use crate::capabilities::Capabilities;
use crate::extism::PluginOptions;
use crate::limits::Limits;
use crate::runtime::component_host::ComponentImports;
use crate::runtime::host::HostImports;

/// The limits, capabilities and imports of the instances of [`PreparedCode`](super::PreparedCode).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceOptions {
    /// The limits to check the module against before it is compiled;
    /// [`PreparedCode::instantiate`](super::PreparedCode::instantiate) takes its own.
    pub limits: Limits,
    /// The capabilities of the guest.
    pub capabilities: Capabilities,
    /// The embedder's own imports of a module. They replace functions of WASI with the same name.
    pub imports: HostImports,
    /// The configuration of an Extism plug-in.
    pub plugin: PluginOptions,
    /// The embedder's own imports of a component. They replace functions of WASI with the same name.
    pub component_imports: ComponentImports,
    /// Whether an exported `_initialize` of type `() -> ()` of a module is called after instantiation, unless the instance is made
    /// for a call of it. For an Extism plug-in, the same goes for `__wasm_call_ctors` and `hs_init`.
    pub initialize: bool,
    /// Whether the caller ends the process when the time limit is up. Otherwise a module that waits on shared memory, which
    /// no engine can interrupt, is refused a time limit.
    pub caller_ends_process: bool,
}

impl Default for InstanceOptions {
    /// No limits, capabilities or imports; `_initialize` is called.
    fn default() -> Self {
        Self {
            limits: Limits::none(),
            capabilities: Capabilities::none(),
            imports: HostImports::none(),
            plugin: PluginOptions::default(),
            component_imports: ComponentImports::default(),
            initialize: true,
            caller_ends_process: false,
        }
    }
}

impl InstanceOptions {
    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the capabilities.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Sets the embedder's own imports of a module.
    #[must_use]
    pub fn with_imports(mut self, imports: HostImports) -> Self {
        self.imports = imports;
        self
    }

    /// Sets the configuration of an Extism plug-in.
    #[must_use]
    pub fn with_plugin(mut self, plugin: PluginOptions) -> Self {
        self.plugin = plugin;
        self
    }
}
