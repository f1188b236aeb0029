//! The stand-in for an engine that is not compiled in.

use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::traits::WasmRuntime;

/// Fails; [`check_config`](crate::runtime::preflight::check_config) fails earlier, with hints.
pub(crate) fn create(config: &RuntimeConfig) -> Result<Box<dyn WasmRuntime>> {
    Err(Error::new(ErrorKind::EngineUnavailable, format!("the engine {} is not compiled in", config.kind)))
}
