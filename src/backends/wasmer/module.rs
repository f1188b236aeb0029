//! Compiled code.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use wasmer::{Engine, Module};

use super::middleware::PrivateExports;
use super::serialize;
use crate::error::Result;
use crate::module::info::ModuleInfo;
use crate::runtime::compiled_code::SerializedCode;
use crate::runtime::core::ModuleOwner;
use crate::runtime::traits::WasmModule;

/// A module compiled by Wasmer.
pub struct WasmerModule {
    compiled: Module,
    engine: Engine,
    private: PrivateExports,
    owner: ModuleOwner,
    /// How long the code is as the engine writes it, once that is known.
    written: OnceLock<u64>,
}

impl WasmerModule {
    pub(super) fn new(compiled: Module, engine: Engine, private: PrivateExports, owner: ModuleOwner) -> Self {
        Self { compiled, engine, private, owner, written: OnceLock::new() }
    }

    /// The same, of code that is this long as the engine writes it.
    pub(super) fn of_length(self, length: u64) -> Self {
        Self { written: length.into(), ..self }
    }

    pub(super) fn compiled(&self) -> &Module {
        &self.compiled
    }

    /// The engine it was compiled or restored by; as it is, for instances that have neither memories nor tables.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What it exports for this backend only.
    pub(super) fn private(&self) -> &PrivateExports {
        &self.private
    }

    /// Its facts, and the books of the runtime that compiled it.
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

    /// Wasmer tells the size of its code only by writing all of it.
    fn compiled_bytes(&self) -> Option<u64> {
        self.written.get().copied()
    }

    fn serialize(&self) -> Result<SerializedCode> {
        let code = serialize::write(&self.compiled)?;
        self.written.get_or_init(|| code.len() as u64);
        Ok(SerializedCode { code, code_shift: 0 })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
