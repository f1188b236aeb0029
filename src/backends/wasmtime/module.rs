//! Compiled modules.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use wasmtime::{Engine, ExternType, Module};

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
    pub(super) compiled: EngineCode,
    pub(super) owner: ModuleOwner,
    /// The export that holds the deferred start function, if there is one.
    pub(super) start: Option<String>,
    /// By how many bytes the code section was moved before compilation.
    pub(super) code_shift: i64,
    compiled_bytes: u64,
    /// The code for instances that find no place in the pool.
    unpooled: OnceLock<EngineCode>,
}

/// The code of a module for one engine.
pub(super) struct EngineCode {
    pub(super) module: Module,
    import_types: OnceLock<Vec<ExternType>>,
}

impl EngineCode {
    fn new(module: Module) -> Self {
        Self { module, import_types: OnceLock::new() }
    }

    /// Returns the types of the imports, in order. They are kept, because creating a function's type costs as much as creating the
    /// function.
    pub(super) fn import_types(&self) -> &[ExternType] {
        self.import_types.get_or_init(|| self.module.imports().map(|import| import.ty()).collect())
    }
}

impl WasmtimeModule {
    pub(super) fn new(
        compiled: Module,
        owner: ModuleOwner,
        start: Option<String>,
        code_shift: i64,
        compiled_bytes: u64,
    ) -> Self {
        let compiled = EngineCode::new(compiled);
        Self { compiled, owner, start, code_shift, compiled_bytes, unpooled: OnceLock::new() }
    }

    /// Returns the same code for `engine`, which must have the same settings.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if the code is too large for the engine's format.
    pub(super) fn unpooled(&self, engine: &Engine) -> Result<&EngineCode> {
        if let Some(code) = self.unpooled.get() {
            return Ok(code);
        }
        let code = serialize::write(self.compiled.module.serialize())?;
        let module = serialize::read(engine, Code::Bytes(code))?;
        Ok(self.unpooled.get_or_init(|| EngineCode::new(module)))
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
        Ok(SerializedCode { code: serialize::write(self.compiled.module.serialize())?, code_shift: self.code_shift })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
