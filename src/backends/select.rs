//! Chooses the engine of a configuration. No other file does.

use super::{wasmer, wasmtime};
use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::runtime::preflight;
use crate::runtime::traits::WasmRuntime;

/// Creates the runtime that `config` describes.
///
/// # Errors
/// [`ErrorKind::EngineUnavailable`](crate::ErrorKind::EngineUnavailable) if the engine is not compiled in,
/// [`ErrorKind::UnsupportedConfig`](crate::ErrorKind::UnsupportedConfig) if the engine does not support the configuration.
pub fn create_runtime(config: &RuntimeConfig) -> Result<Box<dyn WasmRuntime>> {
    preflight::check_config(config)?;
    match config.kind {
        RuntimeKind::Wasmtime => wasmtime::create(config),
        RuntimeKind::Wasmer => wasmer::create(config),
    }
}
