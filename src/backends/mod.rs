//! The engines behind the contract. No other file names them.

use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::Result;
use crate::runtime::preflight;
use crate::runtime::traits::WasmRuntime;

#[cfg(not(all(feature = "wasmtime-runtime", feature = "wasmer-runtime")))]
mod disabled;
#[cfg(feature = "wasmer-runtime")]
pub mod wasmer;
#[cfg(feature = "wasmtime-runtime")]
pub mod wasmtime;

#[cfg(not(feature = "wasmer-runtime"))]
use disabled as wasmer;
#[cfg(not(feature = "wasmtime-runtime"))]
use disabled as wasmtime;

/// A number that changes where this program's part in what an engine compiles does.
pub(crate) const fn code_fingerprint(kind: RuntimeKind) -> u64 {
    match kind {
        RuntimeKind::Wasmtime => wasmtime::CODE,
        RuntimeKind::Wasmer => wasmer::CODE,
    }
}

/// Makes the runtime that `config` describes.
///
/// # Errors
/// [`ErrorKind::EngineUnavailable`](crate::ErrorKind::EngineUnavailable) where its engine is not compiled in,
/// [`ErrorKind::UnsupportedConfig`](crate::ErrorKind::UnsupportedConfig) where it cannot hold the configuration.
pub fn create_runtime(config: &RuntimeConfig) -> Result<Box<dyn WasmRuntime>> {
    preflight::check_config(config)?;
    match config.kind {
        RuntimeKind::Wasmtime => wasmtime::create(config),
        RuntimeKind::Wasmer => wasmer::create(config),
    }
}
