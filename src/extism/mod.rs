//! Extism plug-ins on every engine: the functions that a plug-in imports from `extism:host/env`, and the memory behind them.
//!
//! A [`Session`](crate::session::Session) provides these functions to a module that imports them. The embedder can add
//! more functions, which plug-ins import from `extism:host/user`: a [`HostFunction`](crate::HostFunction) that reads its
//! arguments and writes its results by [`PluginMemory`].

mod blocks;
#[cfg_attr(
    not(all(feature = "http", any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))),
    path = "client_disabled.rs"
)]
mod client;
mod function;
mod host;
#[cfg_attr(
    not(all(feature = "http", any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))),
    path = "http_disabled.rs"
)]
mod http;
mod initialize;
mod kernel;
mod log;
mod memory;
mod options;
mod provide;
mod state;
mod variables;

pub use crate::module::requirements::{EXTISM_ENV, imports_extism as is_plugin, is_plugin_function};
pub(crate) use initialize::initializers;
pub use memory::PluginMemory;
pub use options::{DEFAULT_MAX_RESPONSE_BYTES, DEFAULT_MAX_VARIABLE_BYTES, PluginOptions};
pub(crate) use provide::provide;
