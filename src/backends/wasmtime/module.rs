//! Compiled modules.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use wasmtime::Module;

use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::SerializedCode;
use crate::runtime::owner::ModuleOwner;
use crate::runtime::sealed;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmtime.
pub struct WasmtimeModule {
    compiled: Module,
    owner: ModuleOwner,
    start: Option<String>,
    code_shift: i64,
    compiled_bytes: u64,
}

impl WasmtimeModule {
    /// Wraps compiled code. `start` and `code_shift` are those of [`DeferredStart`](super::deferred_start::DeferredStart).
    pub(super) fn new(compiled: Module, owner: ModuleOwner, start: Option<String>, code_shift: i64) -> Self {
        let image = compiled.image_range();
        let compiled_bytes = image.end as u64 - image.start as u64;
        Self { compiled, owner, start, code_shift, compiled_bytes }
    }

    /// Sets the code size, for code that is mapped together with other parts of a file.
    pub(super) fn with_compiled_bytes(self, compiled_bytes: u64) -> Self {
        Self { compiled_bytes, ..self }
    }

    pub(super) fn compiled(&self) -> &Module {
        &self.compiled
    }

    /// Returns the module's metadata and the registry of its runtime.
    pub(super) fn owner(&self) -> &ModuleOwner {
        &self.owner
    }

    /// Returns the export that holds the deferred start function, if there is one.
    pub(super) fn start(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// Returns by how many bytes the code section was moved before compilation.
    pub(super) fn code_shift(&self) -> i64 {
        self.code_shift
    }
}

impl fmt::Debug for WasmtimeModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmtimeModule").field("info", self.info()).finish_non_exhaustive()
    }
}

impl WasmModule for WasmtimeModule {
    fn info(&self) -> &Arc<ModuleInfo> {
        self.owner.info()
    }

    fn compiled_bytes(&self) -> Option<u64> {
        Some(self.compiled_bytes)
    }
}

impl sealed::Module for WasmtimeModule {
    fn serialize(&self) -> Result<SerializedCode> {
        Ok(SerializedCode { code: serialize::write(&self.compiled)?, code_shift: self.code_shift })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
