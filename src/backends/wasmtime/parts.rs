//! The parts of a runtime that components need.

use std::sync::Arc;

use wasmtime::Engine;

use crate::config::RuntimeConfig;
use crate::runtime::registry::InstanceRegistry;

/// The parts of a [`WasmtimeRuntime`](super::WasmtimeRuntime).
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "components"), expect(dead_code, reason = "only components need the parts"))]
pub(super) struct RuntimeParts<'r> {
    pub(super) config: &'r RuntimeConfig,
    pub(super) engine: &'r Engine,
    pub(super) registry: &'r Arc<InstanceRegistry>,
}
