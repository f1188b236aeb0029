//! Compiled modules.

use std::any::Any;
use std::sync::Arc;

use wasmtime::Module;

use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::cached_code::SerializedCode;
use crate::runtime::owner::ModuleOwner;
use crate::runtime::sealed;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmtime.
#[derive(derive_more::Debug)]
#[debug("WasmtimeModule({:?})", self.info())]
pub struct WasmtimeModule {
    pub(super) compiled: Module,
    pub(super) owner: ModuleOwner,
    /// The export that holds the deferred start function, if there is one.
    pub(super) start: Option<String>,
    /// By how many bytes the code section was moved before compilation.
    pub(super) code_shift: i64,
    pub(super) compiled_bytes: u64,
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
        Ok(SerializedCode { code: serialize::write(self.compiled.serialize())?, code_shift: self.code_shift })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
