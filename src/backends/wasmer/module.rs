//! Compiled code.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use wasmer::{EngineId, Module};

use crate::module::info::ModuleInfo;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmer.
pub struct WasmerModule {
    compiled: Module,
    info: Arc<ModuleInfo>,
    engine: EngineId,
}

impl WasmerModule {
    pub(super) fn new(compiled: Module, info: Arc<ModuleInfo>, engine: EngineId) -> Self {
        Self { compiled, info, engine }
    }

    pub(super) fn compiled(&self) -> &Module {
        &self.compiled
    }

    /// The engine it was compiled by, and runs on.
    pub(super) fn engine(&self) -> EngineId {
        self.engine
    }
}

impl fmt::Debug for WasmerModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmerModule").field("info", &self.info).finish_non_exhaustive()
    }
}

impl WasmModule for WasmerModule {
    fn info(&self) -> &Arc<ModuleInfo> {
        &self.info
    }

    /// Wasmer tells the size of its code only by serialising all of it.
    fn compiled_bytes(&self) -> Option<u64> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
