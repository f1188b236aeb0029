//! Compiled modules.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use wasmtime::{Engine, Module};

use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::cached_code::{Code, SerializedCode};
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
    compiled_bytes: u64,
    /// The code for instances that find no place in the pool.
    unpooled: OnceLock<Module>,
}

impl WasmtimeModule {
    pub(super) fn new(
        compiled: Module,
        owner: ModuleOwner,
        start: Option<String>,
        code_shift: i64,
        compiled_bytes: u64,
    ) -> Self {
        Self { compiled, owner, start, code_shift, compiled_bytes, unpooled: OnceLock::new() }
    }

    /// Returns the same code for `engine`, which must have the same settings.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the code is too large for the engine's format.
    pub(super) fn unpooled(&self, engine: &Engine) -> Result<&Module> {
        if let Some(module) = self.unpooled.get() {
            return Ok(module);
        }
        let code = serialize::write(self.compiled.serialize())?;
        let module = serialize::read(engine, Code::Bytes(code))?;
        Ok(self.unpooled.get_or_init(|| module))
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
        Ok(SerializedCode { code: serialize::write(self.compiled.serialize())?, code_shift: self.code_shift })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
