//! Compiled code.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use wasmtime::Module;

use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::SerializedCode;
use crate::runtime::core::ModuleOwner;
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
    /// Code compiled from a module, or from the same one with its start function deferred.
    pub(super) fn new(compiled: Module, owner: ModuleOwner, start: Option<String>, code_shift: i64) -> Self {
        let image = compiled.image_range();
        let compiled_bytes = image.end as u64 - image.start as u64;
        Self { compiled, owner, start, code_shift, compiled_bytes }
    }

    /// The same, of code that is this long: it may be mapped together with what follows it in a file.
    pub(super) fn of_length(self, compiled_bytes: u64) -> Self {
        Self { compiled_bytes, ..self }
    }

    pub(super) fn compiled(&self) -> &Module {
        &self.compiled
    }

    /// Its facts, and the books of the runtime that compiled it.
    pub(super) fn owner(&self) -> &ModuleOwner {
        &self.owner
    }

    /// The export of a start function that is still to be called.
    pub(super) fn start(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// How many bytes later the code stands than in the module as it came.
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

    fn serialize(&self) -> Result<SerializedCode> {
        Ok(SerializedCode { code: serialize::write(&self.compiled)?, code_shift: self.code_shift })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
