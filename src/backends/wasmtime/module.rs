//! Compiled code.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use wasmtime::Module;

use crate::module::info::ModuleInfo;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmtime.
pub struct WasmtimeModule {
    compiled: Module,
    info: Arc<ModuleInfo>,
}

impl WasmtimeModule {
    pub(super) fn new(compiled: Module, info: Arc<ModuleInfo>) -> Self {
        Self { compiled, info }
    }

    pub(super) fn compiled(&self) -> &Module {
        &self.compiled
    }
}

impl fmt::Debug for WasmtimeModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmtimeModule").field("info", &self.info).finish_non_exhaustive()
    }
}

impl WasmModule for WasmtimeModule {
    fn info(&self) -> &Arc<ModuleInfo> {
        &self.info
    }

    fn compiled_bytes(&self) -> Option<u64> {
        let image = self.compiled.image_range();
        Some(image.end as u64 - image.start as u64)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
