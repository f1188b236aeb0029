//! Options of plug-ins.

use std::collections::BTreeMap;

/// The maximum size of a plug-in's variables by default: 1 MiB.
pub const DEFAULT_MAX_VARIABLE_BYTES: u64 = 1 << 20;

/// The maximum size of the response to an HTTP request by default: 50 MiB, as in Extism.
pub const DEFAULT_MAX_RESPONSE_BYTES: u64 = 50 << 20;

/// The configuration of an Extism plug-in's instances, and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginOptions {
    /// The configuration, which the plug-in can read: values by name.
    pub config: BTreeMap<String, String>,
    /// The maximum size of all variables of an instance together, in bytes. Each counts its name, its value and 48 bytes more.
    /// 0 denies variables.
    pub max_variable_bytes: u64,
    /// The maximum size of the body of a response to an HTTP request, in bytes.
    pub max_response_bytes: u64,
}

impl Default for PluginOptions {
    fn default() -> Self {
        Self {
            config: BTreeMap::new(),
            max_variable_bytes: DEFAULT_MAX_VARIABLE_BYTES,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
        }
    }
}

impl PluginOptions {
    /// Sets a value of the configuration.
    #[must_use]
    pub fn with_config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }

    /// Limits the size of all variables together, in bytes.
    #[must_use]
    pub fn with_max_variable_bytes(mut self, bytes: u64) -> Self {
        self.max_variable_bytes = bytes;
        self
    }

    /// Limits the size of the body of a response to an HTTP request, in bytes.
    #[must_use]
    pub fn with_max_response_bytes(mut self, bytes: u64) -> Self {
        self.max_response_bytes = bytes;
        self
    }
}
