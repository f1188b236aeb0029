//! Compiled modules.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use wasmer::{Engine, Module};

use super::private_exports::PrivateExports;
use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::SerializedCode;
use crate::runtime::owner::ModuleOwner;
use crate::runtime::sealed;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmer.
pub struct WasmerModule {
    compiled: Module,
    engine: Engine,
    private: PrivateExports,
    owner: ModuleOwner,
    /// The size of the serialized code, once it is known.
    serialized_bytes: OnceLock<u64>,
}

impl WasmerModule {
    pub(super) fn new(compiled: Module, engine: Engine, private: PrivateExports, owner: ModuleOwner) -> Self {
        Self { compiled, engine, private, owner, serialized_bytes: OnceLock::new() }
    }

    /// Sets the size of the serialized code.
    pub(super) fn with_serialized_bytes(self, bytes: u64) -> Self {
        Self { serialized_bytes: bytes.into(), ..self }
    }

    pub(super) fn compiled(&self) -> &Module {
        &self.compiled
    }

    /// Returns the engine for instances without memories and tables. Other instances need it with their own tunables.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the names of the private exports.
    pub(super) fn private(&self) -> &PrivateExports {
        &self.private
    }

    /// Returns the module's metadata and the registry of its runtime.
    pub(super) fn owner(&self) -> &ModuleOwner {
        &self.owner
    }
}

impl fmt::Debug for WasmerModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmerModule").field("info", self.info()).finish_non_exhaustive()
    }
}

impl WasmModule for WasmerModule {
    fn info(&self) -> &Arc<ModuleInfo> {
        self.owner.info()
    }

    /// Returns the size of the serialized code: Wasmer has no other way to measure code.
    fn compiled_bytes(&self) -> Option<u64> {
        self.serialized_bytes.get().copied()
    }
}

impl sealed::Module for WasmerModule {
    fn serialize(&self) -> Result<SerializedCode> {
        let code = serialize::write(&self.compiled)?;
        self.serialized_bytes.get_or_init(|| code.len() as u64);
        Ok(SerializedCode { code, code_shift: 0 })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
